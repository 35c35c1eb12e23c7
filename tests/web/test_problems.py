"""Refusals look the same everywhere, in tests and in production."""

from collections.abc import Callable
from typing import Any

import pytest
import redis
import sqlalchemy.exc
from flask import Flask
from sqlalchemy.orm.exc import StaleDataError

from backend.errors import LotFull
from backend.web.problems import PROBLEM_JSON
from tests.contract import ContractBroken, ContractClient
from tests.web.conftest import Knobs

Make = Callable[..., Flask]


@pytest.fixture(params=[True, False], ids=["testing", "production"])
def either(request: pytest.FixtureRequest, make_app: Make) -> Any:
    """A client that checks nothing, since faults are not in the document."""
    app = make_app(testing=request.param)
    app.test_client_class = None
    return app.test_client()


def _raise(error: BaseException) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


class TestEitherMode:
    @pytest.mark.parametrize(
        ("method", "path", "status", "slug"),
        [
            ("GET", "/nowhere", 404, "not-found"),
            ("GET", "/api/v1/nowhere", 404, "not-found"),
            ("GET", "/api/v1/notes/", 404, "not-found"),
            ("GET", "/api/v1//notes", 404, "not-found"),
            ("PUT", "/api/v1/notes", 405, "method-not-allowed"),
            ("FOO", "/api/v1/notes", 405, "method-not-allowed"),
            ("GET", "/api/v1/me", 401, "unauthenticated"),
            ("POST", "/api/v1/notes", 401, "unauthenticated"),
        ],
    )
    def test_refusal_is_a_problem(
        self, either: Any, method: str, path: str, status: int, slug: str
    ) -> None:
        answer = either.open(path, method=method)
        assert answer.status_code == status
        assert answer.mimetype == PROBLEM_JSON
        assert answer.json["type"] == f"/problems/{slug}"
        assert answer.json["instance"] == path
        assert answer.json["request_id"] == answer.headers["X-Request-ID"]
        if status == 405:
            assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_unforeseen_fault_is_logged_with_the_request_id(
        self, either: Any, knobs: Knobs, caplog: pytest.LogCaptureFixture
    ) -> None:
        knobs.fault = _raise(ZeroDivisionError("hidden words"))
        answer = either.get("/api/v1/faults", headers={"X-Request-ID": "find-me"})
        assert answer.status_code == 500
        assert answer.json["type"] == "/problems/internal-error"
        assert answer.json["request_id"] == "find-me"
        assert "hidden words" not in answer.text
        assert any(record.exc_info for record in caplog.records)

    @pytest.mark.parametrize(
        "error",
        [
            sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception("gone")),
            sqlalchemy.exc.TimeoutError("no connection left"),
            redis.ConnectionError("gone"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_missing_part_is_503_with_retry_after(
        self, either: Any, knobs: Knobs, error: Exception
    ) -> None:
        knobs.fault = _raise(error)
        answer = either.get("/api/v1/faults")
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 5

    def test_unknown_constraint_is_500_and_the_next_request_is_sound(
        self, either: Any, knobs: Knobs
    ) -> None:
        knobs.fault = _raise(sqlalchemy.exc.IntegrityError("INSERT", {}, Exception("ck_x")))
        assert either.post("/api/v1/faults").status_code == 500
        knobs.fault = lambda: None
        assert either.post("/api/v1/faults").status_code == 204


@pytest.mark.parametrize("path", ["//api/v1/notes", "//", "", "*", "//evil.example.org/notes"])
def test_path_has_one_spelling(make_app: Make, path: str) -> None:
    """As a server hands it over: Werkzeug's own client tidies what it is asked."""
    app = make_app()
    app.test_client_class = None
    answer = app.test_client().get("/x", environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 404
    assert answer.mimetype == PROBLEM_JSON
    assert "Location" not in answer.headers


def test_lost_race_is_a_conflict(client: ContractClient, knobs: Knobs) -> None:
    knobs.fault = _raise(StaleDataError())
    assert client.post("/api/v1/faults").status_code == 409


def test_client_refuses_a_status_that_is_not_declared(client: ContractClient, knobs: Knobs) -> None:
    knobs.fault = _raise(ZeroDivisionError())
    with pytest.raises(ContractBroken, match="500 is not declared"):
        client.get("/api/v1/faults")


def test_client_refuses_a_problem_that_is_not_declared(
    client: ContractClient, knobs: Knobs
) -> None:
    knobs.fault = _raise(LotFull())
    with pytest.raises(ContractBroken, match="lot-full"):
        client.post("/api/v1/faults")


@pytest.mark.parametrize("shape", [{"id": "7", "text": "x"}, {"id": 7}, {"id": 7, "text": ""}])
def test_client_refuses_another_shape(make_app: Make, knobs: Knobs, shape: dict[str, Any]) -> None:
    app = make_app()

    def answer(**_path: Any) -> Any:
        return app.response_class(app.json.dumps(shape), mimetype="application/json")

    _replace(app, "notes.notedetail", answer)
    with pytest.raises(ContractBroken, match="another shape"):
        app.test_client().get("/api/v1/notes/1")


def test_client_refuses_another_media_type_and_a_body_where_none_is(make_app: Make) -> None:
    app = make_app()
    _replace(app, "notes.notedetail", lambda **_path: ("<p>hello", 200))
    with pytest.raises(ContractBroken, match="text/html"):
        app.test_client().get("/api/v1/notes/1")
    _replace(app, "notes.faults", lambda: app.response_class("words", 204))
    app.test_client().post("/api/v1/faults")
    _replace(app, "notes.limited", lambda: ("words", 200))
    with pytest.raises(ContractBroken, match="200 is not declared"):
        app.test_client().post("/api/v1/limited")


def _replace(app: Flask, endpoint: str, view: Callable[..., Any]) -> None:
    """Answer by ``view`` where the document still describes the operation."""
    view.view_class = app.view_functions[endpoint].view_class  # type: ignore[attr-defined] # as Flask marks views
    app.view_functions[endpoint] = view
