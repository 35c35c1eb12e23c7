"""One-tap links: each does its one thing once, for nobody but its booking, and for no longer than it may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import jwt
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend import config
from backend.reminders.links import ACTIONS
from backend.web import limits
from tests.desk import Desk, between, problem, window
from tests.factories import Factory, tomorrow_at
from tests.nasty import NASTY
from tests.reminders.conftest import Follow, Linked
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff

Read = Callable[[], list[Any]]


def reason(answer: TestResponse) -> str:
    assert problem(answer) == "410 link-not-valid"
    return str((answer.json or {})["reason"])


def said(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json or {}
    return body


@pytest.fixture
def parked(desk: Desk, make: Factory, staff: Staff, at: At) -> tuple[Desk, dict[str, Any]]:
    """Let a car be in, half an hour before the end of its two hours, where an hour costs 2.00."""
    lot, start = make.lot(spots=1), tomorrow_at(9)
    booked, gate = desk.own(lot, **between(start, start + 2 * HOUR)), staff(lot)
    (gate,) = at(start, gate)
    gate.done(booked, "check-in")
    (desk,) = at(start + 90 * MINUTE, desk)
    return desk, booked


class TestCancelling:
    def test_it_tells_what_comes_back_and_does_it_once(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow, rows: Rows
    ) -> None:
        booked = desk.own(make.lot())
        token = linked("cancel", booked)

        looked = said(follow("look", token))

        assert (looked["action"], looked["done"], looked["can_act"]) == ("cancel", False, True)
        assert looked["cancellation"] == {
            "refund_minor": booked["price_minor"],
            "kept_minor": 0,
            "currency": "EUR",
        }
        assert looked["reservation"]["code"] == booked["code"]
        assert desk.look(booked)["status"] == "confirmed"

        acted = said(follow("act", token, expected_refund_minor=booked["price_minor"]))

        assert (acted["done"], acted["can_act"]) == (True, False)
        assert acted["reservation"]["status"] == desk.look(booked)["status"] == "cancelled"
        assert said(follow("act", token)) == said(follow("look", token)) == acted
        assert rows("SELECT amount_minor FROM refunds") == [(booked["price_minor"],)]
        (event,) = rows("SELECT actor_id FROM reservation_events WHERE kind = 'cancelled'")
        assert event.actor_id == desk.user.id

    def test_it_does_nothing_when_another_amount_would_come_back(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot())
        answer = follow("act", linked("cancel", booked), expected_refund_minor=1)
        assert problem(answer) == "409 refund-changed"
        assert desk.look(booked)["status"] == "confirmed"

    def test_of_two_taps_at_once_one_cancels_and_both_are_told_the_same(
        self, app: Flask, desk: Desk, make: Factory, linked: Linked, rows: Rows
    ) -> None:
        token = linked("cancel", desk.own(make.lot()))

        def tap() -> TestResponse:
            return app.test_client().post("/api/v1/links/act", json={"token": token})

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: tap(), range(2))

        assert said(first) == said(second)
        assert rows("SELECT count(*) FROM refunds") == [(1,)]

    def test_a_car_that_is_in_cannot_be_cancelled(
        self, parked: tuple[Desk, dict[str, Any]], linked: Linked, follow: Follow
    ) -> None:
        assert reason(follow("act", linked("cancel", parked[1]))) == "over"


class TestExtending:
    def test_it_tells_the_price_and_extends_by_half_an_hour_once(
        self, parked: tuple[Desk, dict[str, Any]], linked: Linked, follow: Follow, rows: Rows
    ) -> None:
        desk, booked = parked
        token = linked("extend", booked)
        end = datetime.fromisoformat(booked["ends_at"])

        looked = said(follow("look", token))

        assert (looked["done"], looked["can_act"], looked["why_not"]) == (False, True, None)
        assert datetime.fromisoformat(looked["extension"]["ends_at"]) == end + 30 * MINUTE
        assert (looked["extension"]["price_minor"], looked["extension"]["due_minor"]) == (600, 200)

        acted = said(follow("act", token))

        assert acted["done"]
        assert acted["extension"] == looked["extension"]
        now = desk.look(booked)
        assert datetime.fromisoformat(now["ends_at"]) == end + 30 * MINUTE
        assert now["due_minor"] == 200
        assert said(follow("act", token)) == acted
        assert rows("SELECT count(*) FROM reservation_events WHERE kind = 'extended'") == [(1,)]

    def test_it_says_that_the_bay_is_taken(
        self,
        desk: Desk,
        make: Factory,
        arrive: Callable[..., Desk],
        linked: Linked,
        follow: Follow,
    ) -> None:
        lot = make.lot(spots=2)
        booked = desk.own(lot, **window(9, 11))
        for pinned in make.spots(lot):
            arrive().own(lot, **window(11, 13), spot_id=pinned.id)
        token = linked("extend", booked)

        looked = said(follow("look", token))

        assert (looked["can_act"], looked["why_not"]) == (False, "bay_taken")
        assert looked["longest_ends_at"] == booked["ends_at"]
        assert problem(follow("act", token)) == "409 extension-blocked"

    def test_it_says_that_the_lot_closes(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        lot = make.lot(timezone="UTC", opening_hours="Mo-Su 08:00-11:00")
        token = linked("extend", desk.own(lot, **window(9, 11)))
        assert said(follow("look", token))["why_not"] == "lot_not_open"
        assert problem(follow("act", token)) == "409 lot-not-bookable"

    def test_a_booking_that_was_cancelled_is_over(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot())
        token = linked("extend", booked)
        desk.cancel(booked)
        assert reason(follow("look", token)) == reason(follow("act", token)) == "over"


class TestTheWay:
    def test_it_is_told_and_nothing_is_done(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot(name="Altmarkt", lat=51.05, lng=13.74))
        token = linked("directions", booked)
        looked = said(follow("look", token))
        assert (looked["done"], looked["can_act"]) == (False, False)
        place = looked["reservation"]
        assert (place["lot"], place["lat"], place["lng"]) == ("Altmarkt", 51.05, 13.74)
        assert said(follow("act", token)) == looked
        assert desk.look(booked)["status"] == "confirmed"

    def test_who_holds_a_link_learns_nothing_of_its_driver(
        self, make: Factory, arrive: Callable[..., Desk], linked: Linked, follow: Follow
    ) -> None:
        desk = arrive(user=make.user(name="Ottoline Owner", phone="+49 351 4881234"))
        booked = desk.own(make.lot())
        for action in ACTIONS:
            told = follow("look", linked(action, booked)).text
            for secret in ("Ottoline", desk.user.email, "4881234", desk.vehicle.plate):
                assert secret not in told


class TestOnlyItself:
    def test_it_opens_nothing_else(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot())
        token = linked("directions", booked)
        stranger = replace(desk, headers={"Authorization": f"Bearer {token}"})
        assert stranger.try_get(f"/reservations/{booked['id']}").status_code == 401
        assert desk.client.get(f"/api/v1/links/act?token={token}").status_code == 405
        assert desk.look(booked)["status"] == "confirmed"

    def test_nobody_else_can_write_one(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot())
        token = linked("directions", booked)
        facts = jwt.decode(token, options={"verify_signature": False})
        forged = [
            jwt.encode(facts | {"act": "cancel"}, config.settings().secret_key, algorithm="HS256"),
            jwt.encode(facts | {"act": "cancel"}, None, algorithm="none"),
            token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
            token.replace(".", "..", 1),
            *[text for text in NASTY.values() if text.isprintable()][:12],
        ]
        for each in forged:
            assert reason(follow("act", each)) == "unknown", each
        assert desk.look(booked)["status"] == "confirmed"

    def test_one_written_by_the_key_before_counts_for_a_while(
        self,
        desk: Desk,
        make: Factory,
        linked: Linked,
        follow: Follow,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        token = linked("directions", desk.own(make.lot()))
        current = config.settings()
        fresh = "another key of this installation, 0123456789"
        both = replace(current, secret_key=fresh, secret_key_before=current.secret_key)
        monkeypatch.setattr("backend.signed_links.settings", lambda: both)
        assert follow("look", token).status_code == 200
        alone = replace(both, secret_key_before="")
        monkeypatch.setattr("backend.signed_links.settings", lambda: alone)
        assert reason(follow("look", token)) == "unknown"

    def test_it_counts_until_the_end_and_the_grace(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow, at: At
    ) -> None:
        start = tomorrow_at(9)
        token = linked("directions", desk.own(make.lot(), **between(start, start + HOUR)))
        at(start + HOUR + 11 * MINUTE)
        assert reason(follow("look", token)) == "expired"

    def test_it_is_of_one_window(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow
    ) -> None:
        booked = desk.own(make.lot(), **window(9, 11))
        cancels, extends = linked("cancel", booked), linked("extend", booked)
        desk.done(booked, "reschedule", **window(14, 16))
        assert reason(follow("act", cancels)) == reason(follow("act", extends)) == "changed"
        assert desk.look(booked)["status"] == "confirmed"

    def test_it_is_of_one_driver_whose_account_is_open(
        self, desk: Desk, make: Factory, linked: Linked, follow: Follow, change: Callable[..., None]
    ) -> None:
        token = linked("cancel", desk.own(make.lot()))
        change("UPDATE users SET active = false WHERE id = :id", id=desk.user.id)
        assert reason(follow("act", token)) == "unknown"

    @pytest.mark.parametrize("verb", ["look", "act"])
    def test_nobody_tries_many(
        self, app: Flask, follow: Follow, verb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("_LOOKS", "_ACTS"):
            monkeypatch.setattr(f"backend.reminders.limits.{name}", "3 per 15 minutes")
        assert app.extensions[limits._KEY] is not None
        for _ in range(3):
            assert reason(follow(verb, "x")) == "unknown"
        assert problem(follow(verb, "x")) == "429 too-many-requests"
