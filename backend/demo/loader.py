"""Loading the demo: real car parks, people, and two weeks of stays around now, in one transaction."""

import dataclasses
import json
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from backend import clock
from backend.auth.passwords import hash_password
from backend.config import settings
from backend.database import violates
from backend.demo.bookings import Ground, add_bookings
from backend.demo.extras import (
    SPECIAL_TERMS,
    WATCHED,
    add_coupon,
    assign_attendant,
    let_drivers_in,
    let_one_wait,
)
from backend.demo.lives import Fates
from backend.demo.people import (
    ADMIN,
    ATTENDANT,
    CUSTOMS,
    Customs,
    DemoDriver,
    assign,
    gather_crowd,
    name_drivers,
)
from backend.demo.rows import insert_rows, on_postgresql, stand_in, take_ids, tell_planner
from backend.demo.stays import (
    DAYS_A_MONTH,
    DAYS_BACK,
    Curve,
    Place,
    day_visitors,
    mean_curve,
    plan_stays,
)
from backend.extensions import db
from backend.lots.hours import parse_opening_hours
from backend.lots.import_lots import import_rows
from backend.lots.importing import ImportFile, LotRow, parse_lots
from backend.models import (
    Lot,
    Payment,
    Quote,
    Receipt,
    Reservation,
    Role,
    Spot,
    SpotClaim,
    Tariff,
    User,
    Vehicle,
    users_roles,
)
from backend.tariffs.service import draft_tariff, publish_tariff
from backend.tariffs.versions import current_tariffs
from backend.transaction import transaction
from backend.users.service import add_user, ensure_roles

_DATA = Path(__file__).with_name("data")
_FILES = {
    "EUR": ("dresden-lots.csv", "heidelberg.geojson", "ulm.geojson", "aalen.geojson"),
    "INR": ("bengaluru-lots.csv",),
}
_LEFT_OUT = {"EUR": "Bengaluru", "INR": "Dresden, Heidelberg, Ulm and Aalen"}
_ACCOUNTS_FILE = "demo-accounts.txt"

_SEED = "vehicle vault"
_CROWD = 6000
_ACQUAINTED = timedelta(days=14)
"""How long before the first stay the lots and accounts of the demo say that they were made."""
_PATIENCE_SECONDS = 300

# Kinds of bays that a file of Dresden or Bengaluru does not tell, as one in so many.
_ONE_IN = {"accessible": 50, "electric": 30, "motorcycle": 60, "large": 40}

_DRESDEN = "Dresden"
# The share of the bays taken at the fullest hour. Some lots are nearly full, two overrun, and Altmarkt, from
# which people start, always has room.
_PEAKS = {
    "dresden-parken-Altmarkt": 0.4,
    "dresden-parken-Altmarkt-Galerie": 0.3,
    "dresden-parken-An-der-Frauenkirche": 0.99,
    "dresden-parken-Centrum-Galerie": 0.12,
    "dresden-parken-Ferdinandplatz": 0.5,
    "dresden-parken-Frauenkirche-Neumarkt": 0.6,
    "dresden-parken-Haus-am-Zwinger": 0.95,
    "dresden-parken-Pirnaischer-Platz": 0.99,
    "dresden-parken-Sarrasanistrasse": 0.95,
    "dresden-parken-Schiessgasse": 0.9,
    "dresden-parken-Taschenbergpalais": 1.3,
    "dresden-parken-Terrassenufer": 1.5,
    "dresden-parken-Wiesentorstrasse": 0.85,
    "dresden-parken-Wohrl-Florentinum": 0.45,
    "bengaluru-freedom-park": 0.45,
    "bengaluru-garuda-mall": 0.75,
    "bengaluru-jayanagar-complex": 1.3,
    "bengaluru-ub-city": 0.35,
}
_USUAL_PEAK = 0.3
# The demo is about Dresden, whose counts it follows: in other cities one bay in so many is taken, in a lot
# of 100 bays.
_ELSEWHERE = 0.1
_PARK_AND_RIDE = ("dresden-parken-Kaditz", "dresden-parken-Prohlis")


@dataclass(frozen=True, slots=True)
class _Terms:
    """A price table: ``ladder`` is minutes and amounts."""

    name: str
    ladder: tuple[tuple[int, int], ...]
    day_cap_minor: int
    billing_step_minutes: int


_TERMS = {
    "Dresden": _Terms("Inner city", ((60, 200), (30, 100)), 1800, 30),
    "Heidelberg": _Terms("Old town", ((60, 250), (30, 100)), 1600, 30),
    "Ulm": _Terms("City", ((60, 150), (60, 180)), 1200, 60),
    "Aalen": _Terms("City", ((60, 120), (30, 60)), 800, 30),
    "Bengaluru": _Terms("Hourly", ((120, 6000), (60, 3000)), 25000, 60),
}
_PARK_AND_RIDE_TERMS = _Terms("Park and ride", ((240, 200), (60, 50)), 400, 60)


@dataclass(frozen=True, slots=True)
class _People:
    """Who is to be added, and the hashes of their passwords."""

    customs: Customs
    hashes: Mapping[str, str]
    hash_of_crowd: str


def load_demo(months: int = 0) -> list[str]:
    """Load the demo once, with ``months`` of history before its two weeks; give what to tell the operator."""
    began = time.monotonic()
    currency = settings().currency
    customs = CUSTOMS.get(currency)
    if customs is None:
        places = " or ".join(CUSTOMS)
        return [f"The demo has prices in {places}, but CURRENCY is {currency}: nothing is loaded."]
    if _is_loaded():
        return _tell_again(customs, months)
    # Reading files and hashing takes a while, and needs no write lock.
    files = [_read_lots(name) for name in _FILES[currency]]
    passwords = {account.email: secrets.token_urlsafe(9) for account in customs.accounts}
    hashes = {email: hash_password(password) for email, password in passwords.items()}
    people = _People(customs, hashes, hash_of_crowd=hash_password(secrets.token_urlsafe(32)))
    accounts = [
        f"  {account.roles[-1]:<10} {account.email:<24} {passwords[account.email]}"
        for account in customs.accounts
    ]
    count = _load_in_turn(people, files, accounts, months=months)
    if count is None:
        return _tell_again(customs, months)
    lots = sum(len(file.rows) for file in files)
    seconds = time.monotonic() - began
    return [
        f"The demo is loaded: {lots} car parks and {count} bookings in {seconds:.1f} s.",
        f"Prices are in {currency}, so the car parks of {_LEFT_OUT[currency]} are left out.",
        "Its accounts, with passwords that are told this once:",
        *accounts,
        f"They are kept in {_accounts_path()}.",
    ]


def _tell_again(customs: Customs, months: int) -> list[str]:
    lines = ["The demo's accounts:"]
    lines += [f"  {account.roles[-1]:<10} {account.email}" for account in customs.accounts]
    if _accounts_path().exists():
        lines.append(f"Their passwords are in {_accounts_path()}.")
    if months:
        lines.append(
            "The demo was loaded before, and nothing is added to it: use an empty database."
        )
    return lines


def _is_loaded() -> bool:
    with transaction(read_only=True):
        return db.session.scalar(select(User.id).where(User.email == ADMIN.email)) is not None


def _load_in_turn(
    people: _People, files: Sequence[ImportFile], accounts: Sequence[str], *, months: int
) -> int | None:
    """Load all or nothing, and count the bookings; None when another process was first.

    The admin's address is unique, and so decides which of two processes loads.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with transaction():
                count = _load(people, files, months=months)
                # Before the commit: nobody could open the accounts if the process died in between.
                _keep_accounts(accounts)
        except IntegrityError as error:
            if violates(error, "uq_users_email"):
                return None
            raise
        except OperationalError as error:
            # SQLite gives up waiting for another writer sooner than the demo takes to load.
            if "database is locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
        else:
            return count


def _load(people: _People, files: Sequence[ImportFile], *, months: int) -> int:
    if on_postgresql():
        # They are short for the sake of requests; the second of two loaders waits for the first.
        for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            # nosemgrep: sql-put-together
            db.session.execute(text(f"SET LOCAL {limit} = 0"))
    now = clock.now()
    opened_at = now - timedelta(days=DAYS_BACK + months * DAYS_A_MONTH) - _ACQUAINTED
    # Not for secrets: the same day shall give the same demo.
    rng = Random(f"{_SEED} {now.date()}")  # noqa: S311 - see above # nosec B311 # nosemgrep: random-is-guessable
    named = name_drivers(people.customs)
    accounts = _add_accounts(people, named)
    crowd = gather_crowd(people.customs, _CROWD, rng)
    _add_crowd(crowd, people.hash_of_crowd, opened_at)
    _add_vehicles([*named, *crowd], opened_at)
    lots = _add_lots(files, opened_at)
    spots = {
        spot.id: spot
        for spot in db.session.scalars(
            select(Spot).where(Spot.lot_id.in_(lots)).order_by(Spot.entrance_rank, Spot.id)
        )
    }
    stays = plan_stays(_places(lots, spots), now=now, months=months, rng=rng)
    bookings = list(assign(stays, named, crowd, now=now, rng=rng))
    # As they were made, so that ids and receipts rise with time.
    bookings.sort(key=lambda booking: booking.stay.paid_at)
    watched = [lot for lot in lots.values() if _uid(lot) in WATCHED]
    fates = Fates(
        lots,
        now=now,
        rng=rng,
        watched=frozenset(lot.id for lot in watched),
        hold=timedelta(minutes=settings().hold_minutes),
    )
    add_bookings(
        bookings,
        [fates.decide(booking) for booking in bookings],
        Ground(
            lots=lots,
            spots=spots,
            users={
                driver.id: stand_in(
                    User, {"name": driver.name, "email": driver.email, "tax_id": None}
                )
                for driver in (*named, *crowd)
            },
            tariffs={
                lot_id: (current.id, current.tariff)
                for lot_id, current in current_tariffs(lots.keys()).items()
            },
            operator_id=accounts[ADMIN.email],
        ),
    )
    assign_attendant(accounts[ATTENDANT.email], [lot.id for lot in watched])
    let_drivers_in([lot.id for lot in lots.values() if _uid(lot) in _PARK_AND_RIDE])
    add_coupon(accounts[ADMIN.email], opened_at=opened_at, now=now)
    fullest = sorted(lots.values(), key=lambda lot: (-_PEAKS.get(_uid(lot), 0), lot.id))
    let_one_wait(named[1], fullest, now=now)
    tell_planner((User, Lot, Spot, Vehicle, Quote, Reservation, SpotClaim, Payment, Receipt))
    return len(bookings)


def _add_accounts(people: _People, named: Sequence[DemoDriver]) -> dict[str, int]:
    """Add those whose passwords are told; give their ids by their addresses."""
    ensure_roles()
    users = {
        account.email: add_user(
            email=account.email,
            name=account.name,
            phone=None,
            password_hash=people.hashes[account.email],
            timezone=settings().timezone,
            locale=settings().locale,
            roles=account.roles,
        )
        for account in people.customs.accounts
    }
    for driver in named:
        driver.id = users[driver.email].id
    return {email: user.id for email, user in users.items()}


def _add_crowd(crowd: Sequence[DemoDriver], password: str, created_at: datetime) -> None:
    for driver, user_id in zip(crowd, take_ids(User, len(crowd)), strict=True):
        driver.id = user_id
    role_id = db.session.scalars(select(Role.id).where(Role.name == "driver")).one()
    insert_rows(
        User,
        [
            {
                "id": driver.id,
                "email": driver.email,
                "name": driver.name,
                # The hash of a password that nobody knows.
                "password": password,
                "active": True,
                "epoch": 0,
                "fs_uniquifier": secrets.token_hex(16),
                "timezone": settings().timezone,
                "locale": settings().locale,
                "created_at": created_at,
                "version": 1,
            }
            for driver in crowd
        ],
    )
    db.session.execute(
        insert(users_roles), [{"user_id": driver.id, "role_id": role_id} for driver in crowd]
    )


def _add_vehicles(drivers: Sequence[DemoDriver], created_at: datetime) -> None:
    owned = [(driver, vehicle) for driver in drivers for vehicle in driver.vehicles]
    for (_, vehicle), vehicle_id in zip(owned, take_ids(Vehicle, len(owned)), strict=True):
        vehicle.id = vehicle_id
    insert_rows(
        Vehicle,
        [
            {
                "id": vehicle.id,
                "user_id": driver.id,
                "plate": vehicle.plate,
                "kind": vehicle.kind,
                "electric": vehicle.electric,
                "height_cm": vehicle.height_cm,
                "label": "",
                "make": vehicle.make,
                "model": vehicle.model,
                "colour": vehicle.colour,
                "is_default": vehicle.is_default,
                "created_at": created_at,
                "version": 1,
            }
            for driver, vehicle in owned
        ],
    )


def _read_lots(name: str) -> ImportFile:
    """Read a file of lots, and give lots of one kind of bay a few of the others."""
    parsed = parse_lots(name, (_DATA / name).read_bytes())
    if name.endswith(".csv"):
        parsed = dataclasses.replace(parsed, rows=[_vary_bays(row) for row in parsed.rows])
    return parsed


def _vary_bays(row: LotRow) -> LotRow:
    special = {kind: max(2, row.capacity // one_in) for kind, one_in in _ONE_IN.items()}
    kinds = {"standard": row.capacity - sum(special.values()), **special}
    amenities = sorted({*row.amenities, "accessible", "charging"})
    return dataclasses.replace(row, capacity_by_kind=kinds, amenities=tuple(amenities))


def _add_lots(files: Sequence[ImportFile], opened_at: datetime) -> dict[int, Lot]:
    """Import the lots, and give each a published tariff."""
    keys = []
    for file in files:
        import_rows(file)
        keys += [f"{file.source}:{row.external_id}" for row in file.rows]
    lots = {
        lot.id: lot
        for lot in db.session.scalars(select(Lot).where(Lot.external_id.in_(keys)).order_by(Lot.id))
    }
    for lot in lots.values():
        is_far_out = _uid(lot) in _PARK_AND_RIDE
        terms = _PARK_AND_RIDE_TERMS if is_far_out else _TERMS[lot.city]
        draft = draft_tariff(
            None,
            lot.id,
            name=terms.name,
            increments=[
                {"minutes": minutes, "amount_minor": amount} for minutes, amount in terms.ladder
            ],
            day_cap_minor=terms.day_cap_minor,
            billing_step_minutes=terms.billing_step_minutes,
            **SPECIAL_TERMS.get(_uid(lot), {}),
        )
        publish_tariff(None, draft.id)
    # The history needs lots and prices that were there before it.
    db.session.execute(update(Lot).where(Lot.id.in_(lots)).values(created_at=opened_at))
    db.session.execute(
        update(Tariff)
        .where(Tariff.lot_id.in_(lots))
        .values(created_at=opened_at, published_at=opened_at)
    )
    return lots


def _places(lots: Mapping[int, Lot], spots: Mapping[int, Spot]) -> list[Place]:
    curves: dict[str, Curve] = json.loads((_DATA / "dresden-week.json").read_text())
    usual = mean_curve(list(curves.values()))
    bays: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for spot in spots.values():
        bays[spot.lot_id][spot.kind].append(spot.id)
    return [
        Place(
            lot_id=lot.id,
            zone=ZoneInfo(lot.timezone),
            hours=parse_opening_hours(lot.opening_hours),
            height_limit_cm=lot.height_limit_cm,
            curve=day_visitors(curves.get(_uid(lot), usual), usual),
            peak=_peak(lot, sum(map(len, bays[lot.id].values()))),
            bays=bays[lot.id],
        )
        for lot in lots.values()
    ]


def _peak(lot: Lot, capacity: int) -> float:
    """Tell how full a lot gets: large ones have more customers, but not by as much as they are larger."""
    usual = _USUAL_PEAK if lot.city == _DRESDEN else _ELSEWHERE * (100 / max(capacity, 1)) ** 0.5
    return _PEAKS.get(_uid(lot), usual)


def _uid(lot: Lot) -> str:
    """Give a lot's id in its file, without the file."""
    return (lot.external_id or "").partition(":")[2]


def _keep_accounts(accounts: Sequence[str]) -> None:
    path = _accounts_path()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text("\n".join(accounts) + "\n", encoding="utf-8")
    draft.replace(path)


def _accounts_path() -> Path:
    return settings().instance / _ACCOUNTS_FILE
