"""Real servers, two processes each, and a crowd before them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend import clock
from backend.auth.sign_ins import start_sign_in
from backend.extensions import db
from backend.models import Payment, Role, User, UtcDateTime, Vehicle
from backend.models.guards import install_guards
from backend.transaction import transaction
from tests import servers
from tests.races.crowd import Driver

Crew = Callable[[int], list[Driver]]


@pytest.fixture(scope="session")
def environment(_application: Flask) -> dict[str, str]:
    """What makes a server the same installation as the application of the tests."""
    settings = _application.extensions["settings"]
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "INSTANCE_PATH": settings.instance_path,
        "PUBLIC_URL": settings.public_url,
        "CURRENCY": settings.currency,
        "TIMEZONE": settings.timezone,
        "BCRYPT_ROUNDS": "4",
        "DEMO": "off",
        "RATE_LIMITS": "off",
        "WEB_THREADS": "8",
        "LOG_LEVEL": "WARNING",
    }


@pytest.fixture(scope="session", params=list(servers.SERVERS))
def web(
    request: pytest.FixtureRequest,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[servers.WebServer]:
    """The web on two processes, by each server in turn."""
    log = tmp_path_factory.mktemp("web") / "log"
    with servers.serve(request.param, environment, log) as server:
        yield server


@pytest.fixture(scope="session")
def one_worker(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.WebServer]:
    """The web on one process that serves one request at a time."""
    log = tmp_path_factory.mktemp("one-worker") / "log"
    with servers.serve("gunicorn-sync", environment, log, workers=1) as server:
        yield server


@pytest.fixture
def crew(app: Flask) -> Crew:
    """Make drivers with a vehicle each, all signed in: ``crew(64)``."""

    def hire(count: int) -> list[Driver]:
        with app.app_context(), transaction():
            role = db.session.scalars(select(Role).where(Role.name == "driver")).one()
            now = clock.now()
            first = db.session.query(User).count() + 1
            users = [
                User(
                    email=f"crew{number}@example.org",
                    name=f"Crew {number}",
                    password="!",
                    fs_uniquifier=f"crew-{number}",
                    timezone="Europe/Berlin",
                    locale="en-IN",
                    created_at=now,
                    roles=[role],
                )
                for number in range(first, first + count)
            ]
            db.session.add_all(users)
            db.session.flush()  # gives the ids that vehicles refer to
            vehicles = [
                Vehicle(
                    user_id=user.id,
                    plate=f"CREW{user.id}",
                    kind="car",
                    is_default=True,
                    created_at=now,
                )
                for user in users
            ]
            db.session.add_all(vehicles)
            tokens = [start_sign_in(user, user_agent="crowd").tokens for user in users]
        return [
            Driver(
                id=user.id,
                email=user.email,
                headers={"Authorization": f"Bearer {token.access_token}"},
                vehicle_id=vehicle.id,
                plate=vehicle.plate,
            )
            for user, vehicle, token in zip(users, vehicles, tokens, strict=True)
        ]

    return hire


class Books:
    """What the database itself says, whatever the answers were."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def ask(self, sql: str, **values: Any) -> list[Any]:
        """Give the rows of a query."""
        with self._app.app_context(), transaction(read_only=True):
            return list(db.session.execute(text(sql), values))

    def change(self, sql: str, **values: Any) -> None:
        """Change rows behind the application's back; instants are aware."""
        statement = text(sql)
        instants = [name for name, value in values.items() if isinstance(value, datetime)]
        for name in instants:
            statement = statement.bindparams(db.bindparam(name, type_=UtcDateTime()))
        with self._app.app_context(), transaction():
            db.session.execute(statement, values)

    def live_claims(self, lot_id: int) -> list[tuple[int, str]]:
        """Give bay and kind of each live claim in a lot."""
        rows = self.ask(
            "SELECT spot_id, kind FROM spot_claims WHERE live AND lot_id = :lot_id ORDER BY id",
            lot_id=lot_id,
        )
        return [(row.spot_id, row.kind) for row in rows]

    def overlaps(self) -> int:
        """Count the pairs of live claims of one bay that overlap and are not both closures."""
        (row,) = self.ask(
            """
            SELECT count(*) AS found FROM spot_claims AS a JOIN spot_claims AS b
              ON b.spot_id = a.spot_id AND b.id > a.id AND b.live AND a.live
             AND b.ends_at > a.starts_at AND b.starts_at < a.ends_at
             AND NOT (a.kind = 'closure' AND b.kind = 'closure')
            """
        )
        found: int = row.found
        return found

    def let_hold_lapse(self, reservation_id: int, *, at: datetime | None = None) -> None:
        """Set the deadline of a hold, to a minute ago unless told otherwise; no job looks at it."""
        deadline = at or clock.now() - timedelta(minutes=1)
        self.change(
            "UPDATE reservations SET hold_expires_at = :deadline WHERE id = :id",
            id=reservation_id,
            deadline=deadline,
        )
        self.change(
            "UPDATE spot_claims SET expires_at = :deadline WHERE reservation_id = :id",
            id=reservation_id,
            deadline=deadline,
        )


@pytest.fixture
def books(app: Flask) -> Books:
    return Books(app)


@pytest.fixture
def without_guards(_application: Flask) -> Iterator[None]:
    """Take the guards off the database; they stand again when the test's rows are gone.

    Ask for it by ``usefixtures``, so that it is the first to be set up and the last to end.
    """
    with _application.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            for table, guard in (
                ("spot_claims", "ex_spot_claims_overlap"),
                ("reservations", "ex_reservations_plate_overlap"),
            ):
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {guard}"))
        else:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for trigger in list(triggers):
                connection.execute(text(f"DROP TRIGGER {trigger}"))
    yield
    with _application.app_context(), db.engine.begin() as connection:
        install_guards(connection)


@pytest.fixture
def without_charge_guard(_application: Flask) -> Iterator[None]:
    """Allow several charges of one reservation; ask for it as for ``without_guards``."""
    names = {"uq_payments_one_charge", "uq_payments_one_under_way"}
    table = Payment.__table__
    guards = [index for index in table.indexes if index.name in names]  # type: ignore[attr-defined] # declared as FromClause, is a Table
    with _application.app_context(), db.engine.begin() as connection:
        for guard in guards:
            guard.drop(connection)
    yield
    with _application.app_context(), db.engine.begin() as connection:
        for guard in guards:
            guard.create(connection)
