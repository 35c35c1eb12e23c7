"""Cash at the gate, money of another amount than was asked for, and what admins read of payments."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.models import Lot, LotStaff, Payment, Receipt, User
from backend.payments import gateways
from backend.payments.tasks import reconcile, send_refunds
from backend.transaction import transaction
from tests.counter import Arrive, ReadMail
from tests.desk import CHALLENGED, DECLINED, Desk, problem, window
from tests.factories import Factory
from tests.payments.test_payments import Bank


@pytest.fixture
def boss(arrive: Arrive, make: Factory) -> Desk:
    return arrive(user=make.user(roles=("admin",)))


@pytest.fixture
def attendant(app: Flask, arrive: Arrive, make: Factory, lot: Lot) -> Desk:
    user = make.user(roles=("attendant",))
    with app.app_context(), transaction():
        db.session.execute(insert(LotStaff), {"lot_id": lot.id, "user_id": user.id})
    return arrive(user=user)


@pytest.fixture
def bank(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Bank:
    bank = Bank(app)
    monkeypatch.setattr(gateways, "_sandbox", bank)
    return bank


def take_cash(by: Desk, held: dict[str, Any], *, key: str | None = None) -> TestResponse:
    return by.client.post(
        f"/api/v1/reservations/{held['id']}/payments",
        json={"method": "cash"},
        headers=by.headers | ({"Idempotency-Key": key} if key else {}),
    )


def decide(boss: Desk, payment: dict[str, Any], decision: str) -> TestResponse:
    return boss.client.post(
        f"/api/v1/payments/{payment['id']}/review",
        json={"decision": decision},
        headers=boss.headers,
    )


class TestCash:
    def test_an_attendant_of_the_lot_takes_it(
        self, desk: Desk, attendant: Desk, boss: Desk, lot: Lot, app: Flask
    ) -> None:
        held = desk.hold(lot)
        answer = take_cash(attendant, held, key="k")
        assert answer.status_code == 201, answer.text
        payment = answer.json
        assert (payment["status"], payment["method"], payment["amount_minor"]) == (
            *("succeeded", "cash"),
            400,
        )
        assert payment["receipt_number"]
        assert take_cash(attendant, held, key="k").data == answer.data
        assert desk.look(held)["status"] == "confirmed"
        with app.app_context(), transaction(read_only=True):
            assert db.session.get_one(Payment, payment["id"]).taken_by == attendant.user.id
        items = boss.get("/ledger?account=cash")["items"]
        assert [item["amount_minor"] for item in items] == [400]
        assert problem(take_cash(attendant, held)) == "409 already-paid"
        entries = boss.get("/audit-log?action=payment.cash-taken")["items"]
        assert [entry["actor"]["id"] for entry in entries] == [attendant.user.id]

    def test_an_admin_takes_it_and_gives_it_back_by_hand(
        self, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = take_cash(boss, desk.hold(lot)).json
        refund = boss.client.post(
            f"/api/v1/payments/{payment['id']}/refunds",
            json={"amount_minor": 400, "reason": "Changed their mind."},
            headers=boss.headers,
        )
        assert refund.json["status"] == "succeeded"
        assert send_refunds() == 0
        items = boss.get("/ledger/balances")["items"]
        assert {item["balance_minor"] for item in items} == {0}

    def test_nobody_else_does(
        self, desk: Desk, attendant: Desk, arrive: Arrive, make: Factory, lot: Lot
    ) -> None:
        held = desk.hold(lot)
        assert problem(take_cash(desk, held)) == "403 forbidden"
        assert problem(take_cash(arrive(), held)) == "404 not-found"
        elsewhere = arrive(user=make.user(roles=("attendant",)))
        assert problem(take_cash(elsewhere, held)) == "404 not-found"
        assert problem(attendant.pay(held)) == "404 not-found"
        assert problem(take_cash(attendant, {"id": 999})) == "404 not-found"

    def test_a_challenge_left_open_gives_way_to_it(
        self, desk: Desk, attendant: Desk, lot: Lot
    ) -> None:
        held = desk.hold(lot)
        abandoned = desk.charge(held, CHALLENGED)
        assert take_cash(attendant, held).json["status"] == "succeeded"
        assert desk.get(f"/payments/{abandoned['id']}")["failure"]["code"] == "abandoned"


class TestAnotherAmount:
    @pytest.mark.parametrize("received", [300, 500])
    def test_it_is_held_for_an_admin_and_can_be_returned(
        self, desk: Desk, boss: Desk, lot: Lot, bank: Bank, received: int
    ) -> None:
        held = desk.hold(lot)
        bank.takes = received
        payment = desk.charge(held)
        assert (payment["status"], payment["review_reason"], payment["received_minor"]) == (
            *("review", "amount_mismatch"),
            received,
        )
        assert desk.look(held)["status"] == "held"
        # Nobody but an admin decides, however long it lies.
        assert reconcile() == 0
        assert problem(decide(desk, payment, "accept")) == "403 forbidden"

        answer = decide(boss, payment, "return")

        assert answer.json["status"] == "refunded"
        assert answer.json["refunded_minor"] == received
        assert desk.look(held)["paid_minor"] - desk.look(held)["refunded_minor"] == 0
        items = boss.get("/ledger/balances")["items"]
        assert {item["account"]: item["balance_minor"] for item in items} == {
            "gateway:sandbox": received,
            "refunds_payable": -received,
            "reservations": 0,
        }
        assert problem(decide(boss, payment, "accept")) == "409 illegal-transition"

    def test_less_that_is_accepted_leaves_the_rest_due(
        self, desk: Desk, boss: Desk, lot: Lot, bank: Bank
    ) -> None:
        held = desk.hold(lot)
        bank.takes = 300
        payment = desk.charge(held)
        assert decide(boss, payment, "accept").json["status"] == "succeeded"
        shown = desk.look(held)
        assert (shown["status"], shown["paid_minor"], shown["due_minor"]) == ("confirmed", 300, 100)
        bank.takes = None
        rest = desk.charge(held)
        assert (rest["status"], rest["amount_minor"], rest["purpose"]) == ("succeeded", 100, "due")
        assert desk.look(held)["due_minor"] == 0

    def test_of_more_that_is_accepted_the_surplus_goes_back(
        self, desk: Desk, boss: Desk, lot: Lot, bank: Bank
    ) -> None:
        held = desk.hold(lot)
        bank.takes = 500
        payment = desk.charge(held)
        answer = decide(boss, payment, "accept")
        assert (answer.json["status"], answer.json["refunded_minor"]) == ("partially_refunded", 100)
        shown = desk.look(held)
        assert (shown["status"], shown["paid_minor"], shown["refunded_minor"]) == (
            *("confirmed", 500),
            100,
        )

    def test_one_that_came_besides_another_goes_back_whole(
        self, desk: Desk, boss: Desk, lot: Lot, bank: Bank
    ) -> None:
        held = desk.hold(lot)
        bank.takes = 300
        payment = desk.charge(held)
        bank.takes = None
        assert desk.charge(held)["status"] == "succeeded"
        answer = decide(boss, payment, "accept")
        assert (answer.json["status"], answer.json["refunded_minor"]) == ("refunded", 300)
        assert desk.look(held)["due_minor"] == 0

    def test_others_wait_for_no_decision(self, desk: Desk, boss: Desk, lot: Lot) -> None:
        assert problem(decide(boss, desk.buy(lot), "accept")) == "409 illegal-transition"
        assert problem(decide(boss, {"id": 999}, "return")) == "404 not-found"


class TestReading:
    def test_admins_find_any(
        self, desk: Desk, arrive: Arrive, boss: Desk, make: Factory, lot: Lot
    ) -> None:
        held = desk.hold(lot)
        failed, paid = desk.charge(held, DECLINED), desk.charge(held)
        elsewhere = make.lot()
        cash = take_cash(boss, arrive().hold(elsewhere)).json

        def ids(query: str) -> list[int]:
            return [item["id"] for item in boss.get(f"/payments?{query}")["items"]]

        assert ids("") == [cash["id"], paid["id"], failed["id"]]
        assert ids("status=failed") == [failed["id"]]
        assert ids("method=cash") == [cash["id"]]
        assert ids(f"lot_id={lot.id}") == [paid["id"], failed["id"]]
        assert ids(f"code={held['code'].lower().replace('-', '')}") == [paid["id"], failed["id"]]
        assert ids("from=2100-01-01T00:00:00Z") == []
        assert ids("to=2100-01-01T00:00:00Z&limit=1") == [cash["id"]]
        first = boss.get("/payments?limit=2")
        rest = boss.get(f"/payments?limit=2&cursor={first['next_cursor']}")
        assert [item["id"] for item in first["items"] + rest["items"]] == ids("")
        assert first["total"] == 3
        mine = desk.get("/payments?status=failed")["items"]
        assert [item["code"] for item in mine] == [held["code"]]
        assert desk.get("/payments?method=cash")["total"] == 0


class TestReceipts:
    def test_one_of_a_later_payment_is_mailed(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot, bank: Bank, read_mail: ReadMail
    ) -> None:
        held = desk.hold(lot)
        bank.takes = 300
        decide(boss, desk.charge(held), "accept")
        bank.takes = None
        rest = desk.charge(held)
        (mail,) = [mail for mail in read_mail() if mail["Subject"].startswith("Your receipt")]
        assert rest["receipt_number"] in mail["Subject"]
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == f"receipt-{rest['receipt_number']}.pdf"

    def test_what_is_on_one_can_be_verified_by_anybody(
        self, app: Flask, desk: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot, **window(14, 16))
        number = payment["receipt_number"]
        word = _word_of(app)
        anybody = app.test_client()
        answer = anybody.get(f"/api/v1/receipts/verify?number={number}&word={word}")
        assert answer.json == {
            "genuine": True,
            "number": number,
            "kind": "receipt",
            "issued_at": answer.json["issued_at"],
            "operator": "Vehicle Vault",
            "lot": lot.name,
            "total_minor": 400,
            "tax_minor": 64,
            "currency": "EUR",
        }
        for wrong in (f"number={number}&word=x", f"number=R-2020-000001&word={word}"):
            told = anybody.get(f"/api/v1/receipts/verify?{wrong}").json
            assert told["genuine"] is False
            assert told["total_minor"] is None

    def test_the_customers_tax_id_stands_on_it(self, app: Flask, desk: Desk, lot: Lot) -> None:
        desk.client.patch("/api/v1/me", json={"tax_id": "DE123456789"}, headers=desk.headers)
        desk.buy(lot)
        with app.app_context(), transaction(read_only=True):
            assert db.session.get_one(User, desk.user.id).tax_id == "DE123456789"
        assert _content(app)["customer"]["tax_id"] == "DE123456789"

    def test_one_of_a_difference_shows_the_price_and_what_was_paid_already(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot, bank: Bank
    ) -> None:
        held = desk.hold(lot)
        bank.takes = 300
        decide(boss, desk.charge(held), "accept")
        bank.takes = None
        desk.charge(held)
        first, second = _content(app, 1), _content(app, 2)
        assert [line["amount_minor"] for line in second["lines"]] == [400, -300]
        assert second["lines"][-1]["label"] == "Already paid"
        assert (first["total_minor"], second["total_minor"]) == (300, 100)
        assert (first["tax_minor"], second["tax_minor"]) == (48, 16)


def _content(app: Flask, number: int = 1) -> dict[str, Any]:
    with app.app_context(), transaction(read_only=True):
        return db.session.query(Receipt).filter_by(number=number).one().content


def _word_of(app: Flask) -> str:
    with app.app_context(), transaction(read_only=True):
        return db.session.query(Receipt).one().verification
