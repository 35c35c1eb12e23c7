"""P3, P23: a web worker is killed while it books and charges: what was answered stands, nothing is half done."""

import http.client
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import psutil
import pytest

from tests import servers
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Answer, Driver, rush, send

CLIENTS = 32
ROUNDS = 6
KILL_AFTER = 6
GOOD_CARD = {"method": "sandbox", "card_number": "4242424242424242"}


@pytest.fixture
def mortal_web(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.WebServer]:
    """The web on workers that their master makes anew when they die."""
    log = tmp_path_factory.mktemp("mortal") / "log"
    with servers.serve("gunicorn-gthread", environment, log) as server:
        yield server


class Killer:
    """Kills every worker of a server, once so many answers came."""

    def __init__(self, web: servers.WebServer) -> None:
        self._web = web
        self._answers = count(1)
        self.cut = 0

    def send(self, driver: Driver, path: str, body: Any) -> Answer | None:
        """Send a request; None when the connection was cut before the answer."""
        try:
            answer = send(self._web.url, "POST", path, headers=driver.headers, body=body)
        except (OSError, http.client.HTTPException):
            self.cut += 1
            return None
        if next(self._answers) == KILL_AFTER:
            for worker in psutil.Process(self._web.process.pid).children():
                worker.kill()
        return answer


def book_and_pay(killer: Killer, driver: Driver, lot_id: int) -> tuple[Any, Any]:
    """Give what was answered to a booking and to its payment."""
    body = {
        "lot_id": lot_id,
        "vehicle_id": driver.vehicle_id,
        "starts_at": tomorrow_at(9).isoformat(),
        "ends_at": tomorrow_at(11).isoformat(),
    }
    booked = killer.send(driver, "/reservations", body)
    if booked is None or booked.status != 201:
        return None, None
    paid = killer.send(driver, f"/reservations/{booked.body['id']}/payments", GOOD_CARD)
    return booked.body, paid.body if paid is not None and paid.status == 201 else None


def test_what_was_answered_stands_and_nothing_is_half_done(
    mortal_web: servers.WebServer, make: Factory, crew: Crew, books: Books
) -> None:
    answered: list[tuple[Any, Any]] = []
    for _ in range(ROUNDS):
        lot = make.lot(spots=CLIENTS)
        killer = Killer(mortal_web)
        answered += rush(
            [partial(book_and_pay, killer, driver, lot.id) for driver in crew(CLIENTS)]
        )
        # It serves again, by new workers.
        assert send(mortal_web.url, "GET", f"/lots/{lot.id}").status == 200
        if killer.cut:
            break
    assert killer.cut > 0

    status = {row.id: row.status for row in books.ask("SELECT id, status FROM reservations")}
    charges = {
        row.reservation_id: row.status
        for row in books.ask("SELECT reservation_id, status FROM payments")
    }
    for booked, paid in answered:
        if booked is not None:
            assert status[booked["id"]] in {"held", "confirmed"}
        if paid is not None:
            assert paid["status"] == "succeeded"
            assert status[booked["id"]] == "confirmed"
            assert charges[booked["id"]] == "succeeded"
    # Whole or not at all: a claim for each booking, and no booking paid without its payment.
    claimed = books.ask("SELECT reservation_id FROM spot_claims WHERE live")
    assert sorted(row.reservation_id for row in claimed) == sorted(status)
    confirmed = {row_id for row_id, state in status.items() if state == "confirmed"}
    assert confirmed == {row_id for row_id, state in charges.items() if state == "succeeded"}
    assert books.overlaps() == 0
