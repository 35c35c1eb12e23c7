"""``make bench``: measure, print the table, and write it to ``bench/results/``.

``python -m bench enumeration`` measures one part of it. Both sides of what is compared are measured in turns
in the same run, so that a busy machine slows both.
"""

import itertools
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import enumeration, exports, fragmentation, reports, scenes
from bench.app import FOLDER
from bench.table import Row, keep, show
from tests import servers


def _ratio(what: str, goal: float, measure: Callable[[], tuple[float, float]]) -> Row:
    """Take the median of three rounds, each measuring both sides."""
    rounds = [measure() for _ in range(3)]
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    return Row(
        what, f"{ratio:.2f}  ({ours:,.0f} ÷ {theirs:,.0f} /s)", f"≥ {goal:.2f}", ratio >= goal
    )


def _ratios(folder: Path) -> list[Row]:
    database = servers.new_postgresql_database(servers.start_postgresql(folder))
    environment = {
        "DATABASE_URL": database,
        "REDIS_URL": f"{servers.start_valkey(folder)}/0",
        "INSTANCE_PATH": str(folder / "instance"),
        "CURRENCY": "EUR",
        "TIMEZONE": "Europe/Berlin",
        "DEMO": "off",
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "WARNING",
        # Tokens name their issuer, and the port is not known yet.
        "PUBLIC_URL": "http://127.0.0.1",
        FOLDER: str(folder),
    }
    os.environ.update(environment)
    scene = scenes.build(folder)
    with servers.serve(
        "granian", environment, folder / "web.log", factory="bench.app:create_app"
    ) as web:
        scene.port = int(web.url.rpartition(":")[2])
        scene.keep_bare_answers()
        rows = [
            _ratio("lots list, cached ÷ bare route", 0.90, scene.cached_list),
            _ratio("lots list, fresh after a booking ÷ bare route", 0.25, scene.fresh_list),
            _ratio("own reservations, page of 20 ÷ bare route", 0.35, scene.own_reservations),
            _ratio("book over HTTP ÷ the same rows by psycopg", 0.25, scene.bookings),
        ]
        placed, double, p99 = scene.last_ten_bays()
        rows.append(
            Row(
                "64 clients for the last 10 bays: placed; double; p99",
                f"{placed}; {double}; {p99:.0f} ms",
                "10; 0; ≤ 1000 ms",
                placed == 10 and double == 0 and p99 <= 1000,
            )
        )
    return rows


def _enumeration(folder: Path) -> list[Row]:
    server = servers.start_postgresql(folder)
    return enumeration.measure(
        folder, "PostgreSQL", lambda: servers.new_postgresql_database(server)
    )


def _enumeration_sqlite(folder: Path) -> list[Row]:
    numbers = itertools.count()
    return enumeration.measure(folder, "SQLite", lambda: f"sqlite:///{folder}/{next(numbers)}.db")


def _fragmentation(_folder: Path) -> list[Row]:
    return fragmentation.measure()


def _exports(folder: Path) -> list[Row]:
    database = servers.new_postgresql_database(servers.start_postgresql(folder))
    return exports.measure(folder, "PostgreSQL", database)


def _exports_sqlite(folder: Path) -> list[Row]:
    return exports.measure(folder, "SQLite", f"sqlite:///{folder}/bookings.db")


def _reports(_folder: Path) -> list[Row]:
    return reports.measure()


_PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "ratios": _ratios,
    "enumeration": _enumeration,
    "enumeration-sqlite": _enumeration_sqlite,
    "fragmentation": _fragmentation,
    "reports": _reports,
    "exports": _exports,
    "exports-sqlite": _exports_sqlite,
}
# The enumeration on SQLite takes six minutes more, and what it shows is no matter of the database.
_BY_DEFAULT = ["ratios", "enumeration", "reports", "exports"]


def main() -> int:
    """Run what is asked for; 1 when a goal is missed, 2 when there is no such part."""
    parts = sys.argv[1:] or _BY_DEFAULT
    if not set(parts) <= set(_PARTS):
        print(f"The parts are {', '.join(_PARTS)}.")
        return 2
    began = datetime.now(UTC)
    folder = Path(tempfile.mkdtemp(prefix="vehicle-vault-bench-"))
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    os.environ["ENV_FILE"] = str(folder / "none.env")
    before = os.getloadavg()[0]
    rows: list[Row] = []
    try:
        for part in parts:
            place = folder / part
            place.mkdir()
            rows += _PARTS[part](place)
            servers.stop_all()
    finally:
        servers.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    machine = (
        f"PostgreSQL unless told, granian 2 × 4; {os.cpu_count()} cores, load {before:.1f} before,"
        f" Python {sys.version.split()[0]}"
    )
    show(rows, machine)
    keep(rows, machine, began)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
