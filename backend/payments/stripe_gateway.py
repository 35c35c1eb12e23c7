"""Stripe, through its own library.

A charge is a payment intent, made first and confirmed after its id is kept: what was not confirmed takes no
money, so a process that dies between the two leaves nothing behind that could be charged. Cards are typed into
Stripe's own form in the driver's browser, and never come here.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import stripe
from stripe import PaymentIntent, StripeClient
from stripe.params import PaymentIntentConfirmParams

from backend.payments.gateway import (
    GatewayRefusal,
    GatewayTimeout,
    Means,
    Order,
    Outcome,
    PaymentMethod,
)

logger = logging.getLogger(__name__)

_SECONDS = 4.0
_ON_ITS_WAY = "processing"
_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
# What a bank says most, in our own words; the rest is a card that was declined.
_FAILURES = {
    "expired_card": "card_expired",
    "payment_intent_authentication_failure": "challenge_failed",
}


@cache
def connect_stripe(secret_key: str, api_base: str) -> "StripeGateway":
    """Give the gateway of this account, with its connections."""
    return StripeGateway(
        StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            # Whoever waits is told to try again; what is asked once more carries its key.
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=_SECONDS),
        )
    )


class StripeGateway:
    """Cards and whatever else the account at Stripe takes."""

    def __init__(self, client: StripeClient) -> None:
        self._intents = client.v1.payment_intents
        self._refunds = client.v1.refunds

    def open(self, order: Order) -> str | None:
        """Make the payment intent."""
        with _answering():
            return self._intents.create(
                {
                    "amount": order.amount_minor,
                    "currency": order.currency.lower(),
                    "metadata": {"reservation": order.code, "payment": order.key},
                },
                {"idempotency_key": order.key},
            ).id

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        """Confirm the intent with a payment method, or hand out the secret with which the browser does."""
        intent_id = reference or self.open(order) or ""
        method = means.id if isinstance(means, PaymentMethod) else None
        if method is None:
            return self._look(intent_id)
        try:
            with _answering():
                self._intents.update(intent_id, {"payment_method": method})
                intent = self._intents.confirm(
                    intent_id,
                    PaymentIntentConfirmParams(),
                    {"idempotency_key": f"{order.key}:confirm"},
                )
        except stripe.CardError as error:
            return self._give_up(
                intent_id, failure=_FAILURES.get(error.code or "", "card_declined")
            )
        except GatewayRefusal:
            return self._give_up(intent_id, failure="not_accepted")
        return _outcome(intent)

    def confirm(self, reference: str, *, code: str | None) -> Outcome:  # noqa: ARG002 - part of every gateway
        """Learn what became of the challenge that the browser answered with Stripe itself."""
        return self._look(reference)

    def cancel(self, reference: str) -> Outcome:
        """Cancel the intent, unless it was paid meanwhile."""
        return self._give_up(reference, failure="abandoned")

    def find(self, *, key: str, reference: str | None) -> Outcome | None:  # noqa: ARG002 - part of every gateway
        """Look the intent up; without a reference none was ever confirmed."""
        return None if reference is None else self._look(reference)

    def refund(self, reference: str, *, amount_minor: int, key: str) -> str | None:
        """Refund a part of the intent, unless that was done before under the same key."""
        with _answering():
            # Stripe forgets idempotency keys after a day, and refunds are tried for longer.
            for made in self._refunds.list({"payment_intent": reference, "limit": 100}).data:
                told = made.to_dict().get("metadata") or {}
                if told.get("refund") == key and made.status not in {"failed", "canceled"}:
                    return made.id
            try:
                return self._refunds.create(
                    {
                        "payment_intent": reference,
                        "amount": amount_minor,
                        "metadata": {"refund": key},
                    },
                    {"idempotency_key": key},
                ).id
            except stripe.CardError as error:
                raise GatewayRefusal(str(error)) from error

    def _look(self, reference: str) -> Outcome:
        with _answering():
            return _outcome(self._intents.retrieve(reference))

    def _give_up(self, reference: str, *, failure: str) -> Outcome:
        """Cancel an intent, so that nobody can pay it any more; else tell what became of it."""
        try:
            with _answering():
                self._intents.cancel(reference)
        except GatewayRefusal:
            found = self._look(reference)
            if found.status != "requires_action":
                return found
        return Outcome(reference=reference, status="failed", failure=failure)


@contextmanager
def _answering() -> Iterator[None]:
    """Tell a gateway that is away from one that says no; a declined card is the caller's to read."""
    try:
        yield
    except stripe.CardError:
        raise
    except (
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        logger.warning("Stripe refuses: %s", error.user_message or type(error).__name__)
        raise GatewayRefusal(error.user_message or type(error).__name__) from error
    except stripe.StripeError as error:
        raise GatewayTimeout from error


def _outcome(intent: PaymentIntent) -> Outcome:
    if intent.status == "succeeded":
        # What came in: less than was asked for where a bank paid a part.
        received = getattr(intent, "amount_received", None) or intent.amount
        return Outcome(reference=intent.id, status="succeeded", amount_minor=received)
    if intent.status == _ON_ITS_WAY:
        return Outcome(reference=intent.id, status="pending")
    if intent.status in _WAITING:
        return Outcome(
            reference=intent.id, status="requires_action", client_secret=intent.client_secret
        )
    return Outcome(reference=intent.id, status="failed", failure="abandoned")
