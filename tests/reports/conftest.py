"""Months that are past, and whoever parked in them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend import clock
from backend.extensions import db
from backend.models import Lot, Report, Reservation, SpotClaim, Stay, User
from backend.transaction import transaction
from tests.counter import arrive
from tests.desk import Desk, between
from tests.factories import Factory

__all__ = ["arrive"]

Travel = Callable[[str], datetime]
Park = Callable[..., int]
Repeat = Callable[..., None]
Read = Callable[[], list[Report]]


@pytest.fixture
def travel(app: Flask) -> Iterator[Travel]:
    """Let it be a moment, such as ``2026-11-01T05:00``, UTC; the clock goes on from there."""

    def travel(text: str) -> datetime:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        clock.move(timedelta())
        clock.move(moment - clock.now())
        return moment

    yield travel
    clock.move(timedelta())


@pytest.fixture
def park(app: Flask, make: Factory, travel: Travel) -> Park:
    """Let a driver book, pay for and be in a bay until a moment; the clock stands before it then."""

    def park(desk: Desk, lot: Lot, until: str, *, hours: int = 1) -> int:
        ends_at = datetime.fromisoformat(until).replace(tzinfo=UTC)
        starts_at = ends_at - timedelta(hours=hours)
        travel((starts_at - timedelta(hours=3)).replace(tzinfo=None).isoformat())
        here = Desk(desk.client, desk.user, make.headers(desk.user), desk.vehicle)
        paid = here.buy(lot, **between(starts_at, ends_at))
        make.stay(paid["reservation_id"])
        return int(paid["reservation_id"])

    return park


@pytest.fixture
def repeat(app: Flask) -> Repeat:
    """Give other drivers a stay of the same time, without money: it has no place in the books."""

    def repeat(reservation_id: int, drivers: Sequence[User]) -> None:
        with app.app_context(), transaction():
            model = db.session.get_one(Reservation, reservation_id)
            claim = db.session.scalars(
                select(SpotClaim).where(SpotClaim.reservation_id == reservation_id)
            ).one()
            stay = db.session.scalars(
                select(Stay).where(Stay.reservation_id == reservation_id)
            ).one()
            for driver in drivers:
                copy = Reservation(
                    **(_values(model) | {"user_id": driver.id, "code": f"VV-{driver.id:06}"})
                )
                db.session.add(copy)
                db.session.flush()  # gives the id that claim and stay refer to
                others = {"reservation_id": copy.id}
                db.session.add(SpotClaim(**(_values(claim) | others)))
                db.session.add(Stay(**(_values(stay) | others)))

    return repeat


@pytest.fixture
def reports(app: Flask) -> Read:
    """Read all reports, by their keys."""

    def read() -> list[Report]:
        with app.app_context(), transaction(read_only=True):
            return list(db.session.scalars(select(Report).order_by(Report.key)))

    return read


def _values(row: Any) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in type(row).__mapper__.column_attrs
        if column.key != "id"
    }
