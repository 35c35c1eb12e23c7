"""P7: refunds by an admin, the books, and the credit notes."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from backend import clock
from backend.extensions import db
from backend.models import Lot, Payment, Quote, Refund
from backend.payments import gateways, ledger, refunds
from backend.payments.gateway import GatewayRefusal
from backend.payments.receipts import take_number
from backend.payments.sandbox import SandboxGateway
from backend.payments.tasks import send_refund, send_refunds
from backend.transaction import transaction
from tests.counter import Arrive, Later, ReadMail
from tests.desk import DECLINED, Desk, problem
from tests.factories import Factory

Ask = Callable[..., TestResponse]


@pytest.fixture
def boss(arrive: Arrive, make: Factory) -> Desk:
    return arrive(user=make.user(roles=("admin",)))


def give_back(
    boss: Desk, payment: dict[str, Any], amount: int, *, key: str | None = None
) -> TestResponse:
    return boss.client.post(
        f"/api/v1/payments/{payment['id']}/refunds",
        json={"amount_minor": amount, "reason": "The gate was stuck."},
        headers=boss.headers | ({"Idempotency-Key": key} if key else {}),
    )


def balances(boss: Desk) -> dict[str, int]:
    items = boss.get("/ledger/balances")["items"]
    assert sum(item["balance_minor"] for item in items) == 0
    return {item["account"]: item["balance_minor"] for item in items}


class TestGivingBack:
    def test_a_part_and_then_the_rest(
        self, desk: Desk, boss: Desk, lot: Lot, read_mail: ReadMail
    ) -> None:
        payment = desk.buy(lot)
        first = give_back(boss, payment, 150)
        assert first.status_code == 201, first.text
        assert first.json["status"] == "pending"
        assert first.json["cause"] == "goodwill"
        assert first.json["credit_note_number"].endswith("-000001")
        told = boss.get(f"/payments/{payment['id']}")
        assert (told["status"], told["refunded_minor"]) == ("partially_refunded", 150)

        assert give_back(boss, payment, 250).status_code == 201

        told = boss.get(f"/payments/{payment['id']}")
        assert (told["status"], told["refunded_minor"]) == ("refunded", 400)
        listed = desk.get(f"/payments/{payment['id']}/refunds")["items"]
        assert [each["amount_minor"] for each in listed] == [150, 250]
        mails = [mail for mail in read_mail() if "goes back to you" in mail["Subject"]]
        assert [mail["Subject"] for mail in mails] == [
            "€1.50 goes back to you",
            "€2.50 goes back to you",
        ]
        (attached,) = mails[0].iter_attachments()
        assert attached.get_filename() == f"credit-note-{listed[0]['credit_note_number']}.pdf"

    @pytest.mark.parametrize("amount", [401, 10_000])
    def test_more_than_was_paid_is_refused(
        self, desk: Desk, boss: Desk, lot: Lot, amount: int
    ) -> None:
        payment = desk.buy(lot)
        refused = give_back(boss, payment, amount)
        assert problem(refused) == "409 refund-exceeds-payment"
        assert refused.json["refundable_minor"] == 400
        assert desk.get(f"/payments/{payment['id']}/refunds")["items"] == []

    def test_more_than_is_left_is_refused(self, desk: Desk, boss: Desk, lot: Lot) -> None:
        payment = desk.buy(lot)
        give_back(boss, payment, 300)
        refused = give_back(boss, payment, 101)
        assert problem(refused) == "409 refund-exceeds-payment"
        assert refused.json["refundable_minor"] == 100

    @pytest.mark.parametrize("amount", [0, -1, 1.5, "100"])
    def test_an_amount_that_makes_no_sense_is_refused(
        self, desk: Desk, boss: Desk, lot: Lot, amount: Any
    ) -> None:
        assert problem(give_back(boss, desk.buy(lot), amount)) == "422 invalid-input"

    def test_a_failed_payment_has_nothing_to_give_back(
        self, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.charge(desk.hold(lot), DECLINED)
        assert problem(give_back(boss, payment, 1)) == "409 illegal-transition"
        assert problem(give_back(boss, {"id": 999}, 1)) == "404 not-found"

    def test_the_same_key_gives_back_once(self, desk: Desk, boss: Desk, lot: Lot) -> None:
        payment = desk.buy(lot)
        first = give_back(boss, payment, 100, key="k")
        send_refunds()
        again = give_back(boss, payment, 100, key="k")
        assert first.status_code == again.status_code == 201
        assert first.data == again.data
        assert boss.get(f"/payments/{payment['id']}")["refunded_minor"] == 100

    def test_two_at_once_have_one_winner(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        assert sorted(_at_once(app, boss, payment, [250] * 6)) == [
            "201",
            *["409 refund-exceeds-payment"] * 5,
        ]
        assert boss.get(f"/payments/{payment['id']}")["refunded_minor"] == 250
        assert balances(boss)["refunds_payable"] == -250


class TestSending:
    def test_it_is_sent_once_and_booked_once(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        refund = give_back(boss, payment, 100).json
        assert balances(boss) == {
            "gateway:sandbox": 400,
            "reservations": -300,
            "refunds_payable": -100,
        }
        assert send_refund(refund["id"]) is True
        assert send_refund(refund["id"]) is False
        assert send_refunds() == 0
        assert balances(boss) == {
            "gateway:sandbox": 300,
            "reservations": -300,
            "refunds_payable": 0,
        }
        (told,) = desk.get(f"/payments/{payment['id']}/refunds")["items"]
        assert told["status"] == "succeeded"
        assert told["settled_at"] is not None

    def test_one_that_the_gateway_refuses_costs_itself_only(
        self,
        desk: Desk,
        arrive: Arrive,
        boss: Desk,
        lot: Lot,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        bought = [desk.buy(lot), arrive().buy(lot), arrive().buy(lot)]
        for payment in bought:
            give_back(boss, payment, 100)
        monkeypatch.setattr(gateways, "_sandbox", _Choosy())
        assert send_refunds() == 1
        states = [
            boss.get(f"/payments/{payment['id']}/refunds")["items"][0]["status"]
            for payment in bought
        ]
        assert states == ["pending", "pending", "succeeded"]

    def test_a_process_that_dies_after_the_gateway_said_yes_sends_nothing_twice(
        self,
        app: Flask,
        desk: Desk,
        boss: Desk,
        lot: Lot,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payment = desk.buy(lot)
        refund = give_back(boss, payment, 100).json
        with monkeypatch.context() as patch:
            patch.setattr(refunds, "_mark_sent", _die)
            with pytest.raises(_Killed):
                send_refund(refund["id"])
        assert send_refunds() == 0
        later(boss, minutes=2)
        assert send_refunds() == 1
        with app.app_context(), db.engine.connect() as connection:
            given = connection.execute(text("SELECT refunded_minor FROM sandbox_intents")).scalar()
        assert given == 100

    def test_one_that_is_refused_for_days_is_given_up(
        self,
        app: Flask,
        desk: Desk,
        boss: Desk,
        lot: Lot,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payment = desk.buy(lot)
        refund = give_back(boss, payment, 100).json
        with app.app_context(), transaction():
            db.session.execute(update(Refund).values(attempts=49))
        monkeypatch.setattr(gateways, "_sandbox", _Choosy())
        assert send_refund(refund["id"]) is False
        (told,) = boss.get(f"/payments/{payment['id']}/refunds")["items"]
        assert told["status"] == "failed"


class TestPromises:
    def test_they_are_taken_from_the_newest_payment_first_and_once_for_a_key(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        reservation_id = payment["reservation_id"]
        with app.app_context():
            with transaction():
                second = _another_payment(payment["id"], amount_minor=300)
            for expected in (500, 500):
                with transaction():
                    promised = refunds.promise_refunds(
                        reservation_id, 500, cause="cancelled", key="cancel:1"
                    )
                assert promised == expected
            with transaction(read_only=True):
                assert refunds.net_paid(reservation_id) == 200
                assert ledger.balance_of(reservation_id) == 200
            with transaction():
                rest = refunds.promise_refunds(
                    reservation_id, 9_999, cause="operator", key="operator:1"
                )
            assert rest == 200
        assert boss.get(f"/payments/{second}")["refunded_minor"] == 300
        assert boss.get(f"/payments/{payment['id']}")["refunded_minor"] == 400
        assert balances(boss)["reservations"] == 0

    def test_they_fall_with_their_transaction(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        with app.app_context(), suppress(_Killed), transaction():
            refunds.promise_refunds(
                payment["reservation_id"], 400, cause="cancelled", key="cancel:1"
            )
            _die()
        assert desk.get(f"/payments/{payment['id']}")["status"] == "succeeded"
        assert balances(boss) == {"gateway:sandbox": 400, "reservations": -400}


class TestTheBooks:
    def test_they_tell_every_movement(self, desk: Desk, boss: Desk, lot: Lot) -> None:
        payment = desk.buy(lot)
        give_back(boss, payment, 100)
        send_refunds()
        path = f"/ledger?reservation_id={payment['reservation_id']}"
        items = boss.get(path)["items"]
        assert [(item["kind"], item["account"], item["amount_minor"]) for item in items][::-1] == [
            ("payment", "gateway:sandbox", 400),
            ("payment", "reservations", -400),
            ("refund_promised", "reservations", 100),
            ("refund_promised", "refunds_payable", -100),
            ("refund_sent", "refunds_payable", 100),
            ("refund_sent", "gateway:sandbox", -100),
        ]
        assert boss.get(f"{path}&account=refunds_payable")["total"] == 2
        first = boss.get(f"{path}&limit=4")
        rest = boss.get(f"{path}&limit=4&cursor={first['next_cursor']}")
        assert first["items"] + rest["items"] == items
        assert boss.get("/ledger?reservation_id=999")["items"] == []
        assert boss.get("/ledger?to=2020-01-01T00:00:00Z")["total"] == 0
        assert boss.get("/ledger?from=2020-01-01T00:00:00Z")["total"] == 6
        assert problem(desk.try_get("/ledger")) == "403 forbidden"

    def test_the_same_thing_is_booked_once(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        with app.app_context(), transaction():
            ledger.book_payment(db.session.get_one(Payment, payment["id"]))
        assert balances(boss) == {"gateway:sandbox": 400, "reservations": -400}

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE ledger_entries SET amount_minor = 1",
            "DELETE FROM ledger_entries",
            "UPDATE ledger_transactions SET kind = 'gift'",
            "DELETE FROM ledger_transactions",
        ],
    )
    def test_nothing_in_them_is_ever_changed(
        self, app: Flask, desk: Desk, lot: Lot, change: str
    ) -> None:
        desk.buy(lot)
        with app.app_context(), pytest.raises(DBAPIError), transaction():
            db.session.execute(text(change))


class TestCreditNotes:
    def test_their_taxes_add_up_to_the_receipts(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot
    ) -> None:
        payment = desk.buy(lot)
        for amount in (133, 133, 134):
            give_back(boss, payment, amount)
        with app.app_context(), db.engine.connect() as connection:
            notes = [
                row.content if isinstance(row.content, dict) else _json(row.content)
                for row in connection.execute(text("SELECT content FROM credit_notes ORDER BY id"))
            ]
            receipt = connection.execute(text("SELECT content FROM receipts")).scalar()
        told = receipt if isinstance(receipt, dict) else _json(receipt)
        assert sum(note["tax_minor"] for note in notes) == told["tax_minor"] == 64
        assert sum(note["total_minor"] for note in notes) == 400

    def test_the_page_names_the_receipt_that_it_corrects(
        self, desk: Desk, boss: Desk, lot: Lot, arrive: Arrive
    ) -> None:
        payment = desk.buy(lot)
        refund = give_back(boss, payment, 100).json
        answer = desk.try_get(f"/refunds/{refund['id']}/credit-note.pdf")
        assert answer.status_code == 200
        assert refund["credit_note_number"] in answer.headers["Content-Disposition"]
        page = "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)
        for told in (
            *("Credit note", refund["credit_note_number"], payment["receipt_number"]),
            *("The gate was stuck.", "€1.00", "19 %", "€0.16"),
        ):
            assert told in page, told
        path = f"/refunds/{refund['id']}/credit-note.pdf"
        assert problem(arrive().try_get(path)) == "404 not-found"
        assert problem(boss.try_get("/refunds/999/credit-note.pdf")) == "404 not-found"
        assert boss.try_get(path).status_code == 200

    def test_numbers_have_no_gap_however_many_take_them_and_give_up(self, app: Flask) -> None:
        barrier = Barrier(12)

        def take(number: int) -> None:
            barrier.wait()
            for turn in range(6):
                with app.app_context(), suppress(_Killed):
                    with transaction():
                        taken = take_number("C", clock.now())
                        if (number + turn) % 3 == 0:
                            _die()
                    given.append(taken)

        given: list[tuple[int, int]] = []
        threads = [Thread(target=take, args=[number]) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(number for _, number in given) == list(range(1, 49))


class _Killed(BaseException):
    """A process that dies at a named point."""


def _die(*_args: Any, **_kwargs: Any) -> Any:
    raise _Killed


class _Choosy(SandboxGateway):
    """It refuses the first payment, breaks on the second, and gives the rest back."""

    def refund(self, reference: str, *, amount_minor: int, key: str) -> str | None:
        if key.startswith("payment-1:"):
            raise GatewayRefusal("It was disputed.")
        if key.startswith("payment-2:"):
            raise ZeroDivisionError
        return super().refund(reference, amount_minor=amount_minor, key=key)


def _another_payment(payment_id: int, *, amount_minor: int) -> int:
    """Let something be paid later, as for a longer stay."""
    first = db.session.get_one(Payment, payment_id)
    quote = db.session.scalars(select(Quote).where(Quote.id == first.quote_id)).one()
    payment = Payment(
        reservation_id=first.reservation_id,
        user_id=first.user_id,
        quote_id=quote.id,
        purpose=f"due:{quote.id}",
        gateway="cash",
        amount_minor=amount_minor,
        currency=first.currency,
        status="succeeded",
        created_at=clock.now(),
        settled_at=clock.now(),
    )
    db.session.add(payment)
    db.session.flush()
    ledger.book_payment(payment)
    return payment.id


def _at_once(app: Flask, boss: Desk, payment: dict[str, Any], amounts: list[int]) -> list[str]:
    barrier = Barrier(len(amounts))
    answers: list[str] = []

    def run(amount: int) -> None:
        alone = Desk(app.test_client(), boss.user, boss.headers, boss.vehicle)
        barrier.wait()
        answer = give_back(alone, payment, amount)
        answers.append("201" if answer.status_code == 201 else problem(answer))

    threads = [Thread(target=run, args=[amount]) for amount in amounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _json(written: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written)
    return found
