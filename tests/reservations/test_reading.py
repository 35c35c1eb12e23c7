"""Reading reservations, through the API."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from backend import clock
from backend.extensions import db
from backend.models import Lot, User
from backend.web.pagination import write_cursor
from tests.conftest import Statements
from tests.counter import Arrive, Later, MoveClock
from tests.desk import Desk, problem, window
from tests.factories import Factory, tomorrow_at

MINUTE = timedelta(minutes=1)


@pytest.fixture
def boss(client: FlaskClient, make: Factory, admin: User, as_admin: dict[str, str]) -> Desk:
    """An admin at the counter."""
    return Desk(client, admin, as_admin, make.vehicle(admin))


class TestDetail:
    def test_its_owner_and_admins_see_it_and_nobody_else(
        self, desk: Desk, arrive: Arrive, boss: Desk, lot: Lot
    ) -> None:
        held = desk.hold(lot)
        path = f"/reservations/{held['id']}"
        assert desk.get(path) == boss.get(path) == held
        assert problem(arrive().try_get(path)) == "404 not-found"
        assert problem(desk.try_get("/reservations/999")) == "404 not-found"

    @pytest.mark.parametrize("wrong", ["0", "01", "+1", "1.0", "-1", "x", "1e3"])
    def test_an_id_in_a_path_is_plain_digits(self, desk: Desk, lot: Lot, wrong: str) -> None:
        desk.hold(lot)
        assert desk.try_get(f"/reservations/{wrong}").status_code == 404

    def test_a_stale_hold_shows_as_expired_without_any_job(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        move_clock(10 * MINUTE)
        shown = desk.look(held)
        assert shown["status"] == "expired"
        assert shown["due_minor"] == 0
        assert shown["hold_expires_at"] is None
        assert shown["allowed_actions"] == []
        assert desk.get("/reservations?status=held")["items"] == []
        assert desk.get("/reservations?status=expired")["total"] == 1

    def test_what_is_unchanged_is_not_sent_again(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        path = f"/reservations/{held['id']}"
        tag = desk.try_get(path).headers["ETag"]
        again = desk.try_get(path, **{"If-None-Match": tag})
        assert again.status_code == 304
        desk.charge(held)
        changed = desk.try_get(path, **{"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] != tag

    def test_head_tells_what_get_would(self, desk: Desk, lot: Lot) -> None:
        path = f"/api/v1/reservations/{desk.hold(lot)['id']}"
        head = desk.client.head(path, headers=desk.headers)
        get = desk.client.get(path, headers=desk.headers)
        assert head.status_code == 200
        assert head.data == b""
        assert head.headers["ETag"] == get.headers["ETag"]

    def test_it_is_kept_by_nobody_on_the_way(self, desk: Desk, lot: Lot) -> None:
        answer = desk.try_get(f"/reservations/{desk.hold(lot)['id']}")
        assert answer.headers["Cache-Control"] == "no-store"


class TestList:
    def test_drivers_see_their_own_the_latest_start_first(
        self, desk: Desk, arrive: Arrive, lot: Lot
    ) -> None:
        booked = [desk.buy(lot, **window(hour, hour + 1)) for hour in (9, 8, 10)]
        arrive().hold(lot)
        page = desk.get("/reservations")
        assert [item["id"] for item in page["items"]] == [
            booked[which]["reservation_id"] for which in (2, 0, 1)
        ]
        assert page["total"] == 3
        assert page["next_cursor"] is None

    def test_pages_follow_one_another_without_gap_or_repeat(
        self, desk: Desk, make: Factory
    ) -> None:
        lot = make.lot()
        for hour in (8, 9, 10, 11, 12):
            desk.buy(lot, **window(hour, hour + 1))
        whole = [item["id"] for item in desk.get("/reservations")["items"]]
        read: list[int] = []
        path = "/reservations?limit=2"
        while True:
            page = desk.get(path)
            assert page["total"] == 5
            read += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            path = f"/reservations?limit=2&cursor={page['next_cursor']}"
        assert read == whole

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    def test_a_cursor_of_a_moment_beyond_all_calendars_is_refused(
        self, desk: Desk, moment: str
    ) -> None:
        answer = desk.client.get(
            f"/api/v1/reservations?cursor={write_cursor(moment, 1)}", headers=desk.headers
        )
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])

    def test_equal_starts_are_told_apart(self, boss: Desk, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(spots=3)
        held = [arrive().hold(lot)["id"] for _ in range(3)]
        first = boss.get("/reservations?limit=2")
        rest = boss.get(f"/reservations?limit=2&cursor={first['next_cursor']}")
        assert [item["id"] for item in first["items"] + rest["items"]] == held[::-1]

    def test_filters_narrow_the_list(self, desk: Desk, make: Factory) -> None:
        lot, other = make.lot(), make.lot()
        early = desk.buy(lot, **window(8, 10))["reservation_id"]
        late = desk.buy(other, **window(10, 12))["reservation_id"]
        held = desk.hold(other, **window(12, 13))["id"]

        def ids(query: str) -> list[int]:
            page = desk.get(f"/reservations?{query}")
            assert page["total"] == len(page["items"])
            return [item["id"] for item in page["items"]]

        at_ten = window(10, 11)["starts_at"].replace("+", "%2B")
        assert ids("status=confirmed") == [late, early]
        assert ids("status=held") == [held]
        assert ids("status=cancelled") == []
        assert ids(f"lot_id={lot.id}") == [early]
        assert ids(f"from={at_ten}") == [held, late]
        assert ids(f"to={at_ten}") == [early]
        assert ids(f"from={at_ten}&lot_id={other.id}&status=held") == [held]

    def test_upcoming_ones_come_soonest_first_and_past_ones_latest_first(
        self, desk: Desk, make: Factory, later: Later
    ) -> None:
        lot, noon = make.lot(), window(12, 13)
        stale = desk.hold(lot, **window(17, 18))["id"]
        released = desk.hold(lot, **window(18, 19))
        assert desk.cancel(released).status_code == 200
        over, under_way, ahead = (
            desk.buy(lot, **window(hour, hour + 2))["reservation_id"] for hour in (8, 10, 14)
        )
        desk = later(desk, minutes=(tomorrow_at(11) - clock.now()) / MINUTE)
        held = desk.hold(lot, **noon)["id"]

        def ids(query: str) -> list[int]:
            read, cursor = [], ""
            while True:
                page = desk.get(f"/reservations?{query}&limit=2{cursor}")
                read += [item["id"] for item in page["items"]]
                assert page["total"] == 3
                if page["next_cursor"] is None:
                    return read
                cursor = f"&cursor={page['next_cursor']}"

        assert ids("when=upcoming") == [under_way, held, ahead]
        assert ids("when=past") == [released["id"], stale, over]

    @pytest.mark.parametrize(
        "query",
        [
            "when=soon",
            "status=parked",
            "limit=0",
            "limit=101",
            "cursor=x",
            "cursor=WyJ4IiwxXQ",
            "lot_id=07",
            "from=2026-12-01",
            "colour=red",
            "user_id=1",
            "plate=DD1",
            "code=VV",
        ],
    )
    def test_what_a_driver_may_not_ask_is_refused(self, desk: Desk, query: str) -> None:
        assert problem(desk.try_get(f"/reservations?{query}")) == "422 invalid-input"

    def test_admins_see_all_and_find_one_by_driver_plate_or_code(
        self, boss: Desk, arrive: Arrive, make: Factory, lot: Lot
    ) -> None:
        someone = make.user()
        held = arrive(user=someone, plate="DDXY77").hold(lot)
        arrive().hold(lot)
        assert boss.get("/reservations")["total"] == 2
        code = held["code"]
        queries = [f"user_id={someone.id}", "plate=dd-xy%2077", f"code={code}"]
        # As people type a code: the letters that it lacks stand for the digits that they look like.
        typed = code.lower().replace("1", "l").replace("0", "o")
        queries += [f"code={typed}", f"code={code.replace('-', '')}", f"code={code[3:]}"]
        for query in queries:
            assert boss.get(f"/reservations?{query}")["items"] == [held], query

    def test_its_cost_does_not_grow_with_its_length(
        self, desk: Desk, make: Factory, statements: Statements
    ) -> None:
        lot = make.lot()
        desk.buy(lot, **window(8, 9))
        with statements() as for_one:
            desk.get("/reservations")
        for hour in (9, 10, 11, 12):
            desk.buy(lot, **window(hour, hour + 1))
        with statements() as for_five:
            assert len(desk.get("/reservations")["items"]) == 5
        assert len(for_five) == len(for_one) <= 4

    def test_amounts_are_those_of_the_payments(self, app: Flask, desk: Desk, lot: Lot) -> None:
        desk.buy(lot)
        desk.hold(lot, **window(12, 13))
        shown = {item["status"]: item for item in desk.get("/reservations")["items"]}
        with app.app_context(), db.engine.connect() as connection:
            paid = connection.execute(text("SELECT sum(amount_minor) FROM payments")).scalar()
        assert sum(item["paid_minor"] for item in shown.values()) == paid == 400
        assert shown["held"]["due_minor"] == 200
