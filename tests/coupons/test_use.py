"""Coupons in prices and bookings: when they count, and that each use is counted exactly."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import bindparam, select

from backend import clock
from backend.coupons import service
from backend.models import Coupon, Lot
from tests.counter import Arrive, Later
from tests.coupons.conftest import Make
from tests.desk import Desk, window
from tests.factories import Factory

HOUR = timedelta(hours=1)


@pytest.fixture
def uses(client: FlaskClient, as_admin: dict[str, str]) -> Callable[[dict[str, Any]], int]:
    """Count the uses of a coupon, as admins see them."""

    def uses(coupon: dict[str, Any]) -> int:
        answer = client.get(f"/api/v1/coupons/{coupon['id']}", headers=as_admin)
        return int(answer.get_json()["uses"])

    return uses


def _reason(answer: Any) -> tuple[int, str, str]:
    problem = answer.get_json()
    return answer.status_code, problem["type"].removeprefix("/problems/"), problem.get("reason")


def _book(desk: Desk, lot: Lot, **wishes: Any) -> Any:
    """Get a price with the coupon, and book it."""
    return desk.book(quote_id=desk.quote(lot, coupon="SPRING", **wishes)["id"])


class TestPrice:
    def test_it_makes_a_line(self, desk: Desk, lot: Lot, coupon: Make) -> None:
        coupon()
        full, less = desk.quote(lot), desk.quote(lot, coupon=" spr ing")
        assert less["total_minor"] == full["total_minor"] * 9 // 10
        assert less["lines"][-1] == {
            "label": "Coupon SPRING",
            "quantity": 1,
            "unit_minor": -full["total_minor"] // 10,
            "amount_minor": -full["total_minor"] // 10,
            "kind": "coupon",
        }

    def test_anybody_may_name_it(self, client: FlaskClient, lot: Lot, coupon: Make) -> None:
        coupon(most_uses_per_driver=1)
        body = {"lot_id": lot.id, **window(), "coupon": "SPRING"}
        assert client.post("/api/v1/quotes", json=body).status_code == 201

    def test_one_that_is_not_is_refused(self, desk: Desk, lot: Lot) -> None:
        assert _reason(desk.ask(lot, coupon="NOBODY")) == (409, "coupon-not-valid", "unknown")

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"active": False}, "over"),
            ({"valid_from": HOUR}, "too-early"),
            ({"valid_until": -HOUR}, "over"),
        ],
    )
    def test_one_that_does_not_count_now_is_refused(
        self, desk: Desk, lot: Lot, coupon: Make, terms: dict[str, Any], reason: str
    ) -> None:
        now = clock.now()
        coupon(
            **{
                name: (now + value).isoformat() if isinstance(value, timedelta) else value
                for name, value in terms.items()
            }
        )
        assert _reason(desk.ask(lot, coupon="SPRING")) == (409, "coupon-not-valid", reason)

    def test_one_of_another_lot_is_refused(
        self, desk: Desk, lot: Lot, coupon: Make, make: Factory
    ) -> None:
        other = make.lot()
        coupon(lot_id=other.id)
        assert _reason(desk.ask(lot, coupon="SPRING"))[2] == "other-lot"
        assert desk.ask(other, coupon="SPRING").status_code == 201


class TestUse:
    def test_a_booking_counts_and_keeps_the_price(
        self, desk: Desk, lot: Lot, coupon: Make, uses: Any
    ) -> None:
        made = coupon()
        quote = desk.quote(lot, coupon="SPRING")
        assert uses(made) == 0
        held = desk.book(quote_id=quote["id"])
        assert (held.status_code, held.json["price_minor"]) == (201, quote["total_minor"])
        assert uses(made) == 1

    def test_one_withdrawn_meanwhile_is_refused(
        self, client: FlaskClient, as_admin: dict[str, str], desk: Desk, lot: Lot, coupon: Make
    ) -> None:
        made = coupon()
        quote = desk.quote(lot, coupon="SPRING")
        client.patch(f"/api/v1/coupons/{made['id']}", json={"active": False}, headers=as_admin)
        assert _reason(desk.book(quote_id=quote["id"])) == (409, "coupon-not-valid", "over")

    def test_it_is_used_as_often_as_it_may_be(
        self, arrive: Arrive, lot: Lot, coupon: Make, uses: Any
    ) -> None:
        made = coupon(most_uses=1)
        first, second = arrive(), arrive()
        late = second.quote(lot, coupon="SPRING")
        assert _book(first, lot).status_code == 201
        assert _reason(second.book(quote_id=late["id"])) == (409, "coupon-not-valid", "used-up")
        assert _reason(second.ask(lot, coupon="SPRING")) == (409, "coupon-not-valid", "used-up")
        assert uses(made) == 1

    def test_each_driver_uses_it_as_often_as_a_driver_may(
        self, arrive: Arrive, lot: Lot, coupon: Make
    ) -> None:
        coupon(most_uses_per_driver=1)
        first, second = arrive(), arrive()
        assert _book(first, lot).status_code == 201
        assert _reason(first.ask(lot, coupon="SPRING", **window(14, 15)))[2] == "used-up"
        assert _book(second, lot).status_code == 201

    def test_one_cancelled_unpaid_comes_back(
        self, arrive: Arrive, lot: Lot, coupon: Make, uses: Any
    ) -> None:
        made = coupon(most_uses=1)
        first, second = arrive(), arrive()
        held = _book(first, lot).json
        assert first.cancel(held).status_code == 200
        assert uses(made) == 0
        assert _book(second, lot).status_code == 201

    def test_one_that_made_it_free_comes_back_too(
        self, arrive: Arrive, lot: Lot, coupon: Make, uses: Any
    ) -> None:
        made = coupon(percent_bp=10_000)
        first = arrive()
        free = _book(first, lot).json
        assert (free["status"], free["price_minor"], uses(made)) == ("confirmed", 0, 1)
        assert first.cancel(free).status_code == 200
        assert uses(made) == 0

    def test_one_of_a_hold_that_ran_out_comes_back_without_any_job(
        self, arrive: Arrive, lot: Lot, coupon: Make, later: Later
    ) -> None:
        coupon(most_uses=1)
        first, second = arrive(), arrive()
        assert _book(first, lot).status_code == 201
        assert _reason(second.ask(lot, coupon="SPRING"))[2] == "used-up"
        assert _book(later(second, minutes=11), lot).status_code == 201

    def test_one_cancelled_after_it_was_paid_stays_used(
        self, arrive: Arrive, lot: Lot, coupon: Make, uses: Any
    ) -> None:
        made = coupon(most_uses=1)
        first = arrive()
        held = _book(first, lot).json
        assert first.charge(held)["status"] == "succeeded"
        first.cancel(held)
        assert uses(made) == 1


class TestRace:
    MOST = 2
    # No more than the pool has connections.
    DRIVERS = 6

    def rush(self, app: Flask, arrive: Arrive, make: Factory, coupon: Make) -> Counter[int]:
        """Let drivers with a price each, all made before the first use, book at one moment."""
        lot = make.lot(spots=self.DRIVERS)
        coupon(most_uses=self.MOST)
        together = Barrier(self.DRIVERS)
        crew = [arrive() for _ in range(self.DRIVERS)]
        quotes = [driver.quote(lot, coupon="SPRING")["id"] for driver in crew]

        def book(driver: Desk, quote_id: int) -> int:
            together.wait(timeout=30)
            body = {"quote_id": quote_id, "vehicle_id": driver.vehicle.id}
            answer = app.test_client().post(
                "/api/v1/reservations", json=body, headers=driver.headers
            )
            return answer.status_code

        with ThreadPoolExecutor(self.DRIVERS) as pool:
            return Counter(pool.map(book, crew, quotes))

    def test_no_more_use_it_than_may(
        self, app: Flask, arrive: Arrive, make: Factory, coupon: Make, uses: Any
    ) -> None:
        told = self.rush(app, arrive, make, coupon)
        assert told == {201: self.MOST, 409: self.DRIVERS - self.MOST}

    def test_more_would_without_the_guard(
        self,
        app: Flask,
        arrive: Arrive,
        make: Factory,
        coupon: Make,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The twin: on PostgreSQL without the lock; on SQLite, where writers wait anyhow, without the second look."""
        if "sqlite" in app.extensions["settings"].database_url:
            monkeypatch.setattr(service, "_count", lambda _condition: 0)
        else:
            unlocked = select(Coupon).where(Coupon.id == bindparam("coupon_id"))
            monkeypatch.setattr(service, "_LOCK", unlocked)
            looked, check = Barrier(self.DRIVERS), service._check

            def look_together(*args: Any, **kwargs: Any) -> None:
                check(*args, **kwargs)
                if quoted:
                    looked.wait(timeout=30)

            quoted: list[bool] = []
            use = service.use_coupon

            def use_together(*args: Any) -> None:
                quoted.append(True)
                use(*args)

            monkeypatch.setattr(service, "_check", look_together)
            monkeypatch.setattr("backend.reservations.booking.use_coupon", use_together)
        told = self.rush(app, arrive, make, coupon)
        assert told[201] > self.MOST
