"""Who may call what: the matrix of roles and routes, written down once and held against every route."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.web.openapi import operations
from tests.factories import Factory

ROLES = {"driver", "attendant", "admin"}
PUBLIC: set[str] = set()
SIGNED_IN = ROLES

MATRIX: dict[str, set[str]] = {
    "POST /api/v1/auth/login": PUBLIC,
    "POST /api/v1/auth/logout": SIGNED_IN,
    "POST /api/v1/auth/refresh": PUBLIC,
    "POST /api/v1/auth/register": PUBLIC,
    "POST /api/v1/auth/resend-otp": PUBLIC,
    "POST /api/v1/auth/verify-otp": PUBLIC,
    "GET /api/v1/docs": PUBLIC,
    "GET /api/v1/docs/docs.css": PUBLIC,
    "GET /api/v1/docs/docs.js": PUBLIC,
    "POST /api/v1/events/ticket": SIGNED_IN,
    "GET /api/v1/installation": PUBLIC,
    "GET /api/v1/lots": PUBLIC,
    "POST /api/v1/lots": {"admin"},
    "GET /api/v1/lots/{lot_id}": PUBLIC,
    "PATCH /api/v1/lots/{lot_id}": {"admin"},
    "DELETE /api/v1/lots/{lot_id}": {"admin"},
    "GET /api/v1/lots/{lot_id}/closures": {"admin"},
    "GET /api/v1/lots/{lot_id}/spots": PUBLIC,
    "POST /api/v1/lots/{lot_id}/spots": {"admin"},
    "GET /api/v1/lots/{lot_id}/tariff": PUBLIC,
    "GET /api/v1/lots/{lot_id}/tariffs": {"admin"},
    "POST /api/v1/lots/{lot_id}/tariffs": {"admin"},
    "GET /api/v1/lots/availability": PUBLIC,
    "POST /api/v1/lots/import": {"admin"},
    "GET /api/v1/lots/import-template.xlsx": {"admin"},
    "GET /api/v1/me": SIGNED_IN,
    "PATCH /api/v1/me": SIGNED_IN,
    "GET /api/v1/openapi.json": PUBLIC,
    "GET /api/v1/payments": {"driver"},
    "GET /api/v1/payments/{payment_id}": {"driver", "admin"},
    "POST /api/v1/payments/{payment_id}/confirm": {"driver"},
    "GET /api/v1/payments/{payment_id}/receipt.pdf": {"driver", "admin"},
    "POST /api/v1/quotes": PUBLIC,
    "GET /api/v1/reservations": {"driver", "admin"},
    "POST /api/v1/reservations": {"driver"},
    "GET /api/v1/reservations/{reservation_id}": {"driver", "admin"},
    "POST /api/v1/reservations/{reservation_id}/cancel": {"driver"},
    "POST /api/v1/reservations/{reservation_id}/payments": {"driver"},
    "POST /api/v1/reservations/{reservation_id}/prolong": {"driver"},
    "GET /api/v1/reservations/{reservation_id}/ticket": {"driver", "admin"},
    "GET /api/v1/spots/{spot_id}": {"admin"},
    "PATCH /api/v1/spots/{spot_id}": {"admin"},
    "POST /api/v1/tariffs/{tariff_id}/publish": {"admin"},
    "GET /api/v1/tickets/keys": PUBLIC,
    "GET /api/v1/vehicles": {"driver"},
    "POST /api/v1/vehicles": {"driver"},
    "GET /api/v1/vehicles/{vehicle_id}": {"driver"},
    "PATCH /api/v1/vehicles/{vehicle_id}": {"driver"},
    "DELETE /api/v1/vehicles/{vehicle_id}": {"driver"},
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
}


def test_every_operation_is_on_the_matrix_as_it_is(app: Flask) -> None:
    found = {
        f"{method} {path}": PUBLIC if described.public else set(described.roles) or SIGNED_IN
        for method, path, _, described in operations(app)
    }
    assert found == MATRIX


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer x.y.z", "Basic eDp5", "Token 1"])
def test_a_stranger_is_let_into_nothing_that_is_not_public(
    app: Flask, client: FlaskClient, token: str
) -> None:
    headers = {"Authorization": token} if token else {}
    for name, roles in MATRIX.items():
        if roles is not PUBLIC:
            answer = _call(client, name, headers)
            assert answer.status_code == 401, name
            assert answer.headers["WWW-Authenticate"] == "Bearer", name


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_is_let_into_its_own_operations_and_no_others(
    app: Flask, client: FlaskClient, make: Factory, role: str
) -> None:
    headers = make.headers(make.user(roles=(role,)))
    for name, roles in MATRIX.items():
        if name == "POST /api/v1/auth/logout":
            continue
        answer = _call(client, name, headers)
        if role in roles:
            assert answer.status_code not in {401, 403}, name
        elif roles is not PUBLIC:
            assert answer.status_code == 403, name
            assert answer.json is not None
            assert answer.json["type"] == "/problems/forbidden", name


def test_a_user_without_any_role_is_let_into_no_operation_of_a_role(
    app: Flask, client: FlaskClient, make: Factory
) -> None:
    headers = make.headers(make.user(roles=()))
    for name, roles in MATRIX.items():
        if roles is not PUBLIC and roles is not SIGNED_IN:
            assert _call(client, name, headers).status_code == 403, name


def _call(client: FlaskClient, name: str, headers: dict[str, str]) -> Any:
    """Call an operation on things that do not exist, without a body."""
    method, _, path = name.partition(" ")
    return client.open(re.sub(r"{[^}]+}", "999999", path), method=method, headers=headers)
