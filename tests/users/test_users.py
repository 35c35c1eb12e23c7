"""What admins see of users, and do to them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import clock
from backend.auth.sign_ins import start_sign_in
from backend.extensions import db
from backend.models import User
from backend.transaction import transaction
from tests.factories import Factory

API = "/api/v1"
USERS = f"{API}/users"

Headers = dict[str, str]
Search = Callable[..., list[dict[str, Any]]]
Change = Callable[..., Any]
Acts = Callable[[User], list[dict[str, Any]]]
MoveClock = Callable[[timedelta], None]
Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def search(client: FlaskClient, as_admin: Headers) -> Search:
    """Give the users that an admin finds."""

    def search(**query: Any) -> list[dict[str, Any]]:
        answer = client.get(USERS, query_string=query, headers=as_admin)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    return search


@pytest.fixture
def change(client: FlaskClient, as_admin: Headers) -> Change:
    """Change a user as an admin does."""

    def change(user: User, *, headers: Headers | None = None, **body: Any) -> Any:
        return client.patch(
            f"{USERS}/{user.id}", json=body, headers={**as_admin, **(headers or {})}
        )

    return change


@pytest.fixture
def acts_on(client: FlaskClient, make: Factory) -> Acts:
    """Give what the audit log tells of a user, the oldest first; sign-ins left out."""

    def acts_on(user: User) -> list[dict[str, Any]]:
        auditor = make.headers(make.user(roles=("admin",)))
        query = {"subject": "user", "subject_id": user.id}
        answer = client.get(f"{API}/audit-log", query_string=query, headers=auditor)
        entries = reversed(answer.json["items"])
        return [each for each in entries if each["action"] != "user.signed-in"]

    return acts_on


def is_let_in(client: FlaskClient, headers: Headers) -> bool:
    return client.get(f"{API}/me", headers=headers).status_code == 200


class TestRead:
    def test_an_admin_sees_what_a_user_is(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        user = make.user(name="Asha Rao", email="asha@example.org", phone="+49 6221 123")
        answer = client.get(f"{USERS}/{user.id}", headers=as_admin)
        assert answer.status_code == 200
        told = answer.json
        assert told.pop("created_at").endswith("Z")
        assert told == {
            "id": user.id,
            "email": "asha@example.org",
            "name": "Asha Rao",
            "phone": "+49 6221 123",
            "roles": ["driver"],
            "active": True,
            "timezone": "Europe/Berlin",
            "locale": "en-IN",
            "accessible_permit": False,
            "second_factor": False,
            "last_sign_in_at": None,
            "deleted_at": None,
        }

    def test_the_last_sign_in_is_known_when_it_is_over(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        search: Search,
        move_clock: MoveClock,
    ) -> None:
        user = make.user()
        make.headers(user)
        move_clock(timedelta(minutes=5))
        before = clock.now()
        headers = make.headers(user)
        client.post(f"{API}/auth/logout", json={}, headers=headers)
        (found,) = search(q=user.email)
        assert datetime.fromisoformat(found["last_sign_in_at"]) >= before
        assert client.get(f"{USERS}/{user.id}", headers=as_admin).json == found

    def test_whom_nobody_knows_is_not_found(self, client: FlaskClient, as_admin: Headers) -> None:
        for method, path in (
            ("GET", ""),
            ("GET", "/sessions"),
            ("DELETE", "/sessions"),
            ("DELETE", "/totp"),
        ):
            answer = client.open(f"{USERS}/999999{path}", method=method, headers=as_admin)
            assert answer.status_code == 404
        answer = client.patch(f"{USERS}/999999", json={"active": False}, headers=as_admin)
        assert answer.status_code == 404


class TestSearch:
    @pytest.mark.parametrize(
        ("q", "is_found"),
        [
            ("Jürgen", True),
            ("jurgen", True),
            ("JÜRGEN straße", True),
            ("strasse", True),
            ("œster", False),
            ("oster lukasz", True),
            ("juergen@parken.example.org", True),
            ("parken", True),
            ("+49 6221", True),
            ("6221/123", True),
            ("jurgen nobody", False),
            ("%", False),
            ("_", False),
            ("\\", False),
            ("'; DROP TABLE users; --", False),
        ],
    )
    def test_words_are_found_in_name_address_and_number(
        self, make: Factory, search: Search, q: str, is_found: bool
    ) -> None:
        wanted = make.user(
            name="Jürgen Łukasz Øster-Straße",
            email="juergen@parken.example.org",
            phone="+49 6221-123",
        )
        make.user(name="Somebody", email="somebody@elsewhere.test")
        assert [each["id"] for each in search(q=q)] == ([wanted.id] if is_found else [])

    @pytest.mark.parametrize("q", ["हिन्दी", "हिन्दी नाम"])
    def test_other_scripts_are_found(self, make: Factory, search: Search, q: str) -> None:
        wanted = make.user(name="हिन्दी नाम")
        assert [each["id"] for each in search(q=q)] == [wanted.id]

    def test_role_and_state_narrow(self, make: Factory, search: Search, admin: User) -> None:
        attendant = make.user(roles=("driver", "attendant"))
        disabled = make.user(active=False)
        assert [each["id"] for each in search(role="attendant")] == [attendant.id]
        assert [each["id"] for each in search(role="admin")] == [admin.id]
        assert [each["id"] for each in search(active="false")] == [disabled.id]
        assert [each["id"] for each in search(active="true", role="driver")] == [
            attendant.id,
            admin.id,
        ]
        assert search(active="false", role="admin") == []

    def test_pages_hold_each_user_once_while_others_come(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        users = [make.user(name="Asha").id for _ in range(7)]
        seen: list[int] = []
        query: dict[str, Any] = {"q": "asha", "limit": 3}
        totals = []
        while True:
            answer = client.get(USERS, query_string=query, headers=as_admin).json
            seen += [each["id"] for each in answer["items"]]
            totals.append(answer["total"])
            make.user(name="Asha")
            if answer["next_cursor"] is None:
                break
            query["cursor"] = answer["next_cursor"]
        assert seen == users[::-1]
        assert totals == [7, 8, 9]

    def test_many_users_cost_no_more_queries_than_one(
        self, make: Factory, search: Search, statements: Statements
    ) -> None:
        counts = []
        for count in (1, 9):
            for _ in range(count):
                make.headers(make.user(name="Asha", roles=("driver", "attendant")))
            with statements() as asked:
                search(q="asha")
            counts.append(len(asked))
        # Who asks, the count, the page, its roles, and its last sign-ins.
        assert counts == [5, 5]

    @pytest.mark.parametrize(
        ("field", "value"),
        [("limit", "101"), ("cursor", "x"), ("role", "owner"), ("active", "yes"), ("name", "x")],
    )
    def test_another_question_is_refused(
        self, client: FlaskClient, as_admin: Headers, field: str, value: str
    ) -> None:
        answer = client.get(USERS, query_string={field: value}, headers=as_admin)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]


class TestChange:
    def test_roles_are_given_and_taken(
        self, change: Change, make: Factory, acts_on: Acts, admin: User
    ) -> None:
        user = make.user()
        answer = change(user, roles=["attendant", "driver", "attendant"])
        assert answer.status_code == 200
        assert answer.json["roles"] == ["driver", "attendant"]
        assert change(user, roles=["driver"]).json["roles"] == ["driver"]
        given, taken = acts_on(user)
        assert (given["action"], given["actor"]["id"]) == ("user.roles-changed", admin.id)
        assert given["before"] == taken["after"] == {"roles": ["driver"]}
        assert given["after"] == taken["before"] == {"roles": ["driver", "attendant"]}

    @pytest.mark.parametrize(
        "body", [{"roles": ["driver", "attendant"]}, {"active": False}, {"roles": ["attendant"]}]
    )
    def test_every_token_is_dead_on_the_next_request_and_stays_dead(
        self, client: FlaskClient, change: Change, make: Factory, app: Flask, body: dict[str, Any]
    ) -> None:
        user = make.user()
        with app.app_context(), transaction():
            pair = start_sign_in(db.session.get_one(User, user.id), user_agent="tests").tokens
        headers = {"Authorization": f"Bearer {pair.access_token}"}
        assert is_let_in(client, headers)
        assert change(user, **body).status_code == 200
        assert not is_let_in(client, headers)
        assert change(user, roles=["driver"], active=True).status_code == 200
        assert not is_let_in(client, headers)
        refreshed = client.post(f"{API}/auth/refresh", json={"refresh_token": pair.refresh_token})
        assert refreshed.status_code == 401
        assert is_let_in(client, make.headers(user))

    def test_a_permit_ends_no_sign_in(
        self, client: FlaskClient, change: Change, make: Factory, acts_on: Acts
    ) -> None:
        user = make.user()
        headers = make.headers(user)
        assert change(user, accessible_permit=True).json["accessible_permit"] is True
        assert is_let_in(client, headers)
        (entry,) = acts_on(user)
        assert entry["action"] == "user.permit-changed"
        assert entry["before"] == {"accessible_permit": False}
        assert entry["after"] == {"accessible_permit": True}

    def test_what_is_so_already_changes_nothing(
        self, client: FlaskClient, change: Change, make: Factory, acts_on: Acts
    ) -> None:
        user = make.user()
        headers = make.headers(user)
        answer = change(user, roles=["driver"], active=True, accessible_permit=False)
        assert answer.status_code == 200
        assert is_let_in(client, headers)
        assert acts_on(user) == []

    def test_disabling_and_enabling_are_told_apart(
        self, change: Change, make: Factory, acts_on: Acts
    ) -> None:
        user = make.user()
        change(user, active=False)
        change(user, active=True)
        assert [each["action"] for each in acts_on(user)] == ["user.disabled", "user.enabled"]

    def test_a_closed_account_stays_closed(self, change: Change, make: Factory) -> None:
        user = make.user(active=False, deleted_at=clock.now())
        for body in ({"active": True}, {"roles": ["admin"]}, {"accessible_permit": True}):
            answer = change(user, **body)
            assert answer.status_code == 409
            assert answer.json["type"] == "/problems/illegal-transition"

    def test_a_stale_change_is_refused(
        self, client: FlaskClient, as_admin: Headers, change: Change, make: Factory
    ) -> None:
        user = make.user()
        tag = client.get(f"{USERS}/{user.id}", headers=as_admin).headers["ETag"]
        first = change(user, headers={"If-Match": tag}, accessible_permit=True)
        assert first.status_code == 200
        assert change(user, headers={"If-Match": tag}, active=False).status_code == 412
        again = change(user, headers={"If-Match": first.headers["ETag"]}, active=False)
        assert again.status_code == 200

    def test_it_needs_a_fresh_proof_of_who_asks(
        self, change: Change, make: Factory, move_clock: MoveClock
    ) -> None:
        user = make.user()
        move_clock(timedelta(minutes=11))
        answer = change(user, active=False)
        assert answer.status_code == 403
        assert answer.json["type"] == "/problems/fresh-sign-in-required"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("roles", []),
            ("roles", ["owner"]),
            ("roles", "admin"),
            ("active", "false"),
            ("accessible_permit", None),
            ("email", "other@example.org"),
            ("password", "x"),
            ("deleted_at", None),
            ("epoch", 0),
        ],
    )
    def test_the_rest_is_refused(
        self, change: Change, make: Factory, field: str, value: Any
    ) -> None:
        answer = change(make.user(), **{field: value})
        assert answer.status_code == 422
        assert next(iter(answer.json["errors"])).startswith(field)

    def test_no_one_makes_themselves_admin(self, client: FlaskClient, make: Factory) -> None:
        for role in ("driver", "attendant"):
            user = make.user(roles=(role,))
            headers = make.headers(user)
            for path in (f"/users/{user.id}", "/me"):
                answer = client.patch(API + path, json={"roles": ["admin"]}, headers=headers)
                assert answer.status_code in {403, 422}
            assert client.get(f"{API}/me", headers=headers).json["roles"] == [role]


class TestTheLastAdmin:
    @pytest.mark.parametrize("body", [{"roles": ["driver"]}, {"active": False}])
    def test_the_last_admin_stays(
        self, change: Change, make: Factory, admin: User, body: dict[str, Any]
    ) -> None:
        # One who is disabled, and one who is none any more, do not count.
        make.user(roles=("admin",), active=False)
        make.user(roles=("driver",))
        answer = change(admin, **body)
        assert answer.status_code == 409
        assert answer.json["type"] == "/problems/last-admin"

    def test_an_admin_may_go_while_another_stays(
        self, client: FlaskClient, change: Change, make: Factory, as_admin: Headers, admin: User
    ) -> None:
        make.user(roles=("admin",))
        assert change(admin, roles=["driver"]).status_code == 200
        assert not is_let_in(client, as_admin)

    def test_what_takes_no_admin_away_is_no_matter(self, change: Change, admin: User) -> None:
        answer = change(admin, roles=["admin", "attendant"], active=True, accessible_permit=True)
        assert answer.status_code == 200


class TestSignIns:
    def test_an_admin_sees_and_ends_them(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        acts_on: Acts,
    ) -> None:
        user, other = make.user(), make.user()
        mine, others = [make.headers(user) for _ in range(3)], make.headers(other)
        path = f"{USERS}/{user.id}/sessions"
        listed = client.get(path, headers=as_admin).json
        assert listed["total"] == 3
        assert {each["user_agent"] for each in listed["items"]} == {"tests"}
        assert not any(each["current"] for each in listed["items"])
        assert client.delete(path, headers=as_admin).status_code == 204
        assert not any(is_let_in(client, headers) for headers in mine)
        assert is_let_in(client, others)
        assert client.get(path, headers=as_admin).json["items"] == []
        assert [each["action"] for each in acts_on(user)] == ["user.sessions-ended"]


class TestSecondFactor:
    def test_an_admin_removes_it_from_who_lost_it(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        acts_on: Acts,
        admin: User,
    ) -> None:
        user = make.user(totp_secret=b"sealed", totp_since=clock.now())
        path = f"{USERS}/{user.id}"
        assert client.get(path, headers=as_admin).json["second_factor"] is True
        assert client.delete(f"{path}/totp", headers=as_admin).status_code == 204
        assert client.get(path, headers=as_admin).json["second_factor"] is False
        (entry,) = acts_on(user)
        assert (entry["action"], entry["actor"]["id"]) == ("user.second-factor-removed", admin.id)
