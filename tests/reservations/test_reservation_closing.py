"""Closing bays in which bookings stand: what was shown is what is done, in one commit."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from backend import clock
from backend.extensions import db
from backend.models import Lot, Reservation
from backend.transaction import transaction
from tests.counter import Arrive, MoveClock, ReadMail
from tests.desk import Desk, problem, window
from tests.factories import Factory

Headers = dict[str, str]


class Office:
    """An admin who closes bays, and drivers who stand in them."""

    def __init__(
        self, app: Flask, client: FlaskClient, make: Factory, arrive: Arrive, headers: Headers
    ) -> None:
        self.app, self.client, self.make, self.arrive = app, client, make, arrive
        self.headers = headers

    def book(
        self, lot: Lot, place: int, first: int = 9, last: int = 11, *, pinned: bool = False
    ) -> tuple[Desk, dict[str, Any]]:
        """Let a new driver buy the bay at this place of the lot for hours of tomorrow."""
        desk = self.arrive()
        booked = desk.own(lot, spot_id=self.bay(lot, place), **window(first, last))
        if not pinned:
            with self.app.app_context(), transaction():
                db.session.execute(
                    update(Reservation).where(Reservation.id == booked["id"]).values(pinned=False)
                )
        return desk, booked

    def bay(self, lot: Lot, place: int) -> int:
        return self.make.spots(lot)[place - 1].id

    def close(self, lot: Lot, *places: int, key: str | None = None, **body: Any) -> TestResponse:
        """Ask for a closing of these bays, or with none of the lot; a look alone unless told otherwise."""
        spot_ids = [self.bay(lot, place) for place in places] or None
        return self.client.post(
            f"/api/v1/lots/{lot.id}/closings",
            json={"spot_ids": spot_ids, "reason": "Repairs", "dry_run": True, **body},
            headers=self.headers | ({"Idempotency-Key": key} if key else {}),
        )

    def look(self, lot: Lot, *places: int, **body: Any) -> dict[str, Any]:
        answer = self.close(lot, *places, **body)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json
        assert shown["closings"] is None
        return shown

    def done(self, lot: Lot, *places: int, **body: Any) -> dict[str, Any]:
        """Look, do it, and insist that what was shown is what was done."""
        shown = self.look(lot, *places, **body)
        answer = self.close(lot, *places, dry_run=False, digest=shown["digest"], **body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json
        assert made | {"closings": None} == shown
        return made

    def live_claims(self, lot: Lot) -> list[tuple[str, str]]:
        """Give the bay and the kind of each live claim of a lot."""
        with self.app.app_context(), transaction(read_only=True):
            return [
                (row.label, row.kind)
                for row in db.session.execute(
                    text(
                        "SELECT s.label, c.kind FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id"
                        " WHERE c.live AND c.lot_id = :lot_id ORDER BY s.label, c.kind"
                    ),
                    {"lot_id": lot.id},
                )
            ]


@pytest.fixture
def office(
    app: Flask, client: FlaskClient, make: Factory, arrive: Arrive, as_admin: Headers
) -> Office:
    return Office(app, client, make, arrive, as_admin)


class TestPreview:
    def test_it_tells_what_moves_where_and_what_is_refunded(
        self, office: Office, make: Factory
    ) -> None:
        lot = make.lot(spots=3)
        _, moved = office.book(lot, 1, 9, 11)
        _, pinned = office.book(lot, 1, 12, 13, pinned=True)
        office.book(lot, 2, 9, 11)
        office.book(lot, 3, 8, 10)
        _, refunded = office.book(lot, 1, 8, 9, pinned=True)
        office.book(lot, 2, 8, 9)
        shown = office.look(lot, 1)
        told = {
            each["reservation_id"]: (each["action"], each["to_spot"], each["refund_minor"])
            for each in shown["affected"]
        }
        assert told == {
            refunded["id"]: ("refund", None, refunded["price_minor"]),
            moved["id"]: ("refund", None, moved["price_minor"]),
            pinned["id"]: ("move", "A02", 0),
        }
        assert (shown["moved"], shown["refunded"]) == (1, 2)
        assert shown["refund_minor"] == refunded["price_minor"] + moved["price_minor"]
        assert shown["currency"] == "EUR"

    def test_it_changes_nothing(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=2)
        desk, booked = office.book(lot, 1)
        before = office.live_claims(lot)
        office.look(lot, 1)
        office.look(lot)
        assert office.live_claims(lot) == before
        assert desk.look(booked)["status"] == "confirmed"

    def test_only_the_window_counts(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=1)
        office.book(lot, 1, 9, 11)
        at = window(11, 13)
        assert office.look(lot, 1, **at)["affected"] == []
        assert len(office.look(lot, 1, **window(10, 13))["affected"]) == 1

    def test_a_place_is_made_by_moving_others(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=3)
        _, hit = office.book(lot, 1, 9, 11)
        _, early = office.book(lot, 2, 9, 10)
        _, late = office.book(lot, 3, 10, 11)
        shown = office.look(lot, 1)
        moving = {each["reservation_id"] for each in shown["affected"]}
        assert shown["refunded"] == 0
        assert shown["moved"] == 2
        assert hit["id"] in moving
        assert moving & {early["id"], late["id"]}


class TestCommit:
    def test_bookings_move_and_the_bay_is_closed(
        self, office: Office, make: Factory, read_mail: ReadMail
    ) -> None:
        lot = make.lot(spots=2)
        desk, booked = office.book(lot, 1, pinned=True)
        made = office.done(lot, 1)
        assert made["moved"] == 1
        (closed,) = made["closings"]
        assert closed["spot_id"] == office.bay(lot, 1)
        after = desk.look(booked)
        assert (after["status"], after["spot"]["label"]) == ("confirmed", "A02")
        assert office.live_claims(lot) == [("A01", "closure"), ("A02", "reservation")]
        (mail,) = [mail for mail in read_mail() if "now A02" in mail["Subject"]]
        assert "closed for a time" in mail.get_body(("plain",)).get_content()

    def test_who_finds_no_place_gets_all_money_back(
        self, office: Office, make: Factory, read_mail: ReadMail
    ) -> None:
        lot = make.lot(spots=1, refund_policy="saver")
        desk, booked = office.book(lot, 1)
        made = office.done(lot, 1)
        assert made["refund_minor"] == booked["price_minor"] > 0
        after = desk.look(booked)
        assert after["status"] == "cancelled"
        assert after["refunded_minor"] == booked["price_minor"]
        assert office.live_claims(lot) == [("A01", "closure")]
        assert any(mail["To"] == desk.user.email for mail in read_mail())

    def test_nobody_who_waits_is_offered_a_bay_that_closes(
        self, office: Office, make: Factory, arrive: Arrive
    ) -> None:
        lot = make.lot(spots=1)
        office.book(lot, 1)
        waiting = arrive()
        entry = waiting.client.post(
            "/api/v1/waitlist",
            json={"lot_id": lot.id, "vehicle_id": waiting.vehicle.id, **window()},
            headers=waiting.headers,
        ).json
        office.done(lot, 1)
        assert waiting.get(f"/waitlist/{entry['id']}")["status"] == "waiting"

    def test_a_whole_lot_is_closed_to_bookings(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=2)
        desks = [office.book(lot, place) for place in (1, 2)]
        made = office.done(lot)
        assert made["refunded"] == 2
        assert {desk.look(booked)["status"] for desk, booked in desks} == {"cancelled"}
        shown = office.client.get(f"/api/v1/lots/{lot.id}").json
        assert shown["status"] == "closed"
        assert problem(office.close(lot)) == "409 illegal-transition"
        reopened = office.client.patch(
            f"/api/v1/lots/{lot.id}", json={"status": "open"}, headers=office.headers
        )
        assert reopened.status_code == 200
        assert office.live_claims(lot) == []

    def test_a_whole_lot_may_close_for_a_time(
        self, office: Office, make: Factory, arrive: Arrive
    ) -> None:
        lot = make.lot(spots=2)
        office.book(lot, 1)
        office.done(lot, **window(8, 12))
        assert office.client.get(f"/api/v1/lots/{lot.id}").json["status"] == "open"
        assert problem(arrive().book_window(lot, **window(9, 11))) == "409 lot-full"
        arrive().hold(lot, **window(12, 13))

    def test_a_car_that_is_in_stays_until_its_end(
        self, office: Office, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=2, allows_self_check_in=True)
        desk, booked = office.book(lot, 1)
        move_clock(datetime.fromisoformat(booked["starts_at"]) - clock.now())
        desk = Desk(desk.client, desk.user, make.headers(desk.user), desk.vehicle)
        desk.done(booked, "check-in")
        office.headers = make.headers(make.user(roles=("admin",)))
        made = office.done(lot, 1)
        (stays,) = made["affected"]
        assert (stays["action"], stays["refund_minor"]) == ("stays", 0)
        (closed,) = made["closings"]
        assert closed["starts_at"] == booked["ends_at"]
        assert desk.look(booked)["status"] == "checked_in"

    def test_an_unpaid_hold_is_moved_too(
        self, office: Office, make: Factory, arrive: Arrive
    ) -> None:
        lot = make.lot(spots=2)
        desk = arrive()
        held = desk.hold(lot, spot_id=office.bay(lot, 1))
        office.done(lot, 1)
        assert desk.look(held)["spot"]["label"] == "A02"
        assert desk.charge(held)["status"] == "succeeded"

    def test_the_same_request_again_has_one_effect(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=2)
        office.book(lot, 1)
        digest = office.look(lot, 1)["digest"]
        first, again = (
            office.close(lot, 1, dry_run=False, digest=digest, key="once") for _ in range(2)
        )
        assert first.status_code == again.status_code == 200
        assert first.json == again.json
        assert office.live_claims(lot) == [("A01", "closure"), ("A02", "reservation")]

    def test_staff_acts_are_written_down(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=2)
        _, booked = office.book(lot, 1)
        office.done(lot, 1)
        entries = office.client.get("/api/v1/audit-log", headers=office.headers).json["items"]
        (entry,) = [each for each in entries if each["action"] == "spots.closed"]
        assert entry["after"]["moved"] == [booked["id"]]
        assert entry["after"]["reason"] == "Repairs"


class TestRefusals:
    def test_what_was_not_shown_is_not_done(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=2)
        office.book(lot, 1)
        digest = office.look(lot, 1)["digest"]
        office.book(lot, 1, 12, 13)
        before = office.live_claims(lot)
        answer = office.close(lot, 1, dry_run=False, digest=digest)
        assert problem(answer) == "409 preview-outdated"
        assert office.live_claims(lot) == before

    def test_it_is_looked_at_first(self, office: Office, make: Factory) -> None:
        answer = office.close(make.lot(), 1, dry_run=False)
        assert problem(answer) == "422 invalid-input"
        assert "digest" in answer.json["errors"]

    @pytest.mark.parametrize(
        "body",
        [
            {"spot_ids": [999_999]},
            {"spot_ids": []},
            {"reason": ""},
            window(11, 9),
            {"ends_at": (clock.now() - timedelta(hours=1)).isoformat()},
        ],
    )
    def test_what_makes_no_sense(self, office: Office, make: Factory, body: dict[str, Any]) -> None:
        assert problem(office.close(make.lot(), 1, **body)) == "422 invalid-input"

    def test_a_lot_that_is_not_there(self, office: Office, make: Factory) -> None:
        answer = office.client.post(
            "/api/v1/lots/999999/closings",
            json={"spot_ids": None, "reason": "Repairs", "dry_run": True},
            headers=office.headers,
        )
        assert problem(answer) == "404 not-found"

    def test_the_plain_change_still_refuses(self, office: Office, make: Factory) -> None:
        lot = make.lot(spots=1)
        office.book(lot, 1)
        for path, body, told in (
            (f"/lots/{lot.id}", {"status": "closed"}, "409 lot-in-use"),
            (f"/spots/{office.bay(lot, 1)}", {"in_service": False}, "409 spot-in-use"),
        ):
            answer = office.client.patch(f"/api/v1{path}", json=body, headers=office.headers)
            assert problem(answer) == told
