"""Check-out: a car leaves, for good or for a while, and all that it costs is paid or noted as a debt."""

from datetime import timedelta

from sqlalchemy import case, select, update

from backend import clock
from backend.audit.service import record
from backend.claims import service as claims
from backend.claims.presence import stretch_present
from backend.database import get_row
from backend.errors import Forbidden, PaymentDue
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Reservation, SpotClaim, Stay
from backend.money import format_money
from backend.payments.refunds import net_paid, promise_refunds
from backend.quotes import service as quotes
from backend.reservations.dues import due_now, fix_price, is_car_in
from backend.reservations.entering import may_come_again
from backend.reservations.history import note
from backend.reservations.states import (
    PRESENT,
    change,
    check_self_service,
    get_reservation_for_update,
    get_served,
    refuse,
)
from backend.reservations.telling import tell
from backend.signals import availability_changed, window_freed
from backend.transaction import after_commit

_MINUTE = timedelta(minutes=1)


def check_out(actor: Caller, reservation_id: int, let_out_reason: str | None = None) -> None:
    """Let a car out: the stay is over, its bay is free, and who waits for one is offered it.

    Where the lot allows it, a car that leaves before its end may come back, and keeps its bay. Where the lot
    has it so, who leaves early pays for the time until now, and gets the rest back. Staff may let a car out
    that has not paid, for a reason that is kept; what is due is its driver's debt from then on.

    Raises:
        NotFound: there is none, or it is none of the actor's.
        Forbidden: it is the actor's own, and drivers cannot do this themselves there.
        IllegalTransition: its car is not in.
        PaymentDue: something is to be paid first.

    """
    lot_id, as_staff = get_served(actor, reservation_id)
    lot = get_row(Lot, lot_id)
    if not as_staff:
        check_self_service(allowed=lot.allows_self_check_in)
        if let_out_reason is not None:
            raise Forbidden("Only staff let out a car that has not paid.")
    stretch_present(lot_id)
    reservation = get_reservation_for_update(reservation_id)
    if reservation.status not in PRESENT or not is_car_in(reservation_id):
        refuse(reservation)
    comes_again = may_come_again(reservation, lot)
    # A refusal stores nothing of this: it goes with the transaction.
    fix_price(reservation)
    if lot.refunds_early_exit and not comes_again:
        _price_until_now(reservation)
    due = due_now(reservation)
    if due:
        if let_out_reason is None:
            raise PaymentDue(
                f"{format_money(due, reservation.currency)} is to be paid before leaving.",
                due_minor=due,
                currency=reservation.currency,
            )
        _take_down(actor, reservation, due, let_out_reason)
    _end_stay(actor, reservation)
    note(reservation_id, "left", actor_id=actor.id, comes_back=comes_again)
    if not comes_again:
        complete(reservation, debt_minor=due)


def complete(reservation: Reservation, *, debt_minor: int) -> None:
    """End a reservation whose car has left; what it left unpaid is its driver's debt.

    Raises:
        IllegalTransition: its car was not in, or it is over already.

    """
    now = clock.now()
    claim = db.session.execute(
        select(SpotClaim.ends_at).where(SpotClaim.reservation_id == reservation.id)
    ).one()
    claims.release_claim(reservation.id)
    change(reservation, since=PRESENT, to="completed", debt_minor=debt_minor)
    note(reservation.id, "completed", price_minor=reservation.price_minor, debt_minor=debt_minor)
    tell(
        reservation.id,
        "completed",
        key=f"completed:{reservation.id}",
        price_minor=reservation.price_minor,
        debt_minor=debt_minor,
    )
    if claim.ends_at > now:
        window_freed.send(None, lot_id=reservation.lot_id, starts_at=now, ends_at=claim.ends_at)
    after_commit(availability_changed.send, None, lot_id=reservation.lot_id)


def _price_until_now(reservation: Reservation) -> None:
    """Price a stay for the time until now, if it ends early, and promise the rest back."""
    now = clock.now()
    if now >= reservation.ends_at or reservation.source == "walk_in":
        return
    ends_at = max(now, reservation.starts_at + _MINUTE)
    price = quotes.reprice(reservation, starts_at=reservation.starts_at, ends_at=ends_at)
    saved = reservation.price_minor - price.total_minor
    if saved <= 0:
        return
    quote = quotes.requote(reservation, starts_at=reservation.starts_at, ends_at=ends_at)
    change(reservation, since=PRESENT, quote_id=quote.id, price_minor=quote.total_minor)
    # What was given back before is not given back again, nor what was never paid.
    surplus = min(saved, net_paid(reservation.id) - quote.total_minor)
    if surplus > 0:
        promise_refunds(
            reservation.id, surplus, cause="early_exit", key=f"early_exit:{reservation.id}"
        )
        note(
            reservation.id,
            "refunded",
            cause="early_exit",
            refund_minor=surplus,
            currency=reservation.currency,
        )


def _take_down(actor: Caller, reservation: Reservation, due: int, reason: str) -> None:
    record(
        "reservation.let-out",
        "reservation",
        reservation.id,
        actor_id=actor.id,
        before={"debt_minor": 0},
        after={"debt_minor": due, "reason": reason},
    )
    note(
        reservation.id,
        "let-out",
        actor_id=actor.id,
        due_minor=due,
        currency=reservation.currency,
        reason=reason,
    )


def _end_stay(actor: Caller, reservation: Reservation) -> None:
    now = clock.now()
    left = db.session.execute(
        update(Stay)
        .where(Stay.reservation_id == reservation.id, Stay.left_at.is_(None))
        # The clock of the process that let it in may be ahead.
        .values(left_at=case((Stay.entered_at > now, Stay.entered_at), else_=now), left_by=actor.id)
        .returning(Stay.id),
        execution_options={"synchronize_session": False},
    ).first()
    if left is None:
        refuse(reservation)
