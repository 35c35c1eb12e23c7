"""Another time, or another vehicle, before check-in; through the API."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.counter import Arrive, ReadMail
from tests.desk import Desk, between, problem, window
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff


@pytest.fixture
def start() -> datetime:
    return tomorrow_at(9)


def preview(desk: Desk, booked: dict[str, Any], wish: dict[str, str]) -> dict[str, Any]:
    query = "&".join(f"{name}={quote(moment)}" for name, moment in wish.items())
    return desk.get(f"/reservations/{booked['id']}/rescheduling?{query}")


class TestRescheduling:
    def test_a_longer_time_costs_the_difference(
        self, desk: Desk, make: Factory, read_mail: ReadMail
    ) -> None:
        booked = desk.own(make.lot())
        told = preview(desk, booked, window(12, 15))
        assert told["available"] is True
        assert (told["price_minor"], told["due_minor"], told["refund_minor"]) == (600, 200, 0)
        moved = desk.done(booked, "reschedule", **window(12, 15))
        assert (moved["price_minor"], moved["due_minor"]) == (600, 200)
        assert moved["starts_at"] == window(12, 15)["starts_at"].replace("+00:00", "Z")
        assert moved["sequence"] == booked["sequence"] + 1
        assert "Another time" in read_mail()[-1]["Subject"]
        assert desk.charge(booked)["amount_minor"] == 200

    @pytest.mark.parametrize(
        ("policy", "before", "refund"),
        [
            ("flexible", HOUR, 200),
            ("standard", 3 * HOUR, 150),
            ("standard", HOUR, 100),
            ("standard", -MINUTE, 0),
            ("saver", 3 * HOUR, 0),
        ],
    )
    def test_of_a_cheaper_time_the_share_of_the_policy_comes_back(
        self,
        desk: Desk,
        make: Factory,
        at: At,
        rows: Rows,
        start: datetime,
        policy: str,
        before: timedelta,
        refund: int,
    ) -> None:
        booked = desk.own(make.lot(refund_policy=policy))
        (desk,) = at(start - before, desk)
        wish = between(start + 8 * HOUR, start + 9 * HOUR)
        told = preview(desk, booked, wish)
        assert (told["price_minor"], told["due_minor"], told["refund_minor"]) == (200, 0, refund)
        moved = desk.done(booked, "reschedule", **wish)
        assert (moved["price_minor"], moved["refunded_minor"], moved["due_minor"]) == (
            200,
            refund,
            0,
        )
        assert rows("SELECT coalesce(sum(amount_minor), 0) FROM refunds") == [(refund,)]

    def test_what_was_never_paid_does_not_come_back(
        self, desk: Desk, make: Factory, start: datetime
    ) -> None:
        booked = desk.own(make.lot())
        desk.done(booked, "extend", ends_at=(start + 5 * HOUR).isoformat())
        moved = desk.done(booked, "reschedule", **window(12, 14))
        assert (moved["refunded_minor"], moved["due_minor"]) == (0, 0)

    def test_the_old_time_is_free_and_the_new_one_is_taken(
        self, desk: Desk, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        booked = desk.own(lot)
        desk.done(booked, "reschedule", **window(10, 12))
        assert arrive().book_window(lot, **window(9, 10)).status_code == 201
        assert problem(arrive().book_window(lot, **window(11, 12))) == "409 lot-full"

    def test_another_bay_of_the_kind_will_do_unless_the_bay_was_chosen(
        self, desk: Desk, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        first, second = make.spots(lot)
        pinned, free = desk.own(lot, spot_id=first.id), arrive()
        loose = free.own(lot, **window(14, 15))
        blocker = arrive()
        blocker.own(lot, spot_id=first.id, **window(12, 13))
        refused = desk.act(pinned, "reschedule", **window(12, 13))
        assert problem(refused) == "409 spot-taken"
        assert refused.json is not None
        assert [bay["id"] for bay in refused.json["alternatives"]["spots"]] == [second.id]
        assert free.done(loose, "reschedule", **window(12, 13))["spot"]["id"] == second.id
        third = arrive()
        late = third.own(lot, **window(15, 16))
        assert problem(third.act(late, "reschedule", **window(12, 13))) == "409 lot-full"
        assert third.look(late) == late

    def test_the_same_plate_elsewhere_stands_in_the_way(self, desk: Desk, make: Factory) -> None:
        booked = desk.own(make.lot())
        desk.own(make.lot(), **window(12, 13))
        answer = desk.act(booked, "reschedule", **window(12, 13))
        assert problem(answer) == "409 vehicle-already-booked"
        assert desk.look(booked) == booked

    def test_a_window_that_nobody_may_book_is_refused(
        self, desk: Desk, arrive: Arrive, make: Factory, at: At, staff: Staff, start: datetime
    ) -> None:
        lot = make.lot()
        booked, gate = desk.own(lot), staff(lot)
        assert problem(desk.act(booked, "reschedule", **window(12, 11))) == "422 invalid-input"
        assert problem(desk.act(booked, "reschedule")) == "422 invalid-input"
        wish = window(12, 13)
        assert problem(arrive().act(booked, "reschedule", **wish)) == "404 not-found"
        (desk, gate) = at(start, desk, gate)
        gate.done(booked, "check-in")
        assert problem(desk.act(booked, "reschedule", **wish)) == "409 illegal-transition"


class TestChangingVehicle:
    def test_another_car_comes_instead(
        self, desk: Desk, make: Factory, read_mail: ReadMail
    ) -> None:
        booked, other = desk.own(make.lot()), make.vehicle(desk.user)
        changed = patch(desk, booked, other.id)
        assert changed.status_code == 200, changed.text
        assert changed.json is not None
        assert changed.json["vehicle"]["plate"] == other.plate
        assert changed.json["sequence"] == booked["sequence"] + 1
        assert changed.headers["ETag"]
        body = read_mail()[-1].get_body(("plain",))
        assert body is not None
        assert booked["vehicle"]["plate"] in body.get_content()
        again = patch(desk, booked, other.id)
        assert again.json is not None
        assert again.json["sequence"] == booked["sequence"] + 1

    def test_it_must_fit_the_bay_and_the_lot(self, desk: Desk, make: Factory) -> None:
        booked = desk.own(make.lot(height_limit_cm=200))
        for traits in ({"kind": "motorcycle"}, {"kind": "van"}, {"height_cm": 201}):
            wrong = make.vehicle(desk.user, **traits)
            assert problem(patch(desk, booked, wrong.id)) == "409 vehicle-does-not-fit"
        assert desk.look(booked) == booked

    def test_its_plate_must_be_free(self, desk: Desk, make: Factory) -> None:
        other = make.vehicle(desk.user)
        booked = desk.own(make.lot())
        desk.own(make.lot(), vehicle_id=other.id)
        assert problem(patch(desk, booked, other.id)) == "409 vehicle-already-booked"
        assert desk.look(booked) == booked

    def test_only_ones_own_and_only_before_check_in(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        staff: Staff,
        at: At,
        start: datetime,
    ) -> None:
        lot = make.lot()
        booked, gate, other = desk.own(lot), staff(lot), make.vehicle(desk.user)
        stranger = arrive()
        assert problem(patch(stranger, booked, stranger.vehicle.id)) == "404 not-found"
        assert problem(patch(desk, booked, stranger.vehicle.id)) == "404 not-found"
        (desk, gate) = at(start, desk, gate)
        gate.done(booked, "check-in")
        assert problem(patch(desk, booked, other.id)) == "409 illegal-transition"

    def test_a_hold_may_get_another_vehicle_too(self, desk: Desk, make: Factory) -> None:
        held, other = desk.hold(make.lot()), make.vehicle(desk.user)
        assert patch(desk, held, other.id).status_code == 200
        assert desk.charge(held)["status"] == "succeeded"


def patch(desk: Desk, booked: dict[str, Any], vehicle_id: int) -> TestResponse:
    return desk.client.patch(
        f"/api/v1/reservations/{booked['id']}",
        json={"vehicle_id": vehicle_id},
        headers=desk.headers,
    )
