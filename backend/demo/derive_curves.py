"""Derive how full the car parks of Dresden are, hour by hour of a week, from counts.

``python -m backend.demo.derive_curves LOTS.csv COUNTS.csv.gz`` writes the curves to standard
output; ``data/README.md`` states the rules.
"""

import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
SAMPLE_EVERY = timedelta(minutes=10)
# At night the counters are not read for up to seven hours; a count stands that long.
LONGEST_HOLD = timedelta(hours=8)
# A count that stays the same for longer is a counter that stopped.
LONGEST_UNCHANGED = timedelta(hours=12)
COMMON_PERCENTILE = 0.99

Reading = tuple[datetime, int]


def derive_curves(lots_path: Path, counts_path: Path) -> dict[str, list[list[float]]]:
    """Mean occupied share by place, weekday from Monday and local hour."""
    with lots_path.open(encoding="utf-8", newline="") as lots_file:
        capacities = {row["place_id"]: int(row["capacity"]) for row in csv.DictReader(lots_file)}
    readings: dict[str, list[Reading]] = defaultdict(list)
    with gzip.open(counts_path, "rt", encoding="utf-8", newline="") as counts_file:
        for row in csv.DictReader(counts_file):
            observed_at = datetime.fromisoformat(row["observed_at"]).astimezone(UTC)
            readings[row["place_id"]].append((observed_at, int(row["free"])))
    return {
        place: _weekly_curve(sorted(readings[place]), capacity)
        for place, capacity in capacities.items()
    }


def _weekly_curve(readings: list[Reading], capacity: int) -> list[list[float]]:
    counts = sorted(free for _, free in readings)
    common_most = counts[int(len(counts) * COMMON_PERCENTILE)]
    bays = max(capacity, common_most)
    shares: dict[tuple[int, int], list[float]] = defaultdict(list)
    for at, free in _sample(readings):
        if 0 <= free <= bays:
            local = at.astimezone(ZONE)
            shares[local.weekday(), local.hour].append(1 - free / bays)
    return [[_mean(shares[weekday, hour]) for hour in range(24)] for weekday in range(7)]


def _sample(readings: list[Reading]) -> Iterator[Reading]:
    """The count that stood at every tenth minute, without gaps and stopped counters."""
    stopped = _stopped_spans(readings)
    for (at, free), (next_at, _) in pairwise(readings):
        ends_at = min(next_at, at + LONGEST_HOLD)
        # Round up to the next sample.
        sample_at = at + (datetime.min.replace(tzinfo=UTC) - at) % SAMPLE_EVERY
        while sample_at < ends_at:
            if not any(start <= sample_at < end for start, end in stopped):
                yield sample_at, free
            sample_at += SAMPLE_EVERY


def _stopped_spans(readings: list[Reading]) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    since, standing = readings[0]
    # No count is -1, so the last stretch ends with the last reading.
    for at, free in [*readings, (readings[-1][0], -1)]:
        if free != standing:
            if at - since > LONGEST_UNCHANGED:
                spans.append((since, at))
            since, standing = at, free
    return spans


def _mean(shares: list[float]) -> float:
    return round(sum(shares) / len(shares), 2) if shares else 0.0


if __name__ == "__main__":
    json.dump(derive_curves(Path(sys.argv[1]), Path(sys.argv[2])), sys.stdout, indent=None)
    sys.stdout.write("\n")
