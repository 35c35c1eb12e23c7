"""P1, P2: making room while others make room, wait for it, or close it: one winner each time, and no bay twice."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.claims import service as claims
from backend.claims.placing import move_claims
from backend.claims.rearranging import Move
from backend.models import Lot
from backend.reservations import booking, closing
from backend.signals import window_freed
from backend.transaction import transaction
from backend.waitlist import offering, tasks
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Driver, rush

CLIENTS = 8
ROUNDS = 5

Headers = dict[str, str]


class Town:
    """A lot, and who books, waits and closes there, each with a thread of their own."""

    def __init__(self, app: Flask, make: Factory, crew: Crew, books: Books, admin: Headers) -> None:
        self.app, self.make, self.crew, self.books, self.admin = app, make, crew, books, admin

    def ask(self, headers: Any, method: str, path: str, body: Any = None) -> TestResponse:
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers=dict(headers)
        )

    def book(self, driver: Driver, lot: Lot, first: int, last: int) -> TestResponse:
        body = {"vehicle_id": driver.vehicle_id, "lot_id": lot.id, **window(first, last)}
        return self.ask(driver.headers, "POST", "/reservations", body)

    def stand(self, lot: Lot, spot_id: int, first: int, last: int) -> tuple[Driver, int]:
        """Let a new driver have a paid booking of a bay, which may be moved."""
        (driver,) = self.crew(1)
        body = {"vehicle_id": driver.vehicle_id, "lot_id": lot.id, "spot_id": spot_id}
        held = self.ask(driver.headers, "POST", "/reservations", body | window(first, last)).json
        self.books.change(
            "UPDATE reservations SET status = 'confirmed', pinned = false WHERE id = :id",
            id=held["id"],
        )
        self.books.change(
            "UPDATE spot_claims SET expires_at = NULL WHERE reservation_id = :id", id=held["id"]
        )
        return driver, held["id"]

    def wait(self, driver: Driver, lot: Lot, first: int, last: int) -> int:
        """Let a driver join the queue."""
        body = {"vehicle_id": driver.vehicle_id, "lot_id": lot.id, **window(first, last)}
        answer = self.ask(driver.headers, "POST", "/waitlist", body)
        assert answer.status_code == 201, answer.text
        entry_id: int = answer.json["id"]
        return entry_id

    def cancel(self, driver: Driver, reservation_id: int) -> TestResponse:
        return self.ask(driver.headers, "POST", f"/reservations/{reservation_id}/cancel")

    def sweep(self) -> int:
        with self.app.app_context():
            return int(tasks.sweep())

    def holds_of(self, driver: Driver) -> int:
        """Count the live bookings of a driver."""
        (row,) = self.books.ask(
            "SELECT count(*) AS found FROM reservations WHERE live AND user_id = :id", id=driver.id
        )
        return int(row.found)


@pytest.fixture
def town(app: Flask, make: Factory, crew: Crew, books: Books, as_admin: Headers) -> Town:
    return Town(app, make, crew, books, as_admin)


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever wants a bay have it: nothing looks, and with the guards off nothing stands behind."""
    anyhow = text(claims._CLAIM + " RETURNING id").bindparams(
        *claims._instants("starts_at", "ends_at", "expires_at")
    )
    monkeypatch.setattr(claims, "_CLAIM_POSTGRESQL", anyhow)
    monkeypatch.setattr(booking, "_INSERT_POSTGRESQL", booking._INSERT_SQLITE)


def window(first: int, last: int) -> dict[str, str]:
    return {
        "starts_at": tomorrow_at(first).isoformat(),
        "ends_at": tomorrow_at(last).isoformat(),
    }


def told(answer: TestResponse) -> str:
    """Say the status, and for a refusal which."""
    if answer.status_code < 400:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json['type'].removeprefix('/problems/')}"


def tally(answers: list[TestResponse]) -> Counter[str]:
    return Counter(map(told, answers))


class TestMakingRoom:
    """Each of a crowd wants a window for which one booking must move: one gets it."""

    def test_one_of_them_gets_the_room_that_is_made(self, town: Town) -> None:
        for _ in range(ROUNDS):
            lot, one, two = self.lot(town)
            answers = rush(
                [partial(town.book, driver, lot, 9, 11) for driver in town.crew(CLIENTS)]
            )
            assert tally(answers) == {"201": 1, "409 lot-full": CLIENTS - 1}
            assert town.books.overlaps() == 0
            assert len(town.books.live_claims(lot.id)) == 3
            (moved,) = town.books.ask(
                "SELECT count(*) AS found FROM reservation_events WHERE kind = 'moved'"
                " AND reservation_id IN (:one, :two)",
                one=one,
                two=two,
            )
            assert moved.found == 1

    def test_a_booking_that_is_cancelled_meanwhile_is_not_moved(self, town: Town) -> None:
        """Making room ‖ cancelling: whoever is second finds what the first made of it."""
        for _ in range(ROUNDS):
            lot = town.make.lot(spots=2)
            bays = [spot.id for spot in town.make.spots(lot)]
            owner, reservation_id = town.stand(lot, bays[0], 9, 10)
            town.stand(lot, bays[1], 10, 11)
            (driver,) = town.crew(1)
            booked, cancelled = rush(
                [
                    partial(town.book, driver, lot, 9, 11),
                    partial(town.cancel, owner, reservation_id),
                ]
            )
            assert (told(booked), told(cancelled)) == ("201", "200")
            assert town.books.overlaps() == 0
            assert len(town.books.live_claims(lot.id)) == 2

    @pytest.mark.usefixtures("without_guards", "trusting")
    def test_twin_that_trusts_an_earlier_look_sells_it_twice(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lot, one, _ = self.lot(town)
        first, second = (spot.id for spot in town.make.spots(lot))

        def make_room_unseen(*_: Any, **__: Any) -> int:
            move_claims([Move(one, first, second)])
            return first

        monkeypatch.setattr(booking, "find_room", make_room_unseen)
        # What claimed the bay does not count either: it was free when somebody looked.
        monkeypatch.setattr(claims, "claim_any_spot", lambda *_, **__: None)
        rush([partial(town.book, driver, lot, 9, 11) for driver in town.crew(2)])
        assert town.books.overlaps() > 0

    @staticmethod
    def lot(town: Town) -> tuple[Lot, int, int]:
        lot = town.make.lot(spots=2)
        bays = [spot.id for spot in town.make.spots(lot)]
        (_, one), (_, two) = town.stand(lot, bays[0], 9, 10), town.stand(lot, bays[1], 10, 11)
        return lot, one, two


class TestWaiting:
    """A bay that becomes free belongs to the first in the queue, and to nobody else for a moment."""

    def test_who_waits_comes_before_the_crowd(self, town: Town) -> None:
        for _ in range(ROUNDS):
            lot, owner, reservation_id, waiting = self.full_lot(town)
            calls = [partial(town.book, driver, lot, 9, 11) for driver in town.crew(CLIENTS)]
            calls.insert(2, partial(town.cancel, owner, reservation_id))
            answers = rush(calls)
            assert told(answers.pop(2)) == "200"
            assert tally(answers) == {"409 lot-full": CLIENTS}
            assert town.holds_of(waiting) == 1

    def test_twin_that_offers_after_the_commit_loses_the_bay_to_the_crowd(self, town: Town) -> None:
        lot, owner, reservation_id, waiting = self.full_lot(town)
        window_freed.disconnect(offering.on_window_freed)
        try:
            assert told(town.cancel(owner, reservation_id)) == "200"
            calls = [partial(town.book, driver, lot, 9, 11) for driver in town.crew(CLIENTS)]
            answers = rush(calls)
        finally:
            window_freed.connect(offering.on_window_freed)
        town.sweep()
        assert tally(answers)["201"] == 1
        assert town.holds_of(waiting) == 0

    def test_one_who_waits_gets_one_of_two_bays_that_become_free_at_once(self, town: Town) -> None:
        for _ in range(ROUNDS):
            lot = town.make.lot(spots=2)
            owners = [town.stand(lot, spot.id, 9, 11) for spot in town.make.spots(lot)]
            (waiting,) = town.crew(1)
            town.wait(waiting, lot, 9, 11)
            answers = rush([partial(town.cancel, *owner) for owner in owners])
            assert tally(answers) == {"200": 2}
            assert town.holds_of(waiting) == 1

    def test_two_who_wait_get_one_bay_each(self, town: Town) -> None:
        for _ in range(ROUNDS):
            lot = town.make.lot(spots=2)
            owners = [town.stand(lot, spot.id, 9, 11) for spot in town.make.spots(lot)]
            waiting = town.crew(2)
            for driver in waiting:
                town.wait(driver, lot, 9, 11)
            rush([partial(town.cancel, *owner) for owner in owners])
            # Who was at the other's turn was passed over, and is not for long.
            town.sweep()
            assert [town.holds_of(driver) for driver in waiting] == [1, 1]

    def test_one_offer_is_made_by_all_sweeps_together(self, town: Town) -> None:
        for _ in range(ROUNDS):
            waiting = self.passed_over(town)
            assert sum(rush([town.sweep] * 3)) == 1
            assert town.holds_of(waiting) == 1

    @pytest.mark.usefixtures("without_guards", "trusting")
    def test_twin_that_trusts_an_earlier_look_offers_twice(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock, waiting = offering._lock, self.passed_over(town, spots=2)
        seen: list[Any] = []

        def lock_once(entry_id: int, *, gently: bool) -> Any:
            if not seen:
                seen.append(lock(entry_id, gently=gently))
            return seen[0]

        monkeypatch.setattr(offering, "_lock", lock_once)
        with town.app.app_context():
            (entry,) = town.books.ask("SELECT id FROM waitlist_entries WHERE status = 'waiting'")
            for _ in range(2):
                with transaction():
                    offering._offer(entry.id, gently=False)
        assert town.holds_of(waiting) == 2

    @staticmethod
    def full_lot(town: Town) -> tuple[Lot, Driver, int, Driver]:
        """Make a full lot; give it, who has its bay, the booking, and who waits for it."""
        lot = town.make.lot(spots=1)
        owner, reservation_id = town.stand(lot, town.make.spots(lot)[0].id, 9, 11)
        (waiting,) = town.crew(1)
        town.wait(waiting, lot, 9, 11)
        return lot, owner, reservation_id, waiting

    @staticmethod
    def passed_over(town: Town, *, spots: int = 1) -> Driver:
        """Leave somebody in the queue of a lot that has room: whoever freed it passed them over."""
        lot = town.make.lot(spots=spots)
        owners = [town.stand(lot, spot.id, 9, 11) for spot in town.make.spots(lot)]
        (waiting,) = town.crew(1)
        town.wait(waiting, lot, 9, 11)
        window_freed.disconnect(offering.on_window_freed)
        try:
            for owner in owners:
                town.cancel(*owner)
        finally:
            window_freed.connect(offering.on_window_freed)
        return waiting


class TestClosing:
    """A closing that was shown, and a crowd that books the bay: either is done, and the other told."""

    def test_a_bay_is_closed_or_booked(self, town: Town) -> None:
        for turn in range(ROUNDS):
            lot = town.make.lot(spots=1)
            calls: list[Callable[[], TestResponse]] = [
                partial(town.book, driver, lot, 9, 11) for driver in town.crew(CLIENTS)
            ]
            calls.insert(turn % 4, partial(self.close, town, lot, self.look(town, lot)))
            answers = rush(calls)
            closed = answers.pop(turn % 4)
            kinds = [kind for _, kind in town.books.live_claims(lot.id)]
            if told(closed) == "200":
                assert tally(answers) == {"409 lot-full": CLIENTS}
                assert kinds == ["closure"]
            else:
                assert told(closed) == "409 preview-outdated"
                assert tally(answers) == {"201": 1, "409 lot-full": CLIENTS - 1}
                assert kinds == ["reservation"]

    def test_two_who_close_the_same_bay_do_it_once_for_each_booking(self, town: Town) -> None:
        for _ in range(ROUNDS):
            lot = town.make.lot(spots=2)
            owner, reservation_id = town.stand(lot, town.make.spots(lot)[0].id, 9, 11)
            digest = self.look(town, lot)
            answers = rush([partial(self.close, town, lot, digest)] * 2)
            assert tally(answers) == {"200": 1, "409 preview-outdated": 1}
            (moved,) = town.books.ask(
                "SELECT count(*) AS found FROM reservation_events"
                " WHERE kind = 'moved' AND reservation_id = :id",
                id=reservation_id,
            )
            assert moved.found == 1
            assert town.holds_of(owner) == 1

    @pytest.mark.usefixtures("without_guards", "trusting")
    def test_twin_that_does_what_it_planned_before_closes_a_booked_bay(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lot = town.make.lot(spots=1)
        plan = closing._plan
        shown: list[Any] = []

        def plan_once(*arguments: Any) -> Any:
            shown.append(plan(*arguments))
            return shown[0]

        monkeypatch.setattr(closing, "_plan", plan_once)
        digest = self.look(town, lot)
        (driver,) = town.crew(1)
        assert told(town.book(driver, lot, 9, 11)) == "201"
        assert told(self.close(town, lot, digest)) == "200"
        assert town.books.overlaps() == 1

    def look(self, town: Town, lot: Lot) -> str:
        answer = self._ask(town, lot, dry_run=True)
        assert answer.status_code == 200, answer.text
        digest: str = answer.json["digest"]
        return digest

    def close(self, town: Town, lot: Lot, digest: str) -> TestResponse:
        return self._ask(town, lot, dry_run=False, digest=digest)

    @staticmethod
    def _ask(town: Town, lot: Lot, **body: Any) -> TestResponse:
        wanted = {"spot_ids": [town.make.spots(lot)[0].id], "reason": "Repairs", **body}
        return town.ask(town.admin, "POST", f"/lots/{lot.id}/closings", wanted)
