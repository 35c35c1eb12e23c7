"""Closing lots and bays: never over a booking, and never under one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import clock
from backend.extensions import db
from backend.models import Reservation, Spot, SpotClaim
from backend.transaction import transaction
from tests.factories import Factory, tomorrow_at
from tests.lots.conftest import Book

Headers = dict[str, str]


def set_status(client: FlaskClient, as_admin: Headers, lot_id: int, status: str) -> Any:
    return client.patch(f"/api/v1/lots/{lot_id}", json={"status": status}, headers=as_admin)


def set_service(client: FlaskClient, as_admin: Headers, spot: Spot, **changes: Any) -> Any:
    return client.patch(f"/api/v1/spots/{spot.id}", json=changes, headers=as_admin)


def free(client: FlaskClient, lot_id: int, hour: int = 10) -> list[str]:
    window = {
        "starts_at": tomorrow_at(hour).isoformat(),
        "ends_at": tomorrow_at(hour + 2).isoformat(),
    }
    items = client.get(f"/api/v1/lots/{lot_id}/spots", query_string=window).json["items"]
    return [each["label"] for each in items if each["state"] == "free"]


class TestLot:
    def test_a_closed_lot_takes_no_booking_until_it_opens_again(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=2)
        spot = make.spots(lot)[0]
        assert set_status(client, as_admin, lot.id, "closed").json["status"] == "closed"
        assert set_status(client, as_admin, lot.id, "closed").status_code == 200
        assert free(client, lot.id) == []
        assert book(spot, tomorrow_at(10), tomorrow_at(12)) is None
        assert set_status(client, as_admin, lot.id, "open").status_code == 200
        assert free(client, lot.id) == ["A01", "A02"]
        assert book(spot, tomorrow_at(10), tomorrow_at(12)) is not None

    def test_it_does_not_close_while_bookings_stand(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=2)
        spots = make.spots(lot)
        later = book(spots[0], tomorrow_at(14), tomorrow_at(15))
        sooner = book(spots[1], tomorrow_at(10), tomorrow_at(12))
        refused = set_status(client, as_admin, lot.id, "closed")
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/lot-in-use"
        assert [each["id"] for each in refused.json["reservations"]] == [sooner, later]
        assert client.get(f"/api/v1/lots/{lot.id}").json["status"] == "open"
        assert free(client, lot.id) == ["A01"]

    def test_a_stale_hold_is_not_in_the_way(
        self, app: Flask, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=1)
        deadline = clock.now() - timedelta(seconds=1)
        held = book(make.spots(lot)[0], tomorrow_at(10), tomorrow_at(12), held_until=deadline)
        assert set_status(client, as_admin, lot.id, "closed").status_code == 200
        with app.app_context(), transaction(read_only=True):
            assert db.session.get_one(Reservation, held).status == "expired"

    def test_bays_that_are_added_meanwhile_are_closed_too(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=1)
        set_status(client, as_admin, lot.id, "closed")
        body = {"prefix": "B", "from": 1, "to": 2, "kind": "standard"}
        client.post(f"/api/v1/lots/{lot.id}/spots", json=body, headers=as_admin)
        assert book(make.spots(lot)[2], tomorrow_at(10), tomorrow_at(12)) is None
        set_status(client, as_admin, lot.id, "open")
        assert free(client, lot.id) == ["A01", "B01", "B02"]

    def test_a_lot_may_be_made_closed(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        body = {
            "name": "A",
            "address": "B",
            "city": "C",
            "lat": 1.0,
            "lng": 2.0,
            "status": "closed",
        }
        made = client.post("/api/v1/lots", json=body, headers=as_admin).json
        client.post(
            f"/api/v1/lots/{made['id']}/spots",
            json={"prefix": "", "from": 1, "to": 1, "kind": "standard"},
            headers=as_admin,
        )
        set_status(client, as_admin, made["id"], "open")
        assert free(client, made["id"]) == ["01"]

    def test_a_bay_closed_by_itself_stays_closed_when_its_lot_opens(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        set_service(client, as_admin, make.spots(lot)[0], in_service=False)
        set_status(client, as_admin, lot.id, "closed")
        set_status(client, as_admin, lot.id, "open")
        assert free(client, lot.id) == ["A02"]

    def test_a_closed_lot_is_archived(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot()
        set_status(client, as_admin, lot.id, "closed")
        assert client.delete(f"/api/v1/lots/{lot.id}", headers=as_admin).status_code == 204


class TestSpot:
    def test_a_bay_is_out_of_service_until_it_is_put_back(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        spot = make.spots(lot)[0]
        closed = set_service(client, as_admin, spot, in_service=False, reason="Broken lamp")
        assert closed.json["in_service"] is False
        (closure,) = closed.json["closures"]
        assert closure["reason"] == "Broken lamp"
        assert closure["ends_at"].startswith("9999-")
        assert free(client, lot.id) == ["A02"]
        back = set_service(client, as_admin, spot, in_service=True)
        assert back.json["in_service"] is True
        assert back.json["closures"] == []
        assert free(client, lot.id) == ["A01", "A02"]

    def test_it_may_be_closed_for_dates_only(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        planned = set_service(
            client,
            as_admin,
            make.spots(lot)[0],
            in_service=False,
            out_of_service_from=tomorrow_at(12).isoformat(),
            out_of_service_until=tomorrow_at(18).isoformat(),
        )
        assert planned.json["in_service"] is True
        assert len(planned.json["closures"]) == 1
        assert free(client, lot.id, hour=10) == ["A01"]
        assert free(client, lot.id, hour=11) == []
        assert free(client, lot.id, hour=18) == ["A01"]

    def test_admins_see_which_bays_of_a_lot_are_closed_whether_it_is_open_or_not(
        self, client: FlaskClient, as_admin: Headers, as_driver: Headers, make: Factory
    ) -> None:
        lot = make.lot(spots=3)
        first, second, third = make.spots(lot)
        set_service(client, as_admin, second, in_service=False, reason="Broken lamp")
        planned = {
            "out_of_service_from": tomorrow_at(12).isoformat(),
            "out_of_service_until": tomorrow_at(18).isoformat(),
        }
        set_service(client, as_admin, first, in_service=False, **planned)
        set_service(client, as_admin, third, in_service=False)
        set_service(client, as_admin, third, in_service=True)
        set_status(client, as_admin, lot.id, "closed")
        path = f"/api/v1/lots/{lot.id}/closures"
        listed = client.get(path, headers=as_admin).json["items"]
        assert [(each["spot_id"], each["reason"]) for each in listed] == [
            (first.id, "Out of service."),
            (second.id, "Broken lamp"),
        ]
        assert client.get(path, headers=as_driver).status_code == 403
        assert client.get("/api/v1/lots/999/closures", headers=as_admin).status_code == 404

    def test_a_new_closing_takes_the_place_of_one_it_overlaps(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        spot = make.spots(make.lot(spots=1))[0]
        for _ in range(3):
            answer = set_service(client, as_admin, spot, in_service=False)
        assert len(answer.json["closures"]) == 1

    def test_bookings_in_the_window_are_listed_and_others_are_not_in_the_way(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        spot = make.spots(make.lot(spots=1))[0]
        reservation_id = book(spot, tomorrow_at(10), tomorrow_at(12))
        refused = set_service(client, as_admin, spot, in_service=False)
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/spot-in-use"
        assert [each["id"] for each in refused.json["reservations"]] == [reservation_id]
        later = set_service(
            client,
            as_admin,
            spot,
            in_service=False,
            out_of_service_from=tomorrow_at(12).isoformat(),
        )
        assert later.status_code == 200

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"reason": "No lamp"}, "in_service"),
            ({"in_service": True, "out_of_service_until": "2090-01-01T00:00:00Z"}, "in_service"),
            (
                {"in_service": False, "out_of_service_until": "2020-01-01T00:00:00Z"},
                "out_of_service_until",
            ),
        ],
    )
    def test_a_closing_that_makes_no_sense_is_refused(
        self,
        client: FlaskClient,
        as_admin: Headers,
        make: Factory,
        changes: dict[str, Any],
        field: str,
    ) -> None:
        refused = set_service(client, as_admin, make.spots(make.lot())[0], **changes)
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == [field]


class TestRace:
    """P1: the constraint decides between a closing and a booking of one moment."""

    def test_of_closing_a_bay_and_booking_it_exactly_one_wins(
        self, app: Flask, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        for spot in make.spots(make.lot(spots=6)):
            closed, booked = race(app, book, spot, partial(close_spot, as_admin, spot))
            assert closed != booked
            assert live_claims(app, spot) == ["closure" if closed else "reservation"]

    def test_of_closing_a_lot_and_booking_in_it_exactly_one_wins(
        self, app: Flask, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        for _ in range(6):
            spot = make.spots(make.lot(spots=3))[1]
            closed, booked = race(app, book, spot, partial(close_lot, as_admin, spot))
            assert closed != booked
            assert live_claims(app, spot) == ["closure" if closed else "reservation"]

    def test_without_the_guard_both_win(
        self, app: Flask, as_admin: Headers, make: Factory, book: Book, without_guard: None
    ) -> None:
        spot = make.spots(make.lot(spots=1))[0]
        closed, booked = race(app, book, spot, partial(close_spot, as_admin, spot))
        assert closed
        assert booked
        assert live_claims(app, spot) == ["closure", "reservation"]


def close_spot(as_admin: Headers, spot: Spot, client: FlaskClient) -> Any:
    return set_service(client, as_admin, spot, in_service=False)


def close_lot(as_admin: Headers, spot: Spot, client: FlaskClient) -> Any:
    return set_status(client, as_admin, spot.lot_id, "closed")


def race(
    app: Flask, book: Book, spot: Spot, close: Callable[[FlaskClient], Any]
) -> tuple[bool, bool]:
    """Close and book at once; tell which of the two came through."""
    start = Barrier(2)

    def closing() -> bool:
        client = app.test_client()
        start.wait()
        answer = close(client)
        assert answer.status_code in {200, 409}, answer.text
        return bool(answer.status_code == 200)

    def booking() -> bool:
        start.wait()
        return book(spot, tomorrow_at(10), tomorrow_at(12)) is not None

    with ThreadPoolExecutor(2) as pool:
        closed, booked = pool.submit(closing), pool.submit(booking)
        return closed.result(20), booked.result(20)


def live_claims(app: Flask, spot: Spot) -> list[str]:
    with app.app_context(), transaction(read_only=True):
        return list(
            db.session.scalars(
                select(SpotClaim.kind)
                .where(SpotClaim.spot_id == spot.id, SpotClaim.live)
                .order_by(SpotClaim.kind)
            )
        )


class TestSignal:
    def test_a_list_is_fresh_after_a_closing(
        self, client: FlaskClient, as_admin: Headers, make: Factory
    ) -> None:
        lot = make.lot()
        assert client.get("/api/v1/lots").json["items"][0]["bookable"] is True
        set_status(client, as_admin, lot.id, "closed")
        assert client.get("/api/v1/lots").json["items"][0]["not_bookable_reason"] == "closed"
