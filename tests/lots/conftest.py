"""What tests of lots share: bookings made straight in the database."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend import clock
from backend.claims import service as claims
from backend.claims.service import claim_spot
from backend.extensions import db
from backend.lots.resources import CACHED
from backend.models import Quote, Reservation, Spot, Tariff, User, Vehicle
from backend.models.claim import OVERLAP
from backend.models.guards import install_guards, missing_guards
from backend.transaction import transaction
from backend.web.cache import invalidate
from tests.factories import Factory

Book = Callable[..., int | None]


@pytest.fixture(autouse=True)
def _fresh_lists(app: Flask) -> None:
    # The process keeps lists for a second, longer than a test takes.
    with app.app_context():
        invalidate(CACHED)


@pytest.fixture
def book(app: Flask, make: Factory) -> Book:
    """Claim a bay as a booking does; give the reservation's id, or None when the bay was taken."""

    def book(
        spot: Spot,
        starts_at: datetime,
        ends_at: datetime,
        *,
        user: User | None = None,
        held_until: datetime | None = None,
    ) -> int | None:
        owner = user or make.user()
        vehicle = make.vehicle(owner)
        with app.app_context():
            return _book(spot, starts_at, ends_at, vehicle, held_until)

    return book


def _book(
    spot: Spot,
    starts_at: datetime,
    ends_at: datetime,
    vehicle: Vehicle,
    held_until: datetime | None,
) -> int | None:
    now = clock.now()
    window: dict[str, Any] = {"starts_at": starts_at, "ends_at": ends_at}
    with transaction():
        quote = Quote(
            lot_id=spot.lot_id,
            tariff_id=db.session.scalars(
                select(Tariff.id).where(Tariff.lot_id == spot.lot_id)
            ).one(),
            total_minor=400,
            tax_minor=0,
            currency="EUR",
            lines=[],
            taxes=[],
            refund_policy="standard",
            created_at=now,
            expires_at=now + timedelta(minutes=10),
            **window,
        )
        db.session.add(quote)
        db.session.flush()  # gives quote.id
        reservation = Reservation(
            code=f"VV-{quote.id:04}",
            user_id=vehicle.user_id,
            vehicle_id=vehicle.id,
            plate=vehicle.plate,
            lot_id=spot.lot_id,
            quote_id=quote.id,
            status="held" if held_until else "confirmed",
            live=True,
            price_minor=400,
            currency="EUR",
            refund_policy="standard",
            hold_expires_at=held_until,
            created_at=now,
            **window,
        )
        db.session.add(reservation)
        db.session.flush()  # gives reservation.id
        if not claim_spot(spot.id, reservation_id=reservation.id, expires_at=held_until, **window):
            db.session.delete(reservation)
            return None
    return reservation.id


@pytest.fixture
def without_guard(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the guard of all bays away for a test, which then must see what it prevents."""
    monkeypatch.setattr(claims, "_CLAIM_POSTGRESQL", claims._CLAIM_SQLITE)
    with app.app_context():
        with db.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER {OVERLAP}_insert"))
            else:
                connection.execute(text(f"ALTER TABLE spot_claims DROP CONSTRAINT {OVERLAP}"))
        yield
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM spot_claims"))
            install_guards(connection)
        with db.engine.begin() as connection:
            assert not missing_guards(connection)
