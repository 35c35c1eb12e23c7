"""What gateways tell by themselves: each event is kept once, and then the gateway is asked what became of the charge.

What an event says is never believed but for where to look, so it does not matter in which order they come.
"""

import hashlib
import hmac
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend import clock
from backend.config import settings
from backend.errors import InvalidSignature, NotFound
from backend.extensions import db
from backend.models import Payment, SandboxIntent, WebhookEvent
from backend.payments import service
from backend.payments.gateway import GatewayRefusal, GatewayTimeout
from backend.transaction import independently, transaction

logger = logging.getLogger(__name__)

SIGNATURE_HEADERS = {"sandbox": "Sandbox-Signature", "stripe": "Stripe-Signature"}
"""Where the gateways that tell by themselves sign what they tell."""

_MOST_SKEW_SECONDS = 300
_LONGEST_NAME = 255
_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_MOST_ATTEMPTS = 12
_BATCH = 100
_LONGEST_ERROR = 300


def sign(secret: str, body: bytes, at: datetime) -> str:
    """Sign the body of an event as Stripe does: its time, and a digest of both."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def receive(gateway: str, *, body: bytes, signature: str, event: dict[str, Any]) -> None:
    """Keep an event that a gateway sent, once, and act upon it; one that came before does nothing.

    It opens its own transactions: the event is kept before anything is done, and stays when that fails.

    Raises:
        NotFound: no gateway of this name tells anything.
        InvalidSignature: it is not signed by the gateway, or not within five minutes of now.

    """
    if gateway not in SIGNATURE_HEADERS or gateway not in settings().payment_gateways:
        raise NotFound(f"There is no gateway {gateway}.")
    _check_signature(signature, body, secret=secret_of(gateway))
    kept = _keep(gateway, event)
    if kept is not None:
        take_event(kept)


def take_due_events() -> int:
    """Act upon a batch of events whose time has come, such as those of a process that died; count what is done."""
    with transaction(read_only=True):
        due = list(
            db.session.scalars(
                select(WebhookEvent.id)
                .where(
                    WebhookEvent.status == "received",
                    WebhookEvent.next_attempt_at <= clock.now(),
                )
                .order_by(func.random())
                .limit(_BATCH)
            )
        )
    return sum(map(take_event, due))


def take_event(event_id: int) -> bool:
    """Act upon one event, unless another process is at it; tell whether it is done."""
    event = _claim(event_id)
    if event is None:
        return False
    try:
        known = _act_upon(event)
    except (GatewayTimeout, GatewayRefusal) as error:
        _retry(event, str(error) or "no answer")
        return False
    except Exception as error:
        # One poisonous event must not keep the others waiting.
        logger.exception("Event %s cannot be taken", event.id)
        _retry(event, type(error).__name__)
        return False
    if not known:
        # It may be ahead of what it is about, whose request is still under way.
        _retry(event, "unknown charge")
        return False
    _mark_done(event)
    return True


def secret_of(gateway: str) -> str:
    """Give the secret with which a gateway signs its events."""
    if gateway == "stripe":
        return settings().stripe_webhook_secret
    return settings().sandbox_webhook_secret


def _digest(secret: str, seconds: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()


def _check_signature(signature: str, body: bytes, *, secret: str) -> None:
    """Check a signature by Stripe's scheme, in both directions of time; several digests may stand in it."""
    parts = [part.strip().partition("=") for part in signature.split(",")]
    moments = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v1"]
    if len(moments) != 1 or not moments[0].isascii() or not moments[0].isdigit():
        raise InvalidSignature("The event is not signed.")
    # More digits are no moment of anybody's life.
    seconds = int(moments[0][:10])
    wanted = _digest(secret, seconds, body).encode()
    if not secret or not any(hmac.compare_digest(wanted, each.encode()) for each in digests):
        raise InvalidSignature("The signature does not fit the event.")
    skew = (clock.now() - datetime.fromtimestamp(seconds, UTC)).total_seconds()
    if abs(skew) > _MOST_SKEW_SECONDS:
        raise InvalidSignature("The signature is too old, or of the future.")


def _keep(gateway: str, event: dict[str, Any]) -> int | None:
    """Put an event into the inbox; None when it is there already."""
    moment = clock.now()
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    subject = _subject(event)
    with independently():
        return db.session.execute(
            dialect.insert(WebhookEvent)
            .values(
                gateway=gateway,
                event_id=event["id"],
                type=event["type"],
                reference=_charge_of(subject),
                amount_minor=_amount(subject),
                currency=_word(subject.get("currency")),
                received_at=moment,
                next_attempt_at=moment,
            )
            .on_conflict_do_nothing(index_elements=["gateway", "event_id"])
            .returning(WebhookEvent.id)
        ).scalar_one_or_none()


def _subject(event: dict[str, Any]) -> dict[str, Any]:
    told = event.get("data")
    subject = told.get("object") if isinstance(told, dict) else None
    return subject if isinstance(subject, dict) else {}


def _charge_of(subject: dict[str, Any]) -> str | None:
    """Give the gateway's name of the charge: the thing told of, or the intent that it belongs to."""
    return _word(subject.get("payment_intent")) or _word(subject.get("id"))


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME else None


def _amount(subject: dict[str, Any]) -> int | None:
    amount = subject.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        return None
    return amount if abs(amount) < 10**18 else None


def _claim(event_id: int) -> WebhookEvent | None:
    moment = clock.now()
    with transaction():
        claimed = db.session.execute(
            update(WebhookEvent)
            .where(
                WebhookEvent.id == event_id,
                WebhookEvent.status == "received",
                WebhookEvent.next_attempt_at <= moment,
            )
            .values(attempts=WebhookEvent.attempts + 1, next_attempt_at=moment + _PAUSE)
            .returning(WebhookEvent.id)
        ).first()
        if claimed is None:
            return None
        return db.session.get_one(WebhookEvent, event_id, populate_existing=True)


def _act_upon(event: WebhookEvent) -> bool:
    """Ask the gateway what became of the charge; tell whether it is one of ours, or none at all."""
    if event.reference is None or not _is_of_charge(event):
        # Kept, and of no consequence here.
        return True
    with transaction(read_only=True):
        payment = db.session.scalar(
            select(Payment).where(
                Payment.gateway == event.gateway, Payment.gateway_ref == event.reference
            )
        )
        if payment is None and event.gateway == "sandbox":
            payment = _find_by_key(event.reference)
    if payment is None:
        return False
    service.learn(payment)
    return True


def _is_of_charge(event: WebhookEvent) -> bool:
    return event.type.startswith(("payment_intent.", "charge."))


def _find_by_key(reference: str) -> Payment | None:
    """Find the payment of a sandbox charge whose answer never came, by the key that the bank knows it by."""
    key = db.session.scalar(
        select(SandboxIntent.idempotency_key).where(SandboxIntent.id == reference)
    )
    name, _, number = (key or "").partition("-")
    if name != "payment" or not number.isdigit():
        return None
    return db.session.get(Payment, int(number))


def _retry(event: WebhookEvent, error: str) -> None:
    pause = min(_PAUSE * 2 ** min(event.attempts, 10), _LONGEST_PAUSE)
    with transaction():
        db.session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.id == event.id, WebhookEvent.status == "received")
            .values(
                status="failed" if event.attempts >= _MOST_ATTEMPTS else "received",
                error=error[:_LONGEST_ERROR],
                next_attempt_at=clock.now() + pause,
            )
        )


def _mark_done(event: WebhookEvent) -> None:
    with transaction():
        db.session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.id == event.id, WebhookEvent.status == "received")
            .values(status="done", error=None, done_at=clock.now())
        )
