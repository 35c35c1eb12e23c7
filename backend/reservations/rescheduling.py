"""Another time for a booking, before its car comes: at the difference, or with the policy's share of it back."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.claims.presence import stretch_present
from backend.database import get_row, violates
from backend.errors import (
    LotFull,
    LotNotBookable,
    SpotTaken,
    VehicleAlreadyBooked,
)
from backend.extensions import db
from backend.identity import Caller
from backend.lots.offers import is_open
from backend.lots.window import check_window
from backend.models import Lot, Reservation, Spot, SpotClaim
from backend.models.reservation import PLATE_OVERLAP
from backend.money import round_half_up
from backend.payments.refunds import counted_as_paid, net_paid, promise_refunds
from backend.quotes import service as quotes
from backend.quotes.refund_policy import refund_policy
from backend.reservations.alternatives import list_free_spots, look_for_alternatives
from backend.reservations.booking import lock_lot
from backend.reservations.history import note
from backend.reservations.moving import find_room, look_for_room
from backend.reservations.refunding import refund_share
from backend.reservations.states import (
    change,
    get_own,
    get_reservation_for_update,
    refuse,
    state_now,
)
from backend.reservations.telling import tell
from backend.signals import availability_changed, window_freed
from backend.transaction import after_commit

RESCHEDULABLE = ("confirmed",)


@dataclass(frozen=True, slots=True)
class Rescheduling:
    """What another time would cost, what would come back, and whether a bay can be had for it."""

    price_minor: int
    due_minor: int
    refund_minor: int
    currency: str
    lines: list[dict[str, Any]]
    available: bool


def preview_rescheduling(
    driver: Caller, reservation_id: int, *, starts_at: datetime, ends_at: datetime
) -> Rescheduling:
    """Tell what another time would cost or give back, and whether there is a bay then.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: its time cannot be changed any more.
        InvalidInput: the window may not be booked.
        LotNotBookable: the lot is not open then.

    """
    get_own(driver, reservation_id)
    reservation = db.session.get_one(Reservation, reservation_id)
    lot = get_row(Lot, reservation.lot_id)
    _check(reservation, lot, starts_at, ends_at)
    price = quotes.reprice(reservation, starts_at=starts_at, ends_at=ends_at)
    due, refund = _settle(reservation, price.total_minor)
    window = {"starts_at": starts_at, "ends_at": ends_at}
    spot = _spot_of(reservation_id)
    room = look_for_room(
        lot.id,
        (spot.kind,),
        spot_id=spot.id if reservation.pinned else None,
        # Where it stands now is given up with the old window.
        reservation_id=reservation_id,
        **window,
    )
    return Rescheduling(
        price_minor=price.total_minor,
        due_minor=due,
        refund_minor=refund,
        currency=price.currency,
        lines=[line.to_dict() for line in price.lines],
        available=room is not None,
    )


def reschedule(
    driver: Caller, reservation_id: int, *, starts_at: datetime, ends_at: datetime
) -> None:
    """Give a booking another time, before its car comes; a pinned bay stays the same.

    What it costs more is due before its car leaves. When it costs less, of the difference comes back what
    the policy gives at this moment.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: its time cannot be changed any more.
        InvalidInput: the window may not be booked.
        LotNotBookable: the lot is not open then.
        SpotTaken: the chosen bay is not free then.
        LotFull: no bay of its kind is free then.
        VehicleAlreadyBooked: the plate has a booking that would overlap.

    """
    lot_id = get_own(driver, reservation_id).lot_id
    lot = lock_lot(lot_id)
    stretch_present(lot_id)
    claims.sweep_stale_holds(lot_id=lot_id, plate="", user_id=driver.id)
    reservation = get_reservation_for_update(reservation_id)
    _check(reservation, lot, starts_at, ends_at)
    spot = _spot_of(reservation_id)
    former = (reservation.starts_at, reservation.ends_at)
    taken = _take(reservation, lot, spot, starts_at, ends_at)
    quote = quotes.requote(reservation, starts_at=starts_at, ends_at=ends_at)
    due, refund = _settle(reservation, quote.total_minor)
    try:
        change(
            reservation,
            since=RESCHEDULABLE,
            starts_at=starts_at,
            ends_at=ends_at,
            quote_id=quote.id,
            price_minor=quote.total_minor,
            sequence=Reservation.sequence + 1,
        )
    except IntegrityError as error:
        if violates(error, PLATE_OVERLAP):
            raise VehicleAlreadyBooked("This vehicle has another booking at that time.") from error
        raise
    if refund:
        promise_refunds(
            reservation_id,
            refund,
            cause="rescheduled",
            key=f"reschedule:{reservation_id}:{reservation.sequence}",
            actor_id=driver.id,
        )
    facts: dict[str, Any] = {
        "former_starts_at": former[0].isoformat(),
        "former_ends_at": former[1].isoformat(),
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
    }
    if taken.id != spot.id:
        facts |= {"from_spot": spot.label, "to_spot": taken.label}
    note(
        reservation_id,
        "rescheduled",
        actor_id=driver.id,
        due_minor=due,
        refund_minor=refund,
        currency=reservation.currency,
        **facts,
    )
    tell(
        reservation_id,
        "rescheduled",
        key=f"rescheduled:{reservation_id}:{reservation.sequence}",
        price_minor=quote.total_minor,
        due_minor=due,
        refund_minor=refund,
    )
    window_freed.send(None, lot_id=lot_id, starts_at=former[0], ends_at=former[1])
    after_commit(availability_changed.send, None, lot_id=lot_id)


def _check(reservation: Reservation, lot: Lot, starts_at: datetime, ends_at: datetime) -> None:
    now = clock.now()
    if state_now(reservation) not in RESCHEDULABLE:
        refuse(reservation)
    check_window(now, starts_at, ends_at)
    if lot.status != "open":
        raise LotNotBookable(f"{lot.name} is not open for booking.", reason=lot.status)
    if not is_open(lot, starts_at, ends_at):
        raise LotNotBookable(
            f"{lot.name} is not open for the whole of this time.", reason="outside_opening_hours"
        )


def _settle(reservation: Reservation, price_minor: int) -> tuple[int, int]:
    """Give what is due at a new price, and what comes back."""
    net, settled = net_paid(reservation.id), counted_as_paid(reservation.id)
    # What was never paid, or is back already, does not come back.
    saved = min(reservation.price_minor, net) - price_minor
    if saved <= 0:
        return max(price_minor - settled, 0), 0
    share = refund_share(
        refund_policy(reservation.refund_policy),
        booked_at=reservation.created_at,
        starts_at=reservation.starts_at,
        at=clock.now(),
    )
    return 0, round_half_up(saved * share.percent, 100)


def _take(
    reservation: Reservation, lot: Lot, spot: Spot, starts_at: datetime, ends_at: datetime
) -> Spot:
    """Hold a bay for the new window instead of the old one; give it."""
    window = {"starts_at": starts_at, "ends_at": ends_at}
    if claims.reshape_claim(reservation.id, starts_at=starts_at, ends_at=ends_at):
        return spot
    near = (spot.level, spot.x, spot.y)
    kinds = (spot.kind,)
    if not reservation.pinned:
        for other in list_free_spots(lot.id, kinds, near=near, **window):
            if claims.reshape_claim(
                reservation.id, spot_id=other["id"], starts_at=starts_at, ends_at=ends_at
            ):
                return db.session.get_one(Spot, other["id"])
    room = find_room(
        lot.id,
        kinds,
        spot_id=spot.id if reservation.pinned else None,
        reservation_id=reservation.id,
        **window,
    )
    if room is not None and claims.reshape_claim(
        reservation.id, spot_id=room, starts_at=starts_at, ends_at=ends_at
    ):
        return db.session.get_one(Spot, room)
    look_up = partial(
        look_for_alternatives,
        lot_id=lot.id,
        kinds=kinds,
        height_cm=None,
        near=near,
        **window,
    )
    if reservation.pinned:
        raise SpotTaken(
            f"Bay {spot.label} of {lot.name} is taken for that time.",
            spot_id=spot.id,
            look_up=look_up,
        )
    raise LotFull(f"{lot.name} has no free bay for that time.", lot_id=lot.id, look_up=look_up)


def _spot_of(reservation_id: int) -> Spot:
    return db.session.scalars(
        select(Spot)
        .join(SpotClaim, SpotClaim.spot_id == Spot.id)
        .where(SpotClaim.reservation_id == reservation_id)
    ).one()
