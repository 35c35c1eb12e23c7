"""What may be done about mail: promise it, and send what is due."""

import logging
import smtplib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.addresses import is_nobodys
from backend.celery import start_task
from backend.clock import now
from backend.config import settings
from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications.attachments import Attachment, build_attachments
from backend.notifications.composing import compose_mail
from backend.notifications.kinds import BY_NAME
from backend.notifications.rendering import render_mail
from backend.notifications.sealing import seal, unseal
from backend.notifications.transport import MailRefused, MailServerAway, Post
from backend.notifications.unsubscribing import may_stop, one_click_url, unsubscribe_url
from backend.transaction import after_commit, transaction

logger = logging.getLogger(__name__)

# Longer than every step of SMTP may take, so that no second worker sends what a first still sends.
_LEASE = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
# So long after it was promised a mail has its last try.
_PATIENCE_WITH_MAIL = timedelta(hours=24)
_BATCH = 100
# Less than the time between two sweeps: however much is due, it keeps one process of the workers at most.
_SWEEP_SECONDS = 20.0
_PURGED_AT_ONCE = 500
# A server that failed this often in a row is away; the rest of what is due keeps its attempts.
_PATIENCE = 3
_LONGEST_ERROR = 300
_LOGO = Path(__file__).resolve().parent.parent / "assets" / "logo.png"


@dataclass(frozen=True, slots=True)
class MailReader:
    """Who reads a mail, and why: ``kind`` is the notification setting that it falls under."""

    user_id: int | None = None
    locale: str = "en"
    kind: str = "account"


_ANYBODY = MailReader()


@dataclass(frozen=True, slots=True)
class _ClaimedMail:
    id: int
    attempt: int
    key: str
    template: str
    to_address: str
    context: dict[str, Any]
    sealed: bytes | None
    locale: str
    user_id: int | None
    kind: str
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
    reader: MailReader = _ANYBODY,
) -> None:
    """Promise a mail: it stands or falls with the open transaction, and is sent once for its ``key``.

    ``secret`` joins the context when the mail is written, is kept encrypted until then, and wiped after.
    Nothing is promised to an address that nobody has. What comes in bulk is left to the sweep of each half
    minute, so that no code waits behind it.
    """
    if is_nobodys(to):
        return
    moment = now()
    values = {
        "key": key,
        "template": template,
        "to_address": to,
        "user_id": reader.user_id,
        "kind": reader.kind,
        "locale": reader.locale,
        "context": context,
        "sealed": seal(secret, settings().secret_key) if secret else None,
        "has_secret": bool(secret),
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
    if mail_id is not None and not BY_NAME[reader.kind].bulk:
        after_commit(start_task, "notifications.send_mail", mail_id)


def send_mail(mail_id: int) -> None:
    """Send one mail if it is due and nobody else is at it.

    The mail is claimed in one transaction, sent in none, and marked in another, so a crash in between
    sends it once more, with the same Message-ID.
    """
    with Post(settings()) as post:
        _send_if_due(mail_id, post)


def send_due_mail() -> None:
    """Send what is due: mail whose task was lost, and mail that waits for another try.

    What there is no time for, the next sweep sends.
    """
    until = time.monotonic() + _SWEEP_SECONDS
    failures = 0
    with Post(settings()) as post:
        while due := _read_due():
            for mail_id in due:
                failures = 0 if _send_if_due(mail_id, post) else failures + 1
                if failures == _PATIENCE:
                    logger.warning("The mail server is away; the rest waits")
                    return
                if time.monotonic() > until:
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


def _read_due() -> Sequence[int]:
    with transaction(read_only=True):
        return db.session.scalars(
            select(OutboxMail.id)
            .where(OutboxMail.status == "pending", OutboxMail.next_attempt_at <= now())
            .order_by(OutboxMail.next_attempt_at, OutboxMail.id)
            .limit(_BATCH)
        ).all()


def _send_if_due(mail_id: int, post: Post) -> bool:
    """Send one mail if it can be claimed; tell whether the server was there."""
    mail = _claim_mail(mail_id)
    if mail is None:
        return True
    if mail.expired:
        _mark(mail, status="failed", error="expired")
        return True
    try:
        _send_claimed(mail, post)
    except MailRefused as error:
        _mark(mail, status="bounced", error=str(error))
    except MailServerAway as error:
        _retry(mail, str(error))
        return False
    except (smtplib.SMTPException, OSError) as error:
        _retry(mail, f"{type(error).__name__}: {error}")
    except Exception as error:
        # Whatever is wrong with this mail, it costs this mail only.
        logger.exception("Mail %s could not be sent", mail.id)
        _retry(mail, type(error).__name__)
    else:
        _mark(mail, status="sent")
    return True


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
                OutboxMail.locale,
                OutboxMail.user_id,
                OutboxMail.kind,
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
            locale=row.locale,
            user_id=row.user_id,
            kind=row.kind,
            created_at=row.created_at,
            expired=row.expires_at is not None and row.expires_at <= moment,
        )


def _send_claimed(mail: _ClaimedMail, post: Post) -> None:
    current = settings()
    secret = unseal(mail.sealed, current.secret_keys) if mail.sealed else {}
    stopped_at, page = "", ""
    if mail.user_id is not None and may_stop(mail.kind):
        stopped_at, page = (
            write(mail.user_id, mail.kind) for write in (one_click_url, unsubscribe_url)
        )
    subject, text, html = render_mail(
        mail.template,
        {
            **mail.context,
            **secret,
            "brand": current.brand_name,
            "public_url": current.public_url,
            "unsubscribe_url": page,
        },
        mail.locale,
    )
    message = compose_mail(
        sender=current.mail_from,
        to_address=mail.to_address,
        subject=subject,
        text=text,
        html=html,
        attachments=[_logo(), *build_attachments(mail.template, mail.context)],
        key=mail.key,
        written_at=mail.created_at,
        one_click_url=stopped_at,
    )
    post.deliver(
        message,
        to_address=mail.to_address,
        file_name=f"{mail.created_at:%Y%m%dT%H%M%S%f}-{mail.id}.eml",
    )


@cache
def _logo() -> Attachment:
    """Read the picture that every mail shows as ``cid:logo``."""
    return Attachment("logo.png", "image/png", _LOGO.read_bytes(), "logo")


def _retry(mail: _ClaimedMail, error: str) -> None:
    moment, last = now(), mail.created_at + _PATIENCE_WITH_MAIL
    if moment >= last:
        _mark(mail, status="failed", error=error)
        return
    # No power that grows without end: an hour is reached after a few.
    pause = min(_FIRST_PAUSE * 2 ** min(mail.attempt - 1, 10), _LONGEST_PAUSE)
    _mark(mail, status="pending", error=error, next_attempt_at=min(moment + pause, last))


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
