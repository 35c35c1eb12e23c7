"""The application with one guard taken off: what the races are run against to show that they see the harm."""

import time
from types import SimpleNamespace
from typing import Any

from flask import Flask
from sqlalchemy import Connection, event, text, update
from sqlalchemy.orm.attributes import set_committed_value

import backend
from backend import clock
from backend.claims import service as claims
from backend.errors import LotFull
from backend.extensions import db
from backend.models import Payment, Refund, Reservation
from backend.models.reservation import LIVE_STATUSES
from backend.payments import refunds
from backend.payments.gateway import Outcome
from backend.payments.sandbox import SandboxGateway
from backend.reservations import booking, cancelling, confirming, entering, leaving

_LOOK = """
    AND NOT EXISTS (
        SELECT 1 FROM spot_claims AS other
        WHERE other.spot_id = :spot_id AND other.live
          AND other.ends_at > :starts_at AND other.starts_at < :ends_at
    )
    RETURNING id
"""


def create_trusting_app() -> Flask:
    """Make an application that looks whether a bay is free and then takes it, with no constraint behind.

    On SQLite it is the application as it is: there the trigger is dropped, and nothing else looks.
    """
    claims._CLAIM_POSTGRESQL = text(claims._CLAIM + _LOOK).bindparams(
        *claims._instants("starts_at", "ends_at", "expires_at")
    )
    # The other INSERT names a constraint that is not there now.
    booking._INSERT_POSTGRESQL = booking._INSERT_SQLITE
    return backend.create_app()


def create_discouraged_app() -> Flask:
    """Make an application that takes a lost race for a full lot."""
    claim_spot = claims.claim_spot

    def claim_or_give_up(spot_id: int, **claim: Any) -> bool:
        if not claim_spot(spot_id, **claim):
            raise LotFull("One race is lost.", lot_id=0, alternatives={})
        return True

    claims.claim_spot = claim_or_give_up
    return backend.create_app()


def create_hasty_app() -> Flask:
    """Make an application whose transactions on SQLite all begin with a plain BEGIN, as is its default."""
    app = backend.create_app()
    with app.app_context():

        @event.listens_for(db.engine, "begin")
        def _begin_again(connection: Connection) -> None:
            if not connection.get_execution_options().get("read_only"):
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("BEGIN")

    return app


def create_blind_app() -> Flask:
    """Make an application that claims a chosen bay without a look, with no constraint behind."""
    claims._CLAIM_POSTGRESQL = claims._CLAIM_SQLITE
    booking._INSERT_POSTGRESQL = booking._INSERT_SQLITE
    return backend.create_app()


def create_believing_app() -> Flask:
    """Make an application that confirms whatever is paid, in whichever state it is by then, at a slow bank."""
    charge = SandboxGateway.charge

    def charge_slowly(self: SandboxGateway, **of_what: Any) -> Outcome:
        time.sleep(0.1)
        return charge(self, **of_what)

    SandboxGateway.charge = charge_slowly

    def confirm(reservation: Reservation, *_from_statuses: str) -> bool:
        db.session.execute(
            update(Reservation)
            .where(Reservation.id == reservation.id)
            .values(status="confirmed", live=True, confirmed_at=clock.now(), ended_at=None)
        )
        return True

    confirming._confirm = confirm
    patched: Any = confirming
    patched.claims = SimpleNamespace(keep_claim=lambda _reservation_id: True)
    return backend.create_app()


def create_presuming_app() -> Flask:
    """Make an application that takes a reservation to be as everybody expects, and changes it as it is."""

    def presume(status: str) -> Any:
        def get(reservation_id: int) -> Reservation:
            reservation = db.session.get_one(Reservation, reservation_id, populate_existing=True)
            set_committed_value(reservation, "status", status)
            return reservation

        return get

    def change_anyhow(
        reservation: Reservation, *, since: Any, to: str | None = None, **values: Any
    ) -> None:
        if to is not None:
            values |= {"status": to, "live": to in LIVE_STATUSES}
        db.session.execute(
            update(Reservation).where(Reservation.id == reservation.id).values(**values),
            execution_options={"synchronize_session": False},
        )

    for module, status in (
        (cancelling, "confirmed"),
        (entering, "confirmed"),
        (leaving, "checked_in"),
    ):
        patched: Any = module
        patched.get_reservation_for_update = presume(status)
        patched.change = change_anyhow
    patched = leaving
    patched.is_car_in = lambda _reservation_id: True
    patched._end_stay = lambda *_of_whom: None
    return backend.create_app()


def create_generous_app() -> Flask:
    """Make an application that gives back what it knew of a payment a moment ago, and books that."""
    get_for_update = refunds._get_for_update

    def remember(payment_id: int) -> Payment:
        payment = get_for_update(payment_id)
        set_committed_value(payment, "status", "succeeded")
        set_committed_value(payment, "refunded_minor", 0)
        return payment

    def promise_anyhow(
        payment: Payment, amount_minor: int, *, cause: str, key: str, **more: Any
    ) -> Refund:
        moment = clock.now()
        refund = Refund(
            key=f"{key}:{payment.id}",
            payment_id=payment.id,
            reservation_id=payment.reservation_id,
            amount_minor=amount_minor,
            currency=payment.currency,
            cause=cause,
            reason=more.get("reason", ""),
            created_by=more.get("actor_id"),
            created_at=moment,
            next_attempt_at=moment,
        )
        db.session.add(refund)
        db.session.flush()
        return refund

    refunds._get_for_update = remember
    refunds.promise = promise_anyhow
    return backend.create_app()
