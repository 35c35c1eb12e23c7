"""Payments as JSON."""

import re
from typing import Any

import marshmallow
from marshmallow import ValidationError, validates_schema

from backend.config import GATEWAYS
from backend.payments.ledger import ACCOUNTS
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

STATUSES = (
    "pending",
    "requires_action",
    "succeeded",
    "failed",
    "partially_refunded",
    "refunded",
    "review",
)

FAILURES = {
    "card_declined": "The card was declined.",
    "card_expired": "The card has expired.",
    "unknown_card": "The sandbox knows only its test cards, such as 4242 4242 4242 4242.",
    "challenge_failed": "The code of the bank was wrong.",
    "abandoned": "The bank's question was not answered.",
    "no_answer": "The bank did not answer. Nothing was charged.",
    "never_arrived": "The payment never reached the bank. Nothing was charged.",
    "not_accepted": "The bank does not take this payment. Nothing was charged.",
}

CAUSES = (
    "cancelled",
    "operator",
    "rescheduled",
    "no_bay",
    "early_exit",
    "no_use",
    "goodwill",
)


class CardNumber(fields.Text):
    """A card's number, however it is spaced."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min=12,
            max=29,
            metadata={
                "example": "4242424242424242",
                "description": "A test card of the sandbox; no other method takes one here.",
            },
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        number = re.sub(r"[ -]", "", super()._deserialize(value, attr, data, **kwargs))
        if not re.fullmatch(r"[0-9]{12,19}", number):
            raise ValidationError("A card number has 12 to 19 digits.")
        return number


class PaymentCreate(Schema):
    """How to pay. A card is passed on to the gateway and never stored; Stripe's form takes its own."""

    method = fields.Choice(*GATEWAYS, required=True)
    card_number = CardNumber()
    expiry = fields.Text(
        allow_none=True,
        load_default=None,
        max=5,
        metadata={"pattern": "^(0[1-9]|1[0-2])/[0-9]{2}$", "example": "12/30"},
        validate=lambda text: _check_pattern(text, r"(0[1-9]|1[0-2])/[0-9]{2}", "12/30"),
    )
    cvc = fields.Text(
        allow_none=True,
        load_default=None,
        max=4,
        metadata={"pattern": "^[0-9]{3,4}$", "example": "123"},
        validate=lambda text: _check_pattern(text, r"[0-9]{3,4}", "123"),
    )
    payment_method = fields.Text(
        min=1,
        allow_none=True,
        metadata={
            "description": "Of Stripe: what its form in the browser made. Without one, the browser confirms"
            " with the `client_secret`."
        },
    )

    @validates_schema
    def _check_method(self, given: dict[str, Any], **_: Any) -> None:
        is_sandbox = given["method"] == "sandbox"
        if is_sandbox and "card_number" not in given:
            raise ValidationError("This is needed.", "card_number")
        for name in ("card_number", "expiry", "cvc"):
            if not is_sandbox and given.get(name) is not None:
                raise ValidationError("Only the sandbox takes a card here.", name)
        if given["method"] != "stripe" and given.get("payment_method") is not None:
            raise ValidationError("Only Stripe has payment methods.", "payment_method")


def _check_pattern(text: str, pattern: str, example: str) -> None:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValidationError(f"This must look like {example}.")


class PaymentQuery(PageQuery):
    """Which payments to list. Drivers see their own."""

    reservation_id = fields.Id()
    status = fields.Choice(*STATUSES)
    method = fields.Choice(*GATEWAYS)
    lot_id = fields.Id()
    code = fields.Text(min=1, max=20, metadata={"description": "The booking's."})
    since = fields.Instant(
        data_key="from", metadata={"description": "Those begun from this moment on."}
    )
    until = fields.Instant(
        data_key="to", metadata={"description": "Those begun before this moment."}
    )


class PaymentConfirm(Schema):
    """The answer to the bank's challenge."""

    code = fields.Text(
        min=1,
        max=12,
        allow_none=True,
        load_default=None,
        metadata={
            "description": "The sandbox's. Stripe hears its own in the browser, and is asked here what became"
            " of it."
        },
    )


class FailureSchema(Schema):
    """Why no money came."""

    code = fields.Choice(*FAILURES)
    message = fields.Text()


class PaymentSchema(Schema):
    """One attempt to pay."""

    id = fields.Id()
    reservation_id = fields.Id()
    code = fields.Text(metadata={"description": "The booking's."})
    purpose = fields.Choice(
        "booking", "due", metadata={"description": "`due`: what came to be owed later."}
    )
    method = fields.Choice(*GATEWAYS, attribute="gateway")
    status = fields.Choice(*STATUSES)
    amount_minor = fields.Money()
    refunded_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    client_secret = fields.Text(
        allow_none=True,
        metadata={
            "description": "Of Stripe, in the answer to its payment alone: with it the browser answers the bank."
        },
    )
    failure = fields.Nested(FailureSchema, allow_none=True, attribute="failure_told")
    created_at = fields.Instant()
    settled_at = fields.Instant(allow_none=True)
    receipt_number = fields.Text(allow_none=True)
    review_reason = fields.Choice("no_use", "amount_mismatch", allow_none=True)
    received_minor = fields.Money(
        allow_none=True, metadata={"description": "What came, where that was another amount."}
    )


class RefundCreate(Schema):
    """How much goes back, and why."""

    amount_minor = fields.Money(min=1, required=True)
    reason = fields.Text(min=1, max=500, required=True)


class RefundSchema(Schema):
    """Money on its way back, or back."""

    id = fields.Id()
    payment_id = fields.Id()
    reservation_id = fields.Id()
    amount_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    status = fields.Choice("pending", "succeeded", "failed")
    cause = fields.Choice(*CAUSES)
    reason = fields.Text(max=500)
    credit_note_number = fields.Text(allow_none=True)
    created_at = fields.Instant()
    settled_at = fields.Instant(allow_none=True)


class RefundListSchema(Schema):
    """What went back of one payment, the first foremost."""

    items = fields.List(fields.Nested(RefundSchema))


class PaymentReviewCreate(Schema):
    """What becomes of money that was not what we asked for."""

    decision = fields.Choice("accept", "return", required=True)


class WebhookCreate(Schema):
    """An event of a gateway; it may say more than is read here."""

    class Meta:
        """Marshmallow reads it."""

        unknown = marshmallow.INCLUDE

    id = fields.Text(min=1, required=True)
    type = fields.Text(min=1, required=True)


class WebhookSchema(Schema):
    """The event is kept."""

    received = fields.Flag()


class DocumentQuery(Schema):
    """What stands on a receipt or a credit note."""

    number = fields.Text(min=1, max=40, required=True, metadata={"example": "R-2026-000042"})
    word = fields.Text(min=1, max=64, required=True)


class DocumentCheckSchema(Schema):
    """Whether a document is genuine, and what it says then."""

    genuine = fields.Flag()
    number = fields.Text(max=40)
    kind = fields.Choice("receipt", "credit_note", allow_none=True)
    issued_at = fields.Instant(allow_none=True)
    operator = fields.Text(allow_none=True)
    lot = fields.Text(allow_none=True)
    total_minor = fields.Money(allow_none=True)
    tax_minor = fields.Money(min=-fields.INT64_MAX, allow_none=True)
    currency = fields.Text(min=3, max=3, allow_none=True)


class LedgerQuery(PageQuery):
    """Which entries of the books to list."""

    reservation_id = fields.Id()
    account = fields.Choice(*ACCOUNTS)
    since = fields.Instant(data_key="from", metadata={"description": "Booked from then on."})
    until = fields.Instant(data_key="to", metadata={"description": "Booked before then."})


class LedgerEntrySchema(Schema):
    """One side of a movement of money; those of one transaction sum to zero."""

    id = fields.Id()
    transaction_id = fields.Id()
    at = fields.Instant()
    kind = fields.Choice("payment", "refund_promised", "refund_sent")
    account = fields.Choice(*ACCOUNTS)
    amount_minor = fields.Money(min=-fields.INT64_MAX)
    currency = fields.Text(min=3, max=3)
    reservation_id = fields.Id()
    payment_id = fields.Id()
    refund_id = fields.Id(allow_none=True)


class LedgerBalanceSchema(Schema):
    """What an account holds."""

    account = fields.Choice(*ACCOUNTS)
    balance_minor = fields.Money(min=-fields.INT64_MAX)
    currency = fields.Text(min=3, max=3)


class LedgerBalanceListSchema(Schema):
    """Every account that was ever used; all of them sum to zero."""

    items = fields.List(fields.Nested(LedgerBalanceSchema))
