"""A bay that somebody else stands in, reported by who should stand there."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from backend import clock
from backend.claims.placing import lock_claims_at_once, put_in, try_lock_rearranging
from backend.claims.presence import stretch_present
from backend.errors import IllegalTransition, NotFound, SpotInUse
from backend.extensions import db
from backend.identity import Caller
from backend.lots import closing
from backend.lots.staff import works_at
from backend.models import Reservation, Spot, SpotClaim, Stay
from backend.reservations.booking import lock_lot
from backend.reservations.cancelling import cancel_by_operator
from backend.reservations.entering import entry_opens_at
from backend.reservations.history import note
from backend.reservations.moving import move
from backend.reservations.states import change, get_reservation_for_update, state_now
from backend.transaction import TryAgain

_CLOSED_FOR = timedelta(hours=1)
_REPORTABLE = ("confirmed", "checked_in")


def can_report(
    status: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    entry_minutes: int,
    entry_minutes_long: int,
    at: datetime,
) -> bool:
    """Whether the bay of a booking can be reported as taken: from when entry opens until the end."""
    opens_at = entry_opens_at(
        starts_at, ends_at, entry_minutes=entry_minutes, entry_minutes_long=entry_minutes_long
    )
    return status in _REPORTABLE and opens_at <= at < ends_at


def report_occupied(actor: Caller, reservation_id: int) -> None:
    """Give a booking another bay, since somebody else stands in its own; else cancel it and give all money back.

    The bay is out of service for an hour, or until the booking there that cannot be moved.

    Raises:
        NotFound: there is none, or it is none of the actor's.
        IllegalTransition: its entry is not open yet, or it is over.
        TryAgain: somebody else is moving bookings of the lot.

    """
    row = db.session.execute(
        select(Reservation.lot_id, Reservation.user_id).where(Reservation.id == reservation_id)
    ).first()
    if row is None or (row.user_id != actor.id and not works_at(actor, row.lot_id)):
        raise NotFound(f"There is no reservation {reservation_id}.")
    lot = lock_lot(row.lot_id)
    if not try_lock_rearranging(lot.id):
        raise TryAgain
    stretch_present(lot.id)
    reservation = get_reservation_for_update(reservation_id)
    now = clock.now()
    if not can_report(
        state_now(reservation),
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        entry_minutes=lot.entry_minutes,
        entry_minutes_long=lot.entry_minutes_long,
        at=now,
    ):
        raise IllegalTransition(
            "A bay can be reported from when the entrance opens until the end of the booking.",
            status_now=state_now(reservation),
        )
    spot = db.session.scalars(
        select(Spot)
        .join(SpotClaim, SpotClaim.spot_id == Spot.id)
        .where(SpotClaim.reservation_id == reservation_id)
    ).one()
    note(reservation_id, "occupied", actor_id=actor.id, spot=spot.label)
    if not move(reservation_id, reason="occupied"):
        if reservation.status == "checked_in":
            _turn_round(reservation, now)
        cancel_by_operator(reservation_id, cause="no_bay", actor_id=actor.id, offered=False)
    _close(actor, spot, reservation.plate, now)


def _turn_round(reservation: Reservation, now: datetime) -> None:
    """Let a car out that came in and found no bay: its stay was none, and nothing is due for it."""
    db.session.execute(
        update(Stay)
        .where(Stay.reservation_id == reservation.id, Stay.left_at.is_(None))
        .values(left_at=now)
    )
    change(reservation, since=("checked_in",), to="confirmed")


def _close(actor: Caller, spot: Spot, plate: str, now: datetime) -> None:
    """Take the bay out of service for an hour, where who stands there next gets another bay too."""
    until = now + _CLOSED_FOR
    following = db.session.execute(
        select(SpotClaim.reservation_id, SpotClaim.starts_at)
        .where(
            SpotClaim.spot_id == spot.id,
            SpotClaim.live,
            SpotClaim.kind != "closure",
            SpotClaim.starts_at < until,
            SpotClaim.ends_at > now,
        )
        .order_by(SpotClaim.starts_at)
    ).all()
    for row in following:
        reservation_id = row.reservation_id
        if lock_claims_at_once([reservation_id]) and move(reservation_id, reason="occupied"):
            continue
        # It may well find the bay free by then; until then nobody else is sent there.
        put_in(reservation_id, spot.id)
        until = row.starts_at
        break
    if until <= now:
        return
    try:
        closing.close_spot(
            spot,
            starts_at=now,
            ends_at=until,
            reason=f"Somebody else stood there when {plate} came.",
            by=actor.id,
        )
    except SpotInUse as error:
        # Booked this very moment: the next try moves that one too.
        raise TryAgain from error
