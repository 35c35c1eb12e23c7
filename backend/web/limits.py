"""Limits on tries, counted in Valkey for all processes together, and in each process for itself.

What Valkey counted is lost when it dies, is emptied, or has no room. Then a process still lets through no
more than the limit by itself, so all together no more than limit × processes in each window.
"""

import hashlib
import math
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cache

from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.strategies import RateLimiter

from backend.config import Settings
from backend.errors import TooManyRequests
from backend.extensions import limiter
from backend.valkey import Breaker, socket_options

_KEY = "limits"
_SWEEP_SECONDS = 60.0


class OwnCounts:
    """The tries that this process let through, as a moving window of each limit.

    Not by the storage of the library that is named after memory: it keeps every key for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # When each try will be over, the oldest first.
        self._ends: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._sweep_at = 0.0

    def wait_of(self, limit: RateLimitItem, key: tuple[str, str], *, count: bool) -> int:
        """Tell for how many seconds the limit is used up; when it is not, 0, and with ``count`` count a try."""
        moment = time.monotonic()
        with self._lock:
            self._sweep(moment)
            ends = self._ends[key] if count else self._ends.get(key, deque())
            while ends and ends[0] <= moment:
                ends.popleft()
            if len(ends) >= limit.amount:
                return _whole_seconds(ends[-limit.amount] - moment)
            if count:
                ends.append(moment + limit.get_expiry())
            return 0

    def forget(self) -> None:
        """Let every limit begin anew."""
        with self._lock:
            self._ends.clear()

    def _sweep(self, moment: float) -> None:
        if moment < self._sweep_at:
            return
        self._sweep_at = moment + _SWEEP_SECONDS
        for key in [key for key, ends in self._ends.items() if not ends or ends[-1] <= moment]:
            del self._ends[key]


@dataclass(slots=True)
class _Limits:
    shared: RateLimiter | None
    own: OwnCounts = field(default_factory=OwnCounts)
    breaker: Breaker = field(default_factory=Breaker)


def hit(name: str, limit: str, *parts: object) -> None:
    """Count one try under ``name`` and ``parts``: ``hit("sign-in", "10 per 15 minutes", user.id, address)``.

    Raises:
        TooManyRequests: the limit is used up; ``retry_after`` tells for how long.

    """
    _ask(name, limit, parts, count=True)


def test(name: str, limit: str, *parts: object) -> None:
    """Refuse as :func:`hit` does, without counting a try.

    Raises:
        TooManyRequests: the limit is used up.

    """
    _ask(name, limit, parts, count=False)


def init_app(app: Flask, settings: Settings) -> None:
    """Set up Flask-Limiter's storage for ``app``; without limits there is none."""
    app.config["RATELIMIT_ENABLED"] = settings.rate_limits
    if not settings.rate_limits:
        app.extensions[_KEY] = None
        return
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage_uri(settings.redis_url),
        RATELIMIT_STORAGE_OPTIONS=socket_options() if settings.redis_url else {},
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_HEADERS_ENABLED=False,
    )
    limiter.init_app(app)
    app.extensions[_KEY] = _Limits(limiter.limiter if settings.redis_url else None)


def forget(app: Flask) -> None:
    """Let every limit of this process begin anew."""
    state: _Limits | None = app.extensions[_KEY]
    if state is not None:
        state.own.forget()


def _storage_uri(redis_url: str) -> str:
    if redis_url.startswith("unix://"):
        return f"redis+{redis_url}"
    return redis_url or "memory://"


def _ask(name: str, limit: str, parts: tuple[object, ...], *, count: bool) -> None:
    state = _state()
    if state is None:
        return
    item, key = _parsed(limit), _name(name, parts)

    def wait_of(strategy: RateLimiter) -> int:
        """Tell for how many seconds the limit is used up; 0 when it is not."""
        if strategy.hit(item, *key) if count else strategy.test(item, *key):
            return 0
        return _whole_seconds(strategy.get_window_stats(item, *key).reset_time - time.time())

    shared = state.shared
    wait = 0 if shared is None else state.breaker.ask(lambda: wait_of(shared), 0)
    # After Valkey, so that what it refuses is not counted here.
    if wait := wait or state.own.wait_of(item, key, count=count):
        raise TooManyRequests("Too many tries. Please wait a little.", retry_after=wait)


def _state() -> _Limits | None:
    state: _Limits | None = current_app.extensions[_KEY]
    return state


def _whole_seconds(seconds: float) -> int:
    return max(1, math.ceil(seconds))


@cache
def _parsed(limit: str) -> RateLimitItem:
    return parse(limit)


def _name(name: str, parts: tuple[object, ...]) -> tuple[str, str]:
    # Addresses of people are not left lying about in the store.
    said = "\0".join(map(str, parts)).encode()
    return name, hashlib.sha256(said).hexdigest()[:32]
