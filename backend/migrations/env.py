"""Alembic's environment: the application's engine and models."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from backend.extensions import db
from backend.models import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our types as the plain ones that they are to a database."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run_migrations() -> None:
    """Run the migrations in one transaction on the application's engine."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table that is made anew (batch mode) must not take its children's rows along.
            _switch_foreign_keys(connection, "off")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        if connection.dialect.name == "sqlite":
            _switch_foreign_keys(connection, "on")


def _switch_foreign_keys(connection: Connection, switch: Literal["on", "off"]) -> None:
    # On the driver's own connection: within a transaction, which SQLAlchemy would begin, SQLite
    # passes over this in silence.
    driver: Any = connection.connection.driver_connection
    # mypy holds its callers to the two words.
    # nosemgrep: sql-put-together
    driver.execute(f"PRAGMA foreign_keys={switch}")
    if driver.execute("PRAGMA foreign_keys").fetchone() != (int(switch == "on"),):
        raise RuntimeError("SQLite did not switch its foreign keys.")


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations()
