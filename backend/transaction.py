"""Where every transaction begins and ends: the only callers of commit and rollback."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from backend.database import limit_lock_waits, read_options, time_left
from backend.errors import ServiceUnavailable
from backend.extensions import db

logger = logging.getLogger(__name__)

T = TypeVar("T")

_AFTER_COMMIT = "after_commit"
_PAUSE_SECONDS = 0.05
# With less time left than this, another try could not end in time.
_LEAST_SECONDS = 1.0


class TryAgain(Exception):  # noqa: N818 - it says what to do
    """What stands in the way is over in a moment: run the transaction again, from its beginning.

    Whoever waited with locks in hand could wait for ever; rolled back, it holds none.
    """


@contextmanager
def transaction(*, read_only: bool = False) -> Iterator[None]:
    """Run the block in one transaction: committed at its end, rolled back on any exception.

    Effects registered by :func:`after_commit` follow the commit, and vanish on rollback. A read-only
    transaction takes no write lock and may not write.

    Raises:
        RuntimeError: a transaction is open already; they do not nest.

    """
    session = db.session()
    if session.in_transaction():
        raise RuntimeError("A transaction is open already.")
    effects: list[Callable[[], Any]] = []
    session.info[_AFTER_COMMIT] = effects
    try:
        if read_only:
            session.connection(execution_options=read_options(db.engine))
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_AFTER_COMMIT, None)
        session.close()
    for effect in effects:
        try:
            effect()
        except Exception:
            # The transaction stands; an effect that fails is repeated by its sweeper.
            logger.exception("An effect after commit failed")


def in_transaction(work: Callable[[], T]) -> T:
    """Do ``work`` in one transaction, anew for as long as it wants that and there is time; give its result.

    Raises:
        ServiceUnavailable: the time of the request is over, and something still stands in the way.

    """
    again = False
    while True:
        try:
            with transaction():
                if again:
                    limit_lock_waits()
                return work()
        except TryAgain as error:
            if time_left() < _LEAST_SECONDS:
                raise ServiceUnavailable(retry_after=1) from error
            time.sleep(_PAUSE_SECONDS)
            again = True


@contextmanager
def independently() -> Iterator[None]:
    """Run the block in a short transaction of its own, which no later refusal undoes.

    For what a refusal keeps: tries of codes, killed refresh families, failed payments, idempotency keys.
    It comes before or after the main transaction, never inside: on SQLite a second writer would wait for
    the first for ever.

    Raises:
        RuntimeError: a transaction is open.

    """
    with transaction():
        yield


def after_commit(effect: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Call ``effect`` once the transaction is committed; never, if it is rolled back.

    Raises:
        RuntimeError: no transaction is open.

    """
    effects = db.session().info.get(_AFTER_COMMIT)
    if effects is None:
        raise RuntimeError("No transaction is open.")
    effects.append(lambda: effect(*args, **kwargs))
