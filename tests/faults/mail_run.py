"""A fault run of the outbox: ``python -m tests.faults.mail_run`` prints what was promised and what arrived.

Real processes send real SMTP while the server refuses, stalls and cuts, Valkey dies, workers are killed, and
every task comes three times. Each mail must arrive, or be known to have been refused for good; one may arrive
twice only where a crash, or a cut after the server had it, left nobody who knew.
"""

import argparse
import dataclasses
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from backend import config, create_app
from backend.clock import now
from backend.config import Settings
from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications import service, transport
from backend.notifications.transport import Post
from backend.transaction import transaction
from tests import servers

POINTS = ("before claim", "after claim", "after connect", "after 250 before mark", "after mark")
FAULTS = ("refused", "421", "451", "550", "frozen", "cut after DATA")
DELIVERIES = 3

# Each process begins afresh, with what takes seconds to import in it already.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["backend.notifications.service", "tests.faults.mail_run"])
_TIMEOUT_SECONDS = 0.5
_ROUNDS = 40
_PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Server:
    """An SMTP server that fails as it is told, and keeps what it took."""

    listener: socket.socket
    fault: str = ""
    failures: int = 0
    """So often the fault still shows, once for each connection or mail."""
    taken: Counter[str] = field(default_factory=Counter)
    ids: dict[str, set[str]] = field(default_factory=dict)
    cut: int = 0
    felt: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _fails(self, *faults: str) -> str:
        with self.lock:
            if self.fault not in faults or not self.failures:
                return ""
            self.failures -= 1
            self.felt[self.fault] += 1
            return self.fault

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream, suppress(OSError):
            if self._fails("frozen"):
                time.sleep(4 * _TIMEOUT_SECONDS)
                return
            _say(stream, "220 here")
            to = ""
            while line := stream.readline().decode("latin-1").strip():
                verb = line.partition(" ")[0].upper()
                if verb == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    refused = self._fails("550")
                    _say(stream, "550 No such user" if refused else "250 OK")
                elif verb == "DATA":
                    if not self._take(stream, to):
                        return
                elif verb == "QUIT":
                    _say(stream, "221 Bye")
                    return
                else:
                    _say(stream, "250 OK")

    def _take(self, stream: Any, to: str) -> bool:
        _say(stream, "354 Go on")
        lines = []
        while (line := stream.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line.decode("latin-1"))
        fault = self._fails("421", "451", "cut after DATA")
        if fault in {"421", "451"}:
            _say(stream, f"{fault} Not now")
            return fault != "421"
        (name,) = (each.strip() for each in lines if each.startswith("Message-ID:"))
        with self.lock:
            self.taken[to] += 1
            self.ids.setdefault(to, set()).add(name)
            self.cut += fault == "cut after DATA"
        if fault:
            return False
        _say(stream, "250 Taken")
        return True


def _say(stream: Any, line: str) -> None:
    stream.write(f"{line}\r\n".encode())
    stream.flush()


@dataclass(slots=True)
class Outcome:
    """What became of what was promised."""

    database: str
    promised: int
    sent: int
    bounced: int
    arrived: int
    lost: int
    duplicates: int
    crashes: int
    cuts: int
    odd_ids: int
    felt: dict[str, int]
    killed_at: list[str]

    @property
    def is_well(self) -> bool:
        """Whether all that may be promised of mail was kept."""
        return (
            self.lost == 0
            and self.odd_ids == 0
            and self.promised == self.sent + self.bounced
            and self.duplicates <= self.crashes + self.cuts
        )


@contextmanager
def smtp_server() -> Iterator[Server]:
    """Run a server until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = Server(listener)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        # Wakes the thread that waits for the next connection.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def run(kind: str, url: str, folder: Path, *, mails: int) -> Outcome:
    """Promise ``mails`` for each fault and each point of a crash, and see what arrives."""
    with smtp_server() as server, servers.own_valkey(folder) as valkey:
        values = {
            "database_url": url,
            "redis_url": f"{valkey.url}/0",
            "instance_path": str(folder / "instance"),
            "mail_server": "127.0.0.1",
            "mail_port": server.port,
            "mail_use_tls": False,
        }
        app = create_app(Settings.load(**values, demo=False))
        servers.migrate(app)
        environment = {name.upper(): str(value) for name, value in values.items()} | {
            "DEMO": "off",
            "LOG_LEVEL": "CRITICAL",
            "MAIL_USE_TLS": "off",
        }
        promised: list[str] = []
        killed: list[str] = []

        def promise(about: str) -> list[int]:
            names = [f"{about.replace(' ', '-')}-{number}@example.org" for number in range(mails)]
            promised.extend(names)
            with app.app_context(), transaction():
                for name in names:
                    service.queue_mail(
                        "otp",
                        name,
                        key=f"run:{name}",
                        context={"minutes": 10},
                        secret={"code": "123456"},
                    )
            return _pending(app)

        for fault in FAULTS:
            ids = promise(fault)
            server.fault, server.failures = fault, max(1, mails // 2)
            nobody = {"MAIL_PORT": str(servers.free_port())} if fault == "refused" else {}
            _work(environment | nobody, ids * DELIVERIES)
            _hurry(app)
        # Its tasks are lost with it: the sweep finds what it promised.
        valkey.kill()
        promise("valkey killed")
        valkey.start_again()
        for point in POINTS:
            ids = promise(point)
            if _work(environment, ids * DELIVERIES, point) == -signal.SIGKILL:
                killed.append(point)
            _hurry(app)
        server.failures = 0
        for _ in range(_ROUNDS):
            _hurry(app)
            if not _pending(app):
                break
            _work(environment, [])
        outcome = _count(app, server, kind, promised, killed)
        with app.app_context():
            db.engine.dispose()
        return outcome


def _count(app: Any, server: Server, kind: str, promised: list[str], killed: list[str]) -> Outcome:
    with app.app_context(), transaction(read_only=True):
        states = {
            row.to_address: row.status
            for row in db.session.execute(select(OutboxMail.to_address, OutboxMail.status))
        }
    bounced = {name for name in promised if states.get(name) == "bounced"}
    return Outcome(
        database=kind,
        promised=len(promised),
        sent=sum(states.get(name) == "sent" for name in promised),
        bounced=len(bounced),
        arrived=len(server.taken),
        lost=sum(not server.taken[name] for name in promised if name not in bounced),
        duplicates=sum(count - 1 for count in server.taken.values() if count > 1),
        crashes=len(killed),
        cuts=server.cut,
        odd_ids=sum(len(each) != 1 for each in server.ids.values()),
        felt=dict(server.felt),
        killed_at=killed,
    )


def _pending(app: Any) -> list[int]:
    with app.app_context(), transaction(read_only=True):
        return list(db.session.scalars(select(OutboxMail.id).where(OutboxMail.status == "pending")))


def _hurry(app: Any) -> None:
    """Let every pause and every lease be over: what takes hours is not waited for."""
    with app.app_context(), transaction():
        db.session.execute(
            update(OutboxMail)
            .where(OutboxMail.status == "pending")
            .values(next_attempt_at=now() - timedelta(seconds=1))
        )


def _work(environment: dict[str, str], ids: list[int], point: str = "") -> int | None:
    """Let a process of its own send these and then what is due; give how it ended."""
    process = _PROCESSES.Process(target=work, args=(environment, ids, point))
    process.start()
    process.join(_PATIENCE_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError("A worker did not come to an end.")
    return process.exitcode


def work(environment: dict[str, str], ids: list[int], point: str) -> None:
    """Do as a worker does: the tasks as they come, and a sweep; at ``point`` be killed."""
    os.environ.update(environment)
    transport._TIMEOUT_SECONDS = _TIMEOUT_SECONDS  # a shorter one is enough here
    if point:
        _die_at(point)
    app = create_app(Settings.load())
    config.use(app.extensions["settings"])
    with app.app_context():
        for mail_id in ids:
            service.send_mail(mail_id)
        service.send_due_mail()


def _die_at(point: str) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, name: str, *, before: bool) -> None:
        whole: Callable[..., Any] = getattr(owner, name)

        def killed(*arguments: Any, **options: Any) -> Any:
            if before:
                die()
            whole(*arguments, **options)
            return die()

        setattr(owner, name, killed)

    owner, name, before = {
        "before claim": (service, "_claim_mail", True),
        "after claim": (service, "_claim_mail", False),
        "after connect": (transport, "_connect", False),
        "after 250 before mark": (Post, "deliver", False),
        "after mark": (service, "_mark", False),
    }[point]
    around(owner, name, before=before)


def describe(outcome: Outcome) -> str:
    """Tell an outcome in lines."""
    told = dataclasses.asdict(outcome)
    lines = (f"  {name.replace('_', ' ')}: {value}" for name, value in told.items())
    return "\n".join(
        ["The mail run", *lines, f"  {'as promised' if outcome.is_well else 'BROKEN'}"]
    )


def main() -> None:
    """Run on SQLite and PostgreSQL, and fail when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20, help="so many for each fault and crash")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcomes = []
        try:
            postgresql = servers.start_postgresql(folder)
            for kind, url in (
                ("sqlite", f"sqlite:///{folder}/mail.db"),
                ("postgresql", servers.new_postgresql_database(postgresql)),
            ):
                place = folder / f"of-{kind}"
                place.mkdir()
                outcomes.append(run(kind, url, place, mails=asked.mails))
                sys.stdout.write(f"{describe(outcomes[-1])}\n")
        finally:
            servers.stop_all()
    sys.exit(not all(each.is_well for each in outcomes))


if __name__ == "__main__":
    main()
