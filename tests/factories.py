"""Rows for tests: valid by default, nothing random, committed."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from backend import clock
from backend.auth.sign_ins import start_sign_in
from backend.extensions import db
from backend.lots import memory
from backend.models import (
    Lot,
    LotAmenity,
    Report,
    ReportFile,
    Reservation,
    Role,
    Spot,
    SpotClaim,
    Stay,
    Tariff,
    TariffIncrement,
    TariffTax,
    User,
    Vehicle,
)
from backend.transaction import transaction


class Factory:
    """Makes rows in the database of ``app``; each method commits."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._numbers = itertools.count(1)

    def user(
        self, *, email: str | None = None, roles: Sequence[str] = ("driver",), **values: Any
    ) -> User:
        number = next(self._numbers)
        with self._app.app_context(), transaction():
            user = User(
                **{
                    "email": email or f"driver{number}@example.org",
                    "name": f"Driver {number}",
                    "phone": None,
                    # No password opens this account; tests of signing in sign up first.
                    "password": "!",
                    "fs_uniquifier": f"unique-{number}",
                    "timezone": "Europe/Berlin",
                    "locale": "en-IN",
                    "created_at": clock.now(),
                    **values,
                }
            )
            user.roles = list(db.session.scalars(select(Role).where(Role.name.in_(roles))))
            db.session.add(user)
        return user

    def headers(self, user: User) -> dict[str, str]:
        """Sign a user in and give the headers of their requests."""
        with self._app.app_context(), transaction():
            signed_in = start_sign_in(db.session.get_one(User, user.id), user_agent="tests")
        return {"Authorization": f"Bearer {signed_in.tokens.access_token}"}

    def driver(self, **values: Any) -> tuple[dict[str, str], Vehicle]:
        """Make a driver with a vehicle; give the headers of their requests, and the vehicle."""
        user = self.user(**values)
        return self.headers(user), self.vehicle(user)

    def vehicle(self, driver: User, **values: Any) -> Vehicle:
        number = next(self._numbers)
        with self._app.app_context(), transaction():
            vehicle = Vehicle(
                **{
                    "user_id": driver.id,
                    "plate": f"DDAB{number}",
                    "kind": "car",
                    "is_default": False,
                    "created_at": clock.now(),
                    **values,
                }
            )
            db.session.add(vehicle)
        return vehicle

    def lot(
        self,
        *,
        spots: int = 3,
        kind: str = "standard",
        hourly_minor: int | None = 200,
        day_cap_minor: int | None = None,
        amenities: Sequence[str] = (),
        **values: Any,
    ) -> Lot:
        """Make an open lot with bays ``A01`` … and, unless ``hourly_minor`` is None, a published tariff."""
        number = next(self._numbers)
        name = values.get("name", f"Lot {number}")
        with self._app.app_context(), transaction():
            lot = Lot(
                **{
                    "name": name,
                    "address": f"Street {number}",
                    "city": "Dresden",
                    "search_text": f"{name} street {number} dresden".casefold(),
                    "lat": 51.05,
                    "lng": 13.74,
                    "timezone": "Europe/Berlin",
                    "status": "open",
                    "created_at": clock.now(),
                    **values,
                }
            )
            lot.amenities = [LotAmenity(amenity=amenity) for amenity in amenities]
            db.session.add(lot)
            db.session.flush()  # gives the id that bays and tariff refer to
            db.session.add_all(
                Spot(lot_id=lot.id, label=f"A{n:02}", level="0", kind=kind, x=2.5 * n, y=0.0)
                for n in range(1, spots + 1)
            )
            if hourly_minor is not None:
                db.session.add(_tariff(lot.id, hourly_minor, day_cap_minor))
        memory.forget()
        return lot

    def stay(self, reservation_id: int) -> Stay:
        """Let the car of a paid booking have been in for all of its window; the booking is completed."""
        with self._app.app_context(), transaction():
            booked = db.session.get_one(Reservation, reservation_id)
            claim = db.session.scalars(
                select(SpotClaim).where(SpotClaim.reservation_id == reservation_id)
            ).one()
            booked.status, booked.live, booked.ended_at = "completed", False, booked.ends_at
            claim.live = False
            stay = Stay(
                reservation_id=reservation_id,
                lot_id=booked.lot_id,
                spot_id=claim.spot_id,
                entered_at=booked.starts_at,
                left_at=booked.ends_at,
            )
            db.session.add(stay)
        return stay

    def report(
        self, driver: User | None, month: date = date(2026, 1, 1), *, visits: int = 1
    ) -> Report:
        """Make a report that is ready, of a driver or of the operator; nobody counted what it says."""
        whose = f"driver:{driver.id}" if driver else "operator"
        money = {"currency": "EUR", "refunded_minor": 0}
        with self._app.app_context(), transaction():
            report = Report(
                key=f"{whose}:{month:%Y-%m}",
                audience="driver" if driver else "operator",
                user_id=driver.id if driver else None,
                month=month,
                timezone="Europe/Berlin",
                locale="en",
                status="ready",
                facts={
                    "name": driver.name if driver else "",
                    "visits": visits,
                    "minutes": 60 * visits,
                    "occupancy_percent": None,
                    "money": [money | {"spent_minor": 200, "revenue_minor": 200}] * bool(visits),
                    "lots": [],
                },
                created_at=clock.now(),
                next_attempt_at=clock.now(),
                finished_at=clock.now(),
            )
            db.session.add(report)
            db.session.flush()  # gives the id that its files refer to
            db.session.add_all(
                ReportFile(report_id=report.id, format=format_, content=content)
                for format_, content in (("pdf", b"%PDF-1.7"), ("xlsx", b"PK"))
            )
        return report

    def spots(self, lot: Lot) -> list[Spot]:
        with self._app.app_context(), transaction(read_only=True):
            return list(
                db.session.scalars(select(Spot).where(Spot.lot_id == lot.id).order_by(Spot.id))
            )


def _tariff(lot_id: int, hourly_minor: int, day_cap_minor: int | None) -> Tariff:
    return Tariff(
        lot_id=lot_id,
        version=1,
        name="Standard",
        status="published",
        currency="EUR",
        billing_step_minutes=15,
        free_minutes=0,
        day_cap_minor=day_cap_minor,
        day_start_minutes=0,
        tax_inclusive=True,
        created_at=clock.now(),
        published_at=clock.now(),
        increments=[TariffIncrement(position=0, minutes=60, amount_minor=hourly_minor)],
        taxes=[TariffTax(position=0, name="VAT", rate_bp=1900)],
    )


def where_it_is_morning() -> str:
    """Name a zone in which it is about eight: no stay from now on passes midnight there, when prices begin anew."""
    east = (8 - clock.now().hour + 11) % 24 - 11
    # The names of these zones count to the west.
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


def tomorrow_at(hour: int, minutes: int = 0) -> datetime:
    """Give a moment of tomorrow, UTC."""
    day = clock.now() + timedelta(days=1)
    return day.replace(hour=hour, minute=minutes, second=0, microsecond=0)
