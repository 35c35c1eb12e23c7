"""Limits on sign-ups and sign-ins (P18)."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flask_security
import pytest
from flask.testing import FlaskClient

URL = "/api/v1/auth"
PASSWORD = "a quiet place to park"


def _register(client: FlaskClient, address: str) -> Any:
    body = {"email": address, "name": "Asha Rao", "password": PASSWORD}
    return client.post(f"{URL}/register", json=body)


def _login(client: FlaskClient, address: str, password: str, **kwargs: Any) -> Any:
    body = {"email": address, "password": password}
    return client.post(f"{URL}/login", json=body, **kwargs)


@pytest.mark.parametrize("known", [True, False])
def test_an_address_gets_three_codes_in_fifteen_minutes(
    client: FlaskClient,
    sign_up: Callable[..., dict[str, Any]],
    move_clock: Callable[[timedelta], None],
    known: bool,
) -> None:
    if known:
        sign_up("asha@example.org")
        move_clock(timedelta(minutes=16))
    for _ in range(3):
        answer = _register(client, "Asha@example.org")
        assert answer.status_code == 202
    answer = _register(client, "asha@EXAMPLE.org")
    assert answer.status_code == 429
    assert 14 * 60 < answer.json["retry_after"] <= 15 * 60
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    assert _register(client, "ravi@example.org").status_code == 202
    move_clock(timedelta(minutes=32))
    assert _register(client, "asha@example.org").status_code == 202


def test_a_network_of_ipv6_is_one_client(client: FlaskClient) -> None:
    """A /64 is the least that a household has, and holds more addresses than anybody can count."""
    told = [
        _login(
            client,
            "asha@example.org",
            "a wrong one",
            environ_overrides={"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"},
        ).status_code
        for number in range(1, 12)
    ]
    assert told == [*[401] * 10, 429]
    for elsewhere in ("2001:db8:1:3::1", "::ffff:192.0.2.7"):
        answer = _login(
            client,
            "asha@example.org",
            "a wrong one",
            environ_overrides={"REMOTE_ADDR": elsewhere},
        )
        assert answer.status_code == 401


def test_ipv4_is_the_same_client_however_a_listener_tells_of_it(client: FlaskClient) -> None:
    told = [
        _login(
            client,
            "asha@example.org",
            "a wrong one",
            environ_overrides={"REMOTE_ADDR": address},
        ).status_code
        for address in [*["192.0.2.7", "::ffff:192.0.2.7"] * 5, "::ffff:192.0.2.7"]
    ]
    assert told == [*[401] * 10, 429]
    other = {"REMOTE_ADDR": "::ffff:192.0.2.8"}
    answer = _login(client, "asha@example.org", "a wrong one", environ_overrides=other)
    assert answer.status_code == 401


def test_codes_sent_again_count_with_the_first(
    client: FlaskClient, move_clock: Callable[[timedelta], None]
) -> None:
    challenge = {"challenge_id": _register(client, "asha@example.org").json["challenge_id"]}
    for minute in (1, 2):
        move_clock(timedelta(minutes=minute))
        assert client.post(f"{URL}/resend-otp", json=challenge).status_code == 202
    move_clock(timedelta(minutes=3))
    answer = client.post(f"{URL}/resend-otp", json=challenge)
    assert answer.status_code == 429
    assert answer.json["retry_after"] > 60
    assert _register(client, "asha@example.org").status_code == 429


def test_one_client_asks_for_thirty_codes(client: FlaskClient) -> None:
    codes = [_register(client, f"p{number}@example.org").status_code for number in range(31)]
    assert codes == [202] * 30 + [429]


def test_forged_addresses_share_one_count(client: FlaskClient) -> None:
    body = {"challenge_id": "no-such-challenge", "code": "123456"}
    codes = [
        client.post(
            f"{URL}/verify-otp", json=body, headers={"X-Forwarded-For": f"203.0.113.{number % 50}"}
        ).status_code
        for number in range(70)
    ]
    assert codes == [422] * 60 + [429] * 10


def test_ten_wrong_passwords_are_enough_and_cost_no_more_hashes(
    client: FlaskClient,
    sign_up: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_up("asha@example.org")
    sign_up("ravi@example.org")
    compared = itertools.count()
    real = flask_security.verify_password

    def verify(password: str, known: str) -> bool:
        next(compared)
        return bool(real(password, known))

    monkeypatch.setattr(flask_security, "verify_password", verify)
    for _ in range(10):
        assert _login(client, "asha@example.org", "wrong").status_code == 401
    answer = _login(client, "ASHA@example.org", PASSWORD)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    assert next(compared) == 10
    # The same office still gets in, and so does the owner from elsewhere.
    assert _login(client, "ravi@example.org", PASSWORD).status_code == 200
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    answer = _login(client, "asha@example.org", PASSWORD, environ_overrides=elsewhere)
    assert answer.status_code == 200


def test_right_passwords_are_not_counted(
    client: FlaskClient, sign_up: Callable[..., dict[str, Any]]
) -> None:
    sign_up("asha@example.org")
    codes = {_login(client, "asha@example.org", PASSWORD).status_code for _ in range(15)}
    assert codes == {200}


def test_an_account_is_slowed_after_a_hundred_for_those_who_erred(
    client: FlaskClient, sign_up: Callable[..., dict[str, Any]]
) -> None:
    sign_up("asha@example.org")

    def login(password: str, address: str) -> Any:
        somewhere = {"REMOTE_ADDR": address}
        return _login(client, "asha@example.org", password, environ_overrides=somewhere)

    for number in range(100):
        assert login("wrong", f"198.51.100.{number}").status_code == 401
    # Whoever erred waits, even with the right password.
    answer = login(PASSWORD, "198.51.100.7")
    assert answer.status_code == 429
    assert answer.json["retry_after"] <= 15 * 60
    # The owner, from elsewhere, does not; nor does a stranger keep that from being so.
    assert login(PASSWORD, "203.0.113.9").status_code == 200
    assert login("wrong", "203.0.113.10").status_code == 401
    assert login("wrong", "203.0.113.10").status_code == 429
    assert login(PASSWORD, "203.0.113.10").status_code == 429
    assert login(PASSWORD, "203.0.113.11").status_code == 200


def test_a_dozen_clients_that_keep_trying_keep_nobody_out(
    client: FlaskClient, sign_up: Callable[..., dict[str, Any]]
) -> None:
    sign_up("asha@example.org")
    for number in range(12):
        somewhere = {"REMOTE_ADDR": f"198.51.100.{number}"}
        for _ in range(11):
            _login(client, "asha@example.org", "wrong", environ_overrides=somewhere)
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    answer = _login(client, "asha@example.org", PASSWORD, environ_overrides=elsewhere)
    assert answer.status_code == 200
