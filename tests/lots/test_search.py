"""Finding lots over HTTP: what is free, what it costs, and why not."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import clock
from backend.folding import fold
from backend.lots.distance import Point, box_around, metres_between
from backend.lots.search import find_next_window, list_free_nearby
from backend.models import Lot
from backend.transaction import transaction
from tests.conftest import Statements
from tests.factories import Factory, tomorrow_at, where_it_is_morning
from tests.lots.conftest import Book

Headers = dict[str, str]


def find(client: FlaskClient, headers: Headers | None = None, **query: Any) -> dict[str, Any]:
    window = {"starts_at": tomorrow_at(10).isoformat(), "ends_at": tomorrow_at(12).isoformat()}
    answer = client.get("/api/v1/lots", query_string={**window, **query}, headers=headers or {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def only(client: FlaskClient, **query: Any) -> dict[str, Any]:
    (item,) = find(client, **query)["items"]
    found: dict[str, Any] = item
    return found


def names(client: FlaskClient, **query: Any) -> list[str]:
    return [each["name"] for each in find(client, **query)["items"]]


def create(client: FlaskClient, as_admin: Headers, name: str, **changes: Any) -> int:
    body = {
        "name": name,
        "address": "Straße 1",
        "city": "Dresden",
        "lat": 51.05,
        "lng": 13.74,
        "status": "open",
        **changes,
    }
    answer = client.post("/api/v1/lots", json=body, headers=as_admin)
    assert answer.status_code == 201, answer.text
    lot_id: int = answer.json["id"]
    return lot_id


class TestItem:
    def test_a_lot_tells_what_is_free_and_what_it_costs(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=3)
        book(make.spots(lot)[0], tomorrow_at(9), tomorrow_at(11))
        assert only(client) == {
            "id": lot.id,
            "name": lot.name,
            "address": lot.address,
            "city": "Dresden",
            "lat": 51.05,
            "lng": 13.74,
            "timezone": "Europe/Berlin",
            "status": "open",
            "capacity": 3,
            "available": 2,
            "available_by_kind": {"standard": 2},
            "price_minor": 400,
            "currency": "EUR",
            "height_limit_cm": None,
            "always_open": True,
            "amenities": [],
            "distance_m": None,
            "walking_minutes": None,
            "rating": None,
            "review_count": 0,
            "refund_badge": "free_cancellation_24h",
            "bookable": True,
            "not_bookable_reason": None,
            "next_window": None,
        }

    def test_a_lot_tells_what_it_offers(self, client: FlaskClient, make: Factory) -> None:
        make.lot(
            amenities=["video", "covered"], height_limit_cm=210, opening_hours="Mo-Su 00:30-23:30"
        )
        item = only(client)
        assert item["amenities"] == ["covered", "video"]
        assert item["height_limit_cm"] == 210
        assert item["always_open"] is False

    def test_without_a_window_it_is_the_next_two_hours(
        self, client: FlaskClient, make: Factory
    ) -> None:
        make.lot(timezone=where_it_is_morning())
        item = client.get("/api/v1/lots").json["items"][0]
        assert item["price_minor"] == 400
        assert item["available"] == 3

    @pytest.mark.parametrize(
        ("values", "query", "reason"),
        [
            ({"status": "closed"}, {}, "closed"),
            ({"opening_hours": "Mo-Su 01:00-02:00"}, {}, "outside_opening_hours"),
            ({"height_limit_cm": 200}, {"height_cm": 201}, "too_high"),
            ({"height_limit_cm": 200}, {"height_cm": 200}, None),
            ({"hourly_minor": None}, {}, "no_tariff"),
            ({"kind": "motorcycle"}, {}, "no_fitting_bay"),
            ({"kind": "motorcycle"}, {"vehicle_kind": "motorcycle"}, None),
            ({"kind": "standard"}, {"vehicle_kind": "van"}, "no_fitting_bay"),
            ({"kind": "large"}, {"vehicle_kind": "van"}, None),
            ({"kind": "electric"}, {}, "no_fitting_bay"),
            ({"kind": "electric"}, {"electric": "true"}, None),
            ({"kind": "electric"}, {"spot_kind": "electric"}, None),
            ({"kind": "standard"}, {"spot_kind": "large"}, "no_fitting_bay"),
            ({"spots": 0}, {}, "no_fitting_bay"),
        ],
    )
    def test_it_tells_why_it_cannot_be_booked(
        self,
        client: FlaskClient,
        make: Factory,
        values: dict[str, Any],
        query: dict[str, Any],
        reason: str | None,
    ) -> None:
        make.lot(**values)
        item = only(client, **query)
        assert item["not_bookable_reason"] == reason
        assert item["bookable"] is (reason is None)

    def test_bays_for_the_disabled_are_told_apart(self, client: FlaskClient, make: Factory) -> None:
        make.lot(spots=2, kind="accessible")
        item = only(client)
        assert item["available"] == 0
        assert item["available_by_kind"] == {"accessible": 2}

    def test_a_closed_lot_has_nothing_free(self, client: FlaskClient, make: Factory) -> None:
        make.lot(opening_hours="Mo-Su 01:00-02:00")
        item = only(client)
        assert item["available"] == 0
        assert item["available_by_kind"] == {"standard": 0}

    def test_a_full_lot_tells_the_next_free_window(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=2)
        book(make.spots(lot)[0], tomorrow_at(9), tomorrow_at(15))
        book(make.spots(lot)[1], tomorrow_at(11), tomorrow_at(13))
        item = only(client)
        assert item["not_bookable_reason"] == "full"
        assert item["next_window"]["starts_at"].endswith("T13:00:00Z")
        assert item["next_window"]["ends_at"].endswith("T15:00:00Z")

    def test_the_next_free_window_lies_in_opening_hours(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=1, opening_hours="Mo-Su 06:00-16:30", timezone="UTC")
        book(make.spots(lot)[0], tomorrow_at(10), tomorrow_at(15))
        later = tomorrow_at(6) + timedelta(days=1)
        assert only(client)["next_window"]["starts_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"

    @pytest.mark.parametrize("days", [2, 7])
    def test_a_next_window_is_found_days_later(
        self, client: FlaskClient, make: Factory, book: Book, days: int
    ) -> None:
        lot = make.lot(spots=1)
        end = tomorrow_at(9) + timedelta(days=days)
        book(make.spots(lot)[0], tomorrow_at(9), end)
        assert only(client)["next_window"]["starts_at"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"

    def test_a_list_looks_a_week_ahead_for_a_next_window(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=1)
        book(make.spots(lot)[0], tomorrow_at(9), tomorrow_at(9) + timedelta(days=9))
        item = only(client)
        assert item["not_bookable_reason"] == "full"
        assert item["next_window"] is None

    def test_a_kind_of_bay_brings_its_vehicle_along(
        self, client: FlaskClient, make: Factory
    ) -> None:
        make.lot(kind="motorcycle")
        found = only(client, spot_kind="motorcycle")
        assert found["bookable"]
        assert found["available"] == 3
        assert only(client, spot_kind="motorcycle", vehicle_kind="car")["available"] == 0
        assert only(client)["not_bookable_reason"] == "no_fitting_bay"

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_hidden_lots_are_found_by_admins_who_ask(
        self,
        client: FlaskClient,
        make: Factory,
        as_admin: Headers,
        as_driver: Headers,
        status: str,
    ) -> None:
        make.lot(status=status)
        assert find(client)["total"] == 0
        assert find(client, status=status)["total"] == 0
        assert find(client, as_driver, status=status)["total"] == 0
        assert find(client, as_admin)["total"] == 0
        (item,) = find(client, as_admin, status=status)["items"]
        assert item["not_bookable_reason"] == "closed"
        assert item["available"] == 0

    def test_several_statuses_mean_any_of_them(
        self, client: FlaskClient, make: Factory, as_admin: Headers
    ) -> None:
        for status in ("archived", "closed", "draft", "open"):
            make.lot(name=status, status=status)
        path = "/api/v1/lots?status=draft&status=open"
        found = client.get(path, headers=as_admin).json["items"]
        assert [each["name"] for each in found] == ["draft", "open"]
        assert [each["name"] for each in client.get(path).json["items"]] == ["open"]


class TestWindow:
    @pytest.mark.parametrize(
        ("start", "length", "field"),
        [
            (timedelta(minutes=-6), timedelta(hours=2), "starts_at"),
            (timedelta(days=91), timedelta(hours=2), "starts_at"),
            (timedelta(hours=1), timedelta(minutes=14), "ends_at"),
            (timedelta(hours=1), timedelta(days=30, minutes=1), "ends_at"),
            (timedelta(hours=1), timedelta(), "ends_at"),
        ],
    )
    def test_a_window_nobody_may_book_is_refused(
        self, client: FlaskClient, start: timedelta, length: timedelta, field: str
    ) -> None:
        starts_at = clock.now() + start
        query = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + length).isoformat()}
        refused = client.get("/api/v1/lots", query_string=query)
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == [field]

    def test_a_window_that_began_just_now_is_not(self, client: FlaskClient) -> None:
        starts_at = clock.now() - timedelta(minutes=4)
        assert (
            find(
                client,
                starts_at=starts_at.isoformat(),
                ends_at=(starts_at + timedelta(hours=1)).isoformat(),
            )["items"]
            == []
        )


class TestText:
    @pytest.mark.parametrize(
        ("written", "folded"),
        [
            ("Trompeterstraße 5", "trompeterstrasse 5"),
            ("  Café-CRÈME ", "cafe creme"),
            ("Łódź Øst", "lodz ost"),
            ("100% _sure_", "100 sure"),
            ("कार पार्क", fold("कार पार्क")),
            ("%", ""),
        ],
    )
    def test_folding(self, written: str, folded: str) -> None:
        assert fold(written) == folded

    def test_every_word_must_match_somewhere(self, client: FlaskClient, as_admin: Headers) -> None:
        create(client, as_admin, "Centrum - Galerie", address="Trompeterstraße 5")
        create(client, as_admin, "Altmarkt", address="Wilsdruffer Straße 1")
        for query in ("galerie", "TROMPETERSTRASSE", "dresden trompeter", "centrum-galerie"):
            assert names(client, q=query) == ["Centrum - Galerie"]
        assert len(names(client, q="straße")) == 2
        for query in ("galerie altmarkt", "%", "_", "\\"):
            assert names(client, q=query) == []

    def test_the_place_of_the_best_match_is_the_point(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        create(client, as_admin, "Am Altmarkt", lng=13.75)
        create(client, as_admin, "Altmarkt", lng=13.74)
        create(client, as_admin, "Altmarkt-Galerie", lng=13.735)
        items = find(client, q="altmarkt")["items"]
        assert [each["name"] for each in items] == ["Altmarkt", "Altmarkt-Galerie", "Am Altmarkt"]
        assert items[0]["distance_m"] == 0
        assert 340 < items[1]["distance_m"] < 360
        assert names(client, q="altmarkt", radius_m=400) == ["Altmarkt", "Altmarkt-Galerie"]
        assert names(client, q="altmarkt", lat=51.05, lng=13.76)[0] == "Am Altmarkt"

    def test_the_place_is_told(self, client: FlaskClient, make: Factory) -> None:
        make.lot(name="Altmarkt", lat=51.05, lng=13.74)
        named = {"name": "Altmarkt", "lat": 51.05, "lng": 13.74}
        assert find(client, q="altmarkt")["place"] == named
        assert find(client, q="altmarkt", sort="price")["place"] == named
        given = {"name": None, "lat": 51.0, "lng": 13.5}
        for query in ({}, {"q": "altmarkt"}, {"q": "%"}, {"q": "nowhere"}):
            assert find(client, lat=51.0, lng=13.5, **query)["place"] == given
        for query in ({}, {"sort": "price"}, {"q": "nowhere"}, {"q": "%"}):
            assert find(client, **query)["place"] is None


class TestPlace:
    def test_the_nearest_comes_first_with_its_way(self, client: FlaskClient, make: Factory) -> None:
        make.lot(name="Far", lat=51.07)
        make.lot(name="Near", lat=51.051)
        items = find(client, lat=51.05, lng=13.74)["items"]
        assert [each["name"] for each in items] == ["Near", "Far"]
        assert items[0]["distance_m"] == 111
        assert items[0]["walking_minutes"] == 2
        assert names(client, lat=51.05, lng=13.74, radius_m=1000) == ["Near"]

    def test_a_radius_reaches_over_the_date_line(self, client: FlaskClient, make: Factory) -> None:
        make.lot(name="Fiji", lat=-17.0, lng=179.95)
        assert names(client, lat=-17.0, lng=-179.95, radius_m=20_000) == ["Fiji"]
        assert names(client, lat=-17.0, lng=-179.95, radius_m=5_000) == []

    @pytest.mark.parametrize("lat", [0.0, 51.0, -80.0, 89.9, -90.0])
    def test_the_box_holds_the_circle(self, lat: float) -> None:
        here = Point(lat, 13.0)
        box = box_around(here, 50_000)
        for there in (Point(lat + 0.44, 13.0), Point(lat, 13.2), Point(lat - 0.44, 12.9)):
            if abs(there.lat) <= 90 and metres_between(here, there) <= 50_000:
                assert box.south <= there.lat <= box.north
                assert not box.longitudes or any(w <= there.lng <= e for w, e in box.longitudes)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"lat": 51}, "lng"),
            ({"lng": 13}, "lat"),
            ({"radius_m": 100}, "radius_m"),
            ({"lat": 51, "lng": 13, "radius_m": 50_001}, "radius_m"),
            ({"lat": 51, "lng": 13, "radius_m": 0}, "radius_m"),
            ({"lat": "nan", "lng": 13}, "lat"),
            ({"sort": "stars"}, "sort"),
            ({"min_rating": 0.9}, "min_rating"),
            ({"min_rating": 5.1}, "min_rating"),
            ({"limit": 101}, "limit"),
            ({"near": "me"}, "near"),
            ({"cursor": "nonsense"}, "cursor"),
        ],
    )
    def test_a_query_that_makes_no_sense_is_refused(
        self, client: FlaskClient, query: dict[str, Any], field: str
    ) -> None:
        refused = client.get("/api/v1/lots", query_string=query)
        assert refused.status_code == 422
        assert field in refused.json["errors"]

    def test_amenities_narrow(self, client: FlaskClient, make: Factory) -> None:
        make.lot(name="Both", amenities=["covered", "video"])
        make.lot(name="One", amenities=["video"])
        assert names(client, amenity="video") == ["Both", "One"]
        assert names(client, amenity=["video", "covered"]) == ["Both"]
        assert names(client, amenity="sauna") == []


class TestOrder:
    def test_the_cheapest_comes_first_and_those_without_price_last(
        self, client: FlaskClient, make: Factory
    ) -> None:
        make.lot(name="Dear", hourly_minor=500)
        make.lot(name="Unpriced", hourly_minor=None)
        make.lot(name="Cheap", hourly_minor=100)
        assert names(client, sort="price") == ["Cheap", "Dear", "Unpriced"]
        near = names(client, sort="price", lat=51.05, lng=13.74, radius_m=100)
        assert near == ["Cheap", "Dear", "Unpriced"]

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"sort": "distance"},
            {"sort": "price"},
            {"sort": "rating"},
            {"lat": 51.0, "lng": 13.0},
            {"q": "dresden"},
        ],
    )
    def test_pages_follow_one_another(
        self, client: FlaskClient, make: Factory, query: dict[str, Any]
    ) -> None:
        lots: list[Lot] = [
            make.lot(name=f"Lot {n % 2}", lat=51.05 + n / 1000, hourly_minor=n % 3 * 100)
            for n in range(5)
        ]
        seen: list[int] = []
        cursor: dict[str, str] = {}
        for size in (2, 2, 1):
            page = find(client, limit=2, **query, **cursor)
            assert page["total"] == 5
            assert len(page["items"]) == size
            seen += [each["id"] for each in page["items"]]
            cursor = {"cursor": page["next_cursor"]}
        assert cursor == {"cursor": None}
        assert sorted(seen) == [lot.id for lot in lots]
        assert seen == [each["id"] for each in find(client, **query)["items"]]

    def test_a_cursor_of_another_order_is_refused(self, client: FlaskClient, make: Factory) -> None:
        for _ in range(2):
            make.lot()
        cursor = find(client, limit=1)["next_cursor"]
        refused = client.get("/api/v1/lots", query_string={"cursor": cursor, "sort": "price"})
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == ["cursor"]


class TestCost:
    @pytest.mark.parametrize("query", [{}, {"sort": "price"}, {"lat": 51.0, "lng": 13.0}])
    def test_a_search_makes_the_same_few_queries_for_one_lot_and_for_a_hundred(
        self,
        client: FlaskClient,
        make: Factory,
        book: Book,
        statements: Statements,
        query: dict[str, Any],
    ) -> None:
        counts = []
        made = 0
        for lots in (1, 20, 100):
            for _ in range(lots - made):
                lot = make.lot(spots=1)
            made = lots
            # One of them is full, and needs its next window.
            book(make.spots(lot)[0], tomorrow_at(10), tomorrow_at(12))
            find(client, limit=100, height_cm=500 + lots, **query)
            with statements() as counted:
                # Another answer than the kept one, of versions of tariffs that are known by now.
                assert len(find(client, limit=100, height_cm=2 + lots, **query)["items"]) == lots
            counts.append(len(counted))
        assert counts[0] == counts[1] == counts[2] <= 8

    def test_the_same_question_is_answered_without_the_database(
        self, client: FlaskClient, make: Factory, statements: Statements
    ) -> None:
        make.lot()
        first = find(client)
        with statements() as counted:
            assert find(client) == first
        assert counted == []

    def test_an_unchanged_list_is_not_sent_again(self, client: FlaskClient, make: Factory) -> None:
        make.lot()
        tag = client.get("/api/v1/lots?q=dresden").headers["ETag"]
        again = client.get("/api/v1/lots?q=dresden", headers={"If-None-Match": tag})
        assert again.status_code == 304

    def test_an_edit_shows_at_once(
        self, client: FlaskClient, make: Factory, as_admin: Headers
    ) -> None:
        lot = make.lot(name="Old")
        assert names(client) == ["Old"]
        client.patch(f"/api/v1/lots/{lot.id}", json={"name": "New"}, headers=as_admin)
        assert names(client) == ["New"]


class TestAlternatives:
    """What a refused booking is offered."""

    def test_other_lots_that_can_be_booked_come_nearest_first(
        self, app: Flask, make: Factory, book: Book
    ) -> None:
        here = make.lot(name="Here")
        make.lot(name="Second", lat=51.07)
        make.lot(name="Too low", lat=51.05, height_limit_cm=180)
        make.lot(name="First", lat=51.06)
        make.lot(name="Too far", lat=51.2)
        make.lot(name="No price", hourly_minor=None)
        make.lot(name="Asleep", opening_hours="Mo-Su 01:00-02:00")
        make.lot(name="Shut", status="closed")
        full = make.lot(name="Full", spots=1)
        book(make.spots(full)[0], tomorrow_at(10), tomorrow_at(12))
        window = {"starts_at": tomorrow_at(10), "ends_at": tomorrow_at(12)}
        with app.app_context(), transaction(read_only=True):
            wanted = {"kinds": ["standard"], "height_cm": 190, **window}
            found = list_free_nearby(here, most=3, **wanted)
            (nearest,) = list_free_nearby(here, most=1, **wanted)
            lower = list_free_nearby(here, most=3, **wanted | {"height_cm": 170})
            later = find_next_window(full, kinds=["standard"], **window)
        assert [each["name"] for each in found] == ["First", "Second"]
        assert "Too low" in [each["name"] for each in lower]
        assert nearest == found[0]
        assert found[0]["available"] == 3
        assert found[0]["price_minor"] == 400
        assert later is not None
        assert later.starts_at == tomorrow_at(12)

    @pytest.mark.parametrize(("days", "is_found"), [(29, True), (85, True), (92, False)])
    def test_a_later_time_is_looked_for_as_far_as_one_may_book(
        self, app: Flask, make: Factory, book: Book, days: int, is_found: bool
    ) -> None:
        lot = make.lot(spots=2, opening_hours="Mo-Su 06:00-16:00", timezone="UTC")
        end = tomorrow_at(12) + timedelta(days=days)
        for spot in make.spots(lot):
            book(spot, tomorrow_at(9), end)
        window = {"starts_at": tomorrow_at(10), "ends_at": tomorrow_at(12)}
        with app.app_context(), transaction(read_only=True):
            later = find_next_window(lot, kinds=["standard"], **window)
        assert (later and later.starts_at) == (end if is_found else None)
