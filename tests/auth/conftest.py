"""What tests of accounts share: mail as it arrives, and people who sign up."""

import dataclasses
import email
import email.policy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import create_app
from backend.config import Settings
from backend.extensions import db
from backend.notifications.service import send_due_mail
from tests.conftest import use
from tests.contract import ContractClient

PASSWORD = "a quiet place to park"


@pytest.fixture
def proxied(app: Flask, settings: Settings) -> Iterator[FlaskClient]:
    """Give a client of an application on the same database that believes one proxy."""
    other = create_app(dataclasses.replace(settings, trusted_proxies=1))
    other.test_client_class = ContractClient
    yield other.test_client()
    with other.app_context():
        db.engine.dispose()
    use(app)


@pytest.fixture
def read_mail(app: Flask, settings: Settings) -> Callable[[str], list[str]]:
    """Send what is due and give the text of every mail to an address, oldest first."""

    def read(address: str) -> list[str]:
        with app.app_context():
            send_due_mail()
        texts = []
        for path in sorted((settings.instance / "mail").glob("*.eml")):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            if mail["To"] == address and body is not None:
                texts.append(body.get_content())
        return texts

    return read


@pytest.fixture
def read_code(read_mail: Callable[[str], list[str]]) -> Callable[[str], str]:
    """Give the newest code that came to an address."""

    def read(address: str) -> str:
        (code,) = re.findall(r"[0-9]{6}", read_mail(address)[-1])
        return str(code)

    return read


@pytest.fixture
def register(client: FlaskClient) -> Callable[..., dict[str, Any]]:
    def register(address: str, **fields: Any) -> dict[str, Any]:
        body = {"email": address, "name": "Asha Rao", "password": PASSWORD, **fields}
        answer = client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 202, answer.text
        challenge: dict[str, Any] = answer.json
        return challenge

    return register


@pytest.fixture
def sign_up(
    client: FlaskClient,
    register: Callable[..., dict[str, Any]],
    read_code: Callable[[str], str],
) -> Callable[..., dict[str, Any]]:
    """Sign a person up as a stranger would, and give what the verification answered."""

    def sign_up(address: str, **fields: Any) -> dict[str, Any]:
        challenge = register(address, **fields)
        answer = client.post(
            "/api/v1/auth/verify-otp",
            json={"challenge_id": challenge["challenge_id"], "code": read_code(address)},
        )
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens

    return sign_up
