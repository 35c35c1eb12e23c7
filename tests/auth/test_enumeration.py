"""Nobody learns whether an address is known: the same answer by the same work (P19).

What work takes is measured by ``make bench``; here it is only compared.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import flask_security
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from backend.extensions import db
from backend.models import User
from backend.transaction import transaction

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"
KNOWN = "known@example.org"
UNKNOWN = "nobody@example.org"

Register = Callable[..., dict[str, Any]]
Statements = Callable[[], AbstractContextManager[list[str]]]
Ask = Callable[[FlaskClient, str], Any]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each time that a password is hashed or compared."""
    done: list[str] = []
    for name in ("hash_password", "verify_password"):
        real = getattr(flask_security, name)

        def note(*arguments: Any, _name: str = name, _real: Any = real) -> Any:
            done.append(_name)
            return _real(*arguments)

        monkeypatch.setattr(flask_security, name, note)
    return done


def _sign_up(client: FlaskClient, address: str) -> Any:
    body = {"email": address, "name": "Asha Rao", "password": PASSWORD}
    return client.post(f"{URL}/register", json=body)


def _sign_in(client: FlaskClient, address: str) -> Any:
    return client.post(f"{URL}/login", json={"email": address, "password": "a wrong password"})


def _reset(client: FlaskClient, address: str) -> Any:
    return client.post(f"{URL}/forgot-password", json={"email": address})


@pytest.mark.parametrize("ask", [_sign_up, _sign_in, _reset], ids=["sign-up", "sign-in", "reset"])
def test_a_known_and_an_unknown_address_cost_the_same(
    client: FlaskClient, sign_up: Register, statements: Statements, hashed: list[str], ask: Ask
) -> None:
    sign_up(KNOWN)
    # What is made once for each process and address is made before.
    ask(client, KNOWN)
    ask(client, UNKNOWN)
    known, unknown = (
        _work(client, ask, address, statements, hashed) for address in (KNOWN, UNKNOWN)
    )
    assert known == unknown


def test_a_code_sent_again_costs_the_same(
    client: FlaskClient, sign_up: Register, statements: Statements, hashed: list[str]
) -> None:
    sign_up(KNOWN)
    challenges = {
        address: _sign_up(client, address).json["challenge_id"] for address in (KNOWN, UNKNOWN)
    }

    def resend(client: FlaskClient, address: str) -> Any:
        body = {"challenge_id": challenges[address]}
        return client.post(f"{URL}/resend-otp", json=body)

    known, unknown = (_work(client, resend, address, statements, hashed) for address in challenges)
    assert known == unknown


def test_a_disabled_user_is_answered_as_a_stranger(
    app: Flask, client: FlaskClient, sign_up: Register
) -> None:
    sign_up(KNOWN)
    with app.app_context(), transaction():
        db.session.execute(update(User).values(active=False))
    right, stranger = (
        client.post(f"{URL}/login", json={"email": address, "password": PASSWORD})
        for address in (KNOWN, UNKNOWN)
    )
    assert right.status_code == 401
    assert _shape(right) == _shape(stranger)


def _work(
    client: FlaskClient, ask: Ask, address: str, statements: Statements, hashed: list[str]
) -> tuple[Any, list[str], list[str]]:
    hashed.clear()
    with statements() as asked:
        answer = ask(client, address)
    return _shape(answer), list(asked), list(hashed)


def _shape(answer: Any) -> tuple[int, str, list[str]]:
    """Give an answer without what differs each time."""
    text = re.sub(
        r'"(challenge_id|expires_at|resend_after|instance|request_id)":"[^"]*"', "", answer.text
    )
    return answer.status_code, text, sorted(name for name, _ in answer.headers)
