"""What travels about quotes."""

from typing import Any

from marshmallow import pre_dump

from backend.coupons.schemas import LONGEST_CODE
from backend.models.lot import REFUND_POLICIES, SPOT_KINDS
from backend.quotes.refund_policy import RefundPolicy, refund_policy
from backend.tariffs.pricing import LINE_KINDS
from backend.web import fields
from backend.web.schema import Schema

# A month by the minute at the engine's greatest amount, and as much tax, stays below it.
_MOST_MINOR = 10**15


class QuoteCreate(Schema):
    """The window to price, and for what."""

    lot_id = fields.Id(required=True)
    starts_at = fields.Instant(required=True)
    ends_at = fields.Instant(required=True)
    spot_kind = fields.Choice(*SPOT_KINDS, allow_none=True, load_default=None)
    vehicle_id = fields.Id(
        allow_none=True,
        load_default=None,
        metadata={"description": "One of the caller's own; needs a token."},
    )
    coupon = fields.Text(
        min=1,
        max=LONGEST_CODE,
        allow_none=True,
        load_default=None,
        metadata={"description": "The code of a coupon; capitals and spaces do not matter."},
    )


class LineSchema(Schema):
    """A line of a price; the lines sum to the total."""

    label = fields.Text()
    quantity = fields.Integer(min=0)
    unit_minor = fields.Money(min=-_MOST_MINOR, max=_MOST_MINOR)
    amount_minor = fields.Money(min=-_MOST_MINOR, max=_MOST_MINOR)
    kind = fields.Choice(*LINE_KINDS)


class TaxAmountSchema(Schema):
    """What one tax comes to, and whether the lines before it contain it."""

    name = fields.Text()
    rate_bp = fields.Integer(min=0, max=10_000)
    amount_minor = fields.Money(max=_MOST_MINOR)
    included = fields.Flag()


class RefundStepSchema(Schema):
    """So many percent, when cancelled at least so many hours before the start."""

    until_hours_before = fields.Integer(min=0)
    percent = fields.Integer(min=0, max=100)


class RefundPolicySchema(Schema):
    """What comes back after a cancellation: by the first step still met, and nothing after the last.

    All of it comes back within ``full_refund_within_minutes`` of booking, if the start is more than
    ``full_refund_until_hours_before`` hours away.
    """

    name = fields.Choice(*REFUND_POLICIES)
    steps = fields.List(fields.Nested(RefundStepSchema))
    full_refund_within_minutes = fields.Integer(min=0)
    full_refund_until_hours_before = fields.Integer(min=0)

    @pre_dump
    def _spell_out(self, policy: RefundPolicy | str, **_kwargs: Any) -> RefundPolicy:
        """Take a policy by its name too, since that is what rows keep."""
        return refund_policy(policy) if isinstance(policy, str) else policy


class QuoteSchema(Schema):
    """A price that holds until it expires."""

    id = fields.Id()
    lot_id = fields.Id()
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    spot_kind = fields.Choice(*SPOT_KINDS, allow_none=True)
    priced_kind = fields.Choice(
        *SPOT_KINDS,
        metadata={
            "description": "By which kind of bay it was priced; it may be booked for those that cost no more."
        },
    )
    vehicle_id = fields.Id(allow_none=True)
    total_minor = fields.Money(max=_MOST_MINOR)
    currency = fields.Text(min=3, max=3)
    lines = fields.List(fields.Nested(LineSchema))
    taxes = fields.List(fields.Nested(TaxAmountSchema))
    tax_minor = fields.Money(max=_MOST_MINOR)
    expires_at = fields.Instant()
    refund_policy = fields.Nested(RefundPolicySchema)
