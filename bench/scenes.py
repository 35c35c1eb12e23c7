"""What the benches act on: a city of lots, drivers who signed in, and bookings enough to fill pages."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import text

from backend import clock, create_app
from backend.extensions import db
from backend.models import Lot, User, Vehicle
from backend.transaction import transaction
from bench.load import Connection, Result, http_request, run
from tests import servers
from tests.factories import Factory, tomorrow_at

_LOTS = 40
_SPOTS = 60
_DRIVERS = 700
_CONNECTIONS = 8
_READS = 2_000
_FRESH_READS = 400
_BOOKINGS = 160


@dataclass(slots=True)
class Guest:
    """A driver with a car, signed in."""

    user: User
    vehicle: Vehicle
    token: dict[str, str]


@dataclass(slots=True)
class Scene:
    """The city, and how to measure in it."""

    app: Flask
    folder: Path
    lots: list[Lot]
    ten_bays: Lot
    regular: Guest
    guests: Iterator[Guest]
    port: int = 0
    _hours: Iterator[int] = field(default_factory=itertools.count)

    @property
    def _list_path(self) -> str:
        start, end = _window(0)
        return f"/api/v1/lots?lat=51.05&lng=13.74&limit=20&starts_at={start}&ends_at={end}"

    def keep_bare_answers(self) -> None:
        """Keep what the real routes answer, for the bare route to answer the same bytes."""
        connection = Connection(self.port)
        for name, request in (("lots", self._list()), ("own", self._own())):
            status, body = connection.ask(request)
            if status != 200:
                raise RuntimeError(f"{name} answered {status}: {body[:500]!r}")
            (self.folder / name).write_bytes(body)
        connection.close()

    def cached_list(self) -> tuple[float, float]:
        """Measure the lots list as most callers get it, and the bare route."""
        return self._reads(self._list()), self._reads(_bare("lots"))

    def fresh_list(self) -> tuple[float, float]:
        """Measure the lots list when each answer comes from the database, and the bare route.

        Each request asks for a window of its own, so no cache can know the answer.
        """
        paths = []
        for _ in range(_FRESH_READS):
            start, end = _window(next(self._hours))
            paths.append(
                f"/api/v1/lots?lat=51.05&lng=13.74&limit=20&starts_at={start}&ends_at={end}"
            )
        ours = self._run([http_request("GET", path) for path in paths])
        return ours.per_second, self._reads(_bare("lots"), _FRESH_READS)

    def own_reservations(self) -> tuple[float, float]:
        """Measure a driver's own page of 20 reservations, and the bare route."""
        return self._reads(self._own()), self._reads(_bare("own"))

    def bookings(self) -> tuple[float, float]:
        """Measure bookings over HTTP, and the same rows written by psycopg in one transaction each."""
        lots = itertools.cycle(self.lots)
        requests, rows = [], []
        for number in range(_BOOKINGS):
            guest, lot = next(self.guests), next(lots)
            start, end = tomorrow_at(6), tomorrow_at(8)
            body = {
                "lot_id": lot.id,
                "vehicle_id": guest.vehicle.id,
                "starts_at": start.isoformat(),
                "ends_at": end.isoformat(),
            }
            key = {"Idempotency-Key": f"bench-{number}"}
            requests.append(
                http_request(
                    "POST", "/api/v1/reservations", guest.token | key, json.dumps(body).encode()
                )
            )
            rows.append((guest, lot))
        result = self._run(requests)
        if result.statuses != {201: _BOOKINGS}:
            raise RuntimeError(f"Not every booking was placed: {result.statuses}")
        return result.per_second, self._by_psycopg(rows)

    def last_ten_bays(self) -> tuple[int, int, float]:
        """Let 64 clients at once want the last ten bays; count the placed, the double, and time them."""
        requests = []
        for _ in range(64):
            guest = next(self.guests)
            body = {
                "lot_id": self.ten_bays.id,
                "vehicle_id": guest.vehicle.id,
                "starts_at": tomorrow_at(12).isoformat(),
                "ends_at": tomorrow_at(14).isoformat(),
            }
            requests.append(
                [
                    http_request(
                        "POST", "/api/v1/reservations", guest.token, json.dumps(body).encode()
                    )
                ]
            )
        result = run(self.port, requests)
        if set(result.statuses) - {201, 409}:
            raise RuntimeError(f"Unexpected answers: {result.statuses}")
        with self.app.app_context(), transaction(read_only=True):
            double = db.session.scalar(
                text(
                    "SELECT count(*) FROM spot_claims a JOIN spot_claims b ON a.spot_id = b.spot_id"
                    " AND a.id < b.id AND a.live AND b.live"
                    " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
                )
            )
        return result.statuses.get(201, 0), double or 0, result.percentile(0.99)

    def _list(self) -> bytes:
        return http_request("GET", self._list_path)

    def _own(self) -> bytes:
        return http_request("GET", "/api/v1/reservations?limit=20", self.regular.token)

    def _reads(self, request: bytes, count: int = _READS) -> float:
        result = self._run([request] * count)
        if set(result.statuses) != {200}:
            raise RuntimeError(f"Unexpected answers: {result.statuses}")
        return result.per_second

    def _run(self, requests: list[bytes]) -> Result:
        return run(self.port, [requests[number::_CONNECTIONS] for number in range(_CONNECTIONS)])

    def _by_psycopg(self, rows: list[tuple[Guest, Lot]]) -> float:
        """Write the rows of these bookings a day later: one connection for each client, one commit each."""
        shares = [rows[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
        barrier = threading.Barrier(len(shares) + 1)
        day = next(self._hours)
        threads = [
            threading.Thread(target=self._write_share, args=(share, barrier, number, day))
            for number, share in enumerate(shares)
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        return len(rows) / (time.perf_counter() - began)

    def _write_share(
        self, share: list[tuple[Guest, Lot]], barrier: threading.Barrier, number: int, day: int
    ) -> None:
        url = db_url(self.app)
        now = clock.now()
        # Far from every other window, and each round further, so that no guard has a reason to refuse.
        starts = now + timedelta(days=1000 + 10 * day)
        with psycopg.connect(url) as connection:
            barrier.wait()
            for step, (guest, lot) in enumerate(share):
                name = f"raw-{day}-{number}-{step}"
                window = (
                    starts + timedelta(hours=2 * step),
                    starts + timedelta(hours=2 * step + 2),
                )
                _write_booking(connection, guest, lot, window, name=name, now=now, offset=number)
                connection.commit()


def db_url(app: Flask) -> str:
    """Give the database's URL as psycopg knows it."""
    url: str = app.extensions["settings"].database_url
    return url.replace("+psycopg", "")


def build(folder: Path) -> Scene:
    """Fill an empty database with the scene."""
    app = create_app()
    servers.migrate(app)
    make = Factory(app)
    lots = [
        make.lot(
            spots=_SPOTS,
            name=f"Bench lot {number}",
            lat=51.0 + 0.002 * number,
            lng=13.7 + 0.002 * number,
        )
        for number in range(_LOTS)
    ]
    ten_bays = make.lot(spots=10, name="Ten bays", lat=52.0, lng=14.0)
    regular = _guest(make)
    _fill_history(app, regular, lots[0])
    guests = [_guest(make) for _ in range(_DRIVERS)]
    with (
        app.app_context(),
        db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as raw,
    ):
        raw.execute(text("ANALYZE"))
    return Scene(app, folder, lots, ten_bays, regular, iter(guests))


def _guest(make: Factory) -> Guest:
    user = make.user()
    return Guest(user, make.vehicle(user), make.headers(user))


def _fill_history(app: Flask, guest: Guest, lot: Lot) -> None:
    """Give a driver sixty completed stays."""
    now = clock.now()
    with psycopg.connect(db_url(app)) as connection:
        for number in range(60):
            start = now - timedelta(days=number + 1)
            window = (start, start + timedelta(hours=2))
            _write_booking(
                connection, guest, lot, window, name=f"past-{number}", now=now, offset=0, live=False
            )
        connection.commit()


def _write_booking(
    connection: "psycopg.Connection[Any]",
    guest: Guest,
    lot: Lot,
    window: tuple[datetime, datetime],
    *,
    name: str,
    now: datetime,
    offset: int,
    live: bool = True,
) -> None:
    """Write what a booking writes: key, quote, reservation, claim, and the key's result."""
    starts_at, ends_at = window
    key = connection.execute(
        "INSERT INTO idempotency_keys (user_id, key, request_digest, owner, locked_until, created_at)"
        " VALUES (%s, %s, 'digest', 'owner', %s, %s) RETURNING id",
        (guest.user.id, name, now, now),
    ).fetchone()
    quote = connection.execute(
        "INSERT INTO quotes (lot_id, tariff_id, vehicle_id, starts_at, ends_at, total_minor, tax_minor,"
        " currency, lines, taxes, refund_policy, created_at, expires_at)"
        " VALUES (%s, (SELECT id FROM tariffs WHERE lot_id = %s), %s, %s, %s, 400, 64,"
        " 'EUR', %s, %s, 'standard', %s, %s) RETURNING id",
        (
            *(lot.id, lot.id, guest.vehicle.id, starts_at, ends_at),
            json.dumps(
                [
                    {
                        "label": "2 × 60 min",
                        "quantity": 2,
                        "unit_minor": 200,
                        "amount_minor": 400,
                        "kind": "parking",
                    }
                ]
            ),
            json.dumps([{"name": "VAT", "rate_bp": 1900, "amount_minor": 64, "included": True}]),
            *(now, now),
        ),
    ).fetchone()
    status = "confirmed" if live else "completed"
    reservation = connection.execute(
        "INSERT INTO reservations (code, user_id, vehicle_id, plate, lot_id, quote_id, starts_at, ends_at,"
        " status, live, source, pinned, price_minor, currency, refund_policy, hold_extended_by,"
        " hold_expires_at, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'app', false, 400, 'EUR', 'standard', 0, %s, %s)"
        " RETURNING id",
        (
            *(name, guest.user.id, guest.vehicle.id, guest.vehicle.plate, lot.id),
            *((quote or [0])[0], starts_at, ends_at, status, live, now, now),
        ),
    ).fetchone()
    connection.execute(
        "INSERT INTO spot_claims (spot_id, lot_id, starts_at, ends_at, kind, reservation_id, live)"
        " SELECT id, lot_id, %s, %s, 'reservation', %s, %s FROM spots WHERE lot_id = %s"
        " ORDER BY id LIMIT 1 OFFSET %s",
        (starts_at, ends_at, (reservation or [0])[0], live, lot.id, offset),
    )
    connection.execute(
        "UPDATE idempotency_keys SET status = 201, facts = %s WHERE id = %s",
        (json.dumps({"id": (reservation or [0])[0]}), (key or [0])[0]),
    )


def _bare(name: str) -> bytes:
    return http_request("GET", f"/api/v1/bench/{name}")


def _window(hour: int) -> tuple[str, str]:
    start = tomorrow_at(8) + timedelta(minutes=hour)
    return (
        start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        (start + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
