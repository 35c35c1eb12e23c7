"""Signing in and out, tokens and their refresh (P16, P19)."""

import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flask_security
import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from backend import create_app
from backend.auth.tasks import purge_expired
from backend.clock import now
from backend.config import Settings
from backend.extensions import db
from backend.models import OtpAddress, OtpChallenge, OtpIssue, SignInSession, User
from backend.transaction import transaction
from tests.conftest import use

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"

Register = Callable[..., dict[str, Any]]


def _headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _login(client: FlaskClient, address: str, password: str = PASSWORD, **kwargs: Any) -> Any:
    body = {"email": address, "password": password}
    return client.post(f"{URL}/login", json=body, **kwargs)


def _refresh(client: FlaskClient, token: str, **kwargs: Any) -> Any:
    return client.post(f"{URL}/refresh", json={"refresh_token": token}, **kwargs)


def _write(app: Flask, statement: Any) -> None:
    with app.app_context(), transaction():
        db.session.execute(statement)


def _type(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


class TestLogin:
    def test_address_and_password_sign_in(self, client: FlaskClient, sign_up: Register) -> None:
        sign_up("asha@example.org")
        answer = _login(client, "ASHA@example.org")
        assert answer.status_code == 200
        assert answer.json["user"]["email"] == "asha@example.org"
        assert answer.json["expires_in"] == 15 * 60
        assert client.get("/api/v1/me", headers=_headers(answer.json)).status_code == 200
        assert "Set-Cookie" not in answer.headers

    def test_unknown_wrong_and_disabled_are_refused_alike(
        self,
        app: Flask,
        client: FlaskClient,
        sign_up: Register,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sign_up("asha@example.org")
        sign_up("gone@example.org")
        _write(app, update(User).where(User.email == "gone@example.org").values(active=False))
        compared: list[str] = []
        real = flask_security.verify_password

        def verify_password(password: str, known: str) -> bool:
            compared.append(known)
            return bool(real(password, known))

        monkeypatch.setattr(flask_security, "verify_password", verify_password)
        bodies = []
        for address, password in (
            ("nobody@example.org", PASSWORD),
            ("asha@example.org", "another password"),
            ("gone@example.org", PASSWORD),
        ):
            answer = _login(client, address, password)
            assert answer.status_code == 401
            bodies.append({**answer.json, "request_id": ""})
        assert bodies[0] == bodies[1] == bodies[2]
        assert _type(answer) == "invalid-credentials"
        # As many hashes of the same cost, whoever was asked for.
        assert [known[:7] for known in compared] == ["$2b$04$"] * 3

    @pytest.mark.parametrize(
        "body",
        [
            "just text",
            {},
            {"email": "asha@example.org"},
            {"email": "asha@example.org", "password": ["x"]},
            {"email": {"$ne": ""}, "password": "x"},
            {"email": "asha@example.org", "password": "x", "admin": True},
        ],
    )
    def test_other_shapes_are_refused(self, client: FlaskClient, body: Any) -> None:
        assert client.post(f"{URL}/login", json=body).status_code in {400, 422}


class TestTokens:
    def test_callers_never_mix(self, client: FlaskClient, sign_up: Register) -> None:
        asha = sign_up("asha@example.org")
        ravi = sign_up("ravi@example.org")
        for _ in range(20):
            assert client.get("/api/v1/me", headers=_headers(asha)).json == asha["user"]
            assert client.get("/api/v1/me", headers=_headers(ravi)).json == ravi["user"]
            assert client.get("/api/v1/me").status_code == 401

    def test_an_access_token_counts_in_the_header_only(
        self, client: FlaskClient, sign_up: Register
    ) -> None:
        token = sign_up("asha@example.org")["access_token"]
        assert client.get(f"/api/v1/me?auth_token={token}").status_code == 401
        assert client.get(f"/api/v1/me?access_token={token}").status_code == 401
        assert client.get("/api/v1/me", json={"auth_token": token}).status_code == 401
        assert client.get("/api/v1/me", headers={"Authentication-Token": token}).status_code == 401
        for name in ("access_token", "session", "refresh_token", "remember_token"):
            client.set_cookie(name, token)
        assert client.get("/api/v1/me").status_code == 401

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer x", "Basic {}", "{}", "Bearer {} x", "Bearer {}x"]
    )
    def test_other_headers_are_refused(
        self, client: FlaskClient, sign_up: Register, header: str
    ) -> None:
        token = sign_up("asha@example.org")["access_token"]
        headers = {"Authorization": header.format(token)}
        answer = client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 401
        assert _type(answer) == "unauthenticated"

    @pytest.mark.parametrize("algorithm", ["none", "HS512"])
    def test_another_algorithm_is_refused(
        self, client: FlaskClient, sign_up: Register, settings: Settings, algorithm: str
    ) -> None:
        token = sign_up("asha@example.org")["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        key = "" if algorithm == "none" else "k" * 64
        forged = jwt.encode(claims, key, algorithm=algorithm)
        headers = {"Authorization": f"Bearer {forged}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 401

    def test_a_token_says_no_more_than_it_must(self, sign_up: Register) -> None:
        token = sign_up("asha@example.org")["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert set(claims) == {"iss", "aud", "sub", "sid", "epoch", "iat", "exp", "jti"}

    def test_an_access_token_ends_after_its_minutes(
        self,
        client: FlaskClient,
        sign_up: Register,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        tokens = sign_up("asha@example.org")
        move_clock(timedelta(minutes=15, seconds=1))
        assert client.get("/api/v1/me", headers=_headers(tokens)).status_code == 401

    def test_disabling_ends_every_sign_in_for_good(
        self, app: Flask, client: FlaskClient, sign_up: Register
    ) -> None:
        tokens = sign_up("asha@example.org")
        _write(app, update(User).values(active=False, epoch=User.epoch + 1))
        assert client.get("/api/v1/me", headers=_headers(tokens)).status_code == 401
        assert _refresh(client, tokens["refresh_token"]).status_code == 401
        _write(app, update(User).values(active=True))
        assert client.get("/api/v1/me", headers=_headers(tokens)).status_code == 401
        assert _refresh(client, tokens["refresh_token"]).status_code == 401

    def test_roles_count_from_the_next_request_on(
        self, app: Flask, client: FlaskClient, sign_up: Register
    ) -> None:
        tokens = sign_up("asha@example.org")
        with app.app_context(), transaction():
            user = db.session.scalars(select(User)).one()
            db.session.refresh(user, ["roles"])
            user.roles = []
        assert client.get("/api/v1/vehicles", headers=_headers(tokens)).status_code == 403
        assert client.get("/api/v1/me", headers=_headers(tokens)).json["roles"] == []


class TestRefresh:
    def test_a_refresh_token_gives_a_new_pair(self, client: FlaskClient, sign_up: Register) -> None:
        tokens = sign_up("asha@example.org")
        answer = _refresh(client, tokens["refresh_token"])
        assert answer.status_code == 200
        assert answer.json["user"] == tokens["user"]
        assert answer.json["refresh_token"] != tokens["refresh_token"]
        assert answer.json["access_token"] != tokens["access_token"]
        assert client.get("/api/v1/me", headers=_headers(answer.json)).status_code == 200

    def test_two_tabs_get_one_pair(self, app: Flask, sign_up: Register) -> None:
        tokens = sign_up("asha@example.org")
        barrier = threading.Barrier(6)
        answers: list[Any] = []

        def run() -> None:
            one = app.test_client()
            barrier.wait()
            answers.append(_refresh(one, tokens["refresh_token"]))

        threads = [threading.Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200] * 6
        assert len({answer.json["refresh_token"] for answer in answers}) == 1
        assert len({answer.json["access_token"] for answer in answers}) == 1
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalar(select(SignInSession.generation)) == 1

    def test_a_replay_after_the_grace_ends_the_family(
        self,
        client: FlaskClient,
        sign_up: Register,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        first = sign_up("asha@example.org")
        second = _refresh(client, first["refresh_token"]).json
        move_clock(timedelta(seconds=11))
        answer = _refresh(client, first["refresh_token"])
        assert answer.status_code == 401
        assert _type(answer) == "invalid-refresh-token"
        assert client.get("/api/v1/me", headers=_headers(second)).status_code == 401
        assert _refresh(client, second["refresh_token"]).status_code == 401

    def test_an_older_replay_within_the_grace_ends_the_family_too(
        self, client: FlaskClient, sign_up: Register
    ) -> None:
        first = sign_up("asha@example.org")
        second = _refresh(client, first["refresh_token"]).json
        third = _refresh(client, second["refresh_token"]).json
        assert _refresh(client, first["refresh_token"]).status_code == 401
        assert client.get("/api/v1/me", headers=_headers(third)).status_code == 401

    def test_another_sign_in_of_the_same_user_goes_on(
        self,
        client: FlaskClient,
        sign_up: Register,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        first = sign_up("asha@example.org")
        other = _login(client, "asha@example.org").json
        _refresh(client, first["refresh_token"])
        move_clock(timedelta(seconds=11))
        _refresh(client, first["refresh_token"])
        assert client.get("/api/v1/me", headers=_headers(other)).status_code == 200

    def test_it_ends_when_unused_for_its_days(
        self,
        client: FlaskClient,
        sign_up: Register,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        tokens = sign_up("asha@example.org")
        move_clock(timedelta(days=29))
        tokens = _refresh(client, tokens["refresh_token"]).json
        move_clock(timedelta(days=58))
        tokens = _refresh(client, tokens["refresh_token"]).json
        move_clock(timedelta(days=88, seconds=1))
        assert _refresh(client, tokens["refresh_token"]).status_code == 401

    def test_forged_tokens_are_refused_and_end_nothing(
        self, client: FlaskClient, sign_up: Register
    ) -> None:
        tokens = sign_up("asha@example.org")
        session, generation, mac = tokens["refresh_token"].split(".")
        for forged in (
            "x",
            f"{session}.{generation}",
            f"{session}.{generation}.{mac[::-1]}",
            f"{session}.{int(generation) + 1}.{mac}",
            f"{int(session) + 1}.{generation}.{mac}",
            f"0{session}.{generation}.{mac}",
            f"{'9' * 18}.{generation}.{mac}",
            tokens["access_token"][:200],
        ):
            assert _refresh(client, forged).status_code == 401
        assert client.post(f"{URL}/refresh").status_code == 401
        assert client.get("/api/v1/me", headers=_headers(tokens)).status_code == 200
        headers = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 401


class TestRefreshCookie:
    def test_a_browser_keeps_its_refresh_token_where_no_script_reads(
        self, client: FlaskClient, sign_up: Register, settings: Settings
    ) -> None:
        sign_up("asha@example.org")
        own = {"X-Refresh": "cookie", "Origin": settings.public_url}
        answer = _login(client, "asha@example.org", headers=own)
        assert answer.status_code == 200
        assert answer.json["refresh_token"] is None
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/api/v1/auth" in cookie
        answer = client.post(f"{URL}/refresh", headers=own)
        assert answer.status_code == 200
        assert answer.json["refresh_token"] is None
        headers = _headers(answer.json)
        answer = client.post(f"{URL}/logout", headers={**headers, **own})
        assert answer.status_code == 204
        assert "refresh_token=;" in answer.headers["Set-Cookie"]
        assert client.post(f"{URL}/refresh", headers=own).status_code == 401

    def test_the_cookie_alone_does_nothing(self, client: FlaskClient, sign_up: Register) -> None:
        sign_up("asha@example.org")
        _login(client, "asha@example.org", headers={"X-Refresh": "cookie"})
        assert client.post(f"{URL}/refresh").status_code == 401
        assert client.get("/api/v1/me").status_code == 401

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    def test_pages_of_another_origin_are_refused(
        self, client: FlaskClient, sign_up: Register, origin: str
    ) -> None:
        sign_up("asha@example.org")
        _login(client, "asha@example.org", headers={"X-Refresh": "cookie"})
        headers = {"X-Refresh": "cookie", "Origin": origin}
        assert client.post(f"{URL}/refresh", headers=headers).status_code == 403

    def test_a_dead_cookie_is_taken_away(
        self, client: FlaskClient, sign_up: Register, settings: Settings
    ) -> None:
        client.set_cookie("refresh_token", "1.0.x", path=URL)
        answer = client.post(f"{URL}/refresh", headers={"X-Refresh": "cookie"})
        assert answer.status_code == 401
        assert "refresh_token=;" in answer.headers["Set-Cookie"]


class TestLogout:
    def test_the_tokens_are_dead_at_once(self, client: FlaskClient, sign_up: Register) -> None:
        here = sign_up("asha@example.org")
        there = _login(client, "asha@example.org").json
        assert client.post(f"{URL}/logout", headers=_headers(here)).status_code == 204
        assert client.get("/api/v1/me", headers=_headers(here)).status_code == 401
        assert _refresh(client, here["refresh_token"]).status_code == 401
        assert client.post(f"{URL}/logout", headers=_headers(here)).status_code == 401
        assert client.get("/api/v1/me", headers=_headers(there)).status_code == 200

    def test_everywhere_ends_the_others_too(self, client: FlaskClient, sign_up: Register) -> None:
        here = sign_up("asha@example.org")
        there = _login(client, "asha@example.org").json
        ravi = sign_up("ravi@example.org")
        answer = client.post(f"{URL}/logout", json={"everywhere": True}, headers=_headers(here))
        assert answer.status_code == 204
        for tokens in (here, there):
            assert client.get("/api/v1/me", headers=_headers(tokens)).status_code == 401
            assert _refresh(client, tokens["refresh_token"]).status_code == 401
        assert client.get("/api/v1/me", headers=_headers(ravi)).status_code == 200


class TestPurge:
    def test_only_what_is_over_goes(
        self,
        app: Flask,
        client: FlaskClient,
        sign_up: Register,
        register: Register,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        ended = sign_up("asha@example.org")
        client.post(f"{URL}/logout", headers=_headers(ended))
        move_clock(timedelta(days=2))
        _login(client, "asha@example.org")
        register("ravi@example.org")
        purge_expired()
        with app.app_context(), transaction(read_only=True):
            counts = [
                db.session.scalar(select(func.count()).select_from(model))
                for model in (SignInSession, OtpChallenge, OtpIssue, OtpAddress)
            ]
            assert db.session.scalar(select(SignInSession.created_at)) <= now()
        assert counts == [1, 1, 1, 1]
        move_clock(timedelta(days=40))
        purge_expired()
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalar(select(func.count()).select_from(SignInSession)) == 0
            assert db.session.scalar(select(func.count()).select_from(OtpAddress)) == 0


def test_a_new_secret_key_leaves_passwords_valid(
    app: Flask, client: FlaskClient, settings: Settings, sign_up: Callable[..., dict[str, Any]]
) -> None:
    sign_up("asha@example.org")
    body = {"email": "asha@example.org", "password": PASSWORD}
    assert client.post(f"{URL}/login", json=body).status_code == 200
    rotated = create_app(dataclasses.replace(settings, secret_key="another " * 6))
    try:
        answer = rotated.test_client().post(f"{URL}/login", json=body)
        assert answer.status_code == 200
    finally:
        with rotated.app_context():
            db.engine.dispose()
        use(app)
