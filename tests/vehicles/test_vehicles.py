"""Vehicles of a driver."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.clock import now
from backend.extensions import db
from backend.models import Quote, Reservation, Tariff, Vehicle
from backend.transaction import transaction
from tests.factories import Factory
from tests.races.crowd import rush

URL = "/api/v1/vehicles"

SignInAs = Callable[..., dict[str, str]]


@pytest.fixture
def driver(sign_in_as: SignInAs) -> dict[str, str]:
    return sign_in_as("asha@example.org")


def _add(client: FlaskClient, headers: dict[str, str], plate: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"plate": plate, **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    vehicle: dict[str, Any] = answer.json
    return vehicle


def _list(client: FlaskClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(URL, headers=headers).json["items"]
    return items


def _type(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


def _reserve(app: Flask, make: Factory, vehicle_id: int, **fields: Any) -> None:
    """Put a reservation of the vehicle into the database, without a claim on any bay."""
    lot = make.lot()
    window = {"starts_at": now() + timedelta(hours=1), "ends_at": now() + timedelta(hours=2)}
    with app.app_context(), transaction():
        vehicle = db.session.get_one(Vehicle, vehicle_id)
        quote = Quote(
            lot_id=lot.id,
            tariff_id=db.session.scalars(select(Tariff.id).where(Tariff.lot_id == lot.id)).one(),
            total_minor=200,
            tax_minor=32,
            currency="EUR",
            lines=[],
            taxes=[],
            refund_policy="standard",
            created_at=now(),
            expires_at=now(),
            **window,
        )
        db.session.add(quote)
        db.session.flush()  # gives quote.id
        db.session.add(
            Reservation(
                **{
                    "code": "VV-8F3K-29QX",
                    "user_id": vehicle.user_id,
                    "vehicle_id": vehicle.id,
                    "plate": vehicle.plate,
                    "lot_id": lot.id,
                    "quote_id": quote.id,
                    "status": "confirmed",
                    "live": True,
                    "price_minor": 200,
                    "currency": "EUR",
                    "refund_policy": "standard",
                    "created_at": now(),
                    **window,
                    **fields,
                }
            )
        )


class TestAdd:
    def test_the_first_is_the_default(self, client: FlaskClient, driver: dict[str, str]) -> None:
        first = _add(client, driver, "ka 01-ab 1234", kind="van", height_cm=210, label="Work")
        assert first["plate"] == "KA01AB1234"
        assert first["is_default"] is True
        assert set(first) == {
            "id",
            "plate",
            "kind",
            "electric",
            "height_cm",
            "label",
            "make",
            "model",
            "colour",
            "is_default",
        }
        second = _add(client, driver, "KA02")
        assert (second["kind"], second["electric"], second["is_default"]) == ("car", False, False)

    def test_a_new_default_takes_it_over(self, client: FlaskClient, driver: dict[str, str]) -> None:
        _add(client, driver, "KA01")
        _add(client, driver, "KA02", is_default=True)
        assert [v["is_default"] for v in _list(client, driver)] == [False, True]

    def test_one_plate_is_kept_once_for_a_driver(
        self, client: FlaskClient, driver: dict[str, str], sign_in_as: SignInAs
    ) -> None:
        _add(client, driver, "HD-VV 12")
        answer = client.post(URL, json={"plate": "hd vv12"}, headers=driver)
        assert answer.status_code == 409
        assert _type(answer) == "plate-taken"
        # Families share a car.
        _add(client, sign_in_as("ravi@example.org"), "HD-VV 12")

    def test_there_is_an_end_to_it(self, client: FlaskClient, driver: dict[str, str]) -> None:
        for number in range(50):
            _add(client, driver, f"KA{number:02d}")
        answer = client.post(URL, json={"plate": "KA99"}, headers=driver)
        assert answer.status_code == 409
        assert _type(answer) == "too-many-vehicles"

    def test_firsts_at_the_same_moment_leave_one_default(
        self, app: Flask, client: FlaskClient, driver: dict[str, str]
    ) -> None:
        barrier = threading.Barrier(6)
        codes: list[int] = []

        def run(number: int) -> None:
            one = app.test_client()
            barrier.wait()
            body = {"plate": f"KA{number}", "is_default": True}
            codes.append(one.post(URL, json=body, headers=driver).status_code)

        threads = [threading.Thread(target=run, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [201] * 6
        assert sum(vehicle["is_default"] for vehicle in _list(client, driver)) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("plate", ""),
            ("plate", "A"),
            ("plate", "<script>"),
            ("plate", 7),
            ("kind", "boat"),
            ("electric", "yes"),
            ("electric", 1),
            ("height_cm", 0),
            ("height_cm", "200"),
            ("height_cm", 200.0),
            ("label", "x" * 51),
            ("label", "a\nb"),
            ("user_id", 1),
        ],
    )
    def test_bad_input_is_refused_by_name(
        self, client: FlaskClient, driver: dict[str, str], field: str, value: Any
    ) -> None:
        answer = client.post(URL, json={"plate": "KA01", field: value}, headers=driver)
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == [field]
        assert _list(client, driver) == []


class TestRead:
    def test_pages_follow_each_other(self, client: FlaskClient, driver: dict[str, str]) -> None:
        for number in range(5):
            _add(client, driver, f"KA{number}")
        first = client.get(f"{URL}?limit=3", headers=driver).json
        assert [v["plate"] for v in first["items"]] == ["KA0", "KA1", "KA2"]
        assert first["total"] == 5
        rest = client.get(f"{URL}?limit=3&cursor={first['next_cursor']}", headers=driver).json
        assert [v["plate"] for v in rest["items"]] == ["KA3", "KA4"]
        assert rest["next_cursor"] is None
        assert client.get(f"{URL}?cursor=nonsense", headers=driver).status_code == 422

    def test_another_drivers_vehicle_looks_absent(
        self, client: FlaskClient, driver: dict[str, str], sign_in_as: SignInAs
    ) -> None:
        path = f"{URL}/{_add(client, driver, 'KA01')['id']}"
        ravi = sign_in_as("ravi@example.org", "driver", "admin")
        assert client.get(path, headers=ravi).status_code == 404
        assert client.patch(path, json={"label": "mine"}, headers=ravi).status_code == 404
        assert client.delete(path, headers=ravi).status_code == 404
        assert _list(client, ravi) == []
        assert client.get(path, headers=driver).json["label"] == ""

    def test_only_drivers_have_vehicles(self, client: FlaskClient, sign_in_as: SignInAs) -> None:
        assert client.get(URL).status_code == 401
        attendant = sign_in_as("gate@example.org", "attendant")
        assert client.get(URL, headers=attendant).status_code == 403
        assert client.post(URL, json={"plate": "KA01"}, headers=attendant).status_code == 403


class TestChange:
    def test_what_is_named_changes(self, client: FlaskClient, driver: dict[str, str]) -> None:
        vehicle = _add(client, driver, "KA01", height_cm=150)
        path = f"{URL}/{vehicle['id']}"
        changes = {"plate": "ka-02", "electric": True, "height_cm": None, "colour": "blue"}
        answer = client.patch(path, json=changes, headers=driver)
        assert answer.status_code == 200
        assert answer.json == {**vehicle, **changes, "plate": "KA02"}
        assert client.get(path, headers=driver).json == answer.json

    def test_the_default_moves(self, client: FlaskClient, driver: dict[str, str]) -> None:
        first, second = _add(client, driver, "KA01"), _add(client, driver, "KA02")
        answer = client.patch(f"{URL}/{second['id']}", json={"is_default": True}, headers=driver)
        assert answer.json["is_default"] is True
        assert [v["is_default"] for v in _list(client, driver)] == [False, True]
        answer = client.patch(f"{URL}/{second['id']}", json={"is_default": False}, headers=driver)
        assert answer.status_code == 422
        answer = client.patch(f"{URL}/{first['id']}", json={"is_default": False}, headers=driver)
        assert answer.status_code == 200

    def test_a_plate_of_another_vehicle_is_refused(
        self, client: FlaskClient, driver: dict[str, str]
    ) -> None:
        _add(client, driver, "KA01")
        second = _add(client, driver, "KA02")
        answer = client.patch(f"{URL}/{second['id']}", json={"plate": "ka 01"}, headers=driver)
        assert answer.status_code == 409
        assert _type(answer) == "plate-taken"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("plate", "KA02"),
            ("kind", "motorcycle"),
            ("electric", True),
            ("height_cm", 260),
            ("height_cm", None),
        ],
    )
    def test_what_a_bay_was_chosen_by_stays_while_a_booking_stands(
        self,
        app: Flask,
        make: Factory,
        client: FlaskClient,
        driver: dict[str, str],
        field: str,
        value: Any,
    ) -> None:
        vehicle = _add(client, driver, "KA01", height_cm=150)
        _reserve(app, make, vehicle["id"])
        path = f"{URL}/{vehicle['id']}"
        answer = client.patch(path, json={field: value, "label": "Work"}, headers=driver)
        assert answer.status_code == 409
        assert _type(answer) == "vehicle-in-use"
        assert answer.json["fields"] == [field]
        assert client.get(path, headers=driver).json == vehicle
        changes = {
            **{name: vehicle[name] for name in ("kind", "electric", "height_cm")},
            "plate": "ka 01",
            "label": "Work",
        }
        assert client.patch(path, json=changes, headers=driver).status_code == 200

    def test_a_stale_change_is_refused(self, client: FlaskClient, driver: dict[str, str]) -> None:
        path = f"{URL}/{_add(client, driver, 'KA01')['id']}"
        headers = {**driver, "If-Match": client.get(path, headers=driver).headers["ETag"]}
        assert client.patch(path, json={"label": "One"}, headers=headers).status_code == 200
        assert client.patch(path, json={"label": "Two"}, headers=headers).status_code == 412
        assert client.delete(path, headers=headers).status_code == 412


def test_the_same_key_adds_one_vehicle(client: FlaskClient, driver: dict[str, str]) -> None:
    keyed = driver | {"Idempotency-Key": "k"}
    first = _add(client, keyed, "KA01")
    client.patch(f"{URL}/{first['id']}", json={"label": "Ours"}, headers=driver)
    assert _add(client, keyed, "KA01") == first
    assert len(_list(client, driver)) == 1


class TestDelete:
    def test_it_is_gone_and_its_plate_free(
        self, client: FlaskClient, driver: dict[str, str]
    ) -> None:
        vehicle = _add(client, driver, "KA01")
        path = f"{URL}/{vehicle['id']}"
        assert client.delete(path, headers=driver).status_code == 204
        assert client.get(path, headers=driver).status_code == 404
        assert client.delete(path, headers=driver).status_code == 404
        assert _add(client, driver, "KA01")["id"] != vehicle["id"]

    def test_the_default_moves_on(self, client: FlaskClient, driver: dict[str, str]) -> None:
        first = _add(client, driver, "KA01")
        _add(client, driver, "KA02")
        _add(client, driver, "KA03")
        client.delete(f"{URL}/{first['id']}", headers=driver)
        assert [v["is_default"] for v in _list(client, driver)] == [True, False]

    @pytest.mark.parametrize("status", ["confirmed", "checked_in", "overstayed", "held"])
    def test_a_live_booking_keeps_it(
        self, app: Flask, make: Factory, client: FlaskClient, driver: dict[str, str], status: str
    ) -> None:
        vehicle = _add(client, driver, "KA01")
        deadline = now() + timedelta(minutes=5)
        _reserve(app, make, vehicle["id"], status=status, hold_expires_at=deadline)
        answer = client.delete(f"{URL}/{vehicle['id']}", headers=driver)
        assert answer.status_code == 409
        assert _type(answer) == "vehicle-in-use"

    @pytest.mark.parametrize(
        ("status", "live"), [("held", True), ("expired", False), ("completed", False)]
    )
    def test_a_booking_that_is_over_does_not(
        self,
        app: Flask,
        make: Factory,
        client: FlaskClient,
        driver: dict[str, str],
        status: str,
        live: bool,
    ) -> None:
        vehicle = _add(client, driver, "KA01")
        deadline = now() - timedelta(seconds=1)
        _reserve(app, make, vehicle["id"], status=status, live=live, hold_expires_at=deadline)
        assert client.delete(f"{URL}/{vehicle['id']}", headers=driver).status_code == 204


def test_of_changes_that_name_one_state_one_wins(
    app: Flask, client: FlaskClient, driver: dict[str, str]
) -> None:
    for path in (f"{URL}/{_add(client, driver, 'KA 01 AB 1234')['id']}", "/api/v1/me"):
        field = "name" if path.endswith("/me") else "label"
        named = driver | {"If-Match": client.get(path, headers=driver).headers["ETag"]}
        calls = [
            partial(app.test_client().patch, path, json={field: f"Nr {number}"}, headers=named)
            for number in range(6)
        ]
        statuses = sorted(answer.status_code for answer in rush(calls))
        assert statuses == [200, *[412] * 5], path
