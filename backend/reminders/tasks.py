"""Reminders, minute by minute."""

from backend.celery import task
from backend.reminders import digest, nudging, service


@task("reminders.sweep", in_transaction=False)
def sweep() -> int:
    """Remind drivers of bookings that begin or end soon, and of holds that run out."""
    return service.sweep()


@task("reminders.nudge", in_transaction=False)
def nudge() -> int:
    """Ask drivers back who have not parked for long, and who want to be asked."""
    return nudging.nudge_drivers()


@task("reminders.send_digest", in_transaction=False)
def send_digest() -> int:
    """Tell admins what became of yesterday, once it is seven in the morning."""
    return digest.send_digest()


@task("reminders.purge_old", in_transaction=False)
def purge_old() -> int:
    """Delete the keys of reminders of long ago."""
    return service.purge_old_reminders()
