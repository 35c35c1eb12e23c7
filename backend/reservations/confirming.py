"""From a hold to a booking: what happens when money comes, fails to come, or comes too late."""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.database import violates
from backend.errors import HoldExpired
from backend.extensions import db
from backend.models import Payment, Reservation
from backend.models.reservation import PLATE_OVERLAP
from backend.notifications.telling import notify
from backend.payments.receipts import issue_receipt, receipt_number
from backend.reservations.history import note
from backend.reservations.ticket import ticket_context
from backend.signals import availability_changed
from backend.transaction import after_commit

_LONGEST_HOLD = timedelta(minutes=25)
_STARTED, _FAILED, WISHED = 1, 2, 4


def extend_hold(reservation_id: int, *, minutes: int, reason: int) -> None:
    """Give a hold more time, once for each reason and never past 25 minutes in all.

    The claim is locked before the reservation is read, so that two reasons at once both count.

    Raises:
        HoldExpired: its deadline is past.

    """
    claims.lock_claim(reservation_id)
    reservation = db.session.execute(
        select(
            Reservation.created_at, Reservation.hold_expires_at, Reservation.hold_extended_by
        ).where(Reservation.id == reservation_id)
    ).one()
    deadline = reservation.hold_expires_at
    if not reservation.hold_extended_by & reason:
        latest = max(reservation.created_at + _LONGEST_HOLD, deadline)
        deadline = min(deadline + timedelta(minutes=minutes), latest)
    if not claims.prolong_claim(reservation_id, expires_at=deadline):
        raise HoldExpired("The time to pay for this booking is over.")
    db.session.execute(
        update(Reservation)
        .where(Reservation.id == reservation_id)
        .values(
            hold_expires_at=deadline,
            hold_extended_by=Reservation.hold_extended_by.bitwise_or(reason),
        )
    )


def on_payment_started(_sender: Any, *, reservation_id: int) -> None:
    """Give the one who starts to pay for a hold five minutes more."""
    if _is_held(reservation_id):
        extend_hold(reservation_id, minutes=5, reason=_STARTED)


def on_payment_failed(_sender: Any, *, reservation_id: int) -> None:
    """Give the one whose card was refused ten minutes more, if the hold still stands."""
    if not _is_held(reservation_id):
        return
    try:
        extend_hold(reservation_id, minutes=10, reason=_FAILED)
    except HoldExpired:
        return


def _is_held(reservation_id: int) -> bool:
    return (
        db.session.scalar(select(Reservation.status).where(Reservation.id == reservation_id))
        == "held"
    )


def on_payment_settled(_sender: Any, *, payment: Payment) -> bool:
    """Confirm the reservation that was paid, with receipt and ticket; tell whether the money had a use.

    When it came after the hold was gone, the bay is taken again if nobody has it; else the money goes back.
    What is paid later, for a longer stay, has a receipt and no other ticket, and a debt is gone with it.
    The sender has locked the claim.
    """
    if payment.purpose != "booking":
        return _settle_due(payment)
    reservation = db.session.get_one(Reservation, payment.reservation_id)
    confirmed = _confirm(reservation, "held") if claims.keep_claim(reservation.id) else False
    if not confirmed and not _confirm_late(reservation):
        return False
    queue_ticket(reservation.id, receipt=receipt_number(issue_receipt(payment)))
    _note_payment(payment)
    after_commit(availability_changed.send, None, lot_id=reservation.lot_id)
    return True


def _settle_due(payment: Payment) -> bool:
    """Take what was due; of no use is what comes when the booking was cancelled, or owes nothing any more."""
    live = db.session.execute(
        update(Reservation)
        .where(
            Reservation.id == payment.reservation_id,
            or_(
                Reservation.status.in_(("confirmed", "checked_in", "overstayed")),
                and_(Reservation.status == "completed", Reservation.debt_minor > 0),
            ),
        )
        .values(
            debt_minor=case(
                (
                    Reservation.debt_minor > payment.amount_minor,
                    Reservation.debt_minor - payment.amount_minor,
                ),
                else_=0,
            )
        )
        .returning(Reservation.id),
        execution_options={"synchronize_session": False},
    ).first()
    if live is None:
        return False
    issue_receipt(payment)
    _note_payment(payment)
    return True


def _note_payment(payment: Payment) -> None:
    note(
        payment.reservation_id,
        "paid",
        actor_id=payment.taken_by or payment.user_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.gateway,
    )


def _confirm(reservation: Reservation, *from_statuses: str) -> bool:
    return (
        db.session.execute(
            update(Reservation)
            .where(Reservation.id == reservation.id, Reservation.status.in_(from_statuses))
            .values(status="confirmed", live=True, confirmed_at=clock.now(), ended_at=None)
            .returning(Reservation.id)
        ).first()
        is not None
    )


def _confirm_late(reservation: Reservation) -> bool:
    # A hold that the driver cancelled is not taken again; one that ran out is, while its window lasts.
    status = db.session.scalar(
        select(Reservation.status).where(Reservation.id == reservation.id).with_for_update()
    )
    if status not in {"held", "expired"} or reservation.ends_at <= clock.now():
        return False
    savepoint = db.session.begin_nested()
    try:
        taken = claims.revive_claim(reservation.id) and _confirm(reservation, "held", "expired")
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, PLATE_OVERLAP):
            return False
        raise
    if not taken:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def queue_ticket(reservation_id: int, *, receipt: str | None = None) -> None:
    """Promise the ticket, in the transaction that confirms the reservation."""
    user_id, context = ticket_context(reservation_id, receipt=receipt)
    notify(
        user_id,
        "ticket",
        key=f"ticket:{reservation_id}",
        kind="money",
        context=context,
        link=f"/bookings/{reservation_id}",
    )
