"""An attendant at a gate, and a driver who comes there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend import clock
from backend.extensions import db
from backend.models import Lot, LotStaff, User
from backend.transaction import transaction
from tests.counter import arrive, desk, later
from tests.desk import Desk, between
from tests.factories import Factory, where_it_is_morning

__all__ = ["arrive", "desk", "later"]


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Somebody who works at the gate of a lot."""

    client: FlaskClient
    user: User
    headers: dict[str, str]
    lot: Lot

    def scan(self, credential: str, **wishes: Any) -> TestResponse:
        """Hold something up to the gate."""
        body = {"lot_id": self.lot.id, "credential": credential, **wishes}
        return self.client.post("/api/v1/gate/scan", json=body, headers=self.headers)

    def let_pass(self, credential: str, **wishes: Any) -> dict[str, Any]:
        """Hold something up to the gate that opens it."""
        answer = self.scan(credential, **wishes)
        assert answer.status_code == 200, answer.text
        passage: dict[str, Any] = answer.json
        return passage

    def walk_in(self, *, key: str | None = None, **wishes: Any) -> TestResponse:
        """Let a car in that has no booking."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        body = {"lot_id": self.lot.id, **wishes}
        return self.client.post("/api/v1/gate/walk-ins", json=body, headers=headers)

    def admit(self, **wishes: Any) -> dict[str, Any]:
        """Let a car in that has no booking, and that must work."""
        answer = self.walk_in(**wishes)
        assert answer.status_code == 201, answer.text
        reservation: dict[str, Any] = answer.json
        return reservation

    def take_cash(self, reservation: dict[str, Any]) -> dict[str, Any]:
        """Take what is due in cash."""
        answer = self.client.post(
            f"/api/v1/reservations/{reservation['id']}/payments",
            json={"method": "cash"},
            headers=self.headers,
        )
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json
        return payment

    def look(self, what: str, **query: Any) -> dict[str, Any]:
        """Read a list of this gate."""
        answer = self.try_look(what, **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    def try_look(self, what: str, **query: Any) -> TestResponse:
        """Try to read a list of this gate."""
        asked = {"lot_id": self.lot.id, **query}
        return self.client.get(f"/api/v1/gate/{what}", query_string=asked, headers=self.headers)


Post = Callable[..., Gatekeeper]


@pytest.fixture
def post(app: Flask, client: FlaskClient, make: Factory) -> Post:
    """Give a lot's gate another attendant."""

    def post(lot: Lot, **values: Any) -> Gatekeeper:
        user = make.user(roles=("attendant",), **values)
        with app.app_context(), transaction():
            db.session.add(LotStaff(lot_id=lot.id, user_id=user.id))
        return Gatekeeper(client, user, make.headers(user), lot)

    return post


@pytest.fixture
def lot(make: Factory) -> Lot:
    """A lot whose day has just begun."""
    return make.lot(timezone=where_it_is_morning())


@pytest.fixture
def gate(post: Post, lot: Lot) -> Gatekeeper:
    return post(lot, name="Gerda Gate")


@pytest.fixture
def wait(make: Factory, move_clock: Callable[[timedelta], None]) -> Callable[..., Any]:
    """Move the clock to so many minutes from now, and sign somebody in again."""

    def wait(who: Any, *, minutes: float) -> Any:
        move_clock(timedelta(minutes=minutes))
        return replace(who, headers=make.headers(who.user))

    return wait


def soon(minutes: float = 10, *, hours: float = 2) -> dict[str, str]:
    """Give a window that begins so many minutes from now: near enough for the entrance to be open."""
    starts_at = clock.now() + timedelta(minutes=minutes)
    return between(starts_at, starts_at + timedelta(hours=hours))


def bought(desk: Desk, lot: Lot, **wishes: Any) -> dict[str, Any]:
    """Give a paid booking, of a window that begins soon unless told otherwise."""
    payment = desk.buy(lot, **{**soon(), **wishes})
    return desk.look({"id": payment["reservation_id"]})


def ticket_of(desk: Desk, booking: dict[str, Any]) -> str:
    """Give what the QR code of a booking's ticket holds."""
    return str(desk.get(f"/reservations/{booking['id']}/ticket")["payload"])


def moment(text: str) -> datetime:
    """Read an instant of an answer."""
    return datetime.fromisoformat(text)
