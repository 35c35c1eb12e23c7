"""Payments, refunds, their documents, the books, and what gateways tell, over HTTP."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, request

from backend.errors import (
    AlreadyPaid,
    HoldExpired,
    IllegalTransition,
    InvalidInput,
    InvalidSignature,
    NotFound,
    PaymentInProgress,
    RefundExceedsPayment,
)
from backend.models import Payment, Receipt, Refund
from backend.payments import ledger, receipts, refunds, service, webhooks
from backend.payments.gateway import Card, PaymentMethod
from backend.payments.schemas import (
    FAILURES,
    DocumentCheckSchema,
    DocumentQuery,
    LedgerBalanceListSchema,
    LedgerEntrySchema,
    LedgerQuery,
    PaymentConfirm,
    PaymentCreate,
    PaymentQuery,
    PaymentReviewCreate,
    PaymentSchema,
    RefundCreate,
    RefundListSchema,
    RefundSchema,
    WebhookCreate,
    WebhookSchema,
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
        roles=("driver", "attendant", "admin"),
        body=PaymentCreate(),
        response=PaymentSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
        transaction=False,
        raises=(
            NotFound,
            HoldExpired,
            AlreadyPaid,
            IllegalTransition,
            InvalidInput,
            PaymentInProgress,
        ),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Pay what is due on a booking.

        The answer tells what became of it. `failed`: try another card. `requires_action`: the bank
        asks for a code; send it to `/payments/{id}/confirm`, or let Stripe's form answer it with the
        `client_secret`. `pending`: the bank has not answered yet, and the payment shows later whether it
        did. Drivers pay for their own bookings; `cash` is taken by an attendant of the lot or an admin.
        """
        facts: dict[str, Any] = {}
        if body["method"] == ledger.CASH:
            payment = service.take_cash(caller(), reservation_id, finish=_remember_in(facts))
            return _represent(payment, facts)
        means: Card | PaymentMethod = PaymentMethod(body.get("payment_method"))
        if body["method"] == "sandbox":
            means = Card(number=body["card_number"], expiry=body["expiry"], cvc=body["cvc"])
        payment, outcome = service.pay(
            caller(),
            reservation_id,
            method=body["method"],
            means=means,
            finish=_remember_in(facts),
        )
        secret = outcome.client_secret if outcome is not None else None
        return _represent(payment, facts, client_secret=secret)

    def replay(self, facts: dict[str, Any], reservation_id: int) -> dict[str, Any]:  # noqa: ARG002 - part of the path
        """Answer again as the payment was answered."""
        payment = service.get_payment_to_answer(caller(), facts["id"])
        secret = None
        if facts["status"] == "requires_action":
            # It is kept nowhere; this transaction only reads, so it may wait for the gateway.
            secret = service.find_client_secret(payment)
        return _represent(payment, facts, client_secret=secret)


@api.resource("/payments")
class PaymentList(Resource):
    """Payments."""

    @operation(roles=("driver", "admin"), query=PaymentQuery(), response=page_schema(PaymentSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List payments, newest first. Drivers see their own; admins see all."""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        if "code" in query:
            query["code"] = _read_code(query["code"])
        if not caller().has_role("admin"):
            query["user_id"] = caller().id
        found, following, total = service.list_payments(
            service.PaymentFilters(**query),
            limit=limit,
            before_id=read_cursor(cursor, int)[0] if cursor else None,
        )
        numbers = receipts.numbers_of([payment.id for payment, _ in found])
        return Page(
            items=[
                _represent(payment, _facts(payment, code=code, numbers=numbers))
                for payment, code in found
            ],
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
        raises=(NotFound, IllegalTransition, InvalidInput, HoldExpired, PaymentInProgress),
    )
    def post(self, payment_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Answer the bank's challenge. The sandbox wants to hear 123456; Stripe heard its own in the browser."""
        facts: dict[str, Any] = {}
        payment, outcome = service.confirm(
            caller(), payment_id, code=body["code"], finish=_remember_in(facts)
        )
        return _represent(payment, facts, client_secret=outcome.client_secret)

    def replay(self, facts: dict[str, Any], payment_id: int) -> dict[str, Any]:
        """Answer again as the code was answered."""
        payment = service.get_payment(caller(), payment_id)
        secret = None
        if facts["status"] == "requires_action":
            secret = service.find_client_secret(payment)
        return _represent(payment, facts, client_secret=secret)


@api.resource("/payments/<id:payment_id>/review")
class PaymentReview(Resource):
    """Deciding about money that was not what was asked for."""

    @operation(
        roles=("admin",),
        body=PaymentReviewCreate(),
        response=PaymentSchema(),
        idempotent=True,
        raises=(NotFound, IllegalTransition),
    )
    def post(self, payment_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Accept a payment of another amount than was asked for, or return it.

        Accepted, it pays as much as came: what is more goes back, what is less stays due.
        """
        payment = service.decide_review(caller(), payment_id, decision=body["decision"])
        facts = _facts(payment)
        remember(**facts)
        return _represent(payment, facts)

    def replay(self, facts: dict[str, Any], payment_id: int) -> dict[str, Any]:
        """Answer again as the decision was answered."""
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
        return _give("receipt", receipt)


@api.resource("/payments/<id:payment_id>/refunds")
class PaymentRefunds(Resource):
    """What goes back of a payment."""

    @operation(roles=("driver", "admin"), response=RefundListSchema(), raises=(NotFound,))
    def get(self, payment_id: int) -> dict[str, Any]:
        """List what went back of a payment, the first foremost."""
        service.get_payment(caller(), payment_id)
        found = refunds.list_refunds(payment_id)
        numbers = refunds.note_numbers_of([refund.id for refund in found])
        return {"items": [_represent_refund(refund, numbers) for refund in found]}

    @operation(
        roles=("admin",),
        body=RefundCreate(),
        response=RefundSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
        raises=(NotFound, IllegalTransition, RefundExceedsPayment),
    )
    def post(self, payment_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Give a part of a payment back, or all that is left of it.

        It is promised at once, with its credit note, and sent to the gateway right after.
        """
        refund = refunds.refund_payment(caller(), payment_id, **body)
        remember(id=refund.id, status=refund.status, settled_at=_write(refund.settled_at))
        return _represent_refund(refund, refunds.note_numbers_of([refund.id]))

    def replay(self, facts: dict[str, Any], payment_id: int) -> dict[str, Any]:  # noqa: ARG002 - part of the path
        """Answer again as the refund was answered."""
        refund = refunds.get_refund(facts["id"])
        return _represent_refund(refund, refunds.note_numbers_of([refund.id])) | {
            "status": facts["status"],
            "settled_at": _read(facts["settled_at"]),
        }


@api.resource("/refunds/<id:refund_id>/credit-note.pdf")
class RefundCreditNote(Resource):
    """The credit note of a refund."""

    @operation(
        roles=("driver", "admin"),
        media_type="application/pdf",
        transaction=False,
        raises=(NotFound,),
    )
    def get(self, refund_id: int) -> Response:
        """Give the credit note of a refund, as PDF."""
        with transaction(read_only=True):
            note = refunds.get_credit_note(caller(), refund_id)
        return _give("credit-note", note)


@api.resource("/receipts/verify")
class ReceiptCheck(Resource):
    """Whether a receipt is genuine."""

    @operation(public=True, query=DocumentQuery(), response=DocumentCheckSchema())
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Tell whether a receipt or a credit note is genuine, by the number and the word of its code."""
        document = receipts.verify(query["number"], query["word"])
        if document is None:
            nothing = dict.fromkeys(DocumentCheckSchema().fields)
            return {**nothing, "genuine": False, "number": query["number"]}
        content = document.content
        return {
            "genuine": True,
            "number": query["number"],
            "kind": "receipt" if isinstance(document, Receipt) else "credit_note",
            "issued_at": document.issued_at,
            "operator": content["operator"]["name"],
            "lot": content["reservation"]["lot"],
            "total_minor": content["total_minor"],
            "tax_minor": content["tax_minor"],
            "currency": content["currency"],
        }


@api.resource("/webhooks/<gateway>")
class Webhook(Resource):
    """What gateways tell by themselves."""

    @operation(
        public=True,
        body=WebhookCreate(),
        response=WebhookSchema(),
        transaction=False,
        raises=(NotFound, InvalidSignature),
    )
    def post(self, gateway: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take an event of a gateway, signed by it as Stripe signs: `Stripe-Signature`, `Sandbox-Signature`.

        Each event has one effect, however often and in whatever order events come; one of a kind that means
        nothing here is kept and answered alike.
        """
        header = webhooks.SIGNATURE_HEADERS.get(gateway, "")
        webhooks.receive(
            gateway,
            body=request.get_data(cache=True),
            signature=request.headers.get(header, ""),
            event=body,
        )
        return {"received": True}


@api.resource("/ledger")
class LedgerEntryList(Resource):
    """The books."""

    @operation(roles=("admin",), query=LedgerQuery(), response=page_schema(LedgerEntrySchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List the entries of the books, the latest foremost."""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        entries, following, total = ledger.list_entries(
            ledger.LedgerFilters(**query),
            limit=limit,
            before_id=read_cursor(cursor, int)[0] if cursor else None,
        )
        return Page(
            items=entries,
            next_cursor=write_cursor(following) if following else None,
            total=total,
        )


@api.resource("/ledger/balances")
class LedgerBalanceList(Resource):
    """What the accounts hold."""

    @operation(roles=("admin",), response=LedgerBalanceListSchema())
    def get(self) -> dict[str, Any]:
        """Add up every account of the books."""
        return {"items": ledger.list_balances()}


def _read_code(written: str) -> str:
    """Read a booking's code however it is written."""
    letters = re.sub("[^0-9A-Z]", "", written.upper()).removeprefix("VV")
    return f"VV-{letters[:4]}-{letters[4:]}"


def _give(name: str, document: receipts.Document) -> Response:
    answer = Response(receipts.draw(document), mimetype="application/pdf")
    number = receipts.document_number(document)
    answer.headers["Content-Disposition"] = f'inline; filename="{name}-{number}.pdf"'
    return answer


def _remember_in(facts: dict[str, Any]) -> Callable[[Payment], None]:
    """Take down in ``facts`` what became of a payment, in the transaction that decides it."""

    def finish(payment: Payment) -> None:
        facts.update(_facts(payment))
        remember(**facts)

    return finish


def _facts(
    payment: Payment, *, code: str | None = None, numbers: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """Take down what changes about a payment, so that a repeated request is answered as the first was."""
    if numbers is None:
        numbers = receipts.numbers_of([payment.id])
    return {
        "id": payment.id,
        "code": code or service.code_of(payment),
        "status": payment.status,
        "amount_minor": payment.amount_minor,
        "refunded_minor": payment.refunded_minor,
        "failure": payment.failure,
        "settled_at": _write(payment.settled_at),
        "receipt_number": numbers.get(payment.id),
        "review_reason": payment.review_reason,
        "received_minor": payment.received_minor,
    }


def _represent(
    payment: Payment, facts: dict[str, Any], *, client_secret: str | None = None
) -> dict[str, Any]:
    failure = facts["failure"]
    return {
        **facts,
        "reservation_id": payment.reservation_id,
        "gateway": payment.gateway,
        "purpose": payment.purpose.partition(":")[0],
        "currency": payment.currency,
        "client_secret": client_secret,
        "failure_told": {"code": failure, "message": FAILURES[failure]} if failure else None,
        "created_at": payment.created_at,
        "settled_at": _read(facts["settled_at"]),
    }


def _represent_refund(refund: Refund, numbers: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "reservation_id": refund.reservation_id,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "status": refund.status,
        "cause": refund.cause,
        "reason": refund.reason,
        "credit_note_number": numbers.get(refund.id),
        "created_at": refund.created_at,
        "settled_at": refund.settled_at,
    }


def _write(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
