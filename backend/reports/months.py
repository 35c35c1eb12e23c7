"""Months as a clock on a wall tells them: where one begins and ends, and whose report is due."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS_BACK = 3
"""Months that were missed are made up so far back."""
_DUE_AT = time(6)
_LONGEST_MONTH = timedelta(days=31)


def month_of(moment: datetime, zone: str) -> date:
    """Give the first day of the month in which a moment lies for a clock in this zone."""
    return moment.astimezone(ZoneInfo(zone)).date().replace(day=1)


def month_after(month: date) -> date:
    """Give the first day of the next month."""
    return (month.replace(day=1) + _LONGEST_MONTH).replace(day=1)


def month_before(month: date) -> date:
    """Give the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def bounds_of(month: date, zone: str) -> tuple[datetime, datetime]:
    """Give the moments, in UTC, from which and before which a clock in this zone shows the month."""
    return _first_moment(month, zone), _first_moment(month_after(month), zone)


def is_over(month: date, zone: str, now: datetime) -> bool:
    """Tell whether the month is past for a clock in this zone."""
    return bounds_of(month, zone)[1] <= now


def due_months(zone: str, now: datetime) -> Iterator[date]:
    """Give the months whose reports are due for a clock in this zone, the newest first.

    The last one is from six in the morning of the first on: whoever leaves at night is home by then.
    """
    month = month_of(now, zone)
    for _ in range(MONTHS_BACK):
        month = month_before(month)
        if _due_from(month, zone) <= now:
            yield month


def _due_from(month: date, zone: str) -> datetime:
    return datetime.combine(month_after(month), _DUE_AT, ZoneInfo(zone)).astimezone(UTC)


def _first_moment(month: date, zone: str) -> datetime:
    return datetime.combine(month.replace(day=1), time(), ZoneInfo(zone)).astimezone(UTC)
