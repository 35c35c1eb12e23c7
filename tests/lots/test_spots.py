"""Bays over HTTP: laid out in bulk, changed, and shown with their state."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend import clock
from backend.models import User
from tests.conftest import Statements
from tests.factories import Factory, tomorrow_at
from tests.lots.conftest import Book

Headers = dict[str, str]


def add(client: FlaskClient, as_admin: Headers, lot_id: int, **changes: Any) -> Any:
    body = {"prefix": "B", "from": 1, "to": 3, "kind": "standard", **changes}
    return client.post(f"/api/v1/lots/{lot_id}/spots", json=body, headers=as_admin)


def states(client: FlaskClient, lot_id: int, headers: Headers | None = None, **query: Any) -> Any:
    window = {
        "starts_at": tomorrow_at(10).isoformat(),
        "ends_at": tomorrow_at(12).isoformat(),
        **query,
    }
    answer = client.get(f"/api/v1/lots/{lot_id}/spots", query_string=window, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return answer.json["items"]


class TestAdd:
    def test_bays_are_laid_out_in_bulk(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=0)
        answer = add(client, as_admin, lot.id, prefix="E", to=12, kind="electric", level="B1")
        assert answer.status_code == 201
        items = answer.json["items"]
        assert [each["label"] for each in items] == [f"E{n:02}" for n in range(1, 13)]
        assert {(each["lot_id"], each["kind"], each["level"]) for each in items} == {
            (lot.id, "electric", "B1")
        }
        detail = client.get(f"/api/v1/lots/{lot.id}").json
        assert detail["capacity_by_kind"] == {"electric": 12}
        assert detail["levels"] == ["B1"]

    def test_more_bays_lie_below_those_of_the_level(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=0)
        first = add(client, as_admin, lot.id).json["items"]
        second = add(client, as_admin, lot.id, prefix="C").json["items"]
        assert {each["y"] for each in first}.isdisjoint(each["y"] for each in second)

    def test_two_thousand_bays_are_the_most_at_once(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=0)
        assert list(add(client, as_admin, lot.id, to=2001).json["errors"]) == ["to"]
        assert len(add(client, as_admin, lot.id, to=2000).json["items"]) == 2000

    def test_labels_that_are_taken_are_named_and_nothing_is_added(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        refused = add(client, as_admin, lot.id, prefix="A", **{"from": 2, "to": 4})
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/label-taken"
        assert refused.json["labels"] == ["A02"]
        assert client.get(f"/api/v1/lots/{lot.id}").json["capacity"] == 2

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"from": 5, "to": 4}, "to"),
            ({"from": -1}, "from"),
            ({"to": "3"}, "to"),
            ({"to": 3.0}, "to"),
            ({"kind": "helipad"}, "kind"),
            ({"first": 1}, "first"),
        ],
    )
    def test_a_wrong_field_is_refused(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        changes: dict[str, Any],
        field: str,
    ) -> None:
        refused = add(client, as_admin, make.lot().id, **changes)
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == [field]

    def test_the_same_key_adds_once(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        headers = {**as_admin, "Idempotency-Key": "k"}
        first = add(client, headers, lot.id)
        path = f"/api/v1/spots/{first.json['items'][1]['id']}"
        client.patch(path, json={"label": "X", "level": "7", "y": 90}, headers=as_admin)
        second = add(client, headers, lot.id)
        assert second.status_code == 201
        assert first.json == second.json
        assert client.get(f"/api/v1/lots/{lot.id}").json["capacity"] == 4

    def test_a_lot_holds_twenty_thousand_at_most(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("backend.lots.bays.MOST_BAYS", 5)
        lot = make.lot(spots=3)
        assert add(client, as_admin, lot.id).status_code == 422
        assert add(client, as_admin, lot.id, to=2).status_code == 201

    def test_only_admins_may(
        self, client: FlaskClient, as_driver: Headers, as_admin: Headers, make: Factory
    ) -> None:
        assert add(client, as_driver, make.lot().id).status_code == 403
        assert add(client, as_admin, 999).status_code == 404


class TestList:
    def test_each_bay_has_its_state_for_the_window(
        self,
        client: FlaskClient,
        make: Factory,
        driver: User,
        as_driver: Headers,
        as_admin: Headers,
        book: Book,
    ) -> None:
        lot = make.lot(spots=4)
        spots = make.spots(lot)
        mine = book(spots[0], tomorrow_at(9), tomorrow_at(11), user=driver)
        book(spots[1], tomorrow_at(11), tomorrow_at(13))
        closed = client.patch(
            f"/api/v1/spots/{spots[2].id}", json={"in_service": False}, headers=as_admin
        )
        assert closed.status_code == 200, closed.text

        told = states(client, lot.id)
        assert [each["state"] for each in told] == ["taken", "taken", "blocked", "free"]
        assert [each["available"] for each in told] == [False, False, False, True]
        assert {each["reservation"] for each in told} == {None}

        told = states(client, lot.id, as_driver)
        assert [each["state"] for each in told] == ["mine", "taken", "blocked", "free"]
        assert {each["reservation"] for each in told} == {None}

        told = states(client, lot.id, as_admin)
        assert told[0]["reservation"]["id"] == mine
        assert told[0]["reservation"]["plate"].startswith("DDAB")
        assert told[3]["reservation"] is None

    def test_windows_that_touch_do_not_collide(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=1)
        book(make.spots(lot)[0], tomorrow_at(8), tomorrow_at(10))
        book(make.spots(lot)[0], tomorrow_at(12), tomorrow_at(13))
        assert states(client, lot.id)[0]["state"] == "free"

    def test_a_hold_past_its_deadline_blocks_nobody(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=2)
        for spot, seconds in zip(make.spots(lot), (-1, 60), strict=True):
            deadline = clock.now() + timedelta(seconds=seconds)
            book(spot, tomorrow_at(10), tomorrow_at(12), held_until=deadline)
        assert [each["state"] for each in states(client, lot.id)] == ["free", "taken"]

    def test_level_and_kind_choose(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        add(client, as_admin, lot.id, level="1", kind="large")
        assert len(states(client, lot.id)) == 5
        assert len(states(client, lot.id, level="1")) == 3
        assert len(states(client, lot.id, kind="standard")) == 2
        assert states(client, lot.id, level="1", kind="standard") == []

    def test_outside_opening_hours_every_bay_is_blocked(
        self, client: FlaskClient, make: Factory
    ) -> None:
        lot = make.lot(spots=1, opening_hours="Mo-Su 01:00-02:00")
        assert states(client, lot.id)[0]["state"] == "blocked"

    @pytest.mark.parametrize(
        ("window", "field"),
        [
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
            ({"starts_at": "2020-01-01T00:00:00Z"}, "starts_at"),
            ({"starts_at": "2030-01-01T00:00:00"}, "starts_at"),
        ],
    )
    def test_a_window_nobody_may_book_is_refused(
        self, client: FlaskClient, make: Factory, window: dict[str, str], field: str
    ) -> None:
        refused = client.get(f"/api/v1/lots/{make.lot().id}/spots", query_string=window)
        assert refused.status_code == 422
        assert field in refused.json["errors"]

    def test_a_whole_lot_takes_a_handful_of_queries(
        self, client: FlaskClient, as_admin: Headers, make: Factory, statements: Statements
    ) -> None:
        lot = make.lot(spots=1)
        with statements() as few:
            states(client, lot.id)
        add(client, as_admin, lot.id, to=500)
        with statements() as many:
            assert len(states(client, lot.id)) == 501
        assert len(many) == len(few) <= 3


class TestChange:
    def test_facts_of_a_bay_change(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        spot = make.spots(make.lot())[0]
        path = f"/api/v1/spots/{spot.id}"
        changes = {"label": "X1", "level": "2", "kind": "large", "x": 1.5, "y": 7, "rotation": 90}
        answer = client.patch(path, json=changes, headers=as_admin)
        assert answer.status_code == 200
        assert changes.items() <= answer.json.items()
        assert answer.json["in_service"] is True
        assert client.get(path, headers=as_admin).json == answer.json

    def test_a_label_is_unique_in_its_lot(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        first, second, _ = make.spots(make.lot())
        path = f"/api/v1/spots/{first.id}"
        refused = client.patch(path, json={"label": second.label}, headers=as_admin)
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/label-taken"
        both = {"label": second.label, "in_service": False}
        assert client.patch(path, json=both, headers=as_admin).json["type"] == refused.json["type"]
        kept = client.patch(path, json={"label": first.label}, headers=as_admin)
        assert kept.status_code == 200
        assert kept.json["in_service"] is True

    def test_the_kind_stays_while_bookings_stand(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        spot = make.spots(make.lot())[0]
        book(spot, tomorrow_at(10), tomorrow_at(12))
        path = f"/api/v1/spots/{spot.id}"
        refused = client.patch(path, json={"kind": "large"}, headers=as_admin)
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/spot-in-use"
        assert refused.json["reservations"][0]["spot"] == spot.label
        same = client.patch(path, json={"kind": "standard", "rotation": 45}, headers=as_admin)
        assert same.status_code == 200

    def test_only_admins_may(
        self, client: FlaskClient, as_driver: Headers, as_admin: Headers, make: Factory
    ) -> None:
        path = f"/api/v1/spots/{make.spots(make.lot())[0].id}"
        assert client.get(path, headers=as_driver).status_code == 403
        assert client.patch(path, json={"label": "Z"}, headers=as_driver).status_code == 403
        assert client.get("/api/v1/spots/999", headers=as_admin).status_code == 404
        unknown = client.patch("/api/v1/spots/999", json={"label": "Z"}, headers=as_admin)
        assert unknown.status_code == 404
