"""Signing up: the code, its limits, and that nobody learns whether an address is known (P18, P19)."""

import hmac
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flask_security
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from backend.auth import passwords, sign_ups
from backend.extensions import db
from backend.models import OtpChallenge, OtpIssue, OutboxMail, SignInSession, User
from backend.transaction import transaction
from tests.conftest import Statements

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"

Read = Callable[[str], str]
Register = Callable[..., dict[str, Any]]


def _verify(client: FlaskClient, challenge: dict[str, Any], code: str, **kwargs: Any) -> Any:
    body = {"challenge_id": challenge["challenge_id"], "code": code}
    return client.post(f"{URL}/verify-otp", json=body, **kwargs)


def _other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def _count(app: Flask, model: type[Any]) -> int:
    with app.app_context(), transaction(read_only=True):
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def _type(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


class TestRegister:
    def test_a_code_makes_a_driver_who_is_signed_in(
        self, client: FlaskClient, register: Register, read_code: Read
    ) -> None:
        challenge = register("Asha@Example.org", phone="+91 98450 12345", timezone="Europe/Berlin")
        assert set(challenge) == {"challenge_id", "expires_at", "resend_after"}
        answer = _verify(client, challenge, read_code("asha@example.org"))
        assert answer.status_code == 200
        assert set(answer.json) == {
            "access_token",
            "refresh_token",
            "token_type",
            "expires_in",
            "user",
        }
        assert answer.json["token_type"] == "Bearer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        user = answer.json["user"]
        assert user["email"] == "asha@example.org"
        assert user["roles"] == ["driver"]
        assert user["active"] is True
        assert user["timezone"] == "Europe/Berlin"
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert client.get("/api/v1/me", headers=headers).json == user

    def test_there_is_no_user_before_the_code(self, app: Flask, register: Register) -> None:
        register("asha@example.org")
        assert _count(app, User) == 0

    def test_what_the_sign_up_said_dies_with_its_use(self, app: Flask, sign_up: Register) -> None:
        sign_up("asha@example.org", phone="12345")
        with app.app_context(), transaction(read_only=True):
            challenge = db.session.scalars(select(OtpChallenge)).one()
            mail = db.session.scalars(select(OutboxMail)).one()
        assert (challenge.name, challenge.phone, challenge.password) == ("", None, "")
        assert mail.sealed is None

    def test_the_code_stands_nowhere_in_the_database(
        self, app: Flask, register: Register, read_mail: Callable[[str], list[str]]
    ) -> None:
        register("asha@example.org")
        with app.app_context(), transaction(read_only=True):
            mail = db.session.scalars(select(OutboxMail)).one()
            challenge = db.session.scalars(select(OtpChallenge)).one()
        (text,) = read_mail("asha@example.org")
        code = next(word for word in text.split() if word.isdigit() and len(word) == 6)
        assert text.count(code) == 1
        assert mail.sealed is not None
        assert code.encode() not in mail.sealed
        assert code not in str(mail.context)
        assert challenge.code_digest != code
        assert len(challenge.code_digest) == 64

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "nobody"),
            ("email", "a@b.co\r\nBcc: c@d.co"),
            ("email", 7),
            ("name", ""),
            ("name", "   "),
            ("name", "x" * 101),
            ("name", "Asha\r\nBcc: c@d.co"),
            ("password", "short"),
            ("password", "x" * 129),
            ("password", "  Asha Verma Rao "),
            ("password", "ASHA.VERMA@example.org"),
            ("password", "asha.verma"),
            ("password", "Password123"),
            ("password", None),
            ("phone", "call me"),
            ("timezone", "Mars/Olympus"),
            ("locale", "no such thing"),
            ("roles", ["admin"]),
        ],
    )
    def test_bad_input_is_refused_by_name(
        self, client: FlaskClient, app: Flask, field: str, value: Any
    ) -> None:
        body = {"email": "asha.verma@example.org", "name": "Asha Verma Rao", "password": PASSWORD}
        answer = client.post(f"{URL}/register", json={**body, field: value})
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]
        assert _count(app, OutboxMail) == 0

    @pytest.mark.parametrize(
        "password", ["पार्किंग १२३ मज़ा", "  blanks at both ends  ", "é" * 128, "tab\tand\u200bmore"]
    )
    def test_any_characters_make_a_password(
        self, client: FlaskClient, sign_up: Register, password: str
    ) -> None:
        sign_up("asha@example.org", password=password)
        credentials = {"email": "asha@example.org", "password": password}
        assert client.post(f"{URL}/login", json=credentials).status_code == 200
        credentials["password"] = password[:-1] + "x"
        assert client.post(f"{URL}/login", json=credentials).status_code == 401


class TestKnownAddress:
    def test_known_and_unknown_get_one_answer_by_one_amount_of_work(
        self,
        app: Flask,
        client: FlaskClient,
        sign_up: Register,
        monkeypatch: pytest.MonkeyPatch,
        statements: Statements,
    ) -> None:
        sign_up("known@example.org")
        hashed: list[str] = []
        real_hash = flask_security.hash_password

        def hash_password(password: str) -> str:
            hashed.append(password)
            return str(real_hash(password))

        monkeypatch.setattr(flask_security, "hash_password", hash_password)
        seen = {}
        for address in ("known@example.org", "unknown@example.org"):
            hashed.clear()
            before = {model: _count(app, model) for model in (OutboxMail, OtpChallenge, OtpIssue)}
            with statements() as asked:
                answer = client.post(
                    f"{URL}/register",
                    json={"email": address, "name": "Asha Rao", "password": PASSWORD},
                )
            rows = {model: _count(app, model) - before[model] for model in before}
            seen[address] = (
                answer.status_code,
                {field: len(text) for field, text in answer.json.items()},
                sorted(answer.headers.keys()),
                len(hashed),
                asked,
                rows,
            )
        assert seen["known@example.org"] == seen["unknown@example.org"]
        assert seen["known@example.org"][3] == 1
        assert set(seen["known@example.org"][5].values()) == {1}

    def test_the_mail_says_so_and_holds_no_code(
        self,
        client: FlaskClient,
        sign_up: Register,
        register: Register,
        read_mail: Callable[[str], list[str]],
    ) -> None:
        sign_up("known@example.org")
        register("KNOWN@example.org")
        text = read_mail("known@example.org")[-1]
        assert "You already have an account" in text
        assert not any(word.isdigit() and len(word) == 6 for word in text.split())

    def test_no_code_opens_its_challenge(
        self,
        app: Flask,
        client: FlaskClient,
        sign_up: Register,
        register: Register,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sign_up("known@example.org")
        monkeypatch.setattr(sign_ups, "new_code", lambda: "123456")
        answer = _verify(client, register("known@example.org"), "123456")
        assert answer.status_code == 422
        assert _type(answer) == "invalid-code"
        assert _count(app, User) == 1

    def test_an_address_registered_meanwhile_is_refused(
        self, app: Flask, client: FlaskClient, register: Register, read_code: Read
    ) -> None:
        first, second = register("asha@example.org"), None
        first_code = read_code("asha@example.org")
        second = register("asha@example.org")
        assert _verify(client, second, read_code("asha@example.org")).status_code == 200
        answer = _verify(client, first, first_code)
        assert answer.status_code == 422
        assert _type(answer) == "invalid-code"
        assert _count(app, User) == 1
        assert _count(app, SignInSession) == 1


class TestVerify:
    @pytest.mark.parametrize("believes_a_proxy", [False, True])
    def test_a_thousand_wrong_codes_from_fifty_addresses_kill_the_challenge(
        self,
        app: Flask,
        client: FlaskClient,
        proxied: FlaskClient,
        register: Register,
        read_code: Read,
        believes_a_proxy: bool,
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        attacker = proxied if believes_a_proxy else client
        refusals = []
        for number in range(1000):
            wrong = f"{(int(code) + 1 + number) % 10**6:06d}"
            forged = {"X-Forwarded-For": f"203.0.113.{number % 50}"}
            answer = _verify(attacker, challenge, wrong, headers=forged)
            refusals.append(_type(answer))
            if number == 10:
                with app.app_context(), transaction(read_only=True):
                    assert db.session.scalar(select(OtpChallenge.tries)) == 5
        # Unless a proxy vouches for them, the forged addresses are one client, who is stopped.
        told = 1000 if believes_a_proxy else 60
        assert refusals == ["invalid-code"] * told + ["too-many-requests"] * (1000 - told)
        elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
        answer = _verify(client, challenge, code, environ_overrides=elsewhere)
        assert answer.status_code == 422
        assert _type(answer) == "invalid-code"
        assert _count(app, User) == 0

    def test_four_wrong_codes_leave_one_try(
        self, client: FlaskClient, register: Register, read_code: Read
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        for _ in range(4):
            assert _verify(client, challenge, _other_than(code)).status_code == 422
        assert _verify(client, challenge, code).status_code == 200

    def test_parallel_wrong_codes_share_no_try(
        self,
        app: Flask,
        client: FlaskClient,
        register: Register,
        read_code: Read,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        assert _count_compared(app, challenge, _other_than(code), monkeypatch) == 5
        assert _verify(client, challenge, code).status_code == 422

    def test_counted_after_the_look_they_would_share_them(
        self,
        app: Flask,
        register: Register,
        read_code: Read,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Show that the race above sees the fault, with the guard taken off."""
        challenge = register("asha@example.org")
        everyone_looked = threading.Barrier(12)

        def look_and_count_later(challenge_id: str) -> Any:
            with transaction(read_only=True):
                found = db.session.execute(
                    select(OtpChallenge.__table__).where(
                        OtpChallenge.token == challenge_id, OtpChallenge.tries < 5
                    )
                ).one_or_none()
            everyone_looked.wait()
            with transaction():
                db.session.execute(
                    update(OtpChallenge)
                    .where(OtpChallenge.tries < 5)
                    .values(tries=OtpChallenge.tries + 1)
                )
            return found

        monkeypatch.setattr(sign_ups, "_count_try", look_and_count_later)
        wrong = _other_than(read_code("asha@example.org"))
        assert _count_compared(app, challenge, wrong, monkeypatch) == 12

    def test_the_right_code_twice_at_once_makes_one_user_and_one_sign_in(
        self, app: Flask, register: Register, read_code: Read
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        answers = _at_once(app, 4, lambda one: _verify(one, challenge, code).status_code)
        assert sorted(answers) == [200, 422, 422, 422]
        assert _count(app, User) == 1
        assert _count(app, SignInSession) == 1

    def test_a_code_works_once(
        self, client: FlaskClient, register: Register, read_code: Read
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        assert _verify(client, challenge, code).status_code == 200
        assert _type(_verify(client, challenge, code)) == "invalid-code"

    def test_a_code_is_dead_after_ten_minutes(
        self,
        client: FlaskClient,
        register: Register,
        read_code: Read,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        move_clock(timedelta(minutes=10, seconds=1))
        assert _type(_verify(client, challenge, code)) == "invalid-code"

    def test_a_code_opens_its_own_challenge_only(
        self, client: FlaskClient, register: Register, read_code: Read
    ) -> None:
        register("asha@example.org")
        code = read_code("asha@example.org")
        other = register("ravi@example.org")
        if read_code("ravi@example.org") != code:
            assert _type(_verify(client, other, code)) == "invalid-code"

    def test_an_unknown_challenge_is_refused_alike(self, client: FlaskClient) -> None:
        answer = _verify(client, {"challenge_id": "no-such-challenge"}, "123456")
        assert answer.status_code == 422
        assert _type(answer) == "invalid-code"

    @pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "", 123456, None, "१२३४५६"])
    def test_a_code_of_another_shape_is_refused(self, client: FlaskClient, code: Any) -> None:
        answer = _verify(client, {"challenge_id": "x"}, code)
        assert answer.status_code == 422
        assert _type(answer) == "invalid-input"


class TestResend:
    def test_a_new_code_replaces_the_old_one(
        self,
        client: FlaskClient,
        register: Register,
        read_code: Read,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        challenge = register("asha@example.org")
        old = read_code("asha@example.org")
        move_clock(timedelta(seconds=31))
        answer = client.post(f"{URL}/resend-otp", json={"challenge_id": challenge["challenge_id"]})
        assert answer.status_code == 202
        assert answer.json["challenge_id"] == challenge["challenge_id"]
        assert answer.json["expires_at"] > challenge["expires_at"]
        new = read_code("asha@example.org")
        if new != old:
            assert _verify(client, challenge, old).status_code == 422
        assert _verify(client, challenge, new).status_code == 200

    def test_too_soon_is_told_how_long_to_wait(
        self, client: FlaskClient, register: Register
    ) -> None:
        challenge = register("asha@example.org")
        answer = client.post(f"{URL}/resend-otp", json={"challenge_id": challenge["challenge_id"]})
        assert answer.status_code == 429
        assert 1 <= answer.json["retry_after"] <= 30
        assert answer.headers["Retry-After"] == str(answer.json["retry_after"])

    def test_it_gives_no_fresh_tries(
        self,
        client: FlaskClient,
        register: Register,
        read_code: Read,
        read_mail: Callable[[str], list[str]],
        move_clock: Callable[[timedelta], None],
    ) -> None:
        challenge = register("asha@example.org")
        code = read_code("asha@example.org")
        for _ in range(3):
            _verify(client, challenge, _other_than(code))
        move_clock(timedelta(seconds=31))
        body = {"challenge_id": challenge["challenge_id"]}
        assert client.post(f"{URL}/resend-otp", json=body).status_code == 202
        code = read_code("asha@example.org")
        for _ in range(2):
            _verify(client, challenge, _other_than(code))
        assert _verify(client, challenge, code).status_code == 422
        move_clock(timedelta(seconds=62))
        assert client.post(f"{URL}/resend-otp", json=body).status_code == 202
        assert len(read_mail("asha@example.org")) == 2

    def test_an_unknown_challenge_is_answered_alike(
        self, app: Flask, client: FlaskClient, register: Register
    ) -> None:
        known = register("asha@example.org")
        answer = client.post(f"{URL}/resend-otp", json={"challenge_id": "no-such-challenge"})
        assert answer.status_code == 202
        assert set(answer.json) == set(known)
        assert _count(app, OutboxMail) == 1


class TestCommonWork:
    def test_no_more_hashes_run_at_once_than_there_are_turns(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running: list[int] = []
        peak: list[int] = []

        def slow_hash(password: str) -> str:
            running.append(1)
            peak.append(len(running))
            threading.Event().wait(0.02)
            running.pop()
            return "x"

        monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(2))
        monkeypatch.setattr(flask_security, "hash_password", slow_hash)
        _at_once(app, 8, lambda _: passwords.hash_password(PASSWORD))
        assert max(peak) == 2

    def test_who_waits_too_long_for_a_turn_is_asked_to_come_back(
        self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "_turns", threading.Semaphore(0))
        monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
        answer = client.post(
            f"{URL}/login", json={"email": "asha@example.org", "password": PASSWORD}
        )
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers


def _count_compared(
    app: Flask, challenge: dict[str, Any], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Try a wrong code twelve times at once, and count how often it was compared with the right one."""
    compared: list[str] = []
    real = hmac.compare_digest

    def compare_digest(given: str, right: str) -> bool:
        if right:
            compared.append(right)
        return bool(real(given, right))

    with monkeypatch.context() as spy:
        spy.setattr(hmac, "compare_digest", compare_digest)
        answers = _at_once(app, 12, lambda one: _verify(one, challenge, wrong).status_code)
    assert answers == [422] * 12
    with app.app_context(), transaction(read_only=True):
        assert db.session.scalar(select(OtpChallenge.tries)) == 5
    return len(compared)


def _at_once(app: Flask, count: int, act: Callable[[FlaskClient], Any]) -> list[Any]:
    barrier = threading.Barrier(count)
    answers: list[Any] = []

    def run() -> None:
        one = app.test_client()
        barrier.wait()
        answers.append(act(one))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
