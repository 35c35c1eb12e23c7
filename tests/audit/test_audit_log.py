"""The audit log: what is in it stays, and is found."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, OperationalError

from backend import clock
from backend.audit import denials
from backend.audit.service import record, record_changes
from backend.extensions import db
from backend.models import User
from backend.models.audit import APPEND_ONLY
from backend.models.guards import install_guards, missing_guards
from backend.transaction import transaction
from tests.factories import Factory

Statements = Callable[[], AbstractContextManager[list[str]]]
Write = Callable[..., None]

LOG = "/api/v1/audit-log"
CHANGES = [
    "UPDATE audit_entries SET actor_id = 7",
    "UPDATE audit_entries SET action = action",
    "DELETE FROM audit_entries",
    "DELETE FROM audit_entries WHERE id = (SELECT min(id) FROM audit_entries)",
]


@pytest.fixture
def write(app: Flask) -> Write:
    """Write an entry as a service does."""

    def write(*facts: Any, **more: Any) -> None:
        with app.app_context(), transaction():
            record(*facts, **more)

    return write


@pytest.fixture
def connection(app: Flask, write: Write) -> Iterator[Connection]:
    """Speak to the database behind the back of the application, which has written two entries."""
    write("lot.created", "lot", 1)
    write("lot.archived", "lot", 1)
    with app.app_context(), db.engine.connect() as connection:
        yield connection


@pytest.fixture
def unguarded(connection: Connection) -> Connection:
    """As ``connection``, with the guard dropped until this transaction is rolled back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"DROP TRIGGER {APPEND_ONLY} ON audit_entries"))
    else:
        connection.execute(text(f"DROP TRIGGER {APPEND_ONLY}_update"))
        connection.execute(text(f"DROP TRIGGER {APPEND_ONLY}_delete"))
    return connection


class TestTheGuard:
    @pytest.mark.parametrize("change", CHANGES)
    def test_an_entry_is_never_changed_or_deleted(
        self, connection: Connection, change: str
    ) -> None:
        with pytest.raises(DatabaseError, match=APPEND_ONLY):
            connection.execute(text(change))
        connection.rollback()
        assert connection.execute(text("SELECT count(*) FROM audit_entries")).scalar_one() == 2

    def test_the_table_is_never_emptied(self, connection: Connection) -> None:
        # SQLite does not know how.
        refusal = {"postgresql": APPEND_ONLY, "sqlite": "syntax error"}[connection.dialect.name]
        with pytest.raises(DatabaseError, match=refusal):
            connection.execute(text("TRUNCATE audit_entries"))

    @pytest.mark.parametrize("change", CHANGES)
    def test_without_it_the_same_statement_goes_through(
        self, unguarded: Connection, change: str
    ) -> None:
        assert unguarded.execute(text(change)).rowcount > 0

    def test_its_loss_shows_and_is_mended(self, unguarded: Connection) -> None:
        lost = {name for name in missing_guards(unguarded) if name.startswith(APPEND_ONLY)}
        assert lost
        install_guards(unguarded)
        assert not missing_guards(unguarded)
        with pytest.raises(DatabaseError, match=APPEND_ONLY):
            unguarded.execute(text("DELETE FROM audit_entries"))

    def test_an_entry_falls_with_its_transaction(self, app: Flask, connection: Connection) -> None:
        connection.rollback()

        def fail() -> None:
            with app.app_context(), transaction():
                record("lot.updated", "lot", 1)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert connection.execute(text("SELECT count(*) FROM audit_entries")).scalar_one() == 2


class TestSearch:
    @pytest.fixture
    def search(
        self, client: FlaskClient, as_admin: dict[str, str]
    ) -> Callable[..., list[dict[str, Any]]]:
        def search(**query: Any) -> list[dict[str, Any]]:
            answer = client.get(LOG, query_string=query, headers=as_admin)
            assert answer.status_code == 200, answer.text
            items: list[dict[str, Any]] = answer.json["items"]
            return items

        return search

    def test_an_entry_tells_who_did_what(
        self, search: Callable[..., list[dict[str, Any]]], write: Write, admin: User
    ) -> None:
        write("lot.updated", "lot", 5, actor_id=admin.id, before={"name": "A"}, after={"name": "Ä"})
        (entry,) = search(action="lot.updated")
        assert entry.pop("id") > 0
        assert entry.pop("at").endswith("Z")
        assert entry == {
            "actor": {"id": admin.id, "name": admin.name},
            "action": "lot.updated",
            "subject": "lot",
            "subject_id": 5,
            "before": {"name": "A"},
            "after": {"name": "Ä"},
            "request_id": "",
            "client": "",
        }

    def test_what_a_request_did_bears_its_name(
        self, client: FlaskClient, make: Factory, search: Callable[..., list[dict[str, Any]]]
    ) -> None:
        answer = client.post(
            "/api/v1/auth/logout",
            json={},
            headers={**make.headers(make.user()), "X-Request-ID": "the-sign-out"},
        )
        assert answer.status_code == 204
        (entry,) = search(action="user.signed-out")
        assert entry["request_id"] == "the-sign-out"
        assert entry["client"] == "127.0.0.1"

    def test_each_filter_narrows(
        self, search: Callable[..., list[dict[str, Any]]], write: Write, admin: User
    ) -> None:
        start = clock.now()
        write("lot.created", "lot", 5, actor_id=admin.id)
        clock.move(timedelta(hours=1))
        write("spot.updated", "spot", 5)
        clock.move(timedelta())
        lately = (start + timedelta(minutes=30)).isoformat()

        def actions(**query: Any) -> list[str]:
            return [each["action"] for each in search(**query)]

        assert actions(subject_id=5) == ["spot.updated", "lot.created"]
        assert actions(subject="lot") == ["lot.created"]
        assert actions(action="spot.updated") == ["spot.updated"]
        assert actions(actor_id=admin.id, subject="lot") == ["lot.created"]
        assert actions(actor_id=admin.id, subject="spot") == []
        assert actions(subject_id=5, **{"from": lately}) == ["spot.updated"]
        assert actions(subject_id=5, to=lately) == ["lot.created"]

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("created", ["spots.created_in_bulk", "lot.created"]),
            ("LOT.C", ["lot.created"]),
            ("created lot", ["lot.created"]),
            ("spot lot", []),
            (".", ["spots.created_in_bulk", "lot.created"]),
            ("%", []),
            ("_", ["spots.created_in_bulk"]),
            ("\\", []),
            ("' OR 1=1 --", []),
        ],
    )
    def test_text_is_looked_for_in_the_action(
        self,
        search: Callable[..., list[dict[str, Any]]],
        write: Write,
        q: str,
        found: list[str],
    ) -> None:
        write("lot.created", "lot", 5)
        write("spots.created_in_bulk", "lot", 5)
        assert [each["action"] for each in search(q=q, subject_id=5, subject="lot")] == found

    def test_pages_hold_each_entry_once_while_others_come(
        self, client: FlaskClient, as_admin: dict[str, str], write: Write
    ) -> None:
        for number in range(1, 8):
            write("lot.updated", "lot", number)
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 3, "subject": "lot"}
        while True:
            answer = client.get(LOG, query_string=query, headers=as_admin)
            seen += [each["subject_id"] for each in answer.json["items"]]
            write("lot.updated", "lot", 99)
            if answer.json["next_cursor"] is None:
                break
            query["cursor"] = answer.json["next_cursor"]
        assert seen == [7, 6, 5, 4, 3, 2, 1]

    def test_a_closed_account_has_no_name(
        self,
        app: Flask,
        search: Callable[..., list[dict[str, Any]]],
        write: Write,
        make: Factory,
    ) -> None:
        closed = make.user(name="Closed account", deleted_at=clock.now(), active=False)
        write("lot.updated", "lot", 1, actor_id=closed.id)
        write("lot.updated", "lot", 2, actor_id=10**12)
        assert [each["actor"] for each in search(action="lot.updated")] == [
            {"id": 10**12, "name": None},
            {"id": closed.id, "name": None},
        ]

    def test_names_cost_no_query_of_their_own(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        write: Write,
        make: Factory,
        statements: Statements,
    ) -> None:
        for _ in range(5):
            write("lot.updated", "lot", 1, actor_id=make.user().id)
        with statements() as asked:
            answer = client.get(LOG, query_string={"subject": "lot"}, headers=as_admin)
        assert len({each["actor"]["name"] for each in answer.json["items"]}) == 5
        # Who asks, and the page.
        assert len(asked) == 2

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("limit", "0"),
            ("limit", "101"),
            ("cursor", "x"),
            ("actor_id", "me"),
            ("from", "yesterday"),
            ("q", ""),
            ("since", "2026-01-01T00:00:00Z"),
        ],
    )
    def test_another_question_is_refused(
        self, client: FlaskClient, as_admin: dict[str, str], field: str, value: str
    ) -> None:
        answer = client.get(LOG, query_string={field: value}, headers=as_admin)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]

    def test_it_is_for_admins_alone(self, client: FlaskClient, make: Factory) -> None:
        for role in ("driver", "attendant"):
            assert (
                client.get(LOG, headers=make.headers(make.user(roles=(role,)))).status_code == 403
            )
        assert client.get(LOG).status_code == 401


class TestDenials:
    @pytest.fixture
    def denied(
        self, client: FlaskClient, as_admin: dict[str, str]
    ) -> Callable[[], list[tuple[int, str]]]:
        def denied() -> list[tuple[int, str]]:
            answer = client.get(LOG, query_string={"q": "denied"}, headers=as_admin)
            return [(each["actor"]["id"], each["after"]["route"]) for each in answer.json["items"]]

        return denied

    def test_a_refused_caller_is_kept(
        self, client: FlaskClient, as_admin: dict[str, str], as_driver: dict[str, str], driver: User
    ) -> None:
        answer = client.delete(
            "/api/v1/lots/1", headers={**as_driver, "X-Request-ID": "not-for-drivers"}
        )
        assert answer.status_code == 403
        found = client.get(LOG, query_string={"action": "request.denied"}, headers=as_admin)
        (entry,) = found.json["items"]
        assert entry["actor"] == {"id": driver.id, "name": driver.name}
        assert entry["after"] == {
            "route": "DELETE /api/v1/lots/<id:lot_id>",
            "problem": "forbidden",
        }
        assert entry["request_id"] == "not-for-drivers"

    def test_a_flood_is_one_entry_for_each_route_and_minute(
        self,
        client: FlaskClient,
        as_driver: dict[str, str],
        driver: User,
        denied: Callable[[], list[tuple[int, str]]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for _ in range(20):
            assert client.get(LOG, headers=as_driver).status_code == 403
        assert client.get("/api/v1/spots/1", headers=as_driver).status_code == 403
        assert denied() == [
            (driver.id, "GET /api/v1/spots/<id:spot_id>"),
            (driver.id, "GET /api/v1/audit-log"),
        ]
        monkeypatch.setattr(denials, "_SECONDS", 0.0)
        denials.forget()
        for _ in range(2):
            client.get(LOG, headers=as_driver)
        assert len(denied()) == 4

    def test_so_many_at_once_take_no_more_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(denials, "_MOST", 3)
        assert [denials._is_news((1, str(number))) for number in range(10)] == [True] * 10
        assert len(denials._recent) <= 3

    def test_a_stranger_leaves_nothing(
        self, client: FlaskClient, denied: Callable[[], list[tuple[int, str]]]
    ) -> None:
        assert client.get(LOG).status_code == 401
        assert denied() == []

    def test_a_refusal_stands_though_the_log_cannot_be_written(
        self, client: FlaskClient, as_driver: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_facts: Any, **_more: Any) -> None:
            raise OperationalError("INSERT", {}, Exception("away"))

        monkeypatch.setattr(denials, "record", fail)
        assert client.get(LOG, headers=as_driver).status_code == 403


def test_only_what_differs_is_recorded(app: Flask) -> None:
    with app.app_context(), transaction():
        record_changes(
            "lot.updated",
            "lot",
            1,
            actor_id=None,
            before={"name": "A", "city": "B"},
            after={"name": "A", "city": "C", "open": True},
        )
        record_changes("lot.updated", "lot", 2, actor_id=None, before={"a": 1}, after={"a": 1})
    with app.app_context(), db.engine.connect() as connection:
        rows = connection.execute(text("SELECT subject_id FROM audit_entries")).scalars().all()
    assert rows == [1]
