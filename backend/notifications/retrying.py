"""Letting a mail that bounced or was given up be sent once more."""

from datetime import datetime

from backend.addresses import is_nobodys
from backend.celery import start_task
from backend.clock import now
from backend.database import get_row
from backend.errors import NotRetryable
from backend.models import OutboxMail
from backend.transaction import after_commit


def retry_mail(mail_id: int) -> None:
    """Let a mail that did not arrive be tried again, as it was promised.

    Raises:
        NotFound: there is no such mail.
        NotRetryable: it was sent or still waits, its code is wiped, or it is past its time.

    """
    mail, moment = get_row(OutboxMail, mail_id, for_update=True), now()
    if not may_retry_mail(mail, moment):
        raise NotRetryable(
            "Only a mail that did not arrive, that is not past its time and that held no code, can be "
            "sent again."
        )
    mail.status, mail.attempts, mail.last_error = "pending", 0, None
    mail.next_attempt_at = moment
    after_commit(start_task, "notifications.send_mail", mail_id)


def may_retry_mail(mail: OutboxMail, moment: datetime) -> bool:
    """Tell whether a mail can be sent again."""
    return (
        mail.status in {"bounced", "failed"}
        and not mail.has_secret
        and not is_nobodys(mail.to_address)
        and (mail.expires_at is None or mail.expires_at > moment)
    )
