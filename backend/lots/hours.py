"""Opening hours, read from the part of OpenStreetMap's notation that car parks use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, TypeAlias
from zoneinfo import ZoneInfo

MinuteRange: TypeAlias = tuple[int, int]
"""Minutes after local midnight, half-open; an end beyond 1440 lies on the next day."""

DAY_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
LONGEST_TEXT = 255

_DAY = "(?:mo|tu|we|th|fr|sa|su)"
_DAYS = re.compile(rf"({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*)(?![a-z])")
_TIMES = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_AROUND_SIGNS = re.compile(r"\s*([-,;])\s*")
_MINUTES_A_DAY = 24 * 60
_ALL_DAY: tuple[MinuteRange, ...] = ((0, _MINUTES_A_DAY),)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The weekly rule of a lot; ``str()`` gives it back in one canonical spelling."""

    days: tuple[tuple[MinuteRange, ...], ...]
    """Seven entries from Monday, each sorted and without overlap; an empty one is closed."""

    always: ClassVar["OpeningHours"]

    @property
    def is_always(self) -> bool:
        """Whether the lot never closes."""
        return all(ranges == _ALL_DAY for ranges in self.days)

    def __str__(self) -> str:
        if self.is_always:
            return "24/7"
        weekdays_by_ranges: dict[tuple[MinuteRange, ...], list[int]] = {}
        for weekday, ranges in enumerate(self.days):
            if ranges:
                weekdays_by_ranges.setdefault(ranges, []).append(weekday)
        rules = (
            f"{_write_days(weekdays)} {','.join(map(_write_range, ranges))}"
            for ranges, weekdays in weekdays_by_ranges.items()
        )
        return "; ".join(rules) or "off"


OpeningHours.always = OpeningHours(days=(_ALL_DAY,) * 7)


@lru_cache(maxsize=1024)
def parse_opening_hours(text: str) -> OpeningHours:
    """Read opening hours such as ``Mo-Fr 07:00-20:30; Sa 07:00-21:00`` or ``24/7``.

    A later rule replaces an earlier one on the days it names, as in OpenStreetMap.

    Raises:
        ValueError: the text is outside the notation; the message is a sentence for people.

    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"Opening hours may have at most {LONGEST_TEXT} characters.")
    # People paste dashes of every length; the notation knows only the hyphen.
    plain = text.strip().lower().replace("\N{EN DASH}", "-").replace("\N{EM DASH}", "-")
    plain = _AROUND_SIGNS.sub(r"\1", plain)
    rules = [rule for rule in plain.split(";") if rule]
    if not rules:
        raise ValueError('Opening hours are empty; write "24/7" for a lot that never closes.')
    days: list[tuple[MinuteRange, ...]] = [()] * 7
    for rule in rules:
        weekdays, ranges = _read_rule(rule.strip())
        for weekday in weekdays:
            days[weekday] = ranges
    return OpeningHours(days=tuple(days))


def is_open_throughout(
    hours: OpeningHours, starts_at: datetime, ends_at: datetime, zone: ZoneInfo
) -> bool:
    """Whether a lot in ``zone`` is open at every instant of ``[starts_at, ends_at)``.

    Ranges that touch, at midnight too, count as one. Instants must be aware.
    """
    if hours.is_always:
        return True
    open_from_here = starts_at.astimezone(UTC)
    last = ends_at.astimezone(UTC)
    for opens_at, closes_at in _open_windows(hours, starts_at, ends_at, zone):
        if opens_at > open_from_here:
            return False
        open_from_here = max(open_from_here, closes_at)
        if open_from_here >= last:
            return True
    return False


def open_spans(
    hours: OpeningHours, starts_at: datetime, ends_at: datetime, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """List the spans of ``[starts_at, ends_at)`` in which a lot in ``zone`` is open, in UTC and in order.

    Ranges that touch, at midnight too, are one span.
    """
    first, last = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    if hours.is_always:
        return [(first, last)]
    spans: list[tuple[datetime, datetime]] = []
    for opens_at, closes_at in _open_windows(hours, starts_at, ends_at, zone):
        start, end = max(opens_at, first), min(closes_at, last)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        elif start < end:
            spans.append((start, end))
    return spans


def _open_windows(
    hours: OpeningHours, starts_at: datetime, ends_at: datetime, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Windows in UTC, by opening, of each local day that may touch the span."""
    # The evening before may run past midnight into the span.
    day = starts_at.astimezone(zone).date() - timedelta(days=1)
    last_day = ends_at.astimezone(zone).date()
    while day <= last_day:
        for opens, closes in hours.days[day.weekday()]:
            # A clock time that happens twice in autumn opens at its first coming and closes at
            # its last; one that is skipped in spring means the same instant for both, so that
            # ranges that touch on paper touch on every day.
            opens_at = _instant(day, opens, zone)
            closes_at = max(_instant(day, closes, zone), _instant(day, closes, zone, fold=1))
            yield opens_at, closes_at
        day += timedelta(days=1)


def _instant(day: date, minutes: int, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    days, minute_of_day = divmod(minutes, _MINUTES_A_DAY)
    hour, minute = divmod(minute_of_day, 60)
    clock_time = time(hour, minute, tzinfo=zone, fold=fold)
    return datetime.combine(day + timedelta(days=days), clock_time).astimezone(UTC)


def _read_rule(rule: str) -> tuple[list[int], tuple[MinuteRange, ...]]:
    if rule == "24/7":
        return list(range(7)), _ALL_DAY
    weekdays = list(range(7))
    times = rule
    if found := _DAYS.match(rule):
        weekdays = _read_days(found[1])
        # Also "Mo-Fr: 07:00-20:00", which people write; days alone mean the whole day.
        times = rule[found.end() :].removeprefix(":").strip()
        if not times:
            return weekdays, _ALL_DAY
    if times in {"off", "closed"}:
        return weekdays, ()
    ranges = sorted(_read_range(part.strip(), rule) for part in times.split(","))
    for (_, closes), (opens, _) in pairwise(ranges):
        if opens < closes:
            raise ValueError(f'The times in "{rule}" overlap.')
    return weekdays, _join_touching(ranges)


def _read_days(text: str) -> list[int]:
    names = [name.lower() for name in DAY_NAMES]
    weekdays: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = names.index(first)
        # Saturday to Monday wraps around the end of the week.
        length = (names.index(last or first) - start) % 7 + 1
        weekdays += [(start + offset) % 7 for offset in range(length)]
    return weekdays


def _read_range(text: str, rule: str) -> MinuteRange:
    found = _TIMES.fullmatch(text)
    if found is None:
        raise ValueError(
            f'"{rule}" cannot be read as opening hours; write them like'
            ' "Mo-Fr 07:00-20:30; Sa 07:00-21:00", "24/7" or "Su off".'
        )
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    opens = first_hour * 60 + first_minute
    closes = last_hour * 60 + last_minute
    if max(first_minute, last_minute) > 59 or opens >= _MINUTES_A_DAY or closes > _MINUTES_A_DAY:
        raise ValueError(f'"{text}" is not a time of day from 00:00 to 24:00.')
    if opens == closes:
        raise ValueError(f'"{text}" opens and closes at once; the whole day is "00:00-24:00".')
    return opens, closes if closes > opens else closes + _MINUTES_A_DAY


def _join_touching(ranges: list[MinuteRange]) -> tuple[MinuteRange, ...]:
    joined: list[MinuteRange] = []
    for opens, closes in ranges:
        if joined and joined[-1][1] == opens and _can_be_written((joined[-1][0], closes)):
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return tuple(joined)


def _can_be_written(span: MinuteRange) -> bool:
    # "08:00-08:00" says nothing, so a span of a day or more stays in two pieces.
    return span == _ALL_DAY[0] or span[1] - span[0] < _MINUTES_A_DAY


def _write_days(weekdays: list[int]) -> str:
    runs: list[list[int]] = []
    for weekday in weekdays:
        if runs and runs[-1][-1] == weekday - 1:
            runs[-1].append(weekday)
        else:
            runs.append([weekday])
    return ",".join(
        DAY_NAMES[run[0]] if len(run) == 1 else f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}"
        for run in runs
    )


def _write_range(span: MinuteRange) -> str:
    opens, closes = span
    # Midnight as an end is 24:00; later ends lie on the next day and are written as its time.
    closes = closes if closes <= _MINUTES_A_DAY else closes - _MINUTES_A_DAY
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
