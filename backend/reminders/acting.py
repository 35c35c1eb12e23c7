"""What the link of a reminder would do, and doing it: once, and that alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NoReturn, TypeAlias

from sqlalchemy import select

from backend import clock
from backend.database import lock_name
from backend.errors import IllegalTransition, InvalidInput, LinkNotValid, LotNotBookable
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Reservation, ReservationEvent, Spot, SpotClaim, User
from backend.models.reservation import LIVE_STATUSES
from backend.payments.refunds import counted_as_paid, net_paid
from backend.reminders.links import Action, Link, read_link
from backend.reservations import cancelling, extending
from backend.reservations.states import state_now

WhyNot: TypeAlias = Literal["bay_taken", "lot_not_open"]

_WHY_NOT_VALID = {
    "unknown": "This link is none of ours.",
    "expired": "This link is too old.",
    "changed": "This booking has another time by now. Look at it in the app.",
    "over": "With this booking this cannot be done any more.",
}


@dataclass(frozen=True, slots=True)
class LinkedExtension:
    """What the longer stay costs, and what of that is not paid."""

    ends_at: datetime
    price_minor: int
    due_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LinkedCancellation:
    """What comes back of the booking, and what does not."""

    refund_minor: int
    kept_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LinkedBooking:
    """As much of a booking as the holder of a link may know."""

    code: str
    lot: str
    address: str
    lat: float
    lng: float
    bay: str
    level: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    status: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a link would do, or did."""

    action: Action
    reservation: LinkedBooking
    done: bool
    can_act: bool
    why_not: WhyNot | None = None
    longest_ends_at: datetime | None = None
    """Where its bay is taken by then: until when it is free."""
    extension: LinkedExtension | None = None
    cancellation: LinkedCancellation | None = None


def look_at_link(token: str) -> Look:
    """Tell what the link with this token would do, or did; nothing is changed.

    Raises:
        LinkNotValid: it is none of ours, too old, or of a booking that is over or has another time by now.

    """
    return _look(_read(token))


def act_on_link(token: str, expected_refund_minor: int | None = None) -> Look:
    """Do what a link says, unless that is done already, and tell what became of it.

    It is done for the driver of the booking, by the ways that they have in the app. The way to a place is
    only told.

    Raises:
        LinkNotValid: it is none of ours, too old, or of a booking that is over or has another time by now.
        IllegalTransition: the booking was changed this very moment.
        RefundChanged: another amount than the expected one would come back.
        LotNotBookable: the lot is not open until then.
        ExtensionBlocked: the bay is taken by then.
        VehicleAlreadyBooked: the plate has a booking that would overlap.

    """
    link = _read(token)
    # Of two taps at once the second finds done what the first did.
    lock_name(f"link {link.reservation_id}")
    now = _look(link)
    if now.done or link.action == "directions":
        return now
    driver = _driver_of(link)
    if link.action == "extend":
        try:
            extending.extend(driver, link.reservation_id, link.longer_until)
        except InvalidInput:
            # It was extended in the app since the look of a moment ago.
            _refuse("changed")
    else:
        cancelling.cancel(driver, link.reservation_id, expected_refund_minor)
    db.session.expire_all()
    return _look(link)


def _read(token: str) -> Link:
    link = read_link(token)
    if link is None:
        _refuse("unknown")
    return link


def _refuse(reason: str) -> NoReturn:
    raise LinkNotValid(_WHY_NOT_VALID[reason], reason=reason)


def _look(link: Link) -> Look:
    row = db.session.execute(
        select(Reservation, Lot, Spot)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .join(User, User.id == Reservation.user_id)
        .where(
            Reservation.id == link.reservation_id,
            User.id == link.user_id,
            User.active,
            User.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        _refuse("unknown")
    reservation, lot, spot = row
    if clock.now() > link.ends_at + timedelta(minutes=lot.grace_minutes):
        _refuse("expired")
    told = LinkedBooking(
        code=reservation.code,
        lot=lot.name,
        address=lot.postal_address,
        lat=lot.lat,
        lng=lot.lng,
        bay=spot.label,
        level=spot.level,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        timezone=lot.timezone,
        status=state_now(reservation),
    )
    if link.action == "extend":
        return _look_at_extension(link, reservation, told)
    if link.action == "cancel":
        return _look_at_cancellation(link, reservation, told)
    if told.status not in LIVE_STATUSES:
        _refuse("over")
    return Look(action=link.action, reservation=told, done=False, can_act=False)


def _look_at_extension(link: Link, reservation: Reservation, told: LinkedBooking) -> Look:
    if reservation.status == "cancelled":
        _refuse("over")
    if reservation.starts_at == link.starts_at and reservation.ends_at == link.longer_until:
        due = reservation.price_minor - counted_as_paid(reservation.id)
        return Look(
            action=link.action,
            reservation=told,
            done=True,
            can_act=False,
            extension=LinkedExtension(
                ends_at=reservation.ends_at,
                price_minor=reservation.price_minor,
                due_minor=max(due, 0),
                currency=reservation.currency,
            ),
        )
    _check_window(link, reservation)
    if told.status not in extending.EXTENDABLE:
        _refuse("over")
    try:
        offer = extending.preview_extension(
            _driver_of(link), reservation.id, ends_at=link.longer_until
        )
    except LotNotBookable:
        return Look(
            action=link.action,
            reservation=told,
            done=False,
            can_act=False,
            why_not="lot_not_open",
        )
    except (IllegalTransition, InvalidInput):
        _refuse("over")
    # A link keeps its bay: another one is chosen in the app.
    can_act = offer.available and not offer.moves_bay
    return Look(
        action=link.action,
        reservation=told,
        done=False,
        can_act=can_act,
        why_not=None if can_act else "bay_taken",
        longest_ends_at=None if can_act else offer.longest_ends_at,
        extension=LinkedExtension(
            ends_at=offer.ends_at,
            price_minor=offer.price_minor,
            due_minor=offer.due_minor,
            currency=offer.currency,
        ),
    )


def _look_at_cancellation(link: Link, reservation: Reservation, told: LinkedBooking) -> Look:
    if reservation.status == "cancelled":
        return Look(
            action=link.action,
            reservation=told,
            done=True,
            can_act=False,
            cancellation=LinkedCancellation(
                refund_minor=_told_refund(reservation.id),
                kept_minor=net_paid(reservation.id),
                currency=reservation.currency,
            ),
        )
    _check_window(link, reservation)
    if told.status not in cancelling.CANCELLABLE:
        _refuse("over")
    back = cancelling.preview_cancellation(_driver_of(link), reservation.id)
    return Look(
        action=link.action,
        reservation=told,
        done=False,
        can_act=True,
        cancellation=LinkedCancellation(
            refund_minor=back.refund_minor, kept_minor=back.kept_minor, currency=back.currency
        ),
    )


def _check_window(link: Link, reservation: Reservation) -> None:
    """Refuse what was made for another time of the booking: its holder saw another price, or another day."""
    if (reservation.starts_at, reservation.ends_at) != (link.starts_at, link.ends_at):
        _refuse("changed")


def _told_refund(reservation_id: int) -> int:
    facts: dict[str, Any] | None = db.session.scalar(
        select(ReservationEvent.facts)
        .where(
            ReservationEvent.reservation_id == reservation_id, ReservationEvent.kind == "cancelled"
        )
        .limit(1)
    )
    return int(facts["refund_minor"]) if facts else 0


def _driver_of(link: Link) -> Caller:
    """Let the driver themselves act, as one without any other role."""
    user = db.session.get_one(User, link.user_id)
    return Caller(
        id=user.id,
        session_id=0,
        email=user.email,
        name=user.name,
        roles=("driver",),
        timezone=user.timezone,
        locale=user.locale,
        has_permit=user.accessible_permit,
    )
