"""Who may call what: the matrix of docs/access.md, held against every route and tried cell by cell."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.web import limits
from backend.web.openapi import operations
from tests.access import COLUMNS, PUBLIC, ROLES, ROWS, SIGNED_IN, Row
from tests.factories import Factory
from tests.world import BEFORE, BODIES, HEADERS, QUERIES, World, path_of, upload

MATRIX = {row.operation: row.roles for row in ROWS}

_UNTOUCHABLE = ("anonymous", "other driver", "attendant", "attendant elsewhere")
_PROBLEMS = {"401": "unauthenticated", "403": "forbidden", "403 fresh": "fresh-sign-in-required"}


def test_every_operation_is_on_the_matrix_as_it_is(app: Flask) -> None:
    found = {
        f"{method} {path}": PUBLIC if described.public else set(described.roles) or SIGNED_IN
        for method, path, _, described in operations(app)
    }
    assert found == MATRIX


def test_every_operation_asks_for_a_fresh_proof_as_the_matrix_says(app: Flask) -> None:
    found = {
        f"{method} {path}" for method, path, _, described in operations(app) if described.fresh
    }
    assert found == {row.operation for row in ROWS if row.is_fresh}


def test_no_row_stands_twice() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_cell_is_so(
    app: Flask,
    client: FlaskClient,
    make: Factory,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    row: Row,
) -> None:
    # All callers sit at one address here, and would be told to wait.
    monkeypatch.setitem(app.extensions, limits._KEY, None)
    wrong = []
    world = World(app, client, make)
    # Refusals first: they leave the world as it is, so that the next may have it.
    for column in sorted(COLUMNS, key=lambda name: row.cells[name] < "400"):
        said = _try(world, row, column)
        if said is not None:
            wrong.append(f"{column}: {said}")
        if row.cells[column] < "400" or column in {"disabled", "stale"}:
            world = World(app, client, make)
    record_property("cells", len(COLUMNS))
    record_property("mismatches", len(wrong))
    assert wrong == []


def _try(world: World, row: Row, column: str) -> str | None:
    """Try one cell; say what is wrong with it."""
    wanted = row.cells[column]
    person = world.person(column, may=row.may)
    path = path_of(world, row.name)
    if row.name in BEFORE:
        BEFORE[row.name](world, person)
    sent: dict[str, Any] = {"json": BODIES[row.name](world, person)} if row.name in BODIES else {}
    if row.name == "POST /lots/import":
        sent = {"data": upload()}
    if row.name in QUERIES:
        sent["query_string"] = QUERIES[row.name](world)
    guarded = _is_strange(row, column) and not row.is_public and not row.name.startswith("GET")
    seen = world.view_of_owner() if guarded else None

    method = row.name.partition(" ")[0]
    headers = world.headers(column, may=row.may)
    if row.name in HEADERS:
        headers = headers | HEADERS[row.name](world)
    answer = world.client.open(path, method=method, headers=headers, **sent)

    if str(answer.status_code) != wanted[:3]:
        return f"{answer.status_code} instead of {wanted}: {answer.data[:300]!r}"
    if wanted in _PROBLEMS and answer.json["type"] != f"/problems/{_PROBLEMS[wanted]}":
        return f"{answer.json['type']} instead of {wanted}"
    if wanted == "404" and _told(answer) != _told(_ask_for_nothing(world, row, column, sent)):
        return f"it tells of the owner's thing: {answer.text}"
    if seen is not None and world.view_of_owner() != seen:
        return "it changed what the owner has"
    return _what_it_tells(world, row, column, answer)


def _what_it_tells(world: World, row: Row, column: str, answer: TestResponse) -> str | None:
    wanted = row.cells[column]
    marks = [mark for mark in world.marks if mark.encode() in answer.data]
    if wanted.endswith("all") and not marks:
        return "the owner's things are not in it"
    is_theirs = wanted.endswith("own") or _is_strange(row, column)
    # Who shows the owner's password or code to sign in is the owner.
    if marks and is_theirs and "/auth/" not in row.name:
        return f"it tells of the owner: {marks}"
    return None


def _is_strange(row: Row, column: str) -> bool:
    """Whether who asks has nothing to do with the owner's things: staff of the lot may have."""
    return column in _UNTOUCHABLE and not row.cells[column].endswith("all")


def _ask_for_nothing(world: World, row: Row, column: str, sent: dict[str, Any]) -> TestResponse:
    """Ask the same of a thing that is not there."""
    path = "/api/v1" + re.sub(r"{[^}]+}", "999999", row.name.split(" ")[1])
    # What a body or a query names is not there either: the vehicle, else the lot or the job.
    for part in ("json", "query_string"):
        for name in ("vehicle_id", "lot_id", "job_id"):
            if name in sent.get(part, {}):
                sent = sent | {part: sent[part] | {name: 999999}}
                break
    method = row.name.partition(" ")[0]
    return world.client.open(path, method=method, headers=world.headers(column, may=""), **sent)


def _told(answer: TestResponse) -> dict[str, Any]:
    told: dict[str, Any] = answer.json
    told["detail"] = re.sub(r"[0-9]+", "#", told["detail"])
    return {name: told[name] for name in told if name not in {"instance", "request_id"}}


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer x.y.z", "Basic eDp5", "Token 1"])
def test_a_stranger_is_let_into_nothing_that_is_not_public(
    app: Flask, client: FlaskClient, token: str
) -> None:
    headers = {"Authorization": token} if token else {}
    for name, roles in MATRIX.items():
        if roles is not PUBLIC:
            answer = _call(client, name, headers)
            assert answer.status_code == 401, name
            assert answer.headers["WWW-Authenticate"] == "Bearer", name


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_is_let_into_its_own_operations_and_no_others(
    app: Flask, client: FlaskClient, make: Factory, role: str
) -> None:
    for name, roles in MATRIX.items():
        # Another each time, for some operations end sign-ins or close the account.
        answer = _call(client, name, make.headers(make.user(roles=(role,))))
        if role in roles:
            assert answer.status_code not in {401, 403}, name
        elif roles is not PUBLIC:
            assert answer.status_code == 403, name
            assert answer.json is not None
            assert answer.json["type"] == "/problems/forbidden", name


def test_a_user_without_any_role_is_let_into_no_operation_of_a_role(
    app: Flask, client: FlaskClient, make: Factory
) -> None:
    headers = make.headers(make.user(roles=()))
    for name, roles in MATRIX.items():
        if roles is not PUBLIC and roles is not SIGNED_IN:
            assert _call(client, name, headers).status_code == 403, name


def _call(client: FlaskClient, name: str, headers: dict[str, str]) -> Any:
    """Call an operation on things that do not exist, without a body."""
    method, _, path = name.partition(" ")
    return client.open(re.sub(r"{[^}]+}", "999999", path), method=method, headers=headers)
