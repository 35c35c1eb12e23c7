"""Tickets for live events: one use, one minute, one connection."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from backend import clock
from backend.config import settings
from backend.errors import ServiceUnavailable
from backend.identity import Caller
from backend.valkey import TICKET_KEY, keep

_VALID = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class EventTicket:
    """A ticket, and where it opens a stream."""

    url: str
    ticket: str
    expires_at: datetime


def make_ticket(user: Caller, *, lot_id: int | None = None) -> EventTicket:
    """Make a ticket with which the user opens one stream, of one lot when it is named.

    Raises:
        ServiceUnavailable: Valkey, through which the live process learns of tickets, is away.

    """
    ticket = secrets.token_urlsafe(32)
    made_for = {"user_id": user.id, "session_id": user.session_id, "lot_id": lot_id}
    if not settings().redis_url:
        raise ServiceUnavailable("Live events need a Valkey.", retry_after=5)
    try:
        keep(
            settings().redis_url,
            TICKET_KEY.format(ticket),
            json.dumps(made_for),
            seconds=int(_VALID.total_seconds()),
        )
    except (redis.RedisError, OSError) as error:
        raise ServiceUnavailable("Live events are away for a moment.", retry_after=5) from error
    return EventTicket(settings().events_url, ticket, clock.now() + _VALID)
