"""Changing a password, and choosing another by a link that comes by mail (P16, P19)."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend.clock import now
from backend.extensions import db
from backend.models import OutboxMail, PasswordReset, User
from backend.transaction import transaction

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"
ANOTHER = "another quiet place"

Register = Callable[..., dict[str, Any]]
ReadMail = Callable[[str], list[str]]


def headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def login(client: FlaskClient, address: str, password: str) -> Any:
    return client.post(f"{URL}/login", json={"email": address, "password": password})


def kind(answer: Any) -> str:
    return f"{answer.status_code} {answer.json['type'].removeprefix('/problems/')}"


class TestChange:
    def test_it_ends_every_sign_in_and_begins_this_one_anew(
        self, client: FlaskClient, sign_up: Register, read_mail: ReadMail
    ) -> None:
        here = sign_up("asha@example.org")
        elsewhere = login(client, "asha@example.org", PASSWORD).json
        answer = client.post(
            "/api/v1/me/password",
            json={"current_password": PASSWORD, "new_password": ANOTHER},
            headers=headers(here),
        )
        assert answer.status_code == 200, answer.text
        for tokens in (here, elsewhere):
            assert client.get("/api/v1/me", headers=headers(tokens)).status_code == 401
            body = {"refresh_token": tokens["refresh_token"]}
            assert client.post(f"{URL}/refresh", json=body).status_code == 401
        assert client.get("/api/v1/me", headers=headers(answer.json)).status_code == 200
        assert login(client, "asha@example.org", PASSWORD).status_code == 401
        assert login(client, "asha@example.org", ANOTHER).status_code == 200
        assert "was changed just now" in read_mail("asha@example.org")[-1] or any(
            "every device was signed out" in text for text in read_mail("asha@example.org")
        )

    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            ({"current_password": "no", "new_password": ANOTHER}, "401 invalid-credentials"),
            ({"current_password": PASSWORD, "new_password": "password"}, "422 invalid-input"),
            ({"current_password": PASSWORD, "new_password": "short"}, "422 invalid-input"),
            (
                {"current_password": PASSWORD, "new_password": "asha@example.org"},
                "422 invalid-input",
            ),
        ],
    )
    def test_a_refusal_changes_nothing(
        self, client: FlaskClient, sign_up: Register, body: dict[str, str], refusal: str
    ) -> None:
        here = sign_up("asha@example.org")
        answer = client.post("/api/v1/me/password", json=body, headers=headers(here))
        assert kind(answer) == refusal
        assert client.get("/api/v1/me", headers=headers(here)).status_code == 200
        assert login(client, "asha@example.org", PASSWORD).status_code == 200

    def test_wrong_passwords_are_limited_as_sign_ins_are(
        self, client: FlaskClient, sign_up: Register
    ) -> None:
        here = sign_up("asha@example.org")
        body = {"current_password": "no", "new_password": ANOTHER}
        answers = [
            client.post("/api/v1/me/password", json=body, headers=headers(here)).status_code
            for _ in range(11)
        ]
        assert answers[:9] == [401] * 9
        assert answers[-1] == 429


class TestReset:
    @pytest.fixture
    def ask(self, client: FlaskClient, read_mail: ReadMail) -> Callable[[str], str]:
        """Ask for a link and give what it carries."""

        def ask(address: str) -> str:
            answer = client.post(f"{URL}/forgot-password", json={"email": address})
            assert (answer.status_code, answer.data) == (202, b"")
            (token,) = re.findall(r"/reset-password#token=(\S+)", read_mail(address)[-1])
            return str(token)

        return ask

    def test_a_link_lets_choose_another_password_once(
        self, client: FlaskClient, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        here = sign_up("asha@example.org")
        body = {"token": ask("Asha@Example.org".lower()), "password": ANOTHER}
        assert client.post(f"{URL}/reset-password", json=body).status_code == 204
        assert client.get("/api/v1/me", headers=headers(here)).status_code == 401
        assert login(client, "asha@example.org", PASSWORD).status_code == 401
        assert login(client, "asha@example.org", ANOTHER).status_code == 200
        assert kind(client.post(f"{URL}/reset-password", json=body)) == "422 invalid-reset-link"

    def test_the_link_is_kept_as_a_digest_only(
        self, app: Flask, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        sign_up("asha@example.org")
        token = ask("asha@example.org")
        with app.app_context(), transaction(read_only=True):
            assert token not in str(db.session.execute(select(PasswordReset.digest)).all())
            rows = db.session.execute(select(OutboxMail.context, OutboxMail.sealed)).all()
            assert token not in str(rows)

    def test_a_weak_password_leaves_the_link_alive(
        self, client: FlaskClient, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        sign_up("asha@example.org")
        token = ask("asha@example.org")
        weak = client.post(f"{URL}/reset-password", json={"token": token, "password": "password"})
        assert kind(weak) == "422 invalid-input"
        body = {"token": token, "password": ANOTHER}
        assert client.post(f"{URL}/reset-password", json=body).status_code == 204

    def test_one_link_used_kills_the_others(
        self, client: FlaskClient, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        sign_up("asha@example.org")
        first, second = ask("asha@example.org"), ask("asha@example.org")
        body = {"token": second, "password": ANOTHER}
        assert client.post(f"{URL}/reset-password", json=body).status_code == 204
        body = {"token": first, "password": PASSWORD}
        assert kind(client.post(f"{URL}/reset-password", json=body)) == "422 invalid-reset-link"

    @pytest.mark.parametrize(
        "values", [{"expires_at": now() - timedelta(days=1)}, {"user_id": None}]
    )
    def test_a_link_that_is_too_old_or_nobodys_opens_nothing(
        self,
        app: Flask,
        client: FlaskClient,
        sign_up: Register,
        ask: Callable[[str], str],
        values: dict[str, Any],
    ) -> None:
        sign_up("asha@example.org")
        token = ask("asha@example.org")
        with app.app_context(), transaction():
            db.session.execute(update(PasswordReset).values(**values))
        body = {"token": token, "password": ANOTHER}
        assert kind(client.post(f"{URL}/reset-password", json=body)) == "422 invalid-reset-link"

    def test_a_disabled_user_gets_no_link_that_opens(
        self, app: Flask, client: FlaskClient, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        sign_up("asha@example.org")
        token = ask("asha@example.org")
        with app.app_context(), transaction():
            db.session.execute(update(User).values(active=False))
        body = {"token": token, "password": ANOTHER}
        assert kind(client.post(f"{URL}/reset-password", json=body)) == "422 invalid-reset-link"

    def test_an_unknown_address_is_told_so_by_mail_alone(
        self, client: FlaskClient, read_mail: ReadMail
    ) -> None:
        answer = client.post(f"{URL}/forgot-password", json={"email": "nobody@example.org"})
        assert (answer.status_code, answer.data) == (202, b"")
        (text,) = read_mail("nobody@example.org")
        assert "no account belongs to it" in text
        assert "token" not in text

    def test_links_are_limited_apart_from_codes(
        self, client: FlaskClient, register: Register
    ) -> None:
        for _ in range(3):
            register("asha@example.org")
        asked = [
            client.post(f"{URL}/forgot-password", json={"email": "asha@example.org"}).status_code
            for _ in range(4)
        ]
        assert asked == [202, 202, 202, 429]

    def test_of_two_at_once_one_chooses(
        self, app: Flask, client: FlaskClient, sign_up: Register, ask: Callable[[str], str]
    ) -> None:
        sign_up("asha@example.org")
        token = ask("asha@example.org")
        answers: list[int] = []
        gate = threading.Barrier(2)

        def choose(password: str) -> None:
            gate.wait()
            answer = app.test_client().post(
                f"{URL}/reset-password", json={"token": token, "password": password}
            )
            answers.append(answer.status_code)

        threads = [threading.Thread(target=choose, args=(f"{ANOTHER} {n}",)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [204, 422]
