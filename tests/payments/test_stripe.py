"""Stripe, by its own library, against a double on the loopback that is not ours; and what the double cannot do."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import httpx
import pytest
import stripe
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from backend import clock, config
from backend.config import Settings
from backend.extensions import db
from backend.models import Lot
from backend.payments import service, webhooks
from backend.payments.tasks import reconcile, send_refunds
from tests import servers, stripe_double
from tests.counter import Arrive, Later
from tests.desk import Desk, problem
from tests.factories import Factory
from tests.stripe_double import SECRET_KEY, WEBHOOK_SECRET, StripeDouble

GOOD = "4242424242424242"
DECLINED = "4000000000000341"
CHALLENGED = "4000002500003155"

PayByStripe = Callable[..., TestResponse]


@pytest.fixture(scope="session")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeDouble]:
    with stripe_double.run(tmp_path_factory.mktemp("stripe") / "log") as running:
        yield running


@pytest.fixture(autouse=True)
def stripe_settings(settings: Settings, double: StripeDouble) -> Settings:
    chosen = dataclasses.replace(
        settings,
        payment_gateways=("sandbox", "stripe", "cash"),
        stripe_secret_key=SECRET_KEY,
        stripe_webhook_secret=WEBHOOK_SECRET,
        stripe_api_base=double.url,
    )
    config.use(chosen)
    return chosen


@pytest.fixture
def boss(arrive: Arrive, make: Factory) -> Desk:
    return arrive(user=make.user(roles=("admin",)))


def pay(
    desk: Desk, held: dict[str, Any], payment_method: str | None = None, *, key: str | None = None
) -> TestResponse:
    return desk.client.post(
        f"/api/v1/reservations/{held['id']}/payments",
        json={"method": "stripe"} | ({"payment_method": payment_method} if payment_method else {}),
        headers=desk.headers | ({"Idempotency-Key": key} if key else {}),
    )


def confirm(desk: Desk, payment: dict[str, Any]) -> TestResponse:
    return desk.client.post(
        f"/api/v1/payments/{payment['id']}/confirm", json={}, headers=desk.headers
    )


def give_back(boss: Desk, payment: dict[str, Any], amount: int) -> TestResponse:
    return boss.client.post(
        f"/api/v1/payments/{payment['id']}/refunds",
        json={"amount_minor": amount, "reason": "The gate was stuck."},
        headers=boss.headers,
    )


def intent_of(app: Flask, payment: dict[str, Any]) -> str:
    with app.app_context(), db.engine.connect() as connection:
        found: str = connection.execute(
            text("SELECT gateway_ref FROM payments WHERE id = :id"), {"id": payment["id"]}
        ).scalar_one()
    return found


class TestPaying:
    def test_a_good_card_confirms_the_booking(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        answer = pay(desk, held, double.payment_method(GOOD))
        assert answer.status_code == 201, answer.text
        payment = answer.json
        assert (payment["status"], payment["method"]) == ("succeeded", "stripe")
        assert payment["client_secret"] is None
        assert desk.look(held)["status"] == "confirmed"
        intent = double.intent(intent_of(app, payment))
        assert (intent["amount"], intent["currency"], intent["status"]) == (400, "eur", "succeeded")
        assert intent["metadata"]["reservation"] == held["code"]

    def test_a_declined_card_leaves_an_intent_that_nobody_can_pay(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        payment = pay(desk, held, double.payment_method(DECLINED)).json
        assert (payment["status"], payment["failure"]["code"]) == ("failed", "card_declined")
        assert double.intent(intent_of(app, payment))["status"] == "canceled"
        assert desk.look(held)["status"] == "held"
        assert pay(desk, held, double.payment_method(GOOD)).json["status"] == "succeeded"

    def test_a_payment_method_that_is_none_fails(
        self, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        payment = pay(desk, desk.hold(lot), "pm_nonsense").json
        assert (payment["status"], payment["failure"]["code"]) == ("failed", "not_accepted")

    def test_a_challenge_comes_with_the_secret_for_the_browser(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        method = double.payment_method(CHALLENGED)
        first, again = pay(desk, held, method, key="k"), pay(desk, held, method, key="k")
        assert first.json["status"] == "requires_action"
        assert "_secret_" in first.json["client_secret"]
        # Asked once more, it is told again, and kept nowhere.
        assert first.data == again.data
        assert "_secret_" not in _all_of(app, "idempotency_keys")

    @pytest.mark.parametrize(
        ("success", "status", "then"),
        [(True, "succeeded", "confirmed"), (False, "requires_action", "held")],
    )
    def test_what_the_browser_answered_is_asked_of_stripe(
        self,
        app: Flask,
        desk: Desk,
        lot: Lot,
        double: StripeDouble,
        success: bool,
        status: str,
        then: str,
    ) -> None:
        held = desk.hold(lot)
        payment = pay(desk, held, double.payment_method(CHALLENGED)).json
        double.authenticate(intent_of(app, payment), payment["client_secret"], success=success)
        assert confirm(desk, payment).json["status"] == status
        assert desk.look(held)["status"] == then

    def test_without_a_payment_method_the_browser_pays_with_the_secret(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        first = pay(desk, held, key="k")
        again = pay(desk, held, key="k")
        payment = first.json
        assert payment["status"] == "requires_action"
        assert payment["client_secret"]
        assert first.data == again.data
        assert payment["client_secret"] not in _all_of(app, "idempotency_keys")
        double.attach(intent_of(app, payment), double.payment_method(GOOD))
        assert confirm(desk, payment).json["status"] == "succeeded"
        assert desk.look(held)["status"] == "confirmed"

    def test_one_left_open_is_cancelled_at_stripe_too(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble, later: Later
    ) -> None:
        payment = pay(desk, desk.hold(lot)).json
        later(desk, minutes=31)
        assert reconcile() == 1
        assert double.intent(intent_of(app, payment))["status"] == "canceled"


class TestRefunds:
    def test_a_part_and_the_rest_come_back_and_no_more(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        payment = pay(desk, desk.hold(lot), double.payment_method(GOOD)).json
        assert give_back(boss, payment, 150).status_code == 201
        assert send_refunds() == 1
        # The double itself would give back any sum; the refusal is ours.
        assert problem(give_back(boss, payment, 251)) == "409 refund-exceeds-payment"
        assert give_back(boss, payment, 250).status_code == 201
        assert send_refunds() == 1
        given = double.refunds(intent_of(app, payment))
        assert sorted(each["amount"] for each in given) == [150, 250]
        items = boss.get("/ledger/balances")["items"]
        assert {item["account"]: item["balance_minor"] for item in items} == {
            "gateway:stripe": 0,
            "refunds_payable": 0,
            "reservations": 0,
        }

    def test_one_whose_answer_was_lost_is_found_again_and_not_sent_twice(
        self,
        app: Flask,
        desk: Desk,
        boss: Desk,
        lot: Lot,
        double: StripeDouble,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payment = pay(desk, desk.hold(lot), double.payment_method(GOOD)).json
        give_back(boss, payment, 150)
        create = stripe.RefundService.create

        def lose(*args: Any, **kwargs: Any) -> Any:
            create(*args, **kwargs)
            raise stripe.APIConnectionError("The line was cut.")  # type: ignore[no-untyped-call]

        with monkeypatch.context() as patch:
            patch.setattr(stripe.RefundService, "create", lose)
            assert send_refunds() == 0
        later(boss, minutes=5)
        assert send_refunds() == 1
        assert len(double.refunds(intent_of(app, payment))) == 1


class TestStripeAway:
    def test_a_payment_waits_to_be_asked_about(
        self, desk: Desk, lot: Lot, stripe_settings: Settings, later: Later, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        nowhere = f"http://127.0.0.1:{servers.free_port()}"
        config.use(dataclasses.replace(stripe_settings, stripe_api_base=nowhere))
        payment = pay(desk, held, double.payment_method(GOOD)).json
        assert payment["status"] == "pending"
        desk = later(desk, minutes=1)
        # Nothing was ever confirmed there, so there is nothing to ask about.
        assert reconcile() == 1
        told = desk.get(f"/payments/{payment['id']}")
        assert told["failure"]["code"] == "never_arrived"

    def test_a_confirmation_whose_answer_was_lost_is_learnt_from_stripe(
        self,
        desk: Desk,
        lot: Lot,
        later: Later,
        double: StripeDouble,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        held = desk.hold(lot)
        confirmed = stripe.PaymentIntentService.confirm

        def lose(*args: Any, **kwargs: Any) -> Any:
            confirmed(*args, **kwargs)
            raise stripe.APIConnectionError("The line was cut.")  # type: ignore[no-untyped-call]

        with monkeypatch.context() as patch:
            patch.setattr(stripe.PaymentIntentService, "confirm", lose)
            assert pay(desk, held, double.payment_method(GOOD)).json["status"] == "pending"
        desk = later(desk, minutes=1)
        assert reconcile() == 1
        assert desk.look(held)["status"] == "confirmed"

    def test_a_process_that_dies_before_it_keeps_the_intent_charged_nothing(
        self,
        app: Flask,
        desk: Desk,
        lot: Lot,
        later: Later,
        double: StripeDouble,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        held = desk.hold(lot)

        def die(*_args: Any) -> None:
            raise _Killed

        with monkeypatch.context() as patch:
            patch.setattr(service, "_keep_reference", die)
            alone = Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)
            with pytest.raises(_Killed):
                pay(alone, held, double.payment_method(GOOD))
        desk = later(desk, minutes=1)
        assert reconcile() == 1
        assert pay(desk, held, double.payment_method(GOOD)).json["status"] == "succeeded"


class TestWebhooks:
    def test_the_doubles_own_events_arrive_signed(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        """End to end: the browser pays at Stripe, and Stripe tells the web by itself."""
        server = make_server("127.0.0.1", servers.free_port(), app, threaded=True)
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            double.tell(f"http://127.0.0.1:{server.port}/api/v1/webhooks/stripe")
            held = desk.hold(lot)
            payment = pay(desk, held).json
            double.attach(intent_of(app, payment), double.payment_method(GOOD))
            deadline = time.monotonic() + 20
            while desk.look(held)["status"] != "confirmed":
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            double.tell("http://127.0.0.1:9/nobody")
            server.shutdown()
            serving.join()
            server.server_close()
        assert desk.get(f"/payments/{payment['id']}")["status"] == "succeeded"

    def test_ours_by_stripes_scheme_have_one_effect(
        self, app: Flask, desk: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        payment = pay(desk, held).json
        intent = intent_of(app, payment)
        double.attach(intent, double.payment_method(GOOD))
        events = ["payment_intent.succeeded", "payment_intent.created", "charge.succeeded"]
        for number, kind in enumerate(events * 2):
            assert _post(app, kind, intent, event_id=f"evt_{number % 4}").status_code == 200
        assert desk.look(held)["status"] == "confirmed"
        with app.app_context(), db.engine.connect() as connection:
            booked = connection.execute(text("SELECT count(*) FROM ledger_transactions")).scalar()
        assert booked == 1

    def test_another_amount_than_ours_is_held_for_an_admin(
        self, app: Flask, desk: Desk, boss: Desk, lot: Lot, double: StripeDouble
    ) -> None:
        held = desk.hold(lot)
        payment = pay(desk, held).json
        intent = intent_of(app, payment)
        # Somebody changed the intent at Stripe.
        httpx.post(
            f"{double.url}/v1/payment_intents/{intent}",
            json={"amount": 300},
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
        ).raise_for_status()
        double.attach(intent, double.payment_method(GOOD))
        assert _post(app, "payment_intent.succeeded", intent).status_code == 200
        told = boss.get(f"/payments/{payment['id']}")
        assert (told["status"], told["review_reason"], told["received_minor"]) == (
            *("review", "amount_mismatch"),
            300,
        )
        assert desk.look(held)["status"] == "held"

    def test_one_by_another_secret_changes_nothing(self, app: Flask) -> None:
        refused = _post(app, "payment_intent.succeeded", "pi_1", secret="whsec_other")
        assert problem(refused) == "400 invalid-signature"


class _Killed(BaseException):
    """A process that dies at a named point."""


def _post(
    app: Flask,
    kind: str,
    intent: str,
    *,
    event_id: str = "evt_1",
    secret: str = WEBHOOK_SECRET,
    age: timedelta = timedelta(),
) -> TestResponse:
    body = json.dumps(
        {"id": event_id, "type": kind, "data": {"object": {"id": intent, "amount": 400}}}
    ).encode()
    return app.test_client().post(
        "/api/v1/webhooks/stripe",
        data=body,
        headers={
            "Stripe-Signature": webhooks.sign(secret, body, clock.now() - age),
            "Content-Type": "application/json",
        },
    )


def _all_of(app: Flask, table: str) -> str:
    with app.app_context(), db.engine.connect() as connection:
        return "".join(map(str, connection.execute(text(f"SELECT * FROM {table}"))))
