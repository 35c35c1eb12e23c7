"""Waiting for a bay of a full lot: who comes first, what is offered, and what becomes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.models import Lot
from backend.reservations import tasks as housekeeping
from backend.transaction import transaction
from backend.waitlist import tasks
from tests.counter import Arrive, Later, ReadMail
from tests.desk import Desk, problem, window
from tests.factories import Factory


def wait(desk: Desk, lot: Lot, *, key: str | None = None, **wishes: Any) -> TestResponse:
    """Try to join the queue, for two hours of tomorrow unless told otherwise."""
    return desk.client.post(
        "/api/v1/waitlist",
        json={"lot_id": lot.id, "vehicle_id": desk.vehicle.id, **window(), **wishes},
        headers=desk.headers | ({"Idempotency-Key": key} if key else {}),
    )


def joined(desk: Desk, lot: Lot, **wishes: Any) -> dict[str, Any]:
    answer = wait(desk, lot, **wishes)
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json
    return entry


def look(desk: Desk, entry: dict[str, Any]) -> dict[str, Any]:
    return desk.get(f"/waitlist/{entry['id']}")


def leave(desk: Desk, entry: dict[str, Any]) -> TestResponse:
    return desk.client.delete(f"/api/v1/waitlist/{entry['id']}", headers=desk.headers)


@pytest.fixture
def full(arrive: Arrive, make: Factory) -> tuple[Lot, Desk, dict[str, Any]]:
    """A lot of one bay, who has bought it, and the booking."""
    lot = make.lot(spots=1)
    desk = arrive()
    return lot, desk, desk.own(lot)


Full = tuple[Lot, Desk, dict[str, Any]]


@pytest.fixture
def sweep(app: Flask) -> Callable[[], int]:
    def sweep() -> int:
        with app.app_context():
            return int(tasks.sweep())

    return sweep


class TestJoining:
    def test_who_waits_is_told_where_they_stand(self, full: Full, arrive: Arrive) -> None:
        lot, _, _ = full
        first, second, apart = arrive(), arrive(), arrive()
        entry = joined(first, lot)
        assert {name: entry[name] for name in ("status", "position", "reservation_id")} == {
            "status": "waiting",
            "position": 1,
            "reservation_id": None,
        }
        assert entry["lot"] == {"id": lot.id, "name": lot.name, "timezone": "Europe/Berlin"}
        assert entry["vehicle"] == {"id": first.vehicle.id, "plate": first.vehicle.plate}
        assert joined(second, lot)["position"] == 2
        # Who waits for another time is in nobody's way.
        first.own(lot, **window(12, 14))
        assert joined(apart, lot, **window(12, 14))["position"] == 1
        assert first.get("/waitlist")["items"] == [entry]
        assert first.get("/waitlist")["total"] == 1

    def test_a_free_bay_is_there_to_be_booked(self, make: Factory, desk: Desk) -> None:
        assert problem(wait(desk, make.lot(spots=1))) == "409 lot-has-room"

    def test_one_that_moves_make_free_is_as_good(
        self, make: Factory, arrive: Arrive, app: Flask
    ) -> None:
        lot = make.lot(spots=2)
        bays = [spot.id for spot in make.spots(lot)]
        arrive().own(lot, spot_id=bays[0], **window(9, 10))
        other = arrive().own(lot, spot_id=bays[1], **window(10, 11))
        desk = arrive()
        entry = joined(desk, lot)
        assert leave(desk, entry).status_code == 204
        unpin(app, other)
        assert problem(wait(desk, lot)) == "409 lot-has-room"

    def test_a_hold_past_its_deadline_is_in_nobodys_way(
        self, make: Factory, arrive: Arrive, later: Later
    ) -> None:
        lot = make.lot(spots=1)
        arrive().hold(lot)
        desk = arrive()
        entry = joined(desk, lot)
        desk = later(desk, minutes=11)
        assert leave(desk, entry).status_code == 204
        assert problem(wait(desk, lot)) == "409 lot-has-room"

    def test_nobody_waits_twice_for_one_window(self, full: Full, desk: Desk) -> None:
        lot, _, _ = full
        entry = joined(desk, lot)
        assert problem(wait(desk, lot)) == "409 already-waiting"
        assert leave(desk, entry).status_code == 204
        joined(desk, lot)

    def test_the_same_request_again_has_one_effect(self, full: Full, desk: Desk) -> None:
        lot, _, _ = full
        first, again = wait(desk, lot, key="one"), wait(desk, lot, key="one")
        assert first.status_code == again.status_code == 201
        assert first.json == again.json

    @pytest.mark.parametrize(
        ("wishes", "told"),
        [
            (window(11, 9), "422 invalid-input"),
            ({"spot_kind": "motorcycle"}, "409 vehicle-does-not-fit"),
            ({"lot_id": 999_999}, "404 not-found"),
            ({"vehicle_id": 999_999}, "404 not-found"),
        ],
    )
    def test_what_could_not_be_booked_is_not_waited_for(
        self, full: Full, desk: Desk, wishes: dict[str, Any], told: str
    ) -> None:
        assert problem(wait(desk, full[0], **wishes)) == told

    def test_ten_windows_are_the_most(self, make: Factory, arrive: Arrive) -> None:
        lot = make.lot(spots=1)
        arrive().own(lot, **window(1, 23))
        desk = arrive()
        for hour in range(10):
            joined(desk, lot, **window(hour + 1, hour + 3))
        assert problem(wait(desk, lot, **window(20, 22))) == "409 too-many-reservations"


class TestLeaving:
    def test_the_next_ones_move_up(self, full: Full, arrive: Arrive) -> None:
        lot, _, _ = full
        first, second = arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        assert leave(first, entries[0]).status_code == 204
        assert look(first, entries[0])["status"] == "left"
        assert look(second, entries[1])["position"] == 1
        assert problem(leave(first, entries[0])) == "409 illegal-transition"

    def test_another_driver_does_not_find_it(self, full: Full, arrive: Arrive) -> None:
        lot, _, _ = full
        entry = joined(arrive(), lot)
        other = arrive()
        assert problem(leave(other, entry)) == "404 not-found"
        assert problem(other.try_get(f"/waitlist/{entry['id']}")) == "404 not-found"


class TestOffers:
    def test_the_first_gets_a_real_hold_of_a_quarter_of_an_hour(
        self, full: Full, arrive: Arrive, read_mail: ReadMail
    ) -> None:
        lot, owner, booked = full
        first, second = arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        assert owner.cancel(booked).status_code == 200

        offered = look(first, entries[0])
        assert (offered["status"], offered["position"]) == ("offered", None)
        held = first.look({"id": offered["reservation_id"]})
        assert (held["status"], held["source"]) == ("held", "waitlist")
        assert held["hold_expires_at"] == offered["hold_expires_at"]
        assert length(held["created_at"], held["hold_expires_at"]) == timedelta(minutes=15)
        assert look(second, entries[1])["position"] == 1
        assert problem(arrive().book_window(lot)) == "409 lot-full"
        (mail,) = [mail for mail in read_mail() if mail["To"] == first.user.email]
        assert "A bay for you" in mail["Subject"]
        assert f"/bookings/{held['id']}" in mail.get_body(("plain",)).get_content()

        assert first.charge(held)["status"] == "succeeded"
        assert look(first, entries[0])["status"] == "booked"

    def test_the_next_one_gets_what_the_first_lets_go(self, full: Full, arrive: Arrive) -> None:
        lot, owner, booked = full
        first, second = arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        owner.cancel(booked)
        assert first.cancel({"id": look(first, entries[0])["reservation_id"]}).status_code == 200
        assert look(first, entries[0])["status"] == "lapsed"
        assert look(second, entries[1])["status"] == "offered"

    def test_the_next_one_gets_what_the_first_lets_lapse(
        self, app: Flask, full: Full, arrive: Arrive, later: Later, sweep: Callable[[], int]
    ) -> None:
        lot, owner, booked = full
        first, second = arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        owner.cancel(booked)
        second = later(second, minutes=16)
        first = replace(first, headers=later(first, minutes=16).headers)
        assert look(first, entries[0])["status"] == "lapsed"
        with app.app_context():
            assert housekeeping.expire_holds() == 1
        assert look(second, entries[1])["status"] == "offered"
        assert sweep() == 0

    def test_who_books_past_the_queue_finds_it_full(
        self, full: Full, arrive: Arrive, later: Later, sweep: Callable[[], int]
    ) -> None:
        """A hold lapses, and a stranger wants the bay before any job has looked."""
        lot, owner, booked = full
        first, second, stranger = arrive(), arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        owner.cancel(booked)
        stranger = later(stranger, minutes=16)
        wanted = {name: booked[name] for name in ("starts_at", "ends_at")}
        assert problem(stranger.book_window(lot, **wanted)) == "409 lot-full"
        second = later(second, minutes=16)
        # A refusal keeps nothing; the minute's sweep makes the offer.
        assert sweep() == 1
        assert look(second, entries[1])["status"] == "offered"

    def test_who_waits_may_take_the_bay_themselves(
        self, full: Full, arrive: Arrive, later: Later
    ) -> None:
        lot, owner, booked = full
        first, second = arrive(), arrive()
        joined(first, lot)
        joined(second, lot)
        owner.cancel(booked)
        second = later(second, minutes=16)
        wanted = {name: booked[name] for name in ("starts_at", "ends_at")}
        assert second.book_window(lot, **wanted).status_code == 201

    def test_a_window_that_does_not_fit_is_passed_over(self, full: Full, arrive: Arrive) -> None:
        lot, owner, booked = full
        arrive().own(lot, **window(11, 12))
        longer, fits = arrive(), arrive()
        entries = joined(longer, lot, **window(9, 12)), joined(fits, lot, **window(9, 10))
        owner.cancel(booked)
        assert look(longer, entries[0])["status"] == "waiting"
        assert look(fits, entries[1])["status"] == "offered"

    def test_one_bay_may_serve_two_who_wait(self, full: Full, arrive: Arrive) -> None:
        lot, owner, booked = full
        early, late = arrive(), arrive()
        entries = joined(early, lot, **window(9, 10)), joined(late, lot, **window(10, 11))
        owner.cancel(booked)
        assert look(early, entries[0])["status"] == "offered"
        assert look(late, entries[1])["status"] == "offered"

    @pytest.mark.parametrize("why", ["clash", "holds", "debt", "vehicle gone"])
    def test_who_cannot_book_just_now_is_passed_over(
        self, app: Flask, full: Full, arrive: Arrive, make: Factory, why: str
    ) -> None:
        lot, owner, booked = full
        first, second = arrive(), arrive()
        entries = joined(first, lot), joined(second, lot)
        elsewhere = make.lot()
        if why == "clash":
            first.own(elsewhere)
        elif why == "holds":
            first.hold(elsewhere, **window(13, 14))
            first.hold(elsewhere, **window(15, 16))
        elif why == "debt":
            owed = first.own(elsewhere, **window(13, 14))
            make.stay(owed["id"])
            _change(app, "UPDATE reservations SET debt_minor = 100 WHERE id = :id", owed)
        else:
            gone = first.client.delete(
                f"/api/v1/vehicles/{first.vehicle.id}", headers=first.headers
            )
            assert gone.status_code == 204
        owner.cancel(booked)
        assert look(second, entries[1])["status"] == "offered"
        assert look(first, entries[0])["status"] in {"waiting", "lapsed"}

    def test_where_there_is_nothing_to_pay_the_bay_is_theirs_at_once(
        self, make: Factory, arrive: Arrive, read_mail: ReadMail
    ) -> None:
        lot = make.lot(spots=1, hourly_minor=0)
        owner, desk = arrive(), arrive()
        booked = owner.hold(lot)
        entry = joined(desk, lot)
        assert owner.cancel(booked).status_code == 200
        offered = look(desk, entry)
        assert offered["status"] == "booked"
        assert desk.look({"id": offered["reservation_id"]})["status"] == "confirmed"
        assert any(
            "nothing to pay" in mail.get_body(("plain",)).get_content() for mail in read_mail()
        )

    def test_a_bay_that_is_put_back_into_service_is_offered(
        self, make: Factory, desk: Desk, as_admin: dict[str, str]
    ) -> None:
        lot = make.lot(spots=1)
        path = f"/api/v1/spots/{make.spots(lot)[0].id}"
        desk.client.patch(path, json={"in_service": False}, headers=as_admin)
        entry = joined(desk, lot)
        answer = desk.client.patch(path, json={"in_service": True}, headers=as_admin)
        assert answer.status_code == 200
        assert look(desk, entry)["status"] == "offered"


class TestSweep:
    def test_who_was_passed_over_is_offered_later(
        self, full: Full, arrive: Arrive, make: Factory, sweep: Callable[[], int]
    ) -> None:
        lot, owner, booked = full
        desk = arrive()
        entry = joined(desk, lot)
        elsewhere = make.lot()
        clash = desk.hold(elsewhere)
        owner.cancel(booked)
        assert look(desk, entry)["status"] == "waiting"
        assert sweep() == 0
        desk.cancel(clash)
        assert sweep() == 1
        assert sweep() == 0
        assert look(desk, entry)["status"] == "offered"

    def test_others_are_moved_for_who_waits(
        self, app: Flask, make: Factory, arrive: Arrive, sweep: Callable[[], int]
    ) -> None:
        lot = make.lot(spots=2)
        bays = [spot.id for spot in make.spots(lot)]
        arrive().own(lot, spot_id=bays[0], **window(9, 10))
        other = arrive().own(lot, spot_id=bays[1], **window(10, 11))
        desk = arrive()
        entry = joined(desk, lot)
        unpin(app, other)
        assert sweep() == 1
        assert look(desk, entry)["status"] == "offered"

    def test_what_has_begun_lapses(
        self, full: Full, arrive: Arrive, later: Later, sweep: Callable[[], int]
    ) -> None:
        lot, _, _ = full
        desk = arrive()
        entry = joined(desk, lot)
        desk = later(desk, minutes=60 * 48)
        assert look(desk, entry)["status"] == "lapsed"
        assert sweep() == 0
        assert look(desk, entry)["status"] == "lapsed"

    def test_it_writes_down_what_became_of_offers(
        self, app: Flask, full: Full, arrive: Arrive, sweep: Callable[[], int]
    ) -> None:
        lot, owner, booked = full
        desk = arrive()
        entry = joined(desk, lot)
        owner.cancel(booked)
        desk.charge({"id": look(desk, entry)["reservation_id"]})
        sweep()
        assert stored(app, entry) == "booked"


def unpin(app: Flask, booked: dict[str, Any]) -> None:
    _change(app, "UPDATE reservations SET pinned = false WHERE id = :id", booked)


def stored(app: Flask, entry: dict[str, Any]) -> str:
    with app.app_context(), transaction(read_only=True):
        return str(
            db.session.execute(
                text("SELECT status FROM waitlist_entries WHERE id = :id"), {"id": entry["id"]}
            ).scalar_one()
        )


def length(first: str, last: str) -> timedelta:
    return datetime.fromisoformat(last) - datetime.fromisoformat(first)


def _change(app: Flask, sql: str, row: dict[str, Any]) -> None:
    with app.app_context(), transaction():
        db.session.execute(text(sql), {"id": row["id"]})
