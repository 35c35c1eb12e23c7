"""P1: closing a bay or a lot while drivers book it never leaves a live booking beside a closure."""

import time
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.models import Lot
from backend.reservations import booking
from tests import servers
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Answer, Driver, rush, send, tally

CLIENTS = 32
# By three servers and on two databases, so that each case is run two dozen times.
ROUNDS = 4
LONG_ROUNDS = 40

Headers = dict[str, str]


def quote_for(url: str, lot: Lot) -> int:
    """Ask for a price, which any number of drivers may then book at."""
    quote_id: int = send(url, "POST", "/quotes", body=window(lot)).body["id"]
    return quote_id


def window(lot: Lot) -> dict[str, Any]:
    return {
        "lot_id": lot.id,
        "starts_at": tomorrow_at(9).isoformat(),
        "ends_at": tomorrow_at(11).isoformat(),
    }


def book_quote(url: str, driver: Driver, quote_id: int, spot_id: int | None = None) -> Answer:
    body: dict[str, Any] = {"quote_id": quote_id, "vehicle_id": driver.vehicle_id}
    if spot_id is not None:
        body["spot_id"] = spot_id
    return send(url, "POST", "/reservations", headers=driver.headers, body=body)


def close_spot(url: str, as_admin: Headers, spot_id: int) -> Answer:
    body = {"in_service": False, "reason": "Cleaning"}
    return send(url, "PATCH", f"/spots/{spot_id}", headers=as_admin, body=body)


def close_lot(url: str, as_admin: Headers, lot_id: int) -> Answer:
    return send(url, "PATCH", f"/lots/{lot_id}", headers=as_admin, body={"status": "closed"})


class Scene:
    """One lot, a crowd with quotes for it, and an admin who wants it closed."""

    def __init__(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books, as_admin: Headers
    ) -> None:
        self.url = web.url
        self.make = make
        self.crew = crew
        self.books = books
        self.as_admin = as_admin

    def lapsed_holds(self, lot: Lot, spot_ids: list[int]) -> None:
        """Leave a stale hold on each of these bays, which whoever comes first sweeps away."""
        quote = quote_for(self.url, lot)
        for driver, spot_id in zip(self.crew(len(spot_ids)), spot_ids, strict=True):
            held = book_quote(self.url, driver, quote, spot_id)
            self.books.let_hold_lapse(held.body["id"])

    def close_a_bay_among_bookings(self, turn: int, *, pinned: bool, stale: bool) -> None:
        lot = self.make.lot(spots=1)
        spot_id = self.make.spots(lot)[0].id
        if stale:
            self.lapsed_holds(lot, [spot_id])
        quote = quote_for(self.url, lot)
        calls = [
            partial(book_quote, self.url, driver, quote, spot_id if pinned else None)
            for driver in self.crew(CLIENTS)
        ]
        # The admin comes among the first, whose turn decides: sometimes before, sometimes after.
        calls.insert(turn % 4, partial(close_spot, self.url, self.as_admin, spot_id))

        answers = rush(calls)

        closed = answers.pop(turn % 4)
        refusal = "409 spot-taken" if pinned else "409 lot-full"
        if closed.status == 200:
            assert tally(answers) == {refusal: CLIENTS}
            assert self.books.live_claims(lot.id) == [(spot_id, "closure")]
        else:
            assert closed.told == "409 spot-in-use"
            assert tally(answers) == {"201": 1, refusal: CLIENTS - 1}
            assert self.books.live_claims(lot.id) == [(spot_id, "reservation")]

    def close_a_lot_among_bookings(self, turn: int, *, stale: bool) -> None:
        lot = self.make.lot(spots=4)
        spot_ids = [spot.id for spot in self.make.spots(lot)]
        if stale:
            self.lapsed_holds(lot, spot_ids)
        quote = quote_for(self.url, lot)
        calls = [partial(book_quote, self.url, driver, quote) for driver in self.crew(CLIENTS)]
        calls.insert(turn % 4, partial(close_lot, self.url, self.as_admin, lot.id))

        answers = rush(calls)

        closed = answers.pop(turn % 4)
        claims = self.books.live_claims(lot.id)
        if closed.status == 200:
            # Those who looked at the lot before it closed find every bay taken.
            assert set(tally(answers)) <= {"409 lot-not-bookable", "409 lot-full"}
            assert claims == [(spot_id, "closure") for spot_id in spot_ids]
        else:
            assert closed.told == "409 lot-in-use"
            assert tally(answers) == {"201": 4, "409 lot-full": CLIENTS - 4}
            assert sorted(claims) == [(spot_id, "reservation") for spot_id in spot_ids]


@pytest.fixture
def scene(
    web: servers.WebServer, make: Factory, crew: Crew, books: Books, as_admin: Headers
) -> Scene:
    return Scene(web, make, crew, books, as_admin)


class TestClosing:
    def test_a_bay_that_drivers_choose(self, scene: Scene) -> None:
        for turn in range(ROUNDS):
            scene.close_a_bay_among_bookings(turn, pinned=True, stale=turn % 2 == 1)

    def test_a_bay_that_the_system_chooses(self, scene: Scene) -> None:
        for turn in range(ROUNDS):
            scene.close_a_bay_among_bookings(turn, pinned=False, stale=turn % 2 == 1)

    def test_a_lot(self, scene: Scene) -> None:
        for turn in range(ROUNDS):
            scene.close_a_lot_among_bookings(turn, stale=turn % 2 == 1)

    @pytest.mark.long
    def test_bays_and_lots_over_and_over(self, scene: Scene) -> None:
        for turn in range(LONG_ROUNDS):
            scene.close_a_bay_among_bookings(turn, pinned=turn % 3 == 0, stale=turn % 2 == 1)
            scene.close_a_lot_among_bookings(turn, stale=turn % 2 == 1)


class TestLockOrder:
    """Whoever books sweeps stale holds away, and so does whoever closes: neither waits for the other in a circle."""

    @pytest.mark.parametrize("what", ["bay", "lot"])
    def test_a_booking_that_has_swept_and_a_closing_both_get_an_answer(
        self,
        app: Flask,
        make: Factory,
        crew: Crew,
        books: Books,
        as_admin: Headers,
        monkeypatch: pytest.MonkeyPatch,
        what: str,
    ) -> None:
        lot = make.lot(spots=1)
        spot_id = make.spots(lot)[0].id
        late, driver = crew(2)
        quote_id = app.test_client().post("/api/v1/quotes", json=window(lot)).json["id"]
        books.let_hold_lapse(self.book(app, late, quote_id).json["id"])
        swept = Event()
        check_limits = booking._check_limits

        def check_limits_slowly(*arguments: Any) -> None:
            swept.set()
            # Long enough for the closing to come as far as it can.
            time.sleep(0.5)
            check_limits(*arguments)

        monkeypatch.setattr(booking, "_check_limits", check_limits_slowly)

        def close() -> TestResponse:
            swept.wait(10)
            path, body = (
                (f"/spots/{spot_id}", {"in_service": False, "reason": "Cleaning"})
                if what == "bay"
                else (f"/lots/{lot.id}", {"status": "closed"})
            )
            return app.test_client().patch(f"/api/v1{path}", json=body, headers=as_admin)

        calls: list[Callable[[], TestResponse]] = [partial(self.book, app, driver, quote_id), close]
        booked, closed = rush(calls)

        assert {
            (201, 409): [(spot_id, "reservation")],
            (409, 200): [(spot_id, "closure")],
        }[booked.status_code, closed.status_code] == books.live_claims(lot.id)

    @staticmethod
    def book(app: Flask, driver: Driver, quote_id: int) -> TestResponse:
        body = {"quote_id": quote_id, "vehicle_id": driver.vehicle_id}
        return app.test_client().post(
            "/api/v1/reservations", json=body, headers=dict(driver.headers)
        )
