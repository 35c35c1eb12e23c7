"""Reminders of bookings: once each, in time, and never of what is not to be any more (P12, P15)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications.sealing import unseal
from backend.reminders import service
from backend.reminders.tasks import purge_old, sweep
from backend.transaction import transaction
from tests.counter import MoveClock, ReadMail
from tests.desk import Desk, between
from tests.factories import Factory, tomorrow_at
from tests.reminders.conftest import Follow
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff

DAY = 24 * HOUR


@pytest.fixture
def told(rows: Rows) -> Callable[[], list[str]]:
    """Name the reminders that went out, the oldest first."""

    def told() -> list[str]:
        return [row.kind for row in rows("SELECT kind FROM reminders ORDER BY at, key")]

    return told


Told = Callable[[], list[str]]


@pytest.fixture
def booked(desk: Desk, make: Factory) -> dict[str, Any]:
    """Book two hours of the day after tomorrow."""
    start = tomorrow_at(9) + DAY
    return desk.own(make.lot(name="Altmarkt"), **between(start, start + 2 * HOUR))


class TestTheStart:
    @pytest.mark.parametrize(
        ("before", "reminders"),
        [
            (24 * HOUR + MINUTE, []),
            (24 * HOUR, ["start_day"]),
            (HOUR + MINUTE, ["start_day"]),
            (HOUR, ["start_hour"]),
            (MINUTE, ["start_hour"]),
            (timedelta(), []),
        ],
    )
    def test_it_is_told_a_day_and_an_hour_before_or_as_soon_as_may_be(
        self,
        booked: dict[str, Any],
        at: At,
        told: Told,
        before: timedelta,
        reminders: list[str],
    ) -> None:
        at(tomorrow_at(9) + DAY - before)
        sweep()
        assert told() == reminders

    def test_each_is_told_once(self, booked: dict[str, Any], at: At, told: Told) -> None:
        start = tomorrow_at(9) + DAY
        for before in (24 * HOUR, 20 * HOUR, HOUR, 30 * MINUTE):
            at(start - before)
            sweep()
            sweep()
        assert told() == ["start_day", "start_hour"]

    def test_the_mail_says_where_and_when_and_its_links_do_what_they_say(
        self, desk: Desk, booked: dict[str, Any], at: At, read_mail: ReadMail, follow: Follow
    ) -> None:
        (desk,) = at(tomorrow_at(9) + DAY - 24 * HOUR, desk)
        sweep()
        mail = next(each for each in read_mail() if "begins" in str(each["Subject"]))
        body = mail.get_body(("plain",))
        assert body is not None
        words = body.get_content()
        assert mail["To"] == desk.user.email
        for fact in ("Altmarkt", booked["code"], booked["spot"]["label"], desk.vehicle.plate):
            assert fact in words
        tokens = re.findall(r"/act#token=(\S+)", words)
        actions = [(follow("look", token).json or {})["action"] for token in tokens]
        assert actions == ["directions", "cancel"]

    def test_its_links_are_kept_as_secrets(
        self, app: Flask, booked: dict[str, Any], at: At
    ) -> None:
        start = tomorrow_at(9) + DAY
        at(start - 24 * HOUR)
        sweep()
        with app.app_context(), transaction(read_only=True):
            mail = db.session.query(OutboxMail).filter_by(template="reminder-start-day").one()
            assert "token" not in str(mail.context)
            assert mail.sealed is not None
            settings = app.extensions["settings"]
            assert set(unseal(mail.sealed, settings.secret_keys)) == {
                "directions_url",
                "cancel_url",
            }
            assert mail.expires_at == start - HOUR

    def test_who_booked_after_it_was_due_is_not_reminded_at_once(
        self, desk: Desk, make: Factory, told: Told
    ) -> None:
        start = tomorrow_at(0)
        desk.own(make.lot(), **between(start, start + HOUR))
        sweep()
        assert told() == []

    def test_a_booking_that_moved_is_reminded_of_anew(
        self, desk: Desk, booked: dict[str, Any], at: At, told: Told
    ) -> None:
        start = tomorrow_at(9) + DAY
        (desk,) = at(start - 24 * HOUR, desk)
        sweep()
        later = start + 2 * DAY
        desk.done(booked, "reschedule", **between(later, later + 2 * HOUR))
        at(later - 24 * HOUR)
        sweep()
        sweep()
        assert told() == ["start_day", "start_day"]

    def test_who_just_chose_another_time_is_not_reminded_of_it_at_once(
        self, desk: Desk, booked: dict[str, Any], at: At, told: Told
    ) -> None:
        start = tomorrow_at(9) + DAY
        (desk,) = at(start - 30 * HOUR, desk)
        desk.done(booked, "reschedule", **between(start - 20 * HOUR, start - 18 * HOUR))
        sweep()
        assert told() == []
        at(start - 21 * HOUR)
        sweep()
        assert told() == ["start_hour"]

    def test_one_that_was_cancelled_is_not_reminded_of(
        self, desk: Desk, booked: dict[str, Any], at: At, told: Told
    ) -> None:
        desk.cancel(booked)
        at(tomorrow_at(9) + DAY - 24 * HOUR)
        sweep()
        assert told() == []

    def test_it_is_told_in_the_language_of_the_driver_and_the_zone_of_the_lot(
        self,
        make: Factory,
        arrive: Callable[..., Desk],
        at: At,
        rows: Rows,
        app: Flask,
    ) -> None:
        start = tomorrow_at(9) + DAY
        desk = arrive(user=make.user(locale="hi-IN", timezone="Asia/Kolkata"))
        desk.own(make.lot(timezone="Asia/Tokyo"), **between(start, start + HOUR))
        at(start - 24 * HOUR)
        sweep()
        with app.app_context(), transaction(read_only=True):
            mail = db.session.query(OutboxMail).filter_by(template="reminder-start-day").one()
        assert mail.locale.startswith("hi")
        assert mail.context["starts"].endswith("18:00 (JST)")
        assert not re.search("Mon|Tue|Wed|Thu|Fri|Sat|Sun", mail.context["starts"])


class TestTheEnd:
    @pytest.mark.parametrize(
        ("before", "reminders"),
        [
            (31, []),
            (30, ["end_half_hour"]),
            (11, ["end_half_hour"]),
            (10, ["end_soon"]),
            (1, ["end_soon"]),
            (0, []),
        ],
    )
    def test_it_is_told_half_an_hour_and_ten_minutes_before_to_who_is_in(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        told: Told,
        before: int,
        reminders: list[str],
    ) -> None:
        lot, start = make.lot(), tomorrow_at(9)
        booked, gate = desk.own(lot, **between(start, start + 2 * HOUR)), staff(lot)
        (gate,) = at(start, gate)
        gate.done(booked, "check-in")
        at(start + 2 * HOUR - before * MINUTE)
        sweep()
        sweep()
        assert told() == reminders

    def test_who_is_not_in_is_not_told(self, desk: Desk, make: Factory, at: At, told: Told) -> None:
        start = tomorrow_at(9)
        desk.own(make.lot(), **between(start, start + 2 * HOUR))
        at(start + 95 * MINUTE)
        sweep()
        assert told() == []

    def test_the_link_in_it_extends(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        read_mail: ReadMail,
        follow: Follow,
    ) -> None:
        lot, start = make.lot(), tomorrow_at(9)
        booked, gate = desk.own(lot, **between(start, start + 2 * HOUR)), staff(lot)
        (gate,) = at(start, gate)
        gate.done(booked, "check-in")
        (desk,) = at(start + 90 * MINUTE, desk)
        sweep()
        mail = next(each for each in read_mail() if "ends soon" in str(each["Subject"]))
        body = mail.get_body(("plain",))
        assert body is not None
        (token,) = re.findall(r"/act#token=(\S+)", body.get_content())
        assert (follow("act", token).json or {})["done"] is True
        now = desk.look(booked)
        assert now["ends_at"].startswith(f"{start + 150 * MINUTE:%Y-%m-%dT%H:%M}")


class TestTheHold:
    @pytest.mark.parametrize(("after", "reminders"), [(6, []), (8, ["hold_ending"]), (10.1, [])])
    def test_it_is_told_when_three_minutes_are_left(
        self, desk: Desk, make: Factory, later: Any, told: Told, after: float, reminders: list[str]
    ) -> None:
        desk.hold(make.lot())
        later(desk, minutes=after)
        sweep()
        sweep()
        assert told() == reminders

    def test_one_that_was_paid_is_not(
        self, desk: Desk, make: Factory, later: Any, told: Told
    ) -> None:
        desk.own(make.lot())
        later(desk, minutes=8)
        sweep()
        assert told() == []


class TestTheSweep:
    def test_a_row_that_cannot_be_told_costs_itself(
        self,
        make: Factory,
        arrive: Callable[..., Desk],
        at: At,
        change: Callable[..., None],
        rows: Rows,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        start = tomorrow_at(9) + DAY
        lot = make.lot(spots=3)
        booked = [arrive().own(lot, **between(start, start + HOUR)) for _ in range(3)]
        change("UPDATE reservations SET currency = 'nonsense' WHERE id = :id", id=booked[1]["id"])
        monkeypatch.setattr(service, "_BATCH", 2)
        at(start - 24 * HOUR)
        assert sweep() == 2
        assert rows("SELECT reservation_id FROM reminders ORDER BY reservation_id") == [
            (booked[0]["id"],),
            (booked[2]["id"],),
        ]

    def test_a_walk_in_has_nobody_to_tell(
        self, make: Factory, staff: Staff, move_clock: MoveClock, told: Told
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        answer = gate.client.post(
            "/api/v1/gate/walk-ins",
            json={"lot_id": lot.id, "plate": "DD WI 1"},
            headers=gate.headers,
        )
        assert answer.status_code == 201, answer.text
        move_clock(115 * MINUTE)
        sweep()
        assert told() == []

    def test_keys_go_when_they_cannot_be_due_again(
        self, booked: dict[str, Any], at: At, rows: Rows
    ) -> None:
        at(tomorrow_at(9) + DAY - 24 * HOUR)
        sweep()
        assert purge_old() == 0
        at(tomorrow_at(9) + 120 * DAY)
        assert purge_old() == 1
        assert rows("SELECT * FROM reminders") == []
