"""Whether the system can serve, and its housekeeping."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, text

from backend import clock
from backend.errors import ServiceUnavailable
from backend.extensions import db
from backend.models import IdempotencyKey
from backend.models.guards import missing_guards

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


def purge_idempotency_keys() -> None:
    """Forget the keys that are older than their promise."""
    db.session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - _KEYS_KEPT)
    )
