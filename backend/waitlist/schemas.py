"""The waitlist as JSON."""

from backend.models.lot import SPOT_KINDS
from backend.models.waitlist import STATUSES
from backend.web import fields
from backend.web.schema import Schema


class WaitlistCreate(Schema):
    """What to wait for."""

    lot_id = fields.Id(required=True)
    starts_at = fields.Instant(required=True)
    ends_at = fields.Instant(required=True)
    vehicle_id = fields.Id(required=True)
    spot_kind = fields.Choice(
        *SPOT_KINDS,
        allow_none=True,
        load_default=None,
        metadata={"description": "Without one, any kind that the vehicle fits will do."},
    )


class AwaitedLotSchema(Schema):
    """Where."""

    id = fields.Id()
    name = fields.Text()
    timezone = fields.Text()


class WaitingVehicleSchema(Schema):
    """For which vehicle."""

    id = fields.Id()
    plate = fields.Text(max=12)


class WaitlistEntrySchema(Schema):
    """A driver who waits for a bay of a full lot."""

    id = fields.Id()
    lot = fields.Nested(AwaitedLotSchema)
    vehicle = fields.Nested(WaitingVehicleSchema)
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    spot_kind = fields.Choice(*SPOT_KINDS, allow_none=True)
    status = fields.Choice(
        *STATUSES,
        metadata={
            "description": "`offered`: a bay is held, pay for it before `hold_expires_at`; `booked`: it is"
            " yours; `lapsed`: the window began, or the offer ran out."
        },
    )
    position = fields.Integer(
        min=1,
        allow_none=True,
        metadata={
            "description": "Where in the queue, among those whose windows overlap; null unless waiting."
        },
    )
    reservation_id = fields.Id(
        allow_none=True, metadata={"description": "The booking that was offered."}
    )
    hold_expires_at = fields.Instant(
        allow_none=True, metadata={"description": "Until when the offered bay is held."}
    )
    created_at = fields.Instant()
