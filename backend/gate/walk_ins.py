"""Cars that come without a booking: let in at once, priced and paid as they leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.claims.availability import count_free
from backend.claims.fit import fitting_kinds
from backend.claims.presence import stretch_present
from backend.database import violates
from backend.errors import (
    InvalidInput,
    LotFull,
    LotNotBookable,
    NotFound,
    SpotTaken,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.extensions import db
from backend.gate.service import get_workplace, keep_scan
from backend.identity import Caller
from backend.lots.window import USUAL_STAY
from backend.models import Lot, Quote, Reservation, Spot, Stay
from backend.models.reservation import PLATE_OVERLAP
from backend.quotes.service import make_quote
from backend.reservations.codes import new_code
from backend.reservations.history import note
from backend.reservations.moving import find_room
from backend.signals import availability_changed
from backend.tariffs.versions import kinds_no_dearer
from backend.transaction import TryAgain, after_commit
from backend.vehicles.plates import normalise_plate

# As with bookings: of two at once for one plate the second waits for the first, and then inserts nothing.
_INSERT_POSTGRESQL = (
    postgresql.insert(Reservation)
    .on_conflict_do_nothing(constraint=PLATE_OVERLAP)
    .returning(Reservation.id)
)
_INSERT_SQLITE = insert(Reservation).returning(Reservation.id)
_INSERT_STAY = insert(Stay)

# The lock that bookings take: they do not hold one another up, and closings wait.
_LOCK_LOT = (
    select(Lot)
    .where(Lot.id == bindparam("lot_id"))
    .with_for_update(read=True, key_share=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """Who stands at the gate, and for how long."""

    plate: str
    vehicle_kind: str
    starts_at: datetime
    ends_at: datetime


def admit(
    actor: Caller,
    *,
    lot_id: int,
    plate: str,
    vehicle_kind: str = "car",
    ends_at: datetime | None = None,
    spot_kind: str | None = None,
    spot_id: int | None = None,
) -> int:
    """Let a car in that has no booking; give the id of the reservation made for it.

    It gets a bay until the expected end, which is two hours away unless told otherwise, and may have any
    bay that the attendant chooses for it.

    Raises:
        NotFound: there is no such lot or bay, or the actor does not work there.
        InvalidInput: nobody has such a plate, or the end is too near or too far.
        LotNotBookable: the lot is not open until then, or has no price.
        VehicleDoesNotFit: the bay is not for this vehicle.
        VehicleAlreadyBooked: the plate has a booking that overlaps.
        SpotTaken: the chosen bay is not free.
        LotFull: no bay that fits is free.

    """
    get_workplace(actor, lot_id)
    try:
        plate = normalise_plate(plate)
    except ValueError as error:
        raise InvalidInput(errors={"plate": [str(error)]}) from error
    now = clock.now()
    arrival = _Arrival(
        plate=plate,
        vehicle_kind=vehicle_kind,
        starts_at=now,
        ends_at=now + USUAL_STAY if ends_at is None else ends_at,
    )
    lot = db.session.scalars(_LOCK_LOT, {"lot_id": lot_id}).one()
    spot = None if spot_id is None else _get_spot(lot, spot_id)
    stretch_present(lot.id)
    kinds = _kinds(lot, arrival, spot_kind, spot)
    quote = make_quote(
        actor,
        lot_id=lot.id,
        starts_at=arrival.starts_at,
        ends_at=arrival.ends_at,
        spot_kind=kinds[0],
        has_permit=True,
    )
    kinds = kinds_no_dearer(quote.tariff_id, quote.priced_kind, kinds)
    claims.sweep_stale_holds(lot_id=lot.id, plate=plate, user_id=0)
    reservation_id = _insert(arrival, quote, pinned=spot is not None)
    taken = _claim(lot, kinds, spot, reservation_id=reservation_id, arrival=arrival)
    _let_in(actor, lot, reservation_id, spot_id=taken, plate=plate, entered_at=now)
    after_commit(availability_changed.send, None, lot_id=lot.id)
    return reservation_id


def _get_spot(lot: Lot, spot_id: int) -> Spot:
    """Give the chosen bay, which nobody changes until the car is in."""
    spot = db.session.scalar(
        select(Spot).where(Spot.id == spot_id, Spot.lot_id == lot.id).with_for_update(read=True)
    )
    if spot is None:
        raise NotFound(f"{lot.name} has no bay {spot_id}.")
    return spot


def _kinds(
    lot: Lot, arrival: _Arrival, spot_kind: str | None, spot: Spot | None
) -> tuple[str, ...]:
    """Give the kinds of bay that will do, the one that sets the price foremost."""
    wanted = spot_kind if spot is None else spot.kind
    if spot is not None and spot_kind not in {None, spot.kind}:
        raise VehicleDoesNotFit(f"Bay {spot.label} is of the kind {spot.kind}.")
    if wanted is not None:
        # Nobody asks for a permit or a cable here: the attendant sees them.
        is_car = arrival.vehicle_kind == "car"
        if wanted not in fitting_kinds(arrival.vehicle_kind, electric=is_car, has_permit=True):
            raise VehicleDoesNotFit(f"A {arrival.vehicle_kind} does not use bays of this kind.")
        return (wanted,)
    counts = count_free([lot.id], starts_at=arrival.starts_at, ends_at=arrival.ends_at)
    here = counts.get(lot.id, {})
    kinds = [kind for kind in fitting_kinds(arrival.vehicle_kind) if kind in here]
    if not kinds:
        raise LotNotBookable(f"{lot.name} has no bay that would fit.", reason="no_fitting_bay")
    # It pays for the foremost kind that can be had.
    return tuple(sorted(kinds, key=lambda kind: here[kind].free == 0))


def _insert(arrival: _Arrival, quote: Quote, *, pinned: bool) -> int:
    connection = db.session.connection()
    on_postgresql = connection.dialect.name == "postgresql"
    reservation_id: int | None = None
    try:
        reservation_id = connection.execute(
            _INSERT_POSTGRESQL if on_postgresql else _INSERT_SQLITE,
            {
                "code": new_code(),
                "user_id": None,
                "vehicle_id": None,
                "plate": arrival.plate,
                "vehicle_kind": arrival.vehicle_kind,
                "lot_id": quote.lot_id,
                "quote_id": quote.id,
                "starts_at": arrival.starts_at,
                "ends_at": arrival.ends_at,
                "status": "checked_in",
                "live": True,
                "source": "walk_in",
                "pinned": pinned,
                "price_minor": quote.total_minor,
                "currency": quote.currency,
                "refund_policy": quote.refund_policy,
                "created_at": arrival.starts_at,
                "confirmed_at": arrival.starts_at,
            },
        ).scalar_one_or_none()
    except IntegrityError as error:
        if not violates(error, PLATE_OVERLAP):
            raise
    if reservation_id is None:
        raise VehicleAlreadyBooked(
            f"{arrival.plate} has a booking that overlaps this time; show its plate or code to the gate.",
            plate=arrival.plate,
        )
    return reservation_id


def _claim(
    lot: Lot,
    kinds: Sequence[str],
    spot: Spot | None,
    *,
    reservation_id: int,
    arrival: _Arrival,
) -> int:
    claim: dict[str, Any] = {
        "reservation_id": reservation_id,
        "starts_at": arrival.starts_at,
        "ends_at": arrival.ends_at,
        "expires_at": None,
    }
    if spot is not None:
        if claims.claim_spot(spot.id, kind="walk_in", **claim):
            return spot.id
        raise SpotTaken(f"Bay {spot.label} of {lot.name} is taken for that time.", spot_id=spot.id)
    taken = claims.claim_any_spot(lot.id, kinds, kind="walk_in", **claim)
    if taken is None:
        # Bookings that nobody pinned may make room, as they do for one more booking.
        taken = find_room(lot.id, kinds, starts_at=arrival.starts_at, ends_at=arrival.ends_at)
        if taken is None:
            raise LotFull(f"{lot.name} has no free bay for that time.", lot_id=lot.id)
        if not claims.claim_spot(taken, kind="walk_in", **claim):
            raise TryAgain
    return taken


def _let_in(
    actor: Caller,
    lot: Lot,
    reservation_id: int,
    *,
    spot_id: int,
    plate: str,
    entered_at: datetime,
) -> None:
    db.session.connection().execute(
        _INSERT_STAY,
        {
            "reservation_id": reservation_id,
            "lot_id": lot.id,
            "spot_id": spot_id,
            "entered_at": entered_at,
            "entered_by": actor.id,
        },
    )
    note(reservation_id, "entered", actor_id=actor.id, again=False)
    keep_scan(
        actor,
        lot_id=lot.id,
        credential="plate",
        shown=plate,
        result="entered",
        reservation_id=reservation_id,
    )
