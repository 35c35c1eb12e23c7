"""How much memory, and how long, an export of a million bookings takes, as XLSX and as CSV.

Each is made by a process of its own, as a worker makes it: from the asking to the last piece kept. Its peak is
what the kernel saw; idle is what it held before it began.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from flask import Flask
from sqlalchemy import Connection, Table, func, select, text

from backend import create_app
from backend.config import Settings
from backend.exports.service import request_export
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.service import run_job
from backend.models import Job, JobFile, Payment, Reservation, SpotClaim, User
from backend.transaction import transaction
from bench.table import Row
from tests import servers
from tests.desk import Desk
from tests.factories import Factory

ROWS = 1_000_000
_MOST_MEGABYTES = 40
_SECONDS = 3600
_NUMBERS = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
"""


def measure(folder: Path, name: str, database: str) -> list[Row]:
    """Export all bookings of a database that is filled for it, in each format."""
    environment = {
        "DATABASE_URL": database,
        "INSTANCE_PATH": str(folder / "instance"),
        "CURRENCY": "EUR",
        "TIMEZONE": "Europe/Berlin",
        "DEMO": "off",
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "WARNING",
        "PUBLIC_URL": "http://127.0.0.1",
    }
    os.environ.update(environment)
    app = create_app(Settings.load())
    servers.migrate(app)
    _fill(app)
    with app.app_context():
        db.engine.dispose()
    return [_export(name, file_format) for file_format in ("xlsx", "csv")]


def _export(name: str, file_format: str) -> Row:
    made = subprocess.run(
        [sys.executable, "-m", "bench.exports", file_format],
        capture_output=True,
        text=True,
        check=True,
        timeout=_SECONDS,
    )
    idle, peak, seconds, size = map(float, made.stdout.split())
    over = (peak - idle) / 1e6
    return Row(
        f"export of {ROWS:,} bookings as {file_format.upper()}, {name}: peak over idle",
        f"{over:.1f} MB  ({idle / 1e6:.0f} → {peak / 1e6:.0f} MB; {seconds:.0f} s, {size / 1e6:.0f} MB)",
        f"≤ {_MOST_MEGABYTES} MB",
        over <= _MOST_MEGABYTES,
    )


def _fill(app: Flask) -> None:
    """Let one paid booking stand a million times, each at its own time, under its own code, with its payment."""
    make = Factory(app)
    make.user(roles=("admin",))
    driver = make.user()
    desk = Desk(app.test_client(), driver, make.headers(driver), make.vehicle(driver))
    desk.buy(make.lot(name="Altmarkt"))
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # What the rows refer to is there; to look it up a million times would take longer than the rest.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        copied = {"live": "false", "reservation_id": "reservation_id + n"}
        _multiply(
            connection,
            Reservation.__table__,
            {"live": "false", "status": "'completed'", "code": "'VV-' || n"},
        )
        _multiply(connection, SpotClaim.__table__, copied)
        _multiply(
            connection,
            Payment.__table__,
            {"reservation_id": "reservation_id + n", "gateway_ref": "'bench-' || n"},
        )


def _multiply(connection: Connection, table: object, changed: dict[str, str]) -> None:
    """Write so many rows more, like the first one of a table but for its id and what is ``changed``."""
    assert isinstance(table, Table)
    values = {"id": "id + n", **changed}
    names = [column.name for column in table.columns]
    columns = ", ".join(values.get(name, name) for name in names)
    first = f"id = (SELECT min(id) FROM {table.name})"
    # Names and values are constants of this module and of the models.
    # nosemgrep: sql-put-together
    statement = text(
        f"INSERT INTO {table.name} ({', '.join(names)}) {_NUMBERS}"
        f" SELECT {columns} FROM {table.name}, numbers WHERE {first}"
    )
    connection.execute(statement, {"rows": ROWS - 1})


def _make(file_format: str) -> None:
    """Make one export in this process, and print its memory before, at its peak, the seconds, and the size."""
    app = create_app(Settings.load())
    process = psutil.Process()
    with app.app_context():
        with transaction():
            user = db.session.scalars(
                select(User).where(User.roles.any(name="admin")).limit(1)
            ).one()
            admin = Caller(user.id, 0, user.email, user.name, ("admin",), "UTC", "en")
            job = request_export(
                admin, kind="reservations", format=file_format, since=None, until=None, filters={}
            )
            job_id = job.id
        idle = process.memory_info().rss
        # From here on the kernel's high-water mark is of this alone.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        began = time.perf_counter()
        run_job(job_id)
        seconds = time.perf_counter() - began
        peak = _high_water_mark()
        with transaction(read_only=True):
            status = db.session.scalar(select(Job.status).where(Job.id == job_id))
            size = db.session.scalar(select(func.sum(JobFile.size)))
    if status != "done":
        sys.exit(f"The export is {status}.")
    print(idle, peak, seconds, size or 0)


def _high_water_mark() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("The kernel does not tell.")


if __name__ == "__main__":
    _make(sys.argv[1])
