"""Tariffs over HTTP: drafting, publishing, and which version counts."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from backend import config
from backend.config import Settings
from backend.database import get_row, violates
from backend.models import Base, Lot
from backend.tariffs import service, versions
from backend.transaction import transaction
from tests.factories import Factory

LADDER = [{"minutes": 60, "amount_minor": 400}, {"minutes": 60, "amount_minor": 300}]
EARLY = {
    "name": "Early bird",
    "kind": "early_bird",
    "weekdays": [0, 1, 2, 3, 4],
    "on_holidays": False,
    "enter_from_minutes": 360,
    "enter_until_minutes": 540,
    "leave_until_minutes": 1140,
    "first_day": None,
    "last_day": None,
    "amount_minor": 900,
}
LATE = {**EARLY, "name": "Evening", "kind": "evening", "weekdays": list(range(7))}
SUNDAYS = {
    "name": "Sundays",
    "weekdays": [6],
    "on_holidays": False,
    "percent_bp": 5000,
    "day_cap_minor": None,
}

Headers = dict[str, str]


class Office:
    """An admin at work on the tariffs of one lot."""

    def __init__(self, client: FlaskClient, as_admin: Headers, lot_id: int) -> None:
        self.client = client
        self.as_admin = as_admin
        self.lot_id = lot_id

    def try_draft(self, **changes: Any) -> Any:
        body = {"name": "Standard", "increments": LADDER, **changes}
        return self.client.post(
            f"/api/v1/lots/{self.lot_id}/tariffs", json=body, headers=self.as_admin
        )

    def draft(self, **changes: Any) -> dict[str, Any]:
        answer = self.try_draft(**changes)
        assert answer.status_code == 201, answer.get_data()
        document: dict[str, Any] = answer.get_json()
        return document

    def publish(self, tariff_id: int) -> Any:
        return self.client.post(f"/api/v1/tariffs/{tariff_id}/publish", headers=self.as_admin)

    def statuses(self) -> dict[int, str]:
        answer = self.client.get(f"/api/v1/lots/{self.lot_id}/tariffs", headers=self.as_admin)
        return {tariff["version"]: tariff["status"] for tariff in answer.get_json()["items"]}


@pytest.fixture
def office(client: FlaskClient, as_admin: Headers, make: Factory) -> Office:
    return Office(client, as_admin, make.lot(hourly_minor=None).id)


@pytest.fixture
def currency(settings: Settings) -> Callable[[str], None]:
    """Move the installation to another currency, until the test ends."""
    return lambda code: config.use(replace(settings, currency=code))


class TestDraft:
    def test_a_draft_has_the_next_version_and_what_was_left_out(self, office: Office) -> None:
        assert office.draft()["version"] == 1
        draft = office.draft(name=" Weekend ")
        assert draft.pop("id") > 0
        assert draft.pop("created_at").endswith("Z")
        assert draft == {
            "lot_id": office.lot_id,
            "version": 2,
            "name": "Weekend",
            "status": "draft",
            "currency": "EUR",
            "increments": LADDER,
            "billing_step_minutes": 15,
            "free_minutes": 0,
            "day_cap_minor": None,
            "week_cap_minor": None,
            "minimum_minor": None,
            "day_start_minutes": 0,
            "holiday_region": None,
            "bands": [],
            "kind_rules": [],
            "day_rules": [],
            "tax_inclusive": True,
            "taxes": [{"name": "VAT", "rate_bp": 1900}],
            "published_at": None,
        }

    def test_the_same_key_makes_one_draft(
        self, office: Office, client: FlaskClient, as_admin: dict[str, str]
    ) -> None:
        def post() -> Any:
            return client.post(
                f"/api/v1/lots/{office.lot_id}/tariffs",
                json={"name": "Day", "increments": LADDER},
                headers=as_admin | {"Idempotency-Key": "k"},
            )

        first = post()
        office.publish(first.json["id"])
        again = post()
        assert again.status_code == 201
        assert again.json == first.json

    def test_every_term_is_kept(self, office: Office) -> None:
        terms = {
            "billing_step_minutes": 30,
            "free_minutes": 20,
            "day_cap_minor": 2000,
            "day_start_minutes": 360,
            "tax_inclusive": False,
            "taxes": [{"name": "City", "rate_bp": 250}, {"name": "State", "rate_bp": 700}],
            "week_cap_minor": 9000,
            "minimum_minor": 150,
            "holiday_region": "DE-SN",
            "bands": [{**EARLY, "first_day": "2026-12-01", "last_day": "2026-12-24"}, LATE],
            "kind_rules": [
                {"spot_kind": "compact", "percent_bp": 9000},
                {"spot_kind": "electric", "percent_bp": 12_500},
            ],
            "day_rules": [
                {**SUNDAYS, "on_holidays": True, "day_cap_minor": 900},
                {**SUNDAYS, "name": "Saturdays", "weekdays": [5]},
            ],
        }
        assert terms.items() <= office.draft(**terms).items()

    def test_rupees_come_with_gst_in_two_halves(
        self, office: Office, currency: Callable[[str], None]
    ) -> None:
        currency("INR")
        assert [(tax["name"], tax["rate_bp"]) for tax in office.draft()["taxes"]] == [
            ("CGST", 900),
            ("SGST", 900),
        ]

    def test_an_empty_list_of_taxes_means_none(self, office: Office) -> None:
        assert office.draft(taxes=[])["taxes"] == []

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "  "),
            ("increments", []),
            ("increments", [{"minutes": 0, "amount_minor": 1}]),
            ("increments", [{"minutes": 60, "amount_minor": -1}]),
            ("increments", [{"minutes": 60, "amount_minor": 4.0}]),
            ("increments", [{"minutes": 60, "amount_minor": 1_000_000_001}]),
            ("increments", [{"minutes": 43_201, "amount_minor": 1}]),
            ("increments", [{"minutes": 60}]),
            ("increments", LADDER * 51),
            ("billing_step_minutes", 0),
            ("billing_step_minutes", 1441),
            ("billing_step_minutes", True),
            ("free_minutes", -1),
            ("free_minutes", 43_201),
            ("day_cap_minor", -1),
            ("day_cap_minor", 1_000_000_001),
            ("day_start_minutes", 1440),
            ("tax_inclusive", "yes"),
            ("taxes", [{"name": "VAT", "rate_bp": 10_001}]),
            ("taxes", [{"name": "", "rate_bp": 100}]),
            ("taxes", [{"name": "A", "rate_bp": 5_001}, {"name": "B", "rate_bp": 5_000}]),
            ("taxes", [{"name": "A", "rate_bp": 1}] * 11),
            ("week_cap_minor", -1),
            ("week_cap_minor", 1_000_000_001),
            ("minimum_minor", -1),
            ("minimum_minor", 1_000_000_001),
            ("holiday_region", "DE-XX"),
            ("holiday_region", "XX"),
            ("bands", [EARLY] * 21),
            ("bands", [{**EARLY, "kind": "happy"}]),
            ("bands", [{**EARLY, "name": " "}]),
            ("bands", [{**EARLY, "weekdays": [7]}]),
            ("bands", [{**EARLY, "weekdays": [1, 1]}]),
            ("bands", [{**EARLY, "weekdays": 127}]),
            ("bands", [{**EARLY, "enter_from_minutes": 1440}]),
            ("bands", [{**EARLY, "enter_until_minutes": 360}]),
            ("bands", [{**EARLY, "leave_until_minutes": 360}]),
            ("bands", [{**EARLY, "leave_until_minutes": 20_161}]),
            ("bands", [{**EARLY, "first_day": "2026-02-30"}]),
            ("bands", [{**EARLY, "first_day": "20260201"}]),
            ("bands", [{**EARLY, "first_day": "2026-02-02", "last_day": "2026-02-01"}]),
            ("bands", [{**EARLY, "amount_minor": -1}]),
            ("kind_rules", [{"spot_kind": "royal", "percent_bp": 1}]),
            ("kind_rules", [{"spot_kind": "large", "percent_bp": 100_001}]),
            ("kind_rules", [{"spot_kind": "large", "percent_bp": 1}] * 2),
            ("day_rules", [{**SUNDAYS, "percent_bp": -1}]),
            ("day_rules", [{**SUNDAYS, "percent_bp": 100_001}]),
            ("day_rules", [{**SUNDAYS, "day_cap_minor": -1}]),
            ("day_rules", [SUNDAYS] * 21),
            ("currency", "EUR"),
            ("status", "published"),
        ],
    )
    def test_what_the_engine_cannot_price_is_refused(
        self, office: Office, field: str, value: object
    ) -> None:
        answer = office.try_draft(**{field: value})
        assert answer.status_code == 422
        assert any(name.split(".")[0] == field for name in answer.get_json()["errors"])
        assert office.statuses() == {}

    def test_rules_that_together_make_too_much_are_refused(self, office: Office) -> None:
        rules = {
            "kind_rules": [{"spot_kind": "large", "percent_bp": 20_000}],
            "day_rules": [{**SUNDAYS, "percent_bp": 50_001}],
        }
        answer = office.try_draft(**rules)
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]) == ["day_rules"]

    def test_bands_and_rules_have_defaults(self, office: Office) -> None:
        band = {name: EARLY[name] for name in EARLY if name.endswith("_minutes")}
        band |= {"name": "Fair", "kind": "event", "amount_minor": 5}
        draft = office.draft(bands=[band], day_rules=[{"name": "None", "percent_bp": 1}])
        assert draft["bands"] == [
            {
                **band,
                "weekdays": list(range(7)),
                "on_holidays": True,
                "first_day": None,
                "last_day": None,
            }
        ]
        assert draft["day_rules"] == [{**SUNDAYS, "name": "None", "weekdays": [], "percent_bp": 1}]

    def test_the_engines_bounds_themselves_pass(self, office: Office) -> None:
        office.draft(
            increments=[{"minutes": 43_200, "amount_minor": 1_000_000_000}] * 100,
            billing_step_minutes=1440,
            free_minutes=43_200,
            day_cap_minor=1_000_000_000,
            day_start_minutes=1439,
            week_cap_minor=1_000_000_000,
            minimum_minor=1_000_000_000,
            bands=[{**EARLY, "enter_until_minutes": 20_160, "leave_until_minutes": 20_160}] * 20,
            kind_rules=[{"spot_kind": "large", "percent_bp": 100_000}],
            day_rules=[{**SUNDAYS, "percent_bp": 10_000}] * 20,
            taxes=[{"name": "A", "rate_bp": 1_000}] * 10,
        )

    def test_there_is_no_draft_without_a_lot(self, office: Office) -> None:
        office.lot_id = 10**17
        assert office.try_draft().status_code == 404

    def test_drafts_of_one_moment_get_a_version_each(self, app: Flask, office: Office) -> None:
        def draft(_: int) -> int:
            mine = Office(app.test_client(), office.as_admin, office.lot_id)
            return int(mine.draft()["version"])

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(draft, range(6))) == [1, 2, 3, 4, 5, 6]


class TestPublish:
    def test_the_published_draft_is_shown_to_anybody(
        self, office: Office, client: FlaskClient
    ) -> None:
        draft = office.draft()
        url = f"/api/v1/lots/{office.lot_id}/tariff"
        assert client.get(url).status_code == 404

        answer = office.publish(draft["id"])

        assert answer.status_code == 200
        published = answer.get_json()
        assert published["published_at"].endswith("Z")
        assert published == {
            **draft,
            "status": "published",
            "published_at": published["published_at"],
        }
        assert client.get(url).get_json() == published

    def test_the_former_version_is_superseded(self, office: Office) -> None:
        for _ in range(3):
            assert office.publish(office.draft()["id"]).status_code == 200
        assert office.statuses() == {3: "published", 2: "superseded", 1: "superseded"}

    def test_a_second_time_is_refused(self, office: Office) -> None:
        first, second = office.draft(), office.draft()
        office.publish(first["id"])
        for attempt in (first, first):
            answer = office.publish(attempt["id"])
            assert (answer.status_code, answer.get_json()["type"]) == (
                409,
                "/problems/tariff-not-draft",
            )
        office.publish(second["id"])
        assert office.publish(first["id"]).status_code == 409
        assert office.statuses() == {2: "published", 1: "superseded"}

    def test_prices_in_another_currency_are_refused(
        self, office: Office, currency: Callable[[str], None]
    ) -> None:
        currency("INR")
        draft = office.draft()
        currency("EUR")
        answer = office.publish(draft["id"])
        assert (answer.status_code, answer.get_json()["type"]) == (
            409,
            "/problems/illegal-transition",
        )
        assert office.statuses() == {1: "draft"}

    def test_what_does_not_exist_cannot_be_published(self, office: Office) -> None:
        assert office.publish(10**17).status_code == 404

    def test_drafts_published_at_once_leave_one_published(self, app: Flask, office: Office) -> None:
        tariff_ids = [office.draft()["id"] for _ in range(8)]

        def publish(tariff_id: int) -> int:
            status: int = (
                app.test_client()
                .post(f"/api/v1/tariffs/{tariff_id}/publish", headers=office.as_admin)
                .status_code
            )
            return status

        with ThreadPoolExecutor(len(tariff_ids)) as pool:
            assert list(pool.map(publish, tariff_ids)) == [200] * len(tariff_ids)
        statuses = list(office.statuses().values())
        assert (statuses.count("published"), statuses.count("superseded")) == (1, 7)

    # On SQLite there is one writer at a time anyhow.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="session")
    def test_without_the_lock_on_the_lot_they_would_collide(
        self, app: Flask, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tariff_ids = [office.draft()["id"] for _ in range(4)]
        all_have_read = Barrier(len(tariff_ids))

        def read_without_lock(model: type[Base], row_id: int, *, for_update: bool = False) -> Base:
            row = get_row(model, row_id)
            if model is Lot and for_update:
                all_have_read.wait(timeout=10)
            return row

        monkeypatch.setattr(service, "get_row", read_without_lock)

        def publish(tariff_id: int) -> bool:
            try:
                with app.app_context(), transaction():
                    service.publish_tariff(None, tariff_id)
                    # The others come before this is committed, however slow the machine.
                    time.sleep(0.5)
            except IntegrityError as error:
                if violates(error, "uq_tariffs_one_published"):
                    return False
                raise
            return True

        with ThreadPoolExecutor(len(tariff_ids)) as pool:
            assert list(pool.map(publish, tariff_ids)).count(True) == 1

    def test_one_draft_published_at_once_by_many_is_published_once(
        self, app: Flask, office: Office
    ) -> None:
        tariff_id = office.draft()["id"]

        def publish(_: int) -> int:
            status: int = (
                app.test_client()
                .post(f"/api/v1/tariffs/{tariff_id}/publish", headers=office.as_admin)
                .status_code
            )
            return status

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(publish, range(8))) == [200] + [409] * 7


class TestList:
    def test_versions_come_newest_first_in_pages(self, office: Office, client: FlaskClient) -> None:
        for _ in range(3):
            office.draft()
        url = f"/api/v1/lots/{office.lot_id}/tariffs"
        first = client.get(f"{url}?limit=2", headers=office.as_admin).get_json()
        rest = client.get(
            f"{url}?limit=2&cursor={first['next_cursor']}", headers=office.as_admin
        ).get_json()
        assert [tariff["version"] for tariff in first["items"]] == [3, 2]
        assert [tariff["version"] for tariff in rest["items"]] == [1]
        assert (first["total"], rest["total"], rest["next_cursor"]) == (3, 3, None)

    def test_a_made_up_cursor_is_refused(self, office: Office, client: FlaskClient) -> None:
        answer = client.get(
            f"/api/v1/lots/{office.lot_id}/tariffs?cursor=abc", headers=office.as_admin
        )
        assert answer.status_code == 422

    def test_there_is_no_list_without_a_lot(self, office: Office, client: FlaskClient) -> None:
        answer = client.get(f"/api/v1/lots/{10**17}/tariffs", headers=office.as_admin)
        assert answer.status_code == 404


class TestWhoMay:
    def test_only_admins_see_and_make_versions(
        self, office: Office, client: FlaskClient, as_driver: Headers
    ) -> None:
        draft = office.draft()
        list_url = f"/api/v1/lots/{office.lot_id}/tariffs"
        publish_url = f"/api/v1/tariffs/{draft['id']}/publish"
        body = {"name": "Mine", "increments": LADDER}
        for headers, status in ((as_driver, 403), ({}, 401)):
            assert client.get(list_url, headers=headers).status_code == status
            assert client.post(list_url, json=body, headers=headers).status_code == status
            assert client.post(publish_url, headers=headers).status_code == status
        assert office.statuses() == {1: "draft"}

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_the_tariff_of_a_hidden_lot_is_for_admins(
        self,
        client: FlaskClient,
        as_admin: Headers,
        as_driver: Headers,
        make: Factory,
        status: str,
    ) -> None:
        office = Office(client, as_admin, make.lot(status=status, hourly_minor=None).id)
        office.publish(office.draft()["id"])
        url = f"/api/v1/lots/{office.lot_id}/tariff"
        assert client.get(url).status_code == 404
        assert client.get(url, headers=as_driver).status_code == 404
        assert client.get(url, headers=as_admin).status_code == 200


class TestCurrentTariffs:
    def test_each_lot_has_its_published_version_and_the_engine_reads_it_the_same(
        self, app: Flask, office: Office, client: FlaskClient, make: Factory
    ) -> None:
        other = Office(client, office.as_admin, make.lot(hourly_minor=None).id)
        unpriced = make.lot(hourly_minor=None).id
        first = office.draft(day_cap_minor=2000)
        second = other.draft(increments=LADDER[:1], taxes=[])
        for tariff in (first, second):
            office.publish(tariff["id"])
        office.draft()

        # The second time they come out of the process's memory.
        for _ in range(2):
            with app.app_context(), transaction(read_only=True):
                found = versions.current_tariffs([office.lot_id, other.lot_id, unpriced])
                rows = {lot_id: service.current_tariff(lot_id) for lot_id in found}
                assert {lot_id: current.id for lot_id, current in found.items()} == {
                    office.lot_id: first["id"],
                    other.lot_id: second["id"],
                }
                for lot_id, row in rows.items():
                    assert row is not None
                    assert versions.engine_tariff(row) == found[lot_id].tariff

    def test_a_new_version_counts_at_once(self, app: Flask, office: Office) -> None:
        for amount in (100, 200):
            draft = office.draft(increments=[{"minutes": 60, "amount_minor": amount}])
            office.publish(draft["id"])
            with app.app_context(), transaction(read_only=True):
                current = versions.current_tariffs([office.lot_id])[office.lot_id]
            assert current.tariff.increments[0].amount_minor == amount

    def test_no_lots_have_no_tariffs(self) -> None:
        assert versions.current_tariffs([]) == {}

    def test_the_memory_is_bounded(
        self, app: Flask, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(versions, "_MOST_REMEMBERED", 1)
        for _ in range(3):
            office.publish(office.draft()["id"])
            with app.app_context(), transaction(read_only=True):
                assert office.lot_id in versions.current_tariffs([office.lot_id])
        assert len(versions._remembered) == 1
