"""Cancelling paid bookings, and what comes back, through the API."""

from datetime import timedelta

import pytest

from tests.counter import Arrive, ReadMail
from tests.desk import Desk, between, problem, window
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Rows

SECOND = timedelta(seconds=1)


class TestPreview:
    def test_it_tells_what_comes_back_and_until_when(self, desk: Desk, make: Factory) -> None:
        start = tomorrow_at(9) + timedelta(days=7)
        booked = desk.own(make.lot(), **between(start, start + 2 * HOUR))
        told = desk.get(f"/reservations/{booked['id']}/cancellation")
        assert told == {
            "refund_minor": 400,
            "kept_minor": 0,
            "paid_minor": 400,
            "percent": 100,
            "currency": "EUR",
            "reason": "policy",
            "until": (start - 24 * HOUR).isoformat().replace("+00:00", "Z"),
        }

    def test_of_an_unpaid_booking_nothing_comes_back(self, desk: Desk, make: Factory) -> None:
        held = desk.hold(make.lot())
        told = desk.get(f"/reservations/{held['id']}/cancellation")
        assert (told["refund_minor"], told["reason"], told["until"]) == (0, "unpaid", None)

    def test_anothers_is_not_found(self, desk: Desk, arrive: Arrive, make: Factory) -> None:
        booked = desk.own(make.lot())
        path = f"/reservations/{booked['id']}/cancellation"
        assert problem(arrive().try_get(path)) == "404 not-found"

    def test_what_is_over_has_none(self, desk: Desk, make: Factory) -> None:
        booked = desk.own(make.lot())
        desk.cancel(booked)
        answer = desk.try_get(f"/reservations/{booked['id']}/cancellation")
        assert problem(answer) == "409 illegal-transition"


class TestCancelling:
    @pytest.mark.parametrize(
        ("policy", "before", "refund"),
        [
            ("flexible", SECOND, 500),
            ("flexible", -2 * SECOND, 0),
            ("standard", 24 * HOUR + 5 * SECOND, 500),
            ("standard", 24 * HOUR - SECOND, 375),
            ("standard", 2 * HOUR + 5 * SECOND, 375),
            ("standard", 2 * HOUR - SECOND, 250),
            ("standard", 5 * SECOND, 250),
            ("standard", -2 * SECOND, 0),
            ("saver", 24 * HOUR, 0),
        ],
    )
    def test_what_was_shown_comes_back(
        self,
        desk: Desk,
        make: Factory,
        at: At,
        rows: Rows,
        policy: str,
        before: timedelta,
        refund: int,
    ) -> None:
        start = tomorrow_at(9) + timedelta(days=2)
        lot = make.lot(hourly_minor=250, refund_policy=policy)
        booked = desk.own(lot, **between(start, start + 2 * HOUR))
        (desk,) = at(start - before, desk)
        shown = desk.get(f"/reservations/{booked['id']}/cancellation")
        assert (shown["refund_minor"], shown["kept_minor"]) == (refund, 500 - refund)

        gone = desk.done(booked, "cancel", expected_refund_minor=refund)

        assert gone["status"] == "cancelled"
        assert (gone["paid_minor"], gone["refunded_minor"], gone["due_minor"]) == (500, refund, 0)
        assert gone["allowed_actions"] == []
        assert rows("SELECT coalesce(sum(amount_minor), 0) FROM refunds") == [(refund,)]
        assert rows(
            "SELECT coalesce(sum(e.amount_minor), 0) FROM ledger_entries e"
            " WHERE e.account = 'reservations'"
        ) == [(refund - 500,)]

    def test_all_comes_back_of_what_was_booked_a_moment_ago(
        self, desk: Desk, make: Factory, at: At
    ) -> None:
        start = tomorrow_at(9)
        booked = desk.own(make.lot(refund_policy="saver"), **between(start, start + HOUR))
        assert desk.done(booked, "cancel")["refunded_minor"] == 200

    def test_another_refund_than_expected_changes_nothing(
        self, desk: Desk, make: Factory, at: At, rows: Rows
    ) -> None:
        start = tomorrow_at(9) + timedelta(days=2)
        booked = desk.own(make.lot(), **between(start, start + HOUR))
        (desk,) = at(start - 3 * HOUR, desk)
        answer = desk.cancel(booked, expected_refund_minor=200)
        assert problem(answer) == "409 refund-changed"
        assert answer.json is not None
        assert answer.json["refund_minor"] == 150
        assert desk.look(booked)["status"] == "confirmed"
        assert rows("SELECT count(*) FROM refunds") == [(0,)]

    def test_the_bay_is_free_at_once_and_the_driver_is_told(
        self, desk: Desk, arrive: Arrive, make: Factory, read_mail: ReadMail
    ) -> None:
        lot = make.lot(spots=1)
        booked = desk.own(lot)
        desk.done(booked, "cancel")
        assert arrive().book_window(lot).status_code == 201
        mail = read_mail()[-1]
        assert mail["To"] == desk.user.email
        assert booked["code"] in mail["Subject"]
        body = mail.get_body(("plain",))
        assert body is not None
        assert "€4.00 goes back to you" in body.get_content()
        events = desk.get(f"/reservations/{booked['id']}/events")["items"]
        assert [event["kind"] for event in events] == ["booked", "paid", "cancelled"]
        assert events[-1]["facts"]["refund_minor"] == 400
        assert {event["by"] for event in events} == {"driver"}

    def test_the_same_request_again_has_the_same_answer_and_no_second_refund(
        self, desk: Desk, make: Factory, rows: Rows
    ) -> None:
        booked = desk.own(make.lot())
        first = desk.cancel(booked, key="once", expected_refund_minor=400)
        again = desk.cancel(booked, key="once", expected_refund_minor=400)
        assert first.json == again.json
        assert again.headers["Idempotency-Replayed"] == "true"
        assert problem(desk.cancel(booked)) == "409 illegal-transition"
        assert rows("SELECT count(*) FROM refunds") == [(1,)]

    def test_after_the_start_nothing_comes_back_and_after_the_end_it_is_too_late(
        self, desk: Desk, make: Factory, at: At
    ) -> None:
        lot = make.lot()
        booked, missed = desk.own(lot), desk.own(lot, vehicle_id=make.vehicle(desk.user).id)
        end = tomorrow_at(11)
        (desk,) = at(end - 30 * MINUTE, desk)
        assert desk.get(f"/reservations/{booked['id']}/cancellation")["reason"] == "over"
        assert desk.done(booked, "cancel")["refunded_minor"] == 0
        (desk,) = at(end, desk)
        answer = desk.cancel(missed)
        assert problem(answer) == "409 illegal-transition"
        assert answer.json is not None
        assert answer.json["status_now"] == "no_show"
        assert desk.look(missed)["allowed_actions"] == []

    def test_a_free_booking_is_cancelled_too(self, desk: Desk, make: Factory) -> None:
        lot = make.lot(hourly_minor=0)
        free = desk.hold(lot, **window(9, 10))
        assert free["status"] == "confirmed"
        assert desk.done(free, "cancel")["status"] == "cancelled"


class TestForTheOperator:
    def test_all_comes_back_when_an_admin_cancels(
        self, desk: Desk, arrive: Arrive, make: Factory, rows: Rows
    ) -> None:
        booked = desk.own(make.lot(refund_policy="saver"))
        admin = arrive(user=make.user(roles=("admin",)))
        told = admin.done(booked, "cancel")
        assert (told["status"], told["refunded_minor"]) == ("cancelled", 400)
        assert told["user_id"] == desk.user.id
        assert rows("SELECT cause, amount_minor FROM refunds") == [("operator", 400)]
        assert rows("SELECT action, actor_id FROM audit_entries WHERE subject = 'reservation'") == [
            ("reservation.cancelled", admin.user.id)
        ]
        last = admin.get(f"/reservations/{booked['id']}/events")["items"][-1]
        assert (last["kind"], last["by"]) == ("cancelled", "staff")

    def test_an_admins_own_booking_follows_its_policy(self, arrive: Arrive, make: Factory) -> None:
        admin = arrive(user=make.user(roles=("driver", "admin")))
        start = tomorrow_at(9) + timedelta(days=7)
        lot = make.lot(refund_policy="standard")
        booked = admin.own(lot, **between(start, start + 2 * HOUR))
        assert admin.done(booked, "cancel")["refunded_minor"] == 400
        assert admin.cancel({"id": booked["id"] + 1}).status_code == 404
