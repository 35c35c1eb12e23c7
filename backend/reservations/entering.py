"""Check-in: a car comes in, for the first time or again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.claims.presence import stretch_present
from backend.database import get_row, violates
from backend.errors import EntryRefused
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Reservation, SpotClaim, Stay
from backend.reservations.dues import is_car_in
from backend.reservations.history import note
from backend.reservations.states import (
    PRESENT,
    change,
    check_self_service,
    get_reservation_for_update,
    get_served,
    state_now,
)
from backend.signals import availability_changed
from backend.transaction import after_commit

_LONG_STAY = timedelta(hours=24)


def entry_opens_at(
    starts_at: datetime, ends_at: datetime, *, entry_minutes: int, entry_minutes_long: int
) -> datetime:
    """Give the moment from which a booking opens the entrance: who stays for days comes by train or flight."""
    is_long = ends_at - starts_at > _LONG_STAY
    return starts_at - timedelta(minutes=entry_minutes_long if is_long else entry_minutes)


def check_in(actor: Caller, reservation_id: int) -> None:
    """Let the car of a booking in; before its start too, from when entry opens, if the bay is free by then.

    Raises:
        NotFound: there is none, or it is none of the actor's.
        Forbidden: it is the actor's own, and drivers cannot do this themselves there.
        EntryRefused: the gate stays shut; ``reason`` tells why.

    """
    lot_id, as_staff = get_served(actor, reservation_id)
    lot = get_row(Lot, lot_id)
    if not as_staff:
        check_self_service(allowed=lot.allows_self_check_in)
    stretch_present(lot_id)
    reservation = get_reservation_for_update(reservation_id)
    status = state_now(reservation)
    if status in PRESENT:
        _check_may_come_again(reservation, lot)
    else:
        _check_may_come(reservation, lot, status)
        _take_bay(reservation)
        change(reservation, since=("confirmed",), to="checked_in")
    spot_id = db.session.execute(
        select(SpotClaim.spot_id).where(SpotClaim.reservation_id == reservation_id)
    ).scalar_one()
    try:
        db.session.execute(
            insert(Stay).values(
                reservation_id=reservation_id,
                lot_id=lot_id,
                spot_id=spot_id,
                entered_at=clock.now(),
                entered_by=actor.id,
            )
        )
    except IntegrityError as error:
        if violates(error, "uq_stays_one_present"):
            raise _is_in_already(reservation) from error
        raise
    note(reservation_id, "entered", actor_id=actor.id, again=status in PRESENT)


def may_come_again(reservation: Reservation, lot: Lot) -> bool:
    """Whether a car that leaves now may come back; a walk-in, which pays as it leaves, may not."""
    return (
        lot.allows_reentry
        and reservation.status == "checked_in"
        and reservation.source != "walk_in"
        and clock.now() < reservation.ends_at
    )


def _check_may_come_again(reservation: Reservation, lot: Lot) -> None:
    if is_car_in(reservation.id):
        raise _is_in_already(reservation)
    if not may_come_again(reservation, lot):
        raise EntryRefused("This stay is over.", reason="over")


def _is_in_already(reservation: Reservation) -> EntryRefused:
    return EntryRefused(f"{reservation.plate} is in already.", reason="already-in")


def _check_may_come(reservation: Reservation, lot: Lot, status: str) -> None:
    if status == "held":
        raise EntryRefused("This booking is not paid yet.", reason="not-paid")
    if status != "confirmed":
        raise EntryRefused("This booking is over.", reason="over")
    opens_at = entry_opens_at(
        reservation.starts_at,
        reservation.ends_at,
        entry_minutes=lot.entry_minutes,
        entry_minutes_long=lot.entry_minutes_long,
    )
    if clock.now() < opens_at:
        local = opens_at.astimezone(ZoneInfo(lot.timezone))
        raise EntryRefused(
            f"This booking opens the entrance from {local:%H:%M} on {local.day} {local:%b} on.",
            reason="too-early",
            opens_at=opens_at.isoformat(),
        )


def _take_bay(reservation: Reservation) -> None:
    """Hold the bay from now on, where the car comes before the booked time."""
    now = clock.now()
    if now >= reservation.starts_at:
        return
    if not claims.reshape_claim(reservation.id, starts_at=now):
        raise EntryRefused("The bay is not free yet.", reason="bay-not-free")
    after_commit(availability_changed.send, None, lot_id=reservation.lot_id)
