"""Idempotency keys: the same request sent twice has one effect and one answer.

Kept are the status, a digest of the request, and what rebuilds the answer: ids, and facts that may
change before the request comes again. Of an answer with secrets, no secret is kept.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from flask import current_app, g, request
from sqlalchemy import CursorResult, Row, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.clock import now
from backend.errors import IdempotencyKeyReused, InvalidInput, RequestInProgress
from backend.extensions import db
from backend.models import IdempotencyKey
from backend.transaction import independently, transaction
from backend.web.api import to_json

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
_LOCKED = timedelta(seconds=60)
_WAIT_SECONDS = 2.0
_POLL_SECONDS = 0.05
_KEY = re.compile(r"[!-~]{1,255}")

_keys = cast("Table", IdempotencyKey.__table__)
# Made once, and asked of the connection itself: each booking and payment passes here twice.
_INSERTS = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(_keys)
    .on_conflict_do_nothing(index_elements=["user_id", "key"])
    .returning(_keys.c.id)
    for dialect in (sqlite, postgresql)
}
_REMEMBER = (
    update(_keys)
    .where(_keys.c.id == bindparam("held_id"), _keys.c.owner == bindparam("held_by"))
    .values(status=bindparam("new_status"), facts=bindparam("new_facts"))
)


@dataclass(slots=True)
class _Held:
    """A key that this request holds."""

    id: int
    owner: str
    status: int
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request that came before."""

    status: int
    facts: dict[str, Any]


_held: ContextVar[_Held | None] = ContextVar("held", default=None)


def sent_key() -> str | None:
    """Give the key that the request carries, if any.

    Raises:
        InvalidInput: it is not 1 to 255 visible ASCII characters.

    """
    if HEADER not in request.headers:
        return None
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"The {HEADER} is not usable.",
            errors={HEADER: ["This must be 1 to 255 visible ASCII characters."]},
        )
    return key


def reserve(user_id: int, key: str, *, status: int) -> Done | None:
    """Take the key for this request, or give what became of the same request before.

    A twin in flight is awaited for a short while, outside any transaction.

    Raises:
        IdempotencyKeyReused: the key came with another request.
        RequestInProgress: the twin is still running.

    """
    digest = _digest()
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        found = _take(user_id, key, digest, status)
        if not isinstance(found, Row):
            return found
        while not _is_over(user_id, key, found.owner):
            if time.monotonic() > deadline:
                raise RequestInProgress(retry_after=1)
            time.sleep(_POLL_SECONDS)


def remember(**facts: Any) -> None:
    """Keep what rebuilds the answer, in the open transaction that has the effect.

    Without an Idempotency-Key it does nothing. It may be called again when more is known.

    Raises:
        RequestInProgress: another request took the key over meanwhile; nothing of this one may stay.

    """
    held = _held.get()
    if held is None:
        return
    kept = db.session.connection().execute(
        _REMEMBER,
        {
            "held_id": held.id,
            "held_by": held.owner,
            "new_status": held.status,
            "new_facts": facts,
        },
    )
    if _count(kept) == 0:
        raise RequestInProgress(retry_after=1)
    held.remembered = True


def check_remembered() -> None:
    """Insist that an operation with a key calls :func:`remember`, or a retry would have a second effect.

    Raises:
        RuntimeError: it did not.

    """
    held = _held.get()
    if held is not None and not held.remembered:
        raise RuntimeError("An idempotent operation must call remember().")


@contextmanager
def holding() -> Iterator[None]:
    """Run the block with the key just taken; a refusal or fault gives it back, so nothing is left."""
    try:
        yield
        check_remembered()
    except BaseException as error:
        # With the database gone, giving the key back would be one more wait for it; it frees itself.
        if not getattr(error, "connection_invalidated", False):
            _release()
        raise
    finally:
        _held.set(None)


def _take(user_id: int, key: str, digest: str, status: int) -> Done | Row[Any] | None:
    """Take the key (None), or give the result kept with it, or the row of a twin in flight."""
    with independently():
        moment = now()
        mine: dict[str, Any] = {
            "request_digest": digest,
            "status": None,
            "facts": None,
            "owner": secrets.token_hex(16),
            "locked_until": moment + _LOCKED,
            "created_at": moment,
        }
        connection = db.session.connection()
        new_id = connection.execute(
            _INSERTS[connection.dialect.name], {"user_id": user_id, "key": key, **mine}
        ).scalar_one_or_none()
        if new_id is None:
            row = db.session.execute(
                select(_keys)
                .where(_keys.c.user_id == user_id, _keys.c.key == key)
                .with_for_update()
            ).one_or_none()
            if row is None:
                # Given back between the two statements: as good as in flight, and over at once.
                return db.session.execute(select(db.literal("").label("owner"))).one()
            is_old = row.created_at < moment - KEPT
            if not is_old and row.request_digest != digest:
                raise IdempotencyKeyReused
            if not is_old and row.status is not None:
                return Done(row.status, row.facts)
            if not is_old and row.locked_until > moment:
                return row
            db.session.execute(update(_keys).where(_keys.c.id == row.id).values(**mine))
            new_id = row.id
    _held.set(_Held(new_id, mine["owner"], status))
    return None


def _is_over(user_id: int, key: str, owner: str) -> bool:
    """Tell whether the twin that holds the key has finished, given it back, or had its time."""
    with transaction(read_only=True):
        row = db.session.execute(
            select(_keys.c.owner, _keys.c.status, _keys.c.locked_until).where(
                _keys.c.user_id == user_id, _keys.c.key == key
            )
        ).one_or_none()
    return row is None or row.owner != owner or row.status is not None or row.locked_until <= now()


def _release() -> None:
    held = _held.get()
    if held is None:
        return
    with independently():
        db.session.execute(
            delete(_keys).where(
                _keys.c.id == held.id, _keys.c.owner == held.owner, _keys.c.status.is_(None)
            )
        )


def _digest() -> str:
    """Name the request; keyed, since a body may hold what could be guessed, such as a card number."""
    said = to_json([request.method, request.path, request.query_string.decode("latin-1")])
    body = to_json(_sorted(g.get("body")))
    secret = str(current_app.secret_key or "").encode()
    return hmac.new(secret, said + body, hashlib.sha256).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(part) for part in value] if isinstance(value, list) else value


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
