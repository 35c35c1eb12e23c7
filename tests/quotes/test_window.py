"""Which windows may be booked at all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.errors import InvalidInput
from backend.lots.window import check_window

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def _refused_fields(starts_at: datetime, ends_at: datetime) -> set[str]:
    with pytest.raises(InvalidInput) as refusal:
        check_window(NOW, starts_at, ends_at)
    errors: dict[str, list[str]] = refusal.value.extensions["errors"]
    return set(errors)


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (timedelta(), HOUR),
        (-5 * MINUTE, HOUR),
        (HOUR, 15 * MINUTE),
        (HOUR, 30 * DAY),
        (90 * DAY, HOUR),
    ],
)
def test_a_window_on_the_bounds_passes(start: timedelta, length: timedelta) -> None:
    check_window(NOW, NOW + start, NOW + start + length)


@pytest.mark.parametrize(
    ("start", "length", "field"),
    [
        (-5 * MINUTE - MOMENT, HOUR, "starts_at"),
        (90 * DAY + MOMENT, HOUR, "starts_at"),
        (HOUR, 15 * MINUTE - MOMENT, "ends_at"),
        (HOUR, 30 * DAY + MOMENT, "ends_at"),
        (HOUR, timedelta(), "ends_at"),
        (HOUR, -HOUR, "ends_at"),
    ],
)
def test_a_window_beyond_a_bound_is_refused_by_the_name_of_its_field(
    start: timedelta, length: timedelta, field: str
) -> None:
    assert _refused_fields(NOW + start, NOW + start + length) == {field}


def test_every_wrong_field_is_named_at_once() -> None:
    assert _refused_fields(NOW - DAY, NOW - 2 * DAY) == {"starts_at", "ends_at"}


def test_the_length_is_elapsed_time_also_where_clocks_are_put_back() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 2, 50, tzinfo=berlin)
    after = datetime(2026, 10, 25, 2, 0, tzinfo=berlin, fold=1)
    with pytest.raises(InvalidInput, match="cannot be booked"):
        check_window(before.astimezone(UTC), before, after)
    check_window(before.astimezone(UTC), before, after.replace(minute=5))
