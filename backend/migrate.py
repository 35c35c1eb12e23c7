"""Bringing the database to the newest schema, by one process at a time."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from backend.config import Settings
from backend.extensions import db

logger = logging.getLogger(__name__)

# Any number that nothing else in the database locks.
_ADVISORY_LOCK = 0x56_56_4D_47
_LONGEST_WAIT = "120s"


def migrate_database(app: Flask) -> None:
    """Run the missing migrations; of processes that start at once, one does and the others wait."""
    with app.app_context(), _one_at_a_time(app.extensions["settings"]):
        flask_migrate.upgrade()


def migrate_empty_database(app: Flask) -> None:
    """Make the schema of a database that has none, so that workers started on it all come up.

    A database with a schema is left alone: its next version is the operator's decision. One that does
    not answer is no reason to stay down; requests are refused until it does.
    """
    try:
        with app.app_context():
            is_empty = not inspect(db.engine).has_table("alembic_version")
    except OperationalError as error:
        logger.warning("The database does not answer: %s", error.orig)
        return
    if is_empty:
        migrate_database(app)


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # The engine's own time-outs are made for requests, and would end the wait.
            connection.execute(text(f"SET lock_timeout = '{_LONGEST_WAIT}'"))
            connection.execute(text(f"SET statement_timeout = '{_LONGEST_WAIT}'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            try:
                yield
            finally:
                # Closed for good: the lock goes with it, and so do the time-outs.
                connection.invalidate()
        return
    with (settings.instance / "migrate.lock").open("w") as lock:
        # The kernel lets go of it when this process ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
