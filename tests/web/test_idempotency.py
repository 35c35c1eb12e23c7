"""The same request sent twice has one effect and one answer."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from backend.clock import now
from backend.config import Settings
from backend.errors import Conflict
from backend.extensions import db
from backend.models import IdempotencyKey
from backend.transaction import transaction
from backend.web import idempotency
from tests import servers
from tests.contract import ContractClient
from tests.web.conftest import Knobs, Note

NOTES = "/api/v1/notes"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "sqlite":
        return settings
    made = servers.new_postgresql_database(os.environ["VV_TEST_POSTGRESQL"])
    return replace(settings, database_url=made)


@pytest.fixture
def keyed(ann: dict[str, str]) -> dict[str, str]:
    return ann | {"Idempotency-Key": "k-1"}


def _count(app: Flask, model: Any) -> int:
    with app.app_context(), transaction(read_only=True):
        return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def _set(app: Flask, **values: Any) -> None:
    with app.app_context(), transaction():
        db.session.execute(update(IdempotencyKey).values(**values))


def test_second_request_gets_the_first_answer(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    first = client.post(NOTES, json={"text": "one", "tags": ["a"]}, headers=keyed)
    second = client.post(
        NOTES,
        data=b'{ "tags":["a"], "text":"one" }',
        content_type="application/json",
        headers=keyed,
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert knobs.effects == 1


def test_key_belongs_to_one_caller_one_path_and_one_body(
    client: ContractClient, keyed: dict[str, str]
) -> None:
    assert client.post(NOTES, json={"text": "one"}, headers=keyed).status_code == 201
    other_body = client.post(NOTES, json={"text": "two"}, headers=keyed)
    assert other_body.status_code == 422
    assert other_body.json["type"] == "/problems/idempotency-key-reused"
    other_path = client.post("/api/v1/payments", json={"text": "one"}, headers=keyed)
    assert other_path.status_code == 422
    other_caller = keyed | {"Authorization": "Bearer 3"}
    assert client.post(NOTES, json={"text": "cy"}, headers=other_caller).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ü", "tab\there"])
def test_unusable_key_is_422(client: ContractClient, ann: dict[str, str], key: str) -> None:
    headers = [*ann.items(), ("Idempotency-Key", key.encode("latin-1").decode("latin-1"))]
    answer = client.post(NOTES, json={"text": "x"}, headers=headers)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("path", [NOTES, "/api/v1/payments"])
def test_16_at_once_have_one_effect_and_equal_bodies(
    app: Flask, keyed: dict[str, str], knobs: Knobs, path: str
) -> None:
    knobs.during = lambda: time.sleep(0.2)
    start = threading.Barrier(16)

    def send(_: int) -> Any:
        client = app.test_client()
        start.wait()
        return client.post(path, json={"text": "once"}, headers=keyed)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert knobs.effects == 1
    assert _count(app, Note) == 6


def test_twin_that_takes_long_is_409_with_retry_after(
    app: Flask, keyed: dict[str, str], knobs: Knobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_WAIT_SECONDS", 0.1)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        leave.wait(10)

    knobs.during = hold
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(
            lambda: app.test_client().post("/api/v1/payments", json={"text": "slow"}, headers=keyed)
        )
        assert entered.wait(10)
        # Its effect and its facts are committed already: the answer is known.
        assert (
            app.test_client()
            .post("/api/v1/payments", json={"text": "slow"}, headers=keyed)
            .status_code
            == 201
        )
        _set(app, status=None, facts=None)
        twin = app.test_client().post("/api/v1/payments", json={"text": "slow"}, headers=keyed)
        leave.set()
        first.result()
    assert twin.status_code == 409
    assert twin.json["type"] == "/problems/request-in-progress"
    assert twin.headers["Retry-After"] == "1"


def _fail(error: Exception) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


def test_refusal_leaves_nothing_and_the_key_works_again(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    knobs.during = _fail(Conflict())
    assert client.post(NOTES, json={"text": "one"}, headers=keyed).status_code == 409
    assert (_count(app, IdempotencyKey), _count(app, Note)) == (0, 5)
    knobs.during = lambda: None
    assert client.post(NOTES, json={"text": "two"}, headers=keyed).status_code == 201


def test_fault_after_the_effect_keeps_the_answer(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    knobs.during = _fail(Conflict())
    body = {"text": "paid"}
    assert client.post("/api/v1/payments", json=body, headers=keyed).status_code == 409
    knobs.during = lambda: None
    again = client.post("/api/v1/payments", json=body, headers=keyed)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _count(app, Note) == 6


def test_key_left_by_a_crash_is_taken_over_after_its_time(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    assert client.post(NOTES, json={"text": "one"}, headers=keyed).status_code == 201
    _set(app, status=None, facts=None, owner="crashed", locked_until=now() - timedelta(seconds=1))
    with app.app_context(), transaction():
        db.session.delete(db.session.get(Note, 6))
    assert client.post(NOTES, json={"text": "one"}, headers=keyed).status_code == 201
    assert knobs.effects == 2


def test_request_that_lost_its_key_leaves_no_effect(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    def lose() -> None:
        db.session.execute(update(IdempotencyKey).values(owner="another"))

    knobs.during = lose
    answer = client.post(NOTES, json={"text": "late"}, headers=keyed)
    assert answer.status_code == 409
    assert _count(app, Note) == 5


def test_after_a_day_the_key_is_new(
    client: ContractClient, app: Flask, keyed: dict[str, str], knobs: Knobs
) -> None:
    client.post(NOTES, json={"text": "one"}, headers=keyed)
    _set(app, created_at=now() - timedelta(hours=25))
    assert client.post(NOTES, json={"text": "two"}, headers=keyed).status_code == 201
    assert knobs.effects == 2


def test_operation_that_forgets_to_remember_has_no_effect(
    app: Flask, keyed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.web.conftest.remember", lambda **_facts: None)
    app.test_client_class = None
    answer = app.test_client().post(NOTES, json={"text": "one"}, headers=keyed)
    assert answer.status_code == 500
    assert (_count(app, IdempotencyKey), _count(app, Note)) == (0, 5)


def test_without_a_key_each_request_stands_alone(
    client: ContractClient, app: Flask, ann: dict[str, str], knobs: Knobs
) -> None:
    for text in ("one", "two"):
        assert client.post(NOTES, json={"text": text}, headers=ann).status_code == 201
    assert knobs.effects == 2
    assert _count(app, IdempotencyKey) == 0
