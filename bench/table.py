"""What a bench finds: rows with their goals, printed and kept."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    goal: str
    met: bool


def show(rows: Sequence[Row], machine: str) -> None:
    """Print the table."""
    width = max(len(row.what) for row in rows)
    table = [f"{'':4}{'what':{width}}  measured  (goal)"]
    table += [
        f"{'ok' if row.met else 'MISS':4}{row.what:{width}}  {row.measured}  ({row.goal})"
        for row in rows
    ]
    print("\n".join([*table, f"    {machine}"]))


def keep(rows: Sequence[Row], machine: str, began: datetime) -> None:
    """Write the table to ``bench/results/``."""
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
        "rows": [asdict(row) for row in rows],
    }
    (_RESULTS / f"{began:%Y%m%dT%H%M%S}.json").write_text(
        json.dumps(found, indent=2, ensure_ascii=False)
    )
