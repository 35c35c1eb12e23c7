"""The price engine: examples, and the laws that every price obeys."""

import json
import locale
import time
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.tariffs.pricing import (
    Increment,
    Line,
    Price,
    Tariff,
    TaxAmount,
    TaxComponent,
    price,
)

KOLKATA = "Asia/Kolkata"
BERLIN = "Europe/Berlin"
LORD_HOWE = "Australia/Lord_Howe"

# ₹40 for the first 60 minutes, then ₹30 for each 60.
LADDER = (Increment(60, 4_000), Increment(60, 3_000))
RUPEES = Tariff("INR", LADDER)
# One cent a minute shows every minute in the price.
BY_THE_MINUTE = Tariff("EUR", (Increment(1, 1),), billing_step_minutes=1)
GST = (TaxComponent("CGST", 900), TaxComponent("SGST", 900))


def _stay(tariff: Tariff, start: str, end: str, zone: str = KOLKATA) -> Price:
    """Price a stay between two moments of the wall clock of its zone."""
    place = ZoneInfo(zone)
    return price(
        tariff,
        starts_at=datetime.fromisoformat(start).replace(tzinfo=place),
        ends_at=datetime.fromisoformat(end).replace(tzinfo=place),
        zone=zone,
    )


def _lasting(tariff: Tariff, minutes: int) -> Price:
    """Price a stay that begins on a Monday at 00:00 in Kolkata."""
    start = datetime(2026, 11, 23, tzinfo=ZoneInfo(KOLKATA))
    return price(
        tariff,
        starts_at=start,
        ends_at=start + timedelta(minutes=minutes),
        zone=KOLKATA,
    )


def _labels(priced: Price) -> list[str]:
    return [line.label for line in priced.lines]


class TestIncrements:
    @pytest.mark.parametrize(
        ("minutes", "total_minor"),
        [
            (0, 0),
            (1, 4_000),
            (15, 4_000),
            (59, 4_000),
            (60, 4_000),
            (61, 7_000),
            (120, 7_000),
            (121, 10_000),
            (180, 10_000),
            (600, 31_000),
            (1_440, 73_000),
            (1_441, 77_000),
        ],
    )
    def test_first_hour_costs_forty_and_each_further_thirty(
        self,
        minutes: int,
        total_minor: int,
    ) -> None:
        assert _lasting(RUPEES, minutes).total_minor == total_minor

    @pytest.mark.parametrize(
        ("minutes", "total_minor"),
        [(10, 100), (30, 100), (31, 300), (90, 300), (91, 350), (120, 350), (121, 400)],
    )
    def test_last_increment_repeats(self, minutes: int, total_minor: int) -> None:
        tariff = Tariff("EUR", (Increment(30, 100), Increment(60, 200), Increment(30, 50)))
        assert _lasting(tariff, minutes).total_minor == total_minor

    def test_ladder_restarts_each_local_day(self) -> None:
        priced = _stay(RUPEES, "2026-11-23T22:00", "2026-11-24T02:00")
        assert priced.total_minor == 2 * 7_000

    def test_first_increments_may_cost_nothing(self) -> None:
        tariff = Tariff("JPY", (Increment(60, 0), Increment(30, 200)))
        assert _lasting(tariff, 60).total_minor == 0
        assert _lasting(tariff, 61).total_minor == 200

    def test_equal_increments_stand_on_one_line(self) -> None:
        priced = _stay(RUPEES, "2026-11-23T09:00", "2026-11-23T12:30")
        assert priced.lines == (
            Line("Mon 23 Nov · first 60 min", 1, 4_000, 4_000, "parking"),
            Line("Mon 23 Nov · 3 × 60 min", 3, 3_000, 9_000, "parking"),
        )

    def test_equal_rungs_of_the_ladder_join_the_repeated_one(self) -> None:
        tariff = Tariff("EUR", (Increment(30, 100), Increment(30, 100), Increment(30, 100)))
        priced = _lasting(tariff, 150)
        assert priced.lines == (Line("Mon 23 Nov · 5 × 30 min", 5, 100, 500, "parking"),)

    def test_long_increments_are_written_in_hours(self) -> None:
        tariff = Tariff("EUR", (Increment(120, 300), Increment(1_440, 900)))
        assert _labels(_lasting(tariff, 180)) == ["Mon 23 Nov · first 2 h", "Mon 23 Nov · 1 × 24 h"]


class TestBillingStep:
    @pytest.mark.parametrize(
        ("step", "minutes", "total_minor"),
        [
            (15, 1, 15),
            (15, 15, 15),
            (15, 16, 30),
            (1, 16, 16),
            (60, 61, 120),
            (7, 15, 21),
            (1_440, 1, 1_440),
        ],
    )
    def test_time_is_rounded_up_to_the_step(
        self,
        step: int,
        minutes: int,
        total_minor: int,
    ) -> None:
        tariff = Tariff("EUR", (Increment(1, 1),), billing_step_minutes=step)
        assert _lasting(tariff, minutes).total_minor == total_minor

    def test_each_day_is_rounded_by_itself(self) -> None:
        tariff = Tariff("EUR", (Increment(1, 1),), billing_step_minutes=15)
        assert _stay(tariff, "2026-11-23T23:59", "2026-11-24T00:01").total_minor == 30

    @pytest.mark.parametrize(
        ("end", "total_minor"),
        [
            ("2026-11-23T10:00:00", 0),
            ("2026-11-23T10:00:00.000001", 1),
            ("2026-11-23T10:01:00", 1),
            ("2026-11-23T10:01:01", 2),
        ],
    )
    def test_started_minute_counts(self, end: str, total_minor: int) -> None:
        assert _stay(BY_THE_MINUTE, "2026-11-23T10:00", end).total_minor == total_minor


class TestFreeMinutes:
    TARIFF = Tariff("INR", LADDER, free_minutes=30)

    @pytest.mark.parametrize(
        ("minutes", "total_minor"),
        [(0, 0), (29, 0), (30, 0), (31, 4_000), (90, 4_000), (91, 7_000), (105, 7_000)],
    )
    def test_they_come_off_the_stay(self, minutes: int, total_minor: int) -> None:
        assert _lasting(self.TARIFF, minutes).total_minor == total_minor

    def test_they_stand_on_a_line_without_an_amount(self) -> None:
        priced = _lasting(self.TARIFF, 60)
        assert priced.lines[0] == Line("First 30 min free", 30, 0, 0, "free")

    def test_line_counts_only_the_minutes_used(self) -> None:
        priced = _lasting(self.TARIFF, 20)
        assert priced.lines == (Line("First 20 min free", 20, 0, 0, "free"),)
        assert priced.total_minor == 0

    def test_they_come_off_the_start_before_days_are_cut(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T23:40", "2026-11-24T01:00")
        assert _labels(priced) == ["First 30 min free", "Tue 24 Nov · first 60 min"]
        assert priced.total_minor == 4_000

    def test_they_are_given_once_and_not_each_day(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T22:00", "2026-11-24T02:00")
        assert [line.kind for line in priced.lines].count("free") == 1
        assert priced.total_minor == 7_000 + 7_000

    def test_empty_stay_has_no_lines(self) -> None:
        assert _lasting(self.TARIFF, 0).lines == ()


class TestDayCap:
    TARIFF = Tariff("INR", LADDER, day_cap_minor=10_000)

    @pytest.mark.parametrize(
        ("minutes", "total_minor"),
        [(120, 7_000), (180, 10_000), (181, 10_000), (1_440, 10_000), (1_441, 14_000)],
    )
    def test_day_costs_at_most_the_cap(self, minutes: int, total_minor: int) -> None:
        assert _lasting(self.TARIFF, minutes).total_minor == total_minor

    def test_cap_met_exactly_makes_no_line(self) -> None:
        assert [line.kind for line in _lasting(self.TARIFF, 180).lines] == ["parking", "parking"]

    def test_what_is_above_the_cap_is_taken_off_on_a_line(self) -> None:
        assert _lasting(self.TARIFF, 200).lines == (
            Line("Mon 23 Nov · first 60 min", 1, 4_000, 4_000, "parking"),
            Line("Mon 23 Nov · 3 × 60 min", 3, 3_000, 9_000, "parking"),
            Line("Mon 23 Nov · day cap", 1, -3_000, -3_000, "day_cap"),
        )

    def test_cap_of_zero_makes_the_day_free(self) -> None:
        assert _lasting(Tariff("INR", LADDER, day_cap_minor=0), 500).total_minor == 0

    def test_thirty_days_cost_thirty_caps(self) -> None:
        assert _lasting(self.TARIFF, 30 * 1_440).total_minor == 30 * 10_000

    def test_thirty_days_from_noon_touch_thirty_one(self) -> None:
        priced = _stay(self.TARIFF, "2026-11-23T12:00", "2026-12-23T12:00")
        assert priced.total_minor == 31 * 10_000

    def test_year_ends_between_two_days(self) -> None:
        priced = _stay(self.TARIFF, "2026-12-31T20:00", "2027-01-01T01:00")
        assert priced.total_minor == 10_000 + 4_000
        assert _labels(priced) == [
            "Thu 31 Dec · first 60 min",
            "Thu 31 Dec · 3 × 60 min",
            "Thu 31 Dec · day cap",
            "Fri 1 Jan · first 60 min",
        ]

    def test_leap_day_is_a_day(self) -> None:
        priced = _stay(self.TARIFF, "2028-02-28T00:00", "2028-03-01T00:00")
        assert priced.total_minor == 2 * 10_000


class TestDayStart:
    FROM_FIVE = Tariff("INR", LADDER, day_cap_minor=10_000, day_start_minutes=300)

    def test_night_belongs_to_the_evening_before(self) -> None:
        priced = _stay(self.FROM_FIVE, "2026-11-23T22:00", "2026-11-24T04:00")
        assert priced.total_minor == 10_000
        assert _labels(priced)[0].startswith("Mon 23 Nov")

    def test_new_day_begins_at_its_hour(self) -> None:
        priced = _stay(self.FROM_FIVE, "2026-11-24T04:00", "2026-11-24T06:00")
        assert _labels(priced) == ["Mon 23 Nov · first 60 min", "Tue 24 Nov · first 60 min"]

    def test_hour_is_read_on_the_clock_on_days_of_25_hours_too(self) -> None:
        tariff = Tariff("EUR", (Increment(60, 100),), day_start_minutes=300)
        priced = _stay(tariff, "2026-10-25T00:00", "2026-10-25T06:00", BERLIN)
        assert [(line.label, line.quantity) for line in priced.lines] == [
            ("Sat 24 Oct · 6 × 60 min", 6),
            ("Sun 25 Oct · first 60 min", 1),
        ]

    def test_hour_that_the_clocks_skip_is_read_with_the_offset_before(self) -> None:
        # 02:30 of that night does not exist; at +01:00 it is 01:30 UTC, when clocks show 03:30.
        tariff = Tariff("EUR", (Increment(1, 1),), 1, day_start_minutes=150)
        priced = _stay(tariff, "2026-03-29T01:00", "2026-03-29T04:00", BERLIN)
        assert [(line.label[:6], line.quantity) for line in priced.lines] == [
            ("Sat 28", 90),
            ("Sun 29", 30),
        ]

    def test_stay_may_begin_between_the_skipped_hour_and_its_reading(self) -> None:
        tariff = Tariff("EUR", (Increment(1, 1),), 1, day_start_minutes=150)
        priced = _stay(tariff, "2026-03-29T03:10", "2026-03-29T04:00", BERLIN)
        assert [(line.label[:6], line.quantity) for line in priced.lines] == [
            ("Sat 28", 20),
            ("Sun 29", 30),
        ]

    def test_hour_that_the_clocks_show_twice_is_the_first(self) -> None:
        tariff = Tariff("EUR", (Increment(1, 1),), 1, day_start_minutes=150)
        priced = _stay(tariff, "2026-10-25T02:00", "2026-10-25T04:00", BERLIN)
        assert [(line.label[:6], line.quantity) for line in priced.lines] == [
            ("Sat 24", 30),
            ("Sun 25", 150),
        ]

    def test_second_showing_of_the_hour_before_does_not_go_back_a_day(self) -> None:
        tariff = Tariff("EUR", (Increment(1, 1),), 1, day_start_minutes=150)
        start = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # the second 02:10
        end = start + timedelta(minutes=10)
        priced = price(tariff, starts_at=start, ends_at=end, zone=BERLIN)
        assert _labels(priced) == ["Sun 25 Oct · 10 × 1 min"]


class TestClockChanges:
    @pytest.mark.parametrize(
        ("zone", "start", "end", "minutes"),
        [
            (BERLIN, "2026-03-29T00:00", "2026-03-30T00:00", 23 * 60),
            (BERLIN, "2026-10-25T00:00", "2026-10-26T00:00", 25 * 60),
            (BERLIN, "2026-03-29T01:30", "2026-03-29T03:30", 60),
            (BERLIN, "2026-10-25T01:30", "2026-10-25T03:30", 180),
            (BERLIN, "2026-10-25T12:00", "2026-10-25T13:00", 60),
            (LORD_HOWE, "2026-04-05T00:00", "2026-04-06T00:00", 24 * 60 + 30),
            (LORD_HOWE, "2026-10-04T00:00", "2026-10-05T00:00", 24 * 60 - 30),
            (KOLKATA, "2026-03-29T00:00", "2026-03-30T00:00", 24 * 60),
            # Midnight does not exist there: the clocks go from 24:00 to 01:00.
            ("America/Santiago", "2026-09-06T01:00", "2026-09-07T00:00", 23 * 60),
            # Midnight is shown twice there.
            ("America/Havana", "2026-11-01T00:00", "2026-11-02T00:00", 25 * 60),
        ],
    )
    def test_elapsed_time_is_billed(self, zone: str, start: str, end: str, minutes: int) -> None:
        priced = _stay(BY_THE_MINUTE, start, end, zone)
        assert [line.quantity for line in priced.lines] == [minutes]

    @pytest.mark.parametrize(("start", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
    def test_day_of_any_length_has_one_cap(self, start: str, hours: int) -> None:
        tariff = Tariff("EUR", (Increment(60, 100),), day_cap_minor=1_200)
        starts_at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(BERLIN))
        ends_at = starts_at.astimezone(UTC) + timedelta(hours=hours)
        whole = price(tariff, starts_at=starts_at, ends_at=ends_at, zone=BERLIN)
        longer = price(
            tariff,
            starts_at=starts_at,
            ends_at=ends_at + timedelta(minutes=1),
            zone=BERLIN,
        )
        assert whole.total_minor == 1_200
        assert longer.total_minor == 1_200 + 100

    def test_second_of_two_equal_clock_times_is_an_hour_later(self) -> None:
        place = ZoneInfo(BERLIN)
        priced = price(
            BY_THE_MINUTE,
            starts_at=datetime(2026, 10, 25, 2, 30, tzinfo=place),
            ends_at=datetime(2026, 10, 25, 2, 30, tzinfo=place, fold=1),
            zone=BERLIN,
        )
        assert priced.total_minor == 60

    def test_day_that_an_island_skipped_costs_nothing(self) -> None:
        tariff = Tariff("USD", (Increment(60, 100),), day_cap_minor=500)
        priced = _stay(tariff, "2011-12-29T12:00", "2011-12-31T12:00", "Pacific/Apia")
        assert priced.total_minor == 2 * 500
        assert [day for day, _ in groupby(label.split(" · ")[0] for label in _labels(priced))] == [
            "Thu 29 Dec",
            "Sat 31 Dec",
        ]

    def test_stay_may_begin_where_a_skipped_day_would_have_begun(self) -> None:
        tariff = Tariff("USD", (Increment(60, 100),), day_start_minutes=300)
        priced = _stay(tariff, "2011-12-31T00:00", "2011-12-31T06:00", "Pacific/Apia")
        assert _labels(priced) == ["Thu 29 Dec · 5 × 60 min", "Sat 31 Dec · first 60 min"]

    def test_day_that_began_goes_on_when_clocks_go_back_over_midnight(self) -> None:
        # There the clocks went from 00:01 back to 23:01 of the day before.
        start = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)
        zone = "America/St_Johns"
        assert start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime(2010, 11, 6, 23, 1)  # noqa: DTZ001 - a reading of the clock
        end = start + timedelta(hours=2)
        priced = price(RUPEES, starts_at=start, ends_at=end, zone=zone)
        assert [label[:9] for label in _labels(priced)] == ["Sun 7 Nov"] * 2

    @pytest.mark.parametrize("offset", [UTC, ZoneInfo("America/New_York"), ZoneInfo(KOLKATA)])
    def test_zone_of_the_moments_does_not_matter(self, offset: tzinfo) -> None:
        start = datetime(2026, 10, 24, 20, 15, tzinfo=UTC)
        end = start + timedelta(hours=9)
        there = price(
            RUPEES,
            starts_at=start.astimezone(offset),
            ends_at=end.astimezone(offset),
            zone=BERLIN,
        )
        assert there == price(RUPEES, starts_at=start, ends_at=end, zone=BERLIN)


class TestTax:
    def test_included_tax_is_read_out_of_the_total(self) -> None:
        priced = _lasting(Tariff("INR", LADDER, taxes=GST), 60)
        assert priced.total_minor == 4_000
        assert priced.taxes == (
            TaxAmount("CGST", 900, 305, included=True),
            TaxAmount("SGST", 900, 305, included=True),
        )
        assert (priced.net_minor, priced.tax_minor) == (3_390, 610)
        assert [line.kind for line in priced.lines] == ["parking"]

    def test_tax_on_top_stands_on_a_line_each(self) -> None:
        priced = _lasting(Tariff("INR", LADDER, tax_inclusive=False, taxes=GST), 60)
        assert priced.lines[1:] == (
            Line("CGST 9 %", 1, 360, 360, "tax"),
            Line("SGST 9 %", 1, 360, 360, "tax"),
        )
        assert (priced.net_minor, priced.tax_minor, priced.total_minor) == (4_000, 720, 4_720)

    def test_tax_is_taken_after_the_cap(self) -> None:
        vat = (TaxComponent("VAT", 1_900),)
        tariff = Tariff("EUR", LADDER, day_cap_minor=5_000, tax_inclusive=False, taxes=vat)
        assert _lasting(tariff, 600).total_minor == 5_950

    @pytest.mark.parametrize(
        ("amount_minor", "tax_minor"),
        [(0, 0), (2, 0), (3, 1), (7, 1), (8, 2), (50, 10)],
    )
    def test_half_a_unit_is_rounded_up(self, amount_minor: int, tax_minor: int) -> None:
        tariff = Tariff(
            "JPY",
            (Increment(60, amount_minor),),
            tax_inclusive=False,
            taxes=(TaxComponent("Tax", 2_000),),
        )
        assert _lasting(tariff, 60).tax_minor == tax_minor

    def test_exact_half_is_rounded_up(self) -> None:
        tax = (TaxComponent("Tax", 5_000),)
        tariff = Tariff("JPY", (Increment(60, 1),), tax_inclusive=False, taxes=tax)
        assert _lasting(tariff, 60).tax_minor == 1

    @pytest.mark.parametrize(
        ("rate_bp", "label"),
        [
            (0, "VAT 0 %"),
            (700, "VAT 7 %"),
            (1_000, "VAT 10 %"),
            (950, "VAT 9.5 %"),
            (5, "VAT 0.05 %"),
        ],
    )
    def test_rate_is_written_shortly(self, rate_bp: int, label: str) -> None:
        vat = (TaxComponent("VAT", rate_bp),)
        assert (
            _labels(_lasting(Tariff("EUR", LADDER, tax_inclusive=False, taxes=vat), 1))[1] == label
        )

    def test_without_tax_net_is_the_total(self) -> None:
        priced = _lasting(RUPEES, 60)
        assert (priced.taxes, priced.tax_minor, priced.net_minor) == ((), 0, 4_000)

    def test_stay_within_free_minutes_has_no_tax(self) -> None:
        tariff = Tariff("INR", LADDER, free_minutes=60, tax_inclusive=False, taxes=GST)
        priced = _lasting(tariff, 45)
        assert (priced.tax_minor, priced.total_minor) == (0, 0)


class TestRefusals:
    NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def test_end_before_start_is_refused(self) -> None:
        with pytest.raises(ValueError, match="cannot end before"):
            price(RUPEES, starts_at=self.NOON, ends_at=self.NOON - timedelta(1), zone=KOLKATA)

    @pytest.mark.parametrize("naive", ["starts_at", "ends_at"])
    def test_moment_without_offset_is_refused(self, naive: str) -> None:
        window = {"starts_at": self.NOON, "ends_at": self.NOON}
        window[naive] = self.NOON.replace(tzinfo=None)
        with pytest.raises(ValueError, match="need an offset"):
            price(RUPEES, **window, zone=KOLKATA)

    @pytest.mark.parametrize(
        "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
    )
    def test_moment_at_the_edge_of_the_calendar_is_refused(self, moment: datetime) -> None:
        with pytest.raises(ValueError, match="within the calendar"):
            price(RUPEES, starts_at=moment, ends_at=moment, zone=KOLKATA)

    @pytest.mark.parametrize(
        "zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe"]
    )
    def test_unknown_zone_is_refused(self, zone: str) -> None:
        with pytest.raises(ValueError, match="not a time zone"):
            price(RUPEES, starts_at=self.NOON, ends_at=self.NOON, zone=zone)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"currency": "XXZ"}, "not a currency code"),
            ({"increments": ()}, "at least one increment"),
            ({"increments": LADDER * 51}, "at most 100 increments"),
            ({"billing_step_minutes": 0}, "billing step in minutes must be a whole number from 1"),
            ({"billing_step_minutes": 1_441}, "to 1440"),
            ({"billing_step_minutes": 15.0}, "billing step"),
            ({"billing_step_minutes": True}, "billing step"),
            ({"free_minutes": -1}, "free minutes"),
            ({"day_cap_minor": -1}, "day cap"),
            ({"day_cap_minor": 99.5}, "day cap"),
            ({"day_start_minutes": 1_440}, "start of the day"),
            ({"tax_inclusive": 1}, "say true or false"),
            ({"taxes": (TaxComponent("VAT", 1),) * 11}, "at most 10 taxes"),
            ({"taxes": (TaxComponent("VAT", 5_001),) * 2}, "must not exceed 100 %"),
        ],
    )
    def test_impossible_tariff_is_refused(self, change: dict[str, Any], sentence: str) -> None:
        settings_of_tariff: dict[str, Any] = {"currency": "INR", "increments": LADDER, **change}
        with pytest.raises(ValueError, match=sentence):
            Tariff(**settings_of_tariff)

    @pytest.mark.parametrize(
        ("minutes", "amount_minor"),
        [(0, 1), (-5, 1), (43_201, 1), (60, -1), (60, 1_000_000_001), (60, 1.5), ("60", 1)],
    )
    def test_impossible_increment_is_refused(self, minutes: Any, amount_minor: Any) -> None:
        with pytest.raises(ValueError, match="of an increment must be a whole number"):
            Increment(minutes, amount_minor)

    @pytest.mark.parametrize(
        ("name", "rate_bp", "sentence"),
        [
            ("", 1, "name"),
            (" ", 1, "name"),
            (None, 1, "name"),
            ("VAT", -1, "rate"),
            ("V", 10_001, "rate"),
        ],
    )
    def test_impossible_tax_is_refused(self, name: Any, rate_bp: int, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            TaxComponent(name, rate_bp)


class TestStorage:
    TARIFF = Tariff("INR", LADDER, 30, 10, 20_000, 300, tax_inclusive=False, taxes=GST)

    def test_tariff_comes_back_from_json(self) -> None:
        assert Tariff.from_dict(json.loads(json.dumps(self.TARIFF.to_dict()))) == self.TARIFF

    def test_price_comes_back_from_json(self) -> None:
        priced = _lasting(self.TARIFF, 1_000)
        assert Price.from_dict(json.loads(json.dumps(priced.to_dict()))) == priced

    def test_tariff_document_has_the_names_of_the_api(self) -> None:
        assert RUPEES.to_dict() == {
            "currency": "INR",
            "increments": [
                {"minutes": 60, "amount_minor": 4_000},
                {"minutes": 60, "amount_minor": 3_000},
            ],
            "billing_step_minutes": 15,
            "free_minutes": 0,
            "day_cap_minor": None,
            "day_start_minutes": 0,
            "tax_inclusive": True,
            "taxes": [],
            "week_cap_minor": None,
            "minimum_minor": None,
            "holiday_region": None,
            "bands": [],
            "kind_rules": [],
            "day_rules": [],
        }

    def test_missing_settings_have_their_defaults(self) -> None:
        document = {"currency": "EUR", "increments": [{"minutes": 60, "amount_minor": 100}]}
        assert Tariff.from_dict(document) == Tariff("EUR", (Increment(60, 100),))

    def test_unknown_setting_is_refused_rather_than_ignored(self) -> None:
        with pytest.raises(ValueError, match="Tariff has no happy_hour"):
            Tariff.from_dict({**RUPEES.to_dict(), "happy_hour": 1})

    def test_missing_field_is_named(self) -> None:
        with pytest.raises(ValueError, match="Increment needs amount_minor"):
            Increment.from_dict({"minutes": 60})

    def test_stored_tariff_is_checked_again(self) -> None:
        with pytest.raises(ValueError, match="at least one increment"):
            Tariff.from_dict({"currency": "EUR", "increments": []})


def test_language_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _lasting(RUPEES, 60)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    kept = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "hi_IN.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert _lasting(RUPEES, 60) == before
    finally:
        locale.setlocale(locale.LC_TIME, kept)
        monkeypatch.undo()
        time.tzset()


_ZONES = [
    BERLIN,
    KOLKATA,
    LORD_HOWE,
    "UTC",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "America/Havana",
    "America/Santiago",
    "Pacific/Apia",
]

# Nights in which the clocks of one of those zones change, beside any moment.
_NIGHTS = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 4, 4, 14, tzinfo=UTC),
    datetime(2026, 10, 3, 15, tzinfo=UTC),
    datetime(2026, 11, 1, 4, tzinfo=UTC),
    datetime(2026, 9, 6, 3, tzinfo=UTC),
    datetime(2011, 12, 30, 9, tzinfo=UTC),
    datetime(2026, 12, 31, 20, tzinfo=UTC),
]

_increments = st.builds(Increment, st.integers(1, 1_500), st.integers(0, 100_000))
_taxes = st.lists(
    st.builds(TaxComponent, st.sampled_from(["VAT", "CGST", "SGST"]), st.integers(0, 3_333)),
    max_size=3,
).map(tuple)
_tariffs = st.builds(
    Tariff,
    currency=st.sampled_from(["EUR", "INR", "JPY", "KWD"]),
    increments=st.lists(_increments, min_size=1, max_size=5).map(tuple),
    billing_step_minutes=st.sampled_from([1, 7, 15, 60, 1_440]) | st.integers(1, 1_440),
    free_minutes=st.just(0) | st.integers(0, 3_000),
    day_cap_minor=st.none() | st.integers(0, 200_000),
    day_start_minutes=st.just(0) | st.integers(0, 1_439),
    tax_inclusive=st.booleans(),
    taxes=_taxes,
)
_starts = st.datetimes(
    datetime(2010, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2035, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.just(UTC),
) | st.builds(
    lambda night, seconds: night + timedelta(seconds=seconds),
    st.sampled_from(_NIGHTS),
    st.integers(-7_200, 14_400),
)
_seconds = st.integers(0, 5 * 3_600) | st.integers(0, 30 * 86_400)
_zones = st.sampled_from(_ZONES)

_law = settings(max_examples=200, deadline=None)


def _for(tariff: Tariff, start: datetime, seconds: int, zone: str) -> Price:
    return price(tariff, starts_at=start, ends_at=start + timedelta(seconds=seconds), zone=zone)


class TestLaws:
    @given(_tariffs, _starts, _seconds, _seconds, _zones)
    @_law
    def test_longer_stay_never_costs_less(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        more: int,
        zone: str,
    ) -> None:
        short = _for(tariff, start, seconds, zone)
        long = _for(tariff, start, seconds + more, zone)
        assert short.total_minor <= long.total_minor

    @given(_tariffs, _starts, _seconds, _seconds, _zones)
    @_law
    def test_stay_that_begins_earlier_never_costs_less(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        earlier: int,
        zone: str,
    ) -> None:
        short = _for(tariff, start, seconds, zone)
        long = _for(tariff, start - timedelta(seconds=earlier), seconds + earlier, zone)
        assert short.total_minor <= long.total_minor

    @given(_tariffs, _starts, _seconds, _zones)
    @_law
    def test_caps_hold(self, tariff: Tariff, start: datetime, seconds: int, zone: str) -> None:
        priced = _for(tariff, start, seconds, zone)
        time_lines = [line for line in priced.lines if line.kind in {"parking", "day_cap"}]
        for _, day in groupby(time_lines, key=lambda line: line.label.split(" · ")[0]):
            amount_minor = sum(line.amount_minor for line in day)
            assert amount_minor >= 0
            if tariff.day_cap_minor is not None:
                assert amount_minor <= tariff.day_cap_minor

    @given(_tariffs, _starts, _seconds, _zones)
    @_law
    @example(
        Tariff("JPY", (Increment(1, 1),), taxes=(TaxComponent("A", 3_333),) * 3),
        _NIGHTS[0],
        60,
        BERLIN,
    )
    @example(
        Tariff("JPY", (Increment(1, 2),), taxes=(TaxComponent("A", 3_333),) * 3),
        _NIGHTS[0],
        60,
        BERLIN,
    )
    @example(
        Tariff("JPY", (Increment(1, 1),), taxes=(TaxComponent("A", 10_000),)),
        _NIGHTS[0],
        60,
        BERLIN,
    )
    def test_everything_adds_up(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
    ) -> None:
        priced = _for(tariff, start, seconds, zone)
        assert sum(line.amount_minor for line in priced.lines) == priced.total_minor
        assert sum(tax.amount_minor for tax in priced.taxes) == priced.tax_minor
        assert priced.net_minor + priced.tax_minor == priced.total_minor
        assert min(priced.net_minor, priced.tax_minor, priced.total_minor) >= 0
        assert all(tax.included is tariff.tax_inclusive for tax in priced.taxes)
        tax_lines = [line.amount_minor for line in priced.lines if line.kind == "tax"]
        expected = [] if tariff.tax_inclusive else [tax.amount_minor for tax in priced.taxes]
        assert tax_lines == expected

    @given(_tariffs, _starts, _seconds, _zones)
    @_law
    def test_each_line_is_quantity_times_unit_in_whole_numbers(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
    ) -> None:
        for line in _for(tariff, start, seconds, zone).lines:
            assert line.quantity * line.unit_minor == line.amount_minor
            assert {type(line.quantity), type(line.unit_minor), type(line.amount_minor)} == {int}
            assert line.quantity > 0
            assert (line.amount_minor < 0) == (line.kind == "day_cap")

    @given(_tariffs, _starts, _seconds, _zones)
    @_law
    def test_free_minutes_never_make_a_negative_line_nor_a_dearer_stay(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
    ) -> None:
        priced = _for(tariff, start, seconds, zone)
        free = [line for line in priced.lines if line.kind == "free"]
        assert [line.amount_minor for line in free] == [0] * len(free)
        used = min(tariff.free_minutes, -(-seconds // 60))
        assert [line.quantity for line in free] == ([used] if used else [])
        whole = Tariff.from_dict({**tariff.to_dict(), "free_minutes": 0})
        assert priced.total_minor <= _for(whole, start, seconds, zone).total_minor

    @given(_tariffs, _starts, _seconds, _zones)
    @_law
    def test_same_input_gives_the_same_price_after_storage(
        self,
        tariff: Tariff,
        start: datetime,
        seconds: int,
        zone: str,
    ) -> None:
        priced = _for(tariff, start, seconds, zone)
        stored = Tariff.from_dict(json.loads(json.dumps(tariff.to_dict())))
        assert _for(stored, start, seconds, zone) == priced
        assert Price.from_dict(json.loads(json.dumps(priced.to_dict()))) == priced

    @given(_tariffs, _starts, st.integers(0, 3_000), _zones)
    @_law
    def test_minute_by_minute_count_agrees(
        self,
        tariff: Tariff,
        start: datetime,
        minutes: int,
        zone: str,
    ) -> None:
        # Days that begin at midnight can be read off the calendar, without knowing day starts.
        plain = Tariff.from_dict({**tariff.to_dict(), "day_start_minutes": 0, "taxes": []})
        first = start.replace(second=0, microsecond=0)
        place = ZoneInfo(zone)
        moments = [first + timedelta(minutes=n) for n in range(plain.free_minutes, minutes)]
        total_minor = 0
        for _, day in groupby(moments, key=lambda moment: moment.astimezone(place).date()):
            billed = len(list(day))
            while billed % plain.billing_step_minutes:
                billed += 1
            amount_minor = 0
            ladder = list(plain.increments)
            while billed > 0:
                rung = ladder.pop(0) if len(ladder) > 1 else ladder[0]
                amount_minor += rung.amount_minor
                billed -= rung.minutes
            cap = amount_minor if plain.day_cap_minor is None else plain.day_cap_minor
            total_minor += min(amount_minor, cap)
        assert _for(plain, first, minutes * 60, zone).total_minor == total_minor
