"""What a lot says about its gate: how early, how late, and whether one may come back."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.models import Lot
from tests.desk import Desk, window
from tests.gate.conftest import bought, moment

USUAL = {
    "entry_minutes": 15,
    "entry_minutes_long": 120,
    "grace_minutes": 10,
    "refunds_early_exit": False,
    "allows_reentry": False,
    "allows_self_check_in": False,
}


def settings_of(client: FlaskClient, lot_id: int) -> dict[str, Any]:
    shown = client.get(f"/api/v1/lots/{lot_id}").json
    return {name: shown[name] for name in USUAL}


def test_they_are_the_usual_ones_and_can_be_changed(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    place = {"name": "New", "address": "A 1", "city": "Dresden", "lat": 51.0, "lng": 13.7}
    body = {**place, "status": "open"}
    made = client.post("/api/v1/lots", json=body, headers=as_admin).json
    assert settings_of(client, made["id"]) == USUAL
    others = {
        "entry_minutes": 0,
        "entry_minutes_long": 240,
        "grace_minutes": 30,
        "refunds_early_exit": True,
        "allows_reentry": True,
        "allows_self_check_in": True,
    }
    path = f"/api/v1/lots/{made['id']}"
    assert client.patch(path, json=others, headers=as_admin).status_code == 200
    assert settings_of(client, made["id"]) == others
    entries = client.get("/api/v1/audit-log?action=lot.updated", headers=as_admin).json["items"]
    assert entries[0]["before"] == USUAL
    assert entries[0]["after"] == others


@pytest.mark.parametrize(
    ("name", "value"),
    [("entry_minutes", -1), ("grace_minutes", 1441), ("allows_reentry", "yes")],
)
def test_what_is_none(
    client: FlaskClient, as_admin: dict[str, str], lot: Lot, name: str, value: Any
) -> None:
    answer = client.patch(f"/api/v1/lots/{lot.id}", json={name: value}, headers=as_admin)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [name]


def test_the_ticket_goes_by_them(
    client: FlaskClient, as_admin: dict[str, str], desk: Desk, lot: Lot
) -> None:
    booking = bought(desk, lot, **window())
    change = {"entry_minutes": 45, "grace_minutes": 5}
    client.patch(f"/api/v1/lots/{lot.id}", json=change, headers=as_admin)
    ticket = desk.get(f"/reservations/{booking['id']}/ticket")
    opens = moment(booking["starts_at"]) - moment(ticket["valid_from"])
    assert opens.total_seconds() == 45 * 60
    closes = moment(ticket["valid_until"]) - moment(booking["ends_at"])
    assert closes.total_seconds() == 5 * 60
