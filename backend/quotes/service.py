"""What may be done to quotes: asking for a price that holds for a while, and pricing a booking anew."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, insert, select

from backend import clock
from backend.claims.availability import capacity_by_kind
from backend.claims.fit import fitting_kinds
from backend.config import settings
from backend.coupons.service import find_valid_coupon
from backend.database import get_row
from backend.errors import LotNotBookable, Unauthenticated, VehicleDoesNotFit
from backend.extensions import db
from backend.identity import Caller
from backend.lots.hours import is_open_throughout, parse_opening_hours
from backend.lots.offers import is_too_high
from backend.lots.service import get_visible_lot
from backend.lots.window import check_window
from backend.models import Coupon, Lot, Payment, Quote, Reservation, Vehicle
from backend.models.lot import SPOT_KINDS
from backend.tariffs import pricing
from backend.tariffs.versions import (
    CurrentTariff,
    current_tariffs,
    engine_coupon,
    price_again,
)
from backend.transaction import transaction
from backend.users.service import holds_permit
from backend.vehicles.service import get_vehicle

_INSERT = insert(Quote).returning(Quote.id)
_KEPT = timedelta(days=1)
_BATCH = 1000


def make_quote(
    caller: Caller | None,
    *,
    lot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    spot_kind: str | None = None,
    vehicle_id: int | None = None,
    coupon: str | None = None,
    has_permit: bool | None = None,
) -> Quote:
    """Price a window of a lot, and keep the price for as long as quotes are valid.

    It says what the window costs and that the lot takes such bookings, not that a bay is free. Where no
    kind of bay is asked for, the foremost that fits and that the lot has makes the price.
    ``has_permit`` says whether the caller's permit for accessible bays is confirmed, where that is known.

    Raises:
        InvalidInput: the window is one that nobody may book.
        Unauthenticated: a vehicle is named, but nobody is signed in.
        NotFound: there is no such lot to be seen, or no such vehicle of the caller.
        LotNotBookable: the lot is not open to bookings or not for this window, has no tariff, or has
            no bay of a fitting kind; ``reason`` tells which.
        VehicleDoesNotFit: the vehicle is too high, or may not use this kind of bay.
        CouponNotValid: the coupon counts for no such booking; ``reason`` tells why.

    """
    now = clock.now()
    check_window(now, starts_at, ends_at)
    vehicle = None if vehicle_id is None else _get_own_vehicle(caller, vehicle_id)
    lot = _get_bookable_lot(caller, lot_id)
    if not is_open_throughout(
        parse_opening_hours(lot.opening_hours), starts_at, ends_at, ZoneInfo(lot.timezone)
    ):
        raise LotNotBookable(
            f"{lot.name} is not open for the whole of this time.", reason="outside_opening_hours"
        )
    current = _get_tariff(lot)
    if has_permit is None:
        has_permit = holds_permit(caller)
    priced_kind = _choose_kind(lot, vehicle, spot_kind, has_permit=has_permit)
    used: Coupon | None = None
    if coupon is not None:
        user_id = None if caller is None else caller.id
        used = find_valid_coupon(coupon, lot_id=lot.id, user_id=user_id)
    price = pricing.price(
        current.tariff,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=lot.timezone,
        spot_kind=priced_kind,
        coupon=None if used is None else engine_coupon(used),
    )
    values = {
        "lot_id": lot.id,
        "tariff_id": current.id,
        "vehicle_id": vehicle_id,
        "spot_kind": spot_kind,
        "priced_kind": priced_kind,
        "coupon_id": None if used is None else used.id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "refund_policy": lot.refund_policy,
        **_priced(price, now),
    }
    # Through the connection, since each booking passes here and a flush costs as much as two statements.
    quote_id = db.session.connection().execute(_INSERT, values).scalar_one()
    return Quote(id=quote_id, **values)


def reprice(reservation: Reservation, *, starts_at: datetime, ends_at: datetime) -> pricing.Price:
    """Price another window of a reservation as its present quote was priced; nothing is stored.

    By the same version of the tariff, for the same kind of bay, with the same coupon; any window will do.
    """
    return _reprice(get_row(Quote, reservation.quote_id), starts_at, ends_at)


def requote(reservation: Reservation, *, starts_at: datetime, ends_at: datetime) -> Quote:
    """Price another window of a reservation as its present quote was priced, and keep the price.

    The reservation stays as it is: whoever asks moves it to the new quote.
    """
    former = get_row(Quote, reservation.quote_id)
    quote = Quote(
        lot_id=former.lot_id,
        tariff_id=former.tariff_id,
        vehicle_id=former.vehicle_id,
        spot_kind=former.spot_kind,
        priced_kind=former.priced_kind,
        coupon_id=former.coupon_id,
        starts_at=starts_at,
        ends_at=ends_at,
        refund_policy=reservation.refund_policy,
        **_priced(_reprice(former, starts_at, ends_at), clock.now()),
    )
    db.session.add(quote)
    # Gives the quote its id, which the reservation refers to.
    db.session.flush()
    return quote


def _reprice(quote: Quote, starts_at: datetime, ends_at: datetime) -> pricing.Price:
    zone = get_row(Lot, quote.lot_id).timezone
    return price_again(quote, starts_at=starts_at, ends_at=ends_at, zone=zone)


def _priced(price: pricing.Price, now: datetime) -> dict[str, Any]:
    """Give what a quote keeps of a price."""
    return {
        "total_minor": price.total_minor,
        "tax_minor": price.tax_minor,
        "currency": price.currency,
        "lines": [line.to_dict() for line in price.lines],
        "taxes": [tax.to_dict() for tax in price.taxes],
        "created_at": now,
        "expires_at": now + timedelta(minutes=settings().quote_minutes),
    }


def purge_expired() -> int:
    """Delete the quotes long expired that no reservation or payment refers to; count them.

    It opens a short transaction for each batch, so that bookings never wait for long.
    """
    # None of them can be booked any more, so nothing that refers to one can come meanwhile.
    unbooked = (
        Quote.expires_at < clock.now() - _KEPT,
        ~exists().where(Reservation.quote_id == Quote.id),
        ~exists().where(Payment.quote_id == Quote.id),
    )
    count, last_id = 0, 0
    while True:
        with transaction(read_only=True):
            ids = db.session.scalars(
                select(Quote.id)
                .where(Quote.id > last_id, *unbooked)
                .order_by(Quote.id)
                .limit(_BATCH)
            ).all()
        if not ids:
            return count
        with transaction():
            db.session.execute(
                delete(Quote).where(Quote.id.in_(ids)),
                execution_options={"synchronize_session": False},
            )
        count, last_id = count + len(ids), ids[-1]


def _get_own_vehicle(caller: Caller | None, vehicle_id: int) -> Vehicle:
    if caller is None:
        raise Unauthenticated("Sign in to ask for the price of a vehicle of yours.")
    return get_vehicle(caller, vehicle_id)


def _get_bookable_lot(caller: Caller | None, lot_id: int) -> Lot:
    lot = get_visible_lot(caller, lot_id)
    if lot.status != "open":
        raise LotNotBookable(f"{lot.name} takes no bookings now.", reason=lot.status)
    return lot


def _get_tariff(lot: Lot) -> CurrentTariff:
    current = current_tariffs([lot.id]).get(lot.id)
    if current is None:
        raise LotNotBookable(f"{lot.name} has no prices yet.", reason="no_tariff")
    return current


def _choose_kind(
    lot: Lot, vehicle: Vehicle | None, spot_kind: str | None, *, has_permit: bool
) -> str:
    """Choose the kind of bay that makes the price; refuse a vehicle or a kind that the lot cannot serve."""
    kinds = tuple(kind for kind in SPOT_KINDS if has_permit or kind != "accessible")
    if vehicle is not None:
        kinds = fitting_kinds(vehicle.kind, electric=vehicle.electric, has_permit=has_permit)
        if is_too_high(lot, vehicle.height_cm):
            raise VehicleDoesNotFit(
                f"{lot.name} takes vehicles up to {lot.height_limit_cm} cm, and this one is"
                f" {vehicle.height_cm} cm high.",
                height_limit_cm=lot.height_limit_cm,
            )
    if spot_kind is not None:
        if spot_kind not in kinds:
            raise VehicleDoesNotFit(_why_not(spot_kind), fitting_kinds=list(kinds))
        kinds = (spot_kind,)
    capacity = capacity_by_kind([lot.id]).get(lot.id, {})
    for kind in kinds:
        if capacity.get(kind):
            return kind
    raise LotNotBookable(f"{lot.name} has no bay that would fit.", reason="no_fitting_bay")


def _why_not(spot_kind: str) -> str:
    if spot_kind == "accessible":
        return "Accessible bays are for drivers with a confirmed permit."
    return f"This vehicle may not use a bay of the kind {spot_kind}."
