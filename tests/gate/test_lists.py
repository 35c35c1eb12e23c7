"""What an attendant sees: where they work, who comes, who is in, what was shown, and the cash."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from backend.models import Lot
from tests.counter import Arrive
from tests.desk import Desk, problem
from tests.factories import Factory
from tests.gate.conftest import Gatekeeper, Post, bought, soon

Wait = Callable[..., Any]


def ids(found: dict[str, Any]) -> list[int]:
    return [each["id"] for each in found["items"]]


class TestLots:
    def test_an_attendant_sees_where_they_work_and_an_admin_all(
        self, client: FlaskClient, make: Factory, post: Post
    ) -> None:
        here = make.lot(name="Altmarkt")
        make.lot(name="Bahnhof")
        make.lot(name="Draft", status="draft")
        gate = post(here)
        own = client.get("/api/v1/gate/lots", headers=gate.headers).json
        assert [lot["name"] for lot in own["items"]] == ["Altmarkt"]
        as_admin = make.headers(make.user(roles=("admin",)))
        page = client.get("/api/v1/gate/lots?limit=1", headers=as_admin).json
        assert [lot["name"] for lot in page["items"]] == ["Altmarkt"]
        rest = client.get(
            "/api/v1/gate/lots", query_string={"cursor": page["next_cursor"]}, headers=as_admin
        ).json
        assert [lot["name"] for lot in rest["items"]] == ["Bahnhof"]
        one = client.get(f"/api/v1/gate/lots?lot_id={here.id}", headers=as_admin).json
        assert [lot["name"] for lot in one["items"]] == ["Altmarkt"]
        found = client.get("/api/v1/gate/lots?q=bahn", headers=as_admin).json
        assert [lot["name"] for lot in found["items"]] == ["Bahnhof"]


class TestArrivals:
    def test_paid_bookings_of_the_next_hours_and_who_is_late(
        self, gate: Gatekeeper, arrive: Arrive, make: Factory, lot: Lot, wait: Wait
    ) -> None:
        late = bought(arrive(), lot, **soon(0))
        next_one = bought(arrive(), lot, **soon(60))
        arrive().hold(lot, **soon(30))
        bought(arrive(), make.lot(), **soon(30))
        tonight = bought(arrive(), lot, **soon(200))
        gate = wait(gate, minutes=14)
        assert ids(gate.look("arrivals")) == [late["id"], next_one["id"]]
        assert ids(gate.look("arrivals", hours=4)) == [late["id"], next_one["id"], tonight["id"]]
        gate.let_pass(late["code"])
        assert ids(gate.look("arrivals")) == [next_one["id"]]
        first = gate.look("arrivals", hours=4, limit=1)
        assert ids(first) == [next_one["id"]]
        assert ids(gate.look("arrivals", hours=4, cursor=first["next_cursor"])) == [tonight["id"]]

    def test_an_attendant_learns_the_plate_and_not_who_drives(
        self, gate: Gatekeeper, desk: Desk, lot: Lot
    ) -> None:
        bought(desk, lot)
        answer = gate.try_look("arrivals")
        assert desk.vehicle.plate in answer.text
        assert desk.user.email not in answer.text
        assert desk.user.name not in answer.text

    def test_a_cursor_of_another_list_is_refused(self, gate: Gatekeeper) -> None:
        for cursor in ("x", "WyJ4IiwxXQ"):
            assert problem(gate.try_look("arrivals", cursor=cursor)) == "422 invalid-input"
        assert problem(gate.try_look("arrivals", hours=25)) == "422 invalid-input"


class TestPresent:
    def test_who_is_in_and_what_each_would_pay(
        self, gate: Gatekeeper, arrive: Arrive, lot: Lot, wait: Wait
    ) -> None:
        longer = bought(arrive(), lot, **soon(0, hours=3))
        shorter = bought(arrive(), lot, **soon(0, hours=1))
        for booking in (longer, shorter):
            gate.let_pass(booking["code"])
        found = gate.look("present")
        assert [(each["id"], each["due_minor"]) for each in found["items"]] == [
            (shorter["id"], 0),
            (longer["id"], 0),
        ]
        gate = wait(gate, minutes=75)
        assert [each["due_minor"] for each in gate.look("present")["items"]] == [200, 0]
        first = gate.look("present", limit=1)
        assert ids(gate.look("present", cursor=first["next_cursor"])) == [longer["id"]]


class TestScans:
    def test_the_newest_first_and_those_refused_alone(
        self, gate: Gatekeeper, desk: Desk, lot: Lot
    ) -> None:
        booking = bought(desk, lot)
        gate.scan("B PA 1")
        gate.let_pass(booking["code"])
        gate.scan("B PA 2")
        assert [scan["shown"] for scan in gate.look("scans")["items"]] == [
            "BPA2",
            booking["code"],
            "BPA1",
        ]
        refused = gate.look("scans", result="refused", limit=1)
        assert [scan["shown"] for scan in refused["items"]] == ["BPA2"]
        rest = gate.look("scans", result="refused", cursor=refused["next_cursor"])
        assert [scan["shown"] for scan in rest["items"]] == ["BPA1"]


class TestCashUp:
    def test_the_cash_of_a_day_by_who_took_it(
        self, post: Post, gate: Gatekeeper, make: Factory, lot: Lot
    ) -> None:
        colleague = post(lot, name="Carl Colleague")
        for number, who in enumerate((gate, gate, colleague)):
            walk_in = gate.admit(plate=f"B PA {number}")
            who.take_cash(walk_in)
        elsewhere = post(make.lot())
        elsewhere.take_cash(elsewhere.admit(plate="B PA 9"))
        cash = gate.look("cash-up")
        assert cash["total_minor"] == 600
        assert cash["currency"] == "EUR"
        assert [
            (each["attendant"], each["count"], each["total_minor"]) for each in cash["items"]
        ] == [("Carl Colleague", 1, 200), ("Gerda Gate", 2, 400)]
        assert gate.look("cash-up", day=cash["day"]) == cash
        empty = gate.look("cash-up", day="2020-02-29")
        assert (empty["total_minor"], empty["items"]) == (0, [])

    def test_what_is_no_day(self, gate: Gatekeeper) -> None:
        for day in ("2026-02-30", "today", "9999-12-31x", "20261124"):
            assert gate.try_look("cash-up", day=day).status_code == 422
