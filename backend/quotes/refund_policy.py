"""What comes back when a driver cancels, by the name of the policy."""

from dataclasses import dataclass

FULL_REFUND_WITHIN_MINUTES = 15
FULL_REFUND_UNTIL_HOURS_BEFORE = 1


@dataclass(frozen=True, slots=True)
class RefundStep:
    """So many percent, when cancelled at least so many hours before the start."""

    until_hours_before: int
    percent: int


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """Steps, the best for the driver first; the first one still met counts, and after all of them 0.

    Under every policy all of it comes back within some minutes of booking, as long as the start is
    more than some hours away.
    """

    name: str
    steps: tuple[RefundStep, ...]
    full_refund_within_minutes: int = FULL_REFUND_WITHIN_MINUTES
    full_refund_until_hours_before: int = FULL_REFUND_UNTIL_HOURS_BEFORE


_POLICIES = {
    policy.name: policy
    for policy in (
        RefundPolicy("flexible", (RefundStep(0, 100),)),
        RefundPolicy("standard", (RefundStep(24, 100), RefundStep(2, 75), RefundStep(0, 50))),
        RefundPolicy("saver", ()),
    )
}


def refund_policy(name: str) -> RefundPolicy:
    """Give the policy of this name: ``flexible``, ``standard`` or ``saver``."""
    return _POLICIES[name]
