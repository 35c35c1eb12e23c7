"""What travels about tariffs. The bounds are the engine's own."""

import re
from datetime import date
from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.models.lot import SPOT_KINDS
from backend.tariffs.pricing import (
    BAND_KINDS,
    MAX_AMOUNT_MINOR,
    MAX_BAND_MINUTES,
    MAX_BANDS,
    MAX_DAY_RULES,
    MAX_INCREMENTS,
    MAX_PERCENT_BP,
    MAX_TAXES,
    MONTH_MINUTES,
    Band,
    check_rules,
)
from backend.tariffs.public_holidays import is_region
from backend.tariffs.versions import as_weekdays
from backend.web import fields
from backend.web.schema import Schema

_WHOLE_BP = 10_000
# As many stays at the dearest tariff: far within what JSON can carry.
_MOST_MINOR = 10**15
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check_day(text: str) -> None:
    try:
        if _DAY.fullmatch(text) and date.fromisoformat(text).year > 1:
            return
    except ValueError:
        pass
    raise ValidationError("This must be a day, such as 2026-11-24.")


def _check_weekdays(weekdays: list[int]) -> None:
    if len(set(weekdays)) < len(weekdays):
        raise ValidationError("A weekday is named twice.")


def _check_region(region: str) -> None:
    if not is_region(region):
        raise ValidationError("The public holidays of this region are not known.")


class Weekdays(fields.List):
    """Days of the week; rows keep them as bits."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            fields.Integer(min=0, max=6),
            max=7,
            validate=_check_weekdays,
            metadata={"description": "0 is Monday, 6 Sunday."},
            **settings,
        )

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._serialize(as_weekdays(value), *args, **kwargs)


def _day() -> fields.Text:
    return fields.Text(
        max=10,
        allow_none=True,
        load_default=None,
        validate=_check_day,
        metadata={"format": "date", "example": "2026-11-24"},
    )


def _cap() -> fields.Money:
    return fields.Money(max=MAX_AMOUNT_MINOR, allow_none=True, load_default=None)


class IncrementSchema(Schema):
    """So much for so many started minutes; the last one of a tariff repeats."""

    minutes = fields.Integer(required=True, min=1, max=MONTH_MINUTES)
    amount_minor = fields.Money(required=True, max=MAX_AMOUNT_MINOR)


class TaxSchema(Schema):
    """A tax by name, its rate in basis points: 9 % is 900."""

    name = fields.Text(required=True, min=1, max=60)
    rate_bp = fields.Integer(required=True, min=0, max=_WHOLE_BP)


class BandSchema(Schema):
    """A flat price for a stay that enters and leaves within the band's hours, where it is cheaper.

    Minutes are counted by the clocks of the lot from midnight of the day on which one enters: 1800 is 06:00
    of the next day. That day must be one of the weekdays and, where there are any, within the first and the
    last day.
    """

    name = fields.Text(required=True, min=1, max=60)
    kind = fields.Choice(*BAND_KINDS, required=True)
    weekdays = Weekdays(load_default=lambda: list(range(7)))
    on_holidays = fields.Flag(
        load_default=True,
        metadata={"description": "Whether it counts on public holidays of these weekdays too."},
    )
    enter_from_minutes = fields.Integer(required=True, min=0, max=1439)
    enter_until_minutes = fields.Integer(
        required=True,
        min=1,
        max=MAX_BAND_MINUTES,
        metadata={"description": "The minute before which one must enter."},
    )
    leave_until_minutes = fields.Integer(
        required=True,
        min=1,
        max=MAX_BAND_MINUTES,
        metadata={"description": "The minute by which one must have left."},
    )
    first_day = _day()
    last_day = _day()
    amount_minor = fields.Money(required=True, max=MAX_AMOUNT_MINOR)

    @validates_schema
    def _check_order(self, band: dict[str, Any], **_kwargs: Any) -> None:
        try:
            Band.from_dict(band)
        except ValueError as error:
            name = "last_day" if "day" in str(error) else "enter_until_minutes"
            raise ValidationError(str(error), name) from error


class KindRuleSchema(Schema):
    """What bays of one kind cost, in basis points of the ladder's amounts: 12500 is a quarter more."""

    spot_kind = fields.Choice(*SPOT_KINDS, required=True)
    percent_bp = fields.Integer(required=True, min=0, max=MAX_PERCENT_BP)


class DayRuleSchema(Schema):
    """What some days cost, in basis points of the ladder's amounts; the first rule that names a day is its."""

    name = fields.Text(required=True, min=1, max=60)
    weekdays = Weekdays(load_default=list)
    on_holidays = fields.Flag(
        load_default=False,
        metadata={
            "description": "Whether it is the rule of public holidays, whatever weekday they are."
        },
    )
    percent_bp = fields.Integer(required=True, min=0, max=MAX_PERCENT_BP)
    day_cap_minor = fields.Money(
        max=MAX_AMOUNT_MINOR,
        allow_none=True,
        load_default=None,
        metadata={"description": "The cap of such a day; without it, the tariff's own."},
    )


def _check_sum_of_rates(taxes: list[dict[str, Any]]) -> None:
    if sum(tax["rate_bp"] for tax in taxes) > _WHOLE_BP:
        raise ValidationError("The rates of all taxes together must not exceed 100 %.")


def _check_kinds(rules: list[dict[str, Any]]) -> None:
    if len({rule["spot_kind"] for rule in rules}) < len(rules):
        raise ValidationError("A kind of bay has at most one rule.")


class TariffCreate(Schema):
    """A new version of a lot's tariff."""

    name = fields.Text(required=True, min=1, max=120)
    increments = fields.List(
        fields.Nested(IncrementSchema), required=True, min=1, max=MAX_INCREMENTS
    )
    billing_step_minutes = fields.Integer(min=1, max=1440, load_default=15)
    free_minutes = fields.Integer(min=0, max=MONTH_MINUTES, load_default=0)
    day_cap_minor = _cap()
    week_cap_minor = fields.Money(
        max=MAX_AMOUNT_MINOR,
        allow_none=True,
        load_default=None,
        metadata={"description": "The most for each 7 x 24 hours from the start of the stay."},
    )
    minimum_minor = fields.Money(
        max=MAX_AMOUNT_MINOR,
        allow_none=True,
        load_default=None,
        metadata={"description": "The least that a stay costs which costs anything."},
    )
    day_start_minutes = fields.Integer(min=0, max=1439, load_default=0)
    holiday_region = fields.Text(
        min=2,
        max=10,
        allow_none=True,
        load_default=None,
        validate=_check_region,
        metadata={
            "description": "Whose public holidays count: a country such as `DE`, or a part such as `DE-BW`."
        },
    )
    bands = fields.List(fields.Nested(BandSchema), max=MAX_BANDS, load_default=list)
    kind_rules = fields.List(
        fields.Nested(KindRuleSchema), max=len(SPOT_KINDS), validate=_check_kinds, load_default=list
    )
    day_rules = fields.List(
        fields.Nested(DayRuleSchema),
        max=MAX_DAY_RULES,
        load_default=list,
        metadata={
            "description": "With the rules of kinds they make of no amount more than ten times."
        },
    )
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

    @validates_schema
    def _check_rules(self, tariff: dict[str, Any], **_kwargs: Any) -> None:
        try:
            check_rules(
                [rule["percent_bp"] for rule in tariff["kind_rules"]],
                [rule["percent_bp"] for rule in tariff["day_rules"]],
            )
        except ValueError as error:
            raise ValidationError(str(error), "day_rules") from error


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
    week_cap_minor = fields.Money(allow_none=True)
    minimum_minor = fields.Money(allow_none=True)
    day_start_minutes = fields.Integer()
    holiday_region = fields.Text(allow_none=True)
    bands = fields.List(fields.Nested(BandSchema))
    kind_rules = fields.List(fields.Nested(KindRuleSchema))
    day_rules = fields.List(fields.Nested(DayRuleSchema))
    tax_inclusive = fields.Flag()
    taxes = fields.List(fields.Nested(TaxSchema))
    created_at = fields.Instant()
    published_at = fields.Instant(allow_none=True)


_ONE_OF_TWO = "Send a tariff_id or a tariff, and not both."


class PreviewCreate(Schema):
    """Which prices to try, and on which stays."""

    lot_id = fields.Id(required=True)
    tariff_id = fields.Id(metadata={"description": "A version of the lot's tariff, drafts too."})
    tariff = fields.Nested(TariffCreate)
    since = fields.Instant(
        data_key="from",
        metadata={
            "description": "Stays that ended from then on; without it, those of the last calendar month."
        },
    )
    until = fields.Instant(data_key="to", metadata={"description": "Stays that ended before then."})

    @validates_schema
    def _one_of_two(self, body: dict[str, Any], **_kwargs: Any) -> None:
        if ("tariff_id" in body) == ("tariff" in body):
            raise ValidationError(_ONE_OF_TWO, "tariff_id")
        if ("since" in body) != ("until" in body):
            raise ValidationError("Send both ends, or none.", "from" if "until" in body else "to")
        if "since" in body and body["since"] >= body["until"]:
            raise ValidationError("This must be after the other end.", "to")


class PreviewedStaySchema(Schema):
    """A stay, what it cost, and what it would have cost."""

    reservation_id = fields.Id()
    code = fields.Text()
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    before_minor = fields.Money(max=_MOST_MINOR)
    after_minor = fields.Money(max=_MOST_MINOR)


class PreviewSchema(Schema):
    """What past stays would have cost by other prices."""

    since = fields.Instant(data_key="from")
    until = fields.Instant(data_key="to")
    stays = fields.Integer(min=0)
    dearer = fields.Integer(min=0)
    cheaper = fields.Integer(min=0)
    same = fields.Integer(min=0)
    before_minor = fields.Money(max=fields.INT64_MAX)
    after_minor = fields.Money(max=fields.INT64_MAX)
    difference_minor = fields.Money(min=-fields.INT64_MAX, max=fields.INT64_MAX)
    currency = fields.Text(min=3, max=3)
    examples = fields.List(
        fields.Nested(PreviewedStaySchema),
        metadata={"description": "Those whose price would change most, at most twenty."},
    )
