"""The sandbox bank: four test cards, books of its own, and no money.

It behaves as a gateway across a network would: it remembers each charge under its key, forgets every
card number, and one of its cards never gets an answer.
"""

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.database import violates
from backend.extensions import db
from backend.models import SandboxIntent
from backend.payments.gateway import (
    Card,
    GatewayRefusal,
    GatewayTimeout,
    Means,
    Order,
    Outcome,
)
from backend.transaction import transaction

CHALLENGE_CODE = "123456"
"""What the bank's challenge wants to hear."""

TIMES_OUT = "4000000000000341"

_OUTCOMES = {
    "4242424242424242": ("succeeded", None),
    "4000000000000002": ("failed", "card_declined"),
    "4000002500003155": ("requires_action", None),
    # The bank never took the money, but its answer never comes: the caller learns it by asking later.
    TIMES_OUT: ("failed", "no_answer"),
}

CARDS = tuple(_OUTCOMES)


class SandboxGateway:
    """The gateway of development and demonstrations."""

    def open(self, order: Order) -> str | None:  # noqa: ARG002 - part of every gateway
        """Do nothing: it knows a charge by its key."""
        return None

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        """Charge a test card; numbers that are none are declined."""
        known = self.find(key=order.key, reference=reference)
        if known is not None:
            return known
        card = means if isinstance(means, Card) else Card("", None, None)
        status, failure = _OUTCOMES.get(card.number, ("failed", "unknown_card"))
        if status != "failed" and _has_expired(card.expiry, clock.now()):
            status, failure = "failed", "card_expired"
        intent = SandboxIntent(
            id=f"sbx_{secrets.token_hex(12)}",
            idempotency_key=order.key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            status=status,
            failure=failure,
            created_at=clock.now(),
        )
        try:
            with transaction():
                db.session.add(intent)
        except IntegrityError as error:
            found = self.find(key=order.key, reference=None)
            if violates(error, "uq_sandbox_intents_key") and found is not None:
                return found
            raise
        if card.number == TIMES_OUT:
            raise GatewayTimeout
        return _outcome(intent)

    def confirm(self, reference: str, *, code: str | None) -> Outcome:
        """Settle a challenged charge: the right code pays, another declines."""
        passed = secrets.compare_digest((code or "").encode(), CHALLENGE_CODE.encode())
        return self._decide(
            reference,
            status="succeeded" if passed else "failed",
            failure=None if passed else "challenge_failed",
        )

    def cancel(self, reference: str) -> Outcome:
        """Give up a challenged charge."""
        return self._decide(reference, status="failed", failure="abandoned")

    def find(self, *, key: str, reference: str | None) -> Outcome | None:  # noqa: ARG002 - part of every gateway
        """Look a charge up by its key."""
        with transaction(read_only=True):
            intent = db.session.scalar(
                select(SandboxIntent).where(SandboxIntent.idempotency_key == key)
            )
        return _outcome(intent) if intent else None

    def refund(self, reference: str, *, amount_minor: int, key: str) -> str | None:
        """Give money back, for each key once and never more than was taken."""
        with transaction():
            intent = db.session.scalar(
                select(SandboxIntent).where(SandboxIntent.id == reference).with_for_update()
            )
            if intent is None or intent.status != "succeeded":
                raise GatewayRefusal("No such charge was made.")
            if key not in intent.refunds:
                if intent.refunded_minor + amount_minor > intent.amount_minor:
                    raise GatewayRefusal("More would go back than was taken.")
                intent.refunds = intent.refunds | {key: amount_minor}
                intent.refunded_minor += amount_minor
        return f"{reference}:{key}"

    def _decide(self, reference: str, *, status: str, failure: str | None) -> Outcome:
        with transaction():
            db.session.execute(
                update(SandboxIntent)
                .where(SandboxIntent.id == reference, SandboxIntent.status == "requires_action")
                .values(status=status, failure=failure)
            )
            intent = db.session.get_one(SandboxIntent, reference)
        return _outcome(intent)


def _outcome(intent: SandboxIntent) -> Outcome:
    return Outcome(
        reference=intent.id,
        status=intent.status,  # type: ignore[arg-type] # held by the table's check
        failure=intent.failure,
        amount_minor=intent.amount_minor,
    )


def _has_expired(expiry: str | None, now: datetime) -> bool:
    """Tell whether ``MM/YY`` lies in the past; a card that tells nothing is taken as valid."""
    if not expiry:
        return False
    month, year = expiry.split("/")
    return (2000 + int(year), int(month)) < (now.year, now.month)
