"""Fixtures of bookings and payments: a driver at the counter, and what comes by mail."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.config import Settings
from backend.models import Lot, User
from backend.notifications.service import send_due_mail
from tests.desk import Desk
from tests.factories import Factory

Arrive = Callable[..., Desk]
Later = Callable[..., Desk]
MoveClock = Callable[[timedelta], None]
ReadMail = Callable[[], list[EmailMessage]]


@pytest.fixture
def arrive(client: FlaskClient, make: Factory) -> Arrive:
    """Let another driver come, with a vehicle of these traits."""

    def arrive(*, user: User | None = None, **vehicle: object) -> Desk:
        person = user or make.user()
        return Desk(client, person, make.headers(person), make.vehicle(person, **vehicle))

    return arrive


@pytest.fixture
def later(make: Factory, move_clock: MoveClock) -> Later:
    """Move the clock to so many minutes from now, and sign a driver in again."""

    def later(desk: Desk, *, minutes: float) -> Desk:
        move_clock(timedelta(minutes=minutes))
        return replace(desk, headers=make.headers(desk.user))

    return later


@pytest.fixture
def desk(arrive: Arrive) -> Desk:
    return arrive()


@pytest.fixture
def lot(make: Factory) -> Lot:
    return make.lot()


@pytest.fixture
def read_mail(app: Flask, settings: Settings) -> ReadMail:
    """Send what is due, and read all that was ever sent."""

    def read_mail() -> list[EmailMessage]:
        with app.app_context():
            send_due_mail()
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((settings.instance / "mail").glob("*.eml"))
        ]

    return read_mail
