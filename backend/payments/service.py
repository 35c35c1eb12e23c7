"""Paying for a reservation: transaction, call to the gateway, transaction."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.audit.service import record
from backend.claims import service as claims
from backend.config import settings
from backend.database import violates
from backend.errors import (
    AlreadyPaid,
    Forbidden,
    HoldExpired,
    IllegalTransition,
    InvalidInput,
    NotFound,
    PaymentInProgress,
)
from backend.extensions import db
from backend.identity import Caller
from backend.lots.staff import works_at
from backend.models import Lot, Payment, Reservation, User
from backend.money import format_money
from backend.notifications.telling import notify
from backend.payments import ledger, refunds
from backend.payments.gateway import (
    GatewayRefusal,
    GatewayTimeout,
    Means,
    Order,
    Outcome,
)
from backend.payments.gateways import find_gateway, payment_key
from backend.payments.receipts import issue_receipt, receipt_number
from backend.signals import payment_failed, payment_settled, payment_started, price_to_pay
from backend.transaction import independently, transaction

logger = logging.getLogger(__name__)

# A payment this old has outlived its request: whoever asks may look up what became of it.
_UNDECIDED_FOR = timedelta(seconds=30)
_CHALLENGE_FOR = timedelta(minutes=30)
_BATCH = 100
_BOOKING = "booking"
_UNDER_WAY = ("pending", "requires_action")

Finish = Callable[[Payment], None]
"""Called inside the transaction that decides a payment, so that what it notes stands or falls with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilters:
    """Which payments a list is of; None stands for any."""

    user_id: int | None = None
    reservation_id: int | None = None
    status: str | None = None
    method: str | None = None
    lot_id: int | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def pay(
    driver: Caller,
    reservation_id: int,
    *,
    method: str,
    means: Means,
    finish: Finish | None = None,
) -> tuple[Payment, Outcome | None]:
    """Pay what is due on a reservation of the driver's own; give the payment, whatever became of it.

    A refused card is no error here: the payment says ``failed``, and the driver tries another. It opens
    its own transactions, since the gateway is called between them.

    Raises:
        InvalidInput: this installation does not take payments this way.
        NotFound: there is no such reservation, or it is somebody else's.
        HoldExpired: the time to pay is over.
        AlreadyPaid: nothing is due.
        IllegalTransition: the reservation was cancelled.
        PaymentInProgress: another payment of it is not decided yet.

    """
    _check_offered(method)
    with transaction(read_only=True):
        _check_own(driver, db.session.get(Reservation, reservation_id), reservation_id)
    _settle_the_undecided(reservation_id)
    with _one_at_a_time(reservation_id), transaction():
        payment, order = _begin(reservation_id, gateway=method)
    gateway = find_gateway(method)
    try:
        reference = gateway.open(order)
        if reference is not None:
            # Kept before any money moves: by it the reconciliation asks what became of the charge.
            _keep_reference(payment.id, reference)
        outcome = gateway.charge(order, reference=reference, means=means)
    except GatewayRefusal:
        outcome = Outcome(reference="", status="failed", failure="not_accepted")
    except GatewayTimeout:
        # Unknown is not failed: the reconciliation asks the gateway what became of it.
        with independently():
            payment = db.session.get_one(Payment, payment.id)
            if finish is not None:
                finish(payment)
        return payment, None
    return _settle(payment.id, outcome, finish=finish), outcome


def take_cash(attendant: Caller, reservation_id: int, *, finish: Finish | None = None) -> Payment:
    """Take what is due on a reservation at the gate, in cash; it is settled at once.

    Raises:
        InvalidInput: this installation does not take cash.
        NotFound: there is no such reservation, or the attendant does not work at its lot.
        Forbidden: drivers do not take their own cash.
        HoldExpired: the time to pay is over.
        AlreadyPaid: nothing is due.
        IllegalTransition: the reservation was cancelled.
        PaymentInProgress: another payment of it is not decided yet.

    """
    with transaction(read_only=True):
        reservation = db.session.get(Reservation, reservation_id)
        if reservation is None or not works_at(attendant, reservation.lot_id):
            _check_own(attendant, reservation, reservation_id)
            raise Forbidden("Cash is taken by an attendant at the gate.")
    _check_offered(ledger.CASH)
    _settle_the_undecided(reservation_id)
    with _one_at_a_time(reservation_id), transaction():
        payment, _ = _begin(reservation_id, gateway=ledger.CASH)
        payment.status, payment.taken_by = "succeeded", attendant.id
        payment.settled_at = clock.now()
        db.session.flush()  # the statements of what follows read it
        record(
            "payment.cash-taken",
            "payment",
            payment.id,
            actor_id=attendant.id,
            after={
                "reservation_id": reservation_id,
                "amount_minor": payment.amount_minor,
                "currency": payment.currency,
            },
        )
        _use(payment)
        if finish is not None:
            finish(payment)
    return payment


def confirm(
    driver: Caller, payment_id: int, *, code: str | None, finish: Finish | None = None
) -> tuple[Payment, Outcome]:
    """Answer the bank's challenge; give the payment, whatever became of it.

    Raises:
        NotFound: there is no such payment, or it is somebody else's.
        IllegalTransition: it waits for no challenge.
        InvalidInput: the bank wants to hear its code.
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
        if payment.gateway == "sandbox" and code is None:
            sentence = "Type the code that the bank asks for."
            raise InvalidInput(sentence, errors={"code": [sentence]})
        if payment.purpose == _BOOKING:
            _check_hold(db.session.get_one(Reservation, payment.reservation_id))
        gateway, reference = payment.gateway, payment.gateway_ref
    try:
        outcome = find_gateway(gateway).confirm(reference, code=code)
    except GatewayTimeout as error:
        raise PaymentInProgress("The bank has not answered yet.", retry_after=30) from error
    return _settle(payment_id, outcome, finish=finish), outcome


def find_client_secret(payment: Payment) -> str | None:
    """Ask the gateway once more for the secret with which the driver's browser answers the bank.

    It is kept nowhere; None when there is none, or the gateway does not answer.
    """
    if payment.gateway != "stripe" or payment.gateway_ref is None:
        return None
    try:
        found = find_gateway(payment.gateway).find(
            key=payment_key(payment.id), reference=payment.gateway_ref
        )
    except (GatewayTimeout, GatewayRefusal):
        return None
    return found.client_secret if found is not None else None


def get_payment(reader: Caller, payment_id: int) -> Payment:
    """Give a payment of the reader's own; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    payment = db.session.get(Payment, payment_id)
    if payment is None or (payment.user_id != reader.id and not reader.has_role("admin")):
        raise NotFound(f"There is no payment {payment_id}.")
    return payment


def get_payment_to_answer(reader: Caller, payment_id: int) -> Payment:
    """Give a payment that the reader made, or took in cash; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    payment = db.session.get(Payment, payment_id)
    if payment is not None and payment.taken_by == reader.id:
        return payment
    return get_payment(reader, payment_id)


def code_of(payment: Payment) -> str:
    """Give the code of the reservation that a payment is for."""
    return db.session.scalars(
        select(Reservation.code).where(Reservation.id == payment.reservation_id)
    ).one()


def list_payments(
    filters: PaymentFilters, *, limit: int, before_id: int | None = None
) -> tuple[list[tuple[Payment, str]], int | None, int]:
    """Give a page of payments with their reservations' codes, newest first; where the next begins; and how many."""
    wanted = matching(filters)
    statement = (
        select(Payment, Reservation.code)
        .join(Reservation, Reservation.id == Payment.reservation_id)
        .where(*wanted)
    )
    total = db.session.scalar(
        select(func.count())
        .select_from(Payment)
        .join(Reservation, Reservation.id == Payment.reservation_id)
        .where(*wanted)
    )
    if before_id is not None:
        statement = statement.where(Payment.id < before_id)
    page = [
        (payment, code)
        for payment, code in db.session.execute(
            statement.order_by(Payment.id.desc()).limit(limit + 1)
        )
    ]
    following = page[limit - 1][0].id if len(page) > limit else None
    return page[:limit], following, total or 0


def decide_review(admin: Caller, payment_id: int, *, decision: str) -> Payment:
    """Accept a payment whose amount was not what we asked for, or return it.

    Accepted, it pays as much as came; what is more than was due goes back, and so does all of it when
    nothing is left to pay.

    Raises:
        NotFound: there is no such payment.
        IllegalTransition: it waits for no decision.

    """
    found = db.session.get(Payment, payment_id)
    if found is None:
        raise NotFound(f"There is no payment {payment_id}.")
    claims.sweep_before_revival(found.reservation_id)
    payment = db.session.get_one(Payment, payment_id, populate_existing=True, with_for_update=True)
    if payment.review_reason != "amount_mismatch" or payment.received_minor is None:
        raise IllegalTransition("This payment waits for no decision.", status_now=payment.status)
    asked, received = payment.amount_minor, payment.received_minor
    record(
        f"payment.{'accepted' if decision == 'accept' else 'returned'}",
        "payment",
        payment_id,
        actor_id=admin.id,
        before={"status": payment.status, "amount_minor": asked},
        after={"amount_minor": received},
    )
    if decision == "return" or not _take_up(payment, amount_minor=received):
        # Where another one paid meanwhile, this one is no charge but money to give back.
        _take_in_to_return(payment, received)
        return payment
    if _use(payment) and received > asked:
        refunds.promise(
            payment,
            received - asked,
            cause="no_use",
            key=f"surplus:{payment.reservation_id}",
        )
    return payment


def reconcile() -> int:
    """Ask the gateways about payments left undecided, and give back what is of no use; count both."""
    now = clock.now()
    with transaction(read_only=True):
        undecided = list(
            db.session.scalars(
                select(Payment)
                .where(
                    or_(
                        and_(
                            or_(Payment.status == "pending", Payment.review_reason == "no_use"),
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
            settled = _return(payment.id) if payment.status == "review" else _look_up(payment)
            decided += settled.status not in _UNDER_WAY
        except GatewayTimeout:
            logger.warning("The gateway does not answer about payment %s", payment.id)
        except Exception:
            # One poisonous payment must not keep the others waiting.
            logger.exception("Payment %s cannot be reconciled", payment.id)
    return decided


def learn(payment: Payment) -> Payment:
    """Ask the gateway what became of a payment, whatever we hold of it; an open challenge stays open.

    Raises:
        GatewayTimeout: it does not answer.

    """
    outcome = find_gateway(payment.gateway).find(
        key=payment_key(payment.id), reference=payment.gateway_ref
    )
    if outcome is None or outcome.status not in {"succeeded", "failed"}:
        return payment
    return _settle(payment.id, outcome)


def _check_offered(method: str) -> None:
    if method not in settings().payment_gateways:
        sentence = "This way to pay is not offered here."
        raise InvalidInput(sentence, errors={"method": [sentence]})


def _check_own(driver: Caller, reservation: Reservation | None, reservation_id: int) -> None:
    if reservation is None or reservation.user_id != driver.id:
        raise NotFound(f"There is no reservation {reservation_id}.")


def _begin(reservation_id: int, *, gateway: str) -> tuple[Payment, Order]:
    # Looked at once nobody else can decide it: what was paid meanwhile is paid, not expired.
    claims.lock_claim(reservation_id)
    reservation = db.session.get_one(Reservation, reservation_id, populate_existing=True)
    ((_, (amount_minor, quote_id, purpose)),) = price_to_pay.send(
        None, reservation_id=reservation_id
    )
    if purpose == _BOOKING:
        payment_started.send(None, reservation_id=reservation_id)
    payment = Payment(
        reservation_id=reservation.id,
        user_id=reservation.user_id,
        quote_id=quote_id,
        purpose=purpose,
        gateway=gateway,
        amount_minor=amount_minor,
        currency=reservation.currency,
        status="pending",
        created_at=clock.now(),
    )
    db.session.add(payment)
    # Meets uq_payments_one_charge, and gives the id that the gateway will know it by.
    db.session.flush()
    return payment, Order(
        key=payment_key(payment.id),
        amount_minor=amount_minor,
        currency=payment.currency,
        code=reservation.code,
    )


def _check_hold(reservation: Reservation) -> None:
    deadline = reservation.hold_expires_at
    if reservation.status == "held" and deadline is not None and deadline > clock.now():
        return
    if reservation.status in {"held", "expired"}:
        raise HoldExpired("The time to pay for this booking is over.")
    raise IllegalTransition("This booking is no hold any more.", status_now=reservation.status)


@contextmanager
def _one_at_a_time(reservation_id: int) -> Iterator[None]:
    """Say which it is when another payment of the reservation stands in the way."""
    try:
        yield
    except IntegrityError as error:
        if violates(error, "uq_payments_one_charge") or violates(
            error, "uq_payments_one_under_way"
        ):
            raise _charged_already(reservation_id) from error
        raise


def _charged_already(reservation_id: int) -> AlreadyPaid | PaymentInProgress:
    with transaction(read_only=True):
        under_way = db.session.scalar(
            select(Payment.id).where(
                Payment.reservation_id == reservation_id, Payment.status.in_(_UNDER_WAY)
            )
        )
    if under_way is None:
        return AlreadyPaid("Nothing is due on this booking.")
    return PaymentInProgress("Another payment of this booking is under way.", retry_after=5)


def _settle_the_undecided(reservation_id: int) -> None:
    """Clear the way for a new try: give up a challenge left open, and learn what an old timeout became."""
    with transaction(read_only=True):
        payment = db.session.scalar(
            select(Payment).where(
                Payment.reservation_id == reservation_id, Payment.status.in_(_UNDER_WAY)
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
    gateway = find_gateway(payment.gateway)
    if payment.status == "requires_action" and payment.gateway_ref is not None:
        return _settle(payment.id, gateway.cancel(payment.gateway_ref))
    outcome = gateway.find(key=payment_key(payment.id), reference=payment.gateway_ref)
    if outcome is not None and outcome.status == "requires_action":
        outcome = gateway.cancel(outcome.reference)
    return _settle(
        payment.id, outcome or Outcome(reference="", status="failed", failure="never_arrived")
    )


def _keep_reference(payment_id: int, reference: str) -> None:
    with independently():
        db.session.execute(
            update(Payment)
            .where(Payment.id == payment_id, Payment.status.in_(_UNDER_WAY))
            .values(gateway_ref=reference)
        )


def _settle(payment_id: int, outcome: Outcome, *, finish: Finish | None = None) -> Payment:
    """Write down what the gateway said, once, with all that follows from it."""
    with transaction():
        # Who wants the bay locks its claim first; so does whoever pays for it.
        payment = db.session.get_one(Payment, payment_id)
        if outcome.status == "succeeded":
            claims.sweep_before_revival(payment.reservation_id)
        else:
            claims.lock_claim(payment.reservation_id)
        asked = payment.amount_minor
        differs = outcome.status == "succeeded" and outcome.amount_minor not in {None, asked}
        decided = db.session.execute(
            update(Payment)
            .where(Payment.id == payment_id, Payment.status.in_(_UNDER_WAY))
            .values(
                status="review" if differs else outcome.status,
                review_reason="amount_mismatch" if differs else None,
                received_minor=outcome.amount_minor if differs else None,
                gateway_ref=outcome.reference or Payment.gateway_ref,
                failure=outcome.failure,
                settled_at=clock.now() if outcome.status in {"succeeded", "failed"} else None,
            )
            .returning(Payment.id)
            .execution_options(synchronize_session=False)
        ).first()
        db.session.refresh(payment)
        if decided is None:
            if outcome.status == "succeeded" and payment.status == "failed":
                _settle_late(payment, outcome, differs=differs)
        elif outcome.status == "succeeded" and not differs:
            _use(payment)
        elif outcome.status == "failed":
            payment_failed.send(None, reservation_id=payment.reservation_id)
        if finish is not None:
            finish(payment)
    return payment


def _settle_late(payment: Payment, outcome: Outcome, *, differs: bool) -> None:
    """Take up a payment that was given up before its money arrived: use it if it still can be, else return it."""
    payment.gateway_ref = outcome.reference
    payment.failure, payment.settled_at = None, clock.now()
    if differs:
        payment.status, payment.review_reason = "review", "amount_mismatch"
        payment.received_minor = outcome.amount_minor
    elif _take_up(payment, amount_minor=payment.amount_minor):
        _use(payment)
    else:
        _take_in_to_return(payment, payment.amount_minor)


def _take_up(payment: Payment, *, amount_minor: int) -> bool:
    """Let a payment count as the one of its purpose; False when there is another."""
    savepoint = db.session.begin_nested()
    try:
        payment.status, payment.review_reason = "succeeded", None
        payment.amount_minor = amount_minor
        db.session.flush()  # meets uq_payments_one_charge
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, "uq_payments_one_charge"):
            return False
        raise
    savepoint.commit()
    return True


def _take_in_to_return(payment: Payment, amount_minor: int) -> None:
    """Put a payment that came besides another under review: what of it goes back is promised by itself."""
    db.session.refresh(payment)
    payment.status, payment.review_reason = "review", "no_use"
    payment.amount_minor = amount_minor
    db.session.flush()  # the statements of what follows read it
    _promise_return(payment)


def _use(payment: Payment) -> bool:
    """Book money that arrived, and do with it what it is for; what is of no use is promised back."""
    ledger.book_payment(payment)
    answers = payment_settled.send(None, payment=payment)
    if not any(used for _, used in answers):
        refunds.return_useless(payment)
        return False
    receipt = issue_receipt(payment)
    if payment.purpose != _BOOKING:
        _tell_of_receipt(payment, receipt_number(receipt))
    return True


def _return(payment_id: int) -> Payment:
    """Promise a payment back that lies under review since it is of no use."""
    with transaction():
        payment = db.session.get_one(Payment, payment_id)
        claims.lock_claim(payment.reservation_id)
        db.session.refresh(payment, with_for_update=True)
        if payment.review_reason == "no_use":
            _promise_return(payment)
    return payment


def _promise_return(payment: Payment) -> None:
    ledger.book_payment(payment)
    refunds.return_useless(payment)


def _tell_of_receipt(payment: Payment, number: str) -> None:
    row = db.session.execute(
        select(User, Reservation, Lot)
        .join(Reservation, Reservation.user_id == User.id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .where(Reservation.id == payment.reservation_id)
    ).first()
    if row is None:
        # A walk-in left no address.
        return
    user, reservation, lot = row
    notify(
        user.id,
        "receipt",
        key=f"receipt:{payment.id}",
        kind="money",
        link=f"/bookings/{reservation.id}",
        context={
            "payment_id": payment.id,
            "name": user.name,
            "code": reservation.code,
            "lot": lot.name,
            "amount": format_money(payment.amount_minor, payment.currency),
            "receipt": number,
        },
    )


def matching(filters: PaymentFilters) -> list[ColumnElement[bool]]:
    """Give the conditions on payments, joined with their reservations, that match."""
    exactly = {
        Payment.user_id: filters.user_id,
        Payment.reservation_id: filters.reservation_id,
        Payment.status: filters.status,
        Payment.gateway: filters.method,
        Reservation.lot_id: filters.lot_id,
        Reservation.code: filters.code,
    }
    wanted = [column == value for column, value in exactly.items() if value is not None]
    if filters.since is not None:
        wanted.append(Payment.created_at >= filters.since)
    if filters.until is not None:
        wanted.append(Payment.created_at < filters.until)
    return wanted
