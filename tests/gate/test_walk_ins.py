"""Cars without a booking: a bay at once, and the price as they leave."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.models import Lot
from tests.desk import Desk, problem
from tests.factories import Factory
from tests.gate.conftest import Gatekeeper, Post, bought, moment, soon

Wait = Callable[..., Any]


class TestWalkIn:
    def test_it_is_in_at_once_for_two_hours(self, gate: Gatekeeper, lot: Lot) -> None:
        walk_in = gate.admit(plate="b-pa 42")
        assert walk_in["status"] == "checked_in"
        assert walk_in["source"] == "walk_in"
        assert walk_in["vehicle"]["plate"] == "BPA42"
        assert walk_in["vehicle"]["id"] is None
        length = moment(walk_in["ends_at"]) - moment(walk_in["starts_at"])
        assert length.total_seconds() == 2 * 3600
        assert walk_in["stay"]["entered_at"] == walk_in["starts_at"]
        assert [each["id"] for each in gate.look("present")["items"]] == [walk_in["id"]]
        (scan,) = gate.look("scans")["items"]
        assert (scan["credential"], scan["shown"], scan["result"]) == ("plate", "BPA42", "entered")

    def test_its_bay_is_nobody_elses(self, make: Factory, post: Post, desk: Desk) -> None:
        lot = make.lot(spots=1)
        post(lot).admit(plate="B PA 1")
        assert problem(desk.book_window(lot, **soon())) == "409 lot-full"

    def test_it_pays_for_the_time_that_it_was_in(self, gate: Gatekeeper, wait: Wait) -> None:
        walk_in = gate.admit(plate="B PA 1", ends_at=soon(hours=5)["ends_at"])
        gate = wait(gate, minutes=61)
        refused = gate.scan("B PA 1")
        assert problem(refused) == "409 payment-due"
        # Two started hours of 2.00, whatever was expected.
        assert refused.json["due_minor"] == 400
        (present,) = gate.look("present")["items"]
        assert present["due_minor"] == 400
        assert gate.take_cash(walk_in)["amount_minor"] == 400
        left = gate.let_pass("B PA 1")
        assert left["result"] == "left"
        assert left["reservation"]["status"] == "completed"
        assert left["reservation"]["due_minor"] == 0

    def test_it_may_be_let_out_for_a_reason(self, gate: Gatekeeper) -> None:
        walk_in = gate.admit(plate="B PA 1")
        answer = gate.client.post(
            f"/api/v1/reservations/{walk_in['id']}/check-out",
            json={"let_out_reason": "The card reader is broken."},
            headers=gate.headers,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json["status"] == "completed"
        assert answer.json["debt_minor"] == 200

    def test_the_same_request_again_lets_in_no_second_car(self, gate: Gatekeeper) -> None:
        first = gate.walk_in(plate="B PA 1", key="once")
        second = gate.walk_in(plate="B PA 1", key="once")
        assert first.status_code == second.status_code == 201
        assert first.json["id"] == second.json["id"]
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_the_attendant_may_choose_the_bay_or_its_kind(self, make: Factory, post: Post) -> None:
        lot = make.lot(spots=2)
        gate = post(lot)
        spot = make.spots(lot)[1]
        walk_in = gate.admit(plate="B PA 1", spot_id=spot.id)
        assert walk_in["spot"]["id"] == spot.id
        assert problem(gate.walk_in(plate="B PA 2", spot_id=spot.id)) == "409 spot-taken"
        assert gate.admit(plate="B PA 2", spot_kind="standard")["spot"]["id"] != spot.id
        assert problem(gate.walk_in(plate="B PA 3")) == "409 lot-full"

    def test_any_kind_that_the_car_fits(self, make: Factory, post: Post) -> None:
        gate = post(make.lot(spots=1, kind="accessible"))
        assert problem(gate.walk_in(plate="B PA 1")) == "409 lot-not-bookable"
        # The attendant saw the permit.
        assert gate.admit(plate="B PA 1", spot_kind="accessible")["spot"]["kind"] == "accessible"

    def test_a_booking_makes_room_for_it_where_it_can(
        self, make: Factory, post: Post, desk: Desk, arrive: Callable[..., Desk]
    ) -> None:
        lot = make.lot(spots=2)
        first, second = make.spots(lot)
        # Each bay has a booking later on; together they fit onto one.
        bought(desk, lot, **soon(180, hours=1), spot_id=first.id)
        bought(arrive(), lot, **soon(300, hours=1))
        walk_in = post(lot).admit(plate="B PA 1", ends_at=soon(0, hours=4.5)["ends_at"])
        assert walk_in["spot"]["id"] == second.id


class TestRefusal:
    def test_a_plate_that_has_a_booking(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        bought(desk, lot, **soon(30))
        refused = gate.walk_in(plate=desk.vehicle.plate)
        assert problem(refused) == "409 vehicle-already-booked"

    def test_a_car_that_is_in(self, gate: Gatekeeper) -> None:
        gate.admit(plate="B PA 1")
        assert problem(gate.walk_in(plate="BPA1")) == "409 vehicle-already-booked"

    @pytest.mark.parametrize(
        ("wishes", "status"),
        [
            ({"plate": "!!!"}, "422 invalid-input"),
            ({"plate": ""}, "422 invalid-input"),
            ({"vehicle_kind": "tank"}, "422 invalid-input"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "422 invalid-input"),
            ({"spot_id": 999_999}, "404 not-found"),
            ({"vehicle_kind": "motorcycle"}, "409 lot-not-bookable"),
            ({"vehicle_kind": "van", "spot_kind": "compact"}, "409 vehicle-does-not-fit"),
            ({"spot_kind": "electric"}, "409 lot-not-bookable"),
        ],
        ids=lambda value: None if isinstance(value, dict) else value,
    )
    def test_what_cannot_be(self, gate: Gatekeeper, wishes: dict[str, Any], status: str) -> None:
        assert problem(gate.walk_in(**{"plate": "B PA 1", **wishes})) == status
        assert gate.look("present")["items"] == []

    def test_a_lot_that_is_shut(self, make: Factory, post: Post) -> None:
        for lot in (make.lot(status="closed"), make.lot(hourly_minor=None)):
            assert problem(post(lot).walk_in(plate="B PA 1")) == "409 lot-not-bookable"
