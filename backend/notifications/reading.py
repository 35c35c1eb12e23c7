"""What a user was told in the app: the list of it, and what of it they have read."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from backend.clock import now
from backend.config import settings
from backend.extensions import db
from backend.identity import Caller
from backend.models import Notification
from backend.notifications.telling import count_unread, tell_unread
from backend.transaction import after_commit, transaction

_PURGED_AT_ONCE = 500


def list_notifications(
    reader: Caller, *, unread: bool, limit: int, before_id: int | None = None
) -> Sequence[Notification]:
    """List what the reader was told, the newest first; with ``unread`` only what they have not read."""
    asked = select(Notification).where(Notification.user_id == reader.id)
    if unread:
        asked = asked.where(Notification.read_at.is_(None))
    if before_id is not None:
        asked = asked.where(Notification.id < before_id)
    return db.session.scalars(asked.order_by(Notification.id.desc()).limit(limit)).all()


def mark_read(
    reader: Caller, *, ids: Sequence[int] | None = None, until_id: int | None = None
) -> int:
    """Take down that the reader has read these, or all up to one; give how many are left unread.

    What is somebody else's, or read already, stays as it is.
    """
    changed = update(Notification).where(
        Notification.user_id == reader.id, Notification.read_at.is_(None)
    )
    changed = changed.where(
        Notification.id.in_(ids) if ids is not None else Notification.id <= until_id
    )
    db.session.execute(changed.values(read_at=now()))
    # Other tabs of the same person show the same number.
    after_commit(tell_unread, reader.id)
    return count_unread(reader.id)


def purge_old() -> int:
    """Delete what was told in the app long enough ago; give how much there was."""
    count = 0
    while True:
        with transaction():
            ids = db.session.scalars(
                select(Notification.id)
                .where(
                    Notification.created_at < now() - timedelta(days=settings().notification_days)
                )
                .order_by(Notification.created_at)
                .limit(_PURGED_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            db.session.execute(delete(Notification).where(Notification.id.in_(ids)))
        count += len(ids)
        if len(ids) < _PURGED_AT_ONCE:
            return count
