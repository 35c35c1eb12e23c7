"""Telling a user something: by mail and in the app, as they wish, in the transaction that causes it."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.addresses import is_nobodys
from backend.channels import publish
from backend.clock import now
from backend.extensions import db
from backend.models import Notification, NotificationSetting, User
from backend.notifications.kinds import BY_NAME
from backend.notifications.rendering import notice_words
from backend.notifications.service import MailReader, queue_mail
from backend.transaction import after_commit, transaction


def notify(
    user_id: int,
    template: str,
    *,
    key: str,
    kind: str,
    context: dict[str, Any],
    link: str | None = None,
    expires_at: datetime | None = None,
    secret: dict[str, str] | None = None,
) -> None:
    """Tell a user what ``template`` says, once for its ``key``; it stands or falls with the open transaction.

    ``link`` is a path of the front end. Nothing is told to a closed account, to a disabled one only what
    concerns it or its money, and by neither way what its user chose not to be told.

    Raises:
        KeyError: there is no such kind.

    """
    described = BY_NAME[kind]
    row = db.session.execute(
        select(
            User.email,
            User.locale,
            User.active,
            NotificationSetting.mail,
            NotificationSetting.app,
        )
        .outerjoin(
            NotificationSetting,
            (NotificationSetting.user_id == User.id) & (NotificationSetting.kind == kind),
        )
        .where(User.id == user_id, User.deleted_at.is_(None))
    ).one_or_none()
    if row is None or is_nobodys(row.email) or not (row.active or described.mail_locked):
        return
    chosen = row.mail is not None
    if described.mail if described.mail_locked or not chosen else row.mail:
        reader = MailReader(user_id, row.locale, kind)
        queue_mail(
            template,
            row.email,
            key=key,
            context=context,
            secret=secret,
            expires_at=expires_at,
            reader=reader,
        )
    if described.app if described.app_locked or not chosen else row.app:
        _show(user_id, template, key=key, kind=kind, context=context, link=link, locale=row.locale)


def count_unread(user_id: int) -> int:
    """Count what a user was told in the app and has not read."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Notification)
            .where(Notification.user_id == user_id, Notification.read_at.is_(None))
        )
        or 0
    )


def tell_unread(user_id: int) -> None:
    """Tell the open streams of a user how much is unread; after the commit, in a transaction of its own."""
    with transaction(read_only=True):
        unread = count_unread(user_id)
    publish(user_id, "notification", {"unread": unread})


def _show(
    user_id: int,
    template: str,
    *,
    key: str,
    kind: str,
    context: dict[str, Any],
    link: str | None,
    locale: str,
) -> None:
    title, text = notice_words(template, context, locale)
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    shown = db.session.scalar(
        dialect.insert(Notification)
        .values(
            user_id=user_id,
            key=key,
            kind=kind,
            title=title,
            text=text,
            link=link,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Notification.id)
    )
    if shown is not None:
        after_commit(tell_unread, user_id)
