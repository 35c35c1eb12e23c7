"""What happens to reservations by itself: no-shows, overstays, and stays whose time ended while the car was out.

Each is decided in a transaction of its own, by compare-and-set, so that one row that cannot be decided keeps
no other waiting, and two workers at once do each once.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, text

from backend import clock
from backend.claims import service as claims
from backend.database import get_row
from backend.extensions import db
from backend.models import Lot, Reservation, Stay
from backend.reservations.dues import covered_until, due_now, is_car_in
from backend.reservations.history import note
from backend.reservations.leaving import complete
from backend.reservations.states import PRESENT, change, get_reservation_for_update
from backend.reservations.telling import tell
from backend.signals import availability_changed
from backend.transaction import after_commit, transaction

logger = logging.getLogger(__name__)

_BATCH = 200

_LOCK = text(
    "SELECT id FROM spot_claims WHERE reservation_id = :reservation_id FOR UPDATE SKIP LOCKED"
)


def sweep() -> int:
    """End what ended by itself since the last time; give how many reservations changed."""
    return (
        _sweep(_due_no_shows, _miss) + _sweep(_due_overstays, _overstay) + _sweep(_due_ends, _end)
    )


def _sweep(list_due: Callable[[int], Select[Any]], decide: Callable[[Reservation], bool]) -> int:
    count = 0
    for reservation_id in _each_due(list_due):
        try:
            with transaction():
                if _is_ours(reservation_id):
                    count += decide(get_reservation_for_update(reservation_id))
        except Exception:
            logger.exception("Reservation %s could not be swept", reservation_id)
    return count


def _each_due(list_due: Callable[[int], Select[Any]]) -> Iterator[int]:
    last_id = 0
    while True:
        with transaction(read_only=True):
            ids = list(db.session.scalars(list_due(last_id)))
        yield from ids
        if len(ids) < _BATCH:
            return
        last_id = ids[-1]


def _is_ours(reservation_id: int) -> bool:
    """Lock a claim that nobody else is at; what another decides this very moment is left to them."""
    if db.engine.dialect.name != "postgresql":
        return True
    return db.session.execute(_LOCK, {"reservation_id": reservation_id}).first() is not None


def _due(last_id: int) -> Select[Any]:
    return (
        select(Reservation.id)
        .where(
            # Written out for the partial index: "live = 1" is something else to SQLite.
            text("reservations.live"),
            Reservation.id > last_id,
            Reservation.ends_at <= clock.now(),
        )
        .order_by(Reservation.id)
        .limit(_BATCH)
    )


def _due_no_shows(last_id: int) -> Select[Any]:
    return _due(last_id).where(Reservation.status == "confirmed")


def _is_in() -> ColumnElement[bool]:
    return exists().where(Stay.reservation_id == Reservation.id, Stay.left_at.is_(None))


def _due_overstays(last_id: int) -> Select[Any]:
    now = clock.now()
    return _due(last_id).where(
        Reservation.status == "checked_in",
        func.coalesce(Reservation.covered_until, Reservation.ends_at) <= now,
        _is_in(),
    )


def _due_ends(last_id: int) -> Select[Any]:
    return _due(last_id).where(Reservation.status.in_(PRESENT), ~_is_in())


def _miss(reservation: Reservation) -> bool:
    """End a paid booking whose window is over and whose car never came."""
    if reservation.status != "confirmed" or reservation.ends_at > clock.now():
        return False
    claims.release_claim(reservation.id)
    change(reservation, since=("confirmed",), to="no_show")
    note(reservation.id, "no-show")
    tell(reservation.id, "no-show", key=f"no-show:{reservation.id}")
    after_commit(availability_changed.send, None, lot_id=reservation.lot_id)
    return True


def _overstay(reservation: Reservation) -> bool:
    """Take down that a car is in past its end and the grace of the lot, and tell its driver what it costs."""
    grace = timedelta(minutes=get_row(Lot, reservation.lot_id).grace_minutes)
    if reservation.status != "checked_in" or clock.now() <= covered_until(reservation) + grace:
        return False
    change(reservation, since=("checked_in",), to="overstayed")
    due = due_now(reservation)
    note(reservation.id, "overstayed", due_minor=due, currency=reservation.currency)
    tell(
        reservation.id,
        "overstay",
        key=f"overstay:{reservation.id}",
        due_minor=due,
        since=covered_until(reservation),
    )
    return True


def _end(reservation: Reservation) -> bool:
    """Complete a stay whose time ended while its car was out; what is open is a debt."""
    if (
        reservation.status not in PRESENT
        or reservation.ends_at > clock.now()
        or is_car_in(reservation.id)
    ):
        return False
    complete(reservation, debt_minor=due_now(reservation))
    return True
