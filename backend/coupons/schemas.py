"""What travels about coupons."""

from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from backend.tariffs.pricing import MAX_AMOUNT_MINOR
from backend.web import fields
from backend.web.schema import Schema

LONGEST_CODE = 40
_MOST_USES = 1_000_000
_CODE = r"^[A-Za-z0-9]+(?:[ -]?[A-Za-z0-9]+)*$"


def _uses() -> fields.Integer:
    return fields.Integer(min=1, max=_MOST_USES, allow_none=True)


class CouponUpdate(Schema):
    """What of a coupon may change; what is left out stays."""

    name = fields.Text(min=1, max=120)
    valid_from = fields.Instant(allow_none=True)
    valid_until = fields.Instant(allow_none=True)
    most_uses = _uses()
    most_uses_per_driver = _uses()
    active = fields.Flag()


class CouponCreate(Schema):
    """A new coupon, which takes off a percentage or an amount."""

    code = fields.Text(
        required=True,
        min=3,
        max=LONGEST_CODE,
        validate=validate.Regexp(_CODE, error="A code has letters, digits and dashes."),
        metadata={"pattern": _CODE, "description": "It is kept in capitals and without spaces."},
    )
    name = fields.Text(required=True, min=1, max=120)
    percent_bp = fields.Integer(
        min=1,
        max=10_000,
        allow_none=True,
        load_default=None,
        metadata={"description": "In basis points: 1000 is 10 %."},
    )
    amount_minor = fields.Money(min=1, max=MAX_AMOUNT_MINOR, allow_none=True, load_default=None)
    lot_id = fields.Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "Where it counts; without it, in every lot."},
    )
    valid_from = fields.Instant(allow_none=True, load_default=None)
    valid_until = fields.Instant(allow_none=True, load_default=None)
    most_uses = fields.Integer(min=1, max=_MOST_USES, allow_none=True, load_default=None)
    most_uses_per_driver = fields.Integer(min=1, max=_MOST_USES, allow_none=True, load_default=None)
    active = fields.Flag(load_default=True)

    @validates_schema
    def _one_of_two(self, coupon: dict[str, Any], **_kwargs: Any) -> None:
        if (coupon["percent_bp"] is None) == (coupon["amount_minor"] is None):
            raise ValidationError("Send a percentage or an amount, and not both.", "percent_bp")


class CouponSchema(Schema):
    """A code that makes a booking cheaper."""

    id = fields.Id()
    code = fields.Text()
    name = fields.Text()
    percent_bp = fields.Integer(min=1, max=10_000, allow_none=True)
    amount_minor = fields.Money(allow_none=True)
    lot_id = fields.Id(allow_none=True)
    valid_from = fields.Instant(allow_none=True)
    valid_until = fields.Instant(allow_none=True)
    most_uses = fields.Integer(min=1, allow_none=True)
    most_uses_per_driver = fields.Integer(min=1, allow_none=True)
    active = fields.Flag()
    uses = fields.Integer(
        min=0,
        metadata={
            "description": "The bookings that use it; those that expired or were cancelled unpaid do not count."
        },
    )
    created_at = fields.Instant()
