"""What travels about gates."""

import re
from datetime import date

from marshmallow import ValidationError

from backend.gate.credentials import LONGEST
from backend.models.lot import LOT_STATUSES, SPOT_KINDS
from backend.models.vehicle import VEHICLE_KINDS
from backend.reservations.schemas import ReservationSchema
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

RESULTS = ("entered", "left", "refused")
MOST_HOURS = 24
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The days before and after it exist too, in any zone.
_YEARS = range(2, 9999)


def _check_day(text: str) -> None:
    try:
        if _DAY.fullmatch(text) and date.fromisoformat(text).year in _YEARS:
            return
    except ValueError:
        pass
    raise ValidationError("This must be a day, such as 2026-11-24.")


class ScanCreate(Schema):
    """What is shown at the gate of a lot."""

    lot_id = fields.Id(required=True)
    credential = fields.Text(
        required=True,
        min=1,
        max=LONGEST,
        metadata={"description": "What the QR code holds, the code, or the number plate."},
    )
    direction = fields.Choice(
        "in",
        "out",
        load_default=None,
        metadata={"description": "Without it a car that is in goes out, and any other comes in."},
    )


class PassageSchema(Schema):
    """A gate that opened."""

    result = fields.Choice("entered", "left")
    reservation = fields.Nested(ReservationSchema)
    message = fields.Text(metadata={"example": "Bay A12, level 1, until 24 Nov, 18:00."})


class WalkInCreate(Schema):
    """A car that came without a booking."""

    lot_id = fields.Id(required=True)
    plate = fields.Text(required=True, min=1, max=32)
    vehicle_kind = fields.Choice(*VEHICLE_KINDS, load_default="car")
    ends_at = fields.Instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it is expected to leave; without it in two hours."},
    )
    spot_kind = fields.Choice(*SPOT_KINDS, load_default=None, allow_none=True)
    spot_id = fields.Id(load_default=None, allow_none=True)


class GateLotQuery(PageQuery):
    """Which of the lots where the caller works."""

    lot_id = fields.Id(load_default=None, metadata={"description": "This one alone."})
    q = fields.Text(
        max=100,
        load_default=None,
        metadata={"description": "Words of the name, the address or the city; all must match."},
    )


class GateLotSchema(Schema):
    """A lot at whose gate the caller works."""

    id = fields.Id()
    name = fields.Text()
    address = fields.Text(max=500)
    city = fields.Text()
    timezone = fields.Text()
    status = fields.Choice(*LOT_STATUSES)
    allows_reentry = fields.Flag()


class GateQuery(PageQuery):
    """At which lot's gate."""

    lot_id = fields.Id(required=True)


class ArrivalQuery(GateQuery):
    """Who comes to a lot, and within which time."""

    hours = fields.Integer(min=1, max=MOST_HOURS, load_default=2)


class ScanQuery(GateQuery):
    """Which scans of a lot."""

    result = fields.Choice(*RESULTS, load_default=None)


class ScanSchema(Schema):
    """What was shown at a gate, and what became of it."""

    id = fields.Id()
    at = fields.Instant()
    credential = fields.Choice("qr", "code", "plate", "none")
    shown = fields.Text(metadata={"description": "The code or the plate that was read."})
    result = fields.Choice(*RESULTS)
    reason = fields.Text(
        allow_none=True, metadata={"description": "Why not; null when the gate opened."}
    )
    reservation_id = fields.Id(allow_none=True)
    actor = fields.Text(allow_none=True, metadata={"description": "Who scanned, by name."})


class CashUpQuery(Schema):
    """The cash of which day, by the clocks of the lot."""

    lot_id = fields.Id(required=True)
    day = fields.Text(
        load_default=None,
        validate=_check_day,
        metadata={"description": "Without it, today.", "example": "2026-11-24", "format": "date"},
    )


class CashTakenSchema(Schema):
    """What one attendant took, less what they gave back."""

    attendant = fields.Text(allow_none=True)
    attendant_id = fields.Id(allow_none=True)
    count = fields.Integer(min=0)
    taken_minor = fields.Money()
    given_back_minor = fields.Money()
    total_minor = fields.Money(min=-(10**15))


class CashUpSchema(Schema):
    """The cash of one day."""

    day = fields.Text(metadata={"example": "2026-11-24", "format": "date"})
    lot_id = fields.Id()
    total_minor = fields.Money(min=-(10**15))
    currency = fields.Text(min=3, max=3)
    items = fields.List(fields.Nested(CashTakenSchema))
