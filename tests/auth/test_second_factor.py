"""The second factor: set up, asked for, stood in for by recovery codes, removed."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from sqlalchemy import select, update

from backend import clock, config, create_app
from backend.auth.second_factor import reseal_keys
from backend.config import Settings
from backend.extensions import db
from backend.models import RecoveryCode, SecondFactorChallenge, SignInSession, User
from backend.transaction import transaction
from tests.conftest import use
from tests.contract import ContractClient
from tests.factories import Factory

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"

Register = Callable[..., dict[str, Any]]


def headers(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def kind(answer: Any) -> str:
    return f"{answer.status_code} {answer.json['type'].removeprefix('/problems/')}"


def code_of(secret: str, *, steps: int = 0) -> str:
    token = TOTP(key=secret).generate(time=int(clock.now().timestamp()) + 30 * steps)
    return str(token.token)


@dataclasses.dataclass
class Person:
    """Somebody with an authenticator app."""

    client: FlaskClient
    tokens: dict[str, Any]
    secret: str
    recovery_codes: list[str]

    def log_in(self, password: str = PASSWORD) -> Any:
        body = {"email": "asha@example.org", "password": password}
        return self.client.post(f"{URL}/login", json=body)

    def show(self, challenge_id: str, code: str) -> Any:
        body = {"challenge_id": challenge_id, "code": code}
        return self.client.post(f"{URL}/second-factor", json=body)


@pytest.fixture
def person(client: FlaskClient, sign_up: Register) -> Person:
    tokens = sign_up("asha@example.org")
    made = client.post("/api/v1/me/totp", headers=headers(tokens))
    assert made.status_code == 201, made.text
    secret = made.json["secret"]
    assert made.json["uri"].startswith("otpauth://totp/")
    # A code of the step before, so that the present one is still there for the test.
    confirmed = client.post(
        "/api/v1/me/totp/confirm", json={"code": code_of(secret, steps=-1)}, headers=headers(tokens)
    )
    assert confirmed.status_code == 200, confirmed.text
    return Person(client, tokens, secret, confirmed.json["recovery_codes"])


class TestSetUp:
    def test_it_is_told_how_it_stands(self, client: FlaskClient, person: Person) -> None:
        told = client.get("/api/v1/me/totp", headers=headers(person.tokens)).json
        assert told["enabled"] is True
        assert (told["recovery_codes_left"], told["required"]) == (10, False)
        assert len(set(person.recovery_codes)) == 10

    def test_without_a_right_code_nothing_is_in_force(
        self, client: FlaskClient, sign_up: Register
    ) -> None:
        tokens = sign_up("asha@example.org")
        secret = client.post("/api/v1/me/totp", headers=headers(tokens)).json["secret"]
        wrong = f"{(int(code_of(secret)) + 1) % 10**6:06d}"
        answer = client.post(
            "/api/v1/me/totp/confirm", json={"code": wrong}, headers=headers(tokens)
        )
        assert kind(answer) == "422 invalid-code"
        assert not client.get("/api/v1/me/totp", headers=headers(tokens)).json["enabled"]
        body = {"email": "asha@example.org", "password": PASSWORD}
        assert "access_token" in client.post(f"{URL}/login", json=body).json

    def test_a_second_one_is_refused(self, client: FlaskClient, person: Person) -> None:
        answer = client.post("/api/v1/me/totp", headers=headers(person.tokens))
        assert kind(answer) == "409 second-factor-set"

    def test_its_key_is_kept_encrypted(self, app: Flask, person: Person) -> None:
        with app.app_context(), transaction(read_only=True):
            sealed = db.session.scalars(select(User.totp_secret)).one()
            digests = db.session.scalars(select(RecoveryCode.digest)).all()
        assert sealed is not None
        assert person.secret.encode() not in sealed
        assert not set(digests) & {code.replace("-", "") for code in person.recovery_codes}

    def test_removing_it_needs_a_fresh_sign_in(
        self, app: Flask, client: FlaskClient, person: Person
    ) -> None:
        with app.app_context(), transaction():
            db.session.execute(
                update(SignInSession).values(verified_at=clock.now() - timedelta(minutes=11))
            )
        stale = client.delete("/api/v1/me/totp", headers=headers(person.tokens))
        assert kind(stale) == "403 fresh-sign-in-required"
        confirm = {"password": PASSWORD}
        missing = client.post(f"{URL}/confirm", json=confirm, headers=headers(person.tokens))
        assert kind(missing) == "422 invalid-code"
        confirm["code"] = code_of(person.secret)
        fresh = client.post(f"{URL}/confirm", json=confirm, headers=headers(person.tokens))
        assert fresh.status_code == 204
        gone = client.delete("/api/v1/me/totp", headers=headers(person.tokens))
        assert gone.status_code == 204
        assert "access_token" in person.log_in().json


class TestSignIn:
    def test_a_code_is_asked_for_and_signs_in(self, client: FlaskClient, person: Person) -> None:
        due = person.log_in()
        assert due.status_code == 200
        assert set(due.json) == {"challenge_id", "expires_at", "methods"}
        assert due.json["methods"] == ["totp", "recovery-code"]
        answer = person.show(due.json["challenge_id"], code_of(person.secret))
        assert answer.status_code == 200, answer.text
        assert client.get("/api/v1/me", headers=headers(answer.json)).status_code == 200

    def test_a_code_works_once(self, person: Person) -> None:
        code = code_of(person.secret)
        assert person.show(person.log_in().json["challenge_id"], code).status_code == 200
        again = person.show(person.log_in().json["challenge_id"], code)
        assert kind(again) == "422 invalid-code"

    def test_of_two_at_once_with_one_code_one_signs_in(self, app: Flask, person: Person) -> None:
        challenges = [person.log_in().json["challenge_id"] for _ in range(2)]
        code = code_of(person.secret)
        answers: list[int] = []
        gate = threading.Barrier(2)

        def show(challenge_id: str) -> None:
            gate.wait()
            body = {"challenge_id": challenge_id, "code": code}
            answers.append(app.test_client().post(f"{URL}/second-factor", json=body).status_code)

        threads = [threading.Thread(target=show, args=(each,)) for each in challenges]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 422]

    def test_a_challenge_allows_five_tries(self, person: Person) -> None:
        challenge = person.log_in().json["challenge_id"]
        wrong = f"{(int(code_of(person.secret)) + 7) % 10**6:06d}"
        assert [person.show(challenge, wrong).status_code for _ in range(5)] == [422] * 5
        assert kind(person.show(challenge, code_of(person.secret))) == "422 invalid-code"

    def test_a_challenge_dies_with_its_time_and_with_the_password(
        self, app: Flask, person: Person
    ) -> None:
        late, changed = (person.log_in().json["challenge_id"] for _ in range(2))
        with app.app_context(), transaction():
            db.session.execute(
                update(SecondFactorChallenge)
                .where(SecondFactorChallenge.token == late)
                .values(expires_at=clock.now())
            )
        assert kind(person.show(late, code_of(person.secret))) == "422 invalid-code"
        with app.app_context(), transaction():
            db.session.execute(update(User).values(epoch=User.epoch + 1))
        assert kind(person.show(changed, code_of(person.secret))) == "422 invalid-code"

    def test_a_wrong_password_is_not_asked_for_a_code(self, person: Person) -> None:
        assert kind(person.log_in("another")) == "401 invalid-credentials"

    def test_a_recovery_code_stands_in_once_however_it_is_typed(
        self, client: FlaskClient, person: Person
    ) -> None:
        typed = person.recovery_codes[0].upper().replace("-", " ")
        answer = person.show(person.log_in().json["challenge_id"], typed)
        assert answer.status_code == 200
        told = client.get("/api/v1/me/totp", headers=headers(answer.json)).json
        assert told["recovery_codes_left"] == 9
        again = person.show(person.log_in().json["challenge_id"], typed)
        assert kind(again) == "422 invalid-code"

    def test_new_recovery_codes_kill_the_old_ones(
        self, client: FlaskClient, person: Person
    ) -> None:
        made = client.post("/api/v1/me/recovery-codes", headers=headers(person.tokens))
        assert made.status_code == 201
        old, new = person.recovery_codes[0], made.json["recovery_codes"][0]
        assert kind(person.show(person.log_in().json["challenge_id"], old)) == "422 invalid-code"
        assert person.show(person.log_in().json["challenge_id"], new).status_code == 200


class TestRotation:
    def test_a_second_factor_outlives_another_secret_key(
        self, app: Flask, settings: Settings, person: Person
    ) -> None:
        new = dataclasses.replace(
            settings, secret_key="another key " * 4, secret_key_before=settings.secret_key
        )
        alone = dataclasses.replace(new, secret_key_before="")
        config.use(new)
        try:
            with app.app_context(), transaction():
                assert reseal_keys() == 1
            config.use(alone)
            due = [person.log_in().json["challenge_id"] for _ in range(2)]
            assert person.show(due[0], code_of(person.secret)).status_code == 200
            assert person.show(due[1], person.recovery_codes[3]).status_code == 200
        finally:
            config.use(settings)

    def test_one_that_cannot_be_read_any_more_opens_nothing(
        self, settings: Settings, person: Person
    ) -> None:
        config.use(dataclasses.replace(settings, secret_key="another key " * 4))
        try:
            due = [person.log_in().json["challenge_id"] for _ in range(2)]
            assert kind(person.show(due[0], code_of(person.secret))) == "422 invalid-code"
            assert kind(person.show(due[1], person.recovery_codes[3])) == "422 invalid-code"
        finally:
            config.use(settings)


class TestAdmins:
    @pytest.fixture
    def strict(self, app: Flask, settings: Settings) -> Iterator[FlaskClient]:
        """Give a client of an application, on the same database, whose admins need a second factor."""
        other = create_app(dataclasses.replace(settings, admin_second_factor="always"))
        other.test_client_class = ContractClient
        yield other.test_client()
        with other.app_context():
            db.engine.dispose()
        use(app)

    def test_an_admin_without_one_may_only_set_one_up(
        self, app: Flask, strict: FlaskClient, make: Factory
    ) -> None:
        admin = make.headers(make.user(roles=("driver", "admin")))
        refused = strict.get("/api/v1/lots/import-template.xlsx", headers=admin)
        assert kind(refused) == "403 second-factor-required"
        assert strict.get("/api/v1/me/totp", headers=admin).json["required"] is True
        secret = strict.post("/api/v1/me/totp", headers=admin).json["secret"]
        body = {"code": code_of(secret)}
        done = strict.post("/api/v1/me/totp/confirm", json=body, headers=admin)
        assert done.status_code == 200
        allowed = strict.get("/api/v1/lots/import-template.xlsx", headers=admin)
        assert allowed.status_code == 200

    def test_until_then_they_see_what_a_driver_sees(
        self, strict: FlaskClient, make: Factory
    ) -> None:
        admin = make.headers(make.user(roles=("driver", "admin")))
        other, _ = make.driver()
        assert strict.get("/api/v1/reservations", headers=admin).json["items"] == []
        refused = strict.get("/api/v1/reservations?user_id=1", headers=admin)
        assert refused.status_code in {403, 422}
        assert other
