"""Paying for a reservation: transaction, call to the gateway, transaction."""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.config import settings
from backend.database import violates
from backend.errors import (
    AlreadyPaid,
    HoldExpired,
    IllegalTransition,
    InvalidInput,
    NotFound,
    PaymentInProgress,
)
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Payment, Reservation, User
from backend.money import format_money
from backend.notifications.service import queue_mail
from backend.payments.gateway import Card, GatewayTimeout, Outcome
from backend.payments.sandbox import SandboxGateway
from backend.signals import payment_failed, payment_settled, payment_started
from backend.transaction import independently, transaction

logger = logging.getLogger(__name__)

# A payment this old has outlived its request: whoever asks may look up what became of it.
_UNDECIDED_FOR = timedelta(seconds=30)
_CHALLENGE_FOR = timedelta(minutes=30)
_BATCH = 100

_gateway = SandboxGateway()

Finish = Callable[[Payment], None]
"""Called inside the transaction that decides a payment, so that what it notes stands or falls with it."""


def pay(
    driver: Caller, reservation_id: int, *, card: Card, finish: Finish | None = None
) -> Payment:
    """Pay what is due on a reservation with a card of the sandbox; give the payment, whatever became of it.

    A refused card is no error here: the payment says ``failed``, and the driver tries another. It opens
    its own transactions, since the gateway is called between them.

    Raises:
        InvalidInput: this installation does not take the sandbox's cards.
        NotFound: there is no such reservation, or it is somebody else's.
        HoldExpired: the time to pay is over.
        AlreadyPaid: nothing is due.
        IllegalTransition: the reservation was cancelled.
        PaymentInProgress: another payment of it is not decided yet.

    """
    if "sandbox" not in settings().payment_gateways:
        sentence = "This way to pay is not offered here."
        raise InvalidInput(sentence, errors={"method": [sentence]})
    _settle_the_undecided(driver, reservation_id)
    try:
        with transaction():
            payment = _begin(driver, reservation_id)
    except IntegrityError as error:
        if violates(error, "uq_payments_one_charge"):
            raise _charged_already(reservation_id) from error
        raise
    try:
        outcome = _gateway.charge(
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            key=payment_key(payment.id),
            card=card,
        )
    except GatewayTimeout:
        # Unknown is not failed: the reconciliation asks the gateway what became of it.
        with independently():
            payment = db.session.get_one(Payment, payment.id)
            if finish is not None:
                finish(payment)
        return payment
    return _settle(payment.id, outcome, finish=finish)


def confirm(driver: Caller, payment_id: int, *, code: str, finish: Finish | None = None) -> Payment:
    """Answer the bank's challenge; give the payment, whatever became of it.

    Raises:
        NotFound: there is no such payment, or it is somebody else's.
        IllegalTransition: it waits for no challenge.
        HoldExpired: the time to pay is over.
        PaymentInProgress: the gateway does not answer; what became of it shows later.

    """
    with transaction(read_only=True):
        payment = db.session.get(Payment, payment_id)
        if payment is None or payment.user_id != driver.id:
            raise NotFound(f"There is no payment {payment_id}.")
        if payment.status != "requires_action" or payment.gateway_ref is None:
            raise IllegalTransition(
                "This payment waits for no challenge.", status_now=payment.status
            )
        _check_payable(db.session.get_one(Reservation, payment.reservation_id))
    try:
        outcome = _gateway.confirm(payment.gateway_ref, code=code)
    except GatewayTimeout as error:
        raise PaymentInProgress("The bank has not answered yet.", retry_after=30) from error
    return _settle(payment_id, outcome, finish=finish)


def get_payment(reader: Caller, payment_id: int) -> Payment:
    """Give a payment of the reader's own; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    payment = db.session.get(Payment, payment_id)
    if payment is None or (payment.user_id != reader.id and not reader.has_role("admin")):
        raise NotFound(f"There is no payment {payment_id}.")
    return payment


def list_payments(
    driver: Caller,
    *,
    limit: int,
    before_id: int | None = None,
    reservation_id: int | None = None,
) -> tuple[list[Payment], int | None, int]:
    """Give a page of the driver's payments, newest first; where the next begins; and how many there are.

    With ``reservation_id`` they are those of one reservation of the driver's own.
    """
    wanted = [Payment.user_id == driver.id]
    if reservation_id is not None:
        wanted.append(Payment.reservation_id == reservation_id)
    mine = select(Payment).where(*wanted)
    total = db.session.scalar(select(func.count()).select_from(Payment).where(*wanted))
    if before_id is not None:
        mine = mine.where(Payment.id < before_id)
    page = list(db.session.scalars(mine.order_by(Payment.id.desc()).limit(limit + 1)))
    following = page[limit - 1].id if len(page) > limit else None
    return page[:limit], following, total or 0


def reconcile() -> int:
    """Ask the gateway about payments left undecided, and give back what is under review; count both."""
    now = clock.now()
    with transaction(read_only=True):
        undecided = list(
            db.session.scalars(
                select(Payment)
                .where(
                    or_(
                        and_(
                            Payment.status.in_(("pending", "review")),
                            Payment.created_at < now - _UNDECIDED_FOR,
                        ),
                        and_(
                            Payment.status == "requires_action",
                            Payment.created_at < now - _CHALLENGE_FOR,
                        ),
                    )
                )
                # In any order, so that payments which cannot be decided do not keep the others out.
                .order_by(func.random())
                .limit(_BATCH)
            )
        )
    decided = 0
    for payment in undecided:
        try:
            settled = _give_back(payment) if payment.status == "review" else _look_up(payment)
            decided += settled.status not in {"pending", "requires_action", "review"}
        except GatewayTimeout:
            logger.warning("The gateway does not answer about payment %s", payment.id)
        except Exception:
            # One poisonous payment must not keep the others waiting.
            logger.exception("Payment %s cannot be reconciled", payment.id)
    return decided


def _begin(driver: Caller, reservation_id: int) -> Payment:
    reservation = db.session.scalar(
        select(Reservation).where(
            Reservation.id == reservation_id, Reservation.user_id == driver.id
        )
    )
    if reservation is None:
        raise NotFound(f"There is no reservation {reservation_id}.")
    # Looked at once nobody else can decide it: what was paid meanwhile is paid, not expired.
    claims.lock_claim(reservation_id)
    db.session.refresh(reservation)
    _check_payable(reservation)
    payment_started.send(None, reservation_id=reservation_id)
    payment = Payment(
        reservation_id=reservation.id,
        user_id=driver.id,
        quote_id=reservation.quote_id,
        purpose="booking",
        gateway="sandbox",
        amount_minor=reservation.price_minor,
        currency=reservation.currency,
        status="pending",
        created_at=clock.now(),
    )
    db.session.add(payment)
    db.session.flush()  # meets uq_payments_one_charge, and gives the id that the gateway will know it by
    return payment


def _check_payable(reservation: Reservation) -> None:
    if reservation.status == "held":
        if reservation.hold_expires_at is not None and reservation.hold_expires_at > clock.now():
            return
        raise HoldExpired("The time to pay for this booking is over.")
    if reservation.status == "expired":
        raise HoldExpired("The time to pay for this booking is over.")
    if reservation.status == "cancelled":
        raise IllegalTransition("This booking was cancelled.", status_now="cancelled")
    raise AlreadyPaid("Nothing is due on this booking.")


def _charged_already(reservation_id: int) -> AlreadyPaid | PaymentInProgress:
    with transaction(read_only=True):
        paid = db.session.scalar(
            select(Payment.id).where(
                Payment.reservation_id == reservation_id, Payment.status == "succeeded"
            )
        )
    if paid is not None:
        return AlreadyPaid("Nothing is due on this booking.")
    return PaymentInProgress("Another payment of this booking is under way.", retry_after=5)


def _settle_the_undecided(driver: Caller, reservation_id: int) -> None:
    """Clear the way for a new try: give up a challenge left open, and learn what an old timeout became."""
    with transaction(read_only=True):
        payment = db.session.scalar(
            select(Payment).where(
                Payment.reservation_id == reservation_id,
                Payment.user_id == driver.id,
                Payment.status.in_(("pending", "requires_action")),
            )
        )
    if payment is None:
        return
    if payment.status == "pending" and payment.created_at > clock.now() - _UNDECIDED_FOR:
        raise PaymentInProgress("Another payment of this booking is under way.", retry_after=30)
    try:
        _look_up(payment)
    except GatewayTimeout as error:
        raise PaymentInProgress("The bank has not answered yet.", retry_after=30) from error


def _look_up(payment: Payment) -> Payment:
    """Learn from the gateway what became of a payment; an open challenge is given up."""
    if payment.status == "requires_action" and payment.gateway_ref is not None:
        return _settle(payment.id, _gateway.cancel(payment.gateway_ref))
    outcome = _gateway.find(key=payment_key(payment.id))
    if outcome is not None and outcome.status == "requires_action":
        outcome = _gateway.cancel(outcome.reference)
    return _settle(
        payment.id, outcome or Outcome(reference="", status="failed", failure="never_arrived")
    )


def _settle(payment_id: int, outcome: Outcome, *, finish: Finish | None = None) -> Payment:
    """Write down what the gateway said, once, with all that follows from it."""
    useless = False
    with transaction():
        # Who wants the bay locks its claim first; so does whoever pays for it.
        payment = db.session.get_one(Payment, payment_id)
        if outcome.status == "succeeded":
            claims.sweep_before_revival(payment.reservation_id)
        else:
            claims.lock_claim(payment.reservation_id)
        decided = db.session.execute(
            update(Payment)
            .where(Payment.id == payment_id, Payment.status.in_(("pending", "requires_action")))
            .values(
                status=outcome.status,
                gateway_ref=outcome.reference or None,
                failure=outcome.failure,
                settled_at=None if outcome.status == "requires_action" else clock.now(),
            )
            .returning(Payment.id)
        ).first()
        db.session.refresh(payment)
        if decided is not None and outcome.status == "succeeded":
            answers = payment_settled.send(None, payment=payment)
            useless = not any(used for _, used in answers)
        if decided is not None and outcome.status == "failed":
            payment_failed.send(None, reservation_id=payment.reservation_id)
        if decided is None and outcome.status == "succeeded" and payment.status == "failed":
            # It was asked for, found missing and given up before it arrived: its money has no use.
            payment.gateway_ref, payment.failure = outcome.reference, None
            payment.settled_at = clock.now()
            useless = True
        if useless:
            payment.status, payment.review_reason = "review", "no_use"
        if finish is not None:
            finish(payment)
    if not useless:
        return payment
    try:
        return _give_back(payment, finish=finish)
    except GatewayTimeout:
        return payment


def _give_back(payment: Payment, *, finish: Finish | None = None) -> Payment:
    """Refund a payment that nothing was left to pay with, and tell its driver.

    Until the gateway has said yes the payment is under review, and the reconciliation tries again.

    Raises:
        GatewayTimeout: it has not said yes.

    """
    if payment.gateway_ref is not None:
        _gateway.refund(payment.gateway_ref, amount_minor=payment.amount_minor)
    with transaction():
        db.session.execute(
            update(Payment)
            .where(Payment.id == payment.id, Payment.status == "review")
            .values(status="refunded", refunded_minor=Payment.amount_minor, review_reason=None)
        )
        refunded = db.session.get_one(Payment, payment.id, populate_existing=True)
        _tell_of_refund(refunded)
        if finish is not None:
            finish(refunded)
    return refunded


def _tell_of_refund(payment: Payment) -> None:
    user, reservation, lot = db.session.execute(
        select(User, Reservation, Lot)
        .join(Reservation, Reservation.user_id == User.id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .where(Reservation.id == payment.reservation_id)
    ).one()
    queue_mail(
        "payment-returned",
        user.email,
        key=f"payment-returned:{payment.id}",
        context={
            "name": user.name,
            "code": reservation.code,
            "lot": lot.name,
            "amount": format_money(payment.amount_minor, payment.currency),
        },
    )


def payment_key(payment_id: int) -> str:
    """Give the key under which the gateway knows a payment."""
    return f"payment-{payment_id}"
