"""Two sweeps at once, and a booking that is cancelled while it is reminded of; each with its twin unguarded."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select

from backend.reminders import service
from backend.reservations import cancelling
from backend.reservations.states import get_reservation_for_update
from tests.desk import Desk, between
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, At, Rows

_PATIENCE_SECONDS = 0.4
_LONGEST_SECONDS = 10


@pytest.fixture
def booked(desk: Desk, make: Factory, at: At) -> tuple[Desk, dict[str, Any]]:
    """Book, and let it be a day before the start."""
    start = tomorrow_at(9) + 24 * HOUR
    booking = desk.own(make.lot(), **between(start, start + HOUR))
    (desk,) = at(start - 24 * HOUR, desk)
    return desk, booking


@pytest.fixture
def sweep(app: Flask) -> Callable[[], int]:
    """Sweep as a worker of its own does."""

    def sweep() -> int:
        with app.app_context():
            return service.sweep()

    return sweep


def _reminders(rows: Rows) -> int:
    (mails,) = rows("SELECT count(*) FROM outbox_mails WHERE template = 'reminder-start-day'")
    return int(mails[0])


def _run_two(sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> int:
    """Let two list what is due before either tells it; give how many they told."""
    both_listed = Barrier(2)
    original = service._each_due

    def each_due(kind: service.Kind) -> Iterator[int]:
        found = list(original(kind))
        both_listed.wait(_LONGEST_SECONDS)
        return iter(found)

    monkeypatch.setattr(service, "_each_due", each_due)
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda _: sweep(), range(2)))


@pytest.mark.usefixtures("booked")
class TestTwoSweeps:
    def test_one_of_them_tells(
        self, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch, rows: Rows
    ) -> None:
        assert _run_two(sweep, monkeypatch) == 1
        assert _reminders(rows) == 1

    def test_without_the_key_both_tell(
        self, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch, rows: Rows
    ) -> None:
        numbers = itertools.count()
        monkeypatch.setattr(service, "_key", lambda *_: f"unguarded:{next(numbers)}")
        assert _run_two(sweep, monkeypatch) == 2
        assert _reminders(rows) == 2


class TestCancellingAndReminding:
    def test_what_is_cancelled_after_it_was_listed_is_not_reminded_of(
        self,
        booked: tuple[Desk, dict[str, Any]],
        sweep: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        _cancel_between(booked, monkeypatch)
        assert sweep() == 0
        assert _reminders(rows) == 0

    def test_without_another_look_it_is(
        self,
        booked: tuple[Desk, dict[str, Any]],
        sweep: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        _cancel_between(booked, monkeypatch)
        original = service._look_again

        def look(kind: service.Kind, reservation_id: int) -> Any:
            unguarded = {name: getattr(kind, name) for name in kind.__slots__}
            return original(service.Kind(**unguarded | {"status": "cancelled"}), reservation_id)

        monkeypatch.setattr(service, "_look_again", look)
        assert sweep() == 1
        assert _reminders(rows) == 1

    def test_what_is_being_cancelled_is_not_reminded_of(
        self,
        booked: tuple[Desk, dict[str, Any]],
        sweep: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        assert _cancel_meanwhile(booked, sweep, monkeypatch) == 0
        assert _reminders(rows) == 0
        assert rows("SELECT status FROM reservations") == [("cancelled",)]

    # SQLite lets one writer in at a time, whatever the code does.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_without_the_lock_it_is(
        self,
        booked: tuple[Desk, dict[str, Any]],
        sweep: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        rows: Rows,
    ) -> None:
        def unlocked(statement: Select[Any], **_: object) -> Select[Any]:
            return statement

        look = service._look_again

        def look_unlocked(kind: service.Kind, reservation_id: int) -> Any:
            with monkeypatch.context() as patched:
                patched.setattr(Select, "with_for_update", unlocked)
                return look(kind, reservation_id)

        monkeypatch.setattr(service, "_look_again", look_unlocked)
        assert _cancel_meanwhile(booked, sweep, monkeypatch) == 1
        assert _reminders(rows) == 1
        assert rows("SELECT status FROM reservations") == [("cancelled",)]


def _cancel_between(booked: tuple[Desk, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the booking be cancelled after it was listed, and before it is told."""
    desk, booking = booked
    original = service._each_due

    def each_due(kind: service.Kind) -> Iterator[int]:
        found = list(original(kind))
        if found:
            assert desk.cancel(booking).status_code == 200
        return iter(found)

    monkeypatch.setattr(service, "_each_due", each_due)


def _cancel_meanwhile(
    booked: tuple[Desk, dict[str, Any]],
    sweep: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    """Sweep while the booking is locked to be cancelled; give how many were told."""
    desk, booking = booked
    has_locked, is_swept = Event(), Event()

    def lock(reservation_id: int) -> Any:
        found = get_reservation_for_update(reservation_id)
        has_locked.set()
        is_swept.wait(_PATIENCE_SECONDS)
        return found

    monkeypatch.setattr(cancelling, "get_reservation_for_update", lock)

    def follow() -> int:
        assert has_locked.wait(_LONGEST_SECONDS)
        count = sweep()
        is_swept.set()
        return count

    with ThreadPoolExecutor(2) as pool:
        cancelled = pool.submit(desk.cancel, booking)
        swept = pool.submit(follow)
        assert cancelled.result(_LONGEST_SECONDS).status_code == 200
        return swept.result(_LONGEST_SECONDS)
