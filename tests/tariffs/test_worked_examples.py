"""One table of stays and their prices, worked out by hand, from drafting the tariff to the quote's lines."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from backend import clock, config
from backend.config import Settings
from backend.database import get_row
from backend.models import Quote
from backend.tariffs.versions import replay
from backend.transaction import transaction
from tests.factories import Factory

BERLIN = "Europe/Berlin"
KOLKATA = "Asia/Kolkata"
LORD_HOWE = "Australia/Lord_Howe"
HOURLY = [{"minutes": 60, "amount_minor": 100}]
# ₹40 for the first 60 minutes, then ₹30 for each 60.
RUPEES = [{"minutes": 60, "amount_minor": 4_000}, {"minutes": 60, "amount_minor": 3_000}]
EARLY = {
    "name": "Early bird",
    "kind": "early_bird",
    "weekdays": [0, 1, 2, 3, 4],
    "enter_from_minutes": 360,
    "enter_until_minutes": 540,
    "leave_until_minutes": 1_140,
    "amount_minor": 500,
}
EVENING = {
    "name": "Evening",
    "kind": "evening",
    "enter_from_minutes": 1_020,
    "enter_until_minutes": 1_440,
    "leave_until_minutes": 1_800,
    "amount_minor": 300,
}
FAIR = {
    **EVENING,
    "name": "Fair",
    "kind": "event",
    "first_day": "2028-03-01",
    "last_day": "2028-03-02",
    "amount_minor": 200,
}


@dataclass(frozen=True, slots=True)
class Example:
    """A stay by the clocks of a place, the terms of its tariff, and what it costs line by line."""

    says: str
    start: str
    end: str
    lines: list[tuple[str, int]]
    terms: dict[str, Any] = field(default_factory=dict)
    ladder: list[dict[str, int]] = field(default_factory=lambda: HOURLY)
    zone: str = BERLIN
    currency: str = "EUR"
    spot_kind: str = "standard"
    coupon: dict[str, Any] | None = None
    tax_minor: int = 0


NO_TAX: dict[str, Any] = {"taxes": []}
GST = {"taxes": [{"name": "CGST", "rate_bp": 900}, {"name": "SGST", "rate_bp": 900}]}

# 2028 is a leap year; 28 February is a Monday, 29 February a Tuesday.
EXAMPLES = [
    Example(
        "two hours and a quarter, in started hours",
        "2028-02-28T09:00",
        "2028-02-28T11:15",
        [("parking", 4_000), ("parking", 6_000)],
        GST,
        RUPEES,
        KOLKATA,
        "INR",
        tax_minor=1_526,
    ),
    Example(
        "tax on top, a line each",
        "2028-02-28T09:00",
        "2028-02-28T10:00",
        [("parking", 4_000), ("tax", 360), ("tax", 360)],
        {**GST, "tax_inclusive": False},
        RUPEES,
        KOLKATA,
        "INR",
        tax_minor=720,
    ),
    Example(
        "without decimals, half a unit is rounded up",
        "2028-02-28T09:00",
        "2028-02-28T09:30",
        [("parking", 5), ("kind_rule", 1), ("tax", 1)],
        {
            "taxes": [{"name": "Tax", "rate_bp": 1_000}],
            "tax_inclusive": False,
            "kind_rules": [{"spot_kind": "large", "percent_bp": 11_000}],
        },
        [{"minutes": 60, "amount_minor": 5}],
        "Asia/Tokyo",
        "JPY",
        "large",
        tax_minor=1,
    ),
    Example(
        "three decimals",
        "2028-02-28T09:00",
        "2028-02-28T10:30",
        [("parking", 2_250)],
        NO_TAX,
        [{"minutes": 30, "amount_minor": 750}],
        "Asia/Kuwait",
        "KWD",
    ),
    Example(
        "free minutes come off the start",
        "2028-02-28T09:00",
        "2028-02-28T10:30",
        [("free", 0), ("parking", 100)],
        {**NO_TAX, "free_minutes": 30},
    ),
    Example(
        "the leap day has its own ladder and cap",
        "2028-02-28T20:00",
        "2028-03-01T02:00",
        [("parking", 400), ("parking", 2_400), ("day_cap", -1_400), ("parking", 200)],
        {**NO_TAX, "day_cap_minor": 1_000},
    ),
    Example(
        "the night counts for the day before",
        "2028-02-29T20:00",
        "2028-03-01T05:00",
        [("parking", 900), ("day_cap", -100)],
        {**NO_TAX, "day_cap_minor": 800, "day_start_minutes": 360},
    ),
    Example(
        "a month ends between two days",
        "2028-04-30T23:00",
        "2028-05-01T01:00",
        # The first of May is a holiday, and a Monday.
        [("parking", 100), ("parking", 100), ("day_rule", -50)],
        {
            **NO_TAX,
            "holiday_region": "DE",
            "day_rules": [{"name": "Holidays", "on_holidays": True, "percent_bp": 5_000}],
        },
    ),
    Example(
        "an hour less in the night when summer time begins",
        "2028-03-26T01:00",
        "2028-03-26T04:00",
        [("parking", 200)],
        NO_TAX,
    ),
    Example(
        "an hour more in the night when it ends",
        "2028-10-29T01:00",
        "2028-10-29T04:00",
        [("parking", 400)],
        NO_TAX,
    ),
    Example(
        "half an hour more on Lord Howe",
        "2028-04-02T00:00",
        "2028-04-02T03:00",
        [("parking", 210)],
        {**NO_TAX, "billing_step_minutes": 1},
        [{"minutes": 1, "amount_minor": 1}],
        LORD_HOWE,
        "AUD",
    ),
    Example(
        "half an hour less on Lord Howe",
        "2028-10-01T00:00",
        "2028-10-01T03:00",
        [("parking", 150)],
        {**NO_TAX, "billing_step_minutes": 1},
        [{"minutes": 1, "amount_minor": 1}],
        LORD_HOWE,
        "AUD",
    ),
    Example(
        "early bird",
        "2028-02-28T08:00",
        "2028-02-28T18:00",
        [("parking", 1_000), ("band", -500)],
        {**NO_TAX, "bands": [EARLY, EVENING]},
    ),
    Example(
        "too late for the early bird",
        "2028-02-28T09:00",
        "2028-02-28T18:00",
        [("parking", 900)],
        {**NO_TAX, "bands": [EARLY, EVENING]},
    ),
    Example(
        "the cheapest of the flat prices that fit",
        "2028-03-01T18:00",
        "2028-03-02T06:00",
        [("parking", 600), ("parking", 600), ("band", -1_000)],
        {**NO_TAX, "bands": [EVENING, FAIR]},
    ),
    Example(
        "after the last day of the event",
        "2028-03-03T18:00",
        "2028-03-04T06:00",
        [("parking", 600), ("parking", 600), ("band", -900)],
        {**NO_TAX, "bands": [EVENING, FAIR]},
    ),
    Example(
        "weekend, kind of bay, day cap, weekly cap",
        # Friday 18:00 to the Saturday week, 10:00.
        "2028-03-03T18:00",
        "2028-03-11T10:00",
        [
            *[("parking", 600), ("kind_rule", 300)],
            *[("parking", 2_400), ("day_rule", -1_200), ("kind_rule", 600), ("day_cap", -800)],
            *[("parking", 2_400), ("day_rule", -1_200), ("kind_rule", 600), ("day_cap", -800)],
            *[("parking", 2_400), ("kind_rule", 1_200), ("day_cap", -2_600)],
            *[("parking", 2_400), ("kind_rule", 1_200), ("day_cap", -2_600)],
            *[("parking", 2_400), ("kind_rule", 1_200), ("day_cap", -2_600)],
            *[("parking", 2_400), ("kind_rule", 1_200), ("day_cap", -2_600)],
            *[("parking", 2_400), ("kind_rule", 1_200), ("day_cap", -2_600)],
            *[("parking", 1_000), ("day_rule", -500), ("kind_rule", 250)],
            # 900 + 6 × 1,000 + the second Friday's 18 hours, capped at 1,000: all within the first week.
            ("week_cap", -3_900),
        ],
        {
            **NO_TAX,
            "day_cap_minor": 1_000,
            "week_cap_minor": 4_000,
            "kind_rules": [{"spot_kind": "electric", "percent_bp": 15_000}],
            "day_rules": [{"name": "Weekend", "weekdays": [5, 6], "percent_bp": 5_000}],
        },
        spot_kind="electric",
    ),
    Example(
        "the minimum, a coupon below it, and tax on what is left",
        "2028-02-28T09:00",
        "2028-02-28T10:00",
        [("parking", 100), ("minimum", 200), ("coupon", -60), ("tax", 46)],
        {
            "minimum_minor": 300,
            "tax_inclusive": False,
            "taxes": [{"name": "VAT", "rate_bp": 1_900}],
        },
        coupon={"percent_bp": 2_000},
        tax_minor=46,
    ),
    Example(
        "a coupon of more than the price",
        "2028-02-28T09:00",
        "2028-02-28T10:00",
        [("parking", 100), ("coupon", -100)],
        {"taxes": [{"name": "VAT", "rate_bp": 1_900}]},
        coupon={"amount_minor": 500},
    ),
    Example(
        "thirty days",
        "2028-02-28T00:00",
        "2028-03-29T00:00",
        # 26 March has an hour less; the fifth week has the last two days, and an hour of the 29th,
        # since weeks count hours that pass.
        [("parking", 2_400)] * 27 + [("parking", 2_300)] + [("parking", 2_400)] * 2,
        {**NO_TAX},
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.says)
def test_a_stay_costs_what_was_worked_out(
    example: Example,
    settings: Settings,
    client: FlaskClient,
    make: Factory,
    move_clock: Callable[[timedelta], None],
) -> None:
    config.use(replace(settings, currency=example.currency))
    place = ZoneInfo(example.zone)
    starts_at = datetime.fromisoformat(example.start).replace(tzinfo=place).astimezone(UTC)
    ends_at = datetime.fromisoformat(example.end).replace(tzinfo=place).astimezone(UTC)
    move_clock(starts_at - timedelta(hours=1) - clock.now())
    as_admin = make.headers(make.user(roles=("admin",)))
    lot = make.lot(
        hourly_minor=None, timezone=example.zone, kind=example.spot_kind, opening_hours="24/7"
    )

    def post(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = client.post(f"/api/v1{path}", json=body, headers=as_admin)
        assert answer.status_code in {200, 201}, answer.get_data()
        document: dict[str, Any] = answer.get_json()
        return document

    body = {"name": "Worked", "increments": example.ladder, **example.terms}
    draft = post(f"/lots/{lot.id}/tariffs", body)
    post(f"/tariffs/{draft['id']}/publish")
    wish: dict[str, Any] = {
        "lot_id": lot.id,
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "spot_kind": example.spot_kind,
    }
    if example.coupon is not None:
        post("/coupons", {"code": "WORKED", "name": "Worked", **example.coupon})
        wish["coupon"] = "worked"

    quote = post("/quotes", wish)

    assert [(line["kind"], line["amount_minor"]) for line in quote["lines"]] == example.lines
    assert quote["total_minor"] == sum(amount for _, amount in example.lines)
    assert (quote["tax_minor"], quote["currency"]) == (
        example.tax_minor,
        example.currency,
    )
    with client.application.app_context(), transaction(read_only=True):
        assert [line.to_dict() for line in replay(get_row(Quote, quote["id"])).lines] == quote[
            "lines"
        ]
