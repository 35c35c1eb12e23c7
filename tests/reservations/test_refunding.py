"""How much comes back at each moment, to the second."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.quotes.refund_policy import refund_policy
from backend.reservations.refunding import RefundShare, refund_share

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
START = datetime(2026, 6, 10, 12, tzinfo=UTC)
LONG_AGO = START - timedelta(days=20)


def share(policy: str, at: datetime, *, booked_at: datetime = LONG_AGO) -> RefundShare:
    return refund_share(refund_policy(policy), booked_at=booked_at, starts_at=START, at=at)


@pytest.mark.parametrize(
    ("policy", "before", "percent", "until"),
    [
        ("flexible", 20 * 24 * HOUR, 100, 0 * HOUR),
        ("flexible", SECOND, 100, 0 * HOUR),
        ("flexible", 0 * SECOND, 100, 0 * HOUR),
        ("flexible", -SECOND, 0, None),
        ("standard", 24 * HOUR + SECOND, 100, 24 * HOUR),
        ("standard", 24 * HOUR, 100, 24 * HOUR),
        ("standard", 24 * HOUR - SECOND, 75, 2 * HOUR),
        ("standard", 2 * HOUR + SECOND, 75, 2 * HOUR),
        ("standard", 2 * HOUR, 75, 2 * HOUR),
        ("standard", 2 * HOUR - SECOND, 50, 0 * HOUR),
        ("standard", SECOND, 50, 0 * HOUR),
        ("standard", 0 * SECOND, 50, 0 * HOUR),
        ("standard", -SECOND, 0, None),
        ("saver", 20 * 24 * HOUR - HOUR, 0, None),
        ("saver", SECOND, 0, None),
        ("saver", -SECOND, 0, None),
    ],
)
def test_the_steps_of_a_policy_hold_to_the_second(
    policy: str, before: timedelta, percent: int, until: timedelta | None
) -> None:
    found = share(policy, START - before)
    assert found.percent == percent
    assert found.reason == ("over" if before < timedelta() else "policy")
    assert found.until == (None if until is None else START - until)


@pytest.mark.parametrize("policy", ["standard", "saver"])
@pytest.mark.parametrize(
    ("booked_before", "passed", "is_all"),
    [
        (3 * HOUR, 15 * MINUTE, True),
        (3 * HOUR, 15 * MINUTE + SECOND, False),
        # Over an hour before the start, and not a second later.
        (HOUR + 5 * MINUTE, 5 * MINUTE - SECOND, True),
        (HOUR + 5 * MINUTE, 5 * MINUTE, False),
        (HOUR, 0 * MINUTE, False),
    ],
)
def test_all_comes_back_within_minutes_of_booking_if_the_start_is_far(
    policy: str, booked_before: timedelta, passed: timedelta, is_all: bool
) -> None:
    booked_at = START - booked_before
    found = share(policy, booked_at + passed, booked_at=booked_at)
    assert (found.percent == 100) is is_all
    assert (found.reason == "just-booked") is is_all
    if is_all:
        assert found.until == min(booked_at + 15 * MINUTE, START - HOUR)


def test_what_the_policy_gives_anyhow_is_no_favour_to_who_just_booked() -> None:
    booked_at = START - 48 * HOUR
    found = share("standard", booked_at + MINUTE, booked_at=booked_at)
    assert found == RefundShare(100, "policy", START - 24 * HOUR)


def test_hours_are_those_that_pass_when_the_clocks_change() -> None:
    # In Berlin the night of 25 October 2026 has an hour more, that of 29 March an hour less.
    berlin = ZoneInfo("Europe/Berlin")
    for noon, lost in (
        (datetime(2026, 10, 25, 12, tzinfo=berlin), 1),
        (datetime(2026, 3, 29, 12, tzinfo=berlin), -1),
    ):
        start = noon.astimezone(UTC)
        # Wall clocks count here: the same hour of the day before.
        same_time_before = (noon - timedelta(days=1)).astimezone(UTC)
        assert start - same_time_before == (24 + lost) * HOUR
        found = refund_share(
            refund_policy("standard"),
            booked_at=start - timedelta(days=20),
            starts_at=start,
            at=same_time_before,
        )
        assert found.percent == (100 if lost == 1 else 75)


def test_the_share_only_ever_falls_and_falls_when_it_was_told() -> None:
    for policy in ("flexible", "standard", "saver"):
        booked_at = START - 30 * HOUR
        at, before = booked_at, 100
        while at < START + HOUR:
            found = share(policy, at, booked_at=booked_at)
            assert found.percent <= before
            if found.until is not None:
                assert share(policy, found.until, booked_at=booked_at).percent == found.percent
                after = share(policy, found.until + SECOND, booked_at=booked_at)
                assert after.percent < found.percent
            before = found.percent
            at += 7 * MINUTE
