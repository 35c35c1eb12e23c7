"""Two drivers and a stranger take turns on one process: nobody is ever taken for another."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests import servers
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Answer, Browser, Driver, send

REQUESTS = 204
Send = Callable[..., Answer]


class TestTurns:
    def test_on_one_worker_and_a_new_connection_each_time(
        self, one_worker: servers.WebServer, make: Factory, crew: Crew
    ) -> None:
        take_turns(partial(send, one_worker.url), make, crew)

    def test_on_one_worker_and_one_connection(
        self, one_worker: servers.WebServer, make: Factory, crew: Crew
    ) -> None:
        with Browser(one_worker.url) as browser:
            take_turns(browser.send, make, crew)

    def test_on_two_workers_and_one_kept_connection(
        self, web: servers.WebServer, make: Factory, crew: Crew
    ) -> None:
        with Browser(web.url) as browser:
            take_turns(browser.send, make, crew)


def take_turns(send: Send, make: Factory, crew: Crew) -> None:
    ann, bob = crew(2)
    lot = make.lot(spots=2)
    codes = {}
    for driver in (ann, bob):
        body = {
            "lot_id": lot.id,
            "vehicle_id": driver.vehicle_id,
            "starts_at": tomorrow_at(9).isoformat(),
            "ends_at": tomorrow_at(11).isoformat(),
        }
        booked = send("POST", "/reservations", headers=driver.headers, body=body)
        codes[driver.id] = booked.body["code"]

    for number in range(REQUESTS):
        # Turns of three callers over three paths, shifted so that each meets each after each.
        caller = (ann, bob, None)[(number + number // 9) % 3]
        path = ("/me", "/vehicles", "/reservations")[number // 3 % 3]
        answer = send("GET", path, headers=caller.headers if caller else None)
        if caller is None:
            assert answer.told == "401 unauthenticated"
        else:
            assert answer.told == "200"
            assert seen_in(path, answer) == expected_of(path, caller, codes[caller.id])


def seen_in(path: str, answer: Answer) -> object:
    if path == "/me":
        return answer.body["id"], answer.body["email"]
    field = "plate" if path == "/vehicles" else "code"
    return [item[field] for item in answer.body["items"]]


def expected_of(path: str, driver: Driver, code: str) -> object:
    return {
        "/me": (driver.id, driver.email),
        "/vehicles": [driver.plate],
        "/reservations": [code],
    }[path]


@contextmanager
def a_rule_that_nobody_foresaw(app: Flask) -> Iterator[None]:
    """Let the database refuse one plate, by a constraint that no code knows."""
    with app.app_context(), db.engine.begin() as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        connection.execute(
            text(
                "ALTER TABLE vehicles ADD CONSTRAINT ck_unforeseen CHECK (plate <> 'UNFORESEEN')"
                if is_postgresql
                else "CREATE TRIGGER ck_unforeseen BEFORE INSERT ON vehicles"
                " WHEN NEW.plate = 'UNFORESEEN' BEGIN SELECT RAISE(ABORT, 'ck_unforeseen'); END"
            )
        )
    try:
        yield
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(
                text(
                    "ALTER TABLE vehicles DROP CONSTRAINT ck_unforeseen"
                    if is_postgresql
                    else "DROP TRIGGER ck_unforeseen"
                )
            )


class TestConstraintError:
    def test_a_refused_plate_leaves_the_worker_sound(
        self, app: Flask, one_worker: servers.WebServer, crew: Crew, books: Books
    ) -> None:
        ann, bob = crew(2)
        with Browser(one_worker.url) as browser:
            for _ in range(10):
                refused = browser.send(
                    "POST", "/vehicles", headers=ann.headers, body={"plate": ann.plate}
                )
                assert refused.told == "409 plate-taken"
                self.assert_sound(app, browser, books, ann, bob, refused)

    def test_so_does_a_constraint_that_nobody_foresaw(
        self, app: Flask, one_worker: servers.WebServer, crew: Crew, books: Books
    ) -> None:
        ann, bob = crew(2)
        with Browser(one_worker.url) as browser, a_rule_that_nobody_foresaw(app):
            for _ in range(10):
                refused = browser.send(
                    "POST", "/vehicles", headers=ann.headers, body={"plate": "UNFORESEEN"}
                )
                assert refused.told == "500 internal-error"
                assert "ck_unforeseen" not in str(refused.body)
                self.assert_sound(app, browser, books, ann, bob, refused)

    @staticmethod
    def assert_sound(
        app: Flask, browser: Browser, books: Books, ann: Driver, bob: Driver, refused: Answer
    ) -> None:
        for driver in (bob, ann):
            assert browser.send("GET", "/me", headers=driver.headers).body["id"] == driver.id
        renamed = browser.send(
            "PATCH",
            f"/vehicles/{bob.vehicle_id}",
            headers=bob.headers,
            body={"label": refused.headers["x-request-id"]},
        )
        assert renamed.told == "200"
        rows = books.ask("SELECT plate, label FROM vehicles ORDER BY id")
        assert [row.plate for row in rows] == [ann.plate, bob.plate]
        assert rows[1].label == refused.headers["x-request-id"]
        assert_no_transaction_is_open(app)


def assert_no_transaction_is_open(app: Flask) -> None:
    """Look for one that the worker left behind; on SQLite by writing without any patience."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect() as connection:
                idle = connection.execute(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
                    )
                ).scalar_one()
            assert idle == 0
        else:
            path = db.engine.url.database or ""
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
