"""P16, P17: what is not an access token of ours, alive and in its header, opens nothing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from backend import clock
from backend.auth.tokens import _access_key
from backend.config import Settings
from backend.extensions import db
from backend.models import SignInSession, User
from backend.transaction import transaction
from backend.web.openapi import operations
from tests.factories import Factory
from tests.world import World

Claims = dict[str, Any]
ME = "/api/v1/me"


class Forger:
    """Knows a real token and what it is made of, and more than any stranger could."""

    def __init__(self, app: Flask, client: FlaskClient, make: Factory) -> None:
        self.app, self.client, self.world = app, client, World(app, client, make)
        self.settings: Settings = app.extensions["settings"]
        self.token = self.world.owner.headers["Authorization"].removeprefix("Bearer ")
        self.key = _access_key(self.settings.jwt_secret)
        self.claims: Claims = jwt.decode(self.token, options={"verify_signature": False})
        self.other: Claims = jwt.decode(
            self.world.other.headers["Authorization"].removeprefix("Bearer "),
            options={"verify_signature": False},
        )

    def sign(self, **changes: Any) -> str:
        """Sign with our own key what we would never have written."""
        claims = {name: value for name, value in (self.claims | changes).items() if value != ...}
        return jwt.encode(claims, self.key, algorithm="HS256")

    def with_header(self, key: bytes, **header: Any) -> str:
        """Write the real claims under a header of choice, with the MAC of HS256."""
        head = {"typ": "JWT", "alg": "HS256", **header}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (head, self.claims))
        return f"{text}.{_base64(hmac.digest(key, text.encode(), hashlib.sha256))}"

    def unsigned(self, alg: str, mac: str = "") -> str:
        head = _base64(json.dumps({"alg": alg, "typ": "JWT"}).encode())
        return f"{head}.{_base64(json.dumps(self.claims).encode())}.{mac}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _at(minutes: int) -> int:
    return int((clock.now() + timedelta(minutes=minutes)).timestamp())


def _private(kind: str) -> Any:
    if kind == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


FORGERIES: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("None"),
    "alg NONE": lambda f: f.unsigned("NONE"),
    "alg empty": lambda f: f.unsigned(""),
    "alg none with the old signature": lambda f: f.unsigned("none", f.token.rpartition(".")[2]),
    "no signature": lambda f: f.token.rpartition(".")[0] + ".",
    "another secret": lambda f: jwt.encode(f.claims, "x" * 32, algorithm="HS256"),
    "an empty secret": lambda f: f.with_header(b""),
    "the secret itself, not what is derived": lambda f: jwt.encode(
        f.claims, f.settings.jwt_secret, algorithm="HS256"
    ),
    "the secret of links": lambda f: f.with_header(_access_key(f.settings.secret_key)),
    "HS384": lambda f: jwt.encode(f.claims, f.key + bytes(32), algorithm="HS384"),
    "HS512": lambda f: jwt.encode(f.claims, f.key + bytes(32), algorithm="HS512"),
    "RS256": lambda f: jwt.encode(f.claims, _private("RS256"), algorithm="RS256"),
    "ES256": lambda f: jwt.encode(f.claims, _private("ES256"), algorithm="ES256"),
    "EdDSA": lambda f: jwt.encode(
        f.claims, ed25519.Ed25519PrivateKey.generate(), algorithm="EdDSA"
    ),
    "said to be RS256": lambda f: f.with_header(f.key, alg="RS256"),
    "said to be HS512": lambda f: f.with_header(f.key, alg="HS512"),
    "brings its own key": lambda f: f.with_header(
        b"mine", jwk={"kty": "oct", "k": _base64(b"mine")}
    ),
    "names a key elsewhere": lambda f: f.with_header(b"", kid="/dev/null"),
    "names a key by an address": lambda f: f.with_header(b"x", jku="http://127.0.0.1:1/keys"),
    "wants something critical": lambda f: f.with_header(f.key, crit=["exp"], b64=False),
    "expired": lambda f: f.sign(iat=_at(-30), exp=_at(-15)),
    "expired this second": lambda f: f.sign(exp=_at(0)),
    "of the future": lambda f: f.sign(iat=_at(60), exp=_at(75)),
    "not valid yet": lambda f: f.sign(nbf=_at(60)),
    "another issuer": lambda f: f.sign(iss="https://parking.example.net"),
    "another audience": lambda f: f.sign(aud="another-app"),
    "an audience among others'": lambda f: f.sign(aud=["another-app"]),
    "another's sub with one's own sid": lambda f: f.sign(sub=f.other["sub"]),
    "another's sid with one's own sub": lambda f: f.sign(sid=f.other["sid"]),
    "a sub that is nobody": lambda f: f.sign(sub="999999"),
    "a sub that is no number": lambda f: f.sign(sub="1 OR 1=1"),
    "a sid that is nowhere": lambda f: f.sign(sid=999_999),
    "the epoch after": lambda f: f.sign(epoch=f.claims["epoch"] + 1),
    "the epoch before": lambda f: f.sign(epoch=f.claims["epoch"] - 1),
    **{
        f"no {claim}": lambda f, claim=claim: f.sign(**{claim: ...})  # type: ignore[misc] # a default binds it
        for claim in ("iss", "aud", "sub", "sid", "epoch", "iat", "exp", "jti")
    },
    "other claims under the old signature": lambda f: ".".join(
        [
            f.token.split(".")[0],
            _base64(json.dumps(f.claims | {"sub": f.other["sub"]}).encode()),
            f.token.split(".")[2],
        ]
    ),
    "one sign more": lambda f: f.token + "A",
    "one sign less": lambda f: f.token[:-2],
    "a fourth part": lambda f: f.token + ".e30",
    "twice": lambda f: f"{f.token} {f.token}",
    "blanks around": lambda f: f"\t{f.token},",
    "junk": lambda _f: "x.y.z",
    "dots": lambda _f: "..",
    "a word": lambda _f: "undefined",
    "null": lambda _f: "null",
    "no text": lambda _f: "\xff\xfe.\xff.\xff",
    "over-long": lambda f: f.token + "A" * 10_000,
    "over-long claims": lambda f: f.sign(jti="x" * 4_000),
    "a refresh token": lambda f: str(f.world.tokens(f.world.owner)["refresh_token"]),
    "a ticket of the live events": lambda f: str(
        f.world.made("POST", "/events/ticket", f.world.owner, {})["ticket"]
    ),
    "the ticket of a booking": lambda f: str(
        f.world.made(
            "GET",
            f"/reservations/{f.world.payment['reservation_id']}/ticket",
            f.world.owner,
        )["payload"]
    ),
}


@pytest.fixture
def forger(app: Flask, client: FlaskClient, make: Factory) -> Forger:
    return Forger(app, client, make)


def refused(answer: TestResponse) -> bool:
    """Tell whether an answer is the one that a stranger gets."""
    return (
        answer.status_code == 401
        and answer.json["type"] == "/problems/unauthenticated"
        and answer.headers["WWW-Authenticate"] == "Bearer"
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_what_the_forgeries_are_made_from_is_let_in(forger: Forger) -> None:
    assert forger.client.get(ME, headers=bearer(forger.token)).status_code == 200
    assert forger.client.get(ME, headers=bearer(forger.sign())).status_code == 200
    assert forger.client.get(ME, headers=bearer(forger.with_header(forger.key))).status_code == 200


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_opens_no_kind_of_operation(
    app: Flask, client: FlaskClient, forger: Forger, name: str
) -> None:
    token = FORGERIES[name](forger)
    # One of each blueprint, and the public ones too: there as well a token counts or is refused.
    for method, path in _one_of_each_blueprint(app):
        answer = client.open(path, method=method, headers=bearer(token))
        assert refused(answer), f"{method} {path}: {answer.status_code}"


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "Digest", ""])
def test_a_real_token_under_another_scheme_opens_nothing(
    client: FlaskClient, forger: Forger, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {forger.token}".strip()}
    assert refused(client.get(ME, headers=headers))


@pytest.mark.parametrize("name", ["access_token", "auth_token", "token", "jwt", "Authorization"])
class TestARealTokenElsewhere:
    def test_in_the_query(self, client: FlaskClient, forger: Forger, name: str) -> None:
        assert refused(client.get(ME, query_string={name: forger.token}))
        assert refused(client.get(ME, query_string={name: f"Bearer {forger.token}"}))

    def test_in_the_body(self, client: FlaskClient, forger: Forger, name: str) -> None:
        body = {name: forger.token, "name": "Mallory"}
        assert refused(client.patch(ME, json=body))
        assert refused(client.patch(ME, data=body))
        assert refused(client.post("/api/v1/auth/logout", json=body))

    def test_in_a_cookie(self, client: FlaskClient, forger: Forger, name: str) -> None:
        for cookie in (name, "session", "remember_token", "refresh_token"):
            client.set_cookie(cookie, forger.token)
        assert refused(client.get(ME))

    def test_in_another_header(self, client: FlaskClient, forger: Forger, name: str) -> None:
        for header in ("Authentication-Token", "X-Access-Token", "X-Authorization", "Cookie"):
            assert refused(client.get(ME, headers={header: f"{name}={forger.token}"}))
            assert refused(client.get(ME, headers={header: forger.token}))


class TestATokenThatWasReal:
    def test_of_an_ended_sign_in(self, client: FlaskClient, forger: Forger) -> None:
        _set(forger, SignInSession, SignInSession.id == forger.claims["sid"], ended_at=clock.now())
        assert refused(client.get(ME, headers=bearer(forger.token)))

    def test_of_a_disabled_user(self, client: FlaskClient, forger: Forger) -> None:
        _set(forger, User, User.id == int(forger.claims["sub"]), active=False)
        assert refused(client.get(ME, headers=bearer(forger.token)))

    def test_of_another_epoch(self, client: FlaskClient, forger: Forger) -> None:
        _set(forger, User, User.id == int(forger.claims["sub"]), epoch=User.epoch + 1)
        assert refused(client.get(ME, headers=bearer(forger.token)))

    def test_of_a_sign_in_of_another_epoch(self, client: FlaskClient, forger: Forger) -> None:
        which = SignInSession.id == forger.claims["sid"]
        _set(forger, SignInSession, which, epoch=SignInSession.epoch + 1)
        assert refused(client.get(ME, headers=bearer(forger.token)))

    def test_of_a_closed_account(self, client: FlaskClient, forger: Forger) -> None:
        assert client.delete(ME, headers=bearer(forger.token)).status_code == 204
        assert refused(client.get(ME, headers=bearer(forger.token)))


def _set(forger: Forger, model: Any, which: Any, **values: Any) -> None:
    with forger.app.app_context(), transaction():
        db.session.execute(update(model).where(which).values(**values))


def _one_of_each_blueprint(app: Flask) -> list[tuple[str, str]]:
    """Give an operation of each blueprint, one that wants a token where it has such."""
    chosen: dict[tuple[str, bool], tuple[str, str]] = {}
    for method, path, rule, described in operations(app):
        blueprint = rule.endpoint.partition(".")[0]
        for part in rule.arguments:
            path = path.replace(f"{{{part}}}", "1")  # noqa: PLW2901 - it is filled in
        chosen.setdefault((blueprint, described.public), (method, path))
    return list(chosen.values())
