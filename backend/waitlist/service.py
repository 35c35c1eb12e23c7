"""What may be done to the waitlist: joining it, leaving it, and looking where one stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from backend import clock
from backend.database import violates
from backend.errors import (
    AlreadyWaiting,
    IllegalTransition,
    LotHasRoom,
    NotFound,
    TooManyReservations,
)
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Reservation, Vehicle, WaitlistEntry
from backend.quotes import service as quotes
from backend.reservations import booking
from backend.reservations.moving import look_for_room
from backend.vehicles.service import get_vehicle

MOST_WAITING = 10
ONCE = "uq_waitlist_entries_once"

_Other = aliased(WaitlistEntry)


@dataclass(frozen=True, slots=True)
class AwaitedLot:
    """Where somebody waits for a bay."""

    id: int
    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class WaitingVehicle:
    """For which vehicle."""

    id: int
    plate: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry of the waitlist as its driver sees it."""

    id: int
    lot: AwaitedLot
    vehicle: WaitingVehicle
    starts_at: datetime
    ends_at: datetime
    spot_kind: str | None
    status: str
    position: int | None
    reservation_id: int | None
    hold_expires_at: datetime | None
    created_at: datetime


def join(
    driver: Caller,
    *,
    lot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    vehicle_id: int,
    spot_kind: str | None = None,
) -> Waiting:
    """Put a driver at the end of the queue for a window in which no bay can be had.

    Raises:
        NotFound: there is no such lot or vehicle.
        InvalidInput: the window may not be booked.
        LotNotBookable: the lot is not open, or has no price or no bay that fits.
        VehicleDoesNotFit: the lot is too low, or the kind of bay is not for this vehicle.
        LotHasRoom: a bay can be had, by moving others if not as they stand.
        AlreadyWaiting: the driver waits for this very window.
        TooManyReservations: the driver waits for ten windows.

    """
    has_permit = booking.lock_driver(driver)
    vehicle = get_vehicle(driver, vehicle_id)
    # Whatever would refuse a booking of the window refuses to wait for it.
    quote = quotes.make_quote(
        driver,
        lot_id=lot_id,
        spot_kind=spot_kind,
        vehicle_id=vehicle_id,
        has_permit=has_permit,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    lot = db.session.get_one(Lot, lot_id)
    kinds = booking.kinds_for(vehicle, quote, lot, has_permit=has_permit)
    _check_count(driver)
    if look_for_room(lot_id, kinds, starts_at=starts_at, ends_at=ends_at) is not None:
        raise LotHasRoom(f"{lot.name} has a free bay for that time; book it.", lot_id=lot_id)
    values = {
        "user_id": driver.id,
        "lot_id": lot_id,
        "vehicle_id": vehicle_id,
        "spot_kind": spot_kind,
        "status": "waiting",
        "created_at": clock.now(),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    try:
        entry_id = db.session.scalar(
            insert(WaitlistEntry).values(values).returning(WaitlistEntry.id)
        )
    except IntegrityError as error:
        if violates(error, ONCE):
            raise AlreadyWaiting(
                f"You are waiting for a bay of {lot.name} at that time."
            ) from error
        raise
    assert entry_id is not None  # noqa: S101 - RETURNING gives one row for one # nosec B101
    return get_waiting(driver, entry_id)


def leave(driver: Caller, entry_id: int) -> None:
    """Take a driver off the queue.

    Raises:
        NotFound: there is no such entry of the driver's.
        IllegalTransition: it does not wait any more; an offer is a booking, and is cancelled as one.

    """
    waiting = get_waiting(driver, entry_id)
    left = db.session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.id == entry_id, WaitlistEntry.status == "waiting")
        .values(status="left", ended_at=clock.now())
        .returning(WaitlistEntry.id)
    ).first()
    if left is None:
        raise IllegalTransition("You are not waiting for this any more.", status_now=waiting.status)


def get_waiting(driver: Caller, entry_id: int) -> Waiting:
    """Give an entry of the driver's own.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    row = db.session.execute(_own(driver).where(WaitlistEntry.id == entry_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no waitlist entry {entry_id}.")
    return _read(row)


def list_waiting(driver: Caller, *, limit: int, before_id: int | None) -> list[Waiting]:
    """List what a driver waits for or waited for, the newest first."""
    statement = _own(driver).order_by(WaitlistEntry.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(WaitlistEntry.id < before_id)
    return [_read(row) for row in db.session.execute(statement)]


def count_waiting(driver: Caller) -> int:
    """Count what a driver waits for or waited for."""
    own = WaitlistEntry.user_id == driver.id
    return db.session.execute(select(func.count(WaitlistEntry.id)).where(own)).scalar_one()


def _check_count(driver: Caller) -> None:
    waiting = db.session.execute(
        select(func.count(WaitlistEntry.id)).where(
            WaitlistEntry.user_id == driver.id,
            WaitlistEntry.status == "waiting",
            WaitlistEntry.starts_at > clock.now(),
        )
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise TooManyReservations(
            f"You wait for {waiting} windows, which is the most one may wait for."
        )


def _own(driver: Caller) -> Select[Any]:
    ahead = (
        select(func.count(_Other.id))
        .where(
            _Other.lot_id == WaitlistEntry.lot_id,
            _Other.status == "waiting",
            _Other.id < WaitlistEntry.id,
            _Other.starts_at < WaitlistEntry.ends_at,
            _Other.ends_at > WaitlistEntry.starts_at,
        )
        .scalar_subquery()
    )
    return (
        select(
            WaitlistEntry,
            Lot.name.label("lot_name"),
            Lot.timezone.label("lot_timezone"),
            Vehicle.plate,
            Reservation.status.label("booking_status"),
            Reservation.hold_expires_at,
            ahead.label("ahead"),
        )
        .join(Lot, Lot.id == WaitlistEntry.lot_id)
        .join(Vehicle, Vehicle.id == WaitlistEntry.vehicle_id)
        .outerjoin(Reservation, Reservation.id == WaitlistEntry.reservation_id)
        .where(WaitlistEntry.user_id == driver.id)
    )


def _read(row: Any) -> Waiting:
    entry: WaitlistEntry = row.WaitlistEntry
    status = _status_now(entry, row.booking_status, row.hold_expires_at)
    return Waiting(
        id=entry.id,
        lot=AwaitedLot(entry.lot_id, row.lot_name, row.lot_timezone),
        vehicle=WaitingVehicle(entry.vehicle_id, row.plate),
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        spot_kind=entry.spot_kind,
        status=status,
        position=row.ahead + 1 if status == "waiting" else None,
        reservation_id=entry.reservation_id,
        hold_expires_at=row.hold_expires_at if status == "offered" else None,
        created_at=entry.created_at,
    )


def _status_now(
    entry: WaitlistEntry, booking_status: str | None, hold_expires_at: datetime | None
) -> str:
    """Give the state of an entry at this moment: of an offer its booking tells, before any job has looked."""
    now = clock.now()
    if entry.status == "waiting":
        return "waiting" if entry.starts_at > now else "lapsed"
    if entry.status != "offered" or booking_status is None:
        return entry.status
    if booking_status == "held":
        return "offered" if hold_expires_at is not None and hold_expires_at > now else "lapsed"
    return "lapsed" if booking_status in {"expired", "cancelled"} else "booked"
