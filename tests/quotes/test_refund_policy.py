"""What comes back after a cancellation, by policy."""

from backend.models.lot import REFUND_POLICIES
from backend.quotes.refund_policy import RefundStep, refund_policy


def _steps(name: str) -> list[tuple[int, int]]:
    return [(step.until_hours_before, step.percent) for step in refund_policy(name).steps]


def test_flexible_gives_all_until_the_start() -> None:
    assert _steps("flexible") == [(0, 100)]


def test_standard_gives_less_the_later_it_is() -> None:
    assert _steps("standard") == [(24, 100), (2, 75), (0, 50)]


def test_saver_gives_nothing() -> None:
    assert _steps("saver") == []


def test_every_policy_of_a_lot_is_known_and_gives_all_right_after_booking() -> None:
    for name in REFUND_POLICIES:
        policy = refund_policy(name)
        assert policy.name == name
        assert (policy.full_refund_within_minutes, policy.full_refund_until_hours_before) == (15, 1)


def test_steps_never_give_more_to_whoever_cancels_later() -> None:
    for name in REFUND_POLICIES:
        steps: tuple[RefundStep, ...] = refund_policy(name).steps
        assert list(steps) == sorted(
            steps, key=lambda step: (-step.percent, -step.until_hours_before)
        )
