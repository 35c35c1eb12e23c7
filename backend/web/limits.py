"""Limits on tries, counted in Valkey and, while it is away, in this process."""

import hashlib
import ipaddress
import math
import time
from dataclasses import dataclass, field
from functools import cache

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from backend.config import Settings
from backend.errors import TooManyRequests
from backend.extensions import limiter
from backend.valkey import Breaker, socket_options

_KEY = "limits"


@dataclass(slots=True)
class _Limits:
    shared: RateLimiter | None
    own: RateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))
    breaker: Breaker = field(default_factory=Breaker)


def client_name() -> str:
    """Name the client that asks: by its address, or by its /64, the least that IPv6 gives to one household."""
    told = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(told.partition("%")[0])
    except ValueError:
        return told
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        # A listener for both kinds tells of IPv4 in this way.
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


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
        return max(1, math.ceil(strategy.get_window_stats(item, *key).reset_time - time.time()))

    shared = state.shared
    wait = -1 if shared is None else state.breaker.ask(lambda: wait_of(shared), -1)
    if wait < 0:
        wait = wait_of(state.own)
    if wait:
        raise TooManyRequests("Too many tries. Please wait a little.", retry_after=wait)


def _state() -> _Limits | None:
    state: _Limits | None = current_app.extensions[_KEY]
    return state


@cache
def _parsed(limit: str) -> RateLimitItem:
    return parse(limit)


def _name(name: str, parts: tuple[object, ...]) -> tuple[str, str]:
    # Addresses of people are not left lying about in the store.
    said = "\0".join(map(str, parts)).encode()
    return name, hashlib.sha256(said).hexdigest()[:32]
