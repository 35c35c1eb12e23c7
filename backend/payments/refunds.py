"""Money on its way back: promised in the transaction that causes it, sent after it."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, func, or_, select, update

from backend import clock
from backend.audit.service import record
from backend.celery import start_task
from backend.claims import service as claims
from backend.errors import IllegalTransition, NotFound, RefundExceedsPayment
from backend.extensions import db
from backend.identity import Caller
from backend.models import CreditNote, Lot, Payment, Refund, Reservation, User
from backend.money import format_money
from backend.notifications.telling import notify
from backend.payments import ledger
from backend.payments.credit_notes import issue_credit_note
from backend.payments.gateway import GatewayRefusal, GatewayTimeout
from backend.payments.gateways import find_gateway, payment_key
from backend.payments.receipts import document_number
from backend.transaction import after_commit, transaction

logger = logging.getLogger(__name__)

PAID = ("succeeded", "partially_refunded", "refunded")
"""The states of payments whose money arrived and had a use, or went back since."""
GOODWILL = "goodwill"
"""The cause of what an admin gives back as a courtesy."""
_REFUNDABLE = ("succeeded", "partially_refunded")

# Longer than a gateway may take, so that no second worker sends what a first still sends.
_LEASE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)
_MOST_ATTEMPTS = 50
_BATCH = 100
_LONGEST_ERROR = 300


def net_paid(reservation_id: int) -> int:
    """Give what was paid for a reservation and not promised back."""
    paid = db.session.scalar(
        select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
            Payment.reservation_id == reservation_id, Payment.status.in_(PAID)
        )
    )
    return int(paid or 0)


def counted_as_paid(reservation_id: int) -> int:
    """Give what of a reservation's price is settled: what was paid and not given back, but for gifts.

    What an admin gives back as a courtesy is not asked for again.
    """
    gifts = db.session.scalar(
        select(func.sum(Refund.amount_minor)).where(
            Refund.reservation_id == reservation_id, Refund.cause == GOODWILL
        )
    )
    return net_paid(reservation_id) + int(gifts or 0)


def promise_refunds(
    reservation_id: int,
    amount_minor: int,
    *,
    cause: str,
    key: str,
    actor_id: int | None = None,
    reason: str = "",
) -> int:
    """Promise this much of a reservation's payments back, the newest first; give what was promised.

    It stands or falls with the open transaction, and is sent after it. What was promised for the same
    key before is told, and not promised again; no more is promised than is left.
    """
    claims.lock_claim(reservation_id)
    payments = list(
        db.session.scalars(
            select(Payment)
            .where(Payment.reservation_id == reservation_id, Payment.status.in_(PAID))
            .order_by(Payment.id.desc())
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    keys = [_key(key, payment) for payment in payments]
    before = db.session.scalar(select(func.sum(Refund.amount_minor)).where(Refund.key.in_(keys)))
    if before is not None:
        return int(before)
    left = amount_minor
    for payment in payments:
        share = min(left, payment.amount_minor - payment.refunded_minor)
        if share > 0:
            promise(payment, share, cause=cause, key=key, actor_id=actor_id, reason=reason)
            left -= share
    return amount_minor - left


def promise(
    payment: Payment,
    amount_minor: int,
    *,
    cause: str,
    key: str,
    actor_id: int | None = None,
    reason: str = "",
) -> Refund:
    """Promise a part of one payment back: refund, payment, books and credit note in the open transaction.

    Raises:
        RefundExceedsPayment: no more than less is left of it.

    """
    refunded = Payment.refunded_minor + amount_minor
    changed = db.session.execute(
        update(Payment)
        .where(
            Payment.id == payment.id,
            or_(Payment.status.in_(_REFUNDABLE), Payment.review_reason == "no_use"),
            refunded <= Payment.amount_minor,
        )
        .values(
            refunded_minor=refunded,
            status=case((refunded == Payment.amount_minor, "refunded"), else_="partially_refunded"),
            review_reason=None,
        )
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    ).first()
    db.session.refresh(payment)
    if changed is None:
        raise _exceeds(payment)
    moment = clock.now()
    refund = Refund(
        key=_key(key, payment),
        payment_id=payment.id,
        reservation_id=payment.reservation_id,
        amount_minor=amount_minor,
        currency=payment.currency,
        cause=cause,
        reason=reason,
        created_by=actor_id,
        created_at=moment,
        next_attempt_at=moment,
    )
    db.session.add(refund)
    db.session.flush()  # gives the id by which books and gateway know it
    ledger.book_promise(refund, payment)
    issue_credit_note(refund, payment)
    if payment.gateway == ledger.CASH:
        # It is handed over at the gate, in the hand that the driver holds out.
        refund.status, refund.settled_at = "succeeded", moment
        ledger.book_sent(refund, payment)
    else:
        after_commit(start_task, "payments.send_refund", refund.id)
    return refund


def refund_payment(admin: Caller, payment_id: int, *, amount_minor: int, reason: str) -> Refund:
    """Give a part of a payment back, or all that is left of it, and tell its driver.

    Raises:
        NotFound: there is no such payment.
        IllegalTransition: no money of it is there to give back.
        RefundExceedsPayment: less than that is left of it.

    """
    payment = _get_for_update(payment_id)
    if payment.status not in PAID:
        raise IllegalTransition(
            "Nothing was paid that could be given back.", status_now=payment.status
        )
    if amount_minor > payment.amount_minor - payment.refunded_minor:
        raise _exceeds(payment)
    count = db.session.scalar(
        select(func.count()).select_from(Refund).where(Refund.payment_id == payment_id)
    )
    refund = promise(
        payment,
        amount_minor,
        cause=GOODWILL,
        # Refunds of one payment take turns, so the next number is this one's.
        key=f"goodwill:{payment.reservation_id}:{count or 0}",
        actor_id=admin.id,
        reason=reason,
    )
    record(
        "payment.refunded",
        "payment",
        payment_id,
        actor_id=admin.id,
        after={"refund_id": refund.id, "amount_minor": amount_minor, "reason": reason},
    )
    _tell_of_goodwill(refund)
    return refund


def return_useless(payment: Payment) -> Refund:
    """Promise a payment back that nothing was left to pay with; its driver is told once it is sent."""
    return promise(
        payment, payment.amount_minor, cause="no_use", key=f"no_use:{payment.reservation_id}"
    )


def list_refunds(payment_id: int) -> list[Refund]:
    """List what was given back of a payment, the first foremost."""
    return list(
        db.session.scalars(
            select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)
        )
    )


def find_credit_note(refund_id: int) -> CreditNote | None:
    """Give the credit note of a refund, if it has one."""
    return db.session.scalar(select(CreditNote).where(CreditNote.refund_id == refund_id))


def note_numbers_of(refund_ids: Sequence[int]) -> dict[int, str]:
    """Give the numbers of these refunds' credit notes, as far as they have one."""
    notes = db.session.scalars(select(CreditNote).where(CreditNote.refund_id.in_(refund_ids)))
    return {note.refund_id: document_number(note) for note in notes}


def get_refund(refund_id: int) -> Refund:
    """Give a refund.

    Raises:
        NotFound: there is none.

    """
    refund = db.session.get(Refund, refund_id)
    if refund is None:
        raise NotFound(f"There is no refund {refund_id}.")
    return refund


def get_credit_note(reader: Caller, refund_id: int) -> CreditNote:
    """Give the credit note of a refund of the reader's own; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    row = db.session.execute(
        select(CreditNote, Payment.user_id)
        .join(Refund, Refund.id == CreditNote.refund_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(CreditNote.refund_id == refund_id)
    ).first()
    if row is None or (row.user_id != reader.id and not reader.has_role("admin")):
        raise NotFound(f"There is no credit note of a refund {refund_id}.")
    note: CreditNote = row.CreditNote
    return note


def send_due_refunds() -> int:
    """Send a batch of refunds that are due; give how many were sent."""
    with transaction(read_only=True):
        due = list(
            db.session.scalars(
                select(Refund.id)
                .where(Refund.status == "pending", Refund.next_attempt_at <= clock.now())
                # In any order, so that some which cannot be sent do not keep the others out.
                .order_by(func.random())
                .limit(_BATCH)
            )
        )
    return sum(map(send_refund, due))


def send_refund(refund_id: int) -> bool:
    """Send one refund if it is due and nobody else is at it; tell whether it is sent now.

    It is claimed in one transaction, sent in none, and marked in another; the gateway gives the same
    refund once, however often it is asked.
    """
    claimed = _claim(refund_id)
    if claimed is None:
        return False
    refund, payment = claimed
    try:
        reference = None
        if payment.gateway_ref is not None:
            reference = find_gateway(payment.gateway).refund(
                payment.gateway_ref,
                amount_minor=refund.amount_minor,
                key=f"{payment_key(payment.id)}:{refund.key}",
            )
    except GatewayTimeout:
        logger.warning("The gateway does not answer about refund %s", refund_id)
        _retry(refund, "no answer")
        return False
    except GatewayRefusal as error:
        logger.error("The gateway refuses refund %s: %s", refund_id, error)  # noqa: TRY400 - an answer, no fault of ours
        _retry(refund, str(error))
        return False
    except Exception as error:
        # One poisonous refund must not keep the others waiting.
        logger.exception("Refund %s cannot be sent", refund_id)
        _retry(refund, type(error).__name__)
        return False
    return _mark_sent(refund_id, reference)


def _key(key: str, payment: Payment) -> str:
    return f"{key}:{payment.id}"


def _get_for_update(payment_id: int) -> Payment:
    """Lock a payment, after the claim of its reservation as everyone does."""
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound(f"There is no payment {payment_id}.")
    claims.lock_claim(payment.reservation_id)
    return db.session.get_one(Payment, payment_id, populate_existing=True, with_for_update=True)


def _exceeds(payment: Payment) -> RefundExceedsPayment:
    left = payment.amount_minor - payment.refunded_minor
    return RefundExceedsPayment(
        f"At most {format_money(left, payment.currency)} of this payment can go back.",
        refundable_minor=left,
        currency=payment.currency,
    )


def _claim(refund_id: int) -> tuple[Refund, Payment] | None:
    moment = clock.now()
    with transaction():
        claimed = db.session.execute(
            update(Refund)
            .where(
                Refund.id == refund_id,
                Refund.status == "pending",
                Refund.next_attempt_at <= moment,
            )
            .values(attempts=Refund.attempts + 1, next_attempt_at=moment + _LEASE)
            .returning(Refund.id)
        ).first()
        if claimed is None:
            return None
        refund = db.session.get_one(Refund, refund_id, populate_existing=True)
        return refund, db.session.get_one(Payment, refund.payment_id)


def _retry(refund: Refund, error: str) -> None:
    given_up = refund.attempts >= _MOST_ATTEMPTS
    with transaction():
        db.session.execute(
            update(Refund)
            .where(Refund.id == refund.id, Refund.status == "pending")
            .values(
                status="failed" if given_up else "pending",
                error=error[:_LONGEST_ERROR],
                next_attempt_at=_next_attempt(refund.attempts),
            )
        )


def _next_attempt(attempts: int) -> datetime:
    doublings = min(attempts, 10)
    return clock.now() + min(_LEASE * (1 << doublings), _LONGEST_PAUSE)


def _mark_sent(refund_id: int, reference: str | None) -> bool:
    with transaction():
        sent = db.session.execute(
            update(Refund)
            .where(Refund.id == refund_id, Refund.status != "succeeded")
            .values(status="succeeded", gateway_ref=reference, error=None, settled_at=clock.now())
            .returning(Refund.id)
        ).first()
        if sent is None:
            return False
        refund = db.session.get_one(Refund, refund_id, populate_existing=True)
        payment = db.session.get_one(Payment, refund.payment_id)
        ledger.book_sent(refund, payment)
        if refund.cause == "no_use":
            _tell_of_return(refund)
    return True


def _tell_of_return(refund: Refund) -> None:
    _tell(refund, "payment-returned", key=f"payment-returned:{refund.payment_id}:{refund.id}")


def _tell_of_goodwill(refund: Refund) -> None:
    note = find_credit_note(refund.id)
    _tell(
        refund,
        "refund",
        key=f"refund:{refund.id}",
        refund_id=refund.id,
        reason=refund.reason,
        note=document_number(note) if note is not None else None,
    )


def _tell(refund: Refund, template: str, *, key: str, **more: str | int | None) -> None:
    row = db.session.execute(
        select(User, Reservation, Lot)
        .join(Reservation, Reservation.user_id == User.id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .where(Reservation.id == refund.reservation_id)
    ).first()
    if row is None:
        # A walk-in left no address.
        return
    user, reservation, lot = row
    notify(
        user.id,
        template,
        key=key,
        kind="money",
        link=f"/bookings/{reservation.id}",
        context={
            "name": user.name,
            "code": reservation.code,
            "lot": lot.name,
            "amount": format_money(refund.amount_minor, refund.currency),
            **more,
        },
    )
