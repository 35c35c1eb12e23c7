from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.lots.hours import (
    DAY_NAMES,
    OpeningHours,
    is_open_throughout,
    open_spans,
    parse_opening_hours,
)

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
# A Monday.
MONDAY = datetime(2026, 6, 1, tzinfo=BERLIN)


def _is_open(text: str, starts_at: str, ends_at: str, zone: ZoneInfo = BERLIN) -> bool:
    start = datetime.fromisoformat(starts_at).replace(tzinfo=zone)
    end = datetime.fromisoformat(ends_at).replace(tzinfo=zone)
    return is_open_throughout(parse_opening_hours(text), start, end, zone)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("24/7", "24/7"),
            ("Mo-Fr 07:00-20:30; Sa 07:00-21:00", "Mo-Fr 07:00-20:30; Sa 07:00-21:00"),
            ("00:00-24:00", "24/7"),
            ("Mo-Su 00:00-12:00,12:00-24:00", "24/7"),
            ("06:00-23:00", "Mo-Su 06:00-23:00"),
            ("Mo,We 08:00-12:00,13:00-18:00", "Mo,We 08:00-12:00,13:00-18:00"),
            ("We,Mo 13:00-18:00 , 08:00-12:00", "Mo,We 08:00-12:00,13:00-18:00"),
            ("Fr-Sa 18:00-02:00", "Fr-Sa 18:00-02:00"),
            ("Mo-Fr 07:00-24:00", "Mo-Fr 07:00-24:00"),
            ("Sa-Mo 10:00-12:00", "Mo,Sa-Su 10:00-12:00"),
            ("24/7; Su off", "Mo-Sa 00:00-24:00"),
            ("08:00-20:00; Sa-Su off", "Mo-Fr 08:00-20:00"),
            ("08:00-20:00; Su 10:00-12:00", "Mo-Sa 08:00-20:00; Su 10:00-12:00"),
            ("Mo-Fr 8:00 \N{EN DASH} 9:30;", "Mo-Fr 08:00-09:30"),
            ("mo-fr: 08:00-09:30", "Mo-Fr 08:00-09:30"),
            ("Mo-Fr", "Mo-Fr 00:00-24:00"),
            ("08:00-20:00,20:00-06:00", "Mo-Su 08:00-06:00"),
            ("08:00-20:00,20:00-09:00", "Mo-Su 08:00-20:00,20:00-09:00"),
            ("off", "off"),
            ("closed", "off"),
        ],
    )
    def test_text_is_given_back_in_one_spelling(self, text: str, canonical: str) -> None:
        hours = parse_opening_hours(text)
        assert str(hours) == canonical
        assert parse_opening_hours(canonical) == hours

    @pytest.mark.parametrize(
        "text",
        [
            *("", ";", "whenever", "Mo-", "Mo-Xx 08:00-09:00", "Mo-Fr 08:00", "08:00-25:00"),
            *("08:61-09:00", "24:00-02:00", "08:00-08:00", "PH off", "Mo 08:00-12:00,11:00-13:00"),
            *(
                "Mo-Fr 08:00-09:00 Sa 10:00-11:00",
                "sunrise-sunset",
                "Monday 08:00-09:00",
                "Mo" * 200,
            ),
            *("\uff11\uff12:00-13:00", "08:00-09:00,", "24/7 off", "week 1-5 Mo 08:00-09:00", "\0"),
        ],
    )
    def test_anything_else_is_refused_with_a_sentence(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^[\"OT].*\.$"):
            parse_opening_hours(text)

    def test_always_is_the_week_without_end(self) -> None:
        assert parse_opening_hours("24/7") == OpeningHours.always
        assert OpeningHours.always.is_always
        assert not parse_opening_hours("Mo-Sa 00:00-24:00").is_always

    @given(st.text(alphabet="MoTuWeSa-,;:0123456789 /of", max_size=40))
    @settings(deadline=None)
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            hours = parse_opening_hours(text)
        except ValueError:
            return
        assert parse_opening_hours(str(hours)) == hours


class TestIsOpenThroughout:
    @pytest.mark.parametrize(
        ("text", "starts_at", "ends_at", "expected"),
        [
            ("Mo-Fr 07:00-20:30", "2026-06-01T07:00", "2026-06-01T20:30", True),
            ("Mo-Fr 07:00-20:30", "2026-06-01T06:59", "2026-06-01T10:00", False),
            ("Mo-Fr 07:00-20:30", "2026-06-01T19:00", "2026-06-01T20:31", False),
            ("Mo-Fr 07:00-20:30", "2026-06-06T10:00", "2026-06-06T11:00", False),
            ("Mo-Fr 07:00-20:30", "2026-06-01T10:00", "2026-06-02T10:00", False),
            ("08:00-12:00,13:00-18:00", "2026-06-01T11:00", "2026-06-01T14:00", False),
            ("08:00-12:00,12:00-18:00", "2026-06-01T11:00", "2026-06-01T14:00", True),
            ("18:00-02:00", "2026-06-01T23:00", "2026-06-02T02:00", True),
            ("18:00-02:00", "2026-06-01T01:00", "2026-06-01T02:00", True),
            ("Mo 18:00-02:00", "2026-06-01T01:00", "2026-06-01T02:00", False),
            ("Fr 18:00-02:00; Sa off", "2026-06-05T23:00", "2026-06-06T01:30", True),
            ("Mo 18:00-24:00; Tu 00:00-06:00", "2026-06-01T19:00", "2026-06-02T05:00", True),
            ("Mo-Sa 00:00-24:00", "2026-06-01T00:00", "2026-06-07T00:00", True),
            ("Mo-Sa 00:00-24:00", "2026-06-01T00:00", "2026-06-07T00:01", False),
            ("Mo-Su 08:00-20:00,20:00-08:00", "2026-06-01T00:00", "2026-07-01T00:00", True),
            ("off", "2026-06-01T10:00", "2026-06-01T11:00", False),
            ("24/7", "2026-06-01T00:00", "2026-07-01T00:00", True),
        ],
    )
    def test_whole_window_must_be_open(
        self, text: str, starts_at: str, ends_at: str, expected: bool
    ) -> None:
        assert _is_open(text, starts_at, ends_at) is expected

    def test_rules_are_read_in_the_zone_of_the_lot(self) -> None:
        hours = parse_opening_hours("09:00-18:00")
        starts_at = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
        ends_at = starts_at + timedelta(hours=1)
        assert is_open_throughout(hours, starts_at, ends_at, KOLKATA)
        assert not is_open_throughout(hours, starts_at, ends_at, BERLIN)

    def test_evening_counts_for_its_own_weekday_in_another_zone(self) -> None:
        hours = parse_opening_hours("Mo 00:00-24:00")
        # Sunday evening in UTC is Monday in Kolkata.
        starts_at = datetime(2026, 5, 31, 19, 0, tzinfo=UTC)
        assert is_open_throughout(hours, starts_at, starts_at + timedelta(hours=2), KOLKATA)

    @pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
    def test_change_of_clocks_opens_no_hole(self, day: str) -> None:
        start = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
        for text in ("00:00-02:30,02:30-24:00", "18:00-06:00,06:00-18:00"):
            hours = parse_opening_hours(text)
            assert is_open_throughout(hours, start, start + timedelta(days=3), BERLIN)

    def test_hours_over_the_change_of_clocks_are_those_on_the_clock(self) -> None:
        hours = parse_opening_hours("Su 00:00-06:00")
        spring = datetime(2026, 3, 29, tzinfo=BERLIN).astimezone(UTC)
        assert is_open_throughout(hours, spring, spring + timedelta(hours=5), BERLIN)
        assert not is_open_throughout(hours, spring, spring + timedelta(hours=6), BERLIN)
        autumn = datetime(2026, 10, 25, tzinfo=BERLIN).astimezone(UTC)
        assert is_open_throughout(hours, autumn, autumn + timedelta(hours=7), BERLIN)
        assert not is_open_throughout(hours, autumn, autumn + timedelta(hours=8), BERLIN)

    @given(
        pieces=st.lists(
            st.tuples(st.sampled_from(DAY_NAMES), st.integers(0, 22), st.integers(1, 24)),
            max_size=5,
        ),
        start_hour=st.integers(0, 24 * 9),
        length=st.integers(1, 30),
    )
    @settings(deadline=None)
    def test_agrees_with_a_look_at_every_hour(
        self, pieces: list[tuple[str, int, int]], start_hour: int, length: int
    ) -> None:
        open_hours: set[int] = set()
        rules: dict[str, str] = {}
        for name, opens, length_open in pieces:
            closes = (opens + length_open) % 24
            if closes == opens:
                continue
            rules[name] = f"{name} {opens:02}:00-{closes:02}:00"
        for name, rule in rules.items():
            opens, closes = int(rule[3:5]), int(rule[9:11])
            for offset in range((closes - opens) % 24):
                open_hours.add((DAY_NAMES.index(name) * 24 + opens + offset) % 168)
        hours = parse_opening_hours("; ".join(rules.values()) or "off")
        starts_at = MONDAY + timedelta(hours=start_hour)
        expected = all((start_hour + offset) % 168 in open_hours for offset in range(length))
        ends_at = starts_at + timedelta(hours=length)
        assert is_open_throughout(hours, starts_at, ends_at, BERLIN) is expected


class TestOpenSpans:
    @pytest.mark.parametrize(
        ("text", "spans"),
        [
            ("24/7", [("01T06:00", "04T06:00")]),
            ("off", []),
            ("Mo-Tu 07:00-20:30", [("01T07:00", "01T20:30"), ("02T07:00", "02T20:30")]),
            ("Mo 05:00-08:00", [("01T06:00", "01T08:00")]),
            ("Th 05:00-08:00", [("04T05:00", "04T06:00")]),
            ("Mo 18:00-02:00", [("01T18:00", "02T02:00")]),
            ("Su 18:00-08:00", [("01T06:00", "01T08:00")]),
            # What touches at midnight is one span.
            ("Mo 20:00-24:00; Tu 00:00-10:00", [("01T20:00", "02T10:00")]),
            ("Mo-We 00:00-24:00", [("01T06:00", "04T00:00")]),
        ],
    )
    def test_they_are_cut_to_the_window_and_joined(
        self, text: str, spans: list[tuple[str, str]]
    ) -> None:
        found = open_spans(
            parse_opening_hours(text),
            MONDAY + timedelta(hours=6),
            MONDAY + timedelta(days=3, hours=6),
            BERLIN,
        )
        assert found == [tuple(map(_june, span)) for span in spans]

    @pytest.mark.parametrize(
        "text", ["Mo-Fr 07:00-20:30; Sa 09:00-02:00", "22:00-06:00,06:00-09:15", "Su 01:00-04:00"]
    )
    @pytest.mark.parametrize("day", ["2026-03-27", "2026-06-01", "2026-10-23"])
    def test_they_hold_what_is_open_throughout_and_nothing_else(self, text: str, day: str) -> None:
        hours = parse_opening_hours(text)
        first = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
        quarters = [first + timedelta(minutes=15) * number for number in range(4 * 24 * 5)]
        last = quarters[-1] + timedelta(minutes=15)
        spans = open_spans(hours, first, last, BERLIN)
        for start in quarters:
            end = start + timedelta(minutes=15)
            is_held = any(opens <= start and end <= closes for opens, closes in spans)
            assert is_held == is_open_throughout(hours, start, end, BERLIN)
        for opens, closes in spans:
            assert is_open_throughout(hours, opens, closes, BERLIN)


def _june(written: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{written}").replace(tzinfo=BERLIN)
