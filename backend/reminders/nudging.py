"""Asking drivers back who have not parked for a month: only who wants that, and once in such a pause."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, or_, select

from backend import clock
from backend.config import settings
from backend.extensions import db
from backend.models import NotificationSetting, Reservation, User
from backend.models.reservation import still_stands
from backend.notifications.telling import notify
from backend.reminders.service import take_key
from backend.transaction import transaction

logger = logging.getLogger(__name__)

NUDGE = "nudge"
_PAUSE = timedelta(days=30)
_BATCH = 200
# By the clock of the driver; nobody is woken up for this.
_DECENT_HOURS = range(10, 19)


def nudge_drivers() -> int:
    """Ask back whoever has not parked for a month, during their day; give how many were asked."""
    count = 0
    for user_id in _each_due():
        try:
            with transaction():
                count += _nudge(user_id)
        except Exception:
            # One poisonous row costs one row.
            logger.exception("User %s could not be asked back", user_id)
    return count


def _each_due() -> Iterator[int]:
    last_id = 0
    while True:
        with transaction(read_only=True):
            rows = db.session.execute(_due().where(User.id > last_id).limit(_BATCH)).all()
        yield from (row.id for row in rows if _is_day(row.timezone))
        if len(rows) < _BATCH:
            return
        last_id = rows[-1].id


def _due() -> Select[int, str, datetime | None]:
    """List who wants to be asked, has nothing booked, and last parked longer ago than the pause."""
    now = clock.now()
    parked = (
        select(func.max(Reservation.ended_at))
        .where(Reservation.user_id == User.id, Reservation.status == "completed")
        .scalar_subquery()
    )
    return (
        select(User.id, User.timezone, parked.label("parked_at"))
        .where(
            User.active,
            User.deleted_at.is_(None),
            exists().where(
                NotificationSetting.user_id == User.id,
                NotificationSetting.kind == NUDGE,
                or_(NotificationSetting.mail, NotificationSetting.app),
            ),
            ~exists().where(Reservation.user_id == User.id, still_stands(now)),
            parked <= now - _PAUSE,
        )
        .order_by(User.id)
    )


def _is_day(timezone: str) -> bool:
    return clock.now().astimezone(ZoneInfo(timezone)).hour in _DECENT_HOURS


def _nudge(user_id: int) -> bool:
    row = db.session.execute(_due().where(User.id == user_id)).one_or_none()
    if row is None or row.parked_at is None:
        return False
    key = f"{NUDGE}:{user_id}:{row.parked_at.timestamp():.6f}"
    if not take_key(key, kind=NUDGE, user_id=user_id):
        return False
    name = db.session.scalar(select(User.name).where(User.id == user_id))
    notify(
        user_id,
        NUDGE,
        key=key,
        kind=NUDGE,
        context={
            "name": name,
            "days": (clock.now() - row.parked_at).days,
            "find_url": f"{settings().public_url}/",
        },
        link="/",
    )
    return True
