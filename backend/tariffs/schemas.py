"""What travels about tariffs. The bounds are the engine's own."""

from typing import Any

from marshmallow import ValidationError

from backend.tariffs.pricing import MAX_AMOUNT_MINOR, MAX_INCREMENTS, MAX_TAXES, MONTH_MINUTES
from backend.web import fields
from backend.web.schema import Schema

_WHOLE_BP = 10_000


class IncrementSchema(Schema):
    """So much for so many started minutes; the last one of a tariff repeats."""

    minutes = fields.Integer(required=True, min=1, max=MONTH_MINUTES)
    amount_minor = fields.Money(required=True, max=MAX_AMOUNT_MINOR)


class TaxSchema(Schema):
    """A tax by name, its rate in basis points: 9 % is 900."""

    name = fields.Text(required=True, min=1, max=60)
    rate_bp = fields.Integer(required=True, min=0, max=_WHOLE_BP)


def _check_sum_of_rates(taxes: list[dict[str, Any]]) -> None:
    if sum(tax["rate_bp"] for tax in taxes) > _WHOLE_BP:
        raise ValidationError("The rates of all taxes together must not exceed 100 %.")


class TariffCreate(Schema):
    """A new version of a lot's tariff."""

    name = fields.Text(required=True, min=1, max=120)
    increments = fields.List(
        fields.Nested(IncrementSchema), required=True, min=1, max=MAX_INCREMENTS
    )
    billing_step_minutes = fields.Integer(min=1, max=1440, load_default=15)
    free_minutes = fields.Integer(min=0, max=MONTH_MINUTES, load_default=0)
    day_cap_minor = fields.Money(max=MAX_AMOUNT_MINOR, allow_none=True, load_default=None)
    day_start_minutes = fields.Integer(min=0, max=1439, load_default=0)
    tax_inclusive = fields.Flag(load_default=True)
    taxes = fields.List(
        fields.Nested(TaxSchema),
        max=MAX_TAXES,
        validate=_check_sum_of_rates,
        metadata={
            "description": "Without it: in INR CGST and SGST at 9 % each, in EUR at a lot in Germany"
            " VAT at 19 %, else none. An empty list means none. All rates together are at most 100 %."
        },
    )


class TariffSchema(Schema):
    """One version of a lot's tariff."""

    id = fields.Id()
    lot_id = fields.Id()
    version = fields.Integer(min=1)
    name = fields.Text()
    status = fields.Choice("draft", "published", "superseded")
    currency = fields.Text(min=3, max=3)
    increments = fields.List(fields.Nested(IncrementSchema))
    billing_step_minutes = fields.Integer()
    free_minutes = fields.Integer()
    day_cap_minor = fields.Money(allow_none=True)
    day_start_minutes = fields.Integer()
    tax_inclusive = fields.Flag()
    taxes = fields.List(fields.Nested(TaxSchema))
    created_at = fields.Instant()
    published_at = fields.Instant(allow_none=True)
