"""Whether the system tells the truth about itself."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from backend.extensions import db
from backend.models import Lot
from backend.models.claim import OVERLAP
from backend.models.guards import install_guards, missing_guards
from backend.models.reservation import PLATE_OVERLAP
from backend.system.tasks import purge_idempotency_keys
from tests.conftest import Statements
from tests.desk import window
from tests.factories import Factory

MoveClock = Callable[[timedelta], None]


@pytest.fixture
def without_guards(app: Flask) -> Iterator[None]:
    """Take the guards of bays and plates away for a test."""
    with app.app_context(), db.engine.begin() as connection:
        for table, name in (("spot_claims", OVERLAP), ("reservations", PLATE_OVERLAP)):
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER {name}_insert"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    yield
    with app.app_context(), db.engine.begin() as connection:
        install_guards(connection)
        assert not missing_guards(connection)


class TestHealth:
    def test_a_process_that_answers_is_well(self, client: FlaskClient) -> None:
        assert client.get("/healthz").json == {"status": "ok"}


class TestInstallation:
    def test_everybody_may_know_what_it_is(
        self, client: FlaskClient, as_driver: dict[str, str]
    ) -> None:
        told = client.get("/api/v1/installation")
        assert told.json == {
            "brand_name": "Vehicle Vault",
            "currency": "EUR",
            "currency_digits": 2,
            "timezone": "Europe/Berlin",
            "locale": "en-IN",
            "payment_gateways": ["sandbox", "cash"],
            "hold_minutes": 10,
            "quote_minutes": 10,
            "map_tile_url": None,
            "map_attribution": None,
        }
        assert client.get("/api/v1/installation", headers=as_driver).json == told.json
        again = client.get("/api/v1/installation", headers={"If-None-Match": told.headers["ETag"]})
        assert again.status_code == 304

    def test_it_asks_the_database_nothing(
        self, client: FlaskClient, statements: Statements
    ) -> None:
        with statements() as asked:
            client.get("/api/v1/installation")
        assert asked == []


class TestReadiness:
    def test_a_migrated_database_is_ready(self, client: FlaskClient) -> None:
        assert client.get("/readyz").json == {"status": "ready", "database": "ok"}

    def test_a_database_without_its_guards_is_not(
        self, client: FlaskClient, without_guards: None
    ) -> None:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json is not None
        assert OVERLAP in answer.json["detail"]


class TestPurgingIdempotencyKeys:
    def test_a_key_is_kept_for_a_day(
        self, app: Flask, client: FlaskClient, make: Factory, move_clock: MoveClock
    ) -> None:
        headers, vehicle = make.driver()
        lot: Lot = make.lot()
        client.post(
            "/api/v1/reservations",
            json={"lot_id": lot.id, "vehicle_id": vehicle.id, **window()},
            headers={**headers, "Idempotency-Key": "k"},
        )
        for hours, kept in ((23, 1), (25, 0)):
            move_clock(timedelta(hours=hours))
            purge_idempotency_keys()
            with app.app_context(), db.engine.connect() as connection:
                count = connection.execute(text("SELECT count(*) FROM idempotency_keys")).scalar()
            assert count == kept
