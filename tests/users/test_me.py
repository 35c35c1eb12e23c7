"""One's own profile."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.extensions import db
from backend.models import Role
from backend.transaction import transaction
from backend.users.service import ensure_roles

SignInAs = Callable[..., dict[str, str]]


class TestRead:
    def test_it_tells_who_i_am(self, client: FlaskClient, sign_in_as: SignInAs) -> None:
        answer = client.get("/api/v1/me", headers=sign_in_as("asha@example.org", "attendant"))
        assert answer.status_code == 200
        assert answer.json.pop("id") > 0
        profile = answer.json
        assert profile.pop("created_at").endswith("Z")
        assert {name: profile[name] for name in profile if name != "id"} == {
            "email": "asha@example.org",
            "name": "Asha Rao",
            "phone": None,
            "tax_id": None,
            "roles": ["attendant"],
            "active": True,
            "timezone": "Asia/Kolkata",
            "locale": "en-IN",
            "accessible_permit": False,
        }

    def test_a_stranger_is_refused(self, client: FlaskClient) -> None:
        assert client.get("/api/v1/me").status_code == 401


class TestChange:
    def test_what_is_named_changes(self, client: FlaskClient, sign_in_as: SignInAs) -> None:
        headers = sign_in_as("asha@example.org")
        changes = {
            "name": "  Asha V. Rao ",
            "phone": "+49 6221 123",
            "tax_id": " de 123 456 789 ",
            "timezone": "Europe/Berlin",
            "locale": "de-DE",
        }
        answer = client.patch("/api/v1/me", json=changes, headers=headers)
        assert answer.status_code == 200
        assert answer.json["name"] == "Asha V. Rao"
        assert answer.json["timezone"] == "Europe/Berlin"
        assert answer.json["tax_id"] == "DE123456789"
        answer = client.patch("/api/v1/me", json={"phone": None}, headers=headers)
        assert answer.json["phone"] is None
        assert answer.json["name"] == "Asha V. Rao"
        assert client.get("/api/v1/me", headers=headers).json == answer.json

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", None),
            ("phone", "call me"),
            ("tax_id", "unknown!"),
            ("tax_id", "--/--"),
            ("timezone", "Mars/Olympus"),
            ("timezone", "../../etc/passwd"),
            ("locale", "<b>"),
            ("email", "other@example.org"),
            ("roles", ["admin"]),
            ("active", False),
            ("id", 7),
        ],
    )
    def test_the_rest_is_refused(
        self, client: FlaskClient, sign_in_as: SignInAs, field: str, value: Any
    ) -> None:
        headers = sign_in_as("asha@example.org")
        before = client.get("/api/v1/me", headers=headers).json
        answer = client.patch("/api/v1/me", json={field: value}, headers=headers)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]
        assert client.get("/api/v1/me", headers=headers).json == before

    def test_a_stale_change_is_refused(self, client: FlaskClient, sign_in_as: SignInAs) -> None:
        headers = sign_in_as("asha@example.org")
        tag = client.get("/api/v1/me", headers=headers).headers["ETag"]
        first = client.patch(
            "/api/v1/me", json={"name": "One"}, headers={**headers, "If-Match": tag}
        )
        assert first.status_code == 200
        second = client.patch(
            "/api/v1/me", json={"name": "Two"}, headers={**headers, "If-Match": tag}
        )
        assert second.status_code == 412
        assert client.get("/api/v1/me", headers=headers).json["name"] == "One"


def test_roles_are_made_once(app: Flask) -> None:
    for _ in range(2):
        with app.app_context(), transaction():
            ensure_roles()
    with app.app_context(), transaction(read_only=True):
        names = sorted(role.name for role in db.session.query(Role))
    assert names == ["admin", "attendant", "driver"]
