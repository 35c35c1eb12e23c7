"""Tasks that failed: kept until the same work goes well, so that somebody sees them."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.clock import now
from backend.extensions import db
from backend.models import TaskFailure
from backend.transaction import transaction

logger = logging.getLogger(__name__)

_SETTLED_KEPT = timedelta(days=30)


def keep_failure(task: str, arguments: Sequence[Any], error: BaseException) -> None:
    """Write down that a task failed; the same one with the same arguments is one row, and counted.

    It never fails itself: what the task's own failure leaves behind stands without it.
    """
    moment = now()
    try:
        with transaction():
            dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
            db.session.execute(
                dialect.insert(TaskFailure)
                .values(
                    digest=_digest(task, arguments),
                    task=task,
                    arguments=list(arguments),
                    error=describe_error(error),
                    count=1,
                    first_at=moment,
                    last_at=moment,
                )
                .on_conflict_do_update(
                    index_elements=["digest"],
                    set_={
                        "error": describe_error(error),
                        "count": TaskFailure.count + 1,
                        "last_at": moment,
                        "resolved_at": None,
                    },
                )
            )
    except Exception:
        logger.exception("The failure of %s could not be kept", task)


def settle_failure(task: str, arguments: Sequence[Any]) -> None:
    """Take what is kept of a task for settled: it went well now. It never fails itself."""
    mine = (TaskFailure.digest == _digest(task, arguments), TaskFailure.resolved_at.is_(None))
    try:
        # Hardly any has failed before; to look costs no other writer its turn.
        with transaction(read_only=True):
            found = db.session.scalar(select(TaskFailure.id).where(*mine))
        if found is not None:
            with transaction():
                db.session.execute(update(TaskFailure).where(*mine).values(resolved_at=now()))
    except Exception:
        logger.exception("That %s went well could not be kept", task)


def purge_settled() -> None:
    """Delete failures that were settled long enough ago, in the open transaction."""
    db.session.execute(delete(TaskFailure).where(TaskFailure.resolved_at < now() - _SETTLED_KEPT))


def describe_error(error: BaseException) -> str:
    """Say what kind of error it was and where it arose; what it says may name somebody, and stays out."""
    kind = type(error).__name__
    *_, place = ("", *_places(error))
    return f"{kind} in {place}" if place else kind


def _places(error: BaseException) -> Iterator[str]:
    """Go down the traceback of an error through the modules that are ours."""
    step = error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", ""))
        if module.startswith("backend."):
            yield f"{module}, line {step.tb_lineno}"
        step = step.tb_next


def _digest(task: str, arguments: Sequence[Any]) -> str:
    return sha256(json.dumps([task, list(arguments)]).encode()).hexdigest()
