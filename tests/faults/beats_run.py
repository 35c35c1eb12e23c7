"""A run of two beats and two workers while the machine's clock jumps: ``python -m tests.faults.beats_run``.

Over the end of a month, back by a day, forward by forty, and over a month in which nothing ran: each driver
must have one report of each month, by one mail, made within fifteen minutes of when it was due or of when
somebody was there again. The clock of all these processes, Valkey's too, is libfaketime's (in Debian:
``faketime``).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from backend import clock, create_app
from backend.config import Settings
from backend.extensions import db
from backend.models import Lot, OutboxMail, Report, User
from backend.transaction import transaction
from tests import servers
from tests.desk import Desk, between
from tests.factories import Factory

ZONES = ("Europe/Berlin", "Asia/Kolkata")
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12", "2027-01")
MADE_UP_WITHIN = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)
# Beat sleeps up to five seconds of real time, so that a minute must take longer than that.
_SECONDS_PER_MINUTE = 6.0
_START_SECONDS = 12.0
# libfaketime refuses to sleep by a clock that it was told to leave alone.
_SLEEP = """\
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


@dataclass(slots=True)
class Clock:
    """The clock of all processes of the run, set through files."""

    file: Path
    """Of beats and workers, for whom minutes pass in seconds."""
    file_of_valkey: Path
    """Valkey only jumps with the others: with minutes of seconds no beat could hold its lock."""

    def jump(self, text: str) -> None:
        """Let it be that moment now, such as ``2026-11-01T05:00``; it goes on from there."""
        offset = _at(text) - datetime.now(UTC)
        clock.move(offset)
        for file in (self.file, self.file_of_valkey):
            _write_offset(file, offset)

    def pass_a_minute(self) -> None:
        """Wait for some seconds, and let it be a minute later then."""
        time.sleep(_SECONDS_PER_MINUTE)
        offset = clock.now() - datetime.now(UTC) + _MINUTE - timedelta(seconds=_SECONDS_PER_MINUTE)
        clock.move(offset)
        _write_offset(self.file, offset)


def _write_offset(file: Path, offset: timedelta) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(f"{offset.total_seconds():+.3f}\n")
    draft.replace(file)


@dataclass(slots=True)
class Processes:
    """Beats and workers; who ends is started again, as a supervisor does."""

    environment: dict[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    restarts: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start two of each."""
        for name in ("worker-1", "worker-2", "beat-1", "beat-2"):
            self._start(name)

    def look_after(self) -> None:
        """Start again whoever ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self.restarts[name] += 1
                self._start(name)

    def stop(self) -> None:
        """End all at once, as a power failure does."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait(10)
        self.running.clear()

    def _start(self, name: str) -> None:
        kind = name.partition("-")[0]
        options = {
            "worker": ("worker", "-Q", "celery,bulk", "-c", "2", "-n", f"{name}@here"),
            "beat": ("beat", "--pidfile=", "--schedule", str(self.folder / name)),
        }[kind]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-q", "-A", "celery_worker.celery", *options],
                cwd=servers.ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@dataclass(slots=True)
class Outcome:
    """What became of one jump."""

    about: str
    expected: int
    made: int
    mailed: int
    took: timedelta | None
    twice: list[str]

    @property
    def is_well(self) -> bool:
        """Whether each report is there once, and in time."""
        return (
            self.expected == self.made == self.mailed
            and not self.twice
            and self.took is not None
            and self.took <= MADE_UP_WITHIN
        )

    def line(self) -> str:
        """Tell it in a line."""
        took = "never" if self.took is None else f"{self.took.total_seconds() / 60:.0f} min"
        return (
            f"  {self.about:<48} expected {self.expected:>3}, made {self.made:>3}, mailed"
            f" {self.mailed:>3}, twice {len(self.twice)}, after {took}"
            f"  {'as promised' if self.is_well else 'BROKEN'}"
        )


class Run:
    """Drivers who parked in each month, and the clock that jumps over the ends of these."""

    def __init__(self, kind: str, url: str, folder: Path, library: str, drivers: int) -> None:
        self._clock = Clock(folder / "clock", folder / "clock-of-valkey")
        self._clock.jump("2026-08-20T08:00")
        os.environ |= {
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        (folder / "sitecustomize.py").write_text(_SLEEP)
        self._library = library
        self._folder = folder
        self._kind = kind
        self._url = url
        self._drivers = drivers
        self._late: list[User] = []
        # What was sent long ago is purged on the way, and SQLite gives its id to another then.
        self._mails: dict[tuple[int, datetime], str] = {}
        self._due: set[str] = set()

    def run(self) -> list[Outcome]:
        """Go through all jumps; give what became of each."""
        os.environ |= {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._clock.file_of_valkey),
        }
        with servers.own_valkey(self._folder) as valkey:
            del os.environ["LD_PRELOAD"]
            values = {
                "database_url": self._url,
                "redis_url": f"{valkey.url}/0",
                "celery_broker_url": f"{valkey.url}/1",
                "instance_path": str(self._folder / "instance"),
                "timezone": ZONES[0],
            }
            self._app = create_app(Settings.load(**values, demo=False))
            servers.migrate(self._app)
            environment = {name.upper(): value for name, value in values.items()}
            processes = Processes(
                {
                    **os.environ,
                    **environment,
                    "DEMO": "off",
                    "LD_PRELOAD": self._library,
                    "FAKETIME_TIMESTAMP_FILE": str(self._clock.file),
                    "PYTHONPATH": str(self._folder),
                },
                self._folder,
            )
            users = self._populate()
            try:
                return self._jump(processes, users)
            finally:
                processes.stop()
                restarts = ", ".join(f"{name} {n}" for name, n in processes.restarts.items())
                sys.stdout.write(f"  started again: {restarts or 'nobody'}\n")
                with self._app.app_context():
                    db.engine.dispose()

    def _jump(self, processes: Processes, users: Sequence[User]) -> list[Outcome]:
        outcomes = []
        kolkata = [user for user in users if user.timezone == "Asia/Kolkata"]
        berlin = [user for user in users if user.timezone == "Europe/Berlin"]
        self._clock.jump("2026-10-31T23:58")
        processes.start()
        time.sleep(_START_SECONDS)
        # September was made up when they came; October is not due before six in the morning there.
        self._expect(users, "2026-09")
        self._due.add("operator:2026-09")
        outcomes.append(self._watch("a month that was past when they came", processes))
        self._clock.jump("2026-11-01T00:28")
        self._expect(kolkata, "2026-10")
        outcomes.append(self._watch("over the end of a month, Kolkata", processes, at="00:30"))
        self._clock.jump("2026-11-01T04:58")
        self._expect(berlin, "2026-10")
        self._due.add("operator:2026-10")
        outcomes.append(self._watch("over the end of a month, Berlin", processes, at="05:00"))
        self._clock.jump("2026-10-31T04:58")
        # The one of whom nothing was known in October shows that somebody still looks.
        (late,) = self._late
        self._park(late, "2026-09")
        self._expect([late], "2026-09")
        outcomes.append(self._watch("back by a day", processes))
        self._clock.jump("2026-12-10T04:58")
        self._expect(users, "2026-11")
        self._due.add("operator:2026-11")
        outcomes.append(self._watch("forward by forty days", processes))
        processes.stop()
        self._clock.jump("2027-02-12T09:00")
        self._expect(users, "2026-12")
        self._expect(users, "2027-01")
        self._due |= {"operator:2026-12", "operator:2027-01"}
        processes.start()
        outcomes.append(self._watch("two months in which nothing ran", processes))
        return outcomes

    def _expect(self, users: Sequence[User], month: str) -> None:
        self._due |= {f"driver:{user.id}:{month}" for user in users}

    def _watch(self, about: str, processes: Processes, at: str = "") -> Outcome:
        """Let the minutes pass until all is there, and some more; tell how many it took."""
        began = clock.now()
        if at:
            hours, minutes = map(int, at.split(":"))
            began = began.replace(hour=hours, minute=minutes, second=0, microsecond=0)
        took: timedelta | None = None
        until = began + MADE_UP_WITHIN + 2 * _MINUTE
        while clock.now() < until:
            self._clock.pass_a_minute()
            processes.look_after()
            made, mails = self._read()
            if took is None and set(made) >= self._due and len(mails) >= len(self._mailable()):
                took = max(clock.now() - began, timedelta())
                until = clock.now() + 3 * _MINUTE
        made, mails = self._read()
        counts = Counter(made) + Counter(mails)
        return Outcome(
            about=f"{self._kind}: {about}",
            expected=len(self._due),
            made=len(made),
            mailed=len(mails) + len(self._due) - len(self._mailable()),
            took=took,
            twice=[name for name, count in counts.items() if count > 1],
        )

    def _mailable(self) -> set[str]:
        return {key for key in self._due if key.startswith("driver:")}

    def _read(self) -> tuple[list[str], list[str]]:
        """Give the keys of reports that are made, and of their mails that are sent."""
        with self._app.app_context(), transaction(read_only=True):
            made = list(db.session.scalars(select(Report.key).where(Report.status == "ready")))
            self._mails |= {
                (row.id, row.created_at): f"mail {row.key} to {row.to_address}"
                for row in db.session.execute(
                    select(
                        OutboxMail.id, OutboxMail.created_at, OutboxMail.key, OutboxMail.to_address
                    ).where(OutboxMail.template == "monthly-report", OutboxMail.status == "sent")
                )
            }
        return made, list(self._mails.values())

    def _populate(self) -> list[User]:
        self._make = Factory(self._app)
        self._clock.jump("2026-08-20T08:00")
        self._lot: Lot = self._make.lot(spots=2 * self._drivers)
        users = [
            self._make.user(timezone=ZONES[number % len(ZONES)]) for number in range(self._drivers)
        ]
        self._late.append(self._make.user(timezone=ZONES[0]))
        for month in MONTHS:
            for user in users:
                self._park(user, month)
        return users

    def _park(self, user: User, month: str) -> None:
        """Let a driver have a paid stay in a month."""
        offset = clock.now() - datetime.now(UTC)
        starts_at = _at(f"{month}-14T10:00")
        clock.move(starts_at - timedelta(hours=3) - datetime.now(UTC))
        with self._app.test_client() as client:
            vehicle: Any = self._make.vehicle(user)
            desk = Desk(client, user, self._make.headers(user), vehicle)
            paid = desk.buy(self._lot, **between(starts_at, starts_at + timedelta(hours=1)))
        self._make.stay(paid["reservation_id"])
        clock.move(offset)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def main() -> None:
    """Run on SQLite and PostgreSQL, and fail when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drivers", type=int, default=20)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    libraries = sorted(map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1")))
    if not libraries:
        sys.exit("There is no libfaketime here; in Debian its package is called faketime.")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            for kind in asked.databases:
                place = folder / kind
                place.mkdir()
                url = (
                    f"sqlite:///{place}/beats.db"
                    if kind == "sqlite"
                    else servers.new_postgresql_database(servers.start_postgresql(place))
                )
                sys.stdout.write(f"Two beats and two workers on {kind}\n")
                some = Run(kind, url, place, libraries[0], asked.drivers).run()
                sys.stdout.writelines(f"{each.line()}\n" for each in some)
                sys.stdout.flush()
                outcomes += some
        finally:
            servers.stop_all()
    sys.exit(not all(each.is_well for each in outcomes))


if __name__ == "__main__":
    main()
