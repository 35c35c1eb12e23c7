"""P8, P9: what gateways tell by themselves has one effect or none, however and whenever it comes."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend import clock
from backend.config import Settings
from backend.extensions import db
from backend.models import Lot
from backend.payments import gateways, ledger, service, webhooks
from backend.payments.gateway import GatewayTimeout, Means, Order, Outcome
from backend.payments.sandbox import SandboxGateway
from backend.payments.tasks import reconcile, send_refunds, take_events
from tests.counter import Arrive, Later
from tests.desk import CHALLENGED, GOOD, Desk, problem
from tests.factories import Factory

Post = Callable[..., TestResponse]


@pytest.fixture
def boss(arrive: Arrive, make: Factory) -> Desk:
    return arrive(user=make.user(roles=("admin",)))


@pytest.fixture
def post(app: Flask, settings: Settings) -> Post:
    """Send an event of the sandbox, signed so many seconds ago."""

    def post(
        event: dict[str, Any],
        *,
        age: float = 0,
        secret: str | None = None,
        header: str = "Sandbox-Signature",
        gateway: str = "sandbox",
        signature: str | None = None,
        tampered: bytes | None = None,
    ) -> TestResponse:
        body = json.dumps(event).encode()
        if signature is None:
            signed_at = clock.now() - timedelta(seconds=age)
            signature = webhooks.sign(secret or settings.sandbox_webhook_secret, body, signed_at)
        return app.test_client().post(
            f"/api/v1/webhooks/{gateway}",
            data=tampered or body,
            headers={header: signature, "Content-Type": "application/json"},
        )

    return post


def told_of(reference: str, *, id: str = "evt_1", type: str = "charge.succeeded") -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "type": type,
        "livemode": False,
        "data": {"object": {"id": reference, "amount": 400, "currency": "eur", "extra": [1]}},
    }


class Mute(SandboxGateway):
    """A bank that charges and whose answer is lost, once; or that dies with us at a named point."""

    def __init__(self) -> None:
        self.is_mute = True

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        outcome = super().charge(order, reference=reference, means=means)
        if self.is_mute:
            raise GatewayTimeout
        return outcome


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> Mute:
    bank = Mute()
    monkeypatch.setattr(gateways, "_sandbox", bank)
    return bank


def charge_of(app: Flask) -> str:
    with app.app_context(), db.engine.connect() as connection:
        found: str = connection.execute(
            text("SELECT id FROM sandbox_intents ORDER BY created_at DESC LIMIT 1")
        ).scalar_one()
    return found


def count(app: Flask, table: str) -> int:
    with app.app_context(), db.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def effects(app: Flask) -> dict[str, int]:
    tables = ("receipts", "ledger_transactions", "refunds", "credit_notes")
    return {table: count(app, table) for table in tables}


class TestSignatures:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"secret": "another secret"},
            {"signature": ""},
            {"signature": "t=,v1="},
            {"signature": "t=123"},
            {"signature": "v1=abc"},
            {"signature": "t=99999999999999999999999,v1=abc"},
            {"signature": "t=1,t=2,v1=abc"},
            {"header": "Stripe-Signature"},
            {"age": 301},
            {"age": -301},
            {"tampered": b'{"id": "evt_1", "type": "charge.succeeded"}'},
        ],
        ids=str,
    )
    def test_what_is_not_signed_just_now_changes_nothing(
        self, app: Flask, desk: Desk, lot: Lot, mute: Mute, post: Post, wrong: dict[str, Any]
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        refused = post(told_of(charge_of(app)), **wrong)
        assert problem(refused) == "400 invalid-signature"
        assert count(app, "webhook_events") == 0
        assert desk.look(held)["status"] == "held"

    @pytest.mark.parametrize("age", [-299, 0, 299])
    def test_five_minutes_either_way_are_near_enough(
        self, app: Flask, desk: Desk, lot: Lot, mute: Mute, post: Post, age: int
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        assert post(told_of(charge_of(app)), age=age).json == {"received": True}
        assert desk.look(held)["status"] == "confirmed"

    def test_it_is_the_scheme_that_stripes_own_library_checks(self) -> None:
        body = json.dumps({"id": "evt_1", "object": "event", "type": "charge.succeeded"}).encode()
        signature = webhooks.sign("whsec_test", body, clock.now())
        event = stripe.Webhook.construct_event(body, signature, "whsec_test", tolerance=300)
        assert event.id == "evt_1"

    @pytest.mark.parametrize("gateway", ["cash", "paypal", "stripe"])
    def test_who_is_not_offered_tells_nothing(self, post: Post, gateway: str) -> None:
        assert problem(post(told_of("x"), gateway=gateway)) == "404 not-found"

    @pytest.mark.parametrize("event", [{}, {"id": "evt_1"}, {"id": 1, "type": "x"}])
    def test_what_is_no_event_is_refused(self, post: Post, event: dict[str, Any]) -> None:
        assert problem(post(event)) == "422 invalid-input"


class TestEffects:
    def test_twenty_times_the_same_ten_at_once_has_one_effect(
        self, app: Flask, desk: Desk, lot: Lot, mute: Mute, post: Post
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        event = told_of(charge_of(app))
        barrier = Barrier(10)
        answers: list[int] = []

        def send() -> None:
            barrier.wait()
            answers.extend(post(event).status_code for _ in range(2))

        threads = [Thread(target=send) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [200] * 20
        assert desk.look(held)["status"] == "confirmed"
        assert count(app, "webhook_events") == 1
        assert effects(app) == {
            "receipts": 1,
            "ledger_transactions": 1,
            "refunds": 0,
            "credit_notes": 0,
        }

    def test_events_in_any_order_have_one_effect(
        self, app: Flask, desk: Desk, lot: Lot, mute: Mute, post: Post
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        reference = charge_of(app)
        for number, kind in enumerate(("refunded", "failed", "succeeded", "pending", "succeeded")):
            event = told_of(reference, id=f"evt_{number}", type=f"charge.{kind}")
            assert post(event).status_code == 200
        assert desk.look(held)["status"] == "confirmed"
        assert effects(app)["ledger_transactions"] == 1
        assert count(app, "webhook_events") == 5

    def test_an_event_that_lies_is_not_believed(
        self, app: Flask, desk: Desk, lot: Lot, post: Post
    ) -> None:
        """The gateway itself is asked: its event says paid, and its books say that a code is awaited."""
        held = desk.hold(lot)
        payment = desk.charge(held, CHALLENGED)
        assert post(told_of(charge_of(app))).status_code == 200
        assert desk.look(held)["status"] == "held"
        assert desk.confirm(payment).json["status"] == "succeeded"

    def test_one_of_a_kind_that_means_nothing_is_kept(self, app: Flask, post: Post) -> None:
        event = {"id": "evt_1", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}
        assert post(event).status_code == 200
        assert post(event).status_code == 200
        assert post({"id": "evt_2", "type": "charge.x", "data": None}).status_code == 200
        with app.app_context(), db.engine.connect() as connection:
            rows = connection.execute(text("SELECT type, status FROM webhook_events ORDER BY id"))
            assert [tuple(row) for row in rows] == [
                ("customer.created", "done"),
                ("charge.x", "done"),
            ]

    def test_one_of_a_charge_that_nobody_knows_is_asked_about_for_a_while(
        self, app: Flask, post: Post, desk: Desk, later: Later
    ) -> None:
        assert post(told_of("sbx_unknown")).status_code == 200
        for minutes in range(2, 1000, 61):
            later(desk, minutes=minutes)
            assert take_events() == 0
        with app.app_context(), db.engine.connect() as connection:
            (row,) = connection.execute(text("SELECT status, error FROM webhook_events"))
        assert tuple(row) == ("failed", "unknown charge")

    def test_a_late_success_after_the_hold_is_gone_takes_the_bay_or_gives_the_money_back(
        self, app: Flask, desk: Desk, arrive: Arrive, make: Factory, mute: Mute, post: Post
    ) -> None:
        lot = make.lot(spots=1)
        held = desk.hold(lot)
        payment = desk.charge(held)
        reference = charge_of(app)
        mute.is_mute = False
        clock.move(timedelta(minutes=16))
        other = arrive()
        other.buy(lot)

        assert post(told_of(reference)).status_code == 200

        again = arrive(user=desk.user)
        assert again.get(f"/payments/{payment['id']}")["status"] == "refunded"
        assert send_refunds() == 1


class TestAProcessThatDies:
    """Wherever it dies between charge and commit, the state is right by the next turns of the schedule."""

    @pytest.mark.parametrize(
        "point",
        [
            "before the charge",
            "after the charge",
            "in the settling transaction",
            "before its commit",
        ],
    )
    def test_the_reconciliation_gets_it_right(
        self,
        app: Flask,
        desk: Desk,
        boss: Desk,
        lot: Lot,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
        point: str,
    ) -> None:
        held = desk.hold(lot)
        with monkeypatch.context() as patch:
            if point == "before the charge":
                patch.setattr(gateways, "_sandbox", _Dying(after=False))
            elif point == "after the charge":
                patch.setattr(gateways, "_sandbox", _Dying(after=True))
            elif point == "in the settling transaction":
                patch.setattr(ledger, "book_payment", _die)
            else:
                patch.setattr(service, "issue_receipt", _die)
            with pytest.raises(_Killed):
                _alone(app, desk).pay(held, GOOD)
        assert desk.look(held)["status"] == "held"

        # Beat comes each minute.
        for minutes in range(1, 6):
            desk = later(desk, minutes=minutes)
            reconcile()
            take_events()
            send_refunds()

        shown = desk.look(held)
        if point == "before the charge":
            assert (shown["status"], shown["paid_minor"]) == ("held", 0)
            assert effects(app)["ledger_transactions"] == 0
        else:
            assert (shown["status"], shown["paid_minor"], shown["due_minor"]) == (
                *("confirmed", 400),
                0,
            )
            assert effects(app) == {
                "receipts": 1,
                "ledger_transactions": 1,
                "refunds": 0,
                "credit_notes": 0,
            }

    def test_an_event_that_was_kept_and_not_acted_upon_is_taken_up(
        self,
        app: Flask,
        desk: Desk,
        lot: Lot,
        mute: Mute,
        post: Post,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        reference = charge_of(app)
        with monkeypatch.context() as patch:
            patch.setattr(webhooks, "take_event", _die)
            with pytest.raises(_Killed):
                post(told_of(reference))
        assert desk.look(held)["status"] == "held"
        # Redelivered, it is there already; its sweep does the rest.
        assert post(told_of(reference)).status_code == 200
        assert take_events() == 1
        assert desk.look(held)["status"] == "confirmed"
        assert take_events() == 0

    def test_one_at_which_another_process_is_waits_for_it(
        self,
        app: Flask,
        desk: Desk,
        lot: Lot,
        mute: Mute,
        post: Post,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        held = desk.hold(lot)
        desk.charge(held)
        with monkeypatch.context() as patch:
            patch.setattr(service, "learn", _die)
            with pytest.raises(_Killed):
                post(told_of(charge_of(app)))
        assert take_events() == 0
        desk = later(desk, minutes=1)
        assert take_events() == 1
        assert desk.look(held)["status"] == "confirmed"

    def test_one_poisonous_event_costs_itself_only(
        self,
        app: Flask,
        arrive: Arrive,
        lot: Lot,
        mute: Mute,
        post: Post,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        first, second = arrive(), arrive()
        held = [first.hold(lot), second.hold(lot)]
        first.charge(held[0])
        poison = charge_of(app)
        clock.move(timedelta(seconds=1))
        second.charge(held[1])
        honest = service.learn

        def learn(payment: Any) -> Any:
            if payment.gateway_ref == poison or payment.id == 1:
                raise ZeroDivisionError
            return honest(payment)

        monkeypatch.setattr(service, "learn", learn)
        assert post(told_of(poison, id="evt_1")).status_code == 200
        assert post(told_of(charge_of(app), id="evt_2")).status_code == 200
        assert first.look(held[0])["status"] == "held"
        assert second.look(held[1])["status"] == "confirmed"


class _Killed(BaseException):
    """A process that dies at a named point."""


def _die(*_args: Any, **_kwargs: Any) -> Any:
    raise _Killed


class _Dying(SandboxGateway):
    def __init__(self, *, after: bool) -> None:
        self._after = after

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        if self._after:
            super().charge(order, reference=reference, means=means)
        raise _Killed


def _alone(app: Flask, desk: Desk) -> Desk:
    return Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)
