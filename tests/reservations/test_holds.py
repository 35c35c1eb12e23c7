"""What becomes of holds: prolonged, let go, expired, through the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from backend.extensions import db
from backend.models import Lot
from backend.reservations.tasks import expire_holds
from tests.counter import Arrive, Later, MoveClock
from tests.desk import CHALLENGED, DECLINED, Desk, problem, window
from tests.factories import Factory

MINUTE = timedelta(minutes=1)


class TestDeadline:
    def test_a_stale_hold_frees_its_bay_for_a_lone_client_at_the_first_try(
        self, arrive: Arrive, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=1)
        first, second = arrive(), arrive()
        stale = first.hold(lot)
        assert problem(second.book_window(lot)) == "409 lot-full"
        move_clock(10 * MINUTE)

        fresh = second.hold(lot)

        assert fresh["spot"] == stale["spot"]
        assert first.look(stale)["status"] == "expired"

    def test_a_stale_hold_frees_the_chosen_bay(
        self, arrive: Arrive, lot: Lot, make: Factory, move_clock: MoveClock
    ) -> None:
        spot = make.spots(lot)[1]
        arrive().hold(lot, spot_id=spot.id)
        move_clock(10 * MINUTE)
        assert arrive().book_window(lot, spot_id=spot.id).status_code == 201

    def test_a_stale_hold_does_not_count_as_taken(
        self, client: FlaskClient, desk: Desk, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=1)
        desk.hold(lot)
        assert _free(client, lot) == 0
        move_clock(10 * MINUTE)
        assert _free(client, lot) == 1

    def test_the_sweep_expires_stale_holds_and_nothing_else(
        self, app: Flask, arrive: Arrive, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=4)
        for _ in range(2):
            arrive().hold(lot)
        arrive().buy(lot)
        move_clock(10 * MINUTE)
        arrive().hold(make.lot())

        assert expire_holds() == 2
        assert expire_holds() == 0

        with app.app_context(), db.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT r.status, r.live, c.live FROM reservations r JOIN spot_claims c"
                    " ON c.reservation_id = r.id ORDER BY r.id"
                )
            ).all()
        assert [row[0] for row in rows] == ["expired", "expired", "confirmed", "held"]
        assert [bool(row[1]) for row in rows] == [bool(row[2]) for row in rows]
        assert [bool(row[1]) for row in rows] == [False, False, True, True]


class TestProlonging:
    def test_it_gives_five_minutes_once(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        longer = desk.prolong(held)
        assert longer.status_code == 200, longer.text
        assert _minutes(longer.json) == 15
        assert longer.json["allowed_actions"] == ["pay", "cancel", "change-vehicle"]
        assert problem(desk.prolong(held)) == "409 illegal-transition"

    def test_a_stale_hold_cannot_be_prolonged(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        move_clock(10 * MINUTE)
        assert problem(desk.prolong(held)) == "409 hold-expired"

    def test_what_is_paid_or_gone_cannot_be_prolonged(self, desk: Desk, make: Factory) -> None:
        lot = make.lot()
        paid = desk.hold(lot)
        desk.charge(paid)
        assert problem(desk.prolong(paid)) == "409 illegal-transition"
        gone = desk.hold(lot, **window(12, 13))
        desk.cancel(gone)
        assert problem(desk.prolong(gone)) == "409 illegal-transition"

    def test_anothers_is_not_found(self, desk: Desk, arrive: Arrive, lot: Lot) -> None:
        held = desk.hold(lot)
        assert problem(arrive().prolong(held)) == "404 not-found"
        assert _minutes(desk.look(held)) == 10

    def test_the_start_of_a_payment_gives_five_minutes_once(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        desk.charge(held, CHALLENGED)
        assert _minutes(desk.look(held)) == 15

    def test_a_refused_card_gives_ten_minutes_more_once(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        desk.charge(held, DECLINED)
        assert _minutes(desk.look(held)) == 25
        desk.charge(held, DECLINED)
        assert _minutes(desk.look(held)) == 25

    def test_all_together_never_pass_twenty_five_minutes(
        self, desk: Desk, lot: Lot, later: Later
    ) -> None:
        held = desk.hold(lot)
        desk.prolong(held)
        desk.charge(held, DECLINED)
        assert _minutes(desk.look(held)) == 25
        assert problem(later(desk, minutes=25).pay(held)) == "409 hold-expired"

    def test_a_prolonged_hold_keeps_its_bay(
        self, desk: Desk, arrive: Arrive, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=1)
        desk.prolong(desk.hold(lot))
        move_clock(14 * MINUTE)
        assert problem(arrive().book_window(lot)) == "409 lot-full"


class TestCancelling:
    def test_the_bay_the_plate_and_the_place_among_the_holds_are_free_at_once(
        self, desk: Desk, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        held = desk.hold(lot)
        answer = desk.cancel(held)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        assert answer.json["status"] == "cancelled"
        assert answer.json["due_minor"] == 0
        assert arrive().book_window(lot).status_code == 201
        assert desk.book_window(make.lot()).status_code == 201

    def test_twice_is_refused(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        desk.cancel(held)
        answer = desk.cancel(held)
        assert problem(answer) == "409 illegal-transition"
        assert answer.json is not None
        assert answer.json["status_now"] == "cancelled"

    def test_a_stale_hold_is_expired_and_not_cancelled(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        move_clock(10 * MINUTE)
        answer = desk.cancel(held)
        assert problem(answer) == "409 illegal-transition"
        assert answer.json is not None
        assert answer.json["status_now"] == "expired"

    def test_anothers_is_not_found(self, desk: Desk, arrive: Arrive, lot: Lot) -> None:
        held = desk.hold(lot)
        assert problem(arrive().cancel(held)) == "404 not-found"
        assert desk.look(held) == held

    @pytest.mark.parametrize("reservation_id", [999, 10**18 - 1])
    def test_an_unknown_one_is_not_found(self, desk: Desk, reservation_id: int) -> None:
        assert problem(desk.cancel({"id": reservation_id})) == "404 not-found"


def _minutes(reservation: Any) -> float:
    start, end = (
        datetime.fromisoformat(reservation[name]) for name in ("created_at", "hold_expires_at")
    )
    return (end - start) / MINUTE


def _free(client: FlaskClient, lot: Lot) -> int:
    answer = client.get(f"/api/v1/lots/{lot.id}/spots", query_string=window())
    assert answer.json is not None, answer.text
    return sum(spot["available"] for spot in answer.json["items"])
