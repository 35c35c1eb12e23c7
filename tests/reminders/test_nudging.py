"""Asking drivers back: who wants it, after a month without a stay, once, and at a decent hour."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from backend.extensions import db
from backend.models import NotificationSetting, Reminder
from backend.notifications.telling import notify as send
from backend.reminders import nudging
from backend.reminders.tasks import nudge, purge_old
from backend.transaction import transaction
from tests.counter import ReadMail
from tests.desk import Desk, between
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, At, Rows

DAY = timedelta(days=1)
# Berlin is one hour ahead of UTC, or two.
NOON, NIGHT = 11, 2


@pytest.fixture
def parked(desk: Desk, make: Factory) -> datetime:
    """Let the driver have parked tomorrow; give when they left."""
    start = tomorrow_at(9)
    booked = desk.own(make.lot(), **between(start, start + HOUR))
    make.stay(booked["id"])
    return start + HOUR


@pytest.fixture
def wants(app: Flask) -> Callable[..., None]:
    """Let a driver choose to be asked back."""

    def wants(desk: Desk, *, mail: bool = True) -> None:
        with app.app_context(), transaction():
            db.session.merge(
                NotificationSetting(user_id=desk.user.id, kind="nudge", mail=mail, app=False)
            )

    return wants


@pytest.fixture
def nudges(rows: Rows) -> Callable[[], list[Any]]:
    """Give what the mails say that asked back."""

    def nudges() -> list[Any]:
        return rows("SELECT user_id FROM outbox_mails WHERE template = 'nudge' ORDER BY id")

    return nudges


def on(parked: datetime, days: int, hour: int = NOON) -> datetime:
    return (parked + days * DAY).replace(hour=hour)


def test_who_wants_it_is_asked_after_a_month_once_in_a_pause(
    desk: Desk,
    parked: datetime,
    wants: Callable[..., None],
    at: At,
    nudges: Callable[[], list[Any]],
    read_mail: ReadMail,
) -> None:
    wants(desk)
    at(on(parked, 29))
    assert nudge() == 0
    at(on(parked, 31))
    assert nudge() == 1
    (mail,) = (each for each in read_mail() if each["Subject"] == "Parking again?")
    assert "for 31 days" in str(mail.get_body(("plain",)))
    at(on(parked, 200))
    purge_old()
    assert nudge() == 0
    assert nudges() == [(desk.user.id,)]


def test_another_pause_is_another_one(
    desk: Desk, make: Factory, parked: datetime, wants: Callable[..., None], at: At
) -> None:
    wants(desk)
    (desk,) = at(on(parked, 31), desk)
    assert nudge() == 1
    start = on(parked, 32)
    booked = desk.own(make.lot(), **between(start, start + HOUR))
    at(on(parked, 31))
    assert nudge() == 0, "there is something booked"
    make.stay(booked["id"])
    at(on(parked, 64))
    assert nudge() == 1


def test_nobody_is_asked_who_does_not_want_it(
    desk: Desk, parked: datetime, wants: Callable[..., None], at: At
) -> None:
    at(on(parked, 31))
    assert nudge() == 0
    wants(desk, mail=False)
    assert nudge() == 0


def test_nobody_is_asked_who_never_parked(
    desk: Desk, parked: datetime, arrive: Callable[..., Desk], wants: Callable[..., None], at: At
) -> None:
    wants(arrive())
    at(on(parked, 31))
    assert nudge() == 0


def test_nobody_is_woken_up(
    make: Factory,
    arrive: Callable[..., Desk],
    wants: Callable[..., None],
    at: At,
    nudges: Callable[[], list[Any]],
) -> None:
    start, lot = tomorrow_at(9), make.lot()
    here, there = (
        arrive(user=make.user(timezone=zone)) for zone in ("Europe/Berlin", "Asia/Tokyo")
    )
    for desk in (here, there):
        make.stay(desk.own(lot, **between(start, start + HOUR))["id"])
        wants(desk)
    # It is three or four in Berlin, and eleven in Tokyo.
    at(on(start, 32, hour=NIGHT))
    assert nudge() == 1
    assert nudges() == [(there.user.id,)]


def test_one_that_cannot_be_asked_costs_itself(
    app: Flask,
    make: Factory,
    arrive: Callable[..., Desk],
    wants: Callable[..., None],
    at: At,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, lot = tomorrow_at(9), make.lot()
    drivers = [arrive() for _ in range(3)]
    for desk in drivers:
        make.stay(desk.own(lot, **between(start, start + HOUR))["id"])
        wants(desk)

    def notify(user_id: int, *args: Any, **kwargs: Any) -> None:
        if user_id == drivers[1].user.id:
            raise ValueError("poison")
        send(user_id, *args, **kwargs)

    monkeypatch.setattr(nudging, "notify", notify)
    monkeypatch.setattr(nudging, "_BATCH", 2)
    at(on(start, 32))
    assert nudge() == 2
    with app.app_context(), transaction(read_only=True):
        told = {row.user_id for row in db.session.query(Reminder).filter_by(kind="nudge")}
    assert told == {drivers[0].user.id, drivers[2].user.id}
