"""Every act of staff is in the audit log: who, what, before, after, and by which request."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.lots.import_lots import import_lots
from backend.models import User
from tests.factories import Factory, tomorrow_at

API = "/api/v1"
LOT = {"name": "Altmarkt", "address": "Altmarkt 1", "city": "Dresden", "lat": 51.05, "lng": 13.74}
CSV = "uid,name,lat,lon,capacity,address\n1,Nord,51.05,13.74,3,Nordstr. 1\n2,,0,0,1,\n"

Told = Callable[[], list[dict[str, Any]]]
Act = Callable[..., Any]


@pytest.fixture
def told(client: FlaskClient, as_admin: dict[str, str]) -> Told:
    """Give what the log tells of acts, the oldest first; sign-ins left out."""

    def told() -> list[dict[str, Any]]:
        answer = client.get(f"{API}/audit-log", query_string={"limit": 100}, headers=as_admin)
        return [each for each in reversed(answer.json["items"]) if each["subject"] != "user"]

    return told


@pytest.fixture
def act(client: FlaskClient, as_admin: dict[str, str]) -> Act:
    """Do something as an admin; give the answer's body."""

    def act(method: str, path: str, *, status: int = 200, **sent: Any) -> Any:
        answer = client.open(API + path, method=method, headers=as_admin, **sent)
        assert answer.status_code == status, answer.text
        return answer.json

    return act


def test_the_life_of_a_lot(act: Act, told: Told, admin: User) -> None:
    lot_id = act("POST", "/lots", json=LOT, status=201)["id"]
    act(
        "PATCH",
        f"/lots/{lot_id}",
        json={"status": "open", "amenities": ["video"], "city": "Dresden"},
    )
    act("PATCH", f"/lots/{lot_id}", json={"city": "Dresden"})
    act("DELETE", f"/lots/{lot_id}", status=204)
    act("DELETE", f"/lots/{lot_id}", status=204)

    created, opened, archived = told()
    assert {each["subject_id"] for each in (created, opened, archived)} == {lot_id}
    assert {each["actor"]["id"] for each in (created, opened, archived)} == {admin.id}
    assert all(each["request_id"] for each in (created, opened, archived))
    assert created["action"] == "lot.created"
    assert created["before"] is None
    assert created["after"] | LOT == created["after"]
    assert opened["action"] == "lot.updated"
    assert opened["before"] == {"status": "draft", "amenities": []}
    assert opened["after"] == {"status": "open", "amenities": ["video"]}
    assert archived["action"] == "lot.archived"
    assert (archived["before"], archived["after"]) == (
        {"status": "open"},
        {"status": "archived"},
    )


def test_the_life_of_a_bay(act: Act, told: Told, make: Factory) -> None:
    lot = make.lot(spots=0)
    row = {"prefix": "B", "from": 1, "to": 12, "kind": "standard"}
    spot_id = act("POST", f"/lots/{lot.id}/spots", json=row, status=201)["items"][0]["id"]
    act("PATCH", f"/spots/{spot_id}", json={"kind": "electric", "label": "E1"})
    act(
        "PATCH",
        f"/spots/{spot_id}",
        json={
            "in_service": False,
            "reason": "Cleaning",
            "out_of_service_from": tomorrow_at(9).isoformat(),
            "out_of_service_until": tomorrow_at(10).isoformat(),
        },
    )
    act("PATCH", f"/spots/{spot_id}", json={"in_service": True})

    created, changed, closed, opened = told()
    assert (created["action"], created["subject"], created["subject_id"]) == (
        "spots.created",
        "lot",
        lot.id,
    )
    assert created["after"] == {
        "first": "B01",
        "last": "B12",
        "count": 12,
        "kind": "standard",
        "level": "0",
    }
    assert (changed["action"], changed["subject_id"]) == ("spot.updated", spot_id)
    assert changed["before"] == {"kind": "standard", "label": "B01"}
    assert changed["after"] == {"kind": "electric", "label": "E1"}
    closure = {
        "reason": "Cleaning",
        "starts_at": tomorrow_at(9).isoformat(),
        "ends_at": tomorrow_at(10).isoformat(),
    }
    assert (closed["before"], closed["after"]) == ({"closures": []}, {"closures": [closure]})
    assert (opened["before"], opened["after"]) == ({"closures": [closure]}, {"closures": []})


def test_the_life_of_a_tariff(act: Act, told: Told, make: Factory) -> None:
    lot = make.lot()
    body = {"name": "Summer", "increments": [{"minutes": 60, "amount_minor": 300}]}
    draft = act("POST", f"/lots/{lot.id}/tariffs", json=body, status=201)
    act("POST", f"/tariffs/{draft['id']}/publish", json={})

    drafted, published = told()
    assert (drafted["action"], drafted["subject_id"]) == ("tariff.drafted", draft["id"])
    assert drafted["after"]["increments"] == [{"minutes": 60, "amount_minor": 300}]
    assert drafted["after"]["version"] == 2
    assert (published["action"], published["subject_id"]) == ("tariff.published", draft["id"])
    assert published["before"] == {"lot_id": lot.id, "version": 1}
    assert published["after"] == {"lot_id": lot.id, "version": 2}


def test_an_import_is_counted(act: Act, told: Told, admin: User) -> None:
    for dry_run in ("true", "false"):
        act(
            "POST",
            "/lots/import",
            data={"file": (io.BytesIO(CSV.encode()), "city.csv"), "dry_run": dry_run},
            content_type="multipart/form-data",
        )
    (imported,) = told()
    assert (imported["action"], imported["actor"]["id"]) == ("lots.imported", admin.id)
    counts = {"created": 1, "changed": 0, "unchanged": 0, "refused": 1}
    assert imported["after"] == {"file": "city.csv", **counts}


def test_the_command_line_has_no_name(app: Flask, told: Told) -> None:
    with app.app_context():
        import_lots("city.csv", CSV.encode())
    (imported,) = told()
    assert imported["actor"] is None


def test_what_is_refused_changed_nothing(act: Act, told: Told, make: Factory) -> None:
    lot = make.lot()
    act("PATCH", f"/lots/{lot.id}", json={"status": "draft"}, status=409)
    act("PATCH", f"/spots/{make.spots(lot)[0].id}", json={"label": "A02"}, status=409)
    assert told() == []
