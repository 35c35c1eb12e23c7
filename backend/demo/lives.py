"""What became of the demo's bookings: cars that came and left, money that went back, and what was said."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from backend.demo.people import ABSENT, CANCELLED, EXPIRED, PAID, RETURNED, Booked
from backend.demo.voices import answer, say
from backend.models import Lot
from backend.payments.ledger import REFUNDS_PAYABLE, RESERVATIONS, account_of
from backend.quotes.refund_policy import refund_policy
from backend.reservations.refunding import refund_share

Values: TypeAlias = dict[str, Any]

GATEWAY = "sandbox"

_LATEST = timedelta(minutes=25)
_EARLIEST = timedelta(minutes=30)
_REVIEWED_SHARE = 0.03
_NAMED_REVIEWED_SHARE = 0.5
_MOST_WATCHED = 12
"""So many cars are in now in a lot whose gate somebody of the demo serves: nobody lets them out but the user."""
_SENT_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Said:
    """A review to come."""

    stars: int
    text: str
    at: datetime
    reply: str | None
    replied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Life:
    """What became of one booking until now."""

    status: str
    ended_at: datetime | None = None
    entered_at: datetime | None = None
    left_at: datetime | None = None
    refund_percent: int = 0
    said: Said | None = None

    @property
    def is_live(self) -> bool:
        """Whether it still holds its bay."""
        return self.status in {"confirmed", "checked_in"}

    @property
    def is_refunded(self) -> bool:
        """Whether some of its money went back."""
        return self.refund_percent > 0


class Fates:
    """Decides what became of bookings, one after the other."""

    def __init__(
        self,
        lots: Mapping[int, Lot],
        *,
        now: datetime,
        rng: Random,
        watched: frozenset[int],
        hold: timedelta,
    ) -> None:
        self._lots, self._now, self._rng, self._hold = lots, now, rng, hold
        self._watched = watched
        self._present: Counter[int] = Counter()

    def decide(self, booking: Booked) -> Life:
        """Tell what became of a booking."""
        stay, now = booking.stay, self._now
        if booking.fate == CANCELLED:
            return Life("cancelled", ended_at=stay.paid_at)
        if booking.fate == EXPIRED:
            return Life("expired", ended_at=min(stay.booked_at + self._hold, now))
        if booking.fate == RETURNED:
            return self._let_go(booking)
        if stay.ends_at <= now:
            return self._look_back(booking)
        entered_at = stay.starts_at + self._moment(_LATEST)
        if entered_at <= now and self._is_seen(booking):
            return Life("checked_in", entered_at=entered_at)
        return Life("confirmed")

    def _let_go(self, booking: Booked) -> Life:
        stay = booking.stay
        latest = min(stay.starts_at, self._now)
        at = stay.paid_at + (latest - stay.paid_at) * self._rng.uniform(0.05, 0.95)
        share = refund_share(
            refund_policy(self._lots[stay.place.lot_id].refund_policy),
            booked_at=stay.booked_at,
            starts_at=stay.starts_at,
            at=at,
        )
        return Life("cancelled", ended_at=at, refund_percent=share.percent)

    def _look_back(self, booking: Booked) -> Life:
        stay = booking.stay
        if booking.fate == ABSENT:
            return Life("no_show", ended_at=stay.ends_at)
        # Within its window: the bay may be somebody else's right before and after.
        length = stay.ends_at - stay.starts_at
        entered_at = stay.starts_at + self._moment(min(_LATEST, length / 4))
        left_at = stay.ends_at - self._moment(min(_EARLIEST, length / 4))
        return Life(
            "completed",
            ended_at=left_at,
            entered_at=entered_at,
            left_at=left_at,
            said=self._listen(left_at, is_named=booking.driver.is_named),
        )

    def _is_seen(self, booking: Booked) -> bool:
        if booking.driver.is_named:
            return True
        lot_id = booking.stay.place.lot_id
        self._present[lot_id] += lot_id in self._watched
        return 0 < self._present[lot_id] <= _MOST_WATCHED

    def _listen(self, left_at: datetime, *, is_named: bool) -> Said | None:
        rng = self._rng
        if rng.random() >= (_NAMED_REVIEWED_SHARE if is_named else _REVIEWED_SHARE):
            return None
        at = left_at + timedelta(minutes=rng.randrange(20, 2000))
        if at > self._now:
            return None
        stars, text = say(rng)
        replied_at = at + timedelta(minutes=rng.randrange(60, 3000))
        reply = answer(stars, rng) if replied_at <= self._now else None
        return Said(stars, text, at, reply, replied_at if reply else None)

    def _moment(self, most: timedelta) -> timedelta:
        # Whole seconds, as a gate counts.
        return timedelta(seconds=int(most.total_seconds() * self._rng.random()))


def write_history(
    life: Life, reservation: Values, *, paid_at: datetime | None, refund_minor: int
) -> Iterator[Values]:
    """Write down what happened to a booking, as its driver reads it."""
    driver, money = reservation["user_id"], {"currency": reservation["currency"]}
    if paid_at is not None:
        paid = {"amount_minor": reservation["price_minor"], **money, "method": GATEWAY}
        yield _event(reservation, paid_at, "paid", driver, paid)
    if life.entered_at is not None:
        yield _event(reservation, life.entered_at, "entered", None, {"again": False})
    if life.left_at is not None:
        yield _event(reservation, life.left_at, "left", None, {"comes_back": False})
        price = {"price_minor": reservation["price_minor"], "debt_minor": 0}
        yield _event(reservation, life.left_at, "completed", None, price)
    if life.status == "no_show":
        yield _event(reservation, life.ended_at, "no-show", None, {})
    if life.status == "cancelled":
        back = {"refund_minor": refund_minor, **money}
        yield _event(reservation, life.ended_at, "cancelled", driver, back)


def write_refund(payment: Values, refund_id: int, *, amount_minor: int, at: datetime) -> Values:
    """Write a refund that was promised when its booking was cancelled, and sent right after."""
    key = f"cancel:{payment['reservation_id']}:{payment['id']}"
    return {
        "id": refund_id,
        "key": key,
        "payment_id": payment["id"],
        "reservation_id": payment["reservation_id"],
        "amount_minor": amount_minor,
        "currency": payment["currency"],
        "cause": "cancelled",
        "reason": "",
        "status": "succeeded",
        "gateway_ref": payment["gateway_ref"],
        "attempts": 1,
        "created_by": payment["user_id"],
        "created_at": at,
        "next_attempt_at": at,
        "settled_at": at + _SENT_AFTER,
    }


def write_books(payment: Values, refund: Values | None) -> Iterator[tuple[Values, dict[str, int]]]:
    """Write the movements of a payment and its refund, each with its entries by account."""
    bank, amount = account_of(GATEWAY), payment["amount_minor"]
    yield (
        _movement(payment, "payment", payment["settled_at"], f"payment:{payment['id']}", None),
        {bank: amount, RESERVATIONS: -amount},
    )
    if refund is None:
        return
    back, refund_id = refund["amount_minor"], refund["id"]
    yield (
        _movement(
            payment,
            "refund_promised",
            refund["created_at"],
            f"refund:{refund_id}:promised",
            refund_id,
        ),
        {RESERVATIONS: back, REFUNDS_PAYABLE: -back},
    )
    yield (
        _movement(
            payment, "refund_sent", refund["settled_at"], f"refund:{refund_id}:sent", refund_id
        ),
        {REFUNDS_PAYABLE: back, bank: -back},
    )


def write_stay(life: Life, claim: Values) -> Values:
    """Write the stay of a car that came."""
    return {
        "reservation_id": claim["reservation_id"],
        "lot_id": claim["lot_id"],
        "spot_id": claim["spot_id"],
        "entered_at": life.entered_at,
        "left_at": life.left_at,
    }


def write_review(said: Said, reservation: Values, *, operator_id: int) -> Values:
    """Write what a driver said, and what was answered."""
    return {
        "lot_id": reservation["lot_id"],
        "reservation_id": reservation["id"],
        "user_id": reservation["user_id"],
        "stars": said.stars,
        "text": said.text,
        "status": "published",
        "reply": said.reply,
        "replied_by": operator_id if said.reply else None,
        "replied_at": said.replied_at,
        "created_at": said.at,
        "version": 1,
    }


def is_paid(booking: Booked) -> bool:
    """Whether money came for a booking."""
    return booking.fate in {PAID, RETURNED, ABSENT}


def in_order_of_refunds(bookings: Sequence[Booked], lives: Sequence[Life]) -> list[int]:
    """Give the positions of the bookings whose money went back, the first to be cancelled foremost."""
    refunded = [
        position
        for position, (booking, life) in enumerate(zip(bookings, lives, strict=True))
        if is_paid(booking) and life.is_refunded
    ]
    return sorted(refunded, key=lambda position: (lives[position].ended_at, position))


def _event(
    reservation: Values, at: datetime | None, kind: str, actor_id: int | None, facts: Values
) -> Values:
    return {
        "reservation_id": reservation["id"],
        "at": at,
        "kind": kind,
        "facts": facts,
        "actor_id": actor_id,
    }


def _movement(payment: Values, kind: str, at: datetime, key: str, refund_id: int | None) -> Values:
    return {
        "key": key,
        "kind": kind,
        "at": at,
        "reservation_id": payment["reservation_id"],
        "payment_id": payment["id"],
        "refund_id": refund_id,
        "currency": payment["currency"],
    }
