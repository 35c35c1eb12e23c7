"""``make bench``: measure, print the table, and write it to ``bench/results/``.

Both sides of each ratio are measured in turns in the same run, so that a busy machine slows both.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import scenes
from bench.app import FOLDER
from tests import servers

_RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    goal: str
    met: bool


def _ratio(what: str, goal: float, measure: Callable[[], tuple[float, float]]) -> Row:
    """Take the median of three rounds, each measuring both sides."""
    rounds = [measure() for _ in range(3)]
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    return Row(
        what, f"{ratio:.2f}  ({ours:,.0f} ÷ {theirs:,.0f} /s)", f"≥ {goal:.2f}", ratio >= goal
    )


def _measure(folder: Path) -> list[Row]:
    database = servers.new_postgresql_database(servers.start_postgresql(folder))
    environment = {
        "DATABASE_URL": database,
        "REDIS_URL": f"{servers.start_valkey(folder)}/0",
        "INSTANCE_PATH": str(folder / "instance"),
        "ENV_FILE": str(folder / "none.env"),
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


def main() -> int:
    """Run all of it; 1 when a goal is missed."""
    began = datetime.now(UTC)
    folder = Path(tempfile.mkdtemp(prefix="vehicle-vault-bench-"))
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    before = os.getloadavg()[0]
    try:
        rows = _measure(folder)
    finally:
        servers.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    machine = f"{os.cpu_count()} cores, load {before:.1f} before, Python {sys.version.split()[0]}"
    width = max(len(row.what) for row in rows)
    table = [f"{'':4}{'what':{width}}  measured  (goal)"]
    table += [
        f"{'ok' if row.met else 'MISS':4}{row.what:{width}}  {row.measured}  ({row.goal})"
        for row in rows
    ]
    print("\n".join([*table, f"    PostgreSQL, granian 2 × 4; {machine}"]))
    _write(rows, machine, began)
    return 0 if all(row.met for row in rows) else 1


def _write(rows: list[Row], machine: str, began: datetime) -> None:
    _RESULTS.mkdir(exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    found = {
        "at": began.isoformat(),
        "took_seconds": (datetime.now(UTC) - began) // timedelta(seconds=1),
        "commit": commit,
        "machine": machine,
        "rows": [
            {"what": row.what, "measured": row.measured, "goal": row.goal, "met": row.met}
            for row in rows
        ],
    }
    (_RESULTS / f"{began:%Y%m%dT%H%M%S}.json").write_text(
        json.dumps(found, indent=2, ensure_ascii=False)
    )


if __name__ == "__main__":
    sys.exit(main())
