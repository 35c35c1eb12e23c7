"""Two who change one booking at the same moment: one wins, and the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.models import Reservation
from backend.models.reservation import LIVE_STATUSES
from backend.reservations import cancelling, confirming, entering, leaving
from backend.reservations.tasks import expire_holds
from tests.counter import MoveClock
from tests.desk import Desk, between, problem
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff

ROUNDS = 3
_PATIENCE_SECONDS = 0.4

Act = Callable[[], TestResponse]


class Meeting:
    """Lets the first one look, and holds it there until the second is done or has to wait for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        self.has_looked, self.second_done = Event(), Event()
        original = getattr(module, name)

        def meet(*args: Any, **kwargs: Any) -> Any:
            found = original(*args, **kwargs)
            if not self.has_looked.is_set():
                self.has_looked.set()
                self.second_done.wait(_PATIENCE_SECONDS)
            return found

        monkeypatch.setattr(module, name, meet)

    def run(self, first: Act, second: Act) -> list[str]:
        """Run both, and give what each was told."""

        def follow() -> TestResponse:
            assert self.has_looked.wait(5)
            answer = second()
            self.second_done.set()
            return answer

        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(first), pool.submit(follow)]
            return [_told(answer.result(timeout=20)) for answer in answers]


@pytest.fixture
def no_guards(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the locks and the comparing off."""

    def look(reservation_id: int) -> Reservation:
        return db.session.get_one(Reservation, reservation_id)

    def change(
        reservation: Reservation, *, since: Any, to: str | None = None, **values: Any
    ) -> None:
        if to is not None:
            values |= {"status": to, "live": to in LIVE_STATUSES}
        db.session.execute(
            update(Reservation).where(Reservation.id == reservation.id).values(**values)
        )

    monkeypatch.setattr("backend.claims.service.lock_claim", lambda _id: None)
    for module in (cancelling, entering, leaving):
        monkeypatch.setattr(module, "get_reservation_for_update", look)
        monkeypatch.setattr(module, "change", change)
    monkeypatch.setattr(leaving, "_end_stay", lambda _actor, _reservation: None)


class TestCancellingAndCheckingIn:
    @pytest.mark.parametrize("round_number", range(ROUNDS))
    @pytest.mark.parametrize("cancels_first", [True, False])
    def test_one_of_them_wins(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
        cancels_first: bool,
        round_number: int,
    ) -> None:
        booked, cancel, enter = _at_the_gate(desk, make, staff, at)
        if cancels_first:
            told = Meeting(monkeypatch, cancelling, "get_reservation_for_update").run(cancel, enter)
            assert told == ["done", "409 entry-refused"]
        else:
            told = Meeting(monkeypatch, entering, "get_reservation_for_update").run(enter, cancel)
            assert told == ["done", "409 illegal-transition"]
        state = "cancelled" if cancels_first else "checked_in"
        assert rows("SELECT status FROM reservations") == [(state,)]
        assert rows("SELECT count(*) FROM stays") == [(0 if cancels_first else 1,)]
        assert rows("SELECT count(*) FROM refunds") == [(1 if cancels_first else 0,)]
        assert booked["id"] == 1

    # SQLite lets one writer in at a time, whatever the code does.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    @pytest.mark.usefixtures("no_guards")
    def test_without_the_guards_both_win(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        _, cancel, enter = _at_the_gate(desk, make, staff, at)
        told = Meeting(monkeypatch, cancelling, "get_reservation_for_update").run(cancel, enter)
        assert told == ["done", "done"]
        assert rows("SELECT count(*) FROM stays") == [(1,)]
        assert rows("SELECT count(*) FROM refunds") == [(1,)]


class TestTwoCheckOuts:
    @pytest.mark.parametrize("round_number", range(ROUNDS))
    def test_one_of_them_wins(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
        round_number: int,
    ) -> None:
        leave = _inside(desk, make, staff, at)
        told = Meeting(monkeypatch, leaving, "get_reservation_for_update").run(leave, leave)
        assert told == ["done", "409 illegal-transition"], round_number
        assert rows("SELECT status FROM reservations") == [("completed",)]
        assert rows("SELECT cause, count(*), sum(amount_minor) FROM refunds GROUP BY cause") == [
            ("early_exit", 1, 200)
        ]
        assert rows("SELECT count(*) FROM reservation_events WHERE kind = 'completed'") == [(1,)]

    # SQLite lets one writer in at a time, whatever the code does.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    @pytest.mark.usefixtures("no_guards")
    def test_without_the_guards_both_win(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        leave = _inside(desk, make, staff, at)
        told = Meeting(monkeypatch, leaving, "get_reservation_for_update").run(leave, leave)
        assert told == ["done", "done"]
        assert rows("SELECT count(*) FROM reservation_events WHERE kind = 'completed'") == [(2,)]


class TestPayingAndExpiring:
    @pytest.mark.parametrize("round_number", range(ROUNDS))
    def test_what_is_paid_in_time_is_not_expired_though_its_deadline_passes_meanwhile(
        self,
        app: Flask,
        desk: Desk,
        make: Factory,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
        round_number: int,
    ) -> None:
        held = desk.hold(make.lot())

        def expire() -> TestResponse:
            # Longer than a hold lasts, and shorter than a sign-in.
            move_clock(14 * MINUTE)
            expire_holds()
            return desk.try_get(f"/reservations/{held['id']}")

        told = Meeting(monkeypatch, confirming, "_confirm").run(lambda: desk.pay(held), expire)

        assert told == ["done", "done"], round_number
        assert rows("SELECT status, live FROM reservations")[0].status == "confirmed"
        assert rows("SELECT status FROM payments") == [("succeeded",)]
        assert rows("SELECT count(*) FROM spot_claims WHERE live AND expires_at IS NULL") == [(1,)]


def _at_the_gate(
    desk: Desk, make: Factory, staff: Staff, at: At
) -> tuple[dict[str, Any], Act, Act]:
    lot, start = make.lot(), tomorrow_at(9)
    booked, gate = desk.own(lot, **between(start, start + 2 * HOUR)), staff(lot)
    (desk, gate) = at(start - 5 * MINUTE, desk, gate)
    return booked, lambda: desk.cancel(booked), lambda: gate.act(booked, "check-in")


def _inside(desk: Desk, make: Factory, staff: Staff, at: At) -> Act:
    lot, start = make.lot(refunds_early_exit=True), tomorrow_at(9)
    booked, gate = desk.own(lot, **between(start, start + 2 * HOUR)), staff(lot)
    (gate,) = at(start, gate)
    gate.done(booked, "check-in")
    (gate,) = at(start + 30 * MINUTE, gate)
    return lambda: gate.act(booked, "check-out")


def _told(answer: TestResponse) -> str:
    return "done" if answer.status_code < 300 else problem(answer)
