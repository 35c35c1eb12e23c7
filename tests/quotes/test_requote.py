"""Pricing a booking anew: by the version, the kind of bay and the coupon that it was booked with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.database import get_row
from backend.models import Quote, Reservation
from backend.quotes.service import reprice, requote
from backend.quotes.tasks import purge_expired
from backend.tariffs.versions import replay
from backend.transaction import transaction
from tests.counter import arrive, desk, lot
from tests.desk import Desk
from tests.factories import Factory, tomorrow_at

__all__ = ["arrive", "desk", "lot"]

LADDER = [{"minutes": 60, "amount_minor": 1_000}]
RULES = [{"spot_kind": "large", "percent_bp": 20_000}]


@pytest.fixture
def booked(
    client: FlaskClient, as_admin: dict[str, str], make: Factory, desk: Desk
) -> dict[str, Any]:
    """A large bay booked for two hours with a coupon, before the tariff became dearer."""
    lot = make.lot(kind="large", hourly_minor=None)

    def post(path: str, body: Any = None) -> Any:
        return client.post(f"/api/v1{path}", json=body, headers=as_admin).get_json()

    def publish(**terms: Any) -> None:
        draft = post(f"/lots/{lot.id}/tariffs", {"name": "T", "increments": LADDER, **terms})
        post(f"/tariffs/{draft['id']}/publish")

    publish(kind_rules=RULES)
    post("/coupons", {"code": "FIVE", "name": "Five", "amount_minor": 500})
    quote = desk.quote(lot, spot_kind="large", coupon="FIVE")
    held: dict[str, Any] = desk.book(quote_id=quote["id"]).get_json()
    assert held["price_minor"] == 2 * 2_000 - 500
    publish(minimum_minor=90_000)
    return held


def test_a_longer_window_costs_by_the_same_terms(app: Flask, booked: dict[str, Any]) -> None:
    window = {"starts_at": tomorrow_at(9), "ends_at": tomorrow_at(12)}
    with app.app_context(), transaction():
        reservation = get_row(Reservation, booked["id"])
        priced = reprice(reservation, **window)
        former, quote = get_row(Quote, reservation.quote_id), requote(reservation, **window)
        assert quote.id not in {None, former.id}
        assert (quote.total_minor, priced.total_minor) == (5_500, 5_500)
        assert quote.lines == [line.to_dict() for line in priced.lines]
        for name in ("lot_id", "tariff_id", "vehicle_id", "spot_kind", "priced_kind", "coupon_id"):
            assert getattr(quote, name) == getattr(former, name), name
        assert (quote.starts_at, quote.ends_at) == (window["starts_at"], window["ends_at"])
        assert reservation.quote_id == former.id
        new_id = quote.id
    with app.app_context(), transaction(read_only=True):
        kept = get_row(Quote, new_id)
        assert [line.to_dict() for line in replay(kept).lines] == kept.lines


def test_any_window_will_do(app: Flask, booked: dict[str, Any]) -> None:
    start = tomorrow_at(9) - timedelta(days=400)
    with app.app_context(), transaction():
        reservation = get_row(Reservation, booked["id"])
        longest = reprice(reservation, starts_at=start, ends_at=start + timedelta(days=60))
        assert longest.total_minor == 60 * 24 * 2_000 - 500


def test_a_quote_that_was_paid_outlives_the_booking_moving_on(
    app: Flask, desk: Desk, booked: dict[str, Any], move_clock: Callable[[timedelta], None]
) -> None:
    assert desk.charge(booked)["status"] == "succeeded"
    with app.app_context(), transaction():
        reservation = get_row(Reservation, booked["id"])
        former = reservation.quote_id
        window = {"starts_at": tomorrow_at(9), "ends_at": tomorrow_at(12)}
        reservation.quote_id = requote(reservation, **window).id
    move_clock(timedelta(days=3))
    purge_expired()
    with app.app_context(), transaction(read_only=True):
        assert get_row(Quote, former).total_minor == booked["price_minor"]
