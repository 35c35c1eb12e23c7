"""Staying longer, through the API."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.counter import Arrive, ReadMail
from tests.desk import Desk, between, problem
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff


@pytest.fixture
def start() -> datetime:
    return tomorrow_at(9)


@pytest.fixture
def end(start: datetime) -> datetime:
    return start + 2 * HOUR


def preview(desk: Desk, booked: dict[str, Any], ends_at: datetime) -> dict[str, Any]:
    return desk.get(f"/reservations/{booked['id']}/extension?ends_at={quote(ends_at.isoformat())}")


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class TestExtending:
    def test_it_costs_the_whole_stay_less_what_was_paid(
        self, desk: Desk, make: Factory, read_mail: ReadMail, end: datetime
    ) -> None:
        booked = desk.own(make.lot())
        told = preview(desk, booked, end + HOUR)
        assert (told["price_minor"], told["due_minor"]) == (600, 200)
        assert (told["available"], told["moves_bay"], told["longest_ends_at"]) == (
            True,
            False,
            None,
        )
        assert told["spot"]["id"] == booked["spot"]["id"]
        assert sum(line["amount_minor"] for line in told["lines"]) == 600

        longer = desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())

        assert longer["ends_at"] == written(end + HOUR)
        assert (longer["price_minor"], longer["due_minor"]) == (600, 200)
        assert longer["quote"]["lines"] == told["lines"]
        assert longer["sequence"] == booked["sequence"] + 1
        assert "pay" in longer["allowed_actions"]
        mail = read_mail()[-1]
        body = mail.get_body(("plain",))
        assert body is not None
        assert "€2.00 is to be paid" in body.get_content()
        assert desk.charge(booked)["amount_minor"] == 200
        paid = desk.look(booked)
        assert (paid["due_minor"], paid["paid_minor"]) == (0, 600)
        assert len([mail for mail in read_mail() if "Your parking at" in mail["Subject"]]) == 1

    def test_a_cap_makes_it_cheaper(self, desk: Desk, make: Factory, end: datetime) -> None:
        booked = desk.own(make.lot(day_cap_minor=500))
        longer = desk.done(booked, "extend", ends_at=(end + 3 * HOUR).isoformat())
        assert (longer["price_minor"], longer["due_minor"]) == (500, 100)

    def test_the_tariff_of_the_booking_counts_whatever_was_published_since(
        self, desk: Desk, make: Factory, client: Any, as_admin: dict[str, str], end: datetime
    ) -> None:
        lot = make.lot()
        booked = desk.own(lot)
        dear = {"name": "Dear", "increments": [{"minutes": 60, "amount_minor": 900}]}
        draft = client.post(f"/api/v1/lots/{lot.id}/tariffs", json=dear, headers=as_admin).json
        done = client.post(f"/api/v1/tariffs/{draft['id']}/publish", headers=as_admin)
        assert done.status_code == 200, done.text
        longer = desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert longer["price_minor"] == 600

    def test_the_time_after_belongs_to_it_from_then_on(
        self, desk: Desk, arrive: Arrive, make: Factory, end: datetime
    ) -> None:
        lot = make.lot(spots=1)
        booked = desk.own(lot)
        desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        refused = arrive().book_window(lot, **between(end, end + HOUR))
        assert problem(refused) == "409 lot-full"

    def test_where_a_chosen_bay_is_in_the_way_another_is_offered(
        self, desk: Desk, arrive: Arrive, make: Factory, read_mail: ReadMail, end: datetime
    ) -> None:
        lot = make.lot(spots=2)
        bays = make.spots(lot)
        booked = desk.own(lot, spot_id=bays[0].id)
        other = arrive()
        after = other.own(lot, spot_id=bays[0].id, **between(end, end + HOUR))
        assert after["spot"]["id"] == bays[0].id
        assert preview(desk, booked, end + HOUR)["moves_bay"] is True
        answer = desk.act(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert problem(answer) == "409 extension-blocked"
        assert answer.json is not None
        assert answer.json["longest_ends_at"] == end.isoformat()
        assert [bay["id"] for bay in answer.json["alternatives"]["spots"]] == [bays[1].id]

        moved = desk.done(booked, "extend", ends_at=(end + HOUR).isoformat(), spot_id=bays[1].id)
        assert moved["spot"]["id"] == bays[1].id
        body = read_mail()[-1].get_body(("plain",))
        assert body is not None
        assert "A02 instead of A01" in body.get_content()

    def test_an_unpinned_booking_in_the_way_gets_another_bay(
        self, desk: Desk, arrive: Arrive, make: Factory, read_mail: ReadMail, end: datetime
    ) -> None:
        lot = make.lot(spots=2)
        first, second = make.spots(lot)
        booked = desk.own(lot, spot_id=first.id)
        filler, other = arrive(), arrive()
        blocking = filler.own(lot, spot_id=second.id, **between(end, end + HOUR))
        after = other.own(lot, **between(end, end + HOUR))
        assert after["spot"]["id"] == first.id
        filler.done(blocking, "cancel")
        told = preview(desk, booked, end + HOUR)
        assert (told["available"], told["moves_bay"]) == (True, False)

        longer = desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())

        assert longer["spot"]["id"] == first.id
        assert other.look(after)["spot"]["id"] == second.id
        told_of_it = [mail for mail in read_mail() if mail["To"] == other.user.email][-1]
        assert "A02" in told_of_it["Subject"]

    def test_without_any_bay_it_is_refused_and_nothing_changes(
        self, desk: Desk, arrive: Arrive, make: Factory, rows: Rows, end: datetime
    ) -> None:
        lot = make.lot(spots=1)
        booked = desk.own(lot)
        arrive().own(lot, **between(end + HOUR, end + 2 * HOUR))
        told = preview(desk, booked, end + 90 * MINUTE)
        assert (told["available"], told["spot"]) == (False, None)
        assert told["longest_ends_at"] == written(end + HOUR)
        before = rows("SELECT count(*) FROM quotes")
        answer = desk.act(booked, "extend", ends_at=(end + 90 * MINUTE).isoformat())
        assert problem(answer) == "409 extension-blocked"
        assert desk.look(booked) == booked
        assert rows("SELECT count(*) FROM quotes") == before
        assert desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())["sequence"] == 1

    def test_the_same_plate_elsewhere_stands_in_the_way(
        self, desk: Desk, make: Factory, end: datetime
    ) -> None:
        booked = desk.own(make.lot())
        desk.own(make.lot(), **between(end, end + HOUR))
        answer = desk.act(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert problem(answer) == "409 vehicle-already-booked"
        assert desk.look(booked) == booked

    def test_it_goes_until_the_end_and_the_grace(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked, other = desk.own(lot), desk.own(lot, vehicle_id=make.vehicle(desk.user).id)
        (gate,) = at(start, gate)
        gate.done(booked, "check-in")
        (desk,) = at(end + 9 * MINUTE, desk)
        later = (end + 30 * MINUTE).isoformat()
        # Who never came has nothing to extend any more.
        assert problem(desk.act(other, "extend", ends_at=later)) == "409 illegal-transition"
        past = (end + 5 * MINUTE).isoformat()
        assert problem(desk.act(booked, "extend", ends_at=past)) == "422 invalid-input"
        assert desk.done(booked, "extend", ends_at=later)["due_minor"] == 200
        (desk,) = at(end + 41 * MINUTE, desk)
        much = (end + 3 * HOUR).isoformat()
        assert problem(desk.act(booked, "extend", ends_at=much)) == "409 illegal-transition"

    @pytest.mark.parametrize("later", [timedelta(0), -HOUR, timedelta(days=30)])
    def test_an_end_that_nobody_may_have_is_refused(
        self, desk: Desk, make: Factory, end: datetime, later: timedelta
    ) -> None:
        booked = desk.own(make.lot())
        answer = desk.act(booked, "extend", ends_at=(end + later).isoformat())
        assert problem(answer) == "422 invalid-input"
        assert answer.json is not None
        assert list(answer.json["errors"]) == ["ends_at"]

    def test_a_lot_that_closes_before_is_no_place_to_stay(
        self, desk: Desk, make: Factory, end: datetime
    ) -> None:
        lot = make.lot(opening_hours="Mo-Su 06:00-13:00", timezone="UTC")
        booked = desk.own(lot)
        answer = desk.act(booked, "extend", ends_at=(end + 3 * HOUR).isoformat())
        assert problem(answer) == "409 lot-not-bookable"

    def test_anothers_bay_and_anothers_booking_are_not_found(
        self, desk: Desk, arrive: Arrive, make: Factory, end: datetime
    ) -> None:
        lot = make.lot(spots=1)
        booked = desk.own(lot)
        arrive().own(lot, **between(end, end + HOUR))
        later = (end + HOUR).isoformat()
        assert problem(arrive().act(booked, "extend", ends_at=later)) == "404 not-found"
        elsewhere = make.spots(make.lot())[0].id
        answer = desk.act(booked, "extend", ends_at=later, spot_id=elsewhere)
        assert problem(answer) == "404 not-found"

    def test_the_same_request_again_extends_once(
        self, desk: Desk, make: Factory, rows: Rows, end: datetime
    ) -> None:
        booked = desk.own(make.lot())
        later = (end + HOUR).isoformat()
        first = desk.act(booked, "extend", key="longer", ends_at=later)
        again = desk.act(booked, "extend", key="longer", ends_at=later)
        assert first.json == again.json
        assert rows("SELECT count(*) FROM reservation_events WHERE kind = 'extended'") == [(1,)]
