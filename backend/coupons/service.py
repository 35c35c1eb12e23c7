"""What may be done to coupons: making, changing and using them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.audit.service import record, record_changes
from backend.database import get_row, violates
from backend.errors import CouponNotValid, InvalidInput, NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import Coupon, CouponUse, Lot, Quote, Reservation

# As references to the coupon have it: quotes that name it, and uses of it, need not wait for the lock.
_LOCK = (
    select(Coupon)
    .where(Coupon.id == bindparam("coupon_id"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
CHANGEABLE = ("name", "valid_from", "valid_until", "most_uses", "most_uses_per_driver", "active")
_RECORDED = ("code", "percent_bp", "amount_minor", "lot_id", *CHANGEABLE)


@dataclass(frozen=True, slots=True)
class CountedCoupon:
    """A coupon, and how many bookings use it."""

    id: int
    code: str
    name: str
    percent_bp: int | None
    amount_minor: int | None
    lot_id: int | None
    valid_from: datetime | None
    valid_until: datetime | None
    most_uses: int | None
    most_uses_per_driver: int | None
    active: bool
    created_at: datetime
    uses: int


_SHOWN = tuple(field.name for field in fields(CountedCoupon) if field.name != "uses")


def normalise_code(code: str) -> str:
    """Write a code as coupons keep it: in capitals, without spaces."""
    return "".join(code.split()).upper()


def make_coupon(admin: Caller, *, code: str, **terms: Any) -> CountedCoupon:
    """Make a coupon. What it takes off never changes after: prices that it made can be told again.

    Raises:
        NotFound: there is no such lot.
        InvalidInput: there is a coupon of this code already, or its dates are in the wrong order.

    """
    if terms.get("lot_id") is not None:
        get_row(Lot, terms["lot_id"])
    coupon = Coupon(code=normalise_code(code), created_by=admin.id, created_at=clock.now(), **terms)
    _check_dates(coupon.valid_from, coupon.valid_until)
    db.session.add(coupon)
    try:
        db.session.flush()  # gives the coupon its id, and meets uq_coupons_code
    except IntegrityError as error:
        if violates(error, "uq_coupons_code"):
            raise InvalidInput(
                errors={"code": [f"There is a coupon {coupon.code} already."]}
            ) from error
        raise
    record("coupon.made", "coupon", coupon.id, actor_id=admin.id, after=_facts(coupon))
    return _count_uses([coupon])[0]


def change_coupon(admin: Caller, coupon_id: int, *, changes: dict[str, Any]) -> CountedCoupon:
    """Change how long a coupon counts, how often, and whether at all.

    Raises:
        NotFound: there is no such coupon.
        InvalidInput: its dates would be in the wrong order.

    """
    coupon = db.session.scalars(_LOCK, {"coupon_id": coupon_id}).one_or_none()
    if coupon is None:
        raise NotFound(f"There is no coupon {coupon_id}.")
    before = _facts(coupon)
    for name, value in changes.items():
        setattr(coupon, name, value)
    _check_dates(coupon.valid_from, coupon.valid_until)
    record_changes(
        "coupon.changed",
        "coupon",
        coupon_id,
        actor_id=admin.id,
        before=before,
        after=_facts(coupon),
    )
    return _count_uses([coupon])[0]


def get_coupon(coupon_id: int) -> CountedCoupon:
    """Give one coupon.

    Raises:
        NotFound: there is no such coupon.

    """
    return _count_uses([get_row(Coupon, coupon_id)])[0]


def list_coupons(*, limit: int, before_id: int | None = None) -> tuple[list[CountedCoupon], int]:
    """List all coupons, the newest first, and count them."""
    statement = select(Coupon).order_by(Coupon.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(Coupon.id < before_id)
    total = db.session.scalar(select(func.count()).select_from(Coupon)) or 0
    return _count_uses(db.session.scalars(statement).all()), total


def list_all_coupons() -> list[CountedCoupon]:
    """List all coupons, the oldest first."""
    return _count_uses(db.session.scalars(select(Coupon).order_by(Coupon.id)).all())


def _count_uses(coupons: Sequence[Coupon]) -> list[CountedCoupon]:
    """Count the bookings that use these coupons, as :func:`use_coupon` counts them."""
    counted = db.session.execute(
        _standing_uses(CouponUse.coupon_id, func.count())
        .where(CouponUse.coupon_id.in_([coupon.id for coupon in coupons]))
        .group_by(CouponUse.coupon_id)
    )
    uses: dict[int, int] = {row[0]: row[1] for row in counted}
    return [
        CountedCoupon(
            **{name: getattr(coupon, name) for name in _SHOWN}, uses=uses.get(coupon.id, 0)
        )
        for coupon in coupons
    ]


def find_valid_coupon(code: str, *, lot_id: int, user_id: int | None) -> Coupon:
    """Give the coupon of a code, if a booking in a lot could use it now; that one will count it.

    Raises:
        CouponNotValid: there is none, or it does not count; ``reason`` tells why.

    """
    code = normalise_code(code)
    coupon = db.session.scalars(select(Coupon).where(Coupon.code == code)).one_or_none()
    if coupon is None:
        raise CouponNotValid(f"There is no coupon {code}.", reason="unknown")
    _check(coupon, lot_id=lot_id, user_id=user_id)
    return coupon


def use_coupon(quote: Quote, reservation_id: int, user_id: int) -> None:
    """Count the coupon of a quote, if it has one, as used by a reservation that was just made.

    Raises:
        CouponNotValid: it does not count any more, or was used as often as it may be.

    """
    if quote.coupon_id is None:
        return
    # Uses are counted one at a time: two bookings that both saw one use left would both take it.
    coupon = db.session.scalars(_LOCK, {"coupon_id": quote.coupon_id}).one()
    _check(coupon, lot_id=quote.lot_id, user_id=user_id)
    db.session.add(
        CouponUse(
            coupon_id=coupon.id,
            reservation_id=reservation_id,
            user_id=user_id,
            used_at=clock.now(),
        )
    )


def _check(coupon: Coupon, *, lot_id: int, user_id: int | None) -> None:
    now = clock.now()
    if not coupon.active:
        raise CouponNotValid(f"The coupon {coupon.code} was withdrawn.", reason="over")
    if coupon.lot_id not in {None, lot_id}:
        raise CouponNotValid(f"The coupon {coupon.code} is for another place.", reason="other-lot")
    if coupon.valid_from is not None and now < coupon.valid_from:
        raise CouponNotValid(f"The coupon {coupon.code} does not count yet.", reason="too-early")
    if coupon.valid_until is not None and now >= coupon.valid_until:
        raise CouponNotValid(f"The coupon {coupon.code} is over.", reason="over")
    of_coupon = CouponUse.coupon_id == coupon.id
    if coupon.most_uses is not None and _count(of_coupon) >= coupon.most_uses:
        raise CouponNotValid(f"The coupon {coupon.code} is used up.", reason="used-up")
    if coupon.most_uses_per_driver is not None and user_id is not None:
        mine = and_(of_coupon, CouponUse.user_id == user_id)
        if _count(mine) >= coupon.most_uses_per_driver:
            raise CouponNotValid(
                f"You have used the coupon {coupon.code} as often as you may.", reason="used-up"
            )


def _count(condition: ColumnElement[bool]) -> int:
    return db.session.scalar(_standing_uses(func.count()).where(condition)) or 0


def _standing_uses(*columns: Any) -> Any:
    """Select from the uses that count: not those of bookings that expired, or were cancelled unpaid."""
    is_given_back = or_(
        Reservation.status == "expired",
        and_(Reservation.status == "held", Reservation.hold_expires_at <= clock.now()),
        and_(
            Reservation.status == "cancelled",
            or_(Reservation.confirmed_at.is_(None), Reservation.price_minor == 0),
        ),
    )
    return (
        select(*columns)
        .select_from(CouponUse)
        .join(Reservation, Reservation.id == CouponUse.reservation_id)
        .where(~is_given_back)
    )


def _check_dates(valid_from: datetime | None, valid_until: datetime | None) -> None:
    if valid_from is not None and valid_until is not None and valid_from >= valid_until:
        raise InvalidInput(errors={"valid_until": ["This must be after valid_from."]})


def _facts(coupon: Coupon) -> dict[str, Any]:
    """Give the fields of a coupon as the audit log keeps them."""
    values = {name: getattr(coupon, name) for name in _RECORDED}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
