"""P22: of two admins who demote each other at the same moment, exactly one remains."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import text

from backend.errors import LastAdmin
from backend.extensions import db
from backend.identity import Caller
from backend.models import User
from backend.transaction import transaction
from backend.users import administering, last_admin
from tests.factories import Factory

ROUNDS = 20

Duel = Callable[..., list[int]]


def as_caller(user: User) -> Caller:
    return Caller(user.id, 1, user.email, user.name, ("admin",), user.timezone, user.locale)


def count_admins(app: Flask) -> int:
    with app.app_context(), transaction(read_only=True):
        count: int = db.session.execute(
            text(
                "SELECT count(*) FROM users JOIN users_roles ON user_id = users.id"
                " JOIN roles ON roles.id = role_id WHERE roles.name = 'admin' AND active"
            )
        ).scalar_one()
    return count


@pytest.mark.parametrize(
    "bodies",
    [
        ({"roles": ["driver"]}, {"roles": ["driver"]}),
        ({"active": False}, {"active": False}),
        ({"roles": ["driver"]}, {"active": False}),
    ],
    ids=["roles", "active", "one of each"],
)
def test_two_admins_who_demote_each_other_leave_one(
    app: Flask, make: Factory, bodies: tuple[dict[str, object], dict[str, object]]
) -> None:
    together = Barrier(2)

    def demote(headers: dict[str, str], other: User, body: dict[str, object]) -> int:
        client = app.test_client()
        together.wait(timeout=30)
        status: int = client.patch(
            f"/api/v1/users/{other.id}", json=body, headers=headers
        ).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            one, two = (make.user(roles=("admin",)) for _ in range(2))
            headers = [make.headers(one), make.headers(two)]
            told = sorted(pool.map(demote, headers, [two, one], bodies))
            # Who comes second is refused: as the last one's enemy, or as an admin no more.
            assert told[0] == 200
            assert told[1] in {401, 403, 409}
            assert count_admins(app) == 1
            with app.app_context(), transaction():
                db.session.execute(text("UPDATE users SET active = false"))


def test_an_admin_who_leaves_while_the_other_is_demoted_stays_or_the_other_does(
    app: Flask, make: Factory
) -> None:
    together = Barrier(2)

    def act(method: str, path: str, headers: dict[str, str]) -> int:
        client = app.test_client()
        together.wait(timeout=30)
        body = {"json": {"roles": ["driver"]}} if method == "PATCH" else {}
        status: int = client.open(path, method=method, headers=headers, **body).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            one, two = (make.user(roles=("admin",)) for _ in range(2))
            # The second closes their own account, while the first takes their own role.
            told = list(
                pool.map(
                    act,
                    ["PATCH", "DELETE"],
                    [f"/api/v1/users/{one.id}", "/api/v1/me"],
                    [make.headers(one), make.headers(two)],
                )
            )
            assert sorted(told) in ([200, 409], [204, 409])
            assert count_admins(app) == 1
            with app.app_context(), transaction():
                db.session.execute(text("UPDATE users SET active = false"))


# On SQLite the write lock, which each transaction takes at its beginning, is that lock.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session")
def test_without_the_lock_both_would_go(
    app: Flask, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_looked = Barrier(2)

    def look(user_id: int) -> None:
        last_admin.check_another_admin(user_id)
        both_have_looked.wait(timeout=10)

    monkeypatch.setattr(administering, "lock_admins", lambda: None)
    monkeypatch.setattr(administering, "check_another_admin", look)
    one, two = (make.user(roles=("admin",)) for _ in range(2))

    def demote(actor: User, other: User) -> None:
        with app.app_context(), transaction():
            administering.change_user(as_caller(actor), other.id, roles=["driver"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(demote, [one, two], [two, one]))
    assert count_admins(app) == 0


def test_a_look_before_the_lock_would_let_both_go(
    app: Flask, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_looked = Barrier(2)
    monkeypatch.setattr(administering, "check_another_admin", lambda _user_id: None)
    one, two = (make.user(roles=("admin",)) for _ in range(2))

    def demote(actor: User, other: User) -> None:
        with app.app_context():
            with transaction(read_only=True):
                last_admin.check_another_admin(other.id)
            both_have_looked.wait(timeout=10)
            with transaction():
                administering.change_user(as_caller(actor), other.id, roles=["driver"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(demote, [one, two], [two, one]))
    assert count_admins(app) == 0


def test_the_guard_asks_for_another_who_is_active(app: Flask, make: Factory) -> None:
    admin = make.user(roles=("admin",))
    make.user(roles=("admin",), active=False)
    with app.app_context(), transaction(read_only=True), pytest.raises(LastAdmin):
        last_admin.check_another_admin(admin.id)
