"""The time, as every part of the system sees it."""

from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """Tell the time: an aware instant in UTC, moved by the offset of tests and demos."""
    return datetime.now(UTC) + _offset


def move(offset: timedelta) -> None:
    """Set how far this process's clock stands from the real one; ``create_app`` applies the setting."""
    global _offset  # noqa: PLW0603 - the clock is the one thing that a process has one of
    _offset = offset
