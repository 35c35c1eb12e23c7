"""What may be done about mail: promise it, and send what is due."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.addresses import is_closed
from backend.celery import start_task
from backend.clock import now
from backend.config import settings
from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications.attachments import build_attachments
from backend.notifications.rendering import compose_mail, render_mail
from backend.notifications.sealing import seal, unseal
from backend.notifications.transport import MailRefused, MailServerAway, deliver
from backend.transaction import after_commit, transaction

logger = logging.getLogger(__name__)

# Longer than every step of SMTP may take, so that no second worker sends what a first still sends.
_LEASE = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_MAX_ATTEMPTS = 30
_BATCH = 100
_PURGED_AT_ONCE = 500
# A server that failed this often in a row is away; the rest of the batch keeps its attempts.
_PATIENCE = 3
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class _ClaimedMail:
    id: int
    attempt: int
    key: str
    template: str
    to_address: str
    context: dict[str, Any]
    sealed: bytes | None
    created_at: datetime
    expired: bool


def queue_mail(
    template: str,
    to: str,
    *,
    key: str,
    context: dict[str, Any],
    secret: dict[str, str] | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Promise a mail: it stands or falls with the open transaction, and is sent once for its ``key``.

    ``secret`` joins the context when the mail is written, is kept encrypted until then, and wiped after.
    Nothing is promised to a closed account.
    """
    if is_closed(to):
        return
    moment = now()
    values = {
        "key": key,
        "template": template,
        "to_address": to,
        "context": context,
        "sealed": seal(secret, settings().secret_key) if secret else None,
        "status": "pending",
        "attempts": 0,
        "created_at": moment,
        "next_attempt_at": moment,
        "expires_at": expires_at,
    }
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(OutboxMail)
        .values(values)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(OutboxMail.id)
    )
    mail_id = db.session.scalar(statement)
    if mail_id is not None:
        after_commit(start_task, "notifications.send_mail", mail_id)


def send_mail(mail_id: int) -> bool:
    """Send one mail if it is due and nobody else is at it; tell whether the server was there.

    The mail is claimed in one transaction, sent in none, and marked in another, so a crash in between
    sends it once more, with the same Message-ID.
    """
    mail = _claim_mail(mail_id)
    if mail is None:
        return True
    if mail.expired:
        _mark(mail, status="failed", error="expired")
        return True
    try:
        _send_claimed(mail)
    except MailRefused as error:
        _mark(mail, status="failed", error=str(error))
    except MailServerAway as error:
        _retry(mail, str(error))
        return False
    except Exception as error:
        # Whatever is wrong with this mail, it costs this mail only.
        logger.exception("Mail %s could not be sent", mail.id)
        _retry(mail, type(error).__name__)
    else:
        _mark(mail, status="sent")
    return True


def send_due_mail() -> None:
    """Send what is due: mail whose task was lost, and mail that waits for another try."""
    with transaction(read_only=True):
        due = _list_due()
    failures = 0
    for mail_id in due:
        failures = 0 if send_mail(mail_id) else failures + 1
        if failures == _PATIENCE:
            logger.warning("The mail server is away; the rest waits")
            return


def forget_mail(to: str, *, instead: str) -> None:
    """Let go of all mail to an address: what waits is not sent, and of the rest only that it was sent stays.

    Each row has the address ``instead`` from then on.
    """
    moved: dict[str, Any] = {"to_address": instead, "context": {}}
    db.session.execute(
        update(OutboxMail)
        .where(OutboxMail.to_address == to, OutboxMail.status == "pending")
        # Whoever sends one this very moment finds it no longer pending, and writes nothing down.
        .values(moved | {"sealed": None, "status": "failed", "last_error": "closed"})
    )
    db.session.execute(
        update(OutboxMail)
        .where(OutboxMail.to_address == to)
        # What a mail server said may name the address.
        .values(moved | {"last_error": None})
    )


def purge_old_mail() -> int:
    """Delete what was sent, or given up, long enough ago; give how much there was."""
    count = 0
    while True:
        with transaction():
            # Two workers at once take different rows.
            ids = db.session.scalars(
                select(OutboxMail.id)
                .where(
                    OutboxMail.status != "pending",
                    func.coalesce(OutboxMail.sent_at, OutboxMail.created_at)
                    < now() - timedelta(days=settings().sent_mail_days),
                )
                .order_by(OutboxMail.id)
                .limit(_PURGED_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            db.session.execute(delete(OutboxMail).where(OutboxMail.id.in_(ids)))
        count += len(ids)
        if len(ids) < _PURGED_AT_ONCE:
            return count


def _list_due() -> Sequence[int]:
    return db.session.scalars(
        select(OutboxMail.id)
        .where(OutboxMail.status == "pending", OutboxMail.next_attempt_at <= now())
        .order_by(OutboxMail.next_attempt_at, OutboxMail.id)
        .limit(_BATCH)
    ).all()


def _claim_mail(mail_id: int) -> _ClaimedMail | None:
    moment = now()
    with transaction():
        row = db.session.execute(
            update(OutboxMail)
            .where(
                OutboxMail.id == mail_id,
                OutboxMail.status == "pending",
                OutboxMail.next_attempt_at <= moment,
            )
            .values(attempts=OutboxMail.attempts + 1, next_attempt_at=moment + _LEASE)
            .returning(
                OutboxMail.attempts,
                OutboxMail.key,
                OutboxMail.template,
                OutboxMail.to_address,
                OutboxMail.context,
                OutboxMail.sealed,
                OutboxMail.created_at,
                OutboxMail.expires_at,
            )
        ).one_or_none()
        if row is None:
            return None
        return _ClaimedMail(
            id=mail_id,
            attempt=row.attempts,
            key=row.key,
            template=row.template,
            to_address=row.to_address,
            context=row.context,
            sealed=row.sealed,
            created_at=row.created_at,
            expired=row.expires_at is not None and row.expires_at <= moment,
        )


def _send_claimed(mail: _ClaimedMail) -> None:
    current = settings()
    secret = unseal(mail.sealed, current.secret_keys) if mail.sealed else {}
    subject, text, html = render_mail(
        mail.template,
        {
            **mail.context,
            **secret,
            "brand": current.brand_name,
            "public_url": current.public_url,
        },
    )
    message = compose_mail(
        sender=current.mail_from,
        to_address=mail.to_address,
        subject=subject,
        text=text,
        html=html,
        attachments=build_attachments(mail.template, mail.context),
        key=mail.key,
        written_at=mail.created_at,
    )
    deliver(
        message,
        to_address=mail.to_address,
        file_name=f"{mail.created_at:%Y%m%dT%H%M%S%f}-{mail.id}.eml",
        settings=current,
    )


def _retry(mail: _ClaimedMail, error: str) -> None:
    if mail.attempt >= _MAX_ATTEMPTS:
        _mark(mail, status="failed", error=error)
    else:
        pause = min(_FIRST_PAUSE * 2 ** (mail.attempt - 1), _LONGEST_PAUSE)
        _mark(mail, status="pending", error=error, next_attempt_at=now() + pause)


def _mark(
    mail: _ClaimedMail,
    *,
    status: str,
    error: str | None = None,
    next_attempt_at: datetime | None = None,
) -> None:
    changes: dict[str, Any] = {"status": status, "last_error": error and error[:_LONGEST_ERROR]}
    if next_attempt_at is not None:
        changes["next_attempt_at"] = next_attempt_at
    else:
        changes["sealed"] = None
    if status == "sent":
        changes["sent_at"] = now()
    with transaction():
        db.session.execute(
            update(OutboxMail)
            # Another attempt may have begun after a lease ran out; its word counts then.
            .where(
                OutboxMail.id == mail.id,
                OutboxMail.status == "pending",
                OutboxMail.attempts == mail.attempt,
            )
            .values(changes)
        )
