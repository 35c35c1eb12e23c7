"""Another vehicle for a booking, before its car comes."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.claims import service as claims
from backend.claims.fit import fitting_kinds
from backend.database import get_row, violates
from backend.errors import VehicleAlreadyBooked, VehicleDoesNotFit
from backend.extensions import db
from backend.identity import Caller
from backend.lots.offers import is_too_high
from backend.models import Lot, Reservation, Spot, SpotClaim, Vehicle
from backend.models.reservation import PLATE_OVERLAP
from backend.reservations.booking import lock_driver
from backend.reservations.history import note
from backend.reservations.states import (
    change,
    get_own,
    get_reservation_for_update,
    refuse,
    state_now,
)
from backend.reservations.telling import tell
from backend.vehicles.service import get_vehicle

CHANGEABLE = ("held", "confirmed")


def change_vehicle(driver: Caller, reservation_id: int, *, vehicle_id: int) -> None:
    """Let another of the driver's vehicles come to a booking; it must fit the bay that it has.

    Raises:
        NotFound: there is no such booking or vehicle, or it is somebody else's.
        IllegalTransition: the car is in, or the booking is over.
        VehicleDoesNotFit: it may not use this bay, or is too high for the lot.
        VehicleAlreadyBooked: its plate has a booking that overlaps.

    """
    lot_id = get_own(driver, reservation_id).lot_id
    has_permit = lock_driver(driver)
    vehicle = get_vehicle(driver, vehicle_id)
    claims.sweep_stale_holds(lot_id=None, plate=vehicle.plate, user_id=driver.id)
    reservation = get_reservation_for_update(reservation_id)
    if state_now(reservation) not in CHANGEABLE:
        refuse(reservation)
    if reservation.vehicle_id == vehicle.id:
        return
    _check_fit(reservation_id, get_row(Lot, lot_id), vehicle, has_permit=has_permit)
    former = reservation.plate
    values: dict[str, Any] = {
        "vehicle_id": vehicle.id,
        "plate": vehicle.plate,
        "vehicle_kind": vehicle.kind,
        "sequence": Reservation.sequence + 1,
    }
    try:
        change(reservation, since=CHANGEABLE, **values)
    except IntegrityError as error:
        if violates(error, PLATE_OVERLAP):
            raise VehicleAlreadyBooked(
                f"{vehicle.plate} has a booking that overlaps this time.", plate=vehicle.plate
            ) from error
        raise
    note(
        reservation_id,
        "vehicle-changed",
        actor_id=driver.id,
        former_plate=former,
        plate=vehicle.plate,
    )
    if reservation.status == "confirmed":
        # Of a hold nothing was written to its driver yet.
        tell(
            reservation_id,
            "vehicle-changed",
            key=f"vehicle-changed:{reservation_id}:{reservation.sequence}",
            former_plate=former,
        )


def _check_fit(reservation_id: int, lot: Lot, vehicle: Vehicle, *, has_permit: bool) -> None:
    if is_too_high(lot, vehicle.height_cm):
        raise VehicleDoesNotFit(
            f"{lot.name} takes vehicles up to {lot.height_limit_cm} cm; this one is {vehicle.height_cm} cm high.",
            height_limit_cm=lot.height_limit_cm,
        )
    spot = db.session.execute(
        select(Spot.label, Spot.kind)
        .join(SpotClaim, SpotClaim.spot_id == Spot.id)
        .where(SpotClaim.reservation_id == reservation_id)
    ).one()
    if spot.kind not in fitting_kinds(
        vehicle.kind, electric=vehicle.electric, has_permit=has_permit
    ):
        raise VehicleDoesNotFit(
            f"Bay {spot.label} is of the kind {spot.kind}, which this vehicle may not use."
        )
