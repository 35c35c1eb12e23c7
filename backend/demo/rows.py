"""Writing rows by the thousand, as fast as each database can."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar, cast

import orjson
from sqlalchemy import text

from backend.extensions import db
from backend.models import Base

Values: TypeAlias = dict[str, Any]
_Row = TypeVar("_Row", bound=Base)

_AS_THEY_ARE = frozenset({int, str, bool, float, type(None)})


def insert_rows(model: type[Base], values: Sequence[Values]) -> None:
    """Insert rows of the same columns."""
    if not values:
        return
    table = model.__tablename__
    columns = ", ".join(f'"{name}"' for name in values[0])
    if not on_postgresql():
        # To the driver itself, since SQLAlchemy would look at every value.
        marks = ", ".join("?" for _ in values[0])
        # nosemgrep: sql-put-together
        db.session.connection().exec_driver_sql(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",
            [
                tuple([v if type(v) in _AS_THEY_ARE else _for_sqlite(v) for v in row.values()])
                for row in values
            ],
        )
        return
    connection: Any = db.session.connection().connection
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        for row in values:
            copy.write_row([_plain(value) for value in row.values()])


def take_ids(model: type[Base], count: int) -> Sequence[int]:
    """Take ids for new rows; on SQLite this transaction is the only writer."""
    table = model.__tablename__
    if on_postgresql():
        statement = text(
            "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)"
        )
        ids: Sequence[int] = (
            db.session.execute(statement, {"table": table, "count": count}).scalars().all()
        )
        return ids
    # nosemgrep: sql-put-together
    last: int = db.session.execute(text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one()
    return range(last + 1, last + 1 + count)


def tell_planner(models: Iterable[type[Base]]) -> None:
    """Let PostgreSQL count rows: what it plans for tables it takes as empty walks through them whole.

    The plans of foreign keys are made once a session, and the first counts make it plan them again; the
    last ones are for the first requests, which come before it would count by itself.
    """
    if on_postgresql():
        for model in models:
            # Tables are named by our models, here and above.
            # nosemgrep: sql-put-together
            db.session.execute(text(f"ANALYZE {model.__tablename__}"))


def stand_in(_model: type[_Row], values: Values) -> _Row:
    """Give something with these attributes; a mapped object would take longer to make than all else."""
    return cast("_Row", SimpleNamespace(**values))


def on_postgresql() -> bool:
    """Whether the rows go into PostgreSQL."""
    return db.engine.dialect.name == "postgresql"


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def _for_sqlite(value: Any) -> Any:
    """Write a value as SQLite keeps it: a moment as text in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")
    return _plain(value)
