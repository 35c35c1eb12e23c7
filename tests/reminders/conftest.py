"""The counter and the gate, where these tests happen, and the links that their mails hold."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.models import Reservation
from backend.reminders.links import Action, link
from backend.transaction import transaction
from tests.reservations.conftest import arrive, at, change, desk, later, lot, read_mail, rows, staff

__all__ = ["arrive", "at", "change", "desk", "later", "lot", "read_mail", "rows", "staff"]

Linked = Callable[..., str]
Follow = Callable[..., TestResponse]


@pytest.fixture
def linked(app: Flask) -> Linked:
    """Give the token of the link for a booking: ``linked("cancel", booking)``."""

    def linked(action: Action, booking: dict[str, int]) -> str:
        with app.app_context(), transaction(read_only=True):
            address = link(action, db.session.get_one(Reservation, booking["id"]))
        before, _, token = address.partition("#token=")
        assert before.endswith("/act")
        return token

    return linked


@pytest.fixture
def follow(client: FlaskClient) -> Follow:
    """Look at a link, or act on it, as nobody: ``follow("act", token)``."""

    def follow(verb: str, token: str, **body: object) -> TestResponse:
        return client.post(f"/api/v1/links/{verb}", json={"token": token, **body})

    return follow
