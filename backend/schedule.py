"""What runs when: the whole of beat's schedule."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab


def _runs(task: str, when: timedelta | crontab) -> dict[str, Any]:
    # What waited in the queue for longer than a turn is done by the next turn.
    return {"task": task, "schedule": when, "options": {"expires": 600}}


# Every entry sweeps rows that are due, so a turn missed while the system was down is made up by the
# next, and two beats at once find nothing left to do twice: what must happen once has a key of its own
# in the database. RedBeat's lock (see backend/celery.py) only saves the second beat its work.
#
# A task is stopped after ten minutes, softly half a minute before (there too): each sweep takes its rows
# in batches, and the next turn goes on where one was stopped.
SCHEDULE: dict[str, dict[str, Any]] = {
    # Every minute or sooner: what somebody waits for.
    "send due mail": _runs("notifications.send_due", timedelta(seconds=30)),
    "run due jobs": _runs("jobs.run_due", timedelta(minutes=1)),
    "expire holds": _runs("reservations.expire_holds", timedelta(minutes=1)),
    "end what ended by itself": _runs("reservations.sweep", timedelta(minutes=1)),
    "let cars that are in hold their bays": _runs("reservations.hold_bays", timedelta(minutes=1)),
    "offer bays to who waits": _runs("waitlist.sweep", timedelta(minutes=1)),
    "remind of bookings": _runs("reminders.sweep", timedelta(minutes=1)),
    "reconcile payments": _runs("payments.reconcile", timedelta(minutes=1)),
    "send refunds": _runs("payments.send_refunds", timedelta(minutes=1)),
    "take events of gateways": _runs("payments.take_events", timedelta(minutes=1)),
    "make due reports": _runs("reports.run_due", timedelta(minutes=1)),
    # Every few minutes: what is due on a day, at an hour.
    "plan monthly reports": _runs("reports.plan", timedelta(minutes=5)),
    "send the daily digest": _runs("reminders.send_digest", timedelta(minutes=5)),
    "ask drivers back": _runs("reminders.nudge", timedelta(minutes=15)),
    # Every hour, each at a minute of its own: what may go, and whether all is well.
    "check invariants": _runs("system.check_invariants", crontab(minute="3")),
    "purge old scans": _runs("gate.purge_scans", crontab(minute="7")),
    "make the backup of the night": _runs("system.back_up", crontab(minute="33")),
    "purge settled failures": _runs("system.purge_settled_failures", crontab(minute="13")),
    "purge expired challenges and sessions": _runs("auth.purge_expired", crontab(minute="17")),
    "purge old reminders": _runs("reminders.purge_old", crontab(minute="23")),
    "purge expired jobs": _runs("jobs.purge_expired", crontab(minute="27")),
    "purge expired quotes": _runs("quotes.purge_expired", crontab(minute="37")),
    "purge idempotency keys": _runs("system.purge_idempotency_keys", crontab(minute="47")),
    "purge old notifications": _runs("notifications.purge_told", crontab(minute="53")),
    "purge old mail": _runs("notifications.purge_old", crontab(minute="57")),
}
