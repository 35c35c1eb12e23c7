"""When the demo's car parks are used: stays whose shape over the day follows counts of real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import TypeAlias
from zoneinfo import ZoneInfo

from backend.lots.hours import OpeningHours, is_open_throughout

Curve: TypeAlias = Sequence[Sequence[float]]
"""How full a place is, by weekday from Monday and local hour."""

DAYS_BACK = 7
DAYS_AHEAD = 7
DAYS_A_MONTH = 30.4

# How much business a day has, compared with a busy one. What people look at is busy: today and the days that
# they book for. The days around them are quiet, or the demo would take long to load.
_BUSY_DAYS = {-1: 0.2, 0: 1.0, 1: 0.9, 2: 0.6}
_QUIET_DAY = 0.04
# Of a long history each day counts alike.
_USUAL_DAY = 0.3
# A year ago the demo's operator had about a quarter of today's customers.
_GROWTH_A_DAY = 0.0022
_LEAST_BUSINESS = 0.3

_LENGTHS = ((60, 180), (180, 360), (420, 600))
"""Minutes at least and at most: an errand, half a day, a working day."""
_LENGTH_WEIGHTS = (35, 35, 30)
_MEAN_HOURS = 4.8
_KIND_WEIGHTS = {"standard": 86, "electric": 8, "motorcycle": 3, "large": 3}
"""Accessible bays are for drivers with a confirmed permit, which nobody of the demo has."""
_FILLED_AT_MOST = 0.95
_BY_DAY = range(8, 21)

_STEP = timedelta(minutes=5)
_LATEST_BOOKING = timedelta(minutes=10)
_USUAL_LEAD = timedelta(hours=18)
_LONGEST_LEAD = timedelta(days=6)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A lot as its users see it."""

    lot_id: int
    zone: ZoneInfo
    hours: OpeningHours
    height_limit_cm: int | None
    curve: Curve
    peak: float
    """The share of the bays taken at the fullest hour of a busy day; from 1 on, more come than find room."""
    bays: Mapping[str, Sequence[int]]
    """Ids of the bays of each kind, the nearest to the entrance first."""

    @property
    def capacity(self) -> int:
        """How many bays it has."""
        return sum(map(len, self.bays.values()))


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody's time on one bay, and when it was booked and paid."""

    place: Place
    kind: str
    spot_id: int
    starts_at: datetime
    ends_at: datetime
    booked_at: datetime
    paid_at: datetime


@dataclass(slots=True)
class _Bays:
    """The bays of a kind, and until when each is taken."""

    spot_ids: Sequence[int]
    is_overrun: bool
    taken_until: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        # Some stay free whatever happens, so that all lots but the overrun ones can be booked.
        usable = int(len(self.spot_ids) * (1 if self.is_overrun else _FILLED_AT_MOST))
        self.taken_until = [datetime.min.replace(tzinfo=UTC)] * usable

    def take(self, starts_at: datetime, ends_at: datetime) -> int | None:
        """Take the nearest free bay; stays come in the order of their starts."""
        for index, taken_until in enumerate(self.taken_until):
            if taken_until <= starts_at:
                self.taken_until[index] = ends_at
                return self.spot_ids[index]
        return None


def plan_stays(places: Sequence[Place], *, now: datetime, months: int, rng: Random) -> list[Stay]:
    """Plan the stays from a week, and ``months`` before it, back to a week ahead, by their starts.

    No bay is taken twice at a time. The same places, day and ``rng`` give the same windows.
    """
    wishes = [
        (starts_at, ends_at, place)
        for place in places
        for day, business in list_days(now.astimezone(place.zone).date(), months)
        for starts_at, ends_at in _windows(place, day, business, rng)
    ]
    # Sorting by more would compare places; equal windows keep their order.
    wishes.sort(key=lambda wish: (wish[0], wish[1], wish[2].lot_id))
    bays = {
        (place.lot_id, kind): _Bays(spot_ids, is_overrun=place.peak >= 1)
        for place in places
        for kind, spot_ids in place.bays.items()
    }
    stays = []
    for starts_at, ends_at, place in wishes:
        kinds = [kind for kind in _KIND_WEIGHTS if kind in place.bays]
        kind = rng.choices(kinds, [_KIND_WEIGHTS[kind] for kind in kinds])[0]
        booked_at, paid_at = _booking(starts_at, now, rng)
        # A car that finds no bay of its size takes a larger one.
        for each in (kind, "large") if kind == "standard" and "large" in place.bays else (kind,):
            spot_id = bays[place.lot_id, each].take(starts_at, ends_at)
            if spot_id is not None:
                stays.append(Stay(place, each, spot_id, starts_at, ends_at, booked_at, paid_at))
                break
    return stays


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Give the mean of curves, hour by hour."""
    return [
        [sum(curve[weekday][hour] for curve in curves) / len(curves) for hour in range(24)]
        for weekday in range(7)
    ]


def day_visitors(curve: Curve, others: Curve) -> Curve:
    """Give the visitors of each day, 1 at its fullest hour, without those who stand there all night.

    They hold season tickets, and book nothing. A day whose fullest hour lies in the night was counted by
    a counter that stopped, and is as that of the ``others``.
    """
    days = []
    for own, usual in zip(curve, others, strict=True):
        hours = own if own.index(max(own)) in _BY_DAY else usual
        least, most = min(hours), max(hours)
        days.append([(share - least) / (most - least) for share in hours])
    return days


def list_days(today: date, months: int) -> list[tuple[date, float]]:
    """List the days to fill, each with how much of a busy day's business it has."""
    history = round(months * DAYS_A_MONTH)
    days = []
    for offset in range(-DAYS_BACK - history, DAYS_AHEAD + 1):
        if months and offset < min(_BUSY_DAYS):
            grown = 1 + _GROWTH_A_DAY * min(0, offset + DAYS_BACK)
            business = _USUAL_DAY * max(_LEAST_BUSINESS, grown)
        else:
            business = _BUSY_DAYS.get(offset, _QUIET_DAY)
        days.append((today + timedelta(days=offset), business))
    return days


def _windows(
    place: Place, day: date, business: float, rng: Random
) -> list[tuple[datetime, datetime]]:
    """Give the windows of a day: around moments that are as frequent as its hours are full."""
    hours = place.curve[day.weekday()]
    bay_hours = place.peak * place.capacity * sum(hours) * business
    # The fraction decides by chance, so that small places have their days too.
    count = int(bay_hours / _MEAN_HOURS + rng.random())
    if not count:
        return []
    cumulative = list(accumulate(hours))
    windows = []
    for _ in range(count):
        for _ in range(_TRIES):
            window = _window(place, day, cumulative, rng)
            if is_open_throughout(place.hours, *window, place.zone):
                windows.append(window)
                break
    return windows


def _window(
    place: Place, day: date, cumulative: Sequence[float], rng: Random
) -> tuple[datetime, datetime]:
    hour = rng.choices(range(24), cum_weights=cumulative)[0]
    moment = datetime.combine(day, time(hour, rng.randrange(60)), place.zone).astimezone(UTC)
    shortest, longest = rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
    length = timedelta(minutes=rng.randrange(shortest, longest + 1, 15))
    starts_at = _floor(moment - length * rng.random())
    return starts_at, starts_at + length


def _floor(moment: datetime) -> datetime:
    return moment - (moment - datetime.min.replace(tzinfo=UTC)) % _STEP


def _booking(starts_at: datetime, now: datetime, rng: Random) -> tuple[datetime, datetime]:
    lead = min(_USUAL_LEAD * rng.expovariate(1), _LONGEST_LEAD)
    latest = now - _LATEST_BOOKING
    booked_at = starts_at - lead
    if booked_at > latest:
        booked_at = latest - timedelta(days=3) * rng.random()
    return booked_at, booked_at + timedelta(seconds=rng.randrange(40, 240))
