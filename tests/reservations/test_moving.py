"""Bookings that get another bay: for one more, because a car keeps theirs, or because somebody stands in it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from backend import clock, models
from backend.claims.rearranging import Move
from backend.extensions import db
from backend.models import Lot, Reservation, SpotClaim
from backend.reservations import moving, tasks
from backend.transaction import transaction
from tests.counter import Arrive, MoveClock, ReadMail
from tests.desk import Desk, between, problem, window
from tests.factories import Factory

Bay = Callable[[dict[str, Any]], str]


@pytest.fixture
def bay(app: Flask) -> Bay:
    """Give the label of the bay of a booking."""

    def bay(booked: dict[str, Any]) -> str:
        return label_of(app, booked["id"])

    return bay


def label_of(app: Flask, reservation_id: int) -> str:
    with app.app_context(), transaction(read_only=True):
        return str(
            db.session.execute(
                text(
                    "SELECT s.label FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id"
                    " WHERE c.reservation_id = :id"
                ),
                {"id": reservation_id},
            ).scalar_one()
        )


class Scene:
    """A lot in which bookings stand just where the test wants them."""

    def __init__(self, app: Flask, make: Factory, arrive: Arrive) -> None:
        self.app, self.make, self.arrive = app, make, arrive

    def book(
        self, lot: Lot, place: int, first: int, last: int, *, pinned: bool = False
    ) -> tuple[Desk, dict[str, Any]]:
        """Let a new driver buy the bay at this place of the lot for hours of tomorrow."""
        desk = self.arrive()
        spot_id = self.make.spots(lot)[place - 1].id
        booked = desk.own(lot, spot_id=spot_id, **window(first, last))
        if not pinned:
            self.change(booked, pinned=False)
        return desk, booked

    def change(self, booked: dict[str, Any], **values: Any) -> None:
        """Change a booking behind the application's back."""
        with self.app.app_context(), transaction():
            db.session.execute(
                update(Reservation).where(Reservation.id == booked["id"]).values(**values)
            )

    def claims(self, lot: Lot) -> list[tuple[int, str]]:
        """Give how many claims live on each bay, by the label."""
        with self.app.app_context(), transaction(read_only=True):
            return [
                (row.found, row.label)
                for row in db.session.execute(
                    text(
                        "SELECT s.label, count(*) AS found FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id"
                        " WHERE c.live AND c.lot_id = :lot_id GROUP BY s.label ORDER BY s.label"
                    ),
                    {"lot_id": lot.id},
                )
            ]


@pytest.fixture
def scene(app: Flask, make: Factory, arrive: Arrive) -> Scene:
    return Scene(app, make, arrive)


def history(desk: Desk, booked: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    events = desk.get(f"/reservations/{booked['id']}/events")["items"]
    return [each for each in events if each["kind"] == kind]


class TestMakingRoom:
    def test_one_more_is_sold_by_moving_another(
        self, scene: Scene, make: Factory, arrive: Arrive, bay: Bay, read_mail: ReadMail
    ) -> None:
        lot = make.lot(spots=2)
        first_desk, first = scene.book(lot, 1, 9, 10)
        second_desk, second = scene.book(lot, 2, 10, 11)

        booked = arrive().hold(lot, **window(9, 11))

        moved = [
            (desk, one)
            for desk, one, before in ((first_desk, first, "A01"), (second_desk, second, "A02"))
            if bay(one) != before
        ]
        assert len(moved) == 1
        (desk, one) = moved[0]
        assert bay(first) == bay(second) != booked["spot"]["label"]
        after = desk.look(one)
        assert after["sequence"] == one["sequence"] + 1
        assert after["price_minor"] == one["price_minor"]
        (event,) = history(desk, one, "moved")
        assert event["by"] == "system"
        assert event["facts"] == {
            "from_spot": booked["spot"]["label"],
            "to_spot": bay(one),
            "reason": "room",
        }
        (mail,) = [mail for mail in read_mail() if "now" in mail["Subject"]]
        assert mail["To"] == desk.user.email
        assert bay(one) in mail["Subject"]

    def test_lists_tell_the_plain_count(self, scene: Scene, make: Factory, arrive: Arrive) -> None:
        lot = make.lot(spots=2)
        scene.book(lot, 1, 9, 10)
        scene.book(lot, 2, 10, 11)
        (shown,) = arrive().get(
            f"/lots?starts_at={window(9, 11)['starts_at'].replace('+', '%2B')}"
            f"&ends_at={window(9, 11)['ends_at'].replace('+', '%2B')}"
        )["items"]
        assert shown["available"] == 0

    def test_a_chain_of_three_makes_room(
        self, scene: Scene, make: Factory, arrive: Arrive, bay: Bay
    ) -> None:
        lot = make.lot(spots=3)
        spans = [(1, 9, 11), (1, 11, 13), (2, 8, 10), (2, 11, 12), (3, 10, 12), (3, 8, 9)]
        booked = [scene.book(lot, *span)[1] for span in spans]
        before = [bay(one) for one in booked]
        answer = arrive().book_window(lot, **window(12, 14))
        assert answer.status_code == 201, answer.text
        assert before == [bay(one) for one in booked]
        # At ten all three are taken, but from nine to ten and from eleven on there is one too many for any bay.
        assert problem(arrive().book_window(lot, **window(9, 12))) == "409 lot-full"

    @pytest.mark.parametrize("why", ["pinned", "unpaid", "soon"])
    def test_some_are_not_moved(
        self,
        scene: Scene,
        make: Factory,
        arrive: Arrive,
        bay: Bay,
        move_clock: MoveClock,
        why: str,
    ) -> None:
        lot, wanted = make.lot(spots=2), window(9, 11)
        _, first = scene.book(lot, 1, 9, 10, pinned=why == "pinned")
        if why == "unpaid":
            spot_id = make.spots(lot)[1].id
            second = arrive().hold(lot, spot_id=spot_id, **window(10, 11))
            scene.change(second, pinned=False)
            scene.change(first, pinned=True)
        else:
            _, second = scene.book(lot, 2, 10, 11, pinned=why == "pinned")
        if why == "soon":
            starts_at = datetime.fromisoformat(wanted["starts_at"])
            move_clock(starts_at - clock.now() - timedelta(minutes=59))
        assert problem(arrive().book_window(lot, **wanted)) == "409 lot-full"
        assert (bay(first), bay(second)) == ("A01", "A02")

    def test_a_bay_that_somebody_chose_is_cleared_for_nobody(
        self, scene: Scene, make: Factory, arrive: Arrive
    ) -> None:
        lot = make.lot(spots=2)
        scene.book(lot, 1, 9, 10)
        spot_id = make.spots(lot)[0].id
        answer = arrive().book_window(lot, spot_id=spot_id, **window(9, 11))
        assert problem(answer) == "409 spot-taken"

    def test_nobody_moves_for_a_booking_that_is_refused(
        self, scene: Scene, make: Factory, arrive: Arrive, bay: Bay
    ) -> None:
        lot = make.lot(spots=2)
        booked = [scene.book(lot, 1, 9, 10)[1], scene.book(lot, 2, 10, 11)[1]]
        desk = arrive()
        other = make.lot(spots=1)
        desk.hold(other, **window(10, 11))
        assert problem(desk.book_window(lot, **window(9, 11))) == "409 vehicle-already-booked"
        assert [bay(one) for one in booked] == ["A01", "A02"]

    def test_moves_are_all_done_or_none(
        self, app: Flask, scene: Scene, make: Factory, bay: Bay
    ) -> None:
        lot = make.lot(spots=3)
        _, first = scene.book(lot, 1, 9, 11)
        _, second = scene.book(lot, 2, 9, 11)
        _, third = scene.book(lot, 3, 10, 12, pinned=True)
        one, two, three = (spot.id for spot in make.spots(lot))
        with app.app_context():
            with transaction():
                circle = [Move(first["id"], one, two), Move(second["id"], two, one)]
                assert moving.apply_moves(lot.id, circle, reason="room")
            assert (bay(first), bay(second)) == ("A02", "A01")
            with transaction():
                into_taken = [Move(first["id"], two, one), Move(second["id"], one, three)]
                assert not moving.apply_moves(lot.id, into_taken, reason="room")
        assert (bay(first), bay(second), bay(third)) == ("A02", "A01", "A03")
        assert scene.claims(lot) == [(1, "A01"), (1, "A02"), (1, "A03")]


class Stay:
    """Cars at the gate of a lot that lets drivers in by themselves."""

    def __init__(self, scene: Scene, make: Factory, move_clock: MoveClock, spots: int) -> None:
        self.scene, self.make, self.move_clock = scene, make, move_clock
        self.lot = make.lot(spots=spots, allows_self_check_in=True)

    def enter(self, place: int, first: int, last: int) -> tuple[Desk, dict[str, Any]]:
        """Let a driver buy a bay for hours of tomorrow, and come in at the start."""
        desk, booked = self.scene.book(self.lot, place, first, last)
        self.go_to(booked["starts_at"])
        desk = self.back(desk)
        desk.done(booked, "check-in")
        return desk, booked

    def go_to(self, moment: str, minutes: float = 0) -> None:
        """Move the clock to so many minutes after a moment."""
        self.move_clock(timedelta())
        at = datetime.fromisoformat(moment)
        self.move_clock(at - clock.now() + timedelta(minutes=minutes))

    def back(self, desk: Desk) -> Desk:
        """Sign a driver in again, whose token the moved clock has let expire."""
        return Desk(desk.client, desk.user, self.make.headers(desk.user), desk.vehicle)


@pytest.fixture
def stay(scene: Scene, make: Factory, move_clock: MoveClock) -> Callable[..., Stay]:
    def stay(spots: int = 2) -> Stay:
        return Stay(scene, make, move_clock, spots)

    return stay


def hold_bays(app: Flask) -> int:
    with app.app_context():
        return int(tasks.hold_bays())


class TestPresence:
    def test_a_car_past_its_end_holds_its_bay(
        self, app: Flask, stay: Callable[..., Stay], arrive: Arrive
    ) -> None:
        here = stay(spots=1)
        _, inside = here.enter(1, 9, 10)
        here.go_to(inside["ends_at"], minutes=5)
        answer = arrive().book_window(here.lot, **from_now(here, minutes=1, length=60))
        assert problem(answer) == "409 lot-full"
        # The refusal kept nothing, the minute's sweep does.
        assert hold_bays(app) == 1
        assert hold_bays(app) == 0
        with app.app_context(), transaction(read_only=True):
            ends_at = db.session.execute(
                select(SpotClaim.ends_at).where(SpotClaim.reservation_id == inside["id"])
            ).scalar_one()
        assert timedelta(minutes=14) < ends_at - clock.now() <= timedelta(minutes=15)

    def test_the_next_booking_of_its_bay_is_moved(
        self,
        app: Flask,
        scene: Scene,
        stay: Callable[..., Stay],
        bay: Bay,
        read_mail: ReadMail,
    ) -> None:
        here = stay(spots=2)
        next_desk, following = scene.book(here.lot, 1, 10, 12, pinned=True)
        _, inside = here.enter(1, 9, 10)
        here.go_to(inside["ends_at"], minutes=0)
        assert hold_bays(app) == 1
        assert (bay(inside), bay(following)) == ("A01", "A02")
        (event,) = history(here.back(next_desk), following, "moved")
        assert event["facts"]["reason"] == "overstay"
        assert any("A02" in mail["Subject"] for mail in read_mail())

    def test_one_that_fits_nowhere_is_told_and_refunded_in_full(
        self, app: Flask, scene: Scene, stay: Callable[..., Stay], bay: Bay
    ) -> None:
        here = stay(spots=1)
        next_desk, following = scene.book(here.lot, 1, 10, 12)
        _, inside = here.enter(1, 9, 10)
        here.go_to(inside["ends_at"], minutes=1)
        assert hold_bays(app) == 1
        after = here.back(next_desk).look(following)
        assert after["status"] == "cancelled"
        assert after["refunded_minor"] == after["paid_minor"] == following["price_minor"] > 0
        assert scene.claims(here.lot) == [(1, "A01")]

    def test_one_that_starts_later_is_left_alone(
        self, app: Flask, scene: Scene, stay: Callable[..., Stay], bay: Bay
    ) -> None:
        here = stay(spots=2)
        _, following = scene.book(here.lot, 1, 11, 12)
        _, inside = here.enter(1, 9, 10)
        here.go_to(inside["ends_at"], minutes=30)
        assert hold_bays(app) == 1
        assert bay(following) == "A01"
        here.go_to(inside["ends_at"], minutes=46)
        assert hold_bays(app) == 1
        assert bay(following) == "A02"

    def test_the_earliest_gets_the_bay_that_is_left(
        self, app: Flask, make: Factory, scene: Scene, stay: Callable[..., Stay], bay: Bay
    ) -> None:
        here = stay(spots=3)
        first_desk, first = scene.book(here.lot, 1, 10, 12)
        second_desk, second = scene.book(here.lot, 2, 10, 12)
        one = scene.book(here.lot, 1, 8, 10)
        two = scene.book(here.lot, 2, 9, 10)
        for desk, booked in (one, two):
            here.go_to(booked["starts_at"])
            here.back(desk).done(booked, "check-in")
        here.go_to(two[1]["ends_at"], minutes=1)
        assert hold_bays(app) == 2
        states = [
            here.back(desk).look(booked)["status"]
            for desk, booked in ((first_desk, first), (second_desk, second))
        ]
        assert states == ["confirmed", "cancelled"]
        assert bay(first) == "A03"

    def test_a_closure_is_where_its_claim_ends(
        self, app: Flask, stay: Callable[..., Stay], make: Factory, as_admin: dict[str, str]
    ) -> None:
        here = stay(spots=1)
        _, inside = here.enter(1, 9, 10)
        spot_id = make.spots(here.lot)[0].id
        closed = app.test_client().patch(
            f"/api/v1/spots/{spot_id}",
            json={"in_service": False, "out_of_service_from": inside["ends_at"]},
            headers=make.headers(make.user(roles=("admin",))),
        )
        assert closed.status_code == 200
        here.go_to(inside["ends_at"], minutes=5)
        assert hold_bays(app) == 0

    def test_who_left_holds_nothing(
        self, app: Flask, stay: Callable[..., Stay], arrive: Arrive
    ) -> None:
        here = stay(spots=1)
        desk, inside = here.enter(1, 9, 10)
        here.go_to(inside["starts_at"], minutes=30)
        here.back(desk).done(inside, "check-out")
        here.go_to(inside["ends_at"], minutes=1)
        assert hold_bays(app) == 0
        arrive().hold(here.lot, **from_now(here, minutes=1, length=60))

    def test_twin_that_lets_claims_end_sells_a_bay_with_a_car_in_it(
        self,
        stay: Callable[..., Stay],
        arrive: Arrive,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("backend.reservations.booking.stretch_present", lambda _lot_id: 0)
        here = stay(spots=1)
        _, inside = here.enter(1, 9, 10)
        here.go_to(inside["ends_at"], minutes=5)
        arrive().hold(here.lot, **from_now(here, minutes=1, length=60))


def from_now(here: Stay, *, minutes: float, length: float) -> dict[str, str]:
    starts_at = clock.now() + timedelta(minutes=minutes)
    return between(starts_at, starts_at + timedelta(minutes=length))


class TestReportingABay:
    def test_the_booking_gets_another(
        self, app: Flask, scene: Scene, stay: Callable[..., Stay], bay: Bay, make: Factory
    ) -> None:
        here = stay(spots=2)
        desk, booked = scene.book(here.lot, 1, 9, 11)
        here.go_to(booked["starts_at"], minutes=-10)
        desk = here.back(desk)
        after = desk.done(booked, "report-occupied")
        assert after["status"] == "confirmed"
        assert after["spot"]["label"] == "A02"
        assert [each["kind"] for each in desk.get(f"/reservations/{booked['id']}/events")["items"]][
            -2:
        ] == ["occupied", "moved"]
        closed = app.test_client().get(
            f"/api/v1/lots/{here.lot.id}/closures",
            headers=make.headers(make.user(roles=("admin",))),
        )
        (closure,) = closed.json["items"]
        until = datetime.fromisoformat(closure["ends_at"])
        assert timedelta(minutes=59) < until - clock.now() <= timedelta(hours=1)
        assert booked["vehicle"]["plate"] in closure["reason"]

    def test_a_car_that_is_in_gets_another(self, stay: Callable[..., Stay]) -> None:
        here = stay(spots=2)
        desk, booked = here.enter(1, 9, 11)
        here.go_to(booked["starts_at"], minutes=3)
        after = here.back(desk).done(booked, "report-occupied")
        assert (after["status"], after["spot"]["label"]) == ("checked_in", "A02")

    def test_where_there_is_none_all_money_goes_back(
        self, app: Flask, stay: Callable[..., Stay]
    ) -> None:
        here = stay(spots=1)
        desk, booked = here.enter(1, 9, 11)
        here.go_to(booked["starts_at"], minutes=3)
        after = here.back(desk).done(booked, "report-occupied")
        assert after["status"] == "cancelled"
        assert after["refunded_minor"] == booked["price_minor"]
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalars(select(models.Stay.left_at)).one() is not None

    def test_who_stands_there_next_gets_another_too(
        self, scene: Scene, stay: Callable[..., Stay], bay: Bay
    ) -> None:
        here = stay(spots=3)
        desk, booked = scene.book(here.lot, 1, 9, 10)
        _, following = scene.book(here.lot, 1, 10, 11)
        here.go_to(booked["starts_at"], minutes=30)
        here.back(desk).done(booked, "report-occupied")
        assert bay(booked) == "A02"
        assert bay(following) in {"A02", "A03"}

    def test_who_stands_there_next_and_fits_nowhere_keeps_it(
        self, scene: Scene, stay: Callable[..., Stay], bay: Bay
    ) -> None:
        here = stay(spots=2)
        desk, booked = scene.book(here.lot, 1, 9, 10)
        next_desk, following = scene.book(here.lot, 1, 10, 11)
        scene.book(here.lot, 2, 10, 12)
        here.go_to(booked["starts_at"], minutes=30)
        here.back(desk).done(booked, "report-occupied")
        assert bay(booked) == "A02"
        assert bay(following) == "A01"
        assert here.back(next_desk).look(following)["status"] == "confirmed"

    @pytest.mark.parametrize(("minutes", "told"), [(-16, 409), (-14, 200), (119, 200), (121, 409)])
    def test_from_when_the_entrance_opens_until_the_end(
        self, scene: Scene, stay: Callable[..., Stay], minutes: int, told: int
    ) -> None:
        here = stay(spots=2)
        desk, booked = scene.book(here.lot, 1, 9, 11)
        here.go_to(booked["starts_at"], minutes=minutes)
        answer = here.back(desk).act(booked, "report-occupied")
        assert answer.status_code == told
        assert told == 200 or problem(answer) == "409 illegal-transition"

    def test_another_driver_does_not_find_it(
        self, scene: Scene, stay: Callable[..., Stay], arrive: Arrive
    ) -> None:
        here = stay(spots=2)
        _, booked = scene.book(here.lot, 1, 9, 11)
        here.go_to(booked["starts_at"])
        assert problem(arrive().act(booked, "report-occupied")) == "404 not-found"
