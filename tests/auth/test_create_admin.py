"""The first admin, from the command line."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.auth.service import create_admin
from backend.errors import InvalidInput
from tests.factories import Factory

PASSWORD = "a quiet place to park"


def test_an_admin_signs_in(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        create_admin(email="Boss@Example.org", name="The Boss", password=PASSWORD)
    body = {"email": "boss@example.org", "password": PASSWORD}
    answer = client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 200
    assert answer.json["user"]["roles"] == ["driver", "admin"]


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("nobody", PASSWORD, "email"),
        ("a,b@example.org", PASSWORD, "email"),
        ("a\x00b@example.org", PASSWORD, "email"),
        ("boss@example..org", PASSWORD, "email"),
        (f"{'a' * 65}@example.org", PASSWORD, "email"),
        ("boss@example.org", "short", "password"),
        ("boss@example.org", "boss@example.org", "password"),
        ("boss@example.org", "password123", "password"),
    ],
)
def test_bad_input_is_refused(app: Flask, email: str, password: str, field: str) -> None:
    with app.app_context(), pytest.raises(InvalidInput) as refusal:
        create_admin(email=email, name="The Boss", password=password)
    assert list(refusal.value.extensions["errors"]) == [field]


def test_a_user_becomes_an_admin_and_signs_in_anew(
    app: Flask, client: FlaskClient, sign_up: Callable[..., dict[str, Any]]
) -> None:
    tokens = sign_up("asha@example.org")
    with app.app_context():
        for _ in range(2):
            create_admin(email="asha@example.org", name="ignored", password="another quiet place")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    body = {"email": "asha@example.org", "password": "another quiet place"}
    user = client.post("/api/v1/auth/login", json=body).json["user"]
    assert user["id"] == tokens["user"]["id"]
    assert user["name"] == "Asha Rao"
    assert user["roles"] == ["driver", "admin"]


def test_the_audit_log_tells_of_it_without_an_actor(
    app: Flask, client: FlaskClient, make: Factory, as_admin: dict[str, str]
) -> None:
    user = make.user(email="asha@example.org")
    with app.app_context():
        for _ in range(2):
            create_admin(email="asha@example.org", name="ignored", password=PASSWORD)
    query = {"subject": "user", "subject_id": user.id}
    answer = client.get("/api/v1/audit-log", query_string=query, headers=as_admin)
    told = [(each["action"], each["actor"], each["after"]) for each in answer.json["items"]]
    assert told == [
        ("user.password-reset", None, None),
        ("user.roles-changed", None, {"roles": ["driver", "admin"]}),
        ("user.password-reset", None, None),
    ]
