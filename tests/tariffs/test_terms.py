"""Flat prices, rules, weekly caps, minimum and coupons: examples, and the laws of every price with them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.models.lot import SPOT_KINDS
from backend.tariffs.pricing import (
    BAND_KINDS,
    MAX_AMOUNT_MINOR,
    Band,
    Coupon,
    DayRule,
    Increment,
    KindRule,
    Line,
    Price,
    Tariff,
    TaxComponent,
    price,
)
from backend.tariffs.public_holidays import is_holiday, is_region

BERLIN = "Europe/Berlin"
HOURLY = (Increment(60, 100),)
EARLY = Band("Early bird", "early_bird", 360, 540, 1_140, 500, weekdays=(0, 1, 2, 3, 4))
EVENING = Band("Evening", "evening", 1_020, 1_440, 1_800, 300)
WEEKEND = Band("Weekend", "weekend", 1_080, 4_320, 4_680, 900, weekdays=(4,))


def _stay(tariff: Tariff, start: str, end: str, zone: str = BERLIN, **more: Any) -> Price:
    """Price a stay between two moments of the wall clock of its zone."""
    place = ZoneInfo(zone)
    return price(
        tariff,
        starts_at=datetime.fromisoformat(start).replace(tzinfo=place),
        ends_at=datetime.fromisoformat(end).replace(tzinfo=place),
        zone=zone,
        **more,
    )


def _changes(priced: Price) -> list[tuple[str, str, int]]:
    """Give the lines of the steps after the ladder."""
    return [
        (line.kind, line.label, line.amount_minor)
        for line in priced.lines
        if line.kind != "parking"
    ]


class TestBand:
    # 2026-11-23 is a Monday.
    TARIFF = Tariff("EUR", HOURLY, bands=(EARLY, EVENING, WEEKEND))

    @pytest.mark.parametrize(
        ("start", "end", "total_minor"),
        [
            ("2026-11-23T05:59", "2026-11-23T16:00", 1_100),  # a minute too early
            ("2026-11-23T06:00", "2026-11-23T16:00", 500),
            ("2026-11-23T08:59", "2026-11-23T19:00", 500),
            ("2026-11-23T09:00", "2026-11-23T19:00", 1_000),  # a minute too late
            ("2026-11-23T08:59", "2026-11-23T19:01", 1_100),  # out a minute too late
            ("2026-11-23T08:00", "2026-11-23T10:00", 200),  # the ladder is cheaper
            ("2026-11-23T08:00", "2026-11-23T13:00", 500),  # as cheap
            ("2026-11-28T08:00", "2026-11-28T18:00", 900),  # a Saturday has no early bird
        ],
    )
    def test_it_counts_for_a_stay_that_it_contains_where_it_is_cheaper(
        self, start: str, end: str, total_minor: int
    ) -> None:
        assert _stay(self.TARIFF, start, end).total_minor == total_minor

    def test_it_stands_on_a_line(self) -> None:
        assert _stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T16:00").lines == (
            Line("Mon 23 Nov · 8 × 60 min", 8, 100, 800, "parking"),
            Line("Early bird · flat price", 1, -300, -300, "band"),
        )

    def test_one_as_cheap_as_the_ladder_changes_nothing(self) -> None:
        assert _changes(_stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T13:00")) == []

    @pytest.mark.parametrize(
        ("start", "end", "total_minor"),
        [
            ("2026-11-23T17:00", "2026-11-24T06:00", 300),
            ("2026-11-23T17:00", "2026-11-24T06:01", 7 * 100 + 7 * 100),
            ("2026-11-24T00:00", "2026-11-24T06:00", 600),  # entering ended at midnight
            ("2026-11-23T23:59", "2026-11-24T06:00", 300),
            ("2026-11-27T18:00", "2026-11-30T06:00", 900),  # Friday to Monday
            ("2026-11-29T23:59", "2026-11-30T06:00", 300),  # both fit, and the evening is cheaper
            ("2026-11-29T10:00", "2026-11-29T21:00", 900),  # entered two days after its day
            ("2026-11-27T17:59", "2026-11-30T06:00", 700 + 2_400 + 2_400 + 600),
        ],
    )
    def test_its_hours_may_reach_into_the_days_after(
        self, start: str, end: str, total_minor: int
    ) -> None:
        assert _stay(self.TARIFF, start, end).total_minor == total_minor

    def test_the_cheapest_that_fits_counts(self) -> None:
        dear, cheap = replace(EVENING, amount_minor=400), replace(EVENING, name="Night")
        tariff = Tariff("EUR", HOURLY, bands=(dear, cheap, replace(EVENING, amount_minor=350)))
        assert _changes(_stay(tariff, "2026-11-23T18:00", "2026-11-24T05:00")) == [
            ("band", "Night · flat price", 300 - 1_100)
        ]

    def test_its_day_is_that_of_the_clock_at_the_place(self) -> None:
        # 00:30 in Berlin is of the day before in UTC.
        night = replace(EVENING, enter_from_minutes=0, enter_until_minutes=60)
        tariff = Tariff("EUR", HOURLY, bands=(replace(night, weekdays=(1,)),))
        assert _stay(tariff, "2026-11-24T00:30", "2026-11-24T08:30").total_minor == 300
        assert _stay(tariff, "2026-11-23T00:30", "2026-11-23T08:30").total_minor == 800

    @pytest.mark.parametrize(
        ("day", "counts"), [(22, False), (23, True), (24, True), (25, True), (26, False)]
    )
    def test_an_event_has_days(self, day: int, counts: bool) -> None:
        event = replace(EVENING, first_day=date(2026, 11, 23), last_day=date(2026, 11, 25))
        tariff = Tariff("EUR", HOURLY, bands=(event,))
        priced = _stay(tariff, f"2026-11-{day}T18:00", f"2026-11-{day}T23:00")
        assert priced.total_minor == (300 if counts else 500)

    @pytest.mark.parametrize(("on_holidays", "total_minor"), [(True, 500), (False, 1_000)])
    def test_public_holidays_count_or_do_not(self, on_holidays: bool, total_minor: int) -> None:
        # 25 December 2026 is a Friday.
        band = replace(EARLY, on_holidays=on_holidays)
        tariff = Tariff("EUR", HOURLY, bands=(band,), holiday_region="DE")
        assert _stay(tariff, "2026-12-25T08:00", "2026-12-25T18:00").total_minor == total_minor
        assert _stay(tariff, "2026-12-24T08:00", "2026-12-24T18:00").total_minor == 500

    def test_hours_are_those_of_the_clock_when_it_changes(self) -> None:
        # The night to 25 October 2026 has an hour more: 06:00 is 13 hours after 18:00.
        tariff = Tariff("EUR", HOURLY, bands=(EVENING,))
        assert _stay(tariff, "2026-10-24T18:00", "2026-10-25T06:00").total_minor == 300
        assert _stay(tariff, "2026-10-24T18:00", "2026-10-25T06:01").total_minor == 600 + 800
        assert _stay(tariff, "2026-03-28T18:00", "2026-03-29T06:00").total_minor == 300
        assert _stay(tariff, "2026-03-28T18:00", "2026-03-29T06:01").total_minor == 600 + 600

    def test_free_minutes_belong_to_the_stay(self) -> None:
        tariff = Tariff("EUR", HOURLY, free_minutes=60, bands=(EARLY,))
        assert _stay(tariff, "2026-11-23T08:30", "2026-11-23T19:00").total_minor == 500
        assert _stay(tariff, "2026-11-23T09:00", "2026-11-23T19:00").total_minor == 900

    def test_weekly_caps_come_before_it(self) -> None:
        tariff = Tariff("EUR", HOURLY, week_cap_minor=400, bands=(EARLY,))
        assert _changes(_stay(tariff, "2026-11-23T08:00", "2026-11-23T18:00")) == [
            ("week_cap", "Week 1 · weekly cap", -600)
        ]


class TestKindRule:
    TARIFF = Tariff(
        "EUR",
        HOURLY,
        day_cap_minor=1_000,
        kind_rules=(KindRule("electric", 12_500), KindRule("compact", 8_000)),
    )

    @pytest.mark.parametrize(
        ("spot_kind", "total_minor"), [("standard", 400), ("electric", 500), ("compact", 320)]
    )
    def test_kinds_cost_more_or_less(self, spot_kind: str, total_minor: int) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T12:00", spot_kind=spot_kind)
        assert priced.total_minor == total_minor

    def test_it_stands_on_a_line_and_comes_before_the_day_cap(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T18:00", spot_kind="electric")
        assert _changes(priced) == [
            ("kind_rule", "Mon 23 Nov · electric bay", 250),
            ("day_cap", "Mon 23 Nov · day cap", -250),
        ]

    def test_without_a_kind_a_bay_is_a_standard_one(self) -> None:
        tariff = Tariff("KWD", HOURLY, kind_rules=(KindRule("standard", 5_000),))
        priced = _stay(tariff, "2026-11-23T08:00", "2026-11-23T10:00")
        assert (priced.total_minor, priced.currency) == (100, "KWD")

    @pytest.mark.parametrize(("amount_minor", "more"), [(1, 0), (2, 1), (5, 1), (6, 2)])
    def test_half_a_unit_is_rounded_up(self, amount_minor: int, more: int) -> None:
        tariff = Tariff(
            "JPY", (Increment(60, amount_minor),), kind_rules=(KindRule("large", 12_500),)
        )
        priced = _stay(tariff, "2026-11-23T08:00", "2026-11-23T09:00", spot_kind="large")
        assert priced.total_minor == amount_minor + more

    def test_a_kind_may_be_free_and_then_has_no_minimum(self) -> None:
        tariff = Tariff("EUR", HOURLY, minimum_minor=200, kind_rules=(KindRule("accessible", 0),))
        priced = _stay(tariff, "2026-11-23T08:00", "2026-11-23T09:00", spot_kind="accessible")
        assert (priced.total_minor, len(priced.lines)) == (0, 2)


class TestDayRule:
    SUNDAY = DayRule("Sundays and holidays", 5_000, (6,), on_holidays=True, day_cap_minor=300)
    SATURDAY = DayRule("Saturdays", 20_000, (5,))
    TARIFF = Tariff(
        "EUR", HOURLY, day_cap_minor=1_500, holiday_region="DE-SN", day_rules=(SUNDAY, SATURDAY)
    )

    def test_each_day_has_its_rule_and_its_cap(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-27T20:00", "2026-11-30T02:00")
        assert _changes(priced) == [
            ("day_rule", "Sat 28 Nov · Saturdays", 2_400),
            ("day_cap", "Sat 28 Nov · day cap", -3_300),
            ("day_rule", "Sun 29 Nov · Sundays and holidays", -1_200),
            ("day_cap", "Sun 29 Nov · day cap", -900),
        ]
        assert priced.total_minor == 400 + 1_500 + 300 + 200

    @pytest.mark.parametrize(
        ("day", "total_minor"),
        [
            ("2026-11-18", 100),  # the day of repentance, a holiday in Saxony alone
            ("2026-12-26", 100),  # a Saturday too, but the first rule that names a day counts
            ("2026-11-28", 400),
            ("2026-11-25", 200),
        ],
    )
    def test_holidays_are_those_of_the_region(self, day: str, total_minor: int) -> None:
        assert _stay(self.TARIFF, f"{day}T08:00", f"{day}T10:00").total_minor == total_minor

    def test_without_a_region_there_are_no_holidays(self) -> None:
        tariff = replace(self.TARIFF, holiday_region=None)
        assert _stay(tariff, "2026-11-18T08:00", "2026-11-18T10:00").total_minor == 200

    def test_the_night_belongs_to_the_day_that_began_before_it(self) -> None:
        tariff = replace(self.TARIFF, day_start_minutes=300)
        priced = _stay(tariff, "2026-11-29T22:00", "2026-11-30T04:00")
        assert priced.total_minor == 300

    def test_a_cap_of_a_day_may_be_zero(self) -> None:
        free = replace(self.SUNDAY, percent_bp=10_000, day_cap_minor=0)
        tariff = replace(self.TARIFF, day_rules=(free,))
        assert _stay(tariff, "2026-11-29T08:00", "2026-11-29T10:00").total_minor == 0

    def test_the_rule_of_the_day_comes_before_that_of_the_kind(self) -> None:
        # 1 → 0.5 → 1, and 1.5 → 2; the other way round it would be 1.5 → 2, and 1.
        tariff = Tariff(
            "JPY",
            (Increment(60, 1),),
            day_rules=(DayRule("Mondays", 5_000, (0,)),),
            kind_rules=(KindRule("large", 15_000),),
        )
        priced = _stay(tariff, "2026-11-23T08:00", "2026-11-23T09:00", spot_kind="large")
        assert _changes(priced) == [("kind_rule", "Mon 23 Nov · large bay", 1)]


class TestWeekCap:
    TARIFF = Tariff("EUR", HOURLY, day_cap_minor=1_000, week_cap_minor=5_000)

    @pytest.mark.parametrize(
        ("days", "hours", "total_minor"),
        [
            (4, 0, 4_000),
            (5, 0, 5_000),
            (6, 0, 5_000),
            (7, 0, 5_000),
            (7, 2, 5_200),
            (12, 0, 10_000),
            (13, 0, 10_000),
            (14, 1, 10_100),
            (30, 0, 22_000),
        ],
    )
    def test_each_seven_days_cost_at_most_the_cap(
        self, days: int, hours: int, total_minor: int
    ) -> None:
        start = datetime(2026, 11, 2, tzinfo=ZoneInfo(BERLIN))
        end = start + timedelta(days=days, hours=hours)
        priced = price(self.TARIFF, starts_at=start, ends_at=end, zone=BERLIN)
        assert priced.total_minor == total_minor

    def test_what_is_above_is_taken_off_week_by_week(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-02T00:00", "2026-11-15T00:00")
        assert [change for change in _changes(priced) if change[0] == "week_cap"] == [
            ("week_cap", "Week 1 · weekly cap", -2_000),
            ("week_cap", "Week 2 · weekly cap", -1_000),
        ]

    def test_a_week_may_end_within_a_day(self) -> None:
        # From Monday 12:00: 10 € for each of 7 days and, until the next Monday 12:00, for half a day.
        # The other half adds nothing, since that day's cap is met.
        priced = _stay(self.TARIFF, "2026-11-02T12:00", "2026-11-09T20:00")
        assert priced.total_minor == 5_000
        cheap = replace(self.TARIFF, increments=(Increment(60, 50),))
        # Of Monday's 20 hours 12 lie in the first week, and 8 in the second.
        assert _stay(cheap, "2026-11-02T12:00", "2026-11-09T20:00").total_minor == 5_000 + 400

    def test_a_week_that_ends_within_a_day_counts_it_by_the_kind_of_bay(self) -> None:
        rules = (KindRule("large", 15_000),)
        tariff = Tariff("EUR", (Increment(60, 2),), week_cap_minor=490, kind_rules=rules)
        # 3 an hour: 168 hours are 504, clipped to 490, and 8 hours of the second week are 24.
        priced = _stay(tariff, "2026-11-02T12:00", "2026-11-09T20:00", spot_kind="large")
        assert priced.total_minor == 490 + 24

    def test_it_counts_from_the_start_and_not_from_the_end_of_free_minutes(self) -> None:
        tariff = Tariff("EUR", HOURLY, free_minutes=1_440, week_cap_minor=14_400)
        # 144 charged hours within the first week, and 2 after it.
        priced = _stay(tariff, "2026-11-02T00:00", "2026-11-09T02:00")
        assert priced.total_minor == 14_400 + 200
        assert [line.kind for line in priced.lines].count("week_cap") == 0

    def test_a_week_has_as_many_hours_when_clocks_change(self) -> None:
        tariff = Tariff("EUR", (Increment(60, 1),), week_cap_minor=160)
        # 7 days of the calendar, which are 169 hours: the last one is of the second week.
        priced = _stay(tariff, "2026-10-22T00:00", "2026-10-29T00:00")
        assert priced.total_minor == 160 + 1

    def test_a_stay_within_free_minutes_has_no_week(self) -> None:
        tariff = Tariff("EUR", HOURLY, free_minutes=60, week_cap_minor=0)
        assert len(_stay(tariff, "2026-11-02T00:00", "2026-11-02T01:00").lines) == 1


class TestMinimum:
    @pytest.mark.parametrize(
        ("end", "total_minor"), [("08:30", 0), ("08:31", 150), ("09:30", 150), ("10:30", 200)]
    )
    def test_what_costs_anything_costs_at_least_that(self, end: str, total_minor: int) -> None:
        tariff = Tariff("EUR", HOURLY, free_minutes=30, minimum_minor=150)
        priced = _stay(tariff, "2026-11-23T08:00", f"2026-11-23T{end}")
        assert priced.total_minor == total_minor

    def test_it_stands_on_a_line_after_bands(self) -> None:
        tariff = Tariff("EUR", HOURLY, minimum_minor=600, bands=(EARLY,))
        assert _changes(_stay(tariff, "2026-11-23T08:00", "2026-11-23T16:00")) == [
            ("band", "Early bird · flat price", -300),
            ("minimum", "Minimum charge", 100),
        ]

    def test_a_band_without_a_price_is_free(self) -> None:
        free = replace(EARLY, amount_minor=0)
        tariff = Tariff("EUR", HOURLY, minimum_minor=600, bands=(free,))
        assert _stay(tariff, "2026-11-23T08:00", "2026-11-23T16:00").total_minor == 0


class TestCoupon:
    TARIFF = Tariff("EUR", HOURLY, minimum_minor=300)

    @pytest.mark.parametrize(
        ("coupon", "total_minor"),
        [
            (Coupon("TEN", percent_bp=1_000), 360),
            (Coupon("ALL", percent_bp=10_000), 0),
            (Coupon("LESS", percent_bp=12), 400),  # 0.48 is none
            (Coupon("HALF", percent_bp=13), 399),  # 0.52 is one
            (Coupon("FIX", amount_minor=150), 250),
            (Coupon("MUCH", amount_minor=401), 0),
        ],
    )
    def test_it_takes_off_after_the_minimum(self, coupon: Coupon, total_minor: int) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T12:00", coupon=coupon)
        assert priced.total_minor == total_minor
        taken = 400 - total_minor
        expected = [("coupon", f"Coupon {coupon.code}", -taken)] if taken else []
        assert _changes(priced) == expected

    def test_it_may_go_below_the_minimum(self) -> None:
        coupon = Coupon("FIX", amount_minor=250)
        priced = _stay(self.TARIFF, "2026-11-23T08:00", "2026-11-23T09:00", coupon=coupon)
        assert [line.amount_minor for line in priced.lines] == [100, 200, -250]

    def test_tax_is_of_what_is_left(self) -> None:
        vat = (TaxComponent("VAT", 1_900),)
        tariff = Tariff("EUR", HOURLY, tax_inclusive=False, taxes=vat)
        coupon = Coupon("FIX", amount_minor=100)
        priced = _stay(tariff, "2026-11-23T08:00", "2026-11-23T10:00", coupon=coupon)
        assert (priced.net_minor, priced.tax_minor, priced.total_minor) == (100, 19, 119)
        inclusive = replace(tariff, tax_inclusive=True)
        priced = _stay(inclusive, "2026-11-23T08:00", "2026-11-23T10:00", coupon=coupon)
        assert (priced.net_minor, priced.tax_minor, priced.total_minor) == (84, 16, 100)


class TestHolidays:
    @pytest.mark.parametrize(
        ("region", "known"),
        [
            ("DE", True),
            ("DE-BW", True),
            ("IN", True),
            ("JP", True),
            ("de", False),
            ("DE-XX", False),
            ("XX", False),
            ("", False),
            ("DE-", False),
        ],
    )
    def test_regions_are_countries_and_their_parts(self, region: str, known: bool) -> None:
        assert is_region(region) is known

    @pytest.mark.parametrize(
        ("region", "day", "expected"),
        [
            ("DE", date(2026, 10, 3), True),
            ("DE", date(2026, 1, 6), False),
            ("DE-BW", date(2026, 1, 6), True),
            ("JP", date(2026, 2, 11), True),
            ("IN", date(2026, 1, 26), True),
            ("DE", date(2028, 2, 29), False),
        ],
    )
    def test_days_are_those_of_the_year_asked_for(
        self, region: str, day: date, expected: bool
    ) -> None:
        assert is_holiday(region, day) is expected


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"week_cap_minor": -1}, "weekly cap must be a whole number from 0 to 1000000000"),
            ({"week_cap_minor": MAX_AMOUNT_MINOR + 1}, "weekly cap"),
            ({"minimum_minor": -1}, "The minimum must be a whole number from 0 to 1000000000"),
            ({"minimum_minor": MAX_AMOUNT_MINOR + 1}, "minimum"),
            ({"holiday_region": "DE-XX"}, "public holidays of 'DE-XX' are not known"),
            ({"bands": (EARLY,) * 21}, "at most 20 flat prices"),
            ({"day_rules": (DayRule("Day", 1),) * 21}, "at most 20 rules of days"),
            ({"kind_rules": (KindRule("large", 1),) * 2}, "at most one rule"),
            (
                {
                    "kind_rules": (KindRule("large", 20_000),),
                    "day_rules": (DayRule("Sundays", 50_001, (6,)),),
                },
                "not make an amount more than ten times",
            ),
        ],
    )
    def test_impossible_tariff_is_refused(self, change: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            Tariff("EUR", HOURLY, **change)

    @pytest.mark.parametrize(
        "change",
        [
            {"week_cap_minor": 0},
            {"week_cap_minor": MAX_AMOUNT_MINOR},
            {"minimum_minor": 0},
            {"minimum_minor": MAX_AMOUNT_MINOR},
            {"increments": HOURLY * 100},
            {"taxes": (TaxComponent("VAT", 1_000),) * 10},
            {"bands": (EARLY,) * 20},
            {"day_rules": (DayRule("Day", 1),) * 20},
            {"kind_rules": (KindRule("large", 100_000),)},
            {"day_rules": (DayRule("Sundays", 100_000, (6,)),)},
            {
                "kind_rules": (KindRule("large", 20_000),),
                "day_rules": (DayRule("Sundays", 50_000, (6,)),),
            },
        ],
    )
    def test_the_bounds_themselves_are_taken(self, change: dict[str, Any]) -> None:
        tariff = Tariff(**{"currency": "EUR", "increments": HOURLY, **change})
        assert all(getattr(tariff, name) == value for name, value in change.items())

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"name": " "}, "A flat price needs a name"),
            ({"kind": "happy"}, "of a kind out of early_bird, evening, weekend, event"),
            (
                {"enter_from_minutes": -1},
                "first minute to enter must be a whole number from 0 to 1439",
            ),
            ({"enter_from_minutes": 1_440}, "first minute to enter"),
            (
                {"enter_until_minutes": 360},
                "end of entering must be a whole number from 361 to 20160",
            ),
            ({"enter_until_minutes": 20_161}, "end of entering"),
            (
                {"leave_until_minutes": 360},
                "end of leaving must be a whole number from 361 to 20160",
            ),
            ({"leave_until_minutes": 20_161}, "end of leaving"),
            ({"amount_minor": -1}, "amount of a flat price must be a whole number from 0"),
            ({"amount_minor": MAX_AMOUNT_MINOR + 1}, "to 1000000000"),
            ({"weekdays": (7,)}, "A weekday must be a whole number from 0 to 6"),
            ({"weekdays": (-1,)}, "A weekday must"),
            ({"weekdays": (1, 1)}, "named twice"),
            ({"on_holidays": 1}, "A flat price counts on public holidays or does not: say true"),
            (
                {"first_day": date(2026, 1, 2), "last_day": date(2026, 1, 1)},
                "must not lie after its last",
            ),
        ],
    )
    def test_impossible_flat_price_is_refused(self, change: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            replace(EARLY, **change)

    def test_a_flat_price_of_one_day_and_of_the_widest_hours_is_taken(self) -> None:
        day = date(2026, 1, 1)
        assert replace(EARLY, first_day=day, last_day=day).first_day == day
        widest = replace(
            EARLY, enter_from_minutes=0, enter_until_minutes=1, leave_until_minutes=20_160
        )
        assert replace(widest, enter_until_minutes=20_160, leave_until_minutes=1).amount_minor
        assert replace(widest, enter_from_minutes=1_439, enter_until_minutes=1_440).amount_minor

    @pytest.mark.parametrize(
        ("make", "sentence"),
        [
            (lambda: KindRule("royal", 1), "A bay is of a kind out of standard, compact"),
            (
                lambda: KindRule("large", -1),
                "What a bay costs in basis points must be .* 0 to 100000",
            ),
            (lambda: KindRule("large", 100_001), "What a bay costs"),
            (lambda: DayRule("", 1), "The rule of a day needs a name"),
            (lambda: DayRule("Day", -1), "What a day costs in basis points must be .* 0 to 100000"),
            (lambda: DayRule("Day", 100_001), "What a day costs"),
            (lambda: DayRule("Day", 1, (7,)), "A weekday must"),
            (
                lambda: DayRule("Day", 1, on_holidays=0),
                "one of public holidays or is not: say true",
            ),
            (
                lambda: DayRule("Day", 1, day_cap_minor=-1),
                "The cap of a day must be .* 0 to 1000000000",
            ),
            (lambda: DayRule("Day", 1, day_cap_minor=MAX_AMOUNT_MINOR + 1), "The cap of a day"),
            (lambda: Coupon("", percent_bp=1), "A coupon needs a name"),
            (lambda: Coupon("C"), "takes off either a percentage or an amount"),
            (lambda: Coupon("C", 1, 1), "either a percentage or an amount"),
            (lambda: Coupon("C", percent_bp=0), "basis points of a coupon must be .* 1 to 10000"),
            (lambda: Coupon("C", percent_bp=10_001), "basis points of a coupon"),
            (lambda: Coupon("C", amount_minor=0), "amount of a coupon must be .* 1 to 1000000000"),
            (lambda: Coupon("C", amount_minor=MAX_AMOUNT_MINOR + 1), "amount of a coupon"),
        ],
    )
    def test_impossible_rule_or_coupon_is_refused(self, make: Any, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            make()

    def test_rules_and_coupons_at_their_bounds_are_taken(self) -> None:
        assert DayRule("Day", 0, day_cap_minor=0).day_cap_minor == 0
        assert DayRule("Day", 0, day_cap_minor=MAX_AMOUNT_MINOR).percent_bp == 0
        assert KindRule("large", 0).percent_bp == 0
        assert Coupon("C", percent_bp=10_000).takes_off(7) == 7
        assert Coupon("C", amount_minor=1).takes_off(7) == 1
        assert Coupon("C", amount_minor=MAX_AMOUNT_MINOR).takes_off(7) == 7


class TestStorage:
    TARIFF = Tariff(
        "EUR",
        HOURLY,
        week_cap_minor=1,
        minimum_minor=2,
        holiday_region="DE",
        bands=(
            replace(
                EARLY, first_day=date(2026, 1, 1), last_day=date(2026, 2, 1), on_holidays=False
            ),
        ),
        kind_rules=(KindRule("large", 12_000),),
        day_rules=(DayRule("Sundays", 5_000, (6,), on_holidays=True, day_cap_minor=7),),
    )

    def test_document_has_the_names_of_the_api(self) -> None:
        document = self.TARIFF.to_dict()
        assert document["bands"] == [
            {
                "name": "Early bird",
                "kind": "early_bird",
                "weekdays": [0, 1, 2, 3, 4],
                "on_holidays": False,
                "enter_from_minutes": 360,
                "enter_until_minutes": 540,
                "leave_until_minutes": 1_140,
                "first_day": "2026-01-01",
                "last_day": "2026-02-01",
                "amount_minor": 500,
            }
        ]
        assert document["kind_rules"] == [{"spot_kind": "large", "percent_bp": 12_000}]
        assert document["day_rules"] == [
            {
                "name": "Sundays",
                "weekdays": [6],
                "on_holidays": True,
                "percent_bp": 5_000,
                "day_cap_minor": 7,
            }
        ]

    def test_tariff_comes_back_from_json(self) -> None:
        assert Tariff.from_dict(json.loads(json.dumps(self.TARIFF.to_dict()))) == self.TARIFF

    def test_missing_settings_have_their_defaults(self) -> None:
        band = {
            "name": "All day",
            "kind": "event",
            "enter_from_minutes": 0,
            "enter_until_minutes": 1_440,
            "leave_until_minutes": 1_440,
            "amount_minor": 1,
        }
        assert Band.from_dict(band) == Band("All day", "event", 0, 1_440, 1_440, 1)
        assert DayRule.from_dict({"name": "Day", "percent_bp": 1}) == DayRule("Day", 1)

    @pytest.mark.parametrize("class_", [Band, DayRule])
    def test_unknown_setting_is_refused_rather_than_ignored(self, class_: Any) -> None:
        with pytest.raises(ValueError, match="has no happy_hour"):
            class_.from_dict({"happy_hour": 1})


_ZONES = [BERLIN, "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "UTC"]
# Nights in which clocks change, a leap day, an end of a month and a year, a holiday.
_NIGHTS = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 4, 4, 14, tzinfo=UTC),
    datetime(2026, 10, 3, 15, tzinfo=UTC),
    datetime(2028, 2, 28, 20, tzinfo=UTC),
    datetime(2026, 4, 30, 20, tzinfo=UTC),
    datetime(2026, 12, 31, 20, tzinfo=UTC),
    datetime(2026, 12, 25, 6, tzinfo=UTC),
]
_amounts = st.integers(0, 100_000)
_weekdays = st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days)))


@st.composite
def _bands(draw: st.DrawFn) -> Band:
    first = draw(st.integers(0, 1_439))
    return Band(
        draw(st.sampled_from(["Early", "Late"])),
        draw(st.sampled_from(BAND_KINDS)),
        first,
        draw(st.integers(first + 1, 1_440) | st.integers(first + 1, 8_000)),
        draw(st.integers(first + 1, 8_000)),
        draw(_amounts),
        weekdays=draw(_weekdays),
        on_holidays=draw(st.booleans()),
    )


_day_rules = st.builds(
    DayRule,
    st.sampled_from(["Sundays", "Holidays"]),
    st.integers(0, 30_000),
    _weekdays,
    on_holidays=st.booleans(),
    day_cap_minor=st.none() | _amounts,
)
_kind_rules = st.dictionaries(st.sampled_from(SPOT_KINDS), st.integers(0, 30_000), max_size=3).map(
    lambda rules: tuple(KindRule(kind, percent) for kind, percent in rules.items())
)
_tariffs = st.builds(
    Tariff,
    currency=st.sampled_from(["EUR", "INR", "JPY", "KWD"]),
    increments=st.lists(
        st.builds(Increment, st.integers(1, 1_500), _amounts), min_size=1, max_size=4
    ).map(tuple),
    billing_step_minutes=st.sampled_from([1, 7, 15, 60, 1_440]),
    free_minutes=st.just(0) | st.integers(0, 3_000),
    day_cap_minor=st.none() | _amounts,
    day_start_minutes=st.just(0) | st.integers(0, 1_439),
    tax_inclusive=st.booleans(),
    taxes=st.lists(
        st.builds(TaxComponent, st.sampled_from(["VAT", "CGST"]), st.integers(0, 3_333)), max_size=3
    ).map(tuple),
    week_cap_minor=st.none() | st.integers(0, 500_000),
    minimum_minor=st.none() | st.integers(0, 20_000),
    holiday_region=st.sampled_from([None, "DE", "IN", "JP"]),
    bands=st.lists(_bands(), max_size=3).map(tuple),
    kind_rules=_kind_rules,
    day_rules=st.lists(_day_rules, max_size=3).map(tuple),
)
_coupons = st.none() | st.one_of(
    st.builds(Coupon, st.just("CODE"), percent_bp=st.integers(1, 10_000)),
    st.builds(Coupon, st.just("CODE"), amount_minor=st.integers(1, 100_000)),
)
_starts = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2032, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.just(UTC),
) | st.builds(
    lambda night, seconds: night + timedelta(seconds=seconds),
    st.sampled_from(_NIGHTS),
    st.integers(-7_200, 14_400),
)
_seconds = st.integers(0, 5 * 3_600) | st.integers(0, 30 * 86_400)
_kinds = st.sampled_from(SPOT_KINDS)
_law = settings(max_examples=200, deadline=None)


def _for(tariff: Tariff, start: datetime, seconds: int, zone: str, **more: Any) -> Price:
    return price(
        tariff, starts_at=start, ends_at=start + timedelta(seconds=seconds), zone=zone, **more
    )


def _weeks(seconds: int) -> int:
    return -(-seconds // (7 * 86_400))


class TestLaws:
    @given(_tariffs, _starts, _seconds, _seconds, st.sampled_from(_ZONES), _kinds, _coupons)
    @_law
    def test_no_stay_costs_more_than_a_longer_one(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        more: int,
        zone: str,
        kind: str,
        coupon: Coupon | None,
    ) -> None:
        short = _for(tariff, start, seconds, zone, spot_kind=kind, coupon=coupon)
        longer = _for(tariff, start, seconds + more, zone, spot_kind=kind, coupon=coupon)
        assert short.total_minor <= longer.total_minor

    @given(_tariffs, _starts, st.integers(0, 9 * 1_440), st.sampled_from(_ZONES), _kinds)
    @settings(max_examples=50, deadline=None)
    def test_nor_at_any_of_the_quarters_of_an_hour_after(
        self, tariff: Tariff, start: datetime, minutes: int, zone: str, kind: str
    ) -> None:
        totals = [
            _for(tariff, start, (minutes + 15 * quarters) * 60, zone, spot_kind=kind).total_minor
            for quarters in range(100)
        ]
        assert totals == sorted(totals)

    @given(_tariffs, _starts, _seconds, st.sampled_from(_ZONES), _kinds, _coupons)
    @_law
    @example(
        Tariff("JPY", (Increment(1, 1),), minimum_minor=3), _NIGHTS[0], 60, BERLIN, "large", None
    )
    def test_everything_adds_up_and_no_step_goes_below_zero(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
        kind: str,
        coupon: Coupon | None,
    ) -> None:
        priced = _for(tariff, start, seconds, zone, spot_kind=kind, coupon=coupon)
        assert sum(line.amount_minor for line in priced.lines) == priced.total_minor
        assert priced.net_minor + priced.tax_minor == priced.total_minor
        assert min(priced.net_minor, priced.tax_minor, priced.total_minor) >= 0
        running = 0
        for line in priced.lines:
            running += line.amount_minor
            assert running >= 0
            assert line.quantity * line.unit_minor == line.amount_minor
            assert {type(line.quantity), type(line.unit_minor), type(line.amount_minor)} == {int}
            if line.kind in {"day_cap", "week_cap", "band", "coupon"}:
                assert line.amount_minor < 0
            if line.kind == "minimum":
                assert line.amount_minor > 0
            if line.kind == "free":
                assert line.amount_minor == 0
        order = [
            kind for kind, _ in groupby(line.kind for line in priced.lines if _is_of_all(line.kind))
        ]
        assert order == [kind for kind in _ORDER if kind in order]

    @given(_tariffs, _starts, _seconds, st.sampled_from(_ZONES), _kinds)
    @_law
    def test_caps_hold(
        self, tariff: Tariff, start: datetime, seconds: int, zone: str, kind: str
    ) -> None:
        priced = _for(tariff, start, seconds, zone, spot_kind=kind)
        for day, amount_minor in _by_day(priced):
            caps = {tariff.day_cap_minor} | {rule.day_cap_minor for rule in tariff.day_rules}
            if None not in caps:
                assert amount_minor <= max(cap for cap in caps if cap is not None), day
        before_tax = sum(line.amount_minor for line in priced.lines if line.kind != "tax")
        least = tariff.minimum_minor or 0
        if tariff.week_cap_minor is not None:
            assert before_tax <= max(tariff.week_cap_minor * _weeks(seconds), least)
        if tariff.minimum_minor is not None:
            assert before_tax == 0 or before_tax >= least

    @given(_tariffs, _starts, _seconds, st.sampled_from(_ZONES), _kinds)
    @_law
    def test_a_flat_price_never_makes_a_stay_dearer(
        self, tariff: Tariff, start: datetime, seconds: int, zone: str, kind: str
    ) -> None:
        without = replace(tariff, bands=())
        assert (
            _for(tariff, start, seconds, zone, spot_kind=kind).total_minor
            <= _for(without, start, seconds, zone, spot_kind=kind).total_minor
        )

    @given(_tariffs, _starts, _seconds, st.sampled_from(_ZONES), _coupons)
    @_law
    def test_a_coupon_never_makes_a_stay_dearer(
        self, tariff: Tariff, start: datetime, seconds: int, zone: str, coupon: Coupon | None
    ) -> None:
        assert (
            _for(tariff, start, seconds, zone, coupon=coupon).total_minor
            <= _for(tariff, start, seconds, zone).total_minor
        )

    @given(_tariffs, _starts, _seconds, st.sampled_from(_ZONES), _kinds, _coupons)
    @_law
    def test_same_input_gives_the_same_price_after_storage(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
        kind: str,
        coupon: Coupon | None,
    ) -> None:
        priced = _for(tariff, start, seconds, zone, spot_kind=kind, coupon=coupon)
        stored = Tariff.from_dict(json.loads(json.dumps(tariff.to_dict())))
        again = None if coupon is None else Coupon.from_dict(coupon.to_dict())
        assert _for(stored, start, seconds, zone, spot_kind=kind, coupon=again) == priced
        assert Price.from_dict(json.loads(json.dumps(priced.to_dict()))) == priced

    @given(_starts, st.sampled_from(_ZONES))
    @_law
    def test_a_month_at_the_greatest_amounts_is_a_number_of_json(
        self, start: datetime, zone: str
    ) -> None:
        dearest = Tariff(
            "EUR",
            (Increment(1, MAX_AMOUNT_MINOR),),
            billing_step_minutes=1_440,
            tax_inclusive=False,
            taxes=(TaxComponent("VAT", 10_000),),
            kind_rules=(KindRule("large", 100_000),),
        )
        assert _for(dearest, start, 30 * 86_400, zone, spot_kind="large").total_minor <= 10**15


_ORDER = ("free", "week_cap", "band", "minimum", "coupon", "tax")


def _is_of_all(kind: str) -> bool:
    """Whether a line is of the whole stay, and not of a day of it."""
    return kind in _ORDER


def _by_day(priced: Price) -> Iterator[tuple[str, int]]:
    of_days = [line for line in priced.lines if not _is_of_all(line.kind)]
    for day, lines in groupby(of_days, key=lambda line: line.label.split(" · ")[0]):
        yield day, sum(line.amount_minor for line in lines)
