"""A booking, and an admin who changes or closes its bay or lot at that very moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.claims import service as claims
from backend.extensions import db
from backend.models import Lot
from backend.reservations import booking
from tests.counter import Arrive, Later
from tests.desk import Desk, problem
from tests.factories import Factory


def told(answer: TestResponse, done: str) -> str:
    """Say what was done, or why not."""
    return done if answer.status_code < 300 else problem(answer)


@contextmanager
def changing_the_bay(app: Flask, make: Factory, lot: Lot) -> Iterator[None]:
    """Hold the lock that a change of the lot's only bay takes."""
    (spot,) = make.spots(lot)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE spots SET level = level WHERE id = :id"), {"id": spot.id})
        yield


@pytest.mark.parametrize("what", ["lots", "spots"])
def test_neither_waits_for_the_other_for_ever(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    arrive: Arrive,
    make: Factory,
    later: Later,
    as_admin: dict[str, str],
    what: str,
) -> None:
    lot = make.lot(spots=1)
    arrive().hold(lot)
    booker = later(arrive(), minutes=11)
    quote = booker.quote(lot)
    path = f"/api/v1/lots/{lot.id}"
    change: dict[str, object] = {"status": "closed"}
    if what == "spots":
        path = f"/api/v1/spots/{make.spots(lot)[0].id}"
        change = {"in_service": False}
    has_swept, is_closing = Event(), Event()
    sweep = claims.sweep_stale_holds
    answers: list[str] = []

    def meet(*, lot_id: int | None, plate: str, user_id: int) -> None:
        wanted: dict[str, Any] = {"lot_id": lot_id, "plate": plate, "user_id": user_id}
        if plate:
            sweep(**wanted)
            has_swept.set()
            # Where the order of locks holds the admin back, nobody comes, and the booking goes on.
            is_closing.wait(0.5)
        else:
            is_closing.set()
            sweep(**wanted)

    def book() -> None:
        alone = Desk(app.test_client(), booker.user, booker.headers, booker.vehicle)
        answers.append(told(alone.book(quote_id=quote["id"]), "booked"))

    def close() -> None:
        has_swept.wait(10)
        answers.append(told(app.test_client().patch(path, json=change, headers=as_admin), "closed"))

    monkeypatch.setattr(claims, "sweep_stale_holds", meet)
    threads = [Thread(target=book), Thread(target=close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) in (
        ["409 lot-in-use", "booked"],
        ["409 spot-in-use", "booked"],
        ["409 lot-full", "closed"],
    )
    with app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM spot_claims WHERE live")).scalar() == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nor_does_one_who_moves_the_lot_to_another_zone(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    arrive: Arrive,
    make: Factory,
    later: Later,
    as_admin: dict[str, str],
) -> None:
    """The booking refers to the lot and then sweeps; the admin must not do it the other way round."""
    lot = make.lot(spots=3)
    arrive().hold(lot)
    booker = later(arrive(), minutes=11)
    sweep = claims.sweep_stale_holds
    refers, has_swept = Event(), Event()

    def meet(*, lot_id: int | None, plate: str, user_id: int) -> None:
        if plate:
            refers.set()
            # Where the order of locks holds the admin back, nobody comes, and the booking goes on.
            has_swept.wait(0.5)
        sweep(lot_id=lot_id, plate=plate, user_id=user_id)
        if not plate:
            has_swept.set()

    def book() -> str:
        alone = Desk(app.test_client(), booker.user, booker.headers, booker.vehicle)
        return told(alone.book_window(lot), "booked")

    def move() -> str:
        refers.wait(10)
        change = {"timezone": "Europe/Paris"}
        return told(
            app.test_client().patch(f"/api/v1/lots/{lot.id}", json=change, headers=as_admin),
            "moved",
        )

    monkeypatch.setattr(claims, "sweep_stale_holds", meet)
    with ThreadPoolExecutor() as pool:
        answers = [each.result(30) for each in (pool.submit(book), pool.submit(move))]

    assert answers == ["booked", "409 lot-in-use"]


class TestOnlyBayBeingChanged:
    """A bay that an admin is changing is passed over, but where it is the only one it is waited for."""

    def test_a_lone_booking_waits_and_gets_it(
        self, app: Flask, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        desk = arrive()
        with ThreadPoolExecutor() as pool:
            with changing_the_bay(app, make, lot):
                booked = pool.submit(desk.book_window, lot)
                # One that does not wait has answered by then.
                assert not wait([booked], timeout=0.5).done
            assert booked.result(10).status_code == 201

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_twin_that_only_passes_over_is_told_full(
        self, app: Flask, arrive: Arrive, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pick, _ = claims._picks(on_postgresql=True)
        monkeypatch.setattr(claims, "_picks", lambda _: (pick, None))
        # Looking for room would meet the bay that was passed over.
        monkeypatch.setattr(booking, "find_room", lambda *_, **__: None)
        lot = make.lot(spots=1)
        with changing_the_bay(app, make, lot):
            assert problem(arrive().book_window(lot)) == "409 lot-full"
