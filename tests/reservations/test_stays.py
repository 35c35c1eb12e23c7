"""Check-in and check-out, what is due in between, and what becomes of it by itself; through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from backend.models import Lot
from backend.reservations.tasks import sweep
from backend.reservations.telling import tell
from tests.counter import Arrive, ReadMail
from tests.desk import CHALLENGED, DECLINED, Desk, between, problem, window
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Change, Rows, Staff

SECOND = timedelta(seconds=1)


@pytest.fixture
def start() -> datetime:
    return tomorrow_at(9)


@pytest.fixture
def end(start: datetime) -> datetime:
    return start + 2 * HOUR


class TestCheckIn:
    @pytest.mark.parametrize(
        ("hours", "opens"), [(2, 15 * MINUTE), (24, 15 * MINUTE), (25, 120 * MINUTE)]
    )
    def test_entry_opens_some_minutes_before_the_start(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        start: datetime,
        hours: int,
        opens: timedelta,
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = desk.own(lot, **between(start, start + hours * HOUR))
        (gate,) = at(start - opens - 2 * SECOND, gate)
        answer = gate.act(booked, "check-in")
        assert problem(answer) == "409 entry-refused"
        assert answer.json is not None
        assert answer.json["reason"] == "too-early"
        (gate,) = at(start - opens, gate)
        inside = gate.done(booked, "check-in")
        assert inside["status"] == "checked_in"
        assert inside["stay"]["left_at"] is None
        assert inside["stay"]["stays"] == 1
        assert inside["allowed_actions"] == ["extend", "check-out", "report-occupied"]

    def test_who_comes_early_holds_the_bay_from_then_on(
        self, desk: Desk, arrive: Arrive, make: Factory, staff: Staff, at: At, start: datetime
    ) -> None:
        lot = make.lot(spots=1)
        gate, other = staff(lot), arrive()
        booked = desk.own(lot)
        (gate, other) = at(start - 15 * MINUTE, gate, other)
        gate.done(booked, "check-in")
        early = between(start - 15 * MINUTE, start)
        assert problem(other.book_window(lot, **early)) == "409 lot-full"

    def test_who_comes_early_waits_while_the_bay_is_not_free(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        staff: Staff,
        at: At,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot(spots=1)
        first, gate = arrive(), staff(lot)
        before = first.own(lot)
        booked = desk.own(lot, **between(end, end + HOUR))
        (gate,) = at(start, gate)
        gate.done(before, "check-in")
        (gate,) = at(end - 10 * MINUTE, gate)
        answer = gate.act(booked, "check-in")
        assert problem(answer) == "409 entry-refused"
        assert answer.json is not None
        assert answer.json["reason"] == "bay-not-free"
        gate.done(before, "check-out")
        assert gate.done(booked, "check-in")["status"] == "checked_in"

    def test_a_second_car_does_not_come_in(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = desk.own(lot)
        (gate,) = at(start, gate)
        gate.done(booked, "check-in")
        answer = gate.act(booked, "check-in")
        assert answer.json is not None
        assert (problem(answer), answer.json["reason"]) == ("409 entry-refused", "already-in")

    def test_what_is_due_is_no_hindrance_but_a_hold_is(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = desk.own(lot)
        desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        (desk, gate) = at(start - 2 * MINUTE, desk, gate)
        held = desk.hold(lot, vehicle_id=make.vehicle(desk.user).id)
        assert gate.done(booked, "check-in")["due_minor"] == 200
        answer = gate.act(held, "check-in")
        assert answer.json is not None
        assert (problem(answer), answer.json["reason"]) == ("409 entry-refused", "not-paid")

    def test_staff_act_in_their_lots_and_drivers_where_the_lot_lets_them(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        staff: Staff,
        at: At,
        as_admin: dict[str, str],
        start: datetime,
    ) -> None:
        lot, free = make.lot(), make.lot(allows_self_check_in=True)
        stranger, gate = staff(make.lot()), staff(lot)
        booked = desk.own(lot)
        (desk, other, stranger, gate) = at(start, desk, arrive(), stranger, gate)
        assert problem(desk.act(booked, "check-in")) == "403 forbidden"
        for person in (other, stranger):
            assert problem(person.act(booked, "check-in")) == "404 not-found"
            assert problem(person.try_get(f"/reservations/{booked['id']}")) == "404 not-found"
        assert gate.look(booked)["allowed_actions"][-2:] == ["check-in", "report-occupied"]
        assert "check-in" not in desk.look(booked)["allowed_actions"]
        gate.done(booked, "check-in")
        vehicle = make.vehicle(desk.user)
        mine = desk.own(free, vehicle_id=vehicle.id, **between(start, start + HOUR))
        assert "check-in" in mine["allowed_actions"]
        desk.done(mine, "check-in")
        assert problem(desk.act(mine, "check-out", let_out_reason="In a hurry")) == "403 forbidden"
        assert desk.done(mine, "check-out")["status"] == "completed"


class TestCheckOut:
    def test_leaving_ends_the_stay_and_frees_the_bay(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        staff: Staff,
        at: At,
        read_mail: ReadMail,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot(spots=1)
        booked, gate, other = _enter(desk, lot, staff(lot), at, start), staff(lot), arrive()
        (desk, gate, other) = at(end - HOUR, desk, gate, other)
        left = gate.done(booked, "check-out")
        assert (left["status"], left["due_minor"], left["refunded_minor"]) == ("completed", 0, 0)
        assert left["stay"]["left_at"] is not None
        assert desk.look(booked)["allowed_actions"] == ["review"]
        rest = between(end - 50 * MINUTE, end)
        assert other.book_window(lot, **rest).status_code == 201
        kinds = [each["kind"] for each in desk.get(f"/reservations/{booked['id']}/events")["items"]]
        assert kinds == ["booked", "paid", "entered", "left", "completed"]
        assert "Thank you" in read_mail()[-1]["Subject"]
        assert problem(gate.act(booked, "check-out")) == "409 illegal-transition"

    def test_who_leaves_early_pays_for_the_time_until_then_where_the_lot_has_it_so(
        self, desk: Desk, make: Factory, staff: Staff, at: At, rows: Rows, start: datetime
    ) -> None:
        lot = make.lot(refunds_early_exit=True)
        gate = staff(lot)
        booked = _enter(desk, lot, gate, at, start)
        (gate,) = at(start + 50 * MINUTE, gate)
        left = gate.done(booked, "check-out")
        assert (left["price_minor"], left["paid_minor"], left["refunded_minor"]) == (200, 400, 200)
        assert left["quote"]["total_minor"] == 200
        assert rows("SELECT cause, amount_minor FROM refunds") == [("early_exit", 200)]

    @pytest.mark.parametrize(("late", "due"), [(10 * MINUTE - 2 * SECOND, 0), (11 * MINUTE, 200)])
    def test_past_the_grace_the_whole_stay_is_priced_anew(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        start: datetime,
        end: datetime,
        late: timedelta,
        due: int,
    ) -> None:
        lot = make.lot()
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk, gate) = at(end + late, desk, gate)
        seen = desk.look(booked)
        assert seen["due_minor"] == due
        assert (seen["overstay"] is None) == (due == 0)
        answer = gate.act(booked, "check-out")
        if not due:
            assert answer.status_code == 200
            return
        assert problem(answer) == "409 payment-due"
        assert answer.json is not None
        assert (answer.json["due_minor"], answer.json["currency"]) == (due, "EUR")
        assert desk.look(booked)["price_minor"] == 400
        assert seen["overstay"] == {
            "since": end.isoformat().replace("+00:00", "Z"),
            "due_minor": due,
        }
        paid = desk.charge(booked)
        assert (paid["amount_minor"], paid["status"]) == (200, "succeeded")
        assert paid["receipt_number"] is not None
        after = desk.look(booked)
        assert (after["due_minor"], after["price_minor"], after["paid_minor"]) == (0, 600, 600)
        assert after["covered_until"] is not None
        left = gate.done(booked, "check-out")
        assert (left["status"], left["price_minor"]) == ("completed", 600)

    def test_the_price_that_a_payment_fixed_holds_for_the_grace_and_no_longer(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk,) = at(end + 55 * MINUTE, desk)
        assert desk.charge(booked)["amount_minor"] == 200
        (desk,) = at(end + 64 * MINUTE, desk)
        assert desk.look(booked)["due_minor"] == 0
        (desk, gate) = at(end + 66 * MINUTE, desk, gate)
        assert desk.look(booked)["due_minor"] == 200
        assert problem(gate.act(booked, "check-out")) == "409 payment-due"
        assert desk.charge(booked)["amount_minor"] == 200
        assert gate.done(booked, "check-out")["paid_minor"] == 800

    def test_a_refused_card_fixes_the_price_and_leaves_it_due(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk, gate) = at(end + 20 * MINUTE, desk, gate)
        assert desk.charge(booked, DECLINED)["status"] == "failed"
        assert desk.look(booked)["due_minor"] == 200
        assert problem(gate.act(booked, "check-out")) == "409 payment-due"
        desk.charge(booked)
        gate.done(booked, "check-out")

    def test_a_cap_holds_for_who_stays_too_long_as_well(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot(day_cap_minor=400)
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk, gate) = at(end + 2 * HOUR, desk, gate)
        assert desk.look(booked)["due_minor"] == 0
        assert desk.look(booked)["overstay"]["due_minor"] == 0
        assert gate.done(booked, "check-out")["status"] == "completed"

    def test_a_car_let_out_unpaid_leaves_a_debt_that_stands_until_paid(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        rows: Rows,
        read_mail: ReadMail,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot()
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk, gate) = at(end + 30 * MINUTE, desk, gate)
        left = gate.done(booked, "check-out", let_out_reason="The card reader is broken")
        assert (left["status"], left["debt_minor"], left["due_minor"]) == ("completed", 200, 200)
        assert desk.look(booked)["allowed_actions"] == ["pay", "review"]
        refused = desk.book_window(lot, **between(end + 3 * HOUR, end + 4 * HOUR))
        assert problem(refused) == "409 debt-stands"
        assert refused.json is not None
        assert refused.json["reservations"] == [
            {"id": booked["id"], "code": booked["code"], "debt_minor": 200, "currency": "EUR"}
        ]
        assert rows("SELECT action FROM audit_entries WHERE action LIKE 'reservation.%'") == [
            ("reservation.let-out",)
        ]
        assert "Please pay €2.00" in _text(read_mail()[-1])
        for path, refusal in (
            (f"/vehicles/{desk.vehicle.id}", "409 vehicle-in-use"),
            ("/me", "409 account-in-use"),
        ):
            gone = desk.client.delete(f"/api/v1{path}", headers=desk.headers)
            assert problem(gone) == refusal

        paid = desk.charge(booked)
        assert paid["amount_minor"] == 200
        settled = desk.look(booked)
        assert (settled["status"], settled["debt_minor"], settled["due_minor"]) == (
            "completed",
            0,
            0,
        )
        assert problem(desk.pay(booked)) == "409 already-paid"
        again = desk.book_window(lot, **between(end + 3 * HOUR, end + 4 * HOUR))
        assert again.status_code == 201

    def test_a_reason_without_anything_due_makes_no_debt(
        self, desk: Desk, make: Factory, staff: Staff, at: At, rows: Rows, start: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = _enter(desk, lot, gate, at, start)
        (gate,) = at(start + HOUR, gate)
        assert gate.done(booked, "check-out", let_out_reason="Just so")["debt_minor"] == 0
        assert rows("SELECT action FROM audit_entries WHERE action LIKE 'reservation.%'") == []

    def test_an_extension_that_is_not_paid_is_due_before_leaving(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = _enter(desk, lot, gate, at, start)
        (desk, gate) = at(start + HOUR, desk, gate)
        longer = desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert (longer["due_minor"], longer["price_minor"]) == (200, 600)
        assert problem(gate.act(booked, "check-out")) == "409 payment-due"
        desk.charge(booked)
        assert gate.done(booked, "check-out")["paid_minor"] == 600

    def test_money_for_a_longer_stay_that_comes_after_the_cancelling_goes_back(
        self, desk: Desk, make: Factory, rows: Rows, end: datetime
    ) -> None:
        booked = desk.own(make.lot())
        desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        asked = desk.charge(booked, CHALLENGED)
        assert asked["status"] == "requires_action"
        desk.done(booked, "cancel")
        # The bank's question was open still; it is answered when nothing is left to pay.
        answer = desk.confirm(asked)
        told = desk.look(booked)
        assert told["status"] == "cancelled"
        assert told["paid_minor"] - told["refunded_minor"] == 0
        assert answer.status_code in {200, 409}
        balance = "SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries WHERE account = 'reservations'"
        assert rows(balance) == [(0,)]

    def test_what_an_admin_gives_back_as_a_courtesy_is_not_asked_for_again(
        self,
        desk: Desk,
        make: Factory,
        as_admin: dict[str, str],
        end: datetime,
    ) -> None:
        booked = desk.own(make.lot())
        desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        paid = desk.charge(booked)
        back = desk.client.post(
            f"/api/v1/payments/{paid['id']}/refunds",
            json={"amount_minor": 50, "reason": "A courtesy"},
            headers=as_admin,
        )
        assert back.status_code == 201, back.text
        told = desk.look(booked)
        assert (told["refunded_minor"], told["due_minor"]) == (50, 0)
        assert problem(desk.pay(booked)) == "409 already-paid"

    def test_hours_are_those_that_passed_when_the_clocks_go_back(
        self, desk: Desk, make: Factory, staff: Staff, at: At
    ) -> None:
        # In Berlin 02:00 to 03:00 comes twice on 31 October 2027: the stay lasts 5 hours, by its walls 4.
        start = datetime(2027, 10, 30, 23, tzinfo=UTC)
        (desk, gate) = at(start - 30 * MINUTE, desk, staff(lot := make.lot()))
        booked = desk.own(lot, **between(start, start + 5 * HOUR))
        assert booked["price_minor"] == 1000
        (gate,) = at(start, gate)
        gate.done(booked, "check-in")
        (desk,) = at(start + 5 * HOUR + 11 * MINUTE, desk)
        assert desk.look(booked)["due_minor"] == 200

    def test_a_second_request_of_a_check_out_is_answered_as_the_first(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime
    ) -> None:
        lot = make.lot()
        gate = staff(lot)
        booked = _enter(desk, lot, gate, at, start)
        (gate,) = at(start + HOUR, gate)
        first = gate.act(booked, "check-out", key="out")
        assert first.status_code == 200
        assert gate.act(booked, "check-out", key="out").json == first.json


class TestComingBack:
    def test_where_the_lot_allows_it_a_car_comes_and_goes_until_its_end(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        staff: Staff,
        at: At,
        app: Flask,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot(spots=1, allows_reentry=True)
        gate, other = staff(lot), arrive()
        booked = _enter(desk, lot, gate, at, start)
        (gate, desk, other) = at(start + 30 * MINUTE, gate, desk, other)
        out = gate.done(booked, "check-out")
        assert out["status"] == "checked_in"
        assert out["stay"]["left_at"] is not None
        assert "check-in" in out["allowed_actions"]
        assert problem(gate.act(booked, "check-out")) == "409 illegal-transition"
        gone = between(start + HOUR, start + 2 * HOUR)
        assert problem(other.book_window(lot, **gone)) == "409 lot-full"
        (gate,) = at(start + HOUR, gate)
        again = gate.done(booked, "check-in")
        assert (again["stay"]["stays"], again["stay"]["left_at"]) == (2, None)
        gate.done(booked, "check-out")
        (gate, desk) = at(end + 30 * MINUTE, gate, desk)
        assert desk.look(booked)["due_minor"] == 0
        answer = gate.act(booked, "check-in")
        assert answer.json is not None
        assert (problem(answer), answer.json["reason"]) == ("409 entry-refused", "over")
        assert sweep() == 1
        assert desk.look(booked)["status"] == "completed"

    def test_what_was_left_open_is_a_debt_when_the_time_ends_outside(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        change: Change,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot(allows_reentry=True)
        gate = staff(lot)
        booked = _enter(desk, lot, gate, at, start)
        (gate, desk) = at(start + 30 * MINUTE, gate, desk)
        desk.done(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert problem(gate.act(booked, "check-out")) == "409 payment-due"
        out = gate.done(booked, "check-out", let_out_reason="Comes back for sure")
        assert (out["status"], out["debt_minor"], out["due_minor"]) == ("checked_in", 0, 200)
        (desk,) = at(end + 2 * HOUR, desk)
        assert sweep() == 1
        ended = desk.look(booked)
        assert (ended["status"], ended["debt_minor"]) == ("completed", 200)


class TestByItself:
    def test_who_never_came_is_a_no_show_when_the_window_is_over_and_not_before(
        self, desk: Desk, make: Factory, at: At, read_mail: ReadMail, end: datetime
    ) -> None:
        booked = desk.own(make.lot())
        (desk,) = at(end - 5 * SECOND, desk)
        assert sweep() == 0
        (desk,) = at(end, desk)
        assert sweep() == 1
        assert sweep() == 0
        missed = desk.look(booked)
        assert (missed["status"], missed["due_minor"], missed["paid_minor"]) == ("no_show", 0, 400)
        assert missed["allowed_actions"] == []
        assert "We missed you" in read_mail()[-1]["Subject"]
        assert problem(desk.cancel(booked)) == "409 illegal-transition"

    def test_who_stays_past_the_grace_overstays_and_is_told_what_it_costs(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        read_mail: ReadMail,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot()
        booked, gate = _enter(desk, lot, staff(lot), at, start), staff(lot)
        (desk,) = at(end + 9 * MINUTE, desk)
        assert sweep() == 0
        (desk, gate) = at(end + 10 * MINUTE + SECOND, desk, gate)
        assert sweep() == 1
        assert sweep() == 0
        late = desk.look(booked)
        assert (late["status"], late["due_minor"]) == ("overstayed", 200)
        assert late["allowed_actions"] == ["pay"]
        mail = read_mail()[-1]
        assert "is over" in mail["Subject"]
        assert "€2.00" in _text(mail)
        answer = desk.act(booked, "extend", ends_at=(end + HOUR).isoformat())
        assert problem(answer) == "409 illegal-transition"
        desk.charge(booked)
        assert gate.done(booked, "check-out")["status"] == "completed"
        assert sweep() == 0

    def test_who_paid_for_longer_overstays_later(
        self, desk: Desk, make: Factory, staff: Staff, at: At, start: datetime, end: datetime
    ) -> None:
        lot = make.lot()
        booked = _enter(desk, lot, staff(lot), at, start)
        (desk,) = at(end + 15 * MINUTE, desk)
        desk.charge(booked)
        (desk,) = at(end + 24 * MINUTE, desk)
        assert sweep() == 0
        (desk,) = at(end + 26 * MINUTE, desk)
        assert sweep() == 1
        assert desk.look(booked)["status"] == "overstayed"

    def test_one_row_that_cannot_be_decided_keeps_no_other_waiting(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
        end: datetime,
    ) -> None:
        lot = make.lot()
        first, second = desk.own(lot), arrive().own(lot)

        def fail_for_the_first(reservation_id: int, *args: Any, **kwargs: Any) -> None:
            if reservation_id == first["id"]:
                raise RuntimeError("poison")
            tell(reservation_id, *args, **kwargs)

        monkeypatch.setattr("backend.reservations.sweeping.tell", fail_for_the_first)
        (desk,) = at(end, desk)
        assert sweep() == 1
        assert desk.look(first)["status"] == "confirmed"
        monkeypatch.setattr("backend.reservations.sweeping.tell", tell)
        assert sweep() == 1
        assert second["id"] != first["id"]


class TestReading:
    def test_only_rows_that_need_it_are_priced(
        self,
        desk: Desk,
        make: Factory,
        staff: Staff,
        at: At,
        statements: Any,
        start: datetime,
        end: datetime,
    ) -> None:
        lot = make.lot()
        booked = _enter(desk, lot, staff(lot), at, start)
        (desk,) = at(start + HOUR, desk)
        desk.own(lot, vehicle_id=make.vehicle(desk.user).id, **window(20, 21))
        with statements() as calm:
            desk.get("/reservations")
        (desk,) = at(end + 50 * MINUTE, desk)
        with statements() as late:
            page = desk.get("/reservations")
        assert len(calm) <= 4
        assert len(late) > len(calm)
        assert {each["id"]: each["due_minor"] for each in page["items"]}[booked["id"]] == 200

    def test_the_bay_is_final_two_hours_before_the_start(
        self, desk: Desk, make: Factory, at: At, start: datetime
    ) -> None:
        lot = make.lot()
        booked = desk.own(lot)
        assert booked["bay_final"] is False
        (desk,) = at(start - 2 * HOUR - 5 * SECOND, desk)
        assert desk.look(booked)["bay_final"] is False
        (desk,) = at(start - 2 * HOUR, desk)
        assert desk.look(booked)["bay_final"] is True

    def test_events_are_for_who_may_read_the_booking(
        self, desk: Desk, arrive: Arrive, make: Factory, staff: Staff, as_admin: dict[str, str]
    ) -> None:
        lot = make.lot()
        gate, stranger = staff(lot), staff(make.lot())
        path = f"/reservations/{desk.own(lot)['id']}/events"
        assert [each["kind"] for each in desk.get(path)["items"]] == ["booked", "paid"]
        assert gate.get(path) == desk.get(path)
        for person in (arrive(), stranger):
            assert problem(person.try_get(path)) == "404 not-found"


def _enter(desk: Desk, lot: Lot, gate: Desk, at: At, start: datetime) -> dict[str, Any]:
    """Book the two hours from the start, pay, and come in as they begin."""
    booked = desk.own(lot, **between(start, start + 2 * HOUR))
    (gate,) = at(start, gate)
    return gate.done(booked, "check-in")


def _text(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())
