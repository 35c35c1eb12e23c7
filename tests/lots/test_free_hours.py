"""Free bays by hour over HTTP, beside a recount of every bay and hour by itself."""

import random
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import clock
from backend.claims.fit import fitting_kinds
from backend.extensions import db
from backend.lots.hours import is_open_throughout, parse_opening_hours
from backend.models import Lot, Spot, SpotClaim
from backend.models.lot import SPOT_KINDS
from backend.transaction import transaction
from tests.conftest import Statements
from tests.desk import between
from tests.factories import Factory, tomorrow_at
from tests.lots.conftest import Book

HOUR = timedelta(hours=1)


def ask(client: FlaskClient, **query: Any) -> dict[str, Any]:
    day = between(tomorrow_at(6), tomorrow_at(18))
    answer = client.get("/api/v1/lots/availability", query_string={**day, **query})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json
    return told


def free(client: FlaskClient, **query: Any) -> list[int]:
    return [each["free"] for each in ask(client, **query)["items"]]


def window(first: datetime, last: datetime) -> dict[str, Any]:
    return dict(between(first, last))


def recount(
    app: Flask, first: datetime, last: datetime, kinds: tuple[str, ...], height_cm: int | None
) -> list[int]:
    """Count each hour of each bay by itself, in Python."""
    found = []
    with app.app_context(), transaction(read_only=True):
        lots = db.session.scalars(select(Lot).where(Lot.status == "open")).all()
        spots = db.session.scalars(select(Spot).where(Spot.kind.in_(kinds))).all()
        claims = db.session.scalars(select(SpotClaim)).all()
        now = clock.now()
    hour = first
    while hour < last:
        count = 0
        for lot in lots:
            opening, zone = parse_opening_hours(lot.opening_hours), ZoneInfo(lot.timezone)
            if height_cm and lot.height_limit_cm and height_cm > lot.height_limit_cm:
                continue
            if not is_open_throughout(opening, hour, hour + HOUR, zone):
                continue
            for spot in spots:
                taken = any(
                    claim.spot_id == spot.id
                    and claim.live
                    and (claim.expires_at is None or claim.expires_at > now)
                    and claim.starts_at < hour + HOUR
                    and claim.ends_at > hour
                    for claim in claims
                )
                count += spot.lot_id == lot.id and not taken
        found.append(count)
        hour += HOUR
    return found


class TestCount:
    def test_an_hour_tells_what_is_free_in_all_of_it(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=3)
        first, second, _ = make.spots(lot)
        book(first, tomorrow_at(9, 45), tomorrow_at(11))
        book(second, tomorrow_at(10, 15), tomorrow_at(10, 30))
        book(second, tomorrow_at(10, 30), tomorrow_at(10, 45))
        told = ask(client, **window(tomorrow_at(9), tomorrow_at(12)))
        assert told == {
            "items": [
                {
                    "starts_at": f"{tomorrow_at(hour):%Y-%m-%dT%H:%M:%SZ}",
                    "ends_at": f"{tomorrow_at(hour + 1):%Y-%m-%dT%H:%M:%SZ}",
                    "free": count,
                    "capacity": 3,
                }
                for hour, count in ((9, 2), (10, 1), (11, 3))
            ],
            "total_lots": 1,
        }

    def test_a_stale_hold_counts_for_nothing(
        self, client: FlaskClient, make: Factory, book: Book
    ) -> None:
        lot = make.lot(spots=2)
        for spot, minutes in zip(make.spots(lot), (-1, 5), strict=True):
            deadline = clock.now() + timedelta(minutes=minutes)
            book(spot, tomorrow_at(8), tomorrow_at(9), held_until=deadline)
        assert free(client, **window(tomorrow_at(7), tomorrow_at(10))) == [2, 1, 2]

    def test_a_bay_out_of_service_is_not_free(
        self, client: FlaskClient, make: Factory, as_admin: dict[str, str]
    ) -> None:
        lot = make.lot(spots=2)
        closing = {
            "in_service": False,
            "reason": "Paint",
            "out_of_service_from": tomorrow_at(8).isoformat(),
            "out_of_service_until": tomorrow_at(9, 15).isoformat(),
        }
        path = f"/api/v1/spots/{make.spots(lot)[0].id}"
        assert client.patch(path, json=closing, headers=as_admin).status_code == 200
        assert free(client, **window(tomorrow_at(7), tomorrow_at(11))) == [2, 1, 1, 2]

    def test_a_bay_of_a_closed_lot_is_not_free(self, client: FlaskClient, make: Factory) -> None:
        make.lot(opening_hours="Mo-Su 08:00-09:30", timezone="UTC")
        make.lot(spots=1)
        told = ask(client, **window(tomorrow_at(7), tomorrow_at(11)))
        assert [each["free"] for each in told["items"]] == [1, 4, 1, 1]
        assert {each["capacity"] for each in told["items"]} == {4}
        assert told["total_lots"] == 2

    @pytest.mark.parametrize("seed", range(3))
    def test_it_is_what_a_recount_of_every_bay_gives(
        self, app: Flask, client: FlaskClient, make: Factory, book: Book, seed: int
    ) -> None:
        dice = random.Random(seed)
        hours = ("24/7", "Mo-Su 07:00-22:00", "Mo-Su 20:00-03:30")
        zones = ("Europe/Berlin", "Asia/Kolkata", "UTC")
        spots: list[Spot] = []
        for number in range(5):
            lot = make.lot(
                spots=dice.randint(1, 4),
                kind=dice.choice(SPOT_KINDS[:5]),
                opening_hours=dice.choice(hours),
                timezone=dice.choice(zones),
                height_limit_cm=dice.choice((None, 180, 220)),
                status="open" if number else "closed",
            )
            spots += make.spots(lot)
        user = make.user()
        for _ in range(40):
            start = tomorrow_at(0) + timedelta(minutes=15 * dice.randrange(30 * 4))
            length = timedelta(minutes=15 * dice.randint(1, 40))
            deadline = clock.now() + timedelta(minutes=dice.choice((-5, 5)))
            book(
                dice.choice(spots),
                start,
                start + length,
                user=user,
                held_until=dice.choice((None, None, deadline)),
            )
        for quarter, electric, height_cm in ((0, False, None), (30, True, 200), (15, False, 230)):
            first, last = tomorrow_at(2, quarter), tomorrow_at(2, quarter) + 30 * HOUR
            query: dict[str, Any] = {"electric": str(electric).lower()}
            if height_cm:
                query["height_cm"] = height_cm
            kinds = fitting_kinds("car", electric=electric)
            told = free(client, **window(first, last), **query)
            assert told == recount(app, first, last, kinds, height_cm)
            assert len(told) == 30


class TestFilters:
    def test_the_same_filters_as_in_the_list_choose_the_lots(
        self, client: FlaskClient, make: Factory
    ) -> None:
        make.lot(name="Near", spots=1, search_text="near", amenities=["covered"])
        make.lot(name="Far", spots=2, lat=51.5, search_text="far", height_limit_cm=190)
        make.lot(name="Vans", spots=4, lat=51.5, search_text="vans", kind="large")
        make.lot(name="Unpriced", spots=8, hourly_minor=None)
        make.lot(name="Shut", spots=16, status="closed")
        make.lot(name="Draft", spots=32, status="draft")
        for query, total in (
            ({}, 7),
            ({"q": "far"}, 2),
            ({"q": "%"}, 0),
            ({"lat": 51.05, "lng": 13.74, "radius_m": 1000}, 1),
            ({"amenity": "covered"}, 1),
            ({"vehicle_kind": "van"}, 4),
            ({"spot_kind": "standard"}, 3),
            ({"spot_kind": "motorcycle"}, 0),
            ({"height_cm": 191}, 5),
        ):
            told = ask(client, **query)
            assert {each["free"] for each in told["items"]} == {total}, query
            assert {each["capacity"] for each in told["items"]} == {total}, query

    def test_one_lot_can_be_asked_about(self, client: FlaskClient, make: Factory) -> None:
        lot, _ = make.lot(spots=1), make.lot(spots=2)
        draft = make.lot(status="draft")
        assert ask(client, lot_id=lot.id)["total_lots"] == 1
        assert set(free(client, lot_id=lot.id)) == {1}
        for hidden in (draft.id, 999):
            assert ask(client, lot_id=hidden)["total_lots"] == 0
            assert set(free(client, lot_id=hidden)) == {0}


class TestWindow:
    def test_without_one_it_is_today_where_the_installation_is(
        self, client: FlaskClient, make: Factory
    ) -> None:
        make.lot()
        items = client.get("/api/v1/lots/availability").json["items"]
        zone = ZoneInfo("Europe/Berlin")
        today = clock.now().astimezone(zone).date()
        midnight = datetime.combine(today, time(), zone).astimezone(UTC)
        assert items[0]["starts_at"] == f"{midnight:%Y-%m-%dT%H:%M:%SZ}"
        assert len(items) in {23, 24, 25}
        assert all(a["ends_at"] == b["starts_at"] for a, b in pairwise(items))

    def test_a_start_alone_is_the_beginning_of_a_day(self, client: FlaskClient) -> None:
        query = {"starts_at": tomorrow_at(5, 30).isoformat()}
        items = client.get("/api/v1/lots/availability", query_string=query).json["items"]
        assert len(items) == 24

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [
            (tomorrow_at(5), tomorrow_at(5), "ends_at"),
            (tomorrow_at(5), tomorrow_at(4), "ends_at"),
            (tomorrow_at(5), tomorrow_at(6, 30), "ends_at"),
            (tomorrow_at(5, 10), tomorrow_at(6, 10), "starts_at"),
            (tomorrow_at(5), tomorrow_at(5) + 49 * HOUR, "ends_at"),
            (tomorrow_at(5) - 4 * 24 * HOUR, tomorrow_at(5) - 90 * HOUR, "starts_at"),
            (tomorrow_at(5) + 91 * 24 * HOUR, tomorrow_at(6) + 91 * 24 * HOUR, "starts_at"),
        ],
    )
    def test_hours_that_make_no_sense_are_refused(
        self, client: FlaskClient, first: datetime, last: datetime, field: str
    ) -> None:
        refused = client.get("/api/v1/lots/availability", query_string=window(first, last))
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == [field]


class TestCost:
    def test_it_makes_the_same_few_queries_for_one_lot_and_for_twenty(
        self, client: FlaskClient, make: Factory, statements: Statements
    ) -> None:
        counts = []
        for more in (1, 19):
            for _ in range(more):
                make.lot(spots=1)
            with statements() as asked:
                assert set(free(client, height_cm=100 + more)) == {1 if more == 1 else 20}
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 10

    def test_the_same_question_is_answered_without_the_database(
        self, client: FlaskClient, make: Factory, statements: Statements
    ) -> None:
        make.lot()
        first = ask(client)
        with statements() as asked:
            assert ask(client) == first
        assert asked == []

    def test_a_booking_shows_at_once(
        self, client: FlaskClient, make: Factory, as_driver: dict[str, str], driver: Any
    ) -> None:
        lot, vehicle = make.lot(spots=1), make.vehicle(driver)
        hour = window(tomorrow_at(9), tomorrow_at(10))
        assert free(client, **hour) == [1]
        body = {"lot_id": lot.id, "vehicle_id": vehicle.id, **hour}
        client.post("/api/v1/reservations", json=body, headers=as_driver)
        assert free(client, **hour) == [0]
