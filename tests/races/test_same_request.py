"""P8: the same request sent many times at once has one effect, and with a key one answer."""

import time
from functools import partial
from typing import Any

import pytest

from tests import servers
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Answer, Driver, rush, send, tally

TWINS = 16
ROUNDS_OF_THE_TWIN = 20
GOOD_CARD = {"method": "sandbox", "card_number": "4242424242424242"}
OTHER_CARD = {"method": "sandbox", "card_number": "4000000000000002"}


def post(url: str, path: str, driver: Driver, body: Any, *, key: str | None = None) -> Answer:
    """Send a request; one whose twin is in flight is sent again, as its answer asks."""
    headers = dict(driver.headers) | ({"Idempotency-Key": key} if key else {})
    while True:
        answer = send(url, "POST", path, headers=headers, body=body)
        if answer.told != "409 request-in-progress":
            return answer
        time.sleep(float(answer.headers["retry-after"]))


def a_booking(driver: Driver, lot_id: int, *, hour: int = 9) -> dict[str, Any]:
    return {
        "lot_id": lot_id,
        "vehicle_id": driver.vehicle_id,
        "starts_at": tomorrow_at(hour).isoformat(),
        "ends_at": tomorrow_at(hour + 2).isoformat(),
    }


class TestBooking:
    def test_sixteen_with_one_key_are_one_booking_with_one_answer(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        lot = make.lot(spots=3)
        (driver,) = crew(1)
        body = a_booking(driver, lot.id)

        answers = rush([partial(post, web.url, "/reservations", driver, body, key="k1")] * TWINS)

        assert tally(answers) == {"201": TWINS}
        assert all(answer.body == answers[0].body for answer in answers)
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
        assert len(books.live_claims(lot.id)) == 1

        other = post(web.url, "/reservations", driver, a_booking(driver, lot.id, hour=14), key="k1")
        assert other.told == "422 idempotency-key-reused"

    def test_without_a_key_one_is_booked_and_fifteen_are_refused(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        lot = make.lot(spots=3)
        (driver,) = crew(1)
        body = a_booking(driver, lot.id)

        answers = rush([partial(post, web.url, "/reservations", driver, body)] * TWINS)

        assert tally(answers) == {"201": 1, "409 vehicle-already-booked": TWINS - 1}
        assert len(books.live_claims(lot.id)) == 1

    def test_one_key_means_something_else_to_each_driver(
        self, web: servers.WebServer, make: Factory, crew: Crew
    ) -> None:
        lot = make.lot(spots=TWINS)

        answers = rush(
            [
                partial(post, web.url, "/reservations", driver, a_booking(driver, lot.id), key="k")
                for driver in crew(TWINS)
            ]
        )

        assert tally(answers) == {"201": TWINS}
        assert len({answer.body["id"] for answer in answers}) == TWINS

    def test_a_refusal_leaves_the_key_free(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        lot = make.lot(spots=1)
        first, second = crew(2)
        held = post(web.url, "/reservations", first, a_booking(first, lot.id))
        body = a_booking(second, lot.id)

        refused = rush([partial(post, web.url, "/reservations", second, body, key="k")] * TWINS)
        assert tally(refused) == {"409 lot-full": TWINS}

        post(web.url, f"/reservations/{held.body['id']}/cancel", first, None)
        assert post(web.url, "/reservations", second, body, key="k").told == "201"


class TestPayment:
    def test_sixteen_with_one_key_are_one_charge_with_one_answer(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        driver, path = self.hold(web, make, crew)

        answers = rush([partial(post, web.url, path, driver, GOOD_CARD, key="k1")] * TWINS)

        assert tally(answers) == {"201": TWINS}
        assert all(answer.body == answers[0].body for answer in answers)
        assert answers[0].body["status"] == "succeeded"
        assert self.charges(books) == ["succeeded"]

        other = post(web.url, path, driver, OTHER_CARD, key="k1")
        assert other.told == "422 idempotency-key-reused"

    def test_without_a_key_one_is_charged_and_fifteen_are_refused(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        driver, path = self.hold(web, make, crew)

        answers = rush([partial(post, web.url, path, driver, GOOD_CARD)] * TWINS)

        told = tally(answers)
        assert told.pop("201") == 1
        # Which of the two depends on how far the one has come.
        assert set(told) <= {"409 payment-in-progress", "409 already-paid"}
        assert self.charges(books) == ["succeeded"]

    @pytest.mark.usefixtures("without_charge_guard")
    def test_twin_without_the_unique_charge_the_card_is_charged_many_times(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        for _ in range(ROUNDS_OF_THE_TWIN):
            before = len(self.charges(books))
            driver, path = self.hold(web, make, crew)
            rush([partial(post, web.url, path, driver, GOOD_CARD)] * TWINS)
            charged = len(self.charges(books)) - before
            if charged > 1:
                break

        assert charged > 1

    @staticmethod
    def hold(web: servers.WebServer, make: Factory, crew: Crew) -> tuple[Driver, str]:
        (driver,) = crew(1)
        held = post(web.url, "/reservations", driver, a_booking(driver, make.lot().id))
        return driver, f"/reservations/{held.body['id']}/payments"

    @staticmethod
    def charges(books: Books) -> list[str]:
        """What the bank itself has in its books."""
        return [row.status for row in books.ask("SELECT status FROM sandbox_intents")]
