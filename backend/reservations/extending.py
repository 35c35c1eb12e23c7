"""Staying longer: the same bay for longer where it can be had, at the price of the whole stay less what was paid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.claims.presence import stretch_present
from backend.database import get_row, violates
from backend.errors import (
    ExtensionBlocked,
    IllegalTransition,
    InvalidInput,
    LotNotBookable,
    NotFound,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.extensions import db
from backend.identity import Caller
from backend.lots.offers import is_open
from backend.lots.window import LONGEST
from backend.models import Lot, Reservation, Spot, SpotClaim
from backend.models.reservation import PLATE_OVERLAP
from backend.payments.refunds import counted_as_paid
from backend.quotes import service as quotes
from backend.reservations.alternatives import list_free_spots
from backend.reservations.booking import lock_lot
from backend.reservations.dues import covered_until
from backend.reservations.history import note
from backend.reservations.moving import find_room, look_for_room
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

EXTENDABLE = ("confirmed", "checked_in")


@dataclass(frozen=True, slots=True)
class Extension:
    """What a longer stay would cost, and whether the bay can be had for it."""

    ends_at: datetime
    price_minor: int
    due_minor: int
    currency: str
    lines: list[dict[str, Any]]
    available: bool
    spot: dict[str, Any] | None
    """The bay that it would have; none where there is none."""
    moves_bay: bool
    longest_ends_at: datetime | None
    """Until when the present bay is free; None where nothing stands in the way."""


def preview_extension(driver: Caller, reservation_id: int, ends_at: datetime) -> Extension:
    """Tell what it would cost to stay until ``ends_at``, and which bay there would be.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it cannot be extended any more.
        InvalidInput: the end is none that it could have.
        LotNotBookable: the lot is not open until then.

    """
    get_own(driver, reservation_id)
    reservation = db.session.get_one(Reservation, reservation_id)
    lot = get_row(Lot, reservation.lot_id)
    _check(reservation, lot, ends_at)
    price = quotes.reprice(reservation, starts_at=reservation.starts_at, ends_at=ends_at)
    spot = _spot_of(reservation_id)
    longest = _longest_end(reservation, spot)
    found: dict[str, Any] | None = None
    if longest is None or longest >= ends_at or _can_make_room(reservation, spot, ends_at):
        found = _describe(spot)
    else:
        found = next(iter(_other_bays(reservation, spot, ends_at)), None)
    return Extension(
        ends_at=ends_at,
        price_minor=price.total_minor,
        due_minor=max(price.total_minor - counted_as_paid(reservation_id), 0),
        currency=price.currency,
        lines=[line.to_dict() for line in price.lines],
        available=found is not None,
        spot=found,
        moves_bay=found is not None and found["id"] != spot.id,
        longest_ends_at=longest,
    )


def extend(
    driver: Caller, reservation_id: int, ends_at: datetime, spot_id: int | None = None
) -> None:
    """Let a booking last until ``ends_at``; what it costs more is due before its car leaves.

    It keeps its bay: where another booking stands in the way which may be moved, that one gets another.
    With a ``spot_id`` it takes that bay where its own cannot be had.

    Raises:
        NotFound: there is none, it is somebody else's, or the lot has no such bay.
        IllegalTransition: it cannot be extended any more.
        InvalidInput: the end is none that it could have.
        LotNotBookable: the lot is not open until then.
        ExtensionBlocked: the bay is taken by then.
        VehicleDoesNotFit: the other bay is of another kind.
        VehicleAlreadyBooked: the plate has a booking that would overlap.

    """
    lot_id = get_own(driver, reservation_id).lot_id
    lot = lock_lot(lot_id)
    stretch_present(lot_id)
    claims.sweep_stale_holds(lot_id=lot_id, plate="", user_id=driver.id)
    reservation = get_reservation_for_update(reservation_id)
    _check(reservation, lot, ends_at)
    spot = _spot_of(reservation_id)
    former = reservation.ends_at
    moved_to = _take(reservation, spot, ends_at, spot_id)
    quote = quotes.requote(reservation, starts_at=reservation.starts_at, ends_at=ends_at)
    try:
        change(
            reservation,
            since=EXTENDABLE,
            ends_at=ends_at,
            quote_id=quote.id,
            price_minor=quote.total_minor,
            sequence=Reservation.sequence + 1,
        )
    except IntegrityError as error:
        if violates(error, PLATE_OVERLAP):
            raise VehicleAlreadyBooked(
                f"{driver.name}'s vehicle has another booking by then."
            ) from error
        raise
    due = max(quote.total_minor - counted_as_paid(reservation_id), 0)
    facts = {"former_ends_at": former.isoformat(), "ends_at": ends_at.isoformat()}
    if moved_to is not None:
        facts |= {"from_spot": spot.label, "to_spot": moved_to.label}
    note(
        reservation_id,
        "extended",
        actor_id=driver.id,
        due_minor=due,
        currency=reservation.currency,
        **facts,
    )
    tell(
        reservation_id,
        "extended",
        key=f"extended:{reservation_id}:{reservation.sequence}",
        price_minor=quote.total_minor,
        due_minor=due,
        old_bay=spot.label if moved_to is not None else "",
    )
    after_commit(availability_changed.send, None, lot_id=lot_id)


def _check(reservation: Reservation, lot: Lot, ends_at: datetime) -> None:
    if state_now(reservation) not in EXTENDABLE or reservation.source == "walk_in":
        refuse(reservation)
    now = clock.now()
    reached = covered_until(reservation)
    if now > reached + timedelta(minutes=lot.grace_minutes):
        raise IllegalTransition(
            "The time of this booking is over; it cannot be extended any more.",
            status_now=reservation.status,
        )
    errors: list[str] = []
    if ends_at <= max(reached, now):
        errors = ["The end must lie after the present one."]
    elif ends_at - reservation.starts_at > LONGEST:
        errors = [f"The longest stay is {LONGEST.days} days."]
    if errors:
        raise InvalidInput("This end cannot be had.", errors={"ends_at": errors})
    if lot.status != "open":
        raise LotNotBookable(f"{lot.name} is not open for booking.", reason=lot.status)
    if not is_open(lot, reservation.starts_at, ends_at):
        raise LotNotBookable(
            f"{lot.name} is not open for the whole of this time.", reason="outside_opening_hours"
        )


def _take(
    reservation: Reservation, spot: Spot, ends_at: datetime, spot_id: int | None
) -> Spot | None:
    """Hold a bay until the new end; give it, where it is another than before."""
    if claims.reshape_claim(reservation.id, ends_at=ends_at):
        return None
    if find_room(
        reservation.lot_id,
        (spot.kind,),
        starts_at=reservation.starts_at,
        ends_at=ends_at,
        spot_id=spot.id,
        reservation_id=reservation.id,
    ) is not None and claims.reshape_claim(reservation.id, ends_at=ends_at):
        return None
    if spot_id is not None and spot_id != spot.id:
        other = _get_other(reservation.lot_id, spot, spot_id)
        if _move(reservation, other, ends_at):
            return other
    longest = _longest_end(reservation, spot)
    # Plain values: after a refusal the rows are gone with their transaction.
    wish = _wish_for_other(reservation, spot, ends_at)
    raise ExtensionBlocked(
        f"Bay {spot.label} is taken by then.",
        longest_ends_at=longest.isoformat() if longest else None,
        look_up=lambda: {"alternatives": {"spots": list_free_spots(**wish)}},
    )


def _get_other(lot_id: int, spot: Spot, spot_id: int) -> Spot:
    other = db.session.scalar(
        select(Spot).where(Spot.id == spot_id, Spot.lot_id == lot_id).with_for_update(read=True)
    )
    if other is None:
        raise NotFound(f"There is no bay {spot_id} here.")
    if other.kind != spot.kind:
        raise VehicleDoesNotFit(f"Bay {other.label} is of the kind {other.kind}, not {spot.kind}.")
    return other


def _move(reservation: Reservation, other: Spot, ends_at: datetime) -> bool:
    now = clock.now()
    starts_at = _free_from(reservation)
    before = reservation.ends_at
    if not claims.reshape_claim(
        reservation.id, spot_id=other.id, starts_at=starts_at, ends_at=ends_at
    ):
        return False
    if before > now:
        window_freed.send(None, lot_id=reservation.lot_id, starts_at=starts_at, ends_at=before)
    return True


def _spot_of(reservation_id: int) -> Spot:
    return db.session.scalars(
        select(Spot)
        .join(SpotClaim, SpotClaim.spot_id == Spot.id)
        .where(SpotClaim.reservation_id == reservation_id)
    ).one()


def _longest_end(reservation: Reservation, spot: Spot) -> datetime | None:
    """Give the moment at which something else stands on the bay next."""
    now = clock.now()
    return db.session.scalar(
        select(func.min(SpotClaim.starts_at)).where(
            SpotClaim.spot_id == spot.id,
            SpotClaim.live,
            SpotClaim.reservation_id.is_distinct_from(reservation.id),
            SpotClaim.ends_at > reservation.ends_at,
            SpotClaim.expires_at.is_(None) | (SpotClaim.expires_at > now),
        )
    )


def _can_make_room(reservation: Reservation, spot: Spot, ends_at: datetime) -> bool:
    return (
        look_for_room(
            reservation.lot_id,
            (spot.kind,),
            starts_at=reservation.starts_at,
            ends_at=ends_at,
            spot_id=spot.id,
            reservation_id=reservation.id,
        )
        is not None
    )


def _other_bays(reservation: Reservation, spot: Spot, ends_at: datetime) -> list[dict[str, Any]]:
    return list_free_spots(**_wish_for_other(reservation, spot, ends_at))


def _wish_for_other(reservation: Reservation, spot: Spot, ends_at: datetime) -> dict[str, Any]:
    return {
        "lot_id": reservation.lot_id,
        "kinds": (spot.kind,),
        "starts_at": _free_from(reservation),
        "ends_at": ends_at,
        "near": (spot.level, spot.x, spot.y),
    }


def _free_from(reservation: Reservation) -> datetime:
    # A car that is in takes another bay from now on.
    if reservation.status == "checked_in":
        return max(clock.now(), reservation.starts_at)
    return reservation.starts_at


def _describe(spot: Spot) -> dict[str, Any]:
    return {"id": spot.id, "label": spot.label, "level": spot.level, "kind": spot.kind}
