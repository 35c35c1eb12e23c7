"""Offering what becomes free to who waits for it, in the transaction that frees it."""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select, text, tuple_, update

from backend import clock
from backend.claims.availability import count_free
from backend.errors import Problem
from backend.extensions import db
from backend.identity import Caller
from backend.models import Reservation, UtcDateTime, Vehicle, WaitlistEntry
from backend.reservations import booking
from backend.reservations.telling import tell
from backend.transaction import TryAgain, transaction

logger = logging.getLogger(__name__)

# Whoever frees a window asks so many of the queue; the sweep of each minute asks all.
_MOST_ASKED = 20
_BATCH = 500


def on_window_freed(
    _sender: Any,
    *,
    lot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    user_id: int | None = None,
) -> None:
    """Offer a window that was just freed to the first in the queue whose window fits; ``create_app`` connects it.

    A driver ``user_id`` is about to take it: where they come first in the queue it is theirs already.
    One who cannot book just now is passed over, and whose row somebody else has locked: who frees a window
    has locks in hand, and waits for nobody.
    """
    waiting = db.session.execute(
        select(WaitlistEntry.id, WaitlistEntry.user_id)
        .where(
            WaitlistEntry.lot_id == lot_id,
            WaitlistEntry.status == "waiting",
            WaitlistEntry.starts_at > clock.now(),
            WaitlistEntry.starts_at < ends_at,
            WaitlistEntry.ends_at > starts_at,
        )
        .order_by(WaitlistEntry.id)
        .limit(_MOST_ASKED)
    ).all()
    for entry in waiting:
        if entry.user_id == user_id:
            return
        _offer(entry.id, gently=True)


def sweep_waitlist() -> int:
    """Offer what was passed over, end what nobody can be offered any more; give how many offers were made.

    Each offer is a transaction of its own, as if its driver had asked; others are moved for it, too.
    """
    _settle()
    offers = 0
    last: tuple[int, int] | None = (0, 0)
    while last is not None:
        with transaction(read_only=True):
            entries = db.session.execute(
                select(WaitlistEntry.lot_id, WaitlistEntry.id)
                .where(
                    WaitlistEntry.status == "waiting",
                    tuple_(WaitlistEntry.lot_id, WaitlistEntry.id) > last,
                )
                .order_by(WaitlistEntry.lot_id, WaitlistEntry.id)
                .limit(_BATCH)
            ).all()
        for _, entry_id in entries:
            try:
                with transaction():
                    offers += _offer(entry_id, gently=False)
            except TryAgain:
                # Somebody is at this lot; the next minute will do.
                continue
            except Exception:
                # One poisonous row costs one row.
                logger.exception("Waitlist entry %s could not be offered a bay", entry_id)
        last = (entries[-1].lot_id, entries[-1].id) if len(entries) == _BATCH else None
    return offers


def _settle() -> None:
    """Write down what became of offers, and end what waits for a window that has begun."""
    now = clock.now()
    booking_is = exists().where(Reservation.id == WaitlistEntry.reservation_id)
    offered = WaitlistEntry.status == "offered"
    over = Reservation.status.in_(("expired", "cancelled"))
    with transaction():
        db.session.execute(
            update(WaitlistEntry)
            .where(offered, booking_is.where(over))
            .values(status="lapsed", ended_at=now)
        )
        db.session.execute(
            update(WaitlistEntry)
            .where(offered, booking_is.where(~over, Reservation.status != "held"))
            .values(status="booked", ended_at=now)
        )
        db.session.execute(
            update(WaitlistEntry)
            .where(
                WaitlistEntry.status == "waiting",
                or_(
                    WaitlistEntry.starts_at <= now,
                    exists().where(
                        Vehicle.id == WaitlistEntry.vehicle_id, Vehicle.deleted_at.is_not(None)
                    ),
                ),
            )
            .values(status="lapsed", ended_at=now)
        )


def _offer(entry_id: int, *, gently: bool) -> bool:
    """Hold a bay for who waits, by the same way as anybody books; False when it cannot be just now."""
    row = _lock(entry_id, gently=gently)
    if row is None or not _may_have_room(row, gently=gently):
        return False
    savepoint = db.session.begin_nested()
    try:
        reservation_id = booking.book_offer(
            _caller_of(row),
            lot_id=row.lot_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            vehicle_id=row.vehicle_id,
            spot_kind=row.spot_kind,
            gently=gently,
        )
    except (Problem, TryAgain) as error:
        savepoint.rollback()
        if isinstance(error, TryAgain) and not gently:
            raise
        # No bay for this one, or debts, limits, a clashing plate: the next in the queue may fit.
        return False
    savepoint.commit()
    _keep(entry_id, reservation_id)
    return True


def _keep(entry_id: int, reservation_id: int) -> None:
    """Write down the offer, and tell its driver."""
    now = clock.now()
    held = db.session.execute(
        select(Reservation.status, Reservation.price_minor, Reservation.hold_expires_at).where(
            Reservation.id == reservation_id
        )
    ).one()
    is_yours = held.status == "confirmed"
    db.session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.id == entry_id, WaitlistEntry.status == "waiting")
        .values(
            status="booked" if is_yours else "offered",
            reservation_id=reservation_id,
            offered_at=now,
            ended_at=now if is_yours else None,
        )
    )
    tell(
        reservation_id,
        "waitlist-offer",
        key=f"waitlist-offer:{entry_id}",
        price_minor=held.price_minor,
        until=held.hold_expires_at or "",
    )


_WAITING = """
    SELECT w.lot_id, w.starts_at, w.ends_at, w.vehicle_id, w.spot_kind,
           u.id AS user_id, u.email, u.name, u.timezone, u.locale, u.accessible_permit
    FROM waitlist_entries AS w
    JOIN users AS u ON u.id = w.user_id
    JOIN vehicles AS v ON v.id = w.vehicle_id
    JOIN lots AS l ON l.id = w.lot_id
    WHERE w.id = :entry_id AND w.status = 'waiting' AND u.active
"""
_AT_ONCE = """
    FOR NO KEY UPDATE OF u SKIP LOCKED FOR KEY SHARE OF l SKIP LOCKED
    FOR KEY SHARE OF v SKIP LOCKED FOR UPDATE OF w SKIP LOCKED
"""
# Locked one after the other as they are joined, the driver would not come first; the booking locks the rest.
_IN_ORDER = "FOR NO KEY UPDATE OF u"


def _lock(entry_id: int, *, gently: bool) -> Any:
    """Give an entry that still waits, its driver locked; ``gently``, None where anybody has locked any of it."""
    endings = {True: _AT_ONCE, False: _IN_ORDER} if _on_postgresql() else {True: "", False: ""}
    # Both endings stand right here.
    # nosemgrep: sql-put-together
    statement = text(_WAITING + endings[gently]).columns(
        starts_at=UtcDateTime(), ends_at=UtcDateTime()
    )
    return db.session.execute(statement, {"entry_id": entry_id}).one_or_none()


def _may_have_room(row: Any, *, gently: bool) -> bool:
    """Tell, by a look alone, whether a booking is worth a try."""
    if not gently:
        return True
    counts = count_free([row.lot_id], starts_at=row.starts_at, ends_at=row.ends_at)
    return any(kind.free for kind in counts.get(row.lot_id, {}).values())


def _caller_of(row: Any) -> Caller:
    return Caller(
        id=row.user_id,
        session_id=0,
        email=row.email,
        name=row.name,
        roles=("driver",),
        timezone=row.timezone,
        locale=row.locale,
        has_permit=bool(row.accessible_permit),
    )


def _on_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"
