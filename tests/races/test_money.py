"""P2, P4, P8: whatever happens to a hold at one moment, one thing wins, and the money agrees with it."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import insert, update

from backend import clock
from backend.extensions import db
from backend.models import Lot, Payment, Refund, Reservation
from backend.payments.refunds import send_due_refunds
from backend.reservations import service
from backend.transaction import transaction
from tests import servers
from tests.factories import Factory, tomorrow_at
from tests.races.conftest import Books, Crew
from tests.races.crowd import Answer, Driver, rush, send, tally

HOLDS = 16

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
CHALLENGED = "4000002500003155"

# What the bank took and did not give back, beside what the reservation, its bay and the books say.
DISAGREEMENTS = """
    SELECT r.id, r.status, r.live, c.live AS claimed, c.expires_at, p.paid, b.charged, l.booked
    FROM reservations AS r JOIN spot_claims AS c ON c.reservation_id = r.id
    LEFT JOIN (
        SELECT reservation_id, sum(amount_minor - refunded_minor) AS paid FROM payments
        WHERE status IN ('succeeded', 'refunded', 'partially_refunded', 'review')
        GROUP BY reservation_id
    ) AS p ON p.reservation_id = r.id
    LEFT JOIN (
        SELECT q.reservation_id, sum(i.amount_minor - i.refunded_minor) AS charged
        FROM sandbox_intents AS i JOIN payments AS q ON q.gateway_ref = i.id
        WHERE i.status = 'succeeded' GROUP BY q.reservation_id
    ) AS b ON b.reservation_id = r.id
    LEFT JOIN (
        SELECT t.reservation_id, -sum(e.amount_minor) AS booked
        FROM ledger_entries AS e JOIN ledger_transactions AS t ON t.id = e.transaction_id
        WHERE e.account = 'reservations' GROUP BY t.reservation_id
    ) AS l ON l.reservation_id = r.id
    WHERE coalesce(p.paid, 0) <> CASE WHEN r.status = 'confirmed' THEN r.price_minor ELSE 0 END
       OR coalesce(b.charged, 0) <> coalesce(p.paid, 0)
       OR coalesce(l.booked, 0) <> coalesce(p.paid, 0)
       OR c.live <> r.live
       OR (r.status = 'confirmed' AND c.expires_at IS NOT NULL)
"""

UNBALANCED = """
    SELECT transaction_id FROM ledger_entries GROUP BY transaction_id HAVING sum(amount_minor) <> 0
"""


def book(url: str, driver: Driver, lot: Lot) -> Answer:
    body = {
        "lot_id": lot.id,
        "vehicle_id": driver.vehicle_id,
        "starts_at": tomorrow_at(9).isoformat(),
        "ends_at": tomorrow_at(11).isoformat(),
    }
    return send(url, "POST", "/reservations", headers=driver.headers, body=body)


def hold(url: str, driver: Driver, lot: Lot) -> int:
    reservation_id: int = book(url, driver, lot).body["id"]
    return reservation_id


def pay(url: str, driver: Driver, reservation_id: int, card: str = GOOD) -> Answer:
    body = {"method": "sandbox", "card_number": card}
    path = f"/reservations/{reservation_id}/payments"
    return send(url, "POST", path, headers=driver.headers, body=body)


def confirm(url: str, driver: Driver, payment_id: int) -> Answer:
    path = f"/payments/{payment_id}/confirm"
    return send(url, "POST", path, headers=driver.headers, body={"code": "123456"})


def cancel(url: str, driver: Driver, reservation_id: int) -> Answer:
    return send(url, "POST", f"/reservations/{reservation_id}/cancel", headers=driver.headers)


def sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - clock.now()).total_seconds()))


def expire(app: Flask) -> int:
    """Sweep as the worker's task does."""
    with app.app_context(), transaction():
        return service.expire_holds()


def statuses(books: Books) -> dict[int, str]:
    return {row.id: row.status for row in books.ask("SELECT id, status FROM reservations")}


def assert_money_agrees(books: Books) -> None:
    with books._app.app_context():
        send_due_refunds()
    assert books.ask(DISAGREEMENTS) == []
    assert books.ask(UNBALANCED) == []
    assert books.overlaps() == 0
    # A receipt for each payment that had a use, numbered without a gap, and a credit note for each of them
    # that went back.
    for table in ("receipts", "credit_notes"):
        numbers = [row.number for row in books.ask(f"SELECT number FROM {table} ORDER BY number")]
        assert numbers == list(range(1, len(numbers) + 1))
    (paid,) = books.ask(
        "SELECT count(*) AS n FROM payments WHERE EXISTS"
        " (SELECT 1 FROM receipts WHERE receipts.payment_id = payments.id)"
    )
    (used,) = books.ask("SELECT count(*) AS n FROM reservations WHERE confirmed_at IS NOT NULL")
    assert used.n == paid.n
    # And one ticket for each.
    (tickets,) = books.ask("SELECT count(*) AS n FROM outbox_mails WHERE template = 'ticket'")
    assert tickets.n == paid.n


class TestOneHold:
    def test_is_cancelled_or_paid(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        lot = make.lot(spots=HOLDS)
        drivers = crew(HOLDS)
        holds = [hold(web.url, driver, lot) for driver in drivers]

        answers = rush(
            [
                partial(act, web.url, driver, reservation_id)
                for driver, reservation_id in zip(drivers, holds, strict=True)
                for act in (cancel, pay)
            ]
        )

        found = statuses(books)
        for number, reservation_id in enumerate(holds):
            cancelled, paid = answers[2 * number], answers[2 * number + 1]
            if cancelled.status == 200:
                assert found[reservation_id] == "cancelled"
                # It may have been paid before; either way the bank has given it back.
                assert paid.told in {"409 illegal-transition", "201"}
                assert paid.status == 409 or paid.body["status"] in {"refunded", "succeeded"}
            else:
                assert cancelled.told == "409 illegal-transition"
                assert found[reservation_id] == "confirmed"
                assert paid.body["status"] == "succeeded"
        assert_money_agrees(books)

    @pytest.mark.parametrize("second_card", [GOOD, DECLINED, CHALLENGED])
    def test_is_paid_once_by_two_cards(
        self,
        web: servers.WebServer,
        make: Factory,
        crew: Crew,
        books: Books,
        second_card: str,
    ) -> None:
        count = HOLDS // 2
        lot = make.lot(spots=count)
        drivers = crew(count)
        holds = [hold(web.url, driver, lot) for driver in drivers]

        answers = rush(
            [
                partial(pay, web.url, driver, reservation_id, card)
                for driver, reservation_id in zip(drivers, holds, strict=True)
                for card in (GOOD, second_card)
            ]
        )

        assert set(tally(answers)) <= {"201", "409 payment-in-progress", "409 already-paid"}
        for number in range(count):
            pair = answers[2 * number : 2 * number + 2]
            charged = [each for each in pair if each.status == 201]
            assert charged
            assert sum(each.body["status"] == "succeeded" for each in charged) <= 1
        assert_money_agrees(books)

    def test_is_expired_or_paid(
        self, app: Flask, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        """Its deadline passes while half the drivers begin to pay and half answer their bank."""
        lot = make.lot(spots=HOLDS)
        drivers = crew(HOLDS)
        holds = [hold(web.url, driver, lot) for driver in drivers]
        calls: list[Callable[[], Answer]] = []
        for number, (driver, reservation_id) in enumerate(zip(drivers, holds, strict=True)):
            if number % 2:
                challenge = pay(web.url, driver, reservation_id, CHALLENGED)
                calls.append(partial(confirm, web.url, driver, challenge.body["id"]))
            else:
                calls.append(partial(pay, web.url, driver, reservation_id))
        books.change(
            "UPDATE reservations SET hold_expires_at = :deadline",
            deadline=(deadline := clock.now() + timedelta(seconds=0.4)),
        )
        books.change("UPDATE spot_claims SET expires_at = :deadline", deadline=deadline)

        def wait_and(number: int, call: Callable[[], Answer]) -> Answer:
            # Around the deadline, some before and some after.
            moment = deadline + timedelta(milliseconds=20 * (number - HOLDS // 2))
            sleep_until(moment)
            return call()

        def sweep_for_a_while() -> None:
            while clock.now() < deadline + timedelta(seconds=0.5):
                expire(app)

        with ThreadPoolExecutor(2) as sweepers:
            sweeps = [sweepers.submit(sweep_for_a_while) for _ in range(2)]
            answers = rush([partial(wait_and, *each) for each in enumerate(calls)])
            for sweep in sweeps:
                sweep.result()
        expire(app)

        found = statuses(books)
        for number, reservation_id in enumerate(holds):
            answer = answers[number]
            if found[reservation_id] == "confirmed":
                assert answer.body["status"] == "succeeded"
            else:
                assert found[reservation_id] == "expired"
                assert answer.told == "409 hold-expired" or answer.body["status"] == "refunded"
        assert_money_agrees(books)

    @pytest.mark.parametrize("milliseconds", [60, 20, 0])
    def test_that_runs_out_during_the_challenge_is_paid_or_booked_anew(
        self,
        web: servers.WebServer,
        make: Factory,
        crew: Crew,
        books: Books,
        milliseconds: int,
    ) -> None:
        """Its driver answers the bank just before the deadline, and the others come at it."""
        late, *others = crew(HOLDS)
        lot = make.lot(spots=1)
        reservation_id = hold(web.url, late, lot)
        challenge = pay(web.url, late, reservation_id, CHALLENGED)
        deadline = clock.now() + timedelta(seconds=0.2)
        books.let_hold_lapse(reservation_id, at=deadline)

        def confirm_late() -> Answer:
            sleep_until(deadline - timedelta(milliseconds=milliseconds))
            return confirm(web.url, late, challenge.body["id"])

        def book_then(driver: Driver) -> Answer:
            sleep_until(deadline)
            return book(web.url, driver, lot)

        calls: list[Callable[[], Answer]] = [partial(book_then, each) for each in others]
        confirmed, *booked = rush([confirm_late, *calls])

        told = tally(booked)
        if confirmed.status == 200 and confirmed.body["status"] == "succeeded":
            assert told == {"409 lot-full": len(others)}
        else:
            assert told == {"201": 1, "409 lot-full": len(others) - 1}
            assert confirmed.told == "409 hold-expired" or confirmed.body["status"] == "refunded"
        assert len(books.live_claims(lot.id)) == 1
        assert_money_agrees(books)


def give_back(url: str, headers: Mapping[str, str], payment_id: int, amount: int) -> Answer:
    body = {"amount_minor": amount, "reason": "The gate was stuck."}
    return send(url, "POST", f"/payments/{payment_id}/refunds", headers=headers, body=body)


class TestOnePayment:
    def test_is_given_back_once_however_many_admins_give_it(
        self, web: servers.WebServer, make: Factory, crew: Crew, books: Books
    ) -> None:
        lot = make.lot(spots=1)
        (driver,) = crew(1)
        paid = pay(web.url, driver, hold(web.url, driver, lot)).body["id"]
        boss = make.headers(make.user(roles=("admin",)))

        answers = rush([partial(give_back, web.url, boss, paid, 250) for _ in range(HOLDS)])

        assert tally(answers) == {"201": 1, "409 refund-exceeds-payment": HOLDS - 1}
        assert books.ask(UNBALANCED) == []
        with books._app.app_context():
            assert send_due_refunds() == 1
        (bank,) = books.ask("SELECT refunded_minor FROM sandbox_intents")
        (booked,) = books.ask("SELECT refunded_minor FROM payments")
        assert bank.refunded_minor == booked.refunded_minor == 250

    def test_a_refund_that_looks_and_then_writes_gives_it_back_twice(
        self,
        app: Flask,
        web: servers.WebServer,
        make: Factory,
        crew: Crew,
        books: Books,
    ) -> None:
        """Twin: not a compare-and-set but a look and a write, with another refund between the two."""
        lot = make.lot(spots=1)
        (driver,) = crew(1)
        paid = pay(web.url, driver, hold(web.url, driver, lot)).body["id"]
        boss = make.headers(make.user(roles=("admin",)))
        with app.app_context():
            with transaction(read_only=True):
                seen = db.session.get_one(Payment, paid)
                left = seen.amount_minor - seen.refunded_minor
            assert give_back(web.url, boss, paid, 250).status == 201
            if left >= 250:
                with transaction():
                    db.session.execute(
                        insert(Refund).values(
                            key="twin",
                            payment_id=paid,
                            reservation_id=seen.reservation_id,
                            amount_minor=250,
                            currency="EUR",
                            cause="goodwill",
                            created_at=clock.now(),
                            next_attempt_at=clock.now(),
                        )
                    )
        (promised,) = books.ask("SELECT sum(amount_minor) AS minor FROM refunds")
        # Of 400 that were paid.
        assert promised.minor == 500


class TestTwin:
    def test_a_cancel_that_looks_and_then_writes_cancels_what_is_paid(
        self,
        web: servers.WebServer,
        app: Flask,
        make: Factory,
        crew: Crew,
        books: Books,
    ) -> None:
        """Not a compare-and-set but a look and a write: the money is gone, and so is the bay."""
        lot = make.lot(spots=1)
        (driver,) = crew(1)
        reservation_id = hold(web.url, driver, lot)
        with app.app_context():
            with transaction(read_only=True):
                seen = db.session.get_one(Reservation, reservation_id).status
            assert pay(web.url, driver, reservation_id).body["status"] == "succeeded"
            if seen == "held":
                with transaction():
                    db.session.execute(
                        update(Reservation)
                        .where(Reservation.id == reservation_id)
                        .values(status="cancelled", live=False)
                    )

        assert len(books.ask(DISAGREEMENTS)) == 1
