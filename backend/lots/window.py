"""Which windows may be booked at all, whatever the lot."""

from datetime import UTC, datetime, timedelta

from backend.errors import InvalidInput

LATEST_ARRIVAL = timedelta(minutes=5)
"""How long after its start a window may still be asked for."""
SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(days=30)
FARTHEST_AHEAD = timedelta(days=90)
USUAL_STAY = timedelta(hours=2)
QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_window(now: datetime, starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a window ``[starts_at, ends_at)`` that nobody may book.

    Raises:
        InvalidInput: it starts in the past or too far ahead, or it is empty, too short or too long.

    """
    # Two moments of one zone would subtract as wall clocks, and lose the hour of a DST change.
    start, end = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    errors: dict[str, list[str]] = {}
    if start - now < -LATEST_ARRIVAL:
        errors["starts_at"] = ["The start lies in the past."]
    elif start - now > FARTHEST_AHEAD:
        errors["starts_at"] = [f"The start lies more than {FARTHEST_AHEAD.days} days ahead."]
    length = end - start
    if length <= timedelta():
        errors["ends_at"] = ["The end must lie after the start."]
    elif length < SHORTEST:
        errors["ends_at"] = [f"The shortest stay is {SHORTEST // timedelta(minutes=1)} minutes."]
    elif length > LONGEST:
        errors["ends_at"] = [f"The longest stay is {LONGEST.days} days."]
    if errors:
        raise InvalidInput("This time cannot be booked.", errors=errors)


def default_window(
    now: datetime, starts_at: datetime | None, ends_at: datetime | None
) -> tuple[datetime, datetime]:
    """Complete a window that was asked for in part: from the next full quarter of an hour, for two hours.

    The rounding lets many askers share one answer.
    """
    if starts_at is None:
        quarters = -((EPOCH - now) // QUARTER)
        starts_at = EPOCH + quarters * QUARTER
    return starts_at, ends_at or starts_at + USUAL_STAY
