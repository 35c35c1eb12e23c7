"""A Valkey that may be away: asked quickly, and left alone for a moment when it does not answer."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

SOCKET_SECONDS = 0.3
# Written by the web, taken by the live process: what the ticket for a stream was made for.
TICKET_KEY = "events:ticket:{}"
# What happened, for the streams of one user: published by web and worker, heard by the live process.
EVENTS_CHANNEL = "events"
_REST_SECONDS = 2.0

Answer = TypeVar("Answer")


def socket_options() -> dict[str, Any]:
    """Give the options of a client that gives up soon: by default redis-py would try three times more."""
    return {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
    }


class Breaker:
    """Asks while it is answered; after a fault it does not ask for two seconds."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether asking is pointless just now."""
        return time.monotonic() < self._rests_until

    def ask(self, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Give the answer to ``question``, or ``otherwise`` when there is none."""
        if self.is_open:
            return otherwise
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            logger.warning("Valkey is away: %s", error)
            self._rests_until = time.monotonic() + _REST_SECONDS
            return otherwise


@cache
def connect(url: str) -> redis.Redis:
    """Give the client of a server, one for all who ask in this process; it connects when it is first asked."""
    return redis.Redis.from_url(url, **socket_options())


def keep(url: str, key: str, value: str, *, seconds: int) -> None:
    """Write a value that is there for so long; try once more, for a Valkey that is slow for a moment.

    Raises:
        redis.RedisError, OSError: Valkey did not answer twice.

    """
    try:
        connect(url).set(key, value, ex=seconds)
    except (redis.RedisError, OSError):
        connect(url).set(key, value, ex=seconds)
