"""Lots over HTTP: what admins do to them, and what everybody may read."""

from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.models import Lot
from backend.web import operation
from tests.factories import Factory, tomorrow_at
from tests.lots.conftest import Book
from tests.races.crowd import rush

Headers = dict[str, str]

TURNS, RIVALS = 4, 6

ALTMARKT: dict[str, Any] = {
    "name": "Altmarkt",
    "address": "Wilsdruffer Straße 1",
    "city": "Dresden",
    "lat": 51.0506,
    "lng": 13.7417,
}


def create(client: FlaskClient, as_admin: Headers, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/lots", json={**ALTMARKT, **changes}, headers=as_admin)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def patch(client: FlaskClient, as_admin: Headers, lot_id: int, **changes: Any) -> Any:
    return client.patch(f"/api/v1/lots/{lot_id}", json=changes, headers=as_admin)


class TestCreate:
    def test_a_lot_is_a_draft_in_the_zone_of_its_point(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        made = create(client, as_admin)
        assert made.pop("id") > 0
        assert len(made.pop("opening_hours_by_day")) == 7
        assert made == {
            **ALTMARKT,
            "timezone": "Europe/Berlin",
            "status": "draft",
            "opening_hours": "24/7",
            "height_limit_cm": None,
            "amenities": [],
            "refund_policy": "standard",
            "entry_minutes": 15,
            "entry_minutes_long": 120,
            "grace_minutes": 10,
            "refunds_early_exit": False,
            "allows_reentry": False,
            "allows_self_check_in": False,
            "capacity": 0,
            "capacity_by_kind": {},
            "levels": [],
            "tariff": None,
            "rating": None,
            "review_count": 0,
        }

    def test_every_fact_is_kept(self, client: FlaskClient, as_admin: Headers) -> None:
        made = create(
            client,
            as_admin,
            timezone="Asia/Kolkata",
            status="open",
            opening_hours="mo-fr 7:00-20:30",
            height_limit_cm=210,
            amenities=["Video", "covered", "video"],
            refund_policy="flexible",
        )
        assert made["timezone"] == "Asia/Kolkata"
        assert made["status"] == "open"
        assert made["opening_hours"] == "Mo-Fr 07:00-20:30"
        assert made["opening_hours_by_day"][0] == {
            "day": "Mo",
            "ranges": [{"opens": "07:00", "closes": "20:30"}],
        }
        assert made["opening_hours_by_day"][6]["ranges"] == []
        assert made["amenities"] == ["covered", "video"]
        assert made["refund_policy"] == "flexible"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("timezone", "Europe/Atlantis"),
            ("opening_hours", "always"),
            ("status", "archived"),
            ("lat", 91),
            ("lng", "13.7"),
            ("height_limit_cm", 20),
            ("name", " "),
            ("owner", "me"),
        ],
    )
    def test_a_wrong_fact_is_refused(
        self, client: FlaskClient, as_admin: Headers, field: str, value: Any
    ) -> None:
        answer = client.post("/api/v1/lots", json={**ALTMARKT, field: value}, headers=as_admin)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]

    def test_drivers_and_strangers_may_not(self, client: FlaskClient, as_driver: Headers) -> None:
        assert client.post("/api/v1/lots", json=ALTMARKT, headers=as_driver).status_code == 403
        assert client.post("/api/v1/lots", json=ALTMARKT).status_code == 401

    def test_the_same_key_makes_one_lot(self, client: FlaskClient, as_admin: Headers) -> None:
        headers = {**as_admin, "Idempotency-Key": "one"}
        first = client.post("/api/v1/lots", json=ALTMARKT, headers=headers)
        patch(client, as_admin, first.json["id"], name="Renamed")
        second = client.post("/api/v1/lots", json=ALTMARKT, headers=headers)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json == second.json


class TestRead:
    def test_everybody_reads_an_open_lot(self, client: FlaskClient, make: Factory) -> None:
        lot = make.lot(spots=2, amenities=["covered"])
        answer = client.get(f"/api/v1/lots/{lot.id}")
        assert answer.status_code == 200
        assert answer.json["capacity_by_kind"] == {"standard": 2}
        assert answer.json["levels"] == ["0"]
        assert answer.json["amenities"] == ["covered"]
        assert answer.json["tariff"]["increments"] == [{"minutes": 60, "amount_minor": 200}]
        again = client.get(
            f"/api/v1/lots/{lot.id}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == 304

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_hidden_lots_are_there_for_admins_alone(
        self,
        client: FlaskClient,
        make: Factory,
        as_driver: Headers,
        as_admin: Headers,
        status: str,
    ) -> None:
        path = f"/api/v1/lots/{make.lot(status=status).id}"
        assert client.get(path).status_code == 404
        assert client.get(path, headers=as_driver).status_code == 404
        assert client.get(f"{path}/spots").status_code == 404
        assert client.get(path, headers=as_admin).json["status"] == status
        assert client.get(f"{path}/spots", headers=as_admin).json["items"][0]["state"] == "blocked"

    def test_an_unknown_lot_is_not_found(self, client: FlaskClient) -> None:
        for part in ("999", "0", "07", "7.0", "seven"):
            assert client.get(f"/api/v1/lots/{part}").status_code == 404


class TestChange:
    def test_facts_change_and_the_rest_stays(self, client: FlaskClient, as_admin: Headers) -> None:
        made = create(client, as_admin, height_limit_cm=200, amenities=["covered", "video"])
        answer = patch(
            client,
            as_admin,
            made["id"],
            name="Neumarkt",
            height_limit_cm=None,
            amenities=["lighting", "video"],
            opening_hours="Mo-Sa 06:00-22:00",
        )
        assert answer.status_code == 200
        assert answer.json["name"] == "Neumarkt"
        assert answer.json["height_limit_cm"] is None
        assert answer.json["amenities"] == ["lighting", "video"]
        assert answer.json["address"] == made["address"]
        assert client.get(f"/api/v1/lots/{made['id']}", headers=as_admin).json == answer.json

    def test_a_renamed_lot_is_found_by_its_new_name(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        made = create(client, as_admin, status="open")
        patch(client, as_admin, made["id"], name="Große Ausstellung")
        assert client.get("/api/v1/lots?q=altmarkt").json["total"] == 0
        assert client.get("/api/v1/lots?q=grosse").json["total"] == 1

    def test_a_draft_opens_and_never_is_a_draft_again(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        lot_id = create(client, as_admin)["id"]
        assert patch(client, as_admin, lot_id, status="closed").status_code == 409
        assert patch(client, as_admin, lot_id, status="draft").status_code == 200
        assert patch(client, as_admin, lot_id, status="open").json["status"] == "open"
        refused = patch(client, as_admin, lot_id, status="draft")
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/illegal-transition"
        assert refused.json["status_now"] == "open"
        assert patch(client, as_admin, lot_id, status="archived").status_code == 422

    def test_the_time_zone_stays_while_bookings_stand(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot = make.lot()
        book(make.spots(lot)[0], tomorrow_at(10), tomorrow_at(12))
        refused = patch(client, as_admin, lot.id, timezone="Asia/Kolkata")
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/lot-in-use"
        assert refused.json["total"] == 1
        assert patch(client, as_admin, lot.id, timezone="Europe/Berlin").status_code == 200

    def test_the_time_zone_goes_where_the_point_goes_unless_it_was_given(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        bengaluru = {"lat": 12.97, "lng": 77.59}
        lot_id = create(client, as_admin)["id"]
        assert patch(client, as_admin, lot_id, **bengaluru).json["timezone"] == "Asia/Kolkata"
        lot_id = create(client, as_admin, timezone="UTC")["id"]
        assert patch(client, as_admin, lot_id, **bengaluru).json["timezone"] == "UTC"

    def test_a_change_made_for_an_older_state_is_refused(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot()
        tag = client.get(f"/api/v1/lots/{lot.id}", headers=as_admin).headers["ETag"]
        headers = {**as_admin, "If-Match": tag}
        path = f"/api/v1/lots/{lot.id}"
        assert client.patch(path, json={"name": "A"}, headers=headers).status_code == 200
        assert client.patch(path, json={"name": "B"}, headers=headers).status_code == 412
        assert client.delete(path, headers=headers).status_code == 412

    def test_an_unknown_lot_cannot_change(self, client: FlaskClient, as_admin: Headers) -> None:
        assert patch(client, as_admin, 999, name="A").status_code == 404
        assert client.delete("/api/v1/lots/999", headers=as_admin).status_code == 404


class TestArchive:
    @pytest.mark.parametrize("status", ["open", "draft"])
    def test_a_lot_without_bookings_is_archived_for_good(
        self, client: FlaskClient, as_admin: Headers, make: Factory, status: str
    ) -> None:
        lot = make.lot(status=status)
        path = f"/api/v1/lots/{lot.id}"
        assert client.delete(path, headers=as_admin).status_code == 204
        assert client.delete(path, headers=as_admin).status_code == 204
        assert client.get(path).status_code == 404
        assert client.get(path, headers=as_admin).json["status"] == "archived"
        refused = patch(client, as_admin, lot.id, status="open")
        assert refused.json["type"] == "/problems/illegal-transition"
        more = {"prefix": "B", "from": 1, "to": 2, "kind": "standard"}
        assert client.post(f"{path}/spots", json=more, headers=as_admin).status_code == 409

    def test_bookings_that_stand_are_listed(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot: Lot = make.lot()
        reservation_id = book(make.spots(lot)[1], tomorrow_at(10), tomorrow_at(12))
        refused = client.delete(f"/api/v1/lots/{lot.id}", headers=as_admin)
        assert refused.status_code == 409
        assert refused.json["total"] == 1
        (listed,) = refused.json["reservations"]
        assert listed["id"] == reservation_id
        assert listed["spot"] == "A02"
        assert listed["starts_at"].endswith("T10:00:00Z")
        assert client.get(f"/api/v1/lots/{lot.id}").json["status"] == "open"


class TestLostUpdates:
    """Of those who read one state and change it at once, one wins and the others are told."""

    def test_one_of_many_changes_of_a_lot(
        self, app: Flask, make: Factory, as_admin: Headers
    ) -> None:
        path = f"/api/v1/lots/{make.lot().id}"
        for turn in range(TURNS):
            bodies = [{"city": f"City {turn} {number}"} for number in range(RIVALS)]
            assert change_at_once(app, path, bodies, as_admin) == [200, *[412] * (RIVALS - 1)]

    def test_one_of_many_changes_of_what_hangs_on_a_lot(
        self, app: Flask, make: Factory, as_admin: Headers
    ) -> None:
        path = f"/api/v1/lots/{make.lot().id}"
        for turn in range(TURNS):
            bodies = [{"amenities": [f"sort {turn} {number}"]} for number in range(RIVALS)]
            assert change_at_once(app, path, bodies, as_admin) == [200, *[412] * (RIVALS - 1)]

    def test_one_of_many_changes_of_a_bay(
        self, app: Flask, make: Factory, as_admin: Headers
    ) -> None:
        path = f"/api/v1/spots/{make.spots(make.lot())[0].id}"
        for turn in range(TURNS):
            bodies = [{"label": f"L{turn}-{number}"} for number in range(RIVALS)]
            assert change_at_once(app, path, bodies, as_admin) == [200, *[412] * (RIVALS - 1)]

    def test_of_a_change_and_a_deletion_one_wins(
        self, app: Flask, make: Factory, as_admin: Headers
    ) -> None:
        path = f"/api/v1/lots/{make.lot(status='draft').id}"
        named = as_admin | {"If-Match": tag_of(app, path, as_admin)}
        calls = [
            partial(app.test_client().patch, path, json={"city": "Elsewhere"}, headers=named),
            partial(app.test_client().delete, path, headers=named),
        ]
        statuses = [answer.status_code for answer in rush(calls)]
        assert statuses in ([200, 412], [412, 204], [404, 204])

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session")
    def test_without_turns_a_change_is_lost(
        self, app: Flask, make: Factory, as_admin: Headers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both_looked = Barrier(2)
        look = operation._check_precondition

        def look_together(*arguments: Any) -> None:
            look(*arguments)
            both_looked.wait(10)

        monkeypatch.setattr(operation, "lock_name", lambda _name: None)
        monkeypatch.setattr(operation, "_check_precondition", look_together)
        path = f"/api/v1/lots/{make.lot().id}"
        bodies = [{"city": "Here"}, {"city": "There"}]
        assert change_at_once(app, path, bodies, as_admin) == [200, 200]


def tag_of(app: Flask, path: str, headers: Headers) -> str:
    return str(app.test_client().get(path, headers=headers).headers["ETag"])


def change_at_once(
    app: Flask, path: str, bodies: list[dict[str, Any]], headers: Headers
) -> list[int]:
    """Send all changes at one moment, all naming the same state; give the statuses in order of size."""
    named = headers | {"If-Match": tag_of(app, path, headers)}
    calls = [partial(app.test_client().patch, path, json=body, headers=named) for body in bodies]
    return sorted(answer.status_code for answer in rush(calls))
