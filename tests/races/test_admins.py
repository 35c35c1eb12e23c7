"""P22: two admins who demote each other at the same moment, over two processes: one remains."""

from functools import partial
from typing import Any

import pytest

from backend.models import User
from tests import servers
from tests.factories import Factory
from tests.races.conftest import Books
from tests.races.crowd import Answer, rush, send

# By three servers and on two databases.
ROUNDS = 5
LONG_ROUNDS = 100

_BODIES: tuple[dict[str, Any], ...] = ({"roles": ["driver"]}, {"active": False})


def _demote(url: str, headers: dict[str, str], other: User, body: dict[str, Any]) -> Answer:
    return send(url, "PATCH", f"/users/{other.id}", headers=headers, body=body)


def _duel(url: str, make: Factory, books: Books, turn: int) -> None:
    one, two = (make.user(roles=("driver", "admin")) for _ in range(2))
    as_one, as_two = make.headers(one), make.headers(two)
    first, second = _BODIES[turn % 2], _BODIES[turn // 2 % 2]

    answers = rush(
        [partial(_demote, url, as_one, two, first), partial(_demote, url, as_two, one, second)]
    )

    told = sorted(answer.told for answer in answers)
    # Who comes second is refused as the last one's enemy, or is nobody any more by then.
    assert told[0] == "200"
    assert told[1] in {"409 last-admin", "401 unauthenticated"}
    (row,) = books.ask(
        "SELECT count(*) AS found FROM users JOIN users_roles ON user_id = users.id"
        " JOIN roles ON roles.id = role_id WHERE roles.name = 'admin' AND active"
    )
    assert row.found == 1
    books.change("UPDATE users SET active = false")


def test_two_admins_who_demote_each_other_leave_one(
    web: servers.WebServer, make: Factory, books: Books
) -> None:
    for turn in range(ROUNDS):
        _duel(web.url, make, books, turn)


@pytest.mark.long
def test_over_and_over_they_leave_one(web: servers.WebServer, make: Factory, books: Books) -> None:
    for turn in range(LONG_ROUNDS):
        _duel(web.url, make, books, turn)
