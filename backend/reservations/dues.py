"""What is to be paid on a reservation: what it costs at this very moment, less what was paid.

Past the end and the grace of the lot the whole stay is priced anew, from minute to minute, until a price
is fixed: when a payment begins, or the car leaves. A walk-in is priced like that from its first minute.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select

from backend import clock
from backend.database import get_row
from backend.errors import AlreadyPaid, HoldExpired, IllegalTransition
from backend.extensions import db
from backend.models import Lot, Payment, Reservation, Stay
from backend.payments.refunds import counted_as_paid
from backend.quotes import service as quotes
from backend.reservations.history import note
from backend.reservations.states import PRESENT, change, get_reservation_for_update, state_now

_OWED = ("confirmed", "checked_in", "overstayed")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Overstay:
    """Since when a car is in for longer than was booked, and what is to be paid for all until now."""

    since: datetime
    due_minor: int


def covered_until(reservation: Reservation) -> datetime:
    """Give the moment up to which the price reaches, grace apart."""
    return max(reservation.ends_at, reservation.covered_until or reservation.ends_at)


def is_running(reservation: Reservation, *, grace_minutes: int, at: datetime) -> bool:
    """Whether the price of a reservation grows by the minute, if its car is in."""
    if reservation.status not in PRESENT:
        return False
    if reservation.source == "walk_in":
        reached = reservation.covered_until
        return reached is None or at > reached + timedelta(minutes=grace_minutes)
    return at > covered_until(reservation) + timedelta(minutes=grace_minutes)


def runs_now(reservation: Reservation) -> bool:
    """Whether the price of a reservation grows at this moment."""
    grace_minutes = get_row(Lot, reservation.lot_id).grace_minutes
    return is_running(reservation, grace_minutes=grace_minutes, at=clock.now()) and is_car_in(
        reservation.id
    )


def is_car_in(reservation_id: int) -> bool:
    """Whether the car of a reservation is in."""
    return bool(
        db.session.scalar(
            select(exists().where(Stay.reservation_id == reservation_id, Stay.left_at.is_(None)))
        )
    )


def cost_now(reservation: Reservation) -> int:
    """Give what a reservation costs at this moment; nothing is stored."""
    if not runs_now(reservation):
        return reservation.price_minor
    return quotes.reprice(
        reservation, starts_at=reservation.starts_at, ends_at=_until(reservation)
    ).total_minor


def due_now(reservation: Reservation) -> int:
    """Give what is to be paid on a reservation at this moment."""
    status = state_now(reservation)
    if status == "completed":
        return reservation.debt_minor
    if status == "held":
        return max(reservation.price_minor - counted_as_paid(reservation.id), 0)
    if status not in _OWED:
        return 0
    return max(cost_now(reservation) - counted_as_paid(reservation.id), 0)


def find_overstay(reservation: Reservation) -> Overstay | None:
    """Tell whether a car is in for longer than was booked and paid; None when it is not.

    It is for those alone whose price may run: it asks and prices more than a list could bear for each.
    """
    if reservation.source == "walk_in" or not runs_now(reservation):
        return None
    return Overstay(since=covered_until(reservation), due_minor=due_now(reservation))


def fix_price(reservation: Reservation) -> bool:
    """Keep the price of this moment, where it runs, and tell whether it did; the reservation is locked.

    Whoever leaves within the grace from now on owes nothing more.
    """
    if not runs_now(reservation):
        return False
    now = clock.now()
    quote = quotes.requote(
        reservation, starts_at=reservation.starts_at, ends_at=_until(reservation)
    )
    change(
        reservation,
        since=PRESENT,
        quote_id=quote.id,
        price_minor=quote.total_minor,
        covered_until=now,
    )
    return True


def on_price_to_pay(_sender: Any, *, reservation_id: int) -> tuple[int, int, str]:
    """Fix the price of a reservation that somebody wants to pay; give the amount, the quote, and what it is for.

    Raises:
        HoldExpired: the time to pay is over.
        IllegalTransition: the reservation was cancelled.
        AlreadyPaid: nothing is due.

    """
    reservation = get_reservation_for_update(reservation_id)
    status = state_now(reservation)
    if status == "expired":
        raise HoldExpired("The time to pay for this booking is over.")
    if status == "cancelled":
        raise IllegalTransition("This booking was cancelled.", status_now=status)
    is_new = status in PRESENT and fix_price(reservation)
    amount = due_now(reservation)
    if amount == 0:
        raise AlreadyPaid("Nothing is due on this booking.")
    if is_new:
        note(
            reservation_id,
            "due",
            due_minor=amount,
            price_minor=reservation.price_minor,
            currency=reservation.currency,
        )
    if status == "held":
        return amount, reservation.quote_id, "booking"
    if _is_charged(reservation) and status in _OWED:
        # Some of what was paid by this quote went back since: the rest of it is another purpose.
        quote = quotes.requote(
            reservation,
            starts_at=reservation.starts_at,
            ends_at=covered_until(reservation),
        )
        change(reservation, since=_OWED, quote_id=quote.id, price_minor=quote.total_minor)
        amount = due_now(reservation)
    return amount, reservation.quote_id, _purpose(reservation)


def _purpose(reservation: Reservation) -> str:
    return f"due:{reservation.quote_id}"


def _is_charged(reservation: Reservation) -> bool:
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    Payment.reservation_id == reservation.id,
                    Payment.purpose == _purpose(reservation),
                    Payment.status.in_(("succeeded", "partially_refunded")),
                )
            )
        )
    )


def _until(reservation: Reservation) -> datetime:
    # A price is for some time at least.
    return max(clock.now(), reservation.starts_at + _MINUTE)
