"""How many bays are free, hour by hour: the histogram under the choice of a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from backend.claims.availability import count_taken_between
from backend.errors import InvalidInput
from backend.lots.hours import open_spans, parse_opening_hours
from backend.lots.offers import is_too_high, load_capacity, load_lots, load_tariffs
from backend.lots.search import LotSearch, list_nearest
from backend.lots.window import EPOCH, FARTHEST_AHEAD, QUARTER

MOST_LOTS = 1000
"""The hours tell of so many lots, the nearest ones."""
MOST_HOURS = 48

_HOUR = timedelta(hours=1)
_FARTHEST_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class FreeHour:
    """One hour, and how many of the bays are free in all of it."""

    starts_at: datetime
    ends_at: datetime
    free: int
    capacity: int


@dataclass(frozen=True, slots=True)
class FreeHours:
    """The hours of a window, and of how many lots they tell."""

    items: list[FreeHour]
    total_lots: int


def choose_hours(
    now: datetime, starts_at: datetime | None, ends_at: datetime | None, *, zone: str
) -> tuple[datetime, datetime]:
    """Give the window to look at: what was asked for, or the day that is today in ``zone``.

    Raises:
        InvalidInput: it is not made of whole hours, is too long, or lies too far from now.

    """
    if starts_at is None:
        starts_at, midnight = _today(now, zone)
        ends_at = ends_at or midnight
    elif ends_at is None:
        ends_at = starts_at + 24 * _HOUR
    errors: dict[str, list[str]] = {}
    if starts_at - now < -_FARTHEST_BACK:
        errors["starts_at"] = [f"The start lies more than {_FARTHEST_BACK.days} days back."]
    elif starts_at - now > FARTHEST_AHEAD:
        errors["starts_at"] = [f"The start lies more than {FARTHEST_AHEAD.days} days ahead."]
    elif (starts_at - EPOCH) % QUARTER:
        # Somewhere on earth a full hour begins at each quarter.
        errors["starts_at"] = ["An hour begins at 0, 15, 30 or 45 minutes."]
    length = ends_at - starts_at
    if length <= timedelta():
        errors["ends_at"] = ["The end must lie after the start."]
    elif length % _HOUR:
        errors["ends_at"] = ["The end must lie whole hours after the start."]
    elif length > MOST_HOURS * _HOUR:
        errors["ends_at"] = [f"At most {MOST_HOURS} hours can be looked at."]
    if errors:
        raise InvalidInput("These hours cannot be looked at.", errors=errors)
    return starts_at, ends_at


def count_free_hours(search: LotSearch, *, lot_id: int | None = None) -> FreeHours:
    """Count for each hour of the window the bays that fit and are free in all of it, over all lots found.

    Lots that nobody can book with this vehicle are left out: too low ones, and those without a tariff.
    While a lot is closed, its bays are not free. Of more than ``MOST_LOTS`` lots the nearest are counted.
    """
    found = list_nearest(search, MOST_LOTS, lot_id=lot_id)
    lots, tariffs = load_lots(found), load_tariffs(found)
    lots = {
        each: lot
        for each, lot in lots.items()
        if each in tariffs and lot.status == "open" and not is_too_high(lot, search.height_cm)
    }
    capacity = load_capacity(list(lots))
    fitting = {
        each: sum(capacity.get(each, {}).get(kind, 0) for kind in search.kinds) for each in lots
    }
    moments = _moments(search.starts_at, search.ends_at)
    taken = count_taken_between(list(lots), kinds=search.kinds, moments=moments)
    none = [0] * (len(moments) - 1)
    free = [0] * (len(moments) - 1)
    for each, lot in lots.items():
        for number in _open_hours(lot.opening_hours, lot.timezone, moments):
            free[number] += fitting[each] - taken.get(each, none)[number]
    total = sum(fitting.values())
    return FreeHours(
        [
            FreeHour(starts_at, ends_at, count, total)
            for (starts_at, ends_at), count in zip(pairwise(moments), free, strict=True)
        ],
        len(lots),
    )


def _today(now: datetime, zone: str) -> tuple[datetime, datetime]:
    here = ZoneInfo(zone)
    day = now.astimezone(here).date()
    first, last = (
        datetime.combine(each, time(), here).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return first, last


def _moments(starts_at: datetime, ends_at: datetime) -> tuple[datetime, ...]:
    hours = (ends_at - starts_at) // _HOUR
    return tuple(starts_at + number * _HOUR for number in range(hours + 1))


def _open_hours(written: str, zone: str, moments: tuple[datetime, ...]) -> list[int]:
    """List the hours in all of which a lot is open."""
    spans = open_spans(parse_opening_hours(written), moments[0], moments[-1], ZoneInfo(zone))
    return [
        number
        for number, (starts_at, ends_at) in enumerate(pairwise(moments))
        if any(opens_at <= starts_at and ends_at <= closes_at for opens_at, closes_at in spans)
    ]
