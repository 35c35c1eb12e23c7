"""A random history of bookings through the API, and what its books say afterwards.

``python -m tests.life.history --bookings 10000`` prints the figures, on SQLite and on PostgreSQL.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from backend import clock, create_app
from backend.config import Settings
from backend.extensions import db
from backend.models import LotStaff, Quote
from backend.system.invariants import check_invariants
from backend.tariffs.versions import replay
from backend.transaction import transaction
from tests import servers
from tests.desk import CHALLENGED, DECLINED, GOOD
from tests.factories import Factory
from tests.life.minute import pass_a_minute

V1 = "/api/v1"
START = datetime(2027, 3, 1, 7, 7, tzinfo=UTC)
LOTS, BAYS, DRIVERS = 4, 12, 40
QUARTER = timedelta(minutes=15)


@dataclass(slots=True)
class Findings:
    """What a history came to, and what in its books is wrong."""

    acts: Counter[str] = field(default_factory=Counter)
    bookings: int = 0
    receipts: int = 0
    credit_notes: int = 0
    gaps: int = 0
    balances: int = 0
    wrong_balances: int = 0
    quotes: int = 0
    wrong_replays: int = 0
    broken: list[str] = field(default_factory=list)


class History:
    """Forty drivers and four lots; each step is one act of somebody, drawn by chance."""

    def __init__(self, app: Flask, *, seed: int = 1) -> None:
        self.app, self.client, self.chance = app, app.test_client(), random.Random(seed)
        self.found = Findings()
        self.make = Factory(app)
        clock.move(START - datetime.now(UTC))
        self.lots = [
            self.make.lot(spots=BAYS, hourly_minor=150 + 50 * number, day_cap_minor=1500)
            for number in range(LOTS)
        ]
        self.drivers = [self.make.user() for _ in range(DRIVERS)]
        self.vehicles = [self.make.vehicle(driver) for driver in self.drivers]
        self.admin = self.make.user(roles=("admin",))
        self.attendant = self.make.user(roles=("attendant",))
        with app.app_context(), transaction():
            db.session.add_all(
                LotStaff(lot_id=lot.id, user_id=self.attendant.id) for lot in self.lots
            )
        self.live: list[tuple[int, int]] = []
        self.sign_in()

    def sign_in(self) -> None:
        self.headers = [self.make.headers(driver) for driver in self.drivers]
        self.as_admin = self.make.headers(self.admin)
        self.as_attendant = self.make.headers(self.attendant)

    def run(self, bookings: int) -> Findings:
        """Go on until so many bookings were made, and look at the books."""
        while self.found.bookings < bookings:
            for _ in range(self.chance.randint(20, 80)):
                self.step()
            self.let_time_pass(timedelta(minutes=self.chance.choice((2, 4, 7, 11, 17, 33, 90))))
        self.let_time_pass(timedelta(days=40))
        self.look_at_the_books()
        return self.found

    def step(self) -> None:
        act = self.chance.choices(
            ("book", "pay", "cancel", "extend", "reschedule", "enter", "leave", "refund"),
            (10, 9, 2, 2, 1, 6, 6, 1),
        )[0]
        if act == "book":
            self.book()
        elif self.live:
            # Mostly what was made of late: what is older is over.
            reservation_id, driver = self.chance.choice(self.live[-30:])
            getattr(self, act)(reservation_id, driver)

    def send(self, act: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        answer = self.client.post(f"{V1}{path}", json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        self.found.acts[f"{act} {answer.status_code}"] += 1
        return answer.json if answer.status_code < 400 else None

    def window(self) -> dict[str, str]:
        now = clock.now()
        quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        starts_at = quarter + self.chance.choice((1, 1, 2, 4, 8, 40, 100)) * QUARTER
        length = self.chance.choice((1, 2, 4, 6, 8, 20, 120)) * QUARTER
        return {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + length).isoformat()}

    def book(self) -> None:
        driver = self.chance.randrange(DRIVERS)
        body = {
            "lot_id": self.chance.choice(self.lots).id,
            "vehicle_id": self.vehicles[driver].id,
            **self.window(),
        }
        held = self.send("book", "/reservations", body, self.headers[driver])
        if held:
            self.found.bookings += 1
            self.live.append((held["id"], driver))

    def pay(self, reservation_id: int, driver: int) -> None:
        path = f"/reservations/{reservation_id}/payments"
        if self.chance.random() < 0.1:
            self.send("cash", path, {"method": "cash"}, self.as_attendant)
            return
        card = self.chance.choices((GOOD, DECLINED, CHALLENGED), (8, 1, 1))[0]
        body = {"method": "sandbox", "card_number": card}
        paid = self.send("pay", path, body, self.headers[driver])
        if paid and paid["status"] == "requires_action":
            path = f"/payments/{paid['id']}/confirm"
            self.send("confirm", path, {"code": "123456"}, self.headers[driver])

    def cancel(self, reservation_id: int, driver: int) -> None:
        self.send("cancel", f"/reservations/{reservation_id}/cancel", {}, self.headers[driver])

    def extend(self, reservation_id: int, driver: int) -> None:
        told = self.client.get(
            f"{V1}/reservations/{reservation_id}", headers=self.headers[driver]
        ).json
        ends_at = datetime.fromisoformat(told["ends_at"]) + self.chance.randint(1, 8) * QUARTER
        path = f"/reservations/{reservation_id}/extend"
        self.send("extend", path, {"ends_at": ends_at.isoformat()}, self.headers[driver])

    def reschedule(self, reservation_id: int, driver: int) -> None:
        path = f"/reservations/{reservation_id}/reschedule"
        self.send("reschedule", path, self.window(), self.headers[driver])

    def enter(self, reservation_id: int, _driver: int) -> None:
        path = f"/reservations/{reservation_id}/check-in"
        self.send("enter", path, None, self.as_attendant)

    def leave(self, reservation_id: int, _driver: int) -> None:
        body = {"let_out_reason": "Trust."} if self.chance.random() < 0.1 else {}
        path = f"/reservations/{reservation_id}/check-out"
        self.send("leave", path, body, self.as_attendant)

    def refund(self, reservation_id: int, driver: int) -> None:
        payments = self.client.get(
            f"{V1}/payments?reservation_id={reservation_id}", headers=self.headers[driver]
        ).json["items"]
        if payments:
            body = {"amount_minor": self.chance.randint(1, 600), "reason": "Goodwill."}
            self.send("refund", f"/payments/{payments[0]['id']}/refunds", body, self.as_admin)

    def let_time_pass(self, span: timedelta) -> None:
        clock.move(clock.now() + span - datetime.now(UTC))
        pass_a_minute(self.app)
        self.sign_in()

    def look_at_the_books(self) -> None:
        found = self.found
        with self.app.app_context(), transaction(read_only=True):
            for table in ("receipts", "credit_notes"):
                numbers = db.session.execute(
                    text(
                        f"SELECT series, year, count(*), min(number), max(number) FROM {table} GROUP BY series, year"
                    )
                ).all()
                setattr(found, table, sum(row[2] for row in numbers))
                found.gaps += sum((row[2], 1) != (row[4], row[3]) for row in numbers)
            rows = db.session.execute(text(_BALANCES)).all()
            found.balances = len(rows)
            found.wrong_balances = sum(row.booked != row.counted for row in rows)
            for quote in db.session.scalars(select(Quote)).all():
                price = replay(quote)
                found.quotes += 1
                found.wrong_replays += [
                    line.to_dict() for line in price.lines
                ] != quote.lines or price.total_minor != quote.total_minor
        with self.app.app_context():
            found.broken = [str(each) for each in check_invariants() if not each.is_clean]


# What the ledger says of each reservation, beside what its payments and refunds come to.
_BALANCES = """
    SELECT r.id,
        coalesce((
            SELECT -sum(e.amount_minor) FROM ledger_entries AS e
            JOIN ledger_transactions AS t ON t.id = e.transaction_id
            WHERE t.reservation_id = r.id AND e.account = 'reservations'
        ), 0) AS booked,
        coalesce((
            SELECT sum(p.amount_minor) FROM payments AS p WHERE p.reservation_id = r.id
              AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
        ), 0) - coalesce((
            SELECT sum(f.amount_minor) FROM refunds AS f WHERE f.reservation_id = r.id
        ), 0) AS counted
    FROM reservations AS r
"""


def main() -> None:
    """Live through a history on each database, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vehicle-vault-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        valkey = servers.start_valkey(folder)
        try:
            postgresql = servers.new_postgresql_database(servers.start_postgresql(folder))
            for url in (f"sqlite:///{folder}/history.db", postgresql):
                began = time.monotonic()
                app = _application(url, f"{valkey}/0", folder)
                found = History(app, seed=asked.seed).run(asked.bookings)
                clock.move(timedelta())
                sys.stdout.write(_told(url, found, time.monotonic() - began))
        finally:
            servers.stop_all()


def _application(database_url: str, redis_url: str, folder: Path) -> Flask:
    settings = Settings.load(
        database_url=database_url,
        redis_url=redis_url,
        instance_path=str(folder / "instance"),
        bcrypt_rounds=4,
        currency="EUR",
        timezone="Europe/Berlin",
        demo=False,
        rate_limits=False,
    )
    app = create_app(settings, front_end=folder / "no-front-end")
    servers.migrate(app)
    return app


def _told(url: str, found: Findings, seconds: float) -> str:
    acts = ", ".join(f"{act} {count}" for act, count in sorted(found.acts.items()))
    return (
        f"{url.partition(':')[0]}: {found.bookings} bookings in {seconds:.0f} s\n"
        f"  {found.receipts} receipts, {found.credit_notes} credit notes, {found.gaps} gaps\n"
        f"  {found.balances} balances, {found.wrong_balances} wrong\n"
        f"  {found.quotes} prices, {found.wrong_replays} replay otherwise\n"
        f"  broken promises: {found.broken or 'none'}\n  {acts}\n"
    )


if __name__ == "__main__":
    main()
