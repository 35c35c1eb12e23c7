"""What may be done to a driver's vehicles."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError

from backend.clock import now
from backend.database import violates
from backend.errors import (
    InvalidInput,
    NotFound,
    PlateTaken,
    TooManyVehicles,
    Unauthenticated,
    VehicleInUse,
)
from backend.extensions import db
from backend.identity import Caller
from backend.models import Reservation, User, Vehicle
from backend.models.reservation import still_stands

MAX_VEHICLES = 50
# What a bay was chosen by, and what is looked for at the gate.
_FIXED_WHILE_BOOKED = ("plate", "kind", "electric", "height_cm")


def list_vehicles(driver: Caller, *, after_id: int, limit: int) -> Sequence[Vehicle]:
    """List the driver's vehicles, oldest first."""
    return db.session.scalars(
        select(Vehicle)
        .where(Vehicle.user_id == driver.id, Vehicle.deleted_at.is_(None), Vehicle.id > after_id)
        .order_by(Vehicle.id)
        .limit(limit)
    ).all()


def count_vehicles(driver: Caller) -> int:
    """Count the driver's vehicles."""
    return (
        db.session.scalar(
            select(func.count()).where(Vehicle.user_id == driver.id, Vehicle.deleted_at.is_(None))
        )
        or 0
    )


def get_vehicle(driver: Caller, vehicle_id: int) -> Vehicle:
    """Read one of the driver's vehicles.

    Raises:
        NotFound: there is none, or it is another's.

    """
    vehicle = db.session.get(Vehicle, vehicle_id)
    if vehicle is None or vehicle.user_id != driver.id or vehicle.deleted_at is not None:
        raise NotFound(f"You have no vehicle {vehicle_id}.")
    return vehicle


def add_vehicle(driver: Caller, *, plate: str, is_default: bool, **traits: Any) -> Vehicle:
    """Add a vehicle; the first one is the default. ``plate`` is normalised already.

    Raises:
        PlateTaken: the driver has one with this plate.
        TooManyVehicles: the driver has as many as allowed.

    """
    _lock_driver(driver)
    count = count_vehicles(driver)
    if count >= MAX_VEHICLES:
        raise TooManyVehicles(f"You may keep {MAX_VEHICLES} vehicles at most.")
    vehicle = Vehicle(user_id=driver.id, plate=plate, is_default=False, created_at=now(), **traits)
    db.session.add(vehicle)
    _flush_plate(plate)
    if is_default or count == 0:
        _make_default(vehicle)
    return vehicle


def change_vehicle(driver: Caller, vehicle_id: int, *, changes: dict[str, Any]) -> Vehicle:
    """Change a vehicle; making it the default takes that from another.

    Raises:
        NotFound: there is none, or it is another's.
        PlateTaken: the driver has another with this plate.
        VehicleInUse: a live reservation stands for its plate, kind, drive and height.
        InvalidInput: it is the default, and only another one can take that from it.

    """
    _lock_driver(driver)
    vehicle = get_vehicle(driver, vehicle_id)
    make_default = changes.pop("is_default", None)
    if make_default is False and vehicle.is_default:
        raise InvalidInput(
            "Make another vehicle the default instead.",
            errors={"is_default": ["Make another vehicle the default instead."]},
        )
    plate = changes.get("plate", vehicle.plate)
    fixed = [
        field
        for field in _FIXED_WHILE_BOOKED
        if field in changes and changes[field] != getattr(vehicle, field)
    ]
    if fixed and _is_in_use(vehicle):
        raise VehicleInUse(
            "The plate, kind, drive and height cannot change while a booking stands for the vehicle.",
            fields=fixed,
        )
    for field, value in changes.items():
        setattr(vehicle, field, value)
    _flush_plate(plate)
    if make_default:
        _make_default(vehicle)
    return vehicle


def delete_vehicle(driver: Caller, vehicle_id: int) -> None:
    """Take a vehicle away; its history stays. The oldest of the others becomes the default.

    Raises:
        NotFound: there is none, or it is another's.
        VehicleInUse: a live reservation stands for it, or something is owed for one.

    """
    _lock_driver(driver)
    vehicle = get_vehicle(driver, vehicle_id)
    if _is_in_use(vehicle):
        raise VehicleInUse(
            "A vehicle with a booking cannot be removed; cancel the booking, or wait until it is over."
        )
    if _owes(vehicle):
        raise VehicleInUse("Pay what is open for a stay of this vehicle first.")
    was_default = vehicle.is_default
    vehicle.is_default = False
    vehicle.deleted_at = now()
    db.session.flush()  # so that the query below no longer finds it
    if was_default:
        following = list_vehicles(driver, after_id=0, limit=1)
        for heir in following:
            heir.is_default = True


def _lock_driver(driver: Caller) -> None:
    """Let one request of a driver at a time count vehicles, move the default, or book."""
    locked = select(User.id).where(User.id == driver.id, User.active).with_for_update()
    if db.session.scalar(locked) is None:
        raise Unauthenticated("This account was closed or disabled a moment ago.")


def _flush_plate(plate: str) -> None:
    try:
        db.session.flush()  # meets uq_vehicles_user_plate
    except IntegrityError as error:
        if violates(error, "uq_vehicles_user_plate"):
            raise PlateTaken(f"You have a vehicle with the plate {plate} already.") from error
        raise


def _make_default(vehicle: Vehicle) -> None:
    others = db.session.scalars(
        select(Vehicle).where(
            Vehicle.user_id == vehicle.user_id,
            Vehicle.id != vehicle.id,
            Vehicle.is_default,
            Vehicle.deleted_at.is_(None),
        )
    ).all()
    for other in others:
        other.is_default = False
    db.session.flush()  # the old default goes first, or uq_vehicles_one_default would see two
    vehicle.is_default = True
    db.session.flush()  # gives the version that the answer's ETag tells


def _owes(vehicle: Vehicle) -> bool:
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    # By the index of the few who owe.
                    Reservation.user_id == vehicle.user_id,
                    Reservation.debt_minor > 0,
                    Reservation.vehicle_id == vehicle.id,
                )
            )
        )
    )


def _is_in_use(vehicle: Vehicle) -> bool:
    return bool(
        db.session.scalar(
            select(exists().where(Reservation.vehicle_id == vehicle.id, still_stands(now())))
        )
    )
