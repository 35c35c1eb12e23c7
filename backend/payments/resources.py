"""Payments over HTTP."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response

from backend.errors import (
    AlreadyPaid,
    HoldExpired,
    IllegalTransition,
    NotFound,
    PaymentInProgress,
)
from backend.models import Payment
from backend.payments import receipts, service
from backend.payments.gateway import Card
from backend.payments.receipt_pdf import draw_receipt
from backend.payments.schemas import (
    FAILURES,
    PaymentConfirm,
    PaymentCreate,
    PaymentQuery,
    PaymentSchema,
)
from backend.transaction import transaction
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("payments", __name__)


@api.resource("/reservations/<id:reservation_id>/payments")
class ReservationPayments(Resource):
    """Paying for a reservation."""

    @operation(
        roles=("driver",),
        body=PaymentCreate(),
        response=PaymentSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
        transaction=False,
        raises=(NotFound, HoldExpired, AlreadyPaid, IllegalTransition, PaymentInProgress),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Pay for a booking.

        The answer tells what became of it. `failed`: try another card. `requires_action`: the bank
        asks for a code; send it to `/payments/{id}/confirm`. `pending`: the bank has not answered
        yet, and the payment shows later whether it did.
        """
        card = Card(number=body["card_number"], expiry=body["expiry"], cvc=body["cvc"])
        facts: dict[str, Any] = {}
        payment = service.pay(caller(), reservation_id, card=card, finish=_remember_in(facts))
        return _represent(payment, facts)

    def replay(self, facts: dict[str, Any], reservation_id: int) -> dict[str, Any]:  # noqa: ARG002 - part of the path
        """Answer again as the payment was answered."""
        payment = service.get_payment(caller(), facts["id"])
        return _represent(payment, facts)


@api.resource("/payments")
class PaymentList(Resource):
    """Payments."""

    @operation(roles=("driver",), query=PaymentQuery(), response=page_schema(PaymentSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List the caller's payments, newest first; of one reservation where it is named."""
        before = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        payments, following, total = service.list_payments(
            caller(),
            limit=query["limit"],
            before_id=before,
            reservation_id=query.get("reservation_id"),
        )
        numbers = receipts.numbers_of([payment.id for payment in payments])
        return Page(
            items=[_represent(payment, _facts(payment, numbers)) for payment in payments],
            next_cursor=write_cursor(following) if following else None,
            total=total,
        )


@api.resource("/payments/<id:payment_id>")
class PaymentDetail(Resource):
    """One payment."""

    @operation(roles=("driver", "admin"), response=PaymentSchema(), raises=(NotFound,))
    def get(self, payment_id: int) -> dict[str, Any]:
        """Show a payment."""
        payment = service.get_payment(caller(), payment_id)
        return _represent(payment, _facts(payment))


@api.resource("/payments/<id:payment_id>/confirm")
class PaymentConfirmation(Resource):
    """Answering the bank's challenge."""

    @operation(
        roles=("driver",),
        body=PaymentConfirm(),
        response=PaymentSchema(),
        idempotent=True,
        transaction=False,
        raises=(NotFound, IllegalTransition, HoldExpired, PaymentInProgress),
    )
    def post(self, payment_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Answer the bank's challenge. The sandbox wants to hear 123456."""
        facts: dict[str, Any] = {}
        payment = service.confirm(
            caller(), payment_id, code=body["code"], finish=_remember_in(facts)
        )
        return _represent(payment, facts)

    def replay(self, facts: dict[str, Any], payment_id: int) -> dict[str, Any]:
        """Answer again as the code was answered."""
        return _represent(service.get_payment(caller(), payment_id), facts)


@api.resource("/payments/<id:payment_id>/receipt.pdf")
class PaymentReceipt(Resource):
    """The receipt of a payment."""

    @operation(
        roles=("driver", "admin"),
        media_type="application/pdf",
        transaction=False,
        raises=(NotFound,),
    )
    def get(self, payment_id: int) -> Response:
        """Give the receipt of a payment, as PDF."""
        with transaction(read_only=True):
            receipt = receipts.get_receipt(caller(), payment_id)
        number = receipts.receipt_number(receipt)
        answer = Response(
            draw_receipt(receipt.content, number=number, issued_at=receipt.issued_at),
            mimetype="application/pdf",
        )
        answer.headers["Content-Disposition"] = f'inline; filename="receipt-{number}.pdf"'
        return answer


def _remember_in(facts: dict[str, Any]) -> Callable[[Payment], None]:
    """Take down in ``facts`` what became of a payment, in the transaction that decides it."""

    def finish(payment: Payment) -> None:
        facts.update(_facts(payment))
        remember(**facts)

    return finish


def _facts(payment: Payment, numbers: dict[int, str] | None = None) -> dict[str, Any]:
    """Take down what changes about a payment, so that a repeated request is answered as the first was."""
    if numbers is None:
        numbers = receipts.numbers_of([payment.id])
    return {
        "id": payment.id,
        "status": payment.status,
        "refunded_minor": payment.refunded_minor,
        "failure": payment.failure,
        "settled_at": payment.settled_at.isoformat() if payment.settled_at else None,
        "receipt_number": numbers.get(payment.id),
    }


def _represent(payment: Payment, facts: dict[str, Any]) -> dict[str, Any]:
    failure, settled_at = facts["failure"], facts["settled_at"]
    return {
        "id": payment.id,
        "reservation_id": payment.reservation_id,
        "gateway": payment.gateway,
        "status": facts["status"],
        "amount_minor": payment.amount_minor,
        "refunded_minor": facts["refunded_minor"],
        "currency": payment.currency,
        "failure_told": {"code": failure, "message": FAILURES[failure]} if failure else None,
        "created_at": payment.created_at,
        "settled_at": datetime.fromisoformat(settled_at) if settled_at else None,
        "receipt_number": facts["receipt_number"],
    }
