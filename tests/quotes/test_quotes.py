"""Quotes over HTTP: what a window costs, and which windows and vehicles are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import clock
from backend.config import Settings
from backend.database import get_row
from backend.models import Quote, User
from backend.tariffs import versions
from backend.transaction import transaction
from tests.factories import Factory

Headers = dict[str, str]

BERLIN = ZoneInfo("Europe/Berlin")
LADDER = [{"minutes": 60, "amount_minor": 400}, {"minutes": 60, "amount_minor": 300}]
HOUR = timedelta(hours=1)


def _at(hour: int, minute: int = 0, *, days: int = 2) -> datetime:
    """Give a time of the wall clock in Berlin, some days from now."""
    day = clock.now().astimezone(BERLIN) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


class Desk:
    """Somebody asking for prices."""

    def __init__(self, client: FlaskClient, as_admin: Headers) -> None:
        self.client = client
        self.as_admin = as_admin

    def publish(self, lot_id: int, **terms: Any) -> int:
        body = {"name": "Standard", "increments": LADDER, **terms}
        draft = self.client.post(
            f"/api/v1/lots/{lot_id}/tariffs", json=body, headers=self.as_admin
        ).get_json()
        answer = self.client.post(f"/api/v1/tariffs/{draft['id']}/publish", headers=self.as_admin)
        assert answer.status_code == 200, answer.get_data()
        return int(draft["id"])

    def ask(
        self,
        lot_id: int,
        starts_at: datetime | str | None = None,
        ends_at: datetime | str | None = None,
        *,
        headers: Headers | None = None,
        **fields: Any,
    ) -> Any:
        starts_at = starts_at or _at(10)
        ends_at = ends_at or _at(12)
        body = {"lot_id": lot_id, "starts_at": _write(starts_at), "ends_at": _write(ends_at)}
        return self.client.post("/api/v1/quotes", json={**body, **fields}, headers=headers or {})


def _write(moment: datetime | str) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


def _refusal(answer: Any) -> tuple[int, str, str | None]:
    problem = answer.get_json()
    return answer.status_code, problem["type"].removeprefix("/problems/"), problem.get("reason")


@pytest.fixture
def desk(client: FlaskClient, as_admin: Headers) -> Desk:
    return Desk(client, as_admin)


@pytest.fixture
def lot(desk: Desk, make: Factory) -> int:
    lot_id = make.lot(hourly_minor=None).id
    desk.publish(lot_id, day_cap_minor=2000)
    return lot_id


class TestPrice:
    def test_anybody_gets_a_price_line_by_line(
        self, settings: Settings, desk: Desk, lot: int
    ) -> None:
        starts_at, ends_at = _at(10), _at(12, 20)
        before = clock.now()

        answer = desk.ask(lot, starts_at, ends_at)

        assert answer.status_code == 201
        quote = answer.get_json()
        assert quote.pop("id") > 0
        day = f"{starts_at:%a} {starts_at.day} {starts_at:%b}"
        expires_at = datetime.fromisoformat(quote.pop("expires_at"))
        valid = timedelta(minutes=settings.quote_minutes)
        assert before + valid <= expires_at <= clock.now() + valid
        assert quote == {
            "lot_id": lot,
            "starts_at": starts_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ends_at": ends_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "spot_kind": None,
            "priced_kind": "standard",
            "vehicle_id": None,
            "total_minor": 1000,
            "currency": "EUR",
            "lines": [
                {
                    "label": f"{day} · first 60 min",
                    "quantity": 1,
                    "unit_minor": 400,
                    "amount_minor": 400,
                    "kind": "parking",
                },
                {
                    "label": f"{day} · 2 × 60 min",
                    "quantity": 2,
                    "unit_minor": 300,
                    "amount_minor": 600,
                    "kind": "parking",
                },
            ],
            "taxes": [{"name": "VAT", "rate_bp": 1900, "amount_minor": 160, "included": True}],
            "tax_minor": 160,
            "refund_policy": {
                "name": "standard",
                "steps": [
                    {"until_hours_before": 24, "percent": 100},
                    {"until_hours_before": 2, "percent": 75},
                    {"until_hours_before": 0, "percent": 50},
                ],
                "full_refund_within_minutes": 15,
                "full_refund_until_hours_before": 1,
            },
        }

    def test_days_are_those_of_the_lot_and_each_has_its_cap(self, desk: Desk, lot: int) -> None:
        quote = desk.ask(lot, _at(12), _at(12, days=4)).get_json()
        assert [line["kind"] for line in quote["lines"]].count("day_cap") == 3
        assert quote["total_minor"] == 3 * 2000
        assert sum(line["amount_minor"] for line in quote["lines"]) == quote["total_minor"]

    def test_tax_on_top_is_a_line(self, desk: Desk, lot: int) -> None:
        desk.publish(lot, tax_inclusive=False, taxes=[{"name": "City", "rate_bp": 1000}])
        quote = desk.ask(lot).get_json()
        assert (quote["total_minor"], quote["tax_minor"]) == (770, 70)
        assert quote["lines"][-1]["kind"] == "tax"

    @pytest.mark.parametrize("policy", ["flexible", "saver"])
    def test_the_refund_policy_is_the_lots(self, desk: Desk, make: Factory, policy: str) -> None:
        lot_id = make.lot(refund_policy=policy).id
        assert desk.ask(lot_id).get_json()["refund_policy"]["name"] == policy

    def test_a_quote_keeps_its_price_when_the_tariff_changes(
        self, app: Flask, desk: Desk, lot: int
    ) -> None:
        old = desk.ask(lot, _at(10), _at(11, days=3)).get_json()
        desk.publish(lot, increments=[{"minutes": 60, "amount_minor": 9900}])
        assert desk.ask(lot).get_json()["total_minor"] == 2 * 9900

        with app.app_context(), transaction(read_only=True):
            quote = get_row(Quote, old["id"])
            replayed = versions.replay(quote)
            assert [line.to_dict() for line in replayed.lines] == quote.lines == old["lines"]
            assert [tax.to_dict() for tax in replayed.taxes] == quote.taxes == old["taxes"]
            assert (replayed.total_minor, replayed.tax_minor, replayed.currency) == (
                old["total_minor"],
                old["tax_minor"],
                old["currency"],
            )

    def test_a_window_to_the_microsecond_is_taken_as_given(
        self, app: Flask, desk: Desk, lot: int
    ) -> None:
        starts_at = _at(10).replace(second=7, microsecond=123456)
        document = desk.ask(lot, starts_at, starts_at + HOUR).get_json()
        assert datetime.fromisoformat(document["starts_at"]) == starts_at
        with app.app_context(), transaction(read_only=True):
            assert versions.replay(get_row(Quote, document["id"])).total_minor == 400


class TestWindow:
    @pytest.mark.parametrize(
        ("start", "length", "field"),
        [
            (-6 * HOUR / 60, HOUR, "starts_at"),
            (90 * 24 * HOUR + HOUR, HOUR, "starts_at"),
            (HOUR, timedelta(minutes=14), "ends_at"),
            (HOUR, 30 * 24 * HOUR + HOUR, "ends_at"),
            (HOUR, -HOUR, "ends_at"),
            (HOUR, timedelta(), "ends_at"),
        ],
    )
    def test_what_no_booking_may_have_is_refused(
        self, desk: Desk, lot: int, start: timedelta, length: timedelta, field: str
    ) -> None:
        starts_at = clock.now() + start
        answer = desk.ask(lot, starts_at, starts_at + length)
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]) == [field]

    @pytest.mark.parametrize("moment", ["2030-01-01T10:00:00", "soon", "9999-12-31T23:59:59-12:00"])
    def test_an_instant_without_offset_or_sense_is_refused(
        self, desk: Desk, lot: int, moment: str
    ) -> None:
        answer = desk.ask(lot, moment)
        assert answer.status_code == 422
        assert "starts_at" in answer.get_json()["errors"]

    def test_a_start_just_past_is_taken(self, desk: Desk, lot: int) -> None:
        starts_at = clock.now() - timedelta(minutes=4)
        assert desk.ask(lot, starts_at, starts_at + HOUR).status_code == 201

    def test_opening_hours_are_read_in_the_zone_of_the_lot(self, desk: Desk, make: Factory) -> None:
        lot_id = make.lot(opening_hours="08:00-20:00", timezone="Europe/Berlin").id
        assert desk.ask(lot_id, _at(8), _at(20)).status_code == 201
        for starts_at, ends_at in ((_at(7, 59), _at(9)), (_at(19), _at(20, 1))):
            assert _refusal(desk.ask(lot_id, starts_at, ends_at)) == (
                409,
                "lot-not-bookable",
                "outside_opening_hours",
            )


class TestLot:
    def test_a_closed_lot_takes_no_bookings(self, desk: Desk, make: Factory) -> None:
        lot_id = make.lot(status="closed").id
        assert _refusal(desk.ask(lot_id)) == (409, "lot-not-bookable", "closed")

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_a_hidden_lot_looks_absent_but_to_admins(
        self,
        desk: Desk,
        make: Factory,
        as_driver: Headers,
        status: str,
    ) -> None:
        lot_id = make.lot(status=status).id
        assert desk.ask(lot_id).status_code == 404
        assert desk.ask(lot_id, headers=as_driver).status_code == 404
        answer = desk.ask(lot_id, headers=desk.as_admin)
        assert _refusal(answer) == (409, "lot-not-bookable", status)

    def test_there_is_no_price_without_a_lot(self, desk: Desk) -> None:
        assert desk.ask(10**17).status_code == 404

    def test_there_is_no_price_without_a_tariff(self, desk: Desk, make: Factory) -> None:
        assert _refusal(desk.ask(make.lot(hourly_minor=None).id)) == (
            409,
            "lot-not-bookable",
            "no_tariff",
        )

    def test_a_lot_without_bays_takes_no_bookings(self, desk: Desk, make: Factory) -> None:
        lot_id = make.lot(spots=0).id
        assert _refusal(desk.ask(lot_id)) == (409, "lot-not-bookable", "no_fitting_bay")

    def test_a_kind_that_the_lot_does_not_have_is_refused(self, desk: Desk, lot: int) -> None:
        assert desk.ask(lot, spot_kind="standard").get_json()["spot_kind"] == "standard"
        answer = desk.ask(lot, spot_kind="large")
        assert _refusal(answer) == (409, "lot-not-bookable", "no_fitting_bay")

    def test_accessible_bays_need_a_permit(self, desk: Desk, make: Factory) -> None:
        lot_id = make.lot(kind="accessible").id
        answer = desk.ask(lot_id, spot_kind="accessible")
        assert _refusal(answer) == (409, "vehicle-does-not-fit", None)
        assert _refusal(desk.ask(lot_id)) == (409, "lot-not-bookable", "no_fitting_bay")


class TestVehicle:
    def test_a_vehicle_of_ones_own_is_priced(
        self, desk: Desk, lot: int, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        vehicle_id = make.vehicle(driver).id
        answer = desk.ask(lot, headers=as_driver, vehicle_id=vehicle_id)
        assert answer.status_code == 201
        assert answer.get_json()["vehicle_id"] == vehicle_id

    def test_a_vehicle_needs_its_owner(
        self, desk: Desk, lot: int, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        vehicle_id = make.vehicle(driver).id
        assert desk.ask(lot, vehicle_id=vehicle_id).status_code == 401
        for headers in (make.headers(make.user()), desk.as_admin):
            assert desk.ask(lot, headers=headers, vehicle_id=vehicle_id).status_code == 404
        assert desk.ask(lot, headers=as_driver, vehicle_id=10**17).status_code == 404

    def test_a_deleted_vehicle_is_gone(
        self, desk: Desk, lot: int, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        vehicle_id = make.vehicle(driver).id
        desk.client.delete(f"/api/v1/vehicles/{vehicle_id}", headers=as_driver)
        assert desk.ask(lot, headers=as_driver, vehicle_id=vehicle_id).status_code == 404

    @pytest.mark.parametrize(
        ("traits", "kind", "status"),
        [
            ({"kind": "car"}, "standard", 201),
            ({"kind": "car"}, "electric", 409),
            ({"kind": "car", "electric": True}, "electric", 201),
            ({"kind": "car"}, "motorcycle", 409),
            ({"kind": "van"}, "standard", 409),
            ({"kind": "van"}, "large", 201),
            ({"kind": "motorcycle"}, "motorcycle", 201),
            ({"kind": "car"}, "accessible", 409),
        ],
    )
    def test_the_kind_of_bay_must_fit_the_vehicle(
        self,
        desk: Desk,
        make: Factory,
        driver: User,
        as_driver: Headers,
        traits: dict[str, Any],
        kind: str,
        status: int,
    ) -> None:
        lot_id = make.lot(kind=kind).id
        vehicle_id = make.vehicle(driver, **traits).id
        answer = desk.ask(lot_id, headers=as_driver, vehicle_id=vehicle_id, spot_kind=kind)
        assert answer.status_code == status
        if status == 409:
            assert answer.get_json()["type"] == "/problems/vehicle-does-not-fit"

    def test_a_lot_without_a_bay_for_the_vehicle_is_refused(
        self, desk: Desk, lot: int, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        vehicle_id = make.vehicle(driver, kind="van").id
        answer = desk.ask(lot, headers=as_driver, vehicle_id=vehicle_id)
        assert _refusal(answer) == (409, "lot-not-bookable", "no_fitting_bay")

    @pytest.mark.parametrize(("height_cm", "status"), [(200, 201), (201, 409), (None, 201)])
    def test_a_vehicle_must_pass_under_the_limit(
        self,
        desk: Desk,
        make: Factory,
        driver: User,
        as_driver: Headers,
        height_cm: int | None,
        status: int,
    ) -> None:
        lot_id = make.lot(height_limit_cm=200).id
        vehicle_id = make.vehicle(driver, height_cm=height_cm).id
        answer = desk.ask(lot_id, headers=as_driver, vehicle_id=vehicle_id)
        assert answer.status_code == status
        if status == 409:
            assert answer.get_json()["type"] == "/problems/vehicle-does-not-fit"


class TestInput:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("lot_id", "7"),
            ("lot_id", 7.0),
            ("lot_id", True),
            ("lot_id", 2**63),
            ("vehicle_id", "7"),
            ("spot_kind", "royal"),
            ("coupon", 7),
            ("coupon", " "),
            ("total_minor", 1),
        ],
    )
    def test_what_is_unknown_or_of_another_type_is_refused(
        self, desk: Desk, lot: int, field: str, value: object
    ) -> None:
        answer = desk.ask(lot, **{field: value}) if field != "lot_id" else desk.ask(value)
        assert answer.status_code == 422
        assert field in answer.get_json()["errors"]

    def test_a_bad_token_is_refused_though_none_is_needed(self, desk: Desk, lot: int) -> None:
        answer = desk.ask(lot, headers={"Authorization": "Bearer nonsense"})
        assert answer.status_code == 401
