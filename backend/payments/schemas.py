"""Payments as JSON."""

import re
from typing import Any

from marshmallow import ValidationError

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
}


class CardNumber(fields.Text):
    """A card's number, however it is spaced."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=12, max=29, metadata={"example": "4242424242424242"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        number = re.sub(r"[ -]", "", super()._deserialize(value, attr, data, **kwargs))
        if not re.fullmatch(r"[0-9]{12,19}", number):
            raise ValidationError("A card number has 12 to 19 digits.")
        return number


class PaymentCreate(Schema):
    """How to pay. The card is passed on to the gateway and never stored."""

    method = fields.Choice("sandbox", required=True)
    card_number = CardNumber(required=True)
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


def _check_pattern(text: str, pattern: str, example: str) -> None:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValidationError(f"This must look like {example}.")


class PaymentQuery(PageQuery):
    """Which payments to list."""

    reservation_id = fields.Id()


class PaymentConfirm(Schema):
    """The code with which the bank's challenge is answered."""

    code = fields.Text(min=1, max=12, required=True)


class FailureSchema(Schema):
    """Why no money came."""

    code = fields.Choice(*FAILURES)
    message = fields.Text()


class PaymentSchema(Schema):
    """One attempt to pay."""

    id = fields.Id()
    reservation_id = fields.Id()
    method = fields.Choice("sandbox", attribute="gateway")
    status = fields.Choice(*STATUSES)
    amount_minor = fields.Money()
    refunded_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    client_secret = fields.Constant(
        None,
        metadata={
            "type": "null",
            "description": "Null here: the sandbox's challenge is answered by its code.",
        },
    )
    failure = fields.Nested(FailureSchema, allow_none=True, attribute="failure_told")
    created_at = fields.Instant()
    settled_at = fields.Instant(allow_none=True)
    receipt_number = fields.Text(allow_none=True)
