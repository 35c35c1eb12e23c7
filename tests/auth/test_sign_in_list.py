"""Where somebody is signed in: listed, ended one by one or all, confirmed afresh (P16)."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend import create_app
from backend.clock import now
from backend.config import Settings
from backend.extensions import db
from backend.models import AuditEntry, SignInSession
from backend.transaction import transaction
from tests.conftest import use
from tests.contract import ContractClient

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"
ADDRESS = "asha@example.org"

Register = Callable[..., dict[str, Any]]


def headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def login(client: FlaskClient, **kwargs: Any) -> dict[str, Any]:
    answer = client.post(f"{URL}/login", json={"email": ADDRESS, "password": PASSWORD}, **kwargs)
    assert answer.status_code == 200
    tokens: dict[str, Any] = answer.json
    return tokens


def test_they_are_listed_with_what_they_began_from(client: FlaskClient, sign_up: Register) -> None:
    here = sign_up(ADDRESS)
    login(client, headers={"User-Agent": "a phone"})
    page = client.get("/api/v1/me/sessions", headers=headers(here)).json
    assert page["total"] == 2
    phone, this = page["items"]
    assert (phone["user_agent"], phone["current"], phone["client"]) == (
        "a phone",
        False,
        "127.0.0.1",
    )
    assert this["current"] is True
    first = client.get("/api/v1/me/sessions?limit=1", headers=headers(here)).json
    rest = client.get(
        f"/api/v1/me/sessions?limit=1&cursor={first['next_cursor']}", headers=headers(here)
    ).json
    assert first["items"] + rest["items"] == page["items"]
    assert rest["next_cursor"] is None


def test_one_is_ended_and_its_tokens_are_dead(client: FlaskClient, sign_up: Register) -> None:
    here = sign_up(ADDRESS)
    elsewhere = login(client)
    other = client.get("/api/v1/me/sessions", headers=headers(here)).json["items"][0]["id"]
    ended = client.delete(f"/api/v1/me/sessions/{other}", headers=headers(here))
    assert ended.status_code == 204
    assert client.get("/api/v1/me", headers=headers(elsewhere)).status_code == 401
    assert client.get("/api/v1/me", headers=headers(here)).status_code == 200
    again = client.delete(f"/api/v1/me/sessions/{other}", headers=headers(here))
    assert again.status_code == 404


def test_anothers_looks_absent(client: FlaskClient, sign_up: Register) -> None:
    here = sign_up(ADDRESS)
    mine = client.get("/api/v1/me/sessions", headers=headers(here)).json["items"][0]["id"]
    other = sign_up("ben@example.org")
    assert client.delete(f"/api/v1/me/sessions/{mine}", headers=headers(other)).status_code == 404
    assert client.get("/api/v1/me", headers=headers(here)).status_code == 200


def test_all_others_are_ended(client: FlaskClient, sign_up: Register) -> None:
    here = sign_up(ADDRESS)
    elsewhere = [login(client) for _ in range(3)]
    assert client.delete("/api/v1/me/sessions", headers=headers(here)).status_code == 204
    assert client.get("/api/v1/me", headers=headers(here)).status_code == 200
    for tokens in elsewhere:
        assert client.get("/api/v1/me", headers=headers(tokens)).status_code == 401


def test_who_one_is_is_confirmed_by_the_password(
    app: Flask, client: FlaskClient, sign_up: Register
) -> None:
    here = sign_up(ADDRESS)
    with app.app_context(), transaction():
        db.session.execute(update(SignInSession).values(verified_at=now() - timedelta(minutes=11)))
    assert client.post("/api/v1/me/totp", headers=headers(here)).status_code == 403
    wrong = client.post(f"{URL}/confirm", json={"password": "no"}, headers=headers(here))
    assert wrong.status_code == 401
    assert client.post("/api/v1/me/totp", headers=headers(here)).status_code == 403
    right = client.post(f"{URL}/confirm", json={"password": PASSWORD}, headers=headers(here))
    assert right.status_code == 204
    assert client.post("/api/v1/me/totp", headers=headers(here)).status_code == 201


def test_what_became_of_an_account_stands_in_the_audit_log(
    app: Flask, client: FlaskClient, sign_up: Register
) -> None:
    here = sign_up(ADDRESS)
    client.post(f"{URL}/login", json={"email": ADDRESS, "password": "no"})
    client.post(f"{URL}/logout", json={}, headers={**headers(here), "X-Request-ID": "the-last"})
    with app.app_context(), transaction(read_only=True):
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "user.signed-in",
        "user.sign-in-refused",
        "user.signed-out",
    ]
    assert {entry.subject_id for entry in entries} == {here["user"]["id"]}
    assert entries[-1].request_id == "the-last"
    assert entries[-1].client == "127.0.0.1"


class TestRotation:
    """Secrets are changed without signing anybody out."""

    @pytest.fixture
    def rotated(self, app: Flask, settings: Settings) -> Iterator[FlaskClient]:
        other = create_app(
            dataclasses.replace(
                settings,
                jwt_secret="another secret " * 4,
                jwt_secret_before=settings.jwt_secret,
                secret_key="another key " * 4,
                secret_key_before=settings.secret_key,
            )
        )
        other.test_client_class = ContractClient
        yield other.test_client()
        with other.app_context():
            db.engine.dispose()
        use(app)

    def test_tokens_of_the_secret_before_go_on(
        self, sign_up: Register, rotated: FlaskClient
    ) -> None:
        here = sign_up(ADDRESS)
        assert rotated.get("/api/v1/me", headers=headers(here)).status_code == 200
        body = {"refresh_token": here["refresh_token"]}
        renewed = rotated.post(f"{URL}/refresh", json=body)
        assert renewed.status_code == 200
        assert rotated.get("/api/v1/me", headers=headers(renewed.json)).status_code == 200

    def test_codes_of_the_key_before_still_open(
        self, register: Register, read_code: Callable[[str], str], rotated: FlaskClient
    ) -> None:
        challenge = register(ADDRESS)["challenge_id"]
        body = {"challenge_id": challenge, "code": read_code(ADDRESS)}
        assert rotated.post(f"{URL}/verify-otp", json=body).status_code == 200
