"""Booking a bay: from a price to a hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, case, exists, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.claims.fit import fitting_kinds
from backend.claims.presence import stretch_present
from backend.config import settings
from backend.coupons.service import use_coupon
from backend.database import get_row, violates
from backend.errors import (
    DebtStands,
    LotFull,
    LotNotBookable,
    NotFound,
    QuoteExpired,
    SpotTaken,
    TooManyHolds,
    TooManyReservations,
    Unauthenticated,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.extensions import db
from backend.identity import Caller
from backend.lots.offers import is_open, is_too_high
from backend.lots.window import check_window
from backend.models import Lot, Quote, Reservation, Spot, User, UtcDateTime, Vehicle
from backend.models.reservation import PLATE_OVERLAP, still_stands
from backend.quotes import service as quotes
from backend.reservations.alternatives import look_for_alternatives
from backend.reservations.codes import new_code
from backend.reservations.confirming import queue_ticket
from backend.reservations.moving import find_room
from backend.signals import availability_changed
from backend.tariffs.versions import kinds_no_dearer
from backend.transaction import TryAgain, after_commit
from backend.vehicles.service import get_vehicle

MOST_LIVE = 5
MOST_HOLDS = 2
OFFER_MINUTES = 15
"""So long a bay is held for a driver who waited for it."""

# Made once: the hot path of a race for one bay.
_LOCK_DRIVER = (
    select(User.accessible_permit)
    .where(User.id == bindparam("user_id"), User.active)
    .with_for_update(key_share=True)
)
_LOCK_LOT = (
    select(Lot)
    .where(Lot.id == bindparam("lot_id"))
    .with_for_update(read=True, key_share=True)
    .execution_options(populate_existing=True)
)
# Of the many codes one may be in use; that its spare is too does not happen.
_CODE = case(
    (exists().where(Reservation.code == bindparam("first_code")), bindparam("spare_code")),
    else_=bindparam("first_code"),
)
# Two bookings of one plate at once: the second waits for the first, and then inserts nothing. A plain
# INSERT would have each wait for the other's row.
_INSERT_POSTGRESQL = (
    postgresql.insert(Reservation)
    .values(code=_CODE)
    .on_conflict_do_nothing(constraint=PLATE_OVERLAP)
    .returning(Reservation.id)
)
_INSERT_SQLITE = insert(Reservation).values(code=_CODE).returning(Reservation.id)

# What is owed is asked in the same breath, by an index of the few who owe.
_OWED = (
    select(func.count())
    .where(Reservation.user_id == bindparam("user_id"), Reservation.debt_minor > 0)
    .scalar_subquery()
)
_STANDING_OF_DRIVER = select(
    func.count(),
    func.coalesce(func.sum(case((Reservation.status == "held", 1), else_=0)), 0),
    _OWED,
).where(
    Reservation.user_id == bindparam("user_id"),
    still_stands(bindparam("now", type_=UtcDateTime())),
)


@dataclass(frozen=True, slots=True)
class _How:
    """How a booking comes about: asked for in the app, or offered to who waited."""

    source: str = "app"
    hold_minutes: int | None = None
    """Else as long as the installation has it."""
    gently: bool = False
    """Without a look at anything but free bays."""


_AS_ASKED = _How()


def book_quote(
    driver: Caller, *, quote_id: int, vehicle_id: int, spot_id: int | None = None
) -> int:
    """Hold a bay at the quoted price; give the reservation's id.

    Raises:
        NotFound: there is no such quote, vehicle or bay.
        QuoteExpired: the price is too old.
        CouponNotValid: its coupon does not count any more.
        InvalidInput: the window may not be booked any more.
        LotNotBookable: the lot is not open.
        VehicleDoesNotFit: the bay is not for this vehicle, or the lot is too low.
        DebtStands: the driver owes something for an earlier stay.
        TooManyHolds: the driver has two unpaid bookings.
        TooManyReservations: the driver has five live bookings.
        VehicleAlreadyBooked: the plate has a live booking that overlaps.
        SpotTaken: the chosen bay is not free.
        LotFull: no bay that fits is free.

    """
    has_permit = lock_driver(driver)
    quote = get_row(Quote, quote_id)
    if quote.expires_at <= clock.now():
        raise QuoteExpired("This price has expired. Ask for a new one.", quote_id=quote_id)
    lot = lock_lot(quote.lot_id)
    vehicle = get_vehicle(driver, vehicle_id)
    return _hold(driver, quote, lot, vehicle, has_permit=has_permit, spot_id=spot_id)


def book_window(
    driver: Caller,
    *,
    lot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    vehicle_id: int,
    spot_kind: str | None = None,
    spot_id: int | None = None,
) -> int:
    """Price a window and hold a bay for it in one go; give the reservation's id.

    Raises:
        NotFound: there is no such lot, vehicle or bay.
        InvalidInput: the window may not be booked.
        LotNotBookable: the lot is not open, or has no price.
        VehicleDoesNotFit: the bay is not for this vehicle, or the lot is too low.
        DebtStands: the driver owes something for an earlier stay.
        TooManyHolds: the driver has two unpaid bookings.
        TooManyReservations: the driver has five live bookings.
        VehicleAlreadyBooked: the plate has a live booking that overlaps.
        SpotTaken: the chosen bay is not free.
        LotFull: no bay that fits is free.

    """
    has_permit = lock_driver(driver)
    lot = lock_lot(lot_id)
    # Kept here, so that the session still knows it when the quote asks for it.
    vehicle = get_vehicle(driver, vehicle_id)
    if spot_id is not None and spot_kind is None:
        # Who points at a bay asks for the price of its kind.
        spot_kind = _get_kind(lot, spot_id)
    quote = quotes.make_quote(
        driver,
        lot_id=lot_id,
        starts_at=starts_at,
        ends_at=ends_at,
        spot_kind=spot_kind,
        vehicle_id=vehicle_id,
        has_permit=has_permit,
    )
    return _hold(driver, quote, lot, vehicle, has_permit=has_permit, spot_id=spot_id)


def book_offer(
    driver: Caller,
    *,
    lot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    vehicle_id: int,
    spot_kind: str | None,
    gently: bool,
) -> int:
    """Hold a bay for a driver who waited for it, for a quarter of an hour; give the reservation's id.

    ``gently`` is for who frees a bay, with locks in hand that others may wait for: only bays that are free
    as they stand are tried then, and nothing else is touched.

    Raises:
        Problem: as :func:`book_window` has it.

    """
    how = _How(source="waitlist", hold_minutes=OFFER_MINUTES, gently=gently)
    has_permit = lock_driver(driver)
    lot = lock_lot(lot_id)
    vehicle = get_vehicle(driver, vehicle_id)
    quote = quotes.make_quote(
        driver,
        lot_id=lot_id,
        starts_at=starts_at,
        ends_at=ends_at,
        spot_kind=spot_kind,
        vehicle_id=vehicle_id,
        has_permit=has_permit,
    )
    return _hold(driver, quote, lot, vehicle, has_permit=has_permit, spot_id=None, how=how)


def lock_driver(driver: Caller) -> bool:
    """Lock the driver's row; tell whether their permit for accessible bays is confirmed."""
    # What counts a driver's bookings must count them one at a time. Rows that merely refer to the
    # driver, such as a payment's, need not wait.
    locked = db.session.connection().execute(_LOCK_DRIVER, {"user_id": driver.id}).first()
    if locked is None:
        raise Unauthenticated("This account was closed or disabled a moment ago.")
    return bool(locked.accessible_permit)


def _hold(
    driver: Caller,
    quote: Quote,
    lot: Lot,
    vehicle: Vehicle,
    *,
    has_permit: bool,
    spot_id: int | None,
    how: _How = _AS_ASKED,
) -> int:
    now = clock.now()
    check_window(now, quote.starts_at, quote.ends_at)
    if lot.status != "open":
        raise LotNotBookable(f"{lot.name} is not open for booking.", reason=lot.status)
    if not is_open(lot, quote.starts_at, quote.ends_at):
        raise LotNotBookable(
            f"{lot.name} is not open for the whole of this time.", reason="outside_opening_hours"
        )
    kinds = kinds_for(vehicle, quote, lot, has_permit=has_permit)
    spot = _get_spot(lot, spot_id, kinds) if spot_id is not None else None

    if not how.gently:
        # A car that is in holds its bay, whatever its window says.
        stretch_present(lot.id)
        claims.sweep_stale_holds(lot_id=lot.id, plate=vehicle.plate, user_id=driver.id)
    _check_limits(driver, now)
    deadline = now + timedelta(minutes=how.hold_minutes or settings().hold_minutes)
    reservation_id = _insert(
        driver,
        quote,
        vehicle,
        now=now,
        deadline=deadline,
        pinned=spot is not None,
        source=how.source,
    )

    # Before the claims: whoever waits for the coupon holds no bay that others wait for.
    use_coupon(quote, reservation_id, driver.id)

    claim: dict[str, Any] = {
        "reservation_id": reservation_id,
        "starts_at": quote.starts_at,
        "ends_at": quote.ends_at,
        "expires_at": deadline if quote.total_minor else None,
    }
    # Plain values: after a refusal the rows are gone with their transaction.
    look_up = partial(
        look_for_alternatives,
        lot_id=lot.id,
        kinds=kinds,
        starts_at=quote.starts_at,
        ends_at=quote.ends_at,
        height_cm=vehicle.height_cm,
        near=(spot.level, spot.x, spot.y) if spot is not None else None,
    )
    if spot is not None:
        if not claims.claim_spot(spot.id, **claim):
            raise SpotTaken(
                f"Bay {spot.label} of {lot.name} is taken for that time.",
                spot_id=spot.id,
                look_up=look_up,
            )
    elif claims.claim_any_spot(lot.id, kinds, **claim) is None and (
        how.gently or not _claim_made_room(lot.id, kinds, claim)
    ):
        raise LotFull(
            f"{lot.name} has no free bay for that time.",
            lot_id=lot.id,
            look_up=look_up,
        )
    if not quote.total_minor:
        queue_ticket(reservation_id)
    after_commit(availability_changed.send, None, lot_id=lot.id)
    return reservation_id


def _claim_made_room(lot_id: int, kinds: Sequence[str], claim: Mapping[str, Any]) -> bool:
    """Claim a bay that others are moved away from; False when no moves within the bound make one free."""
    spot_id = find_room(lot_id, kinds, starts_at=claim["starts_at"], ends_at=claim["ends_at"])
    if spot_id is None:
        return False
    if not claims.claim_spot(spot_id, **claim):
        # Somebody took it this very moment.
        raise TryAgain
    return True


def lock_lot(lot_id: int) -> Lot:
    """Give the lot as it is now, locked before the claims as the order of locks has it.

    The lock is the one that the reservation's reference to the lot takes anyhow: bookings do not hold one
    another up, nor closings, which the claims decide. Taken only then, it would come after the claims, and
    a change of the lot that waits for those would wait for ever.
    """
    lot = db.session.scalars(_LOCK_LOT, {"lot_id": lot_id}).one_or_none()
    if lot is None:
        raise NotFound(f"There is no lot {lot_id}.")
    return lot


def kinds_for(vehicle: Vehicle, quote: Quote, lot: Lot, *, has_permit: bool) -> tuple[str, ...]:
    """Give the kinds of bay that a booking at this price may have, the foremost first.

    Raises:
        VehicleDoesNotFit: the lot is too low, or the kind that was asked for is not for this vehicle.

    """
    if is_too_high(lot, vehicle.height_cm):
        raise VehicleDoesNotFit(
            f"{lot.name} takes vehicles up to {lot.height_limit_cm} cm; yours is {vehicle.height_cm} cm high.",
            height_limit_cm=lot.height_limit_cm,
        )
    kinds = fitting_kinds(vehicle.kind, electric=vehicle.electric, has_permit=has_permit)
    if quote.spot_kind is None:
        # The price is that of one kind, and nobody gets a dearer bay for it.
        kinds = kinds_no_dearer(quote.tariff_id, quote.priced_kind, kinds)
        if not kinds:
            raise VehicleDoesNotFit(
                "The bays for this vehicle cost more than this price. Ask for the price of the vehicle."
            )
        return kinds
    if quote.spot_kind not in kinds:
        raise VehicleDoesNotFit(f"This vehicle may not use a bay of the kind {quote.spot_kind}.")
    return (quote.spot_kind,)


def _get_kind(lot: Lot, spot_id: int) -> str:
    kind = db.session.scalar(select(Spot.kind).where(Spot.id == spot_id, Spot.lot_id == lot.id))
    if kind is None:
        raise NotFound(f"{lot.name} has no bay {spot_id}.")
    return kind


def _get_spot(lot: Lot, spot_id: int, kinds: Sequence[str]) -> Spot:
    """Give the chosen bay, which nobody changes until the booking is done."""
    spot = db.session.scalar(
        select(Spot).where(Spot.id == spot_id, Spot.lot_id == lot.id).with_for_update(read=True)
    )
    if spot is None:
        raise NotFound(f"{lot.name} has no bay {spot_id}.")
    if spot.kind not in kinds:
        raise VehicleDoesNotFit(
            f"Bay {spot.label} is of the kind {spot.kind}, which this booking may not use."
        )
    return spot


def _check_limits(driver: Caller, now: datetime) -> None:
    live, holds, debts = (
        db.session.connection()
        .execute(_STANDING_OF_DRIVER, {"user_id": driver.id, "now": now})
        .one()
    )
    if debts:
        raise DebtStands(
            "Something of an earlier stay is not paid yet.",
            look_up=partial(_list_debts, driver.id),
        )
    if live >= MOST_LIVE:
        raise TooManyReservations(f"You have {live} live bookings, which is the most one may have.")
    if holds >= MOST_HOLDS:
        raise TooManyHolds(f"You have {holds} unpaid bookings. Pay or cancel one of them first.")


def _list_debts(user_id: int) -> dict[str, Any]:
    rows = db.session.execute(
        select(Reservation.id, Reservation.code, Reservation.debt_minor, Reservation.currency)
        .where(Reservation.user_id == user_id, Reservation.debt_minor > 0)
        .order_by(Reservation.id)
    )
    return {
        "reservations": [
            dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping
            for row in rows
        ]
    }


def _insert(
    driver: Caller,
    quote: Quote,
    vehicle: Vehicle,
    *,
    now: datetime,
    deadline: datetime,
    pinned: bool,
    source: str,
) -> int:
    is_free = quote.total_minor == 0
    connection = db.session.connection()
    on_postgresql = connection.dialect.name == "postgresql"
    reservation_id: int | None = None
    try:
        reservation_id = connection.execute(
            _INSERT_POSTGRESQL if on_postgresql else _INSERT_SQLITE,
            {
                "first_code": new_code(),
                "spare_code": new_code(),
                "user_id": driver.id,
                "vehicle_id": vehicle.id,
                "plate": vehicle.plate,
                "vehicle_kind": vehicle.kind,
                "lot_id": quote.lot_id,
                "quote_id": quote.id,
                "starts_at": quote.starts_at,
                "ends_at": quote.ends_at,
                "status": "confirmed" if is_free else "held",
                "live": True,
                "source": source,
                "pinned": pinned,
                "price_minor": quote.total_minor,
                "currency": quote.currency,
                "refund_policy": quote.refund_policy,
                "hold_expires_at": None if is_free else deadline,
                "hold_extended_by": 0,
                "created_at": now,
                "confirmed_at": now if is_free else None,
            },
        ).scalar_one_or_none()
    except IntegrityError as error:
        if not violates(error, PLATE_OVERLAP):
            raise
    if reservation_id is None:
        raise VehicleAlreadyBooked(
            f"{vehicle.plate} has a booking that overlaps this time.", plate=vehicle.plate
        )
    return reservation_id
