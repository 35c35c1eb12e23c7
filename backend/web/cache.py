"""Cached bytes: in Valkey under Flask-Caching, and for a second in this process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import orjson
from flask import Flask, current_app
from flask_caching.backends.base import BaseCache

from backend.config import Settings
from backend.extensions import cache
from backend.valkey import Breaker, connect

_KEY = "cached_bytes"
_OWN_SECONDS = 1.0
_OWN_COPIES_MAX = 512
_PREFIX = "vv:"
_BYTES, _JSON = b"b", b"j"
# Longer than any entry lives: a counter that began again would show entries from before.
_GENERATION_SECONDS = 7 * 24 * 3600


class ValkeyCache(BaseCache):
    """Flask-Caching's backend on Valkey: bytes and JSON, never pickle; away means empty."""

    def __init__(self, url: str, default_timeout: int) -> None:
        super().__init__(default_timeout=default_timeout)
        self._client: Any = connect(url) if url else None
        self._breaker = Breaker()

    @classmethod
    def factory(
        cls,
        app: Flask,
        config: dict[str, Any],
        args: list[Any],  # noqa: ARG003 - Flask-Caching's signature
        kwargs: dict[str, Any],  # noqa: ARG003 - Flask-Caching's signature
    ) -> "ValkeyCache":
        """Make the backend of ``app``, as Flask-Caching asks for it."""
        settings: Settings = app.extensions["settings"]
        return cls(settings.redis_url, config["CACHE_DEFAULT_TIMEOUT"])

    def get(self, key: str) -> Any:
        """Give what is kept under ``key``, or None."""
        return _read(self._ask(lambda client: client.get(_PREFIX + key), None))

    def set(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """Keep ``value`` under ``key`` for ``timeout`` seconds."""
        seconds = _seconds(timeout or self.default_timeout)
        return bool(
            self._ask(lambda client: client.set(_PREFIX + key, _write(value), ex=seconds), None)
        )

    def add(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """Keep ``value`` under ``key`` unless something is kept there."""
        seconds = _seconds(timeout or self.default_timeout)
        return bool(
            self._ask(
                lambda client: client.set(_PREFIX + key, _write(value), ex=seconds, nx=True), None
            )
        )

    def has(self, key: str) -> bool:
        """Tell whether something is kept under ``key``."""
        return bool(self._ask(lambda client: client.exists(_PREFIX + key), 0))

    def delete(self, key: str) -> bool:
        """Forget what is kept under ``key``."""
        return bool(self._ask(lambda client: client.delete(_PREFIX + key), 0))

    def clear(self) -> bool:
        """Forget all that this cache keeps; limits and events in the same Valkey stay."""

        def forget(client: Any) -> bool:
            for key in client.scan_iter(f"{_PREFIX}*", count=500):
                client.delete(key)
            return True

        return bool(self._ask(forget, otherwise=False))

    def find(self, namespace: str, key: str) -> tuple[bytes | None, bytes | None]:
        """Give the namespace's generation, and what is kept under ``key`` since it began.

        Both are None while nobody knows, and nothing should be kept.
        """

        def look(client: Any) -> tuple[bytes, bytes | None]:
            generation, kept = client.mget(
                f"{_PREFIX}gen:{namespace}", f"{_PREFIX}{namespace}:{key}"
            )
            generation = generation or b"0"
            began, _, body = (kept or b"").partition(b":")
            return generation, body if kept is not None and began == generation else None

        return cast("tuple[bytes | None, bytes | None]", self._ask(look, (None, None)))

    def keep(self, namespace: str, key: str, generation: bytes, body: bytes, seconds: int) -> None:
        """Keep ``body`` under ``key`` for as long as this generation lasts, and so many seconds."""
        value = generation + b":" + body
        self._ask(lambda client: client.set(f"{_PREFIX}{namespace}:{key}", value, ex=seconds), None)

    def next_generation(self, namespace: str) -> bool:
        """Make everything under ``namespace`` a thing of the past; tell whether Valkey heard it."""

        def count(client: Any) -> bool:
            key = f"{_PREFIX}gen:{namespace}"
            pipe = client.pipeline(transaction=True)
            pipe.incr(key)
            pipe.expire(key, _GENERATION_SECONDS)
            pipe.execute()
            return True

        return bool(self._client is None or self._ask(count, otherwise=False))

    def _ask(self, question: Callable[[Any], Any], otherwise: Any) -> Any:
        if self._client is None:
            return otherwise
        return self._breaker.ask(lambda: question(self._client), otherwise)


@dataclass(slots=True)
class _OwnCopies:
    """What this process keeps for a second, and which invalidations Valkey has not heard of yet."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    copies: OrderedDict[tuple[str, int, str], tuple[float, bytes]] = field(
        default_factory=OrderedDict
    )
    generations: dict[str, int] = field(default_factory=dict)
    unheard: set[str] = field(default_factory=set)

    def find(self, namespace: str, key: str) -> tuple[int, bytes | None]:
        # Without the lock: each look is one step, and threads that queue for it would cost more than all else.
        generation = self.generations.get(namespace, 0)
        found = self.copies.get((namespace, generation, key))
        if found is None or found[0] < time.monotonic():
            return generation, None
        return generation, found[1]

    def keep(self, namespace: str, generation: int, key: str, body: bytes) -> None:
        with self.lock:
            self.copies[namespace, generation, key] = (time.monotonic() + _OWN_SECONDS, body)
            self.copies.move_to_end((namespace, generation, key))
            while len(self.copies) > _OWN_COPIES_MAX:
                self.copies.popitem(last=False)


def cached_bytes(namespace: str, key: str, build: Callable[[], bytes], ttl: int = 30) -> bytes:
    """Give the bytes kept under ``key``, or build and keep them.

    Only for answers that are the same for everybody. They are at most a second behind an
    :func:`invalidate` in another process, at once new in the process where it happened.
    """
    own = _own_copies()
    generation, body = own.find(namespace, key)
    if body is not None:
        return body
    backend = _backend()
    if namespace in own.unheard and backend.next_generation(namespace):
        own.unheard.discard(namespace)
    # Read before building: what is built from old rows then belongs to the old generation.
    begun, body = (None, None) if namespace in own.unheard else backend.find(namespace, key)
    if body is None:
        body = build()
        if begun is not None:
            backend.keep(namespace, key, begun, body, ttl)
    own.keep(namespace, generation, key, body)
    return body


def own_bytes(namespace: str, key: str, build: Callable[[], bytes]) -> bytes:
    """Give the bytes kept under ``key`` in this process alone, or build and keep them, for a second."""
    own = _own_copies()
    generation, body = own.find(namespace, key)
    if body is None:
        body = build()
        own.keep(namespace, generation, key, body)
    return body


def invalidate(namespace: str) -> None:
    """Forget everything under ``namespace``; call it through ``after_commit``."""
    own = _own_copies()
    with own.lock:
        own.generations[namespace] = own.generations.get(namespace, 0) + 1
    backend = _backend()
    if not backend.next_generation(namespace):
        own.unheard.add(namespace)


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the cache to ``app``."""
    app.extensions.setdefault("settings", settings)
    app.extensions[_KEY] = _OwnCopies()
    cache.init_app(
        app,
        config={"CACHE_TYPE": "backend.web.cache.ValkeyCache", "CACHE_DEFAULT_TIMEOUT": 30},
    )


def _own_copies() -> _OwnCopies:
    own: _OwnCopies = current_app.extensions[_KEY]
    return own


def _backend() -> ValkeyCache:
    return cast("ValkeyCache", cache.cache)


def _seconds(timeout: float | timedelta) -> int:
    return int(timeout.total_seconds() if isinstance(timeout, timedelta) else timeout)


def _write(value: Any) -> bytes:
    return _BYTES + value if isinstance(value, bytes) else _JSON + orjson.dumps(value)


def _read(kept: bytes | None) -> Any:
    if kept is None:
        return None
    return kept[1:] if kept[:1] == _BYTES else orjson.loads(kept[1:])
