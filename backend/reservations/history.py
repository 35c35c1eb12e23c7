"""What happened to a reservation, as its driver is told of it in the app."""

from typing import Any

from sqlalchemy import insert, select

from backend import clock
from backend.extensions import db
from backend.models import ReservationEvent

_NOTE = insert(ReservationEvent)


def note(reservation_id: int, kind: str, /, *, actor_id: int | None = None, **facts: Any) -> None:
    """Take down what happened, in the transaction in which it does; facts are what JSON can hold.

    Without an ``actor_id`` it happened by itself.
    """
    db.session.connection().execute(
        _NOTE,
        {
            "reservation_id": reservation_id,
            "at": clock.now(),
            "kind": kind,
            "facts": facts,
            "actor_id": actor_id,
        },
    )


def list_events(reservation_id: int) -> list[ReservationEvent]:
    """List what happened to a reservation, the first foremost."""
    return list(
        db.session.scalars(
            select(ReservationEvent)
            .where(ReservationEvent.reservation_id == reservation_id)
            .order_by(ReservationEvent.id)
        )
    )
