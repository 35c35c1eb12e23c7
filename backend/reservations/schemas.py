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


class ReservedVehicleSchema(Schema):
    """For which vehicle; the plate as it was booked."""

    id = fields.Id()
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


class ReservationSchema(Schema):
    """A right to one bay for one window."""

    id = fields.Id()
    code = fields.Text(metadata={"example": "VV-8F3K-29QX"})
    status = fields.Choice(*STATUSES)
    source = fields.Choice("app", "walk_in")
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
    due_minor = fields.Money()
    hold_expires_at = fields.Instant(
        allow_none=True, metadata={"description": "The deadline to pay, while it is held."}
    )
    quote = fields.Nested(ReservedQuoteSchema)
    stay = fields.Dict(
        allow_none=True, metadata={"description": "What happened at the gate; null before."}
    )
    refund_policy = fields.Nested(RefundPolicySchema)
    allowed_actions = fields.List(fields.Choice("pay", "cancel", "prolong"))


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
