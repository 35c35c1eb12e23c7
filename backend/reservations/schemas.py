"""Reservations as JSON."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.models.lot import SPOT_KINDS
from backend.models.reservation import STATUSES
from backend.models.vehicle import VEHICLE_KINDS
from backend.quotes.schemas import LineSchema, RefundPolicySchema, TaxAmountSchema
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

ACTIONS = (
    *("pay", "cancel", "prolong", "extend", "reschedule", "change-vehicle"),
    *("check-in", "check-out", "report-occupied", "review"),
)
EVENT_KINDS = (
    *("booked", "paid", "extended", "rescheduled", "vehicle-changed", "moved", "entered", "left"),
    *("overstayed", "completed", "cancelled", "no-show", "refunded", "due", "let-out", "occupied"),
)

_MISSING = "This is required, unless there is a quote_id."
_NOT_BOTH = "Send a quote_id, or a lot with a window; not both."


class ReservationCreate(Schema):
    """What to book: a quote (`quote_id`), or a lot and a window (`lot_id`, `starts_at`, `ends_at`)."""

    quote_id = fields.Id()
    lot_id = fields.Id()
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    spot_kind = fields.Choice(*SPOT_KINDS, allow_none=True)
    vehicle_id = fields.Id(required=True)
    spot_id = fields.Id(
        allow_none=True,
        metadata={"description": "The very bay; without it the system chooses one that fits."},
    )

    @validates_schema
    def _one_way_or_the_other(self, body: dict[str, Any], **_kwargs: Any) -> None:
        window = ("lot_id", "starts_at", "ends_at")
        if "quote_id" in body:
            both = {name: [_NOT_BOTH] for name in (*window, "spot_kind") if name in body}
            if both:
                raise ValidationError(both)
            return
        missing = {name: [_MISSING] for name in window if name not in body}
        if missing:
            raise ValidationError(missing)


class ReservationQuery(PageQuery):
    """Which reservations to list. Drivers see their own."""

    status = fields.Choice(*STATUSES)
    when = fields.Choice(
        "upcoming",
        "past",
        metadata={
            "description": "`upcoming`: those that still bind, under way ones too, the soonest first."
            " `past`: all others."
        },
    )
    lot_id = fields.Id()
    ends_after = fields.Instant(
        data_key="from", metadata={"description": "Those that end after this moment."}
    )
    starts_before = fields.Instant(
        data_key="to", metadata={"description": "Those that start before this moment."}
    )
    user_id = fields.Id(metadata={"description": "For admins."})
    plate = fields.Text(min=1, max=32, metadata={"description": "For admins."})
    code = fields.Text(min=1, max=20, metadata={"description": "For admins."})


class ReservedLotSchema(Schema):
    """Where it is."""

    id = fields.Id()
    name = fields.Text()
    address = fields.Text(max=500)
    city = fields.Text()
    lat = fields.Real()
    lng = fields.Real()
    timezone = fields.Text()


class ReservedSpotSchema(Schema):
    """Which bay."""

    id = fields.Id()
    label = fields.Text()
    level = fields.Text()
    kind = fields.Choice(*SPOT_KINDS)
    pinned = fields.Flag(metadata={"description": "Chosen by the driver, so that nobody moves it."})


class FreeSpotSchema(Schema):
    """A bay that can be had."""

    id = fields.Id()
    label = fields.Text()
    level = fields.Text()
    kind = fields.Choice(*SPOT_KINDS)


class ReservedVehicleSchema(Schema):
    """For which vehicle; the plate as it was booked."""

    id = fields.Id(
        allow_none=True, metadata={"description": "Null for a walk-in, which is nobody's vehicle."}
    )
    plate = fields.Text()
    kind = fields.Choice(*VEHICLE_KINDS)
    label = fields.Text()
    electric = fields.Flag()


class ReservedQuoteSchema(Schema):
    """How the price came about."""

    id = fields.Id()
    lines = fields.List(fields.Nested(LineSchema))
    taxes = fields.List(fields.Nested(TaxAmountSchema))
    tax_minor = fields.Money()
    total_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    expires_at = fields.Instant()


class StaySchema(Schema):
    """What happened at the gate."""

    entered_at = fields.Instant(metadata={"description": "When the car first came in."})
    left_at = fields.Instant(
        allow_none=True, metadata={"description": "When it last left; null while it is in."}
    )
    stays = fields.Integer(
        min=1, metadata={"description": "How often it came in, where a lot allows to come back."}
    )


class OverstaySchema(Schema):
    """A car that is in for longer than was booked and paid."""

    since = fields.Instant()
    due_minor = fields.Money(
        metadata={"description": "What leaving now costs beyond what was paid; it grows."}
    )


class ReservationSchema(Schema):
    """A right to one bay for one window."""

    id = fields.Id()
    code = fields.Text(metadata={"example": "VV-8F3K-29QX"})
    status = fields.Choice(*STATUSES)
    source = fields.Choice("app", "waitlist", "walk_in")
    user_id = fields.Id(
        allow_none=True, metadata={"description": "Whose it is; null when it came by the gate."}
    )
    lot = fields.Nested(ReservedLotSchema)
    spot = fields.Nested(ReservedSpotSchema)
    vehicle = fields.Nested(ReservedVehicleSchema)
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    created_at = fields.Instant()
    confirmed_at = fields.Instant(allow_none=True)
    price_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    paid_minor = fields.Money()
    refunded_minor = fields.Money()
    due_minor = fields.Money(
        metadata={"description": "To be paid at this moment, at the latest before leaving."}
    )
    debt_minor = fields.Money(
        metadata={
            "description": "Left unpaid when the car was let out; nothing new is booked before."
        }
    )
    covered_until = fields.Instant(
        allow_none=True,
        metadata={
            "description": "Up to when the price reaches, grace apart, once it was fixed for longer than"
            " the window."
        },
    )
    overstay = fields.Nested(OverstaySchema, allow_none=True)
    hold_expires_at = fields.Instant(
        allow_none=True, metadata={"description": "The deadline to pay, while it is held."}
    )
    quote = fields.Nested(ReservedQuoteSchema)
    stay = fields.Nested(
        StaySchema,
        allow_none=True,
        metadata={"description": "What happened at the gate; null before."},
    )
    bay_final = fields.Flag(
        metadata={
            "description": "The bay is chosen, or its time is near: the system changes it no more, unless"
            " a car stays on it."
        }
    )
    sequence = fields.Integer(
        min=0, metadata={"description": "How often window, bay or vehicle changed."}
    )
    refund_policy = fields.Nested(RefundPolicySchema)
    allowed_actions = fields.List(fields.Choice(*ACTIONS))


class CancellationSchema(Schema):
    """What comes back of a booking that is cancelled now."""

    refund_minor = fields.Money()
    kept_minor = fields.Money()
    paid_minor = fields.Money()
    percent = fields.Integer(min=0, max=100)
    currency = fields.Text(min=3, max=3)
    reason = fields.Choice(
        "unpaid",
        "policy",
        "just-booked",
        "over",
        metadata={
            "description": "`over`: the start is past. `just-booked`: all of it, within minutes of booking."
        },
    )
    until = fields.Instant(
        allow_none=True, metadata={"description": "When it is less; null when it stays like that."}
    )


class ReservationCancel(Schema):
    """A cancellation, with what the driver was told would come back."""

    expected_refund_minor = fields.Money(
        allow_none=True,
        load_default=None,
        metadata={"description": "Refused, and nothing changed, if it is another amount by now."},
    )


class ExtensionQuery(Schema):
    """Until when to stay."""

    ends_at = fields.Instant(required=True)


class ExtensionSchema(Schema):
    """What a longer stay costs, and whether there is a bay for it."""

    ends_at = fields.Instant()
    price_minor = fields.Money(metadata={"description": "For the whole stay."})
    due_minor = fields.Money(metadata={"description": "Of that, what is not paid yet."})
    currency = fields.Text(min=3, max=3)
    lines = fields.List(fields.Nested(LineSchema))
    available = fields.Flag()
    spot = fields.Nested(FreeSpotSchema, allow_none=True)
    moves_bay = fields.Flag(
        metadata={"description": "Only another bay can be had: send its id as `spot_id`."}
    )
    longest_ends_at = fields.Instant(
        allow_none=True,
        metadata={
            "description": "Until when the present bay is free; null: for as long as you like."
        },
    )


class ReservationExtend(Schema):
    """A later end."""

    ends_at = fields.Instant(required=True)
    spot_id = fields.Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "The bay to take where the present one cannot be had."},
    )


class ReschedulingQuery(Schema):
    """Another time."""

    starts_at = fields.Instant(required=True)
    ends_at = fields.Instant(required=True)


class ReschedulingSchema(Schema):
    """What another time costs or gives back, and whether there is a bay for it."""

    price_minor = fields.Money()
    due_minor = fields.Money()
    refund_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    lines = fields.List(fields.Nested(LineSchema))
    available = fields.Flag()


class ReservationReschedule(Schema):
    """Another time."""

    starts_at = fields.Instant(required=True)
    ends_at = fields.Instant(required=True)


class ReservationUpdate(Schema):
    """Another vehicle of the driver's."""

    vehicle_id = fields.Id(required=True)


class ReservationCheckOut(Schema):
    """A car that leaves."""

    let_out_reason = fields.Text(
        allow_none=True,
        load_default=None,
        min=3,
        max=500,
        metadata={
            "description": "For staff: why a car that has not paid is let out. What is due is a debt then."
        },
    )


class ReservationEventSchema(Schema):
    """One thing that happened to a reservation."""

    id = fields.Id(allow_none=True, metadata={"description": "Null for the booking itself."})
    at = fields.Instant()
    kind = fields.Choice(*EVENT_KINDS)
    facts = fields.Dict(metadata={"description": "What the kind needs to be told with."})
    by = fields.Choice("driver", "staff", "system")


class ReservationEventListSchema(Schema):
    """What happened to a reservation, the first foremost."""

    items = fields.List(fields.Nested(ReservationEventSchema))


class TicketSchema(Schema):
    """What the QR code of a ticket holds, and what of it people read."""

    reservation_id = fields.Id()
    code = fields.Text(metadata={"example": "VV-8F3K-29QX"})
    payload = fields.Text(
        max=1_000,
        metadata={
            "description": "For the QR code: a compact JWS by Ed25519 over `sub` (the code), `lot`,"
            " `plate`, `nbf` and `exp`; `/tickets/keys` has the key to check it by."
        },
    )
    valid_from = fields.Instant(metadata={"description": "From when it opens the entrance."})
    valid_until = fields.Instant(metadata={"description": "Until when it opens the entrance."})


class TicketKeySchema(Schema):
    """A public key as a JWK (RFC 8037)."""

    kty = fields.Choice("OKP")
    crv = fields.Choice("Ed25519")
    x = fields.Text()
    kid = fields.Text()
    use = fields.Choice("sig")
    alg = fields.Choice("EdDSA")


class TicketKeySetSchema(Schema):
    """The keys by which tickets are checked."""

    keys = fields.List(fields.Nested(TicketKeySchema))
