"""P3, P7, P8, P23: whatever is killed in the middle of anything, what was answered stands, and the books agree."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend import clock
from backend.extensions import db
from backend.models import Lot
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from tests import servers
from tests.factories import Factory
from tests.life.minute import pass_a_minute
from tests.races.conftest import Crew
from tests.races.crowd import Answer, Driver, send

KILLS = 20
CLIENTS = 6
CARDS = ("4242424242424242", "4242424242424242", "4000000000000002", "4000000000000341")


@dataclass(slots=True)
class Told:
    """What clients were told before something was killed."""

    booked: set[int] = field(default_factory=set)
    paid: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    unanswered: int = 0


class Client:
    """A driver who books, pays and cancels without a pause."""

    def __init__(self, driver: Driver, lot: Lot, told: Told, seed: int) -> None:
        self.driver, self.lot, self.told, self.chance = driver, lot, told, random.Random(seed)

    def live(self, url: str, until: float) -> None:
        """Go on until then; a server that is gone answers nothing."""
        while time.monotonic() < until:
            try:
                self.act(url)
            except (OSError, HTTPException):
                self.told.unanswered += 1
                time.sleep(0.05)

    def act(self, url: str) -> None:
        hours = self.chance.randint(1, 60)
        starts_at = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        wish = {
            "lot_id": self.lot.id,
            "vehicle_id": self.driver.vehicle_id,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        held = self.ask(url, "/reservations", wish)
        if held.status != 201:
            return
        reservation_id = held.body["id"]
        self.told.booked.add(reservation_id)
        card = {"method": "sandbox", "card_number": self.chance.choice(CARDS)}
        paid = self.ask(url, f"/reservations/{reservation_id}/payments", card)
        if paid.status == 201 and paid.body["status"] == "succeeded":
            self.told.paid.add(reservation_id)
        # Five live bookings are the most one may have.
        if self.ask(url, f"/reservations/{reservation_id}/cancel", {}).status == 200:
            self.told.cancelled.add(reservation_id)

    def ask(self, url: str, path: str, body: Any) -> Answer:
        return send(url, "POST", path, headers=self.driver.headers, body=body)


@contextmanager
def working(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with beat's schedule until the block ends."""
    command = ("celery", "-A", "celery_worker.celery", "worker", "--pool", "threads", "-c", "2")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--loglevel", "ERROR"],
            cwd=servers.ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(15)


@pytest.mark.long
def test_twenty_kills_lose_nothing_that_was_answered(
    app: Flask, make: Factory, crew: Crew, environment: dict[str, str], tmp_path: Path
) -> None:
    told, chance = Told(), random.Random(7)
    lot = make.lot(spots=3)
    clients = [Client(driver, lot, told, seed) for seed, driver in enumerate(crew(CLIENTS))]
    for kill in range(KILLS):
        with (
            servers.serve("granian", environment, tmp_path / "web.log") as server,
            working(environment, tmp_path / "worker.log") as worker,
            ThreadPoolExecutor(CLIENTS) as pool,
        ):
            until = time.monotonic() + 2.5
            for client in clients:
                pool.submit(client.live, server.url, until)
            time.sleep(chance.uniform(0.5, 2))
            _kill(worker if kill % 4 == 3 else server.process)

    # Within five minutes all that was begun is settled.
    for minutes in range(1, 6):
        clock.move(timedelta(minutes=minutes))
        pass_a_minute(app)
    clock.move(timedelta(minutes=40))
    pass_a_minute(app)

    assert len(told.booked) > KILLS
    assert told.unanswered > 0
    rows = {row.id: row for row in _ask(app, _RESERVATIONS)}
    assert told.booked <= rows.keys()
    assert {rows[each].status for each in told.cancelled} <= {"cancelled"}
    lost = [each for each in told.paid - told.cancelled if rows[each].status == "expired"]
    assert lost == []
    # What the bank took and did not give back is what the books say.
    (bank,) = _ask(app, _BANK)
    (books,) = _ask(app, _BOOKS)
    assert bank.kept == books.kept
    with app.app_context():
        assert [each for each in check_invariants() if not each.is_clean] == []


_RESERVATIONS = "SELECT id, status FROM reservations"
_BANK = """
    SELECT coalesce(sum(amount_minor - refunded_minor), 0) AS kept
    FROM sandbox_intents WHERE status = 'succeeded'
"""
_BOOKS = """
    SELECT coalesce(sum(amount_minor), 0) AS kept FROM ledger_entries
    WHERE account = 'gateway:sandbox'
"""


def _ask(app: Flask, sql: str) -> list[Any]:
    with app.app_context(), transaction(read_only=True):
        return list(db.session.execute(text(sql)))
