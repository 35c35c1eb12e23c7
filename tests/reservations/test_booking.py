"""Booking a bay, through the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import clock
from backend.claims import service as claims
from backend.extensions import db
from backend.models import Lot, Spot
from backend.reservations import booking
from backend.transaction import transaction
from backend.web import operation as web_operation
from tests.counter import Arrive, Later, MoveClock, ReadMail
from tests.desk import Desk, between, problem, window
from tests.factories import Factory, tomorrow_at

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class TestBookingAQuote:
    def test_it_is_held_at_its_price_until_it_is_paid(self, desk: Desk, lot: Lot) -> None:
        quote = desk.quote(lot)

        answer = desk.book(quote_id=quote["id"])

        assert answer.status_code == 201, answer.text
        held = answer.json
        assert held is not None
        assert held["status"] == "held"
        assert held["price_minor"] == held["due_minor"] == quote["total_minor"] == 400
        assert held["allowed_actions"] == ["pay", "cancel", "prolong", "change-vehicle"]
        made_at = datetime.fromisoformat(held["created_at"])
        assert datetime.fromisoformat(held["hold_expires_at"]) == made_at + 10 * MINUTE

        desk.charge(held)
        confirmed = desk.look(held)
        assert confirmed["status"] == "confirmed"
        assert (confirmed["paid_minor"], confirmed["due_minor"]) == (400, 0)
        assert confirmed["hold_expires_at"] is None
        assert confirmed["allowed_actions"] == ["cancel", "extend", "reschedule", "change-vehicle"]
        assert confirmed["spot"] == held["spot"]

    def test_the_quoted_price_stands_whatever_the_lot_charges_by_then(
        self, desk: Desk, lot: Lot, client: FlaskClient, as_admin: dict[str, str]
    ) -> None:
        quote = desk.quote(lot)
        draft = client.post(
            f"/api/v1/lots/{lot.id}/tariffs",
            json={"name": "Dearer", "increments": [{"minutes": 60, "amount_minor": 900}]},
            headers=as_admin,
        )
        assert draft.json is not None
        client.post(f"/api/v1/tariffs/{draft.json['id']}/publish", headers=as_admin)

        answer = desk.book(quote_id=quote["id"])

        assert answer.json is not None
        assert answer.json["price_minor"] == 400
        assert desk.quote(lot)["total_minor"] == 1800

    def test_a_price_too_old_is_refused(self, desk: Desk, lot: Lot, move_clock: MoveClock) -> None:
        quote = desk.quote(lot)
        move_clock(10 * MINUTE)
        assert problem(desk.book(quote_id=quote["id"])) == "409 quote-expired"

    def test_a_start_that_passed_meanwhile_is_refused(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        now = clock.now()
        quote = desk.quote(lot, **between(now, now + HOUR))
        move_clock(6 * MINUTE)
        assert problem(desk.book(quote_id=quote["id"])) == "422 invalid-input"

    def test_an_unknown_quote_is_not_found(self, desk: Desk) -> None:
        assert problem(desk.book(quote_id=999)) == "404 not-found"

    def test_another_drivers_vehicle_is_not_found(
        self, desk: Desk, lot: Lot, arrive: Arrive
    ) -> None:
        quote = desk.quote(lot)
        answer = desk.book(quote_id=quote["id"], vehicle_id=arrive().vehicle.id)
        assert problem(answer) == "404 not-found"

    def test_a_quote_and_a_window_together_are_refused(self, desk: Desk, lot: Lot) -> None:
        quote = desk.quote(lot)
        answer = desk.book(quote_id=quote["id"], lot_id=lot.id)
        assert problem(answer) == "422 invalid-input"

    def test_a_lot_closed_since_is_refused(self, app: Flask, desk: Desk, lot: Lot) -> None:
        quote = desk.quote(lot)
        with app.app_context(), transaction():
            db.session.get_one(Lot, lot.id).status = "closed"
        answer = desk.book(quote_id=quote["id"])
        assert problem(answer) == "409 lot-not-bookable"
        assert answer.json is not None
        assert answer.json["reason"] == "closed"

    def test_the_kind_of_bay_that_was_priced_is_the_kind_that_is_given(
        self, app: Flask, desk: Desk, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        _add_spot(app, lot, "L1", kind="large")
        quote = desk.quote(lot, spot_kind="large")
        answer = desk.book(quote_id=quote["id"])
        assert answer.json is not None
        assert answer.json["spot"]["kind"] == "large"

    def test_a_kind_that_the_vehicle_may_not_use_is_refused(
        self, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(kind="motorcycle")
        quote = arrive(kind="motorcycle").quote(lot, spot_kind="motorcycle")
        assert problem(arrive().book(quote_id=quote["id"])) == "409 vehicle-does-not-fit"


class TestPast:
    def test_what_is_over_no_longer_binds_driver_or_vehicle(
        self, desk: Desk, lot: Lot, later: Later
    ) -> None:
        for hour in range(8, 13):
            desk.buy(lot, **window(hour, hour + 1))
        assert problem(desk.book_window(lot, **window(13, 14))) == "409 too-many-reservations"

        desk = later(desk, minutes=30 * 24 * 60)
        vehicle = f"/api/v1/vehicles/{desk.vehicle.id}"
        assert desk.client.delete(vehicle, headers=desk.headers).status_code == 204
        another = {"plate": "NEW 1"}
        added = desk.client.post("/api/v1/vehicles", json=another, headers=desk.headers)
        assert added.json is not None
        booked = desk.book_window(lot, vehicle_id=added.json["id"], **window())
        assert booked.status_code == 201, booked.text


class TestCrowd:
    def test_who_loses_every_race_is_asked_to_come_again_and_leaves_nothing(
        self, desk: Desk, lot: Lot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as crowd:
            crowd.setattr(claims, "claim_spot", lambda _spot_id, **_claim: False)
            crowd.setattr(claims, "_PATIENCE_SECONDS", 0.05)
            crowd.setattr(web_operation, "_REPLY_SECONDS", 0.3)
            refused = desk.book_window(lot, key="k")
        assert problem(refused) == "503 service-unavailable"
        assert int(refused.headers["Retry-After"]) > 0
        assert desk.get("/reservations")["items"] == []
        assert desk.book_window(lot, key="k").status_code == 201

    def test_a_lost_race_does_not_bring_an_electric_car_to_a_charging_bay(
        self, app: Flask, arrive: Arrive, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lot = make.lot(spots=2)
        for number in range(6):
            _add_spot(app, lot, f"E{number}", kind="electric")
        claim_spot = claims.claim_spot
        lost: list[int] = []

        def lose_once(spot_id: int, **claim: Any) -> bool:
            lost.append(spot_id)
            return len(lost) > 1 and claim_spot(spot_id, **claim)

        monkeypatch.setattr(claims, "claim_spot", lose_once)
        assert arrive(electric=True).hold(lot)["spot"]["kind"] == "standard"
        assert len(lost) == 2


class TestCodes:
    def test_one_that_is_in_use_is_not_given_again(
        self, arrive: Arrive, lot: Lot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        codes = iter(["VV-0000-0001", "VV-0000-0002", "VV-0000-0001", "VV-0000-0003"])
        monkeypatch.setattr(booking, "new_code", lambda: next(codes))
        assert arrive().hold(lot)["code"] == "VV-0000-0001"
        assert arrive().hold(lot)["code"] == "VV-0000-0003"


class TestBookingAWindow:
    def test_it_is_priced_and_held_in_one_go(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        assert held["status"] == "held"
        assert held["price_minor"] == 400
        assert sum(line["amount_minor"] for line in held["quote"]["lines"]) == 400
        assert held["spot"]["pinned"] is False

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"starts_at": -6 * MINUTE, "ends_at": HOUR}, "starts_at"),
            ({"starts_at": 91 * 24 * HOUR, "ends_at": 92 * 24 * HOUR}, "starts_at"),
            ({"starts_at": HOUR, "ends_at": HOUR}, "ends_at"),
            ({"starts_at": 2 * HOUR, "ends_at": HOUR}, "ends_at"),
            ({"starts_at": HOUR, "ends_at": HOUR + 14 * MINUTE}, "ends_at"),
            ({"starts_at": HOUR, "ends_at": 31 * 24 * HOUR}, "ends_at"),
        ],
        ids=["past", "far", "empty", "backwards", "short", "long"],
    )
    def test_a_window_that_nobody_may_book_is_refused(
        self, desk: Desk, lot: Lot, wrong: dict[str, timedelta], field: str
    ) -> None:
        now = clock.now()
        times = {name: (now + offset).isoformat() for name, offset in wrong.items()}
        answer = desk.book_window(lot, **times)
        assert problem(answer) == "422 invalid-input"
        assert answer.json is not None
        assert list(answer.json["errors"]) == [field]

    def test_the_outermost_windows_are_booked(self, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(spots=3)
        now = clock.now()
        for starts_at, length in (
            (now - 4 * MINUTE, 15 * MINUTE),
            (now + HOUR, timedelta(days=30)),
            (now + timedelta(days=90), HOUR),
        ):
            answer = arrive().book_window(lot, **between(starts_at, starts_at + length))
            assert answer.status_code == 201, answer.text

    def test_a_time_without_an_offset_is_refused(self, desk: Desk, lot: Lot) -> None:
        answer = desk.book_window(lot, starts_at="2026-12-01T10:00:00")
        assert problem(answer) == "422 invalid-input"

    @pytest.mark.parametrize("field", ["price_minor", "status", "user_id", "code", "source"])
    def test_nothing_else_can_be_set(self, desk: Desk, lot: Lot, field: str) -> None:
        answer = desk.book_window(lot, **{field: 1})
        assert problem(answer) == "422 invalid-input"
        assert answer.json is not None
        assert list(answer.json["errors"]) == [field]

    @pytest.mark.parametrize("wrong", ["7", "07", 7.0, True, -1, 0, None, 2**63, [7]])
    @pytest.mark.parametrize("field", ["lot_id", "vehicle_id"])
    def test_an_id_is_a_number_and_nothing_like_it(
        self, desk: Desk, lot: Lot, field: str, wrong: Any
    ) -> None:
        assert problem(desk.book_window(lot, **{field: wrong})) == "422 invalid-input"

    def test_a_missing_window_is_told_field_by_field(self, desk: Desk, lot: Lot) -> None:
        answer = desk.book(lot_id=lot.id)
        assert answer.status_code == 422
        assert answer.json is not None
        assert set(answer.json["errors"]) == {"starts_at", "ends_at"}

    def test_unknown_lots_and_others_vehicles_are_not_found(
        self, desk: Desk, lot: Lot, arrive: Arrive
    ) -> None:
        assert problem(desk.book_window(lot, lot_id=999)) == "404 not-found"
        answer = desk.book_window(lot, vehicle_id=arrive().vehicle.id)
        assert problem(answer) == "404 not-found"

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_a_lot_that_is_not_public_is_not_found(
        self, desk: Desk, make: Factory, status: str
    ) -> None:
        assert problem(desk.book_window(make.lot(status=status))) == "404 not-found"

    def test_a_closed_lot_and_one_without_prices_are_refused(
        self, desk: Desk, make: Factory
    ) -> None:
        for lot, reason in (
            (make.lot(status="closed"), "closed"),
            (make.lot(hourly_minor=None), "no_tariff"),
            (make.lot(opening_hours="Mo-Su 20:00-21:00"), "outside_opening_hours"),
        ):
            answer = desk.book_window(lot)
            assert problem(answer) == "409 lot-not-bookable"
            assert answer.json is not None
            assert answer.json["reason"] == reason

    def test_a_vehicle_too_high_is_refused(self, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(height_limit_cm=200)
        answer = arrive(height_cm=201).book_window(lot)
        assert problem(answer) == "409 vehicle-does-not-fit"
        assert arrive(height_cm=200).book_window(lot).status_code == 201

    def test_a_kind_of_bay_for_other_vehicles_is_refused(self, desk: Desk, lot: Lot) -> None:
        for kind in ("accessible", "motorcycle", "electric"):
            answer = desk.book_window(lot, spot_kind=kind)
            assert problem(answer) == "409 vehicle-does-not-fit"


class TestWhatCostsNothing:
    def test_it_is_confirmed_at_once_and_its_ticket_goes_out(
        self, desk: Desk, make: Factory, read_mail: ReadMail
    ) -> None:
        booked = desk.hold(make.lot(hourly_minor=0))
        assert booked["status"] == "confirmed"
        assert (booked["price_minor"], booked["due_minor"]) == (0, 0)
        assert booked["hold_expires_at"] is None
        assert booked["confirmed_at"] is not None

        (mail,) = read_mail()
        assert booked["code"] in mail["Subject"]
        assert "receipt" not in mail.get_body(("plain",)).get_content().lower()
        assert "attachment" not in {part.get_content_disposition() for part in mail.walk()}

    def test_it_cannot_be_paid(self, desk: Desk, make: Factory) -> None:
        booked = desk.hold(make.lot(hourly_minor=0))
        assert problem(desk.pay(booked)) == "409 already-paid"


class TestLimits:
    def test_a_third_hold_is_refused_until_one_is_paid(self, desk: Desk, make: Factory) -> None:
        lot = make.lot()
        first = desk.hold(lot, **window(8, 9))
        desk.hold(lot, **window(9, 10))
        assert problem(desk.book_window(lot, **window(10, 11))) == "409 too-many-holds"
        desk.charge(first)
        assert desk.book_window(lot, **window(10, 11)).status_code == 201

    def test_a_stale_hold_does_not_count(
        self, desk: Desk, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot()
        for hour in (8, 9):
            desk.hold(lot, **window(hour, hour + 1))
        move_clock(10 * MINUTE)
        assert desk.book_window(lot, **window(8, 9)).status_code == 201

    def test_a_sixth_live_booking_is_refused(self, desk: Desk, make: Factory) -> None:
        lot = make.lot()
        for hour in range(8, 13):
            desk.buy(lot, **window(hour, hour + 1))
        assert problem(desk.book_window(lot, **window(13, 14))) == "409 too-many-reservations"

    def test_limits_are_each_drivers_own(self, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(spots=4)
        for desk in (arrive(), arrive()):
            for hour in (8, 9):
                assert desk.book_window(lot, **window(hour, hour + 1)).status_code == 201


class TestOneVehicleInOnePlace:
    def test_an_overlapping_booking_is_refused_wherever_it_is(
        self, desk: Desk, make: Factory
    ) -> None:
        desk.hold(make.lot(), **window(9, 11))
        elsewhere = make.lot()
        answer = desk.book_window(elsewhere, **window(10, 12))
        assert problem(answer) == "409 vehicle-already-booked"

    def test_a_family_car_is_in_one_place_whoever_books(
        self, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot()
        arrive(plate="DDFAMILY1").hold(lot, **window(9, 11))
        second = arrive(plate="DDFAMILY1")
        assert problem(second.book_window(lot, **window(10, 12))) == "409 vehicle-already-booked"
        assert second.book_window(lot, **window(11, 12)).status_code == 201

    def test_a_stale_hold_of_the_plate_is_not_in_the_way(
        self, arrive: Arrive, make: Factory, move_clock: MoveClock
    ) -> None:
        arrive(plate="DDFAMILY1").hold(make.lot())
        move_clock(10 * MINUTE)
        assert arrive(plate="DDFAMILY1").book_window(make.lot()).status_code == 201

    def test_a_refused_booking_leaves_nothing(self, desk: Desk, make: Factory) -> None:
        desk.hold(make.lot(spots=1))
        elsewhere = make.lot(spots=1)
        desk.book_window(elsewhere)
        assert desk.get("/reservations")["total"] == 1


class TestPickingABay:
    def test_the_chosen_bay_is_given_and_pinned(self, desk: Desk, lot: Lot, make: Factory) -> None:
        last = make.spots(lot)[-1]
        held = desk.hold(lot, spot_id=last.id)
        assert held["spot"]["id"] == last.id
        assert held["spot"]["pinned"] is True

    def test_a_taken_one_is_refused_with_its_free_neighbours(
        self, desk: Desk, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=5)
        spots = make.spots(lot)
        desk.hold(lot, spot_id=spots[2].id)

        answer = arrive().book_window(lot, spot_id=spots[2].id)

        assert problem(answer) == "409 spot-taken"
        assert answer.json is not None
        assert answer.json["spot_id"] == spots[2].id
        nearest = [spot["label"] for spot in answer.json["alternatives"]["spots"]]
        assert set(nearest[:2]) == {"A02", "A04"}
        assert len(nearest) == 3

    def test_windows_that_touch_share_a_bay(self, arrive: Arrive, lot: Lot, make: Factory) -> None:
        spot = make.spots(lot)[0]
        for hours in ((9, 10), (11, 12), (10, 11)):
            answer = arrive().book_window(lot, spot_id=spot.id, **window(*hours))
            assert answer.status_code == 201, answer.text

    def test_a_bay_of_another_lot_is_not_found(self, desk: Desk, lot: Lot, make: Factory) -> None:
        other = make.spots(make.lot())[0]
        assert problem(desk.book_window(lot, spot_id=other.id)) == "404 not-found"

    def test_a_bay_of_another_kind_is_refused(self, app: Flask, desk: Desk, lot: Lot) -> None:
        spot_id = _add_spot(app, lot, "M1", kind="motorcycle")
        assert problem(desk.book_window(lot, spot_id=spot_id)) == "409 vehicle-does-not-fit"

    def test_a_bay_out_of_service_is_refused(
        self, desk: Desk, lot: Lot, make: Factory, client: FlaskClient, as_admin: dict[str, str]
    ) -> None:
        spot = make.spots(lot)[0]
        closed = client.patch(
            f"/api/v1/spots/{spot.id}", json={"in_service": False}, headers=as_admin
        )
        assert closed.status_code == 200, closed.text
        assert problem(desk.book_window(lot, spot_id=spot.id)) == "409 spot-taken"


class TestTheSystemsChoice:
    def test_it_keeps_special_bays_for_those_who_need_them(
        self, app: Flask, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=1, kind="electric")
        for kind in ("large", "compact", "accessible", "motorcycle", "standard"):
            _add_spot(app, lot, kind, kind=kind)
        given = [arrive(electric=True).hold(lot)["spot"]["kind"] for _ in range(4)]
        assert given == ["standard", "compact", "large", "electric"]
        assert problem(arrive(electric=True).book_window(lot)) == "409 lot-full"

    def test_vans_and_motorcycles_get_bays_of_their_own(
        self, app: Flask, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=2)
        for kind in ("large", "motorcycle"):
            _add_spot(app, lot, kind, kind=kind)
        for kind, bay in (("van", "large"), ("motorcycle", "motorcycle")):
            assert arrive(kind=kind).hold(lot)["spot"]["kind"] == bay
            assert problem(arrive(kind=kind).book_window(lot)) == "409 lot-full"

    def test_a_bay_in_use_around_the_window_is_filled_first(
        self, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=6)
        used = make.spots(lot)[4]
        arrive().hold(lot, spot_id=used.id, **window(9, 10))
        for hour in (10, 8, 12):
            assert arrive().hold(lot, **window(hour, hour + 1))["spot"]["id"] == used.id

    def test_the_bay_nearest_to_the_entrance_comes_first(
        self, app: Flask, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=4)
        with app.app_context(), transaction():
            for rank, spot in enumerate(_spots_of(lot), start=1):
                spot.entrance_rank = 5 - rank
        labels = [arrive().hold(lot)["spot"]["label"] for _ in range(4)]
        assert labels == ["A04", "A03", "A02", "A01"]

    def test_a_full_lot_tells_of_another_lot_and_a_later_time(
        self, arrive: Arrive, make: Factory
    ) -> None:
        lot, near = make.lot(spots=1), make.lot(spots=2, lat=51.051, hourly_minor=300)
        make.lot(spots=2, lat=48.4, lng=10.0)
        arrive().hold(lot, **window(9, 11))

        answer = arrive().book_window(lot, **window(10, 12))

        assert problem(answer) == "409 lot-full"
        assert answer.json is not None
        alternatives = answer.json["alternatives"]
        assert alternatives["spots"] == []
        (other,) = alternatives["lots"]
        assert (other["id"], other["available"], other["price_minor"]) == (near.id, 2, 600)
        later = {
            name: datetime.fromisoformat(at) for name, at in alternatives["next_window"].items()
        }
        assert later == {"starts_at": tomorrow_at(11), "ends_at": tomorrow_at(13)}

    def test_the_later_time_it_tells_of_can_be_booked(self, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(spots=1, timezone="UTC", opening_hours="Mo-Su 08:00-12:00")
        arrive().hold(lot, **window(8, 12))
        desk = arrive()
        answer = desk.book_window(lot, **window(9, 11))
        assert problem(answer) == "409 lot-full"
        assert answer.json is not None
        assert (
            desk.book_window(lot, **answer.json["alternatives"]["next_window"]).status_code == 201
        )


class TestIdempotency:
    def test_a_repeated_booking_has_one_effect_and_one_answer(self, desk: Desk, lot: Lot) -> None:
        body = {"lot_id": lot.id, **window()}
        first = desk.book(key="a", **body)
        again = desk.book(key="a", **body)
        assert first.status_code == again.status_code == 201
        assert first.data == again.data
        assert again.headers["Idempotency-Replayed"] == "true"
        assert desk.get("/reservations")["total"] == 1

    def test_the_answer_stays_after_the_booking_went_on(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        body = {"lot_id": lot.id, **window()}
        first = desk.book(key="a", **body)
        assert first.json is not None
        desk.prolong(first.json)
        desk.charge(first.json)
        move_clock(HOUR / 6)
        again = desk.book(key="a", **body)
        assert again.data == first.data

    def test_a_free_booking_is_answered_again_alike(self, desk: Desk, make: Factory) -> None:
        body = {"lot_id": make.lot(hourly_minor=0).id, **window()}
        assert desk.book(key="a", **body).data == desk.book(key="a", **body).data

    def test_the_key_with_another_body_is_refused(self, desk: Desk, lot: Lot) -> None:
        desk.book(key="a", lot_id=lot.id, **window())
        answer = desk.book(key="a", lot_id=lot.id, **window(12, 13))
        assert problem(answer) == "422 idempotency-key-reused"

    def test_a_refused_booking_frees_its_key(
        self, desk: Desk, arrive: Arrive, make: Factory
    ) -> None:
        lot = make.lot(spots=1)
        other = arrive()
        held = other.hold(lot)
        body = {"lot_id": lot.id, **window()}
        assert desk.book(key="a", **body).status_code == 409
        other.cancel(held)
        assert desk.book(key="a", **body).status_code == 201

    def test_keys_are_each_drivers_own(self, desk: Desk, arrive: Arrive, lot: Lot) -> None:
        body = {"lot_id": lot.id, **window()}
        mine, theirs = desk.book(key="a", **body), arrive().book(key="a", **body)
        assert mine.status_code == theirs.status_code == 201
        assert mine.json is not None
        assert theirs.json is not None
        assert mine.json["id"] != theirs.json["id"]


def _add_spot(app: Flask, lot: Lot, label: str, *, kind: str) -> int:
    with app.app_context(), transaction():
        spot = Spot(lot_id=lot.id, label=label, level="0", kind=kind, x=0.0, y=5.0)
        db.session.add(spot)
    return spot.id


def _spots_of(lot: Lot) -> list[Spot]:
    return list(db.session.scalars(select(Spot).where(Spot.lot_id == lot.id).order_by(Spot.id)))


class TestAgain:
    def test_a_repeated_request_is_answered_as_the_first_whatever_was_renamed_since(
        self, desk: Desk, lot: Lot, make: Factory, as_admin: dict[str, str]
    ) -> None:
        first = desk.book_window(lot, key="once")
        renamed = desk.client.patch(
            f"/api/v1/lots/{lot.id}", json={"name": "Another name"}, headers=as_admin
        )
        relabelled = desk.client.patch(
            f"/api/v1/vehicles/{desk.vehicle.id}", json={"label": "Red"}, headers=desk.headers
        )

        again = desk.book_window(lot, key="once")

        assert (renamed.status_code, relabelled.status_code) == (200, 200)
        assert (again.status_code, again.data) == (201, first.data)

    def test_hours_that_changed_since_the_quote_are_kept(
        self, desk: Desk, lot: Lot, as_admin: dict[str, str]
    ) -> None:
        quote = desk.quote(lot)
        desk.client.patch(
            f"/api/v1/lots/{lot.id}", json={"opening_hours": "20:00-21:00"}, headers=as_admin
        )
        answer = desk.book(quote_id=quote["id"])
        assert (answer.status_code, answer.json["reason"]) == (409, "outside_opening_hours")
