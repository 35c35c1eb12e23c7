"""What runs when: the whole of beat's schedule."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab


def _runs(task: str, when: timedelta | crontab) -> dict[str, Any]:
    # What waited in the queue for longer than a turn is done by the next turn.
    return {"task": task, "schedule": when, "options": {"expires": 600}}


# Every entry sweeps rows that are due, so a turn missed while the system was down is made up by the next.
SCHEDULE: dict[str, dict[str, Any]] = {
    "send due mail": _runs("notifications.send_due", timedelta(seconds=30)),
    "run due jobs": _runs("jobs.run_due", timedelta(minutes=1)),
    "expire holds": _runs("reservations.expire_holds", timedelta(minutes=1)),
    "end what ended by itself": _runs("reservations.sweep", timedelta(minutes=1)),
    "let cars that are in hold their bays": _runs("reservations.hold_bays", timedelta(minutes=1)),
    "offer bays to who waits": _runs("waitlist.sweep", timedelta(minutes=1)),
    "reconcile payments": _runs("payments.reconcile", timedelta(minutes=1)),
    "send refunds": _runs("payments.send_refunds", timedelta(minutes=1)),
    "take events of gateways": _runs("payments.take_events", timedelta(minutes=1)),
    "purge expired challenges and sessions": _runs("auth.purge_expired", crontab(minute="17")),
    "purge expired quotes": _runs("quotes.purge_expired", crontab(minute="37")),
    "purge expired jobs": _runs("jobs.purge_expired", crontab(minute="27")),
    "purge old mail": _runs("notifications.purge_old", crontab(minute="57")),
    "purge old scans": _runs("gate.purge_scans", crontab(minute="7")),
    "check invariants": _runs("system.check_invariants", crontab(minute="3")),
    "purge idempotency keys": _runs("system.purge_idempotency_keys", crontab(minute="47")),
}
