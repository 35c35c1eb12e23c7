"""Background work on mail."""

from backend.celery import task
from backend.notifications import reading, service


@task("notifications.send_mail", in_transaction=False)
def send_mail(mail_id: int) -> None:
    """Send one mail of the outbox."""
    service.send_mail(mail_id)


@task("notifications.send_due", in_transaction=False)
def send_due() -> None:
    """Send the mail that is due, whatever became of its task."""
    service.send_due_mail()


@task("notifications.purge_old", in_transaction=False)
def purge_old() -> int:
    """Delete mail that was sent long ago."""
    return service.purge_old_mail()


@task("notifications.purge_told", in_transaction=False)
def purge_told() -> int:
    """Delete what was told in the app long ago."""
    return reading.purge_old()
