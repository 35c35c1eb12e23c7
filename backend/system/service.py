"""Whether the system can serve, what it tells of itself, and its housekeeping."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, text

from backend import clock
from backend.config import settings
from backend.errors import ServiceUnavailable
from backend.extensions import db
from backend.models import IdempotencyKey
from backend.models.guards import missing_guards
from backend.money import currency_digits

_KEYS_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What this process found when it looked."""

    status: str
    database: str


def check_readiness() -> Readiness:
    """Ask the database for the schema and the guards without which nothing may be booked.

    Raises:
        ServiceUnavailable: it answers, but guards are missing.

    """
    db.session.execute(text("SELECT 1 FROM spot_claims LIMIT 1"))
    missing = missing_guards(db.session.connection())
    if missing:
        raise ServiceUnavailable(f"Not ready: guards missing: {', '.join(sorted(missing))}.")
    return Readiness(status="ready", database="ok")


@dataclass(frozen=True, slots=True)
class Installation:
    """What everybody may know of this installation."""

    brand_name: str
    currency: str
    currency_digits: int
    timezone: str
    locale: str
    payment_gateways: tuple[str, ...]
    hold_minutes: int
    quote_minutes: int
    map_tile_url: str | None
    map_attribution: str | None


def describe_installation() -> Installation:
    """Tell what the settings say to everybody."""
    current = settings()
    return Installation(
        brand_name=current.brand_name,
        currency=current.currency,
        currency_digits=currency_digits(current.currency),
        timezone=current.timezone,
        locale=current.locale,
        payment_gateways=current.payment_gateways,
        hold_minutes=current.hold_minutes,
        quote_minutes=current.quote_minutes,
        map_tile_url=current.map_tile_url or None,
        map_attribution=current.map_attribution or None,
    )


def purge_idempotency_keys() -> None:
    """Forget the keys that are older than their promise."""
    db.session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - _KEYS_KEPT)
    )
