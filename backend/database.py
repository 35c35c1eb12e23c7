"""The engine's ways on SQLite and PostgreSQL, and what its errors mean."""

import math
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Index, Select, UniqueConstraint, event, text
from sqlalchemy.exc import IntegrityError

from backend.errors import NotFound
from backend.extensions import db
from backend.folding import fold
from backend.models.base import Base

Row = TypeVar("Row", bound=Base)

_READS = re.compile(r"\s*(SELECT|WITH|EXPLAIN|PRAGMA|BEGIN)\b", re.IGNORECASE)

_SQLITE_PRAGMAS = (
    "journal_mode=wal",
    "busy_timeout=5000",
    "synchronous=normal",
    "foreign_keys=on",
)

_LOCK_NAME = text("SELECT pg_advisory_xact_lock(:key)")
_TRY_LOCK_NAME = text("SELECT pg_try_advisory_xact_lock(:key)")
# SET LOCAL, as a statement that takes a parameter.
_LIMIT_LOCK_WAITS = text("SELECT set_config('lock_timeout', :milliseconds, true)")

# What is left of a request's time for its answer, when it has waited for a lock.
_ANSWER_SECONDS = 0.3

_patience: ContextVar[float | None] = ContextVar("patience", default=None)
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


def wait_at_most(seconds: float | None) -> None:
    """Say how long this thread waits for each answer of PostgreSQL from now on; None is for ever.

    Requests are in a hurry; migrations, commands and tasks take the time that they need. It is also how
    long what tries again and again may go on, which :func:`time_left` tells.
    """
    _patience.set(seconds)
    _deadline.set(math.inf if seconds is None else time.monotonic() + seconds)


def time_left() -> float:
    """Say for how many seconds more a request may try; without end where none is in a hurry."""
    return _deadline.get() - time.monotonic()


def limit_lock_waits() -> None:
    """Let no wait for a lock outlast the time that is left, until this transaction ends.

    A first try waits as long as ``lock_timeout`` lets it; a later one has less time.
    """
    left = time_left()
    if db.engine.dialect.name == "postgresql" and left < math.inf:
        milliseconds = max(1, int(1000 * (left - _ANSWER_SECONDS)))
        db.session.execute(_LIMIT_LOCK_WAITS, {"milliseconds": str(milliseconds)})


def engine_options(database_url: str, *, threads: int) -> dict[str, Any]:
    """Give the engine's options for a process with ``threads`` threads."""
    if database_url.startswith("sqlite"):
        # A SQLite connection costs nothing, and a thread waiting for one would hold the write lock back.
        return {
            "hide_parameters": True,
            "pool_size": threads + 2,
            "max_overflow": 10,
            "connect_args": {"timeout": 5},
        }
    return {
        # What a statement was given may be a secret, and errors are logged.
        "hide_parameters": True,
        "pool_size": threads + 1,
        "max_overflow": 2,
        "pool_timeout": 4,
        "connect_args": {
            "connect_timeout": 4,
            # A process that stopped within a transaction keeps its locks from others for no longer.
            "options": "-c timezone=UTC -c lock_timeout=4500 -c statement_timeout=30000"
            " -c idle_in_transaction_session_timeout=30000",
        },
    }


def read_options(engine: Engine) -> dict[str, Any]:
    """Give the options of a connection that only reads.

    PostgreSQL reads without BEGIN and COMMIT: under READ COMMITTED each statement has a snapshot of its
    own anyhow, and the two round trips would cost as much as a query.
    """
    if engine.dialect.name == "sqlite":
        return {"read_only": True}
    return {"read_only": True, "isolation_level": "AUTOCOMMIT"}


def prepare_engine(engine: Engine) -> None:
    """Refuse to write where only reading was meant, and teach SQLite to wait for its turn.

    For SQLite that is WAL, and BEGIN IMMEDIATE for all that may write: a plain BEGIN takes its snapshot
    first and asks for the lock later, which SQLite refuses at once ("database is locked") whatever the
    busy timeout.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def _on_execute(connection: Connection, _cursor: Any, statement: str, *_details: Any) -> None:
        if connection.get_execution_options().get("read_only") and not _READS.match(statement):
            raise RuntimeError(f"A read-only transaction may not do this: {statement[:80]}")

    if engine.dialect.name != "sqlite":
        from backend.postgresql import ImpatientConnection  # noqa: PLC0415 - 11 MB that SQLite saves

        @event.listens_for(engine, "do_connect")
        def _on_dial(
            _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]
        ) -> ImpatientConnection:
            connection = ImpatientConnection.connect(*arguments, **options)
            connection.patience = _patience.get
            return connection

        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # SQLite itself knows the letters of ASCII alone.
        connection.create_function("fold", 1, fold, deterministic=True)
        for pragma in _SQLITE_PRAGMAS:
            # They are constants of this module.
            # nosemgrep: sql-put-together
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def stream_rows(
    statement: Select[*tuple[Any, ...]], *, at_once: int
) -> Iterator[Iterator[Sequence[Any]]]:
    """Read however many rows, so many at a time, by a cursor of the server on a connection of its own.

    All are as they were when the reading began. The session may read and write meanwhile.
    """
    with db.engine.connect() as connection:
        connection.execution_options(read_only=True, yield_per=at_once)
        with connection.execute(statement) as rows:
            yield rows.partitions()


def lock_name(name: str) -> None:
    """Wait for every transaction that locked this name, and lock it until this one ends.

    SQLite has one writer at a time, who need not wait again.
    """
    if db.engine.dialect.name == "sqlite":
        return
    db.session.execute(_LOCK_NAME, {"key": _key_of(name)})


def try_lock_name(name: str) -> bool:
    """Lock this name until the transaction ends if nobody else has it; tell whether that was so."""
    if db.engine.dialect.name == "sqlite":
        return True
    return bool(db.session.scalar(_TRY_LOCK_NAME, {"key": _key_of(name)}))


def _key_of(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


def violates(error: IntegrityError, name: str) -> bool:
    """Tell whether ``error`` is the breach of the constraint, index or trigger of this name."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return bool(diagnosis.constraint_name == name)
    text = str(error.orig)
    if name in text:
        return True
    # SQLite names the columns of a unique constraint, not the constraint.
    return text.removeprefix("UNIQUE constraint failed: ") == _unique_columns(name)


def _unique_columns(name: str) -> str | None:
    for table in Base.metadata.tables.values():
        rules: list[UniqueConstraint | Index] = [*table.indexes]
        rules += [rule for rule in table.constraints if isinstance(rule, UniqueConstraint)]
        for rule in rules:
            if rule.name == name:
                return ", ".join(f"{table.name}.{column.name}" for column in rule.columns)
    return None


def get_row(model: type[Row], row_id: int, *, for_update: bool = False) -> Row:
    """Give the row of this id, locked until the transaction ends when ``for_update``.

    Raises:
        NotFound: there is none.

    """
    # What was read before the lock may be old.
    row = db.session.get(
        model, row_id, with_for_update=for_update or None, populate_existing=for_update
    )
    if row is None:
        raise NotFound(f"There is no {model.__name__.lower()} {row_id}.")
    return row
