"""Making room: bookings that get another bay, so that one more can be had or a taken bay is no harm."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from backend import clock
from backend.claims.fit import fitting_kinds
from backend.claims.placing import (
    labels_of,
    lock_claims_at_once,
    move_claims,
    put_in,
    put_in_anywhere,
    read_picture,
    take_out,
    try_lock_rearranging,
)
from backend.claims.presence import list_lots_overdue, stretch_present
from backend.claims.rearranging import Arrangement, Move, Wish, find_arrangement
from backend.extensions import db
from backend.models import FOREVER, Quote, Reservation, Spot, SpotClaim
from backend.reservations import cancelling
from backend.reservations.history import note
from backend.reservations.telling import tell
from backend.signals import availability_changed
from backend.transaction import TryAgain, after_commit, transaction

logger = logging.getLogger(__name__)

_TRIES = 3


def look_for_room(
    lot_id: int,
    kinds: Sequence[str],
    *,
    starts_at: datetime,
    ends_at: datetime,
    spot_id: int | None = None,
    reservation_id: int | None = None,
) -> Arrangement | None:
    """Tell which bay could be had for a window, and which bookings would be moved for it; move none.

    ``reservation_id`` is the booking that wants it, which stays where it stands and is in its own way nowhere.
    """
    wish = Wish(kinds, starts_at, ends_at, spot_id=spot_id, reservation_id=reservation_id)
    return _look(lot_id, wish, with_stale=False)


def find_room(
    lot_id: int,
    kinds: Sequence[str],
    *,
    starts_at: datetime,
    ends_at: datetime,
    spot_id: int | None = None,
    reservation_id: int | None = None,
) -> int | None:
    """Make a bay free for a window by moving others within the bound; give it, or None when none can be.

    With a ``spot_id`` it is this very bay. ``reservation_id`` is the booking that wants it, which stays
    where it stands and is in its own way nowhere. The caller claims the bay next.

    Raises:
        TryAgain: somebody else is moving bookings of the lot, or changing one that must move.

    """
    return _make_room(
        lot_id, Wish(kinds, starts_at, ends_at, spot_id=spot_id, reservation_id=reservation_id)
    )


def move_or_refund(reservation_id: int, *, reason: str) -> bool:
    """Give a booking another bay, or, where none can be had, all its money back; tell whether it moved.

    Raises:
        TryAgain: somebody else is moving bookings of the lot, or changing one that must move.

    """
    if move(reservation_id, reason=reason):
        return True
    cancelling.cancel_by_operator(reservation_id, cause="no_bay", offered=False)
    return False


def move(reservation_id: int, *, reason: str) -> bool:
    """Give a booking, pinned or not, another bay, since its own cannot be had; tell its driver.

    False when there is none; then its claim is out, and the caller says what becomes of it.

    Raises:
        TryAgain: somebody else is moving bookings of the lot, or changing one that must move.

    """
    row = db.session.execute(
        select(
            Reservation.lot_id,
            Reservation.vehicle_kind,
            Quote.spot_kind.label("asked_kind"),
            SpotClaim.spot_id,
            SpotClaim.starts_at,
            SpotClaim.ends_at,
            Spot.kind,
        )
        .join(Quote, Quote.id == Reservation.quote_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .where(Reservation.id == reservation_id)
    ).one()
    take_out([reservation_id])
    kinds = kinds_in_need(row.kind, row.asked_kind, row.vehicle_kind)
    starts_at = max(row.starts_at, clock.now())
    window = {"starts_at": starts_at, "ends_at": row.ends_at}
    spot_id = put_in_anywhere(
        row.lot_id, kinds, reservation_id=reservation_id, but=row.spot_id, **window
    )
    if spot_id is None:
        spot_id = _make_room(row.lot_id, Wish(kinds, **window, but=row.spot_id))
        if spot_id is None:
            return False
        if not put_in(reservation_id, spot_id, not_before=starts_at):
            raise TryAgain
    tell_moved([Move(reservation_id, row.spot_id, spot_id)], reason=reason)
    after_commit(availability_changed.send, None, lot_id=row.lot_id)
    return True


def on_bay_needed(_sender: Any, *, reservation_id: int) -> None:
    """Find another bay for a booking whose bay a car keeps past its end; ``create_app`` connects it."""
    move_or_refund(reservation_id, reason="overstay")


def hold_bays() -> int:
    """Let cars that are in past their end hold their bays, in every lot; give how many there were.

    Each lot is a transaction of its own, so that one that fails costs no other.
    """
    with transaction(read_only=True):
        lot_ids = list_lots_overdue()
    count = 0
    for lot_id in lot_ids:
        try:
            with transaction():
                count += stretch_present(lot_id)
        except TryAgain:
            continue
        except Exception:
            logger.exception("The bays of lot %s could not be held", lot_id)
    return count


def apply_moves(lot_id: int, moves: Sequence[Move], *, reason: str) -> bool:
    """Move bookings whose claims are locked, all or none, and tell their drivers; False when a bay is taken."""
    if not move_claims(moves):
        return False
    tell_moved(moves, reason=reason)
    if moves:
        after_commit(availability_changed.send, None, lot_id=lot_id)
    return True


def tell_moved(moves: Sequence[Move], *, reason: str) -> None:
    """Take down that bookings have other bays, and tell their drivers."""
    if not moves:
        return
    labels = labels_of({spot for move in moves for spot in (move.from_spot_id, move.to_spot_id)})
    for move in sorted(moves, key=lambda each: each.reservation_id):
        sequence = db.session.execute(
            _COUNT_CHANGE, {"reservation_id": move.reservation_id}
        ).scalar_one()
        before, after = labels[move.from_spot_id], labels[move.to_spot_id]
        note(move.reservation_id, "moved", from_spot=before, to_spot=after, reason=reason)
        tell(
            move.reservation_id,
            "moved",
            key=f"moved:{move.reservation_id}:{sequence}",
            old_bay=before,
            reason=reason,
        )


def kinds_in_need(kind: str, asked_kind: str | None, vehicle_kind: str) -> tuple[str, ...]:
    """Give the kinds of bay for a booking whose own bay cannot be had, the same kind foremost.

    Who asked for a kind of bay gets that kind; anybody else what fits.
    """
    others = () if asked_kind else fitting_kinds(vehicle_kind)
    return tuple(dict.fromkeys((kind, *others)))


def _make_room(lot_id: int, wish: Wish) -> int | None:
    # First without any lock: most lots that are full cannot be helped, and their crowd need not queue.
    if _look(lot_id, wish) is None:
        return None
    if not try_lock_rearranging(lot_id):
        raise TryAgain
    locked: set[int] = set()
    for _ in range(_TRIES):
        found = _look(lot_id, wish)
        if found is None:
            return None
        moving = {move.reservation_id for move in found.moves}
        if moving <= locked:
            # A bay that was just booked by somebody who has not committed yet is met here.
            if not apply_moves(lot_id, found.moves, reason="room"):
                raise TryAgain
            return found.spot_id
        locked |= lock_claims_at_once(moving - locked)
        if not moving <= locked:
            raise TryAgain
    raise TryAgain


def _look(lot_id: int, wish: Wish, *, with_stale: bool = True) -> Arrangement | None:
    # What overlaps the window tells whether a bay could be had at all; only then the rest is read.
    near = read_picture(lot_id, wish, until=wish.ends_at, with_stale=with_stale)
    if not near.has_load_for(wish):
        return None
    return find_arrangement(read_picture(lot_id, wish, until=FOREVER, with_stale=with_stale), wish)


_COUNT_CHANGE = (
    update(Reservation)
    .where(Reservation.id == bindparam("reservation_id"))
    .values(sequence=Reservation.sequence + 1)
    .returning(Reservation.sequence)
)
