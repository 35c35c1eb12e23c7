"""An account that is closed while a request of the same person is under way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from backend.claims import service as claims
from backend.extensions import db
from backend.models import Job, Lot, User, Vehicle
from backend.privacy import closing
from backend.transaction import transaction
from backend.users import last_admin
from tests.counter import Arrive
from tests.desk import Desk, problem
from tests.factories import Factory

Answers = dict[str, str]
Meet = Callable[[Desk, Lot], Answers]


def told(answer: TestResponse) -> str:
    return "done" if answer.status_code < 300 else problem(answer)


def alone(app: Flask, desk: Desk) -> Desk:
    """Give the same person another browser, for a thread of its own."""
    return Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)


def close(app: Flask, desk: Desk) -> str:
    return told(app.test_client().delete("/api/v1/me", headers=desk.headers))


@pytest.fixture
def booking_is_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Let the closing come when the booking has begun to write."""
    sweep = claims.sweep_stale_holds
    has_begun, is_closed = Event(), Event()

    def meet(**wanted: Any) -> None:
        has_begun.set()
        # Where the lock holds the closing back, nobody comes, and the booking goes on.
        is_closed.wait(0.5)
        sweep(**wanted)

    monkeypatch.setattr(claims, "sweep_stale_holds", meet)

    def run(desk: Desk, lot: Lot) -> Answers:
        def come() -> str:
            has_begun.wait(10)
            answer = close(app, desk)
            is_closed.set()
            return answer

        with ThreadPoolExecutor() as pool:
            booked = pool.submit(lambda: told(alone(app, desk).book_window(lot)))
            closed = pool.submit(come)
            return {"booking": booked.result(30), "closing": closed.result(30)}

    return run


@pytest.fixture
def meet_in_closing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Desk, Callable[[Desk], TestResponse]], Answers]:
    """Let another request come when the closing has found that nothing stands."""
    check = closing._check_nothing_stands
    has_looked, is_answered = Event(), Event()

    def meet(user_id: int) -> None:
        check(user_id)
        has_looked.set()
        # Where the lock holds the other back, nobody comes, and the closing goes on.
        is_answered.wait(0.5)

    monkeypatch.setattr(closing, "_check_nothing_stands", meet)

    def run(desk: Desk, ask: Callable[[Desk], TestResponse]) -> Answers:
        def come() -> str:
            has_looked.wait(10)
            answer = told(ask(alone(app, desk)))
            is_answered.set()
            return answer

        with ThreadPoolExecutor() as pool:
            other = pool.submit(come)
            closed = pool.submit(close, app, desk)
            return {"other": other.result(30), "closing": closed.result(30)}

    return run


@pytest.fixture
def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        closing,
        "_lock_account",
        lambda user_id: db.session.scalar(select(User).where(User.id == user_id, User.active)),
    )


def live_bookings_of_closed_accounts(app: Flask) -> int:
    with app.app_context(), db.engine.connect() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT count(*) FROM reservations AS r JOIN users AS u ON u.id = r.user_id"
                    " WHERE r.live AND u.deleted_at IS NOT NULL"
                )
            ).scalar_one()
        )


class TestBooking:
    def test_one_that_began_first_is_kept_and_the_account_with_it(
        self, app: Flask, desk: Desk, lot: Lot, booking_is_first: Meet
    ) -> None:
        answers = booking_is_first(desk, lot)
        assert answers == {"booking": "done", "closing": "409 account-in-use"}
        assert live_bookings_of_closed_accounts(app) == 0

    def test_one_that_comes_second_finds_no_account(
        self, app: Flask, desk: Desk, lot: Lot, meet_in_closing: Any
    ) -> None:
        answers = meet_in_closing(desk, lambda browser: browser.book_window(lot))
        assert answers == {"other": "401 unauthenticated", "closing": "done"}
        assert live_bookings_of_closed_accounts(app) == 0

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    @pytest.mark.usefixtures("without_the_lock")
    def test_twin_without_the_lock_closes_an_account_whose_booking_began_first(
        self, app: Flask, desk: Desk, lot: Lot, booking_is_first: Meet
    ) -> None:
        booking_is_first(desk, lot)
        assert live_bookings_of_closed_accounts(app) == 1

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    @pytest.mark.usefixtures("without_the_lock")
    def test_twin_without_the_lock_lets_a_second_one_slip_in(
        self, app: Flask, desk: Desk, lot: Lot, meet_in_closing: Any
    ) -> None:
        meet_in_closing(desk, lambda browser: browser.book_window(lot))
        assert live_bookings_of_closed_accounts(app) == 1


class TestOtherRequests:
    """What comes in while the account is closed leaves nothing of the person behind."""

    def test_a_vehicle(self, app: Flask, desk: Desk, meet_in_closing: Any) -> None:
        answers = meet_in_closing(
            desk,
            lambda browser: browser.client.post(
                "/api/v1/vehicles", json={"plate": "LATE 1"}, headers=browser.headers
            ),
        )
        assert answers == {"other": "401 unauthenticated", "closing": "done"}
        with app.app_context(), transaction(read_only=True):
            assert set(db.session.scalars(select(Vehicle.plate))) == {""}

    def test_a_name(self, app: Flask, desk: Desk, meet_in_closing: Any) -> None:
        answers = meet_in_closing(
            desk,
            lambda browser: browser.client.patch(
                "/api/v1/me", json={"name": "Late"}, headers=browser.headers
            ),
        )
        assert answers["closing"] == "done"
        assert answers["other"] in {"401 unauthenticated", "404 not-found"}
        with app.app_context(), transaction(read_only=True):
            assert db.session.get_one(User, desk.user.id).name == "Closed account"

    def test_an_export(self, app: Flask, desk: Desk, meet_in_closing: Any) -> None:
        answers = meet_in_closing(
            desk,
            lambda browser: browser.client.post("/api/v1/me/export", headers=browser.headers),
        )
        assert answers == {"other": "401 unauthenticated", "closing": "done"}
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalar(select(func.count()).select_from(Job)) == 0

    def test_another_closing(self, desk: Desk, meet_in_closing: Any) -> None:
        answers = meet_in_closing(
            desk,
            lambda browser: browser.client.delete("/api/v1/me", headers=browser.headers),
        )
        assert answers == {"other": "401 unauthenticated", "closing": "done"}


class TestAdmins:
    """Two admins who both leave at once."""

    def test_one_stays(self, app: Flask, make: Factory, arrive: Arrive) -> None:
        assert sorted(self._leave_together(app, make, arrive)) == ["409 last-admin", "done"]

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_twin_without_the_lock_lets_both_go(
        self, app: Flask, make: Factory, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        together = Barrier(2)
        check = last_admin.check_another_admin

        def look_at_once(user_id: int) -> None:
            check(user_id)
            together.wait(10)

        monkeypatch.setattr(closing, "lock_admins", lambda: None)
        monkeypatch.setattr(closing, "check_another_admin", look_at_once)
        assert self._leave_together(app, make, arrive) == ["done", "done"]

    def _leave_together(self, app: Flask, make: Factory, arrive: Arrive) -> list[str]:
        desks = [arrive(user=make.user(roles=("admin",))) for _ in range(2)]
        together = Barrier(2)

        def leave(desk: Desk) -> str:
            together.wait(10)
            return close(app, desk)

        with ThreadPoolExecutor() as pool:
            return list(pool.map(leave, desks))
