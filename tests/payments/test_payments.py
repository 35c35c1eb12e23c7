"""Paying for a bay, through the API."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend import clock
from backend.extensions import db
from backend.models import Base, Lot, SandboxIntent
from backend.payments import gateways
from backend.payments.gateway import GatewayTimeout, Means, Order, Outcome
from backend.payments.sandbox import SandboxGateway
from backend.payments.tasks import reconcile, send_refunds
from backend.reservations.tasks import expire_holds
from tests.counter import Arrive, Later, MoveClock, ReadMail
from tests.desk import CHALLENGED, DECLINED, GOOD, TIMES_OUT, Desk, problem, window
from tests.factories import Factory

MINUTE = timedelta(minutes=1)
Tally = Callable[[], dict[str, int]]


class TestPaying:
    def test_a_good_card_confirms_the_booking(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        answer = desk.pay(held, GOOD, expiry="12/40", cvc="123")
        assert answer.status_code == 201, answer.text
        payment = answer.json
        assert payment is not None
        assert payment["status"] == "succeeded"
        assert payment["amount_minor"] == held["price_minor"]
        assert payment["currency"] == "EUR"
        assert payment["failure"] is None
        assert payment["receipt_number"].startswith("R-")
        assert desk.look(held)["status"] == "confirmed"
        assert desk.get(f"/payments/{payment['id']}") == payment

    def test_a_number_may_be_spaced_as_on_the_card(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        assert desk.charge(held, "4242 4242-4242 4242")["status"] == "succeeded"

    @pytest.mark.parametrize(
        ("card", "extra", "failure"),
        [
            (DECLINED, {}, "card_declined"),
            ("5555555555554444", {}, "unknown_card"),
            (GOOD, {"expiry": "01/20"}, "card_expired"),
            (CHALLENGED, {"expiry": "01/20"}, "card_expired"),
        ],
        ids=["declined", "unknown", "expired", "expired-challenge"],
    )
    def test_after_a_refused_card_another_pays(
        self, desk: Desk, lot: Lot, card: str, extra: dict[str, str], failure: str
    ) -> None:
        held = desk.hold(lot)
        answer = desk.pay(held, card, **extra)
        assert answer.status_code == 201, answer.text
        assert answer.json is not None
        assert answer.json["status"] == "failed"
        assert answer.json["failure"]["code"] == failure
        assert answer.json["receipt_number"] is None
        assert desk.look(held)["status"] == "held"

        assert desk.charge(held)["status"] == "succeeded"
        assert desk.look(held)["paid_minor"] == 400

    @pytest.mark.parametrize(
        "wrong",
        [
            {"card_number": "4242"},
            {"card_number": "4242x4242y4242z4242"},
            {"card_number": "\uff14242424242424242"},
            {"expiry": "13/30"},
            {"expiry": "1/30"},
            {"cvc": "12"},
            {"cvc": "abcd"},
            {"method": "bitcoin"},
            {"amount_minor": 1},
            {"card_number": 4242424242424242},
        ],
        ids=str,
    )
    def test_a_body_that_makes_no_sense_is_refused(
        self, desk: Desk, lot: Lot, wrong: dict[str, Any]
    ) -> None:
        held = desk.hold(lot)
        body = {"method": "sandbox", "card_number": GOOD, **wrong}
        answer = desk.client.post(
            f"/api/v1/reservations/{held['id']}/payments", json=body, headers=desk.headers
        )
        assert problem(answer) == "422 invalid-input"
        assert desk.get("/payments")["total"] == 0

    def test_paying_twice_is_refused(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        assert problem(desk.pay(held)) == "409 already-paid"
        assert desk.look(held)["paid_minor"] == 400

    def test_a_stale_hold_cannot_be_paid(
        self, desk: Desk, lot: Lot, move_clock: MoveClock, tally: Tally
    ) -> None:
        held = desk.hold(lot)
        move_clock(10 * MINUTE)
        assert problem(desk.pay(held)) == "409 hold-expired"
        assert tally() == {"payments": 0, "charges": 0, "receipts": 0}

    def test_a_swept_hold_cannot_be_paid(
        self, desk: Desk, arrive: Arrive, make: Factory, move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=1)
        held = desk.hold(lot)
        move_clock(10 * MINUTE)
        arrive().hold(lot)
        assert problem(desk.pay(held)) == "409 hold-expired"

    def test_a_cancelled_booking_cannot_be_paid(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        desk.cancel(held)
        assert problem(desk.pay(held)) == "409 illegal-transition"

    def test_anothers_booking_is_not_found(
        self, desk: Desk, arrive: Arrive, lot: Lot, tally: Tally
    ) -> None:
        held = desk.hold(lot)
        assert problem(arrive().pay(held)) == "404 not-found"
        assert problem(desk.pay({"id": 999})) == "404 not-found"
        assert tally()["payments"] == 0

    def test_the_same_key_pays_once_and_answers_alike(
        self, desk: Desk, lot: Lot, tally: Tally
    ) -> None:
        held = desk.hold(lot)
        first, again = desk.pay(held, key="k"), desk.pay(held, key="k")
        assert first.status_code == again.status_code == 201
        assert first.data == again.data
        assert tally() == {"payments": 1, "charges": 1, "receipts": 1}

    @pytest.mark.parametrize("card", [DECLINED, TIMES_OUT, CHALLENGED])
    def test_a_key_answers_as_at_first_whatever_became_of_it_since(
        self, desk: Desk, lot: Lot, card: str, later: Later
    ) -> None:
        held = desk.hold(lot)
        first = desk.pay(held, card, key="k")
        desk = later(desk, minutes=1)
        assert desk.pay(held, GOOD).status_code == 201
        assert desk.pay(held, card, key="k").data == first.data

    def test_many_at_once_charge_once(self, desk: Desk, lot: Lot, tally: Tally, app: Flask) -> None:
        held = desk.hold(lot)
        answers = _at_once(8, lambda _: _pay_alone(app, desk, held))
        assert min(answers) == "201"
        assert answers.count("201") == 1
        assert set(answers) <= {"201", "409 already-paid", "409 payment-in-progress"}
        assert tally() == {"payments": 1, "charges": 1, "receipts": 1}


class TestTheBanksChallenge:
    def test_the_right_code_pays(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        payment = desk.charge(held, CHALLENGED)
        assert payment["status"] == "requires_action"
        assert desk.look(held)["status"] == "held"

        answer = desk.confirm(payment)

        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        assert answer.json["status"] == "succeeded"
        assert answer.json["receipt_number"]
        assert desk.look(held)["status"] == "confirmed"

    @pytest.mark.parametrize("code", ["654321", "\uff11\uff12\uff13456", "12345é"])
    def test_a_wrong_code_fails_the_payment_and_another_card_pays(
        self, desk: Desk, lot: Lot, code: str
    ) -> None:
        held = desk.hold(lot)
        payment = desk.charge(held, CHALLENGED)
        answer = desk.confirm(payment, code)
        assert answer.json is not None
        assert answer.json["status"] == "failed"
        assert answer.json["failure"]["code"] == "challenge_failed"
        assert problem(desk.confirm(payment)) == "409 illegal-transition"
        assert desk.charge(held)["status"] == "succeeded"

    def test_an_abandoned_challenge_gives_way_to_another_card(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        abandoned = desk.charge(held, CHALLENGED)
        assert desk.charge(held)["status"] == "succeeded"
        told = desk.get(f"/payments/{abandoned['id']}")
        assert (told["status"], told["failure"]["code"]) == ("failed", "abandoned")
        assert problem(desk.confirm(abandoned)) == "409 illegal-transition"

    def test_one_left_open_is_given_up_by_the_reconciliation(
        self, desk: Desk, lot: Lot, later: Later
    ) -> None:
        payment = desk.charge(desk.hold(lot), CHALLENGED)
        desk = later(desk, minutes=29)
        assert reconcile() == 0
        desk = later(desk, minutes=31)
        assert reconcile() == 1
        assert desk.get(f"/payments/{payment['id']}")["failure"]["code"] == "abandoned"

    def test_it_cannot_be_answered_once_the_hold_is_stale(
        self, desk: Desk, lot: Lot, later: Later
    ) -> None:
        payment = desk.charge(desk.hold(lot), CHALLENGED)
        assert problem(later(desk, minutes=15).confirm(payment)) == "409 hold-expired"

    def test_others_and_admins_cannot_answer_it(
        self, desk: Desk, arrive: Arrive, lot: Lot, make: Factory
    ) -> None:
        payment = desk.charge(desk.hold(lot), CHALLENGED)
        boss = arrive(user=make.user(roles=("driver", "admin")))
        for stranger in (arrive(), boss):
            assert problem(stranger.confirm(payment)) == "404 not-found"
        assert desk.confirm(payment).status_code == 200

    def test_the_same_key_answers_alike(self, desk: Desk, lot: Lot) -> None:
        payment = desk.charge(desk.hold(lot), CHALLENGED)
        first = desk.confirm(payment, **{"Idempotency-Key": "k"})
        again = desk.confirm(payment, **{"Idempotency-Key": "k"})
        assert first.status_code == again.status_code == 200
        assert first.data == again.data


class TestABankThatDoesNotAnswer:
    def test_the_payment_is_pending_until_the_bank_is_asked(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        payment = desk.charge(held, TIMES_OUT)
        assert payment["status"] == "pending"
        assert payment["failure"] is None
        answer = desk.pay(held)
        assert problem(answer) == "409 payment-in-progress"
        assert int(answer.headers["Retry-After"]) > 0
        assert reconcile() == 0

        move_clock(MINUTE)

        assert reconcile() == 1
        told = desk.get(f"/payments/{payment['id']}")
        assert (told["status"], told["failure"]["code"]) == ("failed", "no_answer")
        assert desk.charge(held)["status"] == "succeeded"

    def test_the_next_try_asks_the_bank_itself(
        self, desk: Desk, lot: Lot, move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held, TIMES_OUT)
        move_clock(MINUTE)
        assert desk.charge(held)["status"] == "succeeded"

    def test_money_that_was_taken_all_the_same_confirms_the_booking(
        self, desk: Desk, lot: Lot, bank: "Bank", move_clock: MoveClock
    ) -> None:
        held = desk.hold(lot)
        bank.answers = False
        assert desk.charge(held)["status"] == "pending"
        bank.answers = True
        move_clock(MINUTE)
        assert problem(desk.pay(held)) == "409 already-paid"
        assert desk.look(held)["status"] == "confirmed"

    def test_a_charge_that_never_arrived_is_no_charge(
        self, desk: Desk, lot: Lot, bank: "Bank", move_clock: MoveClock, tally: Tally
    ) -> None:
        held = desk.hold(lot)
        bank.is_away = True
        payment = desk.charge(held)
        assert payment["status"] == "pending"
        move_clock(MINUTE)
        assert problem(desk.pay(held)) == "409 payment-in-progress"
        assert reconcile() == 0
        bank.is_away = False
        assert reconcile() == 1
        assert desk.get(f"/payments/{payment['id']}")["failure"]["code"] == "never_arrived"
        assert tally()["charges"] == 0

    def test_one_payment_that_cannot_be_reconciled_costs_itself_only(
        self, arrive: Arrive, lot: Lot, bank: "Bank", move_clock: MoveClock
    ) -> None:
        desks = [arrive() for _ in range(3)]
        payments = [desk.charge(desk.hold(lot), TIMES_OUT) for desk in desks]
        bank.poison = f"payment-{payments[0]['id']}"
        move_clock(MINUTE)
        assert reconcile() == 2
        told = [
            desk.get(f"/payments/{payment['id']}")["status"]
            for desk, payment in zip(desks, payments, strict=True)
        ]
        assert told == ["pending", "failed", "failed"]


class TestMoneyThatComesTooLate:
    def test_a_bay_that_is_still_free_is_taken_again(
        self, desk: Desk, lot: Lot, bank: "Bank", read_mail: ReadMail
    ) -> None:
        held = desk.hold(lot)
        bank.meanwhile = lambda: clock.move(16 * MINUTE)
        assert desk.charge(held)["status"] == "succeeded"
        assert _status_of(bank.app, held) == ("confirmed", True, True)
        assert len(read_mail()) == 1

    def test_it_is_taken_again_after_the_sweep_too(
        self, desk: Desk, lot: Lot, bank: "Bank", tally: Tally
    ) -> None:
        held = desk.hold(lot)

        def sweep() -> None:
            clock.move(16 * MINUTE)
            assert expire_holds() == 1

        bank.meanwhile = sweep
        assert desk.charge(held)["status"] == "succeeded"
        assert _status_of(bank.app, held) == ("confirmed", True, True)
        assert tally()["receipts"] == 1

    def test_a_bay_taken_meanwhile_gives_the_money_back_in_full(
        self,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        bank: "Bank",
        tally: Tally,
        read_mail: ReadMail,
    ) -> None:
        lot = make.lot(spots=1)
        held = desk.hold(lot)

        def sell() -> None:
            clock.move(16 * MINUTE)
            bank.meanwhile = None
            arrive().buy(lot)

        bank.meanwhile = sell
        payment = desk.charge(held)

        assert payment["status"] == "refunded"
        assert payment["refunded_minor"] == payment["amount_minor"] == 400
        assert payment["receipt_number"] is None
        assert _status_of(bank.app, held) == ("expired", False, False)
        assert tally()["receipts"] == 1
        assert sorted(bank.refunds()) == [0, 400]
        told = [mail for mail in read_mail() if "goes back" in mail["Subject"]]
        assert [mail["To"] for mail in told] == [desk.user.email]
        body = told[0].get_body(("plain",))
        assert body is not None
        assert held["code"] in body.get_content()
        assert "4.00" in body.get_content()

    def test_another_stale_hold_on_the_bay_is_not_in_the_way(
        self, desk: Desk, arrive: Arrive, make: Factory, bank: "Bank"
    ) -> None:
        lot = make.lot(spots=1)
        held = desk.hold(lot)

        def hold_and_forget() -> None:
            clock.move(16 * MINUTE)
            arrive().hold(lot)
            clock.move(27 * MINUTE)

        bank.meanwhile = hold_and_forget
        assert desk.charge(held)["status"] == "succeeded"
        assert _status_of(bank.app, held) == ("confirmed", True, True)

    def test_a_plate_booked_elsewhere_meanwhile_gives_the_money_back(
        self, arrive: Arrive, make: Factory, bank: "Bank"
    ) -> None:
        desk, twin = arrive(plate="DDFAMILY1"), arrive(plate="DDFAMILY1")
        held = desk.hold(make.lot())
        elsewhere = make.lot()

        def park_elsewhere() -> None:
            clock.move(16 * MINUTE)
            replace(twin, headers=make.headers(twin.user)).hold(elsewhere)

        bank.meanwhile = park_elsewhere
        assert desk.charge(held)["status"] == "refunded"

    def test_a_hold_cancelled_meanwhile_gives_the_money_back(
        self, desk: Desk, lot: Lot, bank: "Bank"
    ) -> None:
        held = desk.hold(lot)
        bank.meanwhile = lambda: desk.cancel(held)
        assert desk.charge(held)["status"] == "refunded"
        assert desk.look(held)["status"] == "cancelled"

    def test_a_refund_that_the_bank_does_not_answer_is_tried_again(
        self, desk: Desk, lot: Lot, bank: "Bank", later: Later
    ) -> None:
        held = desk.hold(lot)
        bank.meanwhile = lambda: desk.cancel(held)
        bank.refuses_refunds = True
        payment = desk.charge(held)
        assert payment["status"] == "refunded"
        assert send_refunds() == 0
        assert _refund_of(desk, payment)["status"] == "pending"
        bank.refuses_refunds = False
        # It is tried again after a while, and not before.
        assert send_refunds() == 0
        desk = later(desk, minutes=5)
        assert send_refunds() == 1
        assert send_refunds() == 0
        refund = _refund_of(desk, payment)
        assert (refund["status"], refund["cause"], refund["amount_minor"]) == (
            *("succeeded", "no_use"),
            400,
        )
        assert refund["credit_note_number"] is None
        assert bank.refunds() == [400]

    def test_a_charge_that_arrives_after_it_was_given_up_is_given_back(
        self, desk: Desk, lot: Lot, bank: "Bank", later: Later
    ) -> None:
        held = desk.hold(lot)

        def give_up_and_pay_otherwise() -> None:
            bank.meanwhile = None
            again = later(desk, minutes=1)
            assert reconcile() == 1
            assert again.charge(held)["status"] == "succeeded"

        bank.meanwhile = give_up_and_pay_otherwise
        first = desk.charge(held)

        assert first["status"] == "refunded"
        assert first["failure"] is None
        assert sorted(bank.refunds()) == [0, 400]
        shown = desk.look(held)
        assert shown["status"] == "confirmed"
        assert (shown["paid_minor"], shown["refunded_minor"], shown["due_minor"]) == (800, 400, 0)

    def test_a_repeated_request_is_told_of_the_refund(
        self, desk: Desk, lot: Lot, bank: "Bank"
    ) -> None:
        held = desk.hold(lot)
        bank.meanwhile = lambda: desk.cancel(held)
        first = desk.pay(held, key="k")
        assert desk.pay(held, key="k").data == first.data


class TestReadingPayments:
    def test_drivers_see_their_own_newest_first(self, desk: Desk, arrive: Arrive, lot: Lot) -> None:
        held = desk.hold(lot)
        made = [desk.charge(held, card)["id"] for card in (DECLINED, DECLINED, GOOD)]
        arrive().buy(lot)
        page = desk.get("/payments?limit=2")
        rest = desk.get(f"/payments?limit=2&cursor={page['next_cursor']}")
        assert [item["id"] for item in page["items"] + rest["items"]] == made[::-1]
        assert page["total"] == rest["total"] == 3
        assert rest["next_cursor"] is None

    def test_those_of_one_reservation_can_be_asked_for(
        self, desk: Desk, arrive: Arrive, lot: Lot
    ) -> None:
        first, second = desk.hold(lot), desk.hold(lot, **window(12, 13))
        made = [desk.charge(first, card)["id"] for card in (DECLINED, GOOD)]
        desk.charge(second)
        path = f"/payments?reservation_id={first['id']}"
        page = desk.get(path)
        assert [item["id"] for item in page["items"]] == made[::-1]
        assert page["total"] == 2
        page = desk.get(f"{path}&limit=1")
        rest = desk.get(f"{path}&limit=1&cursor={page['next_cursor']}")
        assert (rest["items"][0]["id"], rest["total"]) == (made[0], 2)
        assert arrive().get(path) == {"items": [], "next_cursor": None, "total": 0}
        assert problem(desk.try_get("/payments?reservation_id=0")) == "422 invalid-input"

    def test_anothers_is_not_found_but_for_admins(
        self, desk: Desk, arrive: Arrive, make: Factory, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        path = f"/payments/{payment['id']}"
        assert problem(arrive().try_get(path)) == "404 not-found"
        assert problem(desk.try_get("/payments/999")) == "404 not-found"
        assert arrive(user=make.user(roles=("admin",))).get(path) == payment


class TestCardNumbers:
    def test_they_are_kept_nowhere(
        self, app: Flask, desk: Desk, lot: Lot, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        held = desk.hold(lot)
        for card in (DECLINED, CHALLENGED, GOOD):
            desk.pay(held, card, key=f"key-{card[-4:]}", expiry="11/39", cvc="987")
        desk.pay(held, "4242 4242 4242 42")
        assert caplog.records
        logged = "".join(str(vars(record)) for record in caplog.records)
        with app.app_context(), db.engine.connect() as connection:
            kept = "".join(
                str(row)
                for table in Base.metadata.sorted_tables
                for row in connection.execute(select(table))
            )
        assert "sbx_" in kept
        assert f"/api/v1/reservations/{held['id']}/payments" in logged
        for secret in (DECLINED, CHALLENGED, GOOD, "4242 4242", "11/39", "'987'"):
            assert secret not in kept
            assert secret not in logged


class TestSums:
    def test_what_the_bank_took_is_what_the_bookings_cost(
        self, app: Flask, arrive: Arrive, make: Factory, bank: "Bank", move_clock: MoveClock
    ) -> None:
        lot = make.lot(spots=6)
        for first in (DECLINED, CHALLENGED, TIMES_OUT, GOOD):
            desk = arrive()
            held = desk.hold(lot)
            desk.charge(held, first)
            move_clock(MINUTE)
            if first != GOOD:
                desk.charge(held)
            move_clock(timedelta())
        desk = arrive()
        lost = desk.hold(lot)
        bank.meanwhile = lambda: desk.cancel(lost)
        desk.charge(lost)
        send_refunds()
        with app.app_context(), db.engine.connect() as connection:
            taken = connection.execute(
                text(
                    "SELECT sum(amount_minor) - sum(refunded_minor) FROM sandbox_intents"
                    " WHERE status = 'succeeded'"
                )
            ).scalar()
            paid = connection.execute(
                text(
                    "SELECT sum(amount_minor) - sum(refunded_minor) FROM payments"
                    " WHERE status IN ('succeeded', 'refunded')"
                )
            ).scalar()
            owed = connection.execute(
                text("SELECT sum(price_minor) FROM reservations WHERE status = 'confirmed'")
            ).scalar()
        assert taken == paid == owed == 1600


class Bank:
    """The sandbox behind a line that can be cut, or be slow enough for things to happen meanwhile."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.inner = SandboxGateway()
        self.answers = True
        self.is_away = False
        self.refuses_refunds = False
        self.poison = ""
        self.takes: int | None = None
        self.meanwhile: Callable[[], object] | None = None

    def open(self, order: Order) -> str | None:
        return self.inner.open(order)

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        if self.is_away:
            raise GatewayTimeout
        if self.meanwhile is not None:
            # What happens meanwhile is of other requests, which never share a thread with this one.
            other = Thread(target=self.meanwhile)
            other.start()
            other.join()
        outcome = self.inner.charge(order, reference=reference, means=means)
        if not self.answers:
            raise GatewayTimeout
        return replace(outcome, amount_minor=self.takes or outcome.amount_minor)

    def confirm(self, reference: str, *, code: str | None) -> Outcome:
        return self.inner.confirm(reference, code=code)

    def cancel(self, reference: str) -> Outcome:
        return self.inner.cancel(reference)

    def find(self, *, key: str, reference: str | None) -> Outcome | None:
        if self.is_away:
            raise GatewayTimeout
        if key == self.poison:
            raise ValueError(key)
        return self.inner.find(key=key, reference=reference)

    def refund(self, reference: str, *, amount_minor: int, key: str) -> str | None:
        if self.refuses_refunds:
            raise GatewayTimeout
        return self.inner.refund(reference, amount_minor=amount_minor, key=key)

    def refunds(self) -> list[int]:
        """Send what is due, and list what was given back, charge by charge."""
        send_refunds()
        with self.app.app_context(), db.engine.connect() as connection:
            return list(connection.execute(select(SandboxIntent.refunded_minor)).scalars())


@pytest.fixture
def bank(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Bank:
    bank = Bank(app)
    monkeypatch.setattr(gateways, "_sandbox", bank)
    return bank


@pytest.fixture
def tally(app: Flask) -> Tally:
    """Count what paying leaves behind."""

    def tally() -> dict[str, int]:
        tables = {"payments": "payments", "charges": "sandbox_intents", "receipts": "receipts"}
        with app.app_context(), db.engine.connect() as connection:
            return {
                name: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for name, table in tables.items()
            }

    return tally


def _refund_of(desk: Desk, payment: dict[str, Any]) -> dict[str, Any]:
    (refund,) = desk.get(f"/payments/{payment['id']}/refunds")["items"]
    found: dict[str, Any] = refund
    return found


def _status_of(app: Flask, reservation: dict[str, Any]) -> tuple[str, bool, bool]:
    with app.app_context(), db.engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT r.status, r.live, c.live FROM reservations r"
                " JOIN spot_claims c ON c.reservation_id = r.id WHERE r.id = :id"
            ),
            {"id": reservation["id"]},
        ).one()
    return row[0], bool(row[1]), bool(row[2])


def _pay_alone(app: Flask, desk: Desk, held: dict[str, Any]) -> str:
    """Pay over a connection of one's own."""
    alone = Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)
    answer = alone.pay(held)
    return "201" if answer.status_code == 201 else problem(answer)


def _at_once(count: int, act: Callable[[int], str]) -> list[str]:
    barrier = Barrier(count)
    answers: list[str] = []

    def run(number: int) -> None:
        barrier.wait()
        answers.append(act(number))

    threads = [Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
