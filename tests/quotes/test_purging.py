"""Quotes that nobody booked: how many one client may ask for, and how they go again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.extensions import db
from backend.models import Quote
from backend.quotes import service
from backend.quotes.tasks import purge_expired
from backend.transaction import transaction
from tests.desk import Desk, window
from tests.factories import Factory


@pytest.fixture
def kept(app: Flask) -> Callable[[], list[int]]:
    def read() -> list[int]:
        with app.app_context(), transaction(read_only=True):
            return list(db.session.scalars(select(Quote.id).order_by(Quote.id)))

    return read


def test_only_what_nobody_booked_and_is_long_expired_goes(
    client: FlaskClient,
    make: Factory,
    kept: Callable[[], list[int]],
    move_clock: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_BATCH", 2)
    driver, lot = make.user(), make.lot()
    desk = Desk(client, driver, make.headers(driver), make.vehicle(driver))
    asked = [desk.quote(lot)["id"] for _ in range(4)]
    booked = desk.quote(lot)["id"]
    assert desk.book(quote_id=booked).status_code == 201
    asked += [desk.quote(lot)["id"] for _ in range(3)]

    move_clock(timedelta(hours=23))
    fresh = client.post("/api/v1/quotes", json={"lot_id": lot.id, **window()}).json["id"]
    assert purge_expired() == 0
    assert kept() == sorted([*asked, booked, fresh])

    move_clock(timedelta(hours=25))
    assert purge_expired() == 7
    assert kept() == [booked, fresh]
    assert purge_expired() == 0


def test_a_client_asks_for_a_hundred_and_twenty_a_minute(client: FlaskClient) -> None:
    def ask(address: str) -> Any:
        body = {"lot_id": 1, **window()}
        elsewhere = {"REMOTE_ADDR": address}
        return client.post("/api/v1/quotes", json=body, environ_overrides=elsewhere)

    codes = [ask("198.51.100.1").status_code for _ in range(121)]
    assert codes == [404] * 120 + [429]
    assert 0 < ask("198.51.100.1").json["retry_after"] <= 60
    assert ask("198.51.100.2").status_code == 404
