"""The gate: what opens it, what does not and why, and that all of it is kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from backend.gate.service import purge_scans
from backend.models import Lot
from tests.counter import Arrive
from tests.desk import Desk, problem, window
from tests.factories import Factory
from tests.gate.conftest import Gatekeeper, Post, bought, soon, ticket_of

Wait = Callable[..., Any]


def told(answer: Any) -> str:
    """Name a refusal and its reason."""
    return f"{problem(answer)} {answer.json.get('reason', '')}".strip()


def kept(gate: Gatekeeper) -> list[tuple[str, str, str, str | None]]:
    """Give what was kept of each scan, the first foremost."""
    return [
        (scan["credential"], scan["shown"], scan["result"], scan["reason"])
        for scan in reversed(gate.look("scans")["items"])
    ]


class TestScan:
    def test_a_ticket_lets_in_and_out(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot)
        ticket = ticket_of(desk, booking)
        entered = gate.let_pass(ticket)
        assert entered["result"] == "entered"
        assert entered["reservation"]["status"] == "checked_in"
        assert booking["spot"]["label"] in entered["message"]
        left = gate.let_pass(ticket)
        assert left["result"] == "left"
        assert left["reservation"]["status"] == "completed"
        code = booking["code"]
        assert kept(gate) == [("qr", code, "entered", None), ("qr", code, "left", None)]
        (scan, _) = gate.look("scans")["items"]
        assert scan["actor"] == "Gerda Gate"
        assert scan["reservation_id"] == booking["id"]

    @pytest.mark.parametrize(
        "written",
        [
            lambda code: code,
            lambda code: code.lower(),
            lambda code: code.removeprefix("VV-"),
            lambda code: code.replace("-", ""),
            lambda code: f" {code.replace('-', ' ')} ",
        ],
        ids=["as it is", "small", "without VV", "without dashes", "with blanks"],
    )
    def test_a_code_opens_however_it_is_written(
        self, gate: Gatekeeper, desk: Desk, lot: Lot, written: Callable[[str], str]
    ) -> None:
        booking = bought(desk, lot)
        assert gate.let_pass(written(booking["code"]))["result"] == "entered"
        assert kept(gate) == [("code", booking["code"], "entered", None)]

    @pytest.mark.parametrize("written", ["DD AB 1234", "dd-ab-1234", "DDAB1234"])
    def test_a_plate_opens_though_it_might_be_a_code(
        self, gate: Gatekeeper, arrive: Arrive, lot: Lot, written: str
    ) -> None:
        desk = arrive(plate="DDAB1234")
        bought(desk, lot)
        assert gate.let_pass(written)["result"] == "entered"
        assert gate.let_pass(written)["result"] == "left"
        assert kept(gate)[0] == ("plate", "DDAB1234", "entered", None)

    def test_of_two_bookings_of_a_plate_the_next_counts(
        self, gate: Gatekeeper, desk: Desk, lot: Lot
    ) -> None:
        bought(desk, lot, **window())
        now = bought(desk, lot)
        assert gate.let_pass(desk.vehicle.plate)["reservation"]["id"] == now["id"]

    def test_the_direction_may_be_said(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot)
        assert told(gate.scan(booking["code"], direction="out")) == "409 entry-refused not-in"
        gate.let_pass(booking["code"], direction="in")
        assert told(gate.scan(booking["code"], direction="in")) == "409 entry-refused already-in"
        gate.let_pass(booking["code"], direction="out")

    def test_a_ticket_of_before_the_key_was_changed_or_the_stay_extended_still_counts(
        self, gate: Gatekeeper, desk: Desk, lot: Lot, wait: Wait
    ) -> None:
        booking = bought(desk, lot, **soon(hours=1))
        ticket = ticket_of(desk, booking)
        gate.let_pass(ticket)
        ends_at = soon(hours=4)["ends_at"]
        extended = desk.client.post(
            f"/api/v1/reservations/{booking['id']}/extend",
            json={"ends_at": ends_at},
            headers=desk.headers,
        )
        assert extended.status_code == 200, extended.text
        desk.charge(booking)
        # The times in the ticket are past by now; the booking itself knows better.
        assert wait(gate, minutes=200).let_pass(ticket)["result"] == "left"


class TestRefusal:
    def test_too_early(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot, **soon(20))
        refused = gate.scan(booking["code"])
        assert told(refused) == "409 entry-refused too-early"
        assert refused.json["reservation_id"] == booking["id"]
        assert refused.json["plate"] == desk.vehicle.plate
        assert kept(gate) == [("code", booking["code"], "refused", "too-early")]

    def test_not_paid(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot, **soon())
        assert told(gate.scan(held["code"])) == "409 entry-refused not-paid"

    def test_over(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot)
        gate.let_pass(booking["code"])
        gate.let_pass(booking["code"])
        assert told(gate.scan(booking["code"])) == "409 entry-refused over"
        assert told(gate.scan(desk.vehicle.plate)) == "409 entry-refused over"

    def test_wrong_lot(self, post: Post, make: Factory, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot)
        elsewhere = post(make.lot())
        for credential in (booking["code"], ticket_of(desk, booking)):
            assert told(elsewhere.scan(credential)) == "409 entry-refused wrong-lot"
        # A plate is looked for in this lot alone.
        assert told(elsewhere.scan(desk.vehicle.plate)) == "409 entry-refused unknown"
        assert [scan[2:] for scan in kept(elsewhere)] == [
            ("refused", "wrong-lot"),
            ("refused", "wrong-lot"),
            ("refused", "unknown"),
        ]

    @pytest.mark.parametrize(
        ("credential", "reason", "as_kept"),
        [
            ("VV-0000-0000", "unknown", ("code", "VV-0000-0000")),
            ("B PA 1", "unknown", ("plate", "BPA1")),
            ("!", "not-readable", ("none", "")),
            ("https://evil.example/?q=<script>", "not-readable", ("none", "")),
            ("eyJ.x.y", "not-readable", ("none", "")),
            ("x" * 999, "not-readable", ("none", "")),
        ],
    )
    def test_nobodys(
        self, gate: Gatekeeper, credential: str, reason: str, as_kept: tuple[str, str]
    ) -> None:
        assert told(gate.scan(credential)) == f"409 entry-refused {reason}"
        assert kept(gate) == [(*as_kept, "refused", reason)]

    def test_a_forged_ticket(self, gate: Gatekeeper, desk: Desk, lot: Lot) -> None:
        booking = bought(desk, lot)
        header = jwt.get_unverified_header(ticket_of(desk, booking))
        forged = jwt.encode(
            {"sub": booking["code"], "lot": lot.id},
            Ed25519PrivateKey.generate(),
            algorithm="EdDSA",
            headers={"kid": header["kid"], "typ": None},
        )
        unsigned = jwt.encode({"sub": booking["code"], "lot": lot.id}, None, algorithm="none")
        for ticket in (forged, unsigned):
            assert told(gate.scan(ticket)) == "409 entry-refused not-readable"
        assert desk.look(booking)["status"] == "confirmed"

    def test_the_time_is_over_and_something_due(
        self, gate: Gatekeeper, desk: Desk, lot: Lot, wait: Wait
    ) -> None:
        booking = bought(desk, lot, **soon(0, hours=1))
        gate.let_pass(booking["code"])
        gate = wait(gate, minutes=100)
        refused = gate.scan(booking["code"])
        assert told(refused) == "409 payment-due"
        assert refused.json["due_minor"] == 200
        assert refused.json["currency"] == "EUR"
        assert refused.json["reservation_id"] == booking["id"]
        assert kept(gate)[-1] == ("code", booking["code"], "refused", "payment-due")
        assert gate.take_cash(booking)["status"] == "succeeded"
        assert gate.let_pass(booking["code"])["result"] == "left"

    @pytest.mark.parametrize(
        "body",
        [
            {"credential": ""},
            {"credential": "x" * 1001},
            {"credential": 7},
            {"direction": "up"},
            {"lot_id": None},
        ],
    )
    def test_what_is_no_scan(self, gate: Gatekeeper, body: dict[str, Any]) -> None:
        assert gate.scan(**{"credential": "B PA 1", **body}).status_code == 422
        assert kept(gate) == []


class TestAnotherLot:
    def test_looks_as_if_it_were_not_there(
        self, gate: Gatekeeper, desk: Desk, lot: Lot, make: Factory, post: Post
    ) -> None:
        booking = bought(desk, lot)
        elsewhere = post(make.lot())
        stranger = Gatekeeper(gate.client, elsewhere.user, elsewhere.headers, lot)
        assert problem(stranger.scan(booking["code"])) == "404 not-found"
        assert problem(stranger.walk_in(plate="B PA 1")) == "404 not-found"
        for what in ("scans", "arrivals", "present", "cash-up"):
            assert problem(stranger.try_look(what)) == "404 not-found"
        assert kept(gate) == []
        assert desk.look(booking)["status"] == "confirmed"

    def test_an_admin_works_everywhere(
        self, client: FlaskClient, make: Factory, desk: Desk, lot: Lot
    ) -> None:
        admin = make.user(roles=("admin",))
        gate = Gatekeeper(client, admin, make.headers(admin), lot)
        assert gate.let_pass(bought(desk, lot)["code"])["result"] == "entered"


class TestReentry:
    def test_a_car_may_come_back_where_the_lot_has_it_so(
        self, make: Factory, post: Post, desk: Desk, wait: Wait
    ) -> None:
        lot = make.lot(allows_reentry=True)
        gate = post(lot)
        booking = bought(desk, lot, **soon(0))
        assert gate.let_pass(booking["code"])["result"] == "entered"
        left = gate.let_pass(booking["code"])
        assert left["result"] == "left"
        assert left["reservation"]["status"] == "checked_in"
        assert left["message"].startswith("It may come back until")
        assert gate.look("present")["items"] == []
        assert gate.let_pass(booking["code"])["result"] == "entered"
        assert [each["id"] for each in gate.look("present")["items"]] == [booking["id"]]
        gate = wait(gate, minutes=125)
        assert gate.let_pass(booking["code"])["reservation"]["status"] == "completed"


def test_two_scans_at_once_let_one_car_in(
    app: Flask, gate: Gatekeeper, desk: Desk, lot: Lot
) -> None:
    booking = bought(desk, lot)

    def scan(_number: int) -> int:
        client = app.test_client()
        return (
            Gatekeeper(client, gate.user, gate.headers, lot)
            .scan(booking["code"], direction="in")
            .status_code
        )

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(scan, range(4)))
    assert statuses == [200, 409, 409, 409]
    assert sorted(scan[3] or "" for scan in kept(gate)) == ["", *["already-in"] * 3]


def test_scans_are_kept_for_a_while(
    app: Flask, gate: Gatekeeper, wait: Wait, settings: Any
) -> None:
    gate.scan("B PA 1")
    later = wait(gate, minutes=timedelta(days=settings.scan_days) / timedelta(minutes=1) - 1)
    later.scan("B PA 2")
    with app.app_context():
        assert purge_scans() == 0
    later = wait(gate, minutes=timedelta(days=settings.scan_days) / timedelta(minutes=1) + 1)
    with app.app_context():
        assert purge_scans() == 1
    assert [scan[1] for scan in kept(later)] == ["BPA2"]
