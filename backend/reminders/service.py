"""Reminders of bookings: sent once each, in time or not at all, and never of what is not to be any more.

Each minute the bookings are looked at that come into the time of a reminder. Each is told in a transaction
of its own that locks the booking, looks at it once more, and writes the key of the reminder: of two sweeps
at once one writes it.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute

from backend import clock
from backend.addresses import NOBODYS
from backend.config import settings
from backend.extensions import db
from backend.models import Lot, Reminder, Reservation, ReservationEvent, Spot, SpotClaim, User
from backend.money import format_money
from backend.notifications.telling import notify
from backend.notifications.wording import moment_text, window_text
from backend.reminders.links import Action, link
from backend.transaction import transaction

logger = logging.getLogger(__name__)

_BATCH = 200
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_PURGED_AT_ONCE = 500
# Longer than anything is reminded of ahead of its time.
_KEPT = timedelta(days=90)
# Written out for the partial indexes: a parameter would be something else to SQLite.
_LIVE = text("reservations.live")
_HELD = text("reservations.status = 'held'")
# A new window makes a reminder of it untimely, when it was due before anybody chose that window.
_CHANGES = ("rescheduled", "extended")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reminder: of bookings in one state, in a span before a moment of theirs."""

    name: str
    status: str
    moment: InstrumentedAttribute[Any]
    narrowed: ColumnElement[bool] | Any
    due_before: timedelta
    until_before: timedelta
    links: tuple[Action, ...] = ()

    @property
    def template(self) -> str:
        """Its mail."""
        return f"reminder-{self.name.replace('_', '-')}"


_WAY: tuple[Action, ...] = ("directions", "cancel")

KINDS = (
    Kind(
        name="start_day",
        status="confirmed",
        moment=Reservation.starts_at,
        narrowed=_LIVE,
        due_before=24 * _HOUR,
        until_before=_HOUR,
        links=_WAY,
    ),
    Kind(
        name="start_hour",
        status="confirmed",
        moment=Reservation.starts_at,
        narrowed=_LIVE,
        due_before=_HOUR,
        until_before=timedelta(),
        links=_WAY,
    ),
    Kind(
        name="end_half_hour",
        status="checked_in",
        moment=Reservation.ends_at,
        narrowed=_LIVE,
        due_before=30 * _MINUTE,
        until_before=10 * _MINUTE,
        links=("extend",),
    ),
    Kind(
        name="end_soon",
        status="checked_in",
        moment=Reservation.ends_at,
        narrowed=_LIVE,
        due_before=10 * _MINUTE,
        until_before=timedelta(),
        links=("extend",),
    ),
    Kind(
        name="hold_ending",
        status="held",
        moment=Reservation.hold_expires_at,
        narrowed=_HELD,
        due_before=3 * _MINUTE,
        until_before=timedelta(),
    ),
)


def sweep() -> int:
    """Remind drivers of what is due; give how many reminders went out."""
    count = 0
    for kind in KINDS:
        for reservation_id in _each_due(kind):
            try:
                with transaction():
                    count += _remind(kind, reservation_id)
            except Exception:
                # One poisonous row costs one row.
                logger.exception(
                    "Reservation %s could not be reminded of: %s", reservation_id, kind.name
                )
    return count


def take_key(key: str, *, kind: str, user_id: int, **about: Any) -> bool:
    """Write down that a reminder goes out, in the transaction that sends it; False when it did before."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    written = db.session.execute(
        dialect.insert(Reminder)
        .values(key=key, kind=kind, user_id=user_id, at=clock.now(), **about)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Reminder.key)
    ).first()
    return written is not None


def purge_old_reminders() -> int:
    """Delete the keys of reminders that cannot be due again; give how many there were.

    A nudge's key stays as long as its driver does: the pause that it is about may last.
    """
    count = 0
    while True:
        with transaction():
            keys = db.session.scalars(
                select(Reminder.key)
                .where(
                    Reminder.at < clock.now() - _KEPT,
                    Reminder.kind != "nudge",
                )
                .order_by(Reminder.at)
                .limit(_PURGED_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            db.session.execute(delete(Reminder).where(Reminder.key.in_(keys)))
        count += len(keys)
        if len(keys) < _PURGED_AT_ONCE:
            return count


def _each_due(kind: Kind) -> Iterator[int]:
    due = _due(kind)
    listed = due
    while True:
        with transaction(read_only=True):
            rows = db.session.execute(listed).all()
        yield from (row.id for row in rows if _was_in_time(kind, row))
        if len(rows) < _BATCH:
            return
        last = rows[-1]
        listed = due.where(
            or_(
                kind.moment > last.moment,
                and_(kind.moment == last.moment, Reservation.id > last.id),
            )
        )


def _due(kind: Kind) -> Select[Any]:
    """List the bookings that come into the time of a reminder, in the order of the index that finds them."""
    now = clock.now()
    changed_at = (
        select(func.max(ReservationEvent.at))
        .where(
            ReservationEvent.reservation_id == Reservation.id, ReservationEvent.kind.in_(_CHANGES)
        )
        .scalar_subquery()
    )
    was_told = exists().where(
        Reminder.reservation_id == Reservation.id,
        Reminder.kind == kind.name,
        Reminder.moment == kind.moment,
    )
    return (
        select(
            Reservation.id,
            kind.moment.label("moment"),
            func.coalesce(Reservation.confirmed_at, Reservation.created_at).label("booked_at"),
            changed_at.label("changed_at"),
        )
        .where(
            kind.narrowed,
            Reservation.status == kind.status,
            exists().where(User.id == Reservation.user_id, User.email.not_like(f"%{NOBODYS}")),
            kind.moment > now + kind.until_before,
            kind.moment <= now + kind.due_before,
            ~was_told,
        )
        .order_by(kind.moment, Reservation.id)
        .limit(_BATCH)
    )


def _was_in_time(kind: Kind, row: Any) -> bool:
    """Whether there was a booking of this window when the reminder of it fell due: who just chose it knows it."""
    chosen_at = max(filter(None, (row.booked_at, row.changed_at)))
    return bool(chosen_at <= row.moment - kind.due_before)


def _remind(kind: Kind, reservation_id: int) -> bool:
    """Tell the driver, unless they were told before, or the booking is not what it was when it was listed."""
    row = _look_again(kind, reservation_id)
    if row is None:
        return False
    reservation, lot, spot, user = row
    moment = getattr(reservation, kind.moment.key)
    key = _key(kind, reservation_id, moment)
    if not take_key(
        key, kind=kind.name, user_id=user.id, reservation_id=reservation_id, moment=moment
    ):
        return False
    page = f"/bookings/{reservation_id}"
    notify(
        user.id,
        kind.template,
        key=key,
        kind=kind.name,
        context={
            "reservation_id": reservation_id,
            "name": user.name,
            "code": reservation.code,
            "lot": lot.name,
            "address": lot.postal_address,
            "bay": spot.label,
            "level": spot.level,
            "plate": reservation.plate,
            "window": window_text(
                reservation.starts_at, reservation.ends_at, lot.timezone, user.locale
            ),
            "starts": moment_text(reservation.starts_at, lot.timezone, user.locale),
            "ends": moment_text(reservation.ends_at, lot.timezone, user.locale),
            "price": format_money(reservation.price_minor, reservation.currency),
            "minutes_left": math.ceil((moment - clock.now()) / _MINUTE),
            "booking_url": settings().public_url + page,
        },
        # Whoever holds such a link may use it, so it is kept as a secret is.
        secret={f"{action}_url": link(action, reservation) for action in kind.links} or None,
        link=page,
        expires_at=moment - kind.until_before,
    )
    return True


def _look_again(kind: Kind, reservation_id: int) -> Any:
    """Lock a booking and give it as it is now; None where nothing is due on it any more.

    What somebody else is changing this very moment waits for the next minute.
    """
    now = clock.now()
    return db.session.execute(
        select(Reservation, Lot, Spot, User)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .join(User, User.id == Reservation.user_id)
        .where(
            Reservation.id == reservation_id,
            Reservation.status == kind.status,
            kind.moment > now + kind.until_before,
            kind.moment <= now + kind.due_before,
        )
        .with_for_update(of=Reservation, read=True, skip_locked=True)
    ).one_or_none()


def _key(kind: Kind, reservation_id: int, moment: datetime) -> str:
    return f"{kind.name}:{reservation_id}:{moment.timestamp():.6f}"
