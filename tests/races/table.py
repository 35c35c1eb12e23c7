"""Two at once, over and over: one winner each time, and the books agree with it.

``python -m tests.races.table`` prints the table: each race 100 times on both databases before two server
processes, beside a twin with the guard taken off, which must fail.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from backend import clock, create_app
from backend.config import Settings
from backend.extensions import db
from backend.models import Lot, User, UtcDateTime, Vehicle
from backend.models.guards import install_guards
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from tests import servers
from tests.desk import GOOD
from tests.factories import Factory, where_it_is_morning
from tests.races.crowd import Answer, rush, send, tally

GUARDED = "backend:create_app"
_CROWD = 8
_QUARTER = timedelta(minutes=15)
_CHANCE = random.Random(1)


@dataclass(slots=True)
class Person:
    """Somebody who takes part, with a vehicle."""

    headers: Mapping[str, str]
    vehicle: Vehicle


@dataclass(slots=True)
class World:
    """An installation on one database, and who lives there."""

    app: Flask
    url: str
    make: Factory = field(init=False)
    admin: Mapping[str, str] = field(init=False)
    crowd: list[Person] = field(init=False)
    turn: int = 0

    def __post_init__(self) -> None:
        self.make = Factory(self.app)
        self.admin = self.make.headers(self._user("admin"))
        self.crowd = [self._person() for _ in range(_CROWD)]

    def _user(self, role: str) -> User:
        # Another world may have lived on this database before.
        name = secrets.token_hex(8)
        return self.make.user(email=f"{name}@example.org", fs_uniquifier=name, roles=(role,))

    def _person(self) -> Person:
        user = self._user("driver")
        plate = f"P{secrets.token_hex(4).upper()}"
        return Person(self.make.headers(user), self.make.vehicle(user, plate=plate))

    def lot(self, **values: Any) -> Lot:
        """Make a lot in which no stay of a round passes midnight."""
        return self.make.lot(timezone=where_it_is_morning(), **values)

    def people(self, count: int) -> list[Person]:
        """Give so many of the crowd, in turn: who has a booking of a round before is free by then."""
        chosen = [self.crowd[(self.turn + step) % len(self.crowd)] for step in range(count)]
        self.turn += count
        return chosen

    def ask(self, person: Mapping[str, str], method: str, path: str, body: Any = None) -> Answer:
        return send(self.url, method, path, headers=person, body=body)

    def hold(self, person: Person, lot: Lot, *, first: int = 0, last: int = 4, **wish: Any) -> Any:
        """Hold a bay of a lot for some quarters of an hour from soon on."""
        answer = self.ask(
            person.headers, "POST", "/reservations", self.wish(person, lot, first, last) | wish
        )
        assert answer.status == 201, answer.body
        return answer.body

    def wish(self, person: Person, lot: Lot, first: int = 0, last: int = 4) -> dict[str, Any]:
        now = clock.now()
        quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) + _QUARTER
        return {
            "lot_id": lot.id,
            "vehicle_id": person.vehicle.id,
            "starts_at": (quarter + first * _QUARTER).isoformat(),
            "ends_at": (quarter + last * _QUARTER).isoformat(),
        }

    def pay(self, person: Person, reservation_id: int) -> Answer:
        path = f"/reservations/{reservation_id}/payments"
        return self.ask(person.headers, "POST", path, {"method": "sandbox", "card_number": GOOD})

    def buy(self, person: Person, lot: Lot, **wish: Any) -> Any:
        """Hold a bay and pay for it; give the booking and the payment."""
        held = self.hold(person, lot, **wish)
        paid = self.pay(person, held["id"])
        assert paid.body["status"] == "succeeded", paid.body
        return held, paid.body

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.app.app_context(), transaction(read_only=True):
            return list(db.session.execute(text(sql), values))

    def set_deadline(self, reservation_id: int, moment: datetime) -> None:
        for sql in (
            "UPDATE reservations SET hold_expires_at = :at WHERE id = :id",
            "UPDATE spot_claims SET expires_at = :at WHERE reservation_id = :id",
        ):
            statement = text(sql).bindparams(db.bindparam("at", type_=UtcDateTime()))
            with self.app.app_context(), transaction():
                db.session.execute(statement, {"at": moment, "id": reservation_id})

    def end_all(self, lot: Lot) -> None:
        """Let the round's people go free, behind the application's back."""
        with self.app.app_context(), transaction():
            for sql in (
                "UPDATE spot_claims SET live = false WHERE lot_id = :lot_id AND live",
                "UPDATE reservations SET status = 'cancelled', live = false WHERE lot_id = :lot_id AND live",
                "UPDATE waitlist_entries SET status = 'left' WHERE lot_id = :lot_id AND status = 'waiting'",
            ):
                db.session.execute(text(sql), {"lot_id": lot.id})

    def disagreement(self, lot: Lot) -> str:
        """Say what about a lot's bookings, claims and money cannot all be true."""
        rows = self.rows(_DISAGREEMENTS, lot_id=lot.id)
        overlaps = self.rows(_OVERLAPS, lot_id=lot.id)
        told = [
            f"{row.id} is {row.status}, claimed {row.claimed}, net {row.net}, booked {row.booked}"
            for row in rows
        ]
        return "; ".join([*told, *(f"bay {row.spot_id} twice" for row in overlaps)])


# A paid booking has its bay and its money, a cancelled one neither; and the ledger says the same.
_DISAGREEMENTS = """
    SELECT * FROM (
        SELECT r.id, r.status, r.live, r.price_minor, c.live AS claimed,
            coalesce((
                SELECT sum(p.amount_minor) FROM payments AS p WHERE p.reservation_id = r.id
                  AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
            ), 0) AS paid,
            coalesce((
                SELECT sum(p.amount_minor) FROM payments AS p WHERE p.reservation_id = r.id
                  AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
            ), 0) - coalesce((
                SELECT sum(f.amount_minor) FROM refunds AS f WHERE f.reservation_id = r.id
            ), 0) AS net,
            coalesce((
                SELECT -sum(e.amount_minor) FROM ledger_entries AS e
                JOIN ledger_transactions AS t ON t.id = e.transaction_id
                WHERE t.reservation_id = r.id AND e.account = 'reservations'
            ), 0) AS booked
        FROM reservations AS r JOIN spot_claims AS c ON c.reservation_id = r.id
        WHERE r.lot_id = :lot_id
    ) AS told
    WHERE live <> claimed OR net <> booked OR net < 0
       OR (status IN ('held', 'expired', 'cancelled') AND net <> 0)
       OR (status IN ('confirmed', 'checked_in') AND paid NOT IN (price_minor, 200))
"""
_OVERLAPS = """
    SELECT a.spot_id FROM spot_claims AS a JOIN spot_claims AS b
      ON b.spot_id = a.spot_id AND b.id > a.id AND a.live AND b.live
     AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at
    WHERE a.lot_id = :lot_id
"""

Calls = Sequence[Callable[[], Answer]]
Judge = Callable[[Sequence[Answer]], str]


def pay_or_expire(world: World) -> tuple[Lot, Calls, Judge]:
    """The driver pays as the deadline passes, and somebody else wants the bay."""
    lot = world.lot(spots=1)
    one, other = world.people(2)
    held = world.hold(one, lot)
    world.set_deadline(held["id"], clock.now() + timedelta(milliseconds=60))

    book = partial(world.ask, other.headers, "POST", "/reservations", world.wish(other, lot))
    pay = partial(world.pay, one, held["id"])
    return lot, [_after(_CHANCE.uniform(0, 0.06), pay), _after(0.065, book)], _no_judge


def pay_or_cancel(world: World) -> tuple[Lot, Calls, Judge]:
    """The driver pays on one phone and cancels on another."""
    lot = world.lot(spots=1)
    (one,) = world.people(1)
    held = world.hold(one, lot, first=20, last=24)
    cancel = partial(world.ask, one.headers, "POST", f"/reservations/{held['id']}/cancel", {})
    return lot, [partial(world.pay, one, held["id"]), cancel], _no_judge


def cancel_or_check_in(world: World) -> tuple[Lot, Calls, Judge]:
    """The driver cancels while the gate opens."""
    # Whatever is cancelled here goes back in full.
    lot = world.lot(spots=1, refund_policy="flexible")
    (one,) = world.people(1)
    held, _ = world.buy(one, lot)
    path = f"/reservations/{held['id']}"
    cancel = partial(world.ask, one.headers, "POST", f"{path}/cancel", {})
    enter = partial(world.ask, world.admin, "POST", f"{path}/check-in")
    return lot, [cancel, enter], _one_wins


def refund_twice(world: World) -> tuple[Lot, Calls, Judge]:
    """Two admins give the whole payment back."""
    lot = world.lot(spots=1)
    (one,) = world.people(1)
    _, payment = world.buy(one, lot)
    body = {"amount_minor": payment["amount_minor"], "reason": "As a courtesy."}
    refund = partial(world.ask, world.admin, "POST", f"/payments/{payment['id']}/refunds", body)
    return lot, [refund, refund], _one_wins


def extend_or_book_after(world: World) -> tuple[Lot, Calls, Judge]:
    """One stays longer, another books the bay for the time after."""
    lot = world.lot(spots=1)
    one, other = world.people(2)
    held, _ = world.buy(one, lot)
    (spot,) = world.make.spots(lot)
    longer = {"ends_at": world.wish(one, lot, 0, 8)["ends_at"]}
    extend = partial(world.ask, one.headers, "POST", f"/reservations/{held['id']}/extend", longer)
    wish = world.wish(other, lot, 4, 8) | {"spot_id": spot.id}
    return (
        lot,
        [extend, partial(world.ask, other.headers, "POST", "/reservations", wish)],
        _one_wins,
    )


def check_out_twice(world: World) -> tuple[Lot, Calls, Judge]:
    """Two attendants let the same car out."""
    lot = world.lot(spots=1)
    (one,) = world.people(1)
    held, _ = world.buy(one, lot)
    path = f"/reservations/{held['id']}"
    entered = world.ask(world.admin, "POST", f"{path}/check-in")
    assert entered.status == 200, entered.body
    leave = partial(world.ask, world.admin, "POST", f"{path}/check-out", {})
    return lot, [leave, leave], _one_wins


def close_or_book(world: World) -> tuple[Lot, Calls, Judge]:
    """The bay is closed while somebody books it."""
    lot = world.lot(spots=1)
    (one,) = world.people(1)
    (spot,) = world.make.spots(lot)
    path, wish = f"/lots/{lot.id}/closings", world.wish(one, lot)
    body = {name: wish[name] for name in ("starts_at", "ends_at")} | {
        "spot_ids": [spot.id],
        "reason": "Works.",
    }
    shown = world.ask(world.admin, "POST", path, body | {"dry_run": True})
    close = body | {"dry_run": False, "digest": shown.body["digest"]}
    return (
        lot,
        [
            partial(world.ask, world.admin, "POST", path, close),
            _after(
                _CHANCE.uniform(0, 0.06),
                partial(
                    world.ask, one.headers, "POST", "/reservations", wish | {"spot_id": spot.id}
                ),
            ),
        ],
        _one_wins,
    )


def claim_from_the_queue(world: World) -> tuple[Lot, Calls, Judge]:
    """Two wait for a bay that is let go, and a third wants it at the same moment."""
    lot = world.lot(spots=1)
    one, first, second, third = world.people(4)
    held, _ = world.buy(one, lot, first=20, last=24)
    for person in (first, second):
        waiting = world.ask(person.headers, "POST", "/waitlist", world.wish(person, lot, 20, 24))
        assert waiting.status == 201, waiting.body
    (spot,) = world.make.spots(lot)
    wish = world.wish(third, lot, 20, 24) | {"spot_id": spot.id}

    def judge(answers: Sequence[Answer]) -> str:
        live = world.rows(
            "SELECT count(*) AS n FROM reservations WHERE lot_id = :lot_id AND live", lot_id=lot.id
        )[0].n
        return (
            ""
            if live == 1 and answers[0].status == 200
            else f"{live} have it: {dict(tally(answers))}"
        )

    cancel = partial(world.ask, one.headers, "POST", f"/reservations/{held['id']}/cancel", {})
    book = partial(world.ask, third.headers, "POST", "/reservations", wish)
    return lot, [cancel, _after(_CHANCE.uniform(0, 0.06), book)], judge


def _after(seconds: float, call: Callable[[], Answer]) -> Callable[[], Answer]:
    """Make a call a moment later, so that now the one and now the other comes first."""

    def wait_and_call() -> Answer:
        time.sleep(seconds)
        return call()

    return wait_and_call


def _no_judge(_answers: Sequence[Answer]) -> str:
    """Either may win, and one after the other too: the rows tell whether both did."""
    return ""


def _one_wins(answers: Sequence[Answer]) -> str:
    won = sum(answer.status < 300 for answer in answers)
    refused = sum(answer.status in {404, 409} for answer in answers)
    return "" if (won, refused) == (1, len(answers) - 1) else f"{dict(tally(answers))}"


@dataclass(frozen=True, slots=True)
class Race:
    """Two acts at once, and the application in which their guard is off."""

    name: str
    prepare: Callable[[World], tuple[Lot, Calls, Judge]]
    twin: str
    unguarded: bool = False
    """Whether the twin's database has no guards either."""


RACES = (
    Race("pay ‖ expire", pay_or_expire, "create_believing_app"),
    Race("pay ‖ cancel", pay_or_cancel, "create_believing_app"),
    Race("cancel ‖ check-in", cancel_or_check_in, "create_presuming_app"),
    Race("refund ‖ refund", refund_twice, "create_generous_app"),
    Race("extend ‖ book the bay after", extend_or_book_after, "create_blind_app", unguarded=True),
    Race("two check-outs", check_out_twice, "create_presuming_app"),
    Race("close bay ‖ book", close_or_book, "create_blind_app", unguarded=True),
    Race("two waitlist claims", claim_from_the_queue, "create_blind_app", unguarded=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rounds of one race."""

    rounds: int
    wrong: list[str]
    told: Mapping[str, int]


def run(race: Race, world: World, rounds: int, *, until_wrong: bool = False) -> Outcome:
    """Run a race so many times, or until something goes wrong; say what did."""
    wrong: list[str] = []
    answers: list[Answer] = []
    done = 0
    while done < rounds and not (until_wrong and wrong):
        done += 1
        lot, calls, judge = race.prepare(world)
        given = rush(calls)
        answers += given
        found = [f"{answer.status}" for answer in given if answer.status >= 500]
        found += filter(None, (judge(given), world.disagreement(lot)))
        if found:
            wrong.append("; ".join(found))
        world.end_all(lot)
    return Outcome(done, wrong, tally(answers))


@contextmanager
def installation(database_url: str, valkey_url: str, folder: Path, factory: str) -> Iterator[World]:
    """Serve an installation by two processes that ``factory`` makes."""
    settings = Settings.load(
        database_url=database_url,
        redis_url=valkey_url,
        instance_path=str(folder / "instance"),
        bcrypt_rounds=4,
        currency="EUR",
        timezone="Europe/Berlin",
        demo=False,
    )
    app = create_app(settings, front_end=folder / "no-front-end")
    servers.migrate(app)
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "INSTANCE_PATH": settings.instance_path,
        "PUBLIC_URL": settings.public_url,
        "CURRENCY": settings.currency,
        "TIMEZONE": settings.timezone,
        "BCRYPT_ROUNDS": "4",
        "DEMO": "off",
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "WARNING",
    }
    try:
        with servers.serve("granian", environment, folder / "web.log", factory=factory) as server:
            yield World(app, server.url)
    finally:
        with app.app_context():
            db.engine.dispose()


@contextmanager
def guards_off(app: Flask) -> Iterator[None]:
    """Take the guards of bays and plates off a database."""
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("ALTER TABLE spot_claims DROP CONSTRAINT ex_spot_claims_overlap")
            )
            connection.execute(
                text("ALTER TABLE reservations DROP CONSTRAINT ex_reservations_plate_overlap")
            )
        else:
            for (trigger,) in connection.execute(text(_TRIGGERS)).all():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
    yield
    with app.app_context(), db.engine.begin() as connection:
        for table in ("spot_claims", "reservations"):
            connection.execute(text(f"UPDATE {table} SET {_NONE_LIVE[table]} WHERE live"))
        install_guards(connection)


_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ex_%'"
_NONE_LIVE = {"spot_claims": "live = false", "reservations": "live = false, status = 'cancelled'"}


def table(
    database_url: str, valkey_url: str, folder: Path, *, rounds: int, twin_rounds: int
) -> Iterator[tuple[Race, Outcome, Outcome]]:
    """Run every race and its twin on one database."""
    guarded: dict[Race, Outcome] = {}
    with installation(database_url, valkey_url, folder, GUARDED) as world:
        for race in RACES:
            guarded[race] = run(race, world, rounds)
        with world.app.app_context():
            broken = [
                str(each)
                for each in check_invariants()
                if not each.is_clean and each.promise in {"P1", "P7"}
            ]
        assert not broken, broken
    for twin in sorted({race.twin for race in RACES}):
        factory = f"tests.races.unguarded:{twin}"
        with installation(database_url, valkey_url, folder, factory) as world:
            for race in (each for each in RACES if each.twin == twin):
                if race.unguarded:
                    with guards_off(world.app):
                        outcome = run(race, world, twin_rounds, until_wrong=True)
                else:
                    outcome = run(race, world, twin_rounds, until_wrong=True)
                yield race, guarded[race], outcome


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--twin-rounds", type=int, default=100)
    asked = parser.parse_args()
    os.environ["ENV_FILE"] = os.devnull
    with tempfile.TemporaryDirectory(prefix="vehicle-vault-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        valkey = f"{servers.start_valkey(folder)}/0"
        try:
            postgresql = servers.new_postgresql_database(servers.start_postgresql(folder))
            for url in (f"sqlite:///{folder}/races.db", postgresql):
                sys.stdout.write(
                    f"\n{url.partition(':')[0]:<30} rounds  wrong   twin: rounds  wrong   answers\n"
                )
                for race, kept, twin in table(
                    url, valkey, folder, rounds=asked.rounds, twin_rounds=asked.twin_rounds
                ):
                    told = ", ".join(
                        f"{answer} ×{count}" for answer, count in sorted(kept.told.items())
                    )
                    sys.stdout.write(
                        f"{race.name:<30} {kept.rounds:>6} {len(kept.wrong):>6} {twin.rounds:>14} {len(twin.wrong):>6}   {told}\n"
                    )
                    for each in kept.wrong[:3]:
                        sys.stdout.write(f"    {each}\n")
                    sys.stdout.flush()
        finally:
            servers.stop_all()


if __name__ == "__main__":
    main()
