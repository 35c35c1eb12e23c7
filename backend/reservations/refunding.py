"""How much of the money comes back to a driver who cancels, and until when it is that much."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from backend.quotes.refund_policy import RefundPolicy

Reason = Literal["unpaid", "policy", "just-booked", "over"]

_INSTANT = timedelta(microseconds=1)
_ALL = 100


@dataclass(frozen=True, slots=True)
class RefundShare:
    """So many percent come back, why, and when next it is less; never when ``until`` is None."""

    percent: int
    reason: Reason
    until: datetime | None


def refund_share(
    policy: RefundPolicy, *, booked_at: datetime, starts_at: datetime, at: datetime
) -> RefundShare:
    """Tell what share comes back of a booking that is cancelled at a moment."""
    booked_until = booked_at + timedelta(minutes=policy.full_refund_within_minutes)
    far_until = starts_at - timedelta(hours=policy.full_refund_until_hours_before)

    def is_just_booked(moment: datetime) -> bool:
        return moment <= booked_until and moment < far_until

    def by_policy(moment: datetime) -> int:
        for step in policy.steps:
            if starts_at - moment >= timedelta(hours=step.until_hours_before):
                return step.percent
        return 0

    def percent(moment: datetime) -> int:
        return _ALL if is_just_booked(moment) else by_policy(moment)

    reason: Reason = "policy"
    if at > starts_at:
        reason = "over"
    elif by_policy(at) < _ALL and is_just_booked(at):
        reason = "just-booked"
    # The share changes at these moments alone.
    changes = sorted(
        {
            booked_until,
            far_until,
            *(starts_at - timedelta(hours=step.until_hours_before) for step in policy.steps),
        }
    )
    until = next(
        (moment for moment in changes if moment >= at and percent(moment + _INSTANT) < percent(at)),
        None,
    )
    return RefundShare(percent(at), reason, until)
