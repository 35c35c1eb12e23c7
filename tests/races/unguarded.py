"""The application with one guard taken off: what the races are run against to show that they see the harm."""

from typing import Any

from flask import Flask
from sqlalchemy import Connection, event, text

import backend
from backend.claims import service as claims
from backend.errors import LotFull
from backend.extensions import db
from backend.reservations import booking

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
