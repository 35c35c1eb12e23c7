"""What happened to a reservation, as its driver is told of it in the app."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import insert, select

from backend import clock
from backend.channels import publish
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.lots.staff import works_at
from backend.models import Reservation, ReservationEvent
from backend.transaction import after_commit, transaction

By: TypeAlias = Literal["driver", "staff", "system"]

_NOTE = insert(ReservationEvent)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; the booking itself has no number."""

    id: int | None
    at: datetime
    kind: str
    facts: dict[str, Any]
    by: By


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
    after_commit(_publish, reservation_id)


def list_events(reader: Caller, reservation_id: int) -> list[Event]:
    """List what happened to a reservation that the reader may read, the first foremost.

    Raises:
        NotFound: there is none, or it is none of the reader's.

    """
    reservation = db.session.execute(
        select(
            Reservation.lot_id, Reservation.user_id, Reservation.created_at, Reservation.source
        ).where(Reservation.id == reservation_id)
    ).first()
    if reservation is None or (
        reservation.user_id != reader.id and not works_at(reader, reservation.lot_id)
    ):
        raise NotFound(f"There is no reservation {reservation_id}.")
    # That it was booked, its own row says: a booking is not made slower by one more.
    by_whom: By = "staff" if reservation.source == "walk_in" else "driver"
    first = Event(None, reservation.created_at, "booked", {"source": reservation.source}, by_whom)
    rows = db.session.scalars(
        select(ReservationEvent)
        .where(ReservationEvent.reservation_id == reservation_id)
        .order_by(ReservationEvent.id)
    )
    return [first, *(_tell(row, reservation.user_id) for row in rows)]


def _publish(reservation_id: int) -> None:
    with transaction(read_only=True):
        row = db.session.execute(
            select(Reservation.user_id, Reservation.status).where(Reservation.id == reservation_id)
        ).one()
    if row.user_id is not None:
        publish(row.user_id, "reservation", {"id": reservation_id, "status": row.status})


def _tell(row: ReservationEvent, driver_id: int | None) -> Event:
    by: By = "staff"
    if row.actor_id is None:
        by = "system"
    elif row.actor_id == driver_id:
        by = "driver"
    return Event(row.id, row.at, row.kind, row.facts, by)
