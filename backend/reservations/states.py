"""How a reservation goes from one state to the next: locked, looked at, and changed by compare-and-set.

Whoever changes one locks its claim first and the reservation after it, so that of two at once one comes
second, and finds what the first made of it.
"""

from collections.abc import Collection
from typing import Any, NoReturn

from sqlalchemy import Row, and_, select, update

from backend import clock
from backend.claims import service as claims
from backend.errors import Forbidden, IllegalTransition, NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.lots.staff import works_at
from backend.models import Reservation
from backend.models.reservation import LIVE_STATUSES

PRESENT = ("checked_in", "overstayed")
"""The states in which a car may be in."""


def get_own(driver: Caller, reservation_id: int) -> Row[int, str]:
    """Give the lot and the state of a reservation of the driver's own, unlocked.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    row = db.session.execute(
        select(Reservation.lot_id, Reservation.status).where(
            Reservation.id == reservation_id, Reservation.user_id == driver.id
        )
    ).first()
    if row is None:
        raise NotFound(f"There is no reservation {reservation_id}.")
    return row


def get_served(actor: Caller, reservation_id: int) -> tuple[int, bool]:
    """Give the lot of a reservation that the actor may let in and out, and whether they do so as staff.

    Staff of the lot may, and where the lot lets them its driver.

    Raises:
        NotFound: there is none, or it is somebody else's in a lot where the actor does not work.

    """
    row = db.session.execute(
        select(Reservation.lot_id, Reservation.user_id).where(Reservation.id == reservation_id)
    ).first()
    if row is not None and works_at(actor, row.lot_id):
        return row.lot_id, True
    if row is None or row.user_id != actor.id:
        raise NotFound(f"There is no reservation {reservation_id}.")
    return row.lot_id, False


def check_self_service(*, allowed: bool) -> None:
    """Refuse drivers who let themselves in or out where the lot does not have it so.

    Raises:
        Forbidden: it has not.

    """
    if not allowed:
        raise Forbidden("Show your ticket at the gate: drivers cannot do this themselves here.")


def get_reservation_for_update(reservation_id: int) -> Reservation:
    """Lock a reservation, its claim first, and give it as it is now."""
    claims.lock_claim(reservation_id)
    return db.session.scalars(
        select(Reservation)
        .where(Reservation.id == reservation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def state_now(reservation: Reservation) -> str:
    """Give its state, whether or not its row says so yet.

    A hold past its deadline is expired, and a booking whose window passed without its car is a no-show.
    """
    now = clock.now()
    if reservation.status == "held" and (
        reservation.hold_expires_at is None or reservation.hold_expires_at <= now
    ):
        return "expired"
    if reservation.status == "confirmed" and reservation.ends_at <= now:
        return "no_show"
    return reservation.status


def change(
    reservation: Reservation, *, since: Collection[str], to: str | None = None, **values: Any
) -> None:
    """Change a reservation that is in one of the states ``since``, to the state ``to`` where that is given.

    A hold counts while its deadline is ahead.

    Raises:
        IllegalTransition: it is in another state; ``status_now`` tells in which.

    """
    now = clock.now()
    if to is not None:
        values |= {"status": to, "live": to in LIVE_STATUSES}
        if to not in LIVE_STATUSES:
            values["ended_at"] = now
    stale = and_(Reservation.status == "held", Reservation.hold_expires_at <= now)
    changed = db.session.execute(
        update(Reservation)
        .where(Reservation.id == reservation.id, Reservation.status.in_(since), ~stale)
        .values(**values)
        .returning(Reservation.id),
        execution_options={"synchronize_session": False},
    ).first()
    if changed is None:
        refuse(reservation)
    db.session.refresh(reservation)


def refuse(reservation: Reservation) -> NoReturn:
    """Say that this cannot be done to a reservation as it is.

    Raises:
        IllegalTransition: always.

    """
    status = state_now(reservation)
    raise IllegalTransition(_WHY[status], status_now=status)


_WHY = {
    "held": "This booking is not paid yet.",
    "confirmed": "The car is not in yet.",
    "checked_in": "The car is in already.",
    "overstayed": "The time of this booking is over, and its car has not left.",
    "completed": "This booking is over.",
    "cancelled": "This booking was cancelled.",
    "expired": "The time to pay for this booking is over.",
    "no_show": "The time of this booking is over.",
}
