"""The counter, where these tests happen, and the gate beside it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from backend.extensions import db
from backend.models import Lot, LotStaff
from backend.transaction import transaction
from tests.counter import MoveClock, arrive, desk, later, lot, read_mail
from tests.desk import Desk
from tests.factories import Factory

__all__ = ["arrive", "desk", "later", "lot", "read_mail"]

At = Callable[..., list[Desk]]
Staff = Callable[[Lot], Desk]
Change = Callable[..., None]
Rows = Callable[..., list[Any]]


@pytest.fixture
def at(make: Factory, move_clock: MoveClock) -> At:
    """Move the clock to a moment, and sign these people in again."""

    def at(moment: datetime, *people: Desk) -> list[Desk]:
        move_clock(moment - datetime.now(UTC))
        return [replace(person, headers=make.headers(person.user)) for person in people]

    return at


@pytest.fixture
def staff(app: Flask, client: FlaskClient, make: Factory) -> Staff:
    """Let an attendant work at a lot."""

    def staff(lot: Lot) -> Desk:
        person = make.user(roles=("attendant",))
        with app.app_context(), transaction():
            db.session.add(LotStaff(lot_id=lot.id, user_id=person.id))
        return Desk(client, person, make.headers(person), make.vehicle(person))

    return staff


@pytest.fixture
def change(app: Flask) -> Change:
    """Change rows behind the application's back."""

    def change(sql: str, **values: object) -> None:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text(sql), values)

    return change


@pytest.fixture
def rows(app: Flask) -> Rows:
    """Ask the database itself."""

    def rows(sql: str, **values: object) -> list[Any]:
        with app.app_context(), db.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    return rows


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
