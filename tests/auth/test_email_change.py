"""Moving an account to another address, which both addresses confirm."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend.clock import now
from backend.extensions import db
from backend.models import AuditEntry, EmailChange, SignInSession
from backend.transaction import transaction

PASSWORD = "a quiet place to park"
OLD = "asha@example.org"
NEW = "asha.rao@example.net"

Register = Callable[..., dict[str, Any]]


def headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def kind(answer: Any) -> str:
    return f"{answer.status_code} {answer.json['type'].removeprefix('/problems/')}"


@pytest.fixture
def move(client: FlaskClient, sign_up: Register) -> tuple[dict[str, str], Any]:
    """Sign somebody up who asks to move to the new address."""
    signed_in = headers(sign_up(OLD))
    answer = client.post("/api/v1/me/email", json={"email": NEW}, headers=signed_in)
    assert answer.status_code == 202, answer.text
    return signed_in, answer.json["challenge_id"]


def _confirm(client: FlaskClient, signed_in: dict[str, str], challenge: str, *codes: str) -> Any:
    body = dict(zip(("challenge_id", "old_code", "new_code"), (challenge, *codes), strict=True))
    return client.post("/api/v1/me/email/confirm", json=body, headers=signed_in)


def test_both_codes_move_the_account(
    app: Flask, client: FlaskClient, move: Any, read_code: Callable[[str], str]
) -> None:
    signed_in, challenge = move
    answer = _confirm(client, signed_in, challenge, read_code(OLD), read_code(NEW))
    assert answer.status_code == 200, answer.text
    assert answer.json["email"] == NEW
    assert client.get("/api/v1/me", headers=signed_in).json["email"] == NEW
    for address, status in ((OLD, 401), (NEW, 200)):
        body = {"email": address, "password": PASSWORD}
        assert client.post("/api/v1/auth/login", json=body).status_code == status
    with app.app_context(), transaction(read_only=True):
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "user.email-changed")
        ).one()
    assert entry.before == {"email": "a…@e…"}


def test_one_code_twice_is_not_enough(
    client: FlaskClient, move: Any, read_code: Callable[[str], str]
) -> None:
    signed_in, challenge = move
    old, new = read_code(OLD), read_code(NEW)
    assert (
        kind(_confirm(client, signed_in, challenge, new, new)) == "422 invalid-code" or old == new
    )
    assert (
        kind(_confirm(client, signed_in, challenge, old, old)) == "422 invalid-code" or old == new
    )
    assert _confirm(client, signed_in, challenge, old, new).status_code == 200
    assert kind(_confirm(client, signed_in, challenge, old, new)) == "422 invalid-code"


def test_five_wrong_tries_end_it(
    client: FlaskClient, move: Any, read_code: Callable[[str], str]
) -> None:
    signed_in, challenge = move
    old, new = read_code(OLD), read_code(NEW)
    wrong = f"{(int(new) + 1) % 10**6:06d}"
    assert [_confirm(client, signed_in, challenge, old, wrong).status_code for _ in range(5)] == [
        422
    ] * 5
    assert kind(_confirm(client, signed_in, challenge, old, new)) == "422 invalid-code"


def test_another_user_cannot_use_the_codes(
    client: FlaskClient, move: Any, sign_up: Register, read_code: Callable[[str], str]
) -> None:
    _, challenge = move
    old, new = read_code(OLD), read_code(NEW)
    other = headers(sign_up("ben@example.org"))
    assert kind(_confirm(client, other, challenge, old, new)) == "422 invalid-code"


def test_an_old_change_is_dead(
    app: Flask, client: FlaskClient, move: Any, read_code: Callable[[str], str]
) -> None:
    signed_in, challenge = move
    with app.app_context(), transaction():
        db.session.execute(update(EmailChange).values(expires_at=now()))
    answer = _confirm(client, signed_in, challenge, read_code(OLD), read_code(NEW))
    assert kind(answer) == "422 invalid-code"


def test_an_address_of_somebody_else_is_answered_alike_and_stays_theirs(
    client: FlaskClient, sign_up: Register, read_mail: Callable[[str], list[str]]
) -> None:
    sign_up(NEW)
    signed_in = headers(sign_up(OLD))
    answer = client.post("/api/v1/me/email", json={"email": NEW}, headers=signed_in)
    assert answer.status_code == 202
    assert "You already have an account" in read_mail(NEW)[-1]
    (old,) = re.findall(r"[0-9]{6}", read_mail(OLD)[-1])
    refused = _confirm(client, signed_in, answer.json["challenge_id"], str(old), "123456")
    assert kind(refused) == "422 invalid-code"


def test_it_needs_a_fresh_sign_in_and_another_address(
    app: Flask, client: FlaskClient, sign_up: Register
) -> None:
    signed_in = headers(sign_up(OLD))
    same = client.post("/api/v1/me/email", json={"email": OLD.upper()}, headers=signed_in)
    assert kind(same) == "422 invalid-input"
    with app.app_context(), transaction():
        db.session.execute(update(SignInSession).values(verified_at=now() - timedelta(minutes=11)))
    stale = client.post("/api/v1/me/email", json={"email": NEW}, headers=signed_in)
    assert kind(stale) == "403 fresh-sign-in-required"
