"""Prices by the kind of bay: which kind makes a price, and which bays are given for it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.models import Lot, Spot
from tests.counter import Arrive, arrive, desk, lot
from tests.desk import Desk, window
from tests.factories import Factory

__all__ = ["arrive", "desk", "lot"]

KINDS = [
    {"spot_kind": "compact", "percent_bp": 8_000},
    {"spot_kind": "large", "percent_bp": 15_000},
    {"spot_kind": "electric", "percent_bp": 12_500},
]


class Yard:
    """A lot whose kinds of bay cost differently."""

    def __init__(self, client: FlaskClient, as_admin: dict[str, str], lot: Lot) -> None:
        self.client, self.as_admin, self.lot = client, as_admin, lot
        body = {
            "name": "By kind",
            "increments": [{"minutes": 60, "amount_minor": 100}],
            "kind_rules": KINDS,
            "taxes": [],
        }
        draft = self._post(f"/lots/{lot.id}/tariffs", body)
        self._post(f"/tariffs/{draft['id']}/publish", None)

    def add(self, kind: str, prefix: str, count: int = 1) -> list[dict[str, Any]]:
        body = {"prefix": prefix, "from": 1, "to": count, "kind": kind}
        items: list[dict[str, Any]] = self._post(f"/lots/{self.lot.id}/spots", body)["items"]
        return items

    def _post(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body, headers=self.as_admin)
        assert answer.status_code in {200, 201}, answer.text
        return answer.get_json()


@pytest.fixture
def yard(client: FlaskClient, as_admin: dict[str, str], make: Factory) -> Yard:
    """Two standard bays, one compact, two large and one with a charger."""
    yard = Yard(client, as_admin, make.lot(spots=2, hourly_minor=None))
    for kind, count in (("compact", 1), ("large", 2), ("electric", 1)):
        yard.add(kind, kind[0].upper(), count)
    return yard


def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].removeprefix("/problems/")


class TestPricedKind:
    @pytest.mark.parametrize(
        ("wish", "vehicle", "priced_kind", "total_minor"),
        [
            ({}, {}, "standard", 200),
            ({"spot_kind": "large"}, {}, "large", 300),
            ({"spot_kind": "compact"}, {}, "compact", 160),
            ({}, {"kind": "van"}, "large", 300),
            ({"spot_kind": "electric"}, {"electric": True}, "electric", 250),
            ({}, {"electric": True}, "standard", 200),
        ],
    )
    def test_the_foremost_kind_that_fits_makes_the_price(
        self,
        yard: Yard,
        arrive: Arrive,
        wish: dict[str, Any],
        vehicle: dict[str, Any],
        priced_kind: str,
        total_minor: int,
    ) -> None:
        driver = arrive(**vehicle)
        quote = driver.quote(yard.lot, vehicle_id=driver.vehicle.id, **wish)
        assert (quote["priced_kind"], quote["total_minor"]) == (priced_kind, total_minor)

    def test_a_kind_that_the_lot_lacks_makes_no_price(
        self, client: FlaskClient, as_admin: dict[str, str], make: Factory, desk: Desk
    ) -> None:
        yard = Yard(client, as_admin, make.lot(spots=2, kind="compact", hourly_minor=None))
        quote = desk.quote(yard.lot)
        assert (quote["priced_kind"], quote["total_minor"]) == ("compact", 160)

    def test_lists_tell_the_same_price(self, yard: Yard, client: FlaskClient) -> None:
        asked = {**window(), "q": yard.lot.name}
        for wish, price_minor in (({}, 200), ({"spot_kind": "large"}, 300)):
            (found,) = client.get("/api/v1/lots", query_string={**asked, **wish}).json["items"]
            assert found["price_minor"] == price_minor
        by_price = {**asked, "sort": "price", "spot_kind": "electric"}
        (found,) = client.get("/api/v1/lots", query_string=by_price).json["items"]
        assert found["price_minor"] == 250


class TestBays:
    def spot_kinds(self, yard: Yard, arrive: Arrive, count: int) -> list[Any]:
        told = []
        for _ in range(count):
            driver = arrive(electric=True)
            answer = driver.book(quote_id=driver.quote(yard.lot)["id"])
            told.append(
                answer.json["spot"]["kind"] if answer.status_code == 201 else _refusal(answer)[1]
            )
        return told

    def test_only_bays_that_cost_no_more_are_given(self, yard: Yard, arrive: Arrive) -> None:
        told = self.spot_kinds(yard, arrive, 4)
        assert sorted(told) == ["compact", "lot-full", "standard", "standard"]

    def test_a_dearer_bay_is_not_given_for_a_price(
        self, yard: Yard, arrive: Arrive, make: Factory
    ) -> None:
        driver, bays = arrive(), self.by_kind(yard, make)
        quote = driver.quote(yard.lot)
        dearer = driver.book(quote_id=quote["id"], spot_id=bays["large"].id)
        assert _refusal(dearer) == (409, "vehicle-does-not-fit")
        cheaper = driver.book(quote_id=quote["id"], spot_id=bays["compact"].id)
        assert (cheaper.status_code, cheaper.json["price_minor"]) == (201, 200)

    def test_who_points_at_a_bay_pays_for_its_kind(
        self, yard: Yard, arrive: Arrive, make: Factory
    ) -> None:
        bays = self.by_kind(yard, make)
        for kind, price_minor in (("large", 300), ("compact", 160), ("standard", 200)):
            held = arrive().hold(yard.lot, spot_id=bays[kind].id)
            assert (held["spot"]["kind"], held["price_minor"]) == (kind, price_minor)

    def test_a_bay_that_is_not_there_is_not_found(self, yard: Yard, desk: Desk) -> None:
        assert desk.book_window(yard.lot, spot_id=10**17).status_code == 404

    def test_a_price_for_nobody_is_not_that_of_a_van(self, yard: Yard, arrive: Arrive) -> None:
        van = arrive(kind="van")
        answer = van.book(quote_id=van.quote(yard.lot)["id"])
        assert _refusal(answer) == (409, "vehicle-does-not-fit")

    def by_kind(self, yard: Yard, make: Factory) -> dict[str, Spot]:
        return {spot.kind: spot for spot in make.spots(yard.lot)}
