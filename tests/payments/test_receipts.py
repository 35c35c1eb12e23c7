"""Receipts: their numbers, their pages, and the mail they go with."""

from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, text

from backend import clock
from backend.extensions import db
from backend.models import Lot, Receipt, User
from backend.payments.receipt_pdf import draw_document
from backend.reservations import confirming
from backend.transaction import transaction
from tests.counter import Arrive, MoveClock, ReadMail
from tests.desk import DECLINED, Desk, problem
from tests.factories import Factory

HOSTILE = '<b>Bo</b> & <img src="file:///etc/passwd"/> <font size=99>x</font>'


class TestNumbers:
    def test_they_follow_one_another(self, arrive: Arrive, make: Factory) -> None:
        lot = make.lot()
        year = clock.now().year
        assert [arrive().buy(lot)["receipt_number"] for _ in range(3)] == [
            f"R-{year}-{number:06}" for number in (1, 2, 3)
        ]

    def test_failures_leave_no_gap(
        self, app: Flask, arrive: Arrive, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lot = make.lot()
        desk = arrive()
        held = desk.hold(lot)
        desk.charge(held, DECLINED)

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise ConnectionError

        with monkeypatch.context() as patch:
            # It fails after the number was given and before the commit.
            patch.setattr(confirming, "notify", fail)
            alone = app.test_client()
            with pytest.raises(AssertionError, match="500"):
                Desk(alone, desk.user, desk.headers, desk.vehicle).charge(held)

        arrive().buy(lot)
        arrive().buy(lot)
        assert _numbers(app) == [1, 2]

    def test_many_at_once_leave_no_gap(self, app: Flask, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(spots=8)
        desks = [arrive() for _ in range(8)]
        held = [desk.hold(lot) for desk in desks]
        barrier = Barrier(8)

        def pay(number: int) -> None:
            desk = desks[number]
            alone = Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)
            barrier.wait()
            alone.charge(held[number])

        threads = [Thread(target=pay, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(_numbers(app)) == list(range(1, 9))


class TestThePage:
    def test_it_tells_what_was_paid_for_and_how(self, desk: Desk, make: Factory) -> None:
        lot = make.lot(name="Altmarkt")
        held = desk.hold(lot)
        payment = desk.charge(held)

        answer = _fetch(desk, payment)

        assert answer.mimetype == "application/pdf"
        assert payment["receipt_number"] in answer.headers["Content-Disposition"]
        page = _text(answer.data)
        for told in (
            *(payment["receipt_number"], held["code"], "Altmarkt", held["vehicle"]["plate"]),
            *(desk.user.name, desk.user.email, "€4.00", "19 %", "€0.64", "Total", "CET"),
            *(line["label"] for line in held["quote"]["lines"]),
        ):
            assert told in page, told

    def test_the_same_receipt_is_the_same_bytes(self, desk: Desk, lot: Lot) -> None:
        payment = desk.buy(lot)
        assert _fetch(desk, payment).data == _fetch(desk, payment).data

    def test_later_changes_do_not_reach_it(self, app: Flask, desk: Desk, lot: Lot) -> None:
        payment = desk.buy(lot)
        before = _fetch(desk, payment).data
        with app.app_context(), transaction():
            db.session.get_one(Lot, lot.id).name = "Renamed"
            db.session.get_one(User, desk.user.id).name = "Renamed"
        assert _fetch(desk, payment).data == before

    def test_markup_of_people_is_text(self, arrive: Arrive, make: Factory) -> None:
        desk = arrive(user=make.user(name=HOSTILE))
        page = _text(_fetch(desk, desk.buy(make.lot(name=HOSTILE))).data)
        flat = "".join(page.split())
        assert flat.count("".join(HOSTILE.split())) == 2

    def test_rupees_and_euros_have_their_signs(self, app: Flask, desk: Desk, lot: Lot) -> None:
        desk.buy(lot)
        with app.app_context(), transaction(read_only=True):
            receipt = db.session.scalars(select(Receipt)).one()
        for currency, sign in (("INR", "₹4.00"), ("EUR", "€4.00"), ("JPY", "¥400")):
            drawn = draw_document(
                receipt.content | {"currency": currency},
                number="R-1",
                issued_at=receipt.issued_at,
                verify_at="https://parking.example.org/receipts/verify",
                word="word",
            )
            assert sign in _text(drawn)

    def test_a_long_price_goes_over_several_pages(self, app: Flask, desk: Desk, lot: Lot) -> None:
        desk.buy(lot)
        with app.app_context(), transaction(read_only=True):
            receipt = db.session.scalars(select(Receipt)).one()
        content = receipt.content | {"lines": receipt.content["lines"] * 90}
        drawn = draw_document(
            content,
            number="R-1",
            issued_at=receipt.issued_at,
            verify_at="https://parking.example.org/receipts/verify",
            word="word",
        )
        assert len(PdfReader(BytesIO(drawn)).pages) > 1

    def test_others_do_not_find_it_but_admins_do(
        self, desk: Desk, arrive: Arrive, lot: Lot, make: Factory
    ) -> None:
        payment = desk.buy(lot)
        assert problem(_fetch(arrive(), payment)) == "404 not-found"
        assert problem(_fetch(desk, {"id": 999})) == "404 not-found"
        boss = arrive(user=make.user(roles=("admin",)))
        assert _fetch(boss, payment).status_code == 200

    def test_a_failed_payment_has_none(self, desk: Desk, lot: Lot) -> None:
        payment = desk.charge(desk.hold(lot), DECLINED)
        assert problem(_fetch(desk, payment)) == "404 not-found"


class TestTheTicketsMail:
    def test_it_goes_out_once_with_the_receipt(
        self, desk: Desk, make: Factory, read_mail: ReadMail, move_clock: MoveClock
    ) -> None:
        lot = make.lot(name="Altmarkt", timezone="Europe/Berlin")
        held = desk.hold(lot)
        desk.charge(held, DECLINED)
        assert read_mail() == []
        payment = desk.charge(held)

        read_mail()
        (mail,) = read_mail()

        assert mail["To"] == desk.user.email
        assert held["code"] in mail["Subject"]
        body = mail.get_body(("plain",))
        assert body is not None
        for told in (
            "Altmarkt",
            held["spot"]["label"],
            "10:00–12:00 (CE",
            payment["receipt_number"],
        ):
            assert told in body.get_content(), told
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == f"receipt-{payment['receipt_number']}.pdf"
        assert attached.get_content() == _fetch(desk, payment).data


def _fetch(desk: Desk, payment: dict[str, Any]) -> Any:
    return desk.try_get(f"/payments/{payment['id']}/receipt.pdf")


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def _numbers(app: Flask) -> list[int]:
    with app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM receipts ORDER BY id")).scalars())
