"""What last month's stays would have cost by other prices."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import clock
from backend.database import get_row
from backend.models import Lot, Reservation
from backend.tariffs import preview
from backend.transaction import transaction
from tests.counter import Arrive, arrive
from tests.desk import between
from tests.factories import Factory, tomorrow_at

__all__ = ["arrive"]

Headers = dict[str, str]
BERLIN = ZoneInfo("Europe/Berlin")
DEARER = {"name": "Dearer", "increments": [{"minutes": 60, "amount_minor": 300}]}


class Past:
    """A lot with stays that are over, and an admin who looks at it."""

    def __init__(self, app: Flask, client: FlaskClient, arrive: Arrive, make: Factory) -> None:
        self.app, self.client, self.arrive, self.make = app, client, arrive, make
        self.lot = make.lot(spots=9)

    def stay(self, hours: int, *, lot: Lot | None = None, **wishes: Any) -> int:
        """Let a car have been in for some hours of tomorrow; give the reservation's id."""
        start = tomorrow_at(6)
        span = between(start, start + timedelta(hours=hours))
        driver = self.arrive()
        quote = driver.quote(lot or self.lot, **{**span, **wishes})
        held = driver.book(quote_id=quote["id"]).get_json()
        driver.charge(held)
        self.make.stay(held["id"])
        return int(held["id"])

    def end(self, reservation_id: int, ended_at: datetime) -> None:
        with self.app.app_context(), transaction():
            get_row(Reservation, reservation_id).ended_at = ended_at

    def ask(self, **body: Any) -> Any:
        headers = self.make.headers(self.make.user(roles=("admin",)))
        return self.client.post(
            "/api/v1/tariffs/preview", json={"lot_id": self.lot.id, **body}, headers=headers
        )

    def show(self, **body: Any) -> dict[str, Any]:
        answer = self.ask(**body)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.get_json()
        return shown


@pytest.fixture
def past(app: Flask, client: FlaskClient, arrive: Arrive, make: Factory) -> Past:
    return Past(app, client, arrive, make)


@pytest.fixture
def span() -> dict[str, str]:
    """A span that holds all stays of a test."""
    now = clock.now()
    return {
        "from": now.isoformat(),
        "to": (now + timedelta(days=9)).isoformat(),
    }


class TestSum:
    def test_who_pays_more_or_less_is_counted(self, past: Past, span: dict[str, str]) -> None:
        # 2 € an hour; tried are 5 € for the first hour and 1 € for each further.
        one, _four, seven = past.stay(1), past.stay(4), past.stay(7)
        ladder = [{"minutes": 60, "amount_minor": 500}, {"minutes": 60, "amount_minor": 100}]
        shown = past.show(tariff={"name": "Other", "increments": ladder}, **span)
        examples = shown.pop("examples")
        assert shown == {
            "from": span["from"].replace("+00:00", "Z"),
            "to": span["to"].replace("+00:00", "Z"),
            "stays": 3,
            "dearer": 1,
            "cheaper": 1,
            "same": 1,
            "before_minor": 2_400,
            "after_minor": 500 + 800 + 1_100,
            "difference_minor": 0,
            "currency": "EUR",
        }
        assert [
            (each["reservation_id"], each["before_minor"], each["after_minor"]) for each in examples
        ] == [(one, 200, 500), (seven, 1_400, 1_100)]

    def test_nothing_is_stored(self, past: Past, span: dict[str, str], as_admin: Headers) -> None:
        past.stay(1)
        past.show(tariff=DEARER, **span)
        versions = past.client.get(f"/api/v1/lots/{past.lot.id}/tariffs", headers=as_admin).json
        assert versions["total"] == 1

    def test_a_draft_is_tried(self, past: Past, span: dict[str, str], as_admin: Headers) -> None:
        past.stay(2)
        draft = past.client.post(
            f"/api/v1/lots/{past.lot.id}/tariffs", json=DEARER, headers=as_admin
        ).get_json()
        shown = past.show(tariff_id=draft["id"], **span)
        assert (shown["before_minor"], shown["after_minor"]) == (400, 600)
        assert shown["difference_minor"] == 200

    def test_each_keeps_its_kind_of_bay_and_its_coupon(
        self, past: Past, span: dict[str, str], as_admin: Headers
    ) -> None:
        large = past.make.lot(spots=1, kind="large")
        past.client.post(
            "/api/v1/coupons",
            json={"code": "ONE", "name": "One", "amount_minor": 100},
            headers=as_admin,
        )
        past.stay(2, lot=large, coupon="ONE")
        past.lot = large
        rules = {"kind_rules": [{"spot_kind": "large", "percent_bp": 20_000}]}
        shown = past.show(tariff={**DEARER, **rules}, **span)
        assert (shown["before_minor"], shown["after_minor"]) == (300, 1_100)

    def test_batches_make_one_sum(
        self, past: Past, span: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preview, "_BATCH", 2)
        for _ in range(5):
            past.stay(1)
        assert past.show(tariff=DEARER, **span)["stays"] == 5

    def test_the_examples_are_few(
        self, past: Past, span: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preview, "_MOST_EXAMPLES", 1)
        past.stay(1)
        longest = past.stay(3)
        (example,) = past.show(tariff=DEARER, **span)["examples"]
        assert example["reservation_id"] == longest


class TestSpan:
    def test_without_one_it_is_the_last_month_of_the_lot(
        self, past: Past, move_clock: Callable[[timedelta], None]
    ) -> None:
        stays = [past.stay(1) for _ in range(4)]
        month = datetime(2029, 3, 1, tzinfo=BERLIN), datetime(2029, 4, 1, tzinfo=BERLIN)
        second = timedelta(seconds=1)
        ends = (month[0] - second, month[0], month[1] - second, month[1])
        for stay, ended_at in zip(stays, ends, strict=True):
            past.end(stay, ended_at.astimezone(UTC))
        move_clock(datetime(2029, 4, 30, 22, tzinfo=UTC) - second - clock.now())

        shown = past.show(tariff=DEARER)

        assert (shown["from"], shown["to"]) == ("2029-02-28T23:00:00Z", "2029-03-31T22:00:00Z")
        assert {each["reservation_id"] for each in shown["examples"]} == {stays[1], stays[2]}

    @pytest.mark.parametrize(
        ("now", "since", "until"),
        [
            ("2029-01-31T23:30", "2028-12-01T00:00", "2029-01-01T00:00"),
            ("2028-12-01T00:00", "2028-11-01T00:00", "2028-12-01T00:00"),
            ("2029-02-15T12:00", "2029-01-01T00:00", "2029-02-01T00:00"),
        ],
    )
    def test_a_month_is_one_of_the_calendar(self, now: str, since: str, until: str) -> None:
        def at(text: str) -> datetime:
            return datetime.fromisoformat(text).replace(tzinfo=BERLIN)

        assert preview.last_month(at(now), "Europe/Berlin") == (at(since), at(until))

    def test_only_stays_that_are_over_count(self, past: Past, span: dict[str, str]) -> None:
        driver = past.arrive()
        driver.hold(past.lot)
        other = past.make.lot()
        past.stay(1, lot=other)
        assert past.show(tariff=DEARER, **span)["stays"] == 0

    def test_more_than_can_be_priced_at_once_are_refused(
        self, past: Past, span: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preview, "MOST_STAYS", 1)
        past.stay(1)
        assert past.show(tariff=DEARER, **span)["stays"] == 1
        past.stay(1)
        answer = past.ask(tariff=DEARER, **span)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["to"])


class TestInput:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "tariff_id"),
            ({"tariff_id": 1, "tariff": DEARER}, "tariff_id"),
            ({"tariff": {**DEARER, "increments": []}}, "tariff.increments"),
            ({"tariff": DEARER, "from": "2029-01-01T00:00:00Z"}, "to"),
            ({"tariff": DEARER, "to": "2029-01-01T00:00:00Z"}, "from"),
            (
                {"tariff": DEARER, "from": "2029-01-01T00:00:00Z", "to": "2029-01-01T00:00:00Z"},
                "to",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, past: Past, body: dict[str, Any], field: str
    ) -> None:
        answer = past.ask(**body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])

    def test_there_is_no_preview_without_a_lot_or_its_version(self, past: Past) -> None:
        assert past.ask(lot_id=10**17, tariff=DEARER).status_code == 404
        assert past.ask(tariff_id=10**17).status_code == 404
        past.make.lot()
        assert past.ask(tariff_id=2).status_code == 404
        assert past.ask(tariff_id=1).status_code == 200
