"""Accessible bays are for drivers whose permit an admin has confirmed, with any vehicle of theirs."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.extensions import db
from backend.models import Lot, Spot
from backend.transaction import transaction
from tests.counter import Arrive
from tests.desk import Desk, window
from tests.factories import Factory

KINDS = ("car", "motorcycle", "van")


@pytest.fixture
def lot(make: Factory) -> Lot:
    return make.lot(spots=2, kind="accessible")


@pytest.fixture
def holder(arrive: Arrive, make: Factory) -> Desk:
    return arrive(user=make.user(accessible_permit=True))


def _refusal(answer: Any) -> str:
    return f"{answer.status_code} {answer.json['type'].removeprefix('/problems/')}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_permit_opens_an_accessible_bay_to_any_vehicle(
    arrive: Arrive, make: Factory, lot: Lot, kind: str
) -> None:
    desk = arrive(user=make.user(accessible_permit=True), kind=kind)
    quote = desk.quote(lot, spot_kind="accessible", vehicle_id=desk.vehicle.id)
    booked = desk.book(quote_id=quote["id"])
    assert booked.status_code == 201
    assert booked.json["spot"]["kind"] == "accessible"
    chosen = desk.hold(lot, spot_id=make.spots(lot)[1].id, **window(12, 14))
    assert chosen["spot"]["label"] == "A02"


@pytest.mark.parametrize("kind", KINDS)
def test_without_one_it_stays_shut(arrive: Arrive, make: Factory, lot: Lot, kind: str) -> None:
    desk = arrive(kind=kind)
    assert _refusal(desk.ask(lot, spot_kind="accessible")) == "409 vehicle-does-not-fit"
    assert _refusal(desk.ask(lot, vehicle_id=desk.vehicle.id)) == "409 lot-not-bookable"
    for wish in (
        {"spot_kind": "accessible"},
        {"spot_kind": "accessible", "spot_id": make.spots(lot)[0].id},
    ):
        assert _refusal(desk.book_window(lot, **wish)) == "409 vehicle-does-not-fit"


def test_it_is_given_last_of_all_that_fit(app: Flask, holder: Desk, make: Factory) -> None:
    lot = make.lot(spots=1, kind="accessible")
    with app.app_context(), transaction():
        db.session.add(Spot(lot_id=lot.id, label="S1", level="0", kind="standard", x=9.0, y=0.0))
    assert [holder.hold(lot)["spot"]["kind"]] == ["standard"]
    other = Desk(holder.client, holder.user, holder.headers, make.vehicle(holder.user))
    assert other.hold(lot)["spot"]["kind"] == "accessible"


def test_anothers_quote_gives_no_right(holder: Desk, desk: Desk, lot: Lot) -> None:
    quote = holder.quote(lot, spot_kind="accessible")
    assert _refusal(desk.book(quote_id=quote["id"])) == "409 vehicle-does-not-fit"


def test_a_permit_that_was_taken_counts_no_more_at_the_next_request(
    client: FlaskClient, as_admin: dict[str, str], holder: Desk, lot: Lot
) -> None:
    quote = holder.quote(lot, spot_kind="accessible")
    path = f"/api/v1/users/{holder.user.id}"
    client.patch(path, json={"accessible_permit": False}, headers=as_admin)
    assert _refusal(holder.book(quote_id=quote["id"])) == "409 vehicle-does-not-fit"
    assert _refusal(holder.ask(lot, spot_kind="accessible")) == "409 vehicle-does-not-fit"
    client.patch(path, json={"accessible_permit": True}, headers=as_admin)
    assert holder.book(quote_id=quote["id"]).status_code == 201


class TestLists:
    def available(self, client: FlaskClient, headers: dict[str, str], **query: Any) -> Any:
        answer = client.get("/api/v1/lots", query_string={**window(), **query}, headers=headers)
        (item,) = answer.json["items"]
        return item["available"], item["bookable"], item["not_bookable_reason"]

    @pytest.mark.parametrize("query", [{}, {"spot_kind": "accessible"}, {"vehicle_kind": "van"}])
    def test_they_count_accessible_bays_for_holders_alone(
        self, client: FlaskClient, holder: Desk, desk: Desk, lot: Lot, query: dict[str, str]
    ) -> None:
        # In this order, and twice: nobody is answered out of another's cache.
        for _ in range(2):
            assert self.available(client, desk.headers, **query) == (0, False, "no_fitting_bay")
            assert self.available(client, holder.headers, **query) == (2, True, None)
            assert self.available(client, {}, **query) == (0, False, "no_fitting_bay")

    def test_hours_count_them_likewise(
        self, client: FlaskClient, holder: Desk, desk: Desk, lot: Lot
    ) -> None:
        def free(headers: dict[str, str]) -> set[int]:
            answer = client.get("/api/v1/lots/availability", query_string=window(), headers=headers)
            return {each["free"] for each in answer.json["items"]}

        assert (free(desk.headers), free(holder.headers), free({})) == ({0}, {2}, {0})

    def test_a_refusal_offers_them_likewise(
        self, client: FlaskClient, holder: Desk, desk: Desk, lot: Lot, make: Factory
    ) -> None:
        first = make.spots(lot)[0]
        holder.hold(lot, spot_id=first.id)
        other = Desk(client, holder.user, holder.headers, make.vehicle(holder.user))
        refused = other.book_window(lot, spot_id=first.id)
        assert _refusal(refused) == "409 spot-taken"
        assert [each["label"] for each in refused.json["alternatives"]["spots"]] == ["A02"]

    def test_the_profile_tells_of_it(self, client: FlaskClient, holder: Desk, desk: Desk) -> None:
        for each, is_confirmed in ((holder, True), (desk, False)):
            answer = client.get("/api/v1/me", headers=each.headers)
            assert answer.json["accessible_permit"] is is_confirmed


def test_nobody_confirms_their_own(client: FlaskClient, desk: Desk) -> None:
    for path in ("/me", f"/users/{desk.user.id}"):
        answer = client.patch(
            f"/api/v1{path}", json={"accessible_permit": True}, headers=desk.headers
        )
        assert answer.status_code in {403, 422}
