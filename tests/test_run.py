"""The process tree of ``run.py``: real processes, on ports and in a folder of their own."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from backend.config import ROOT, Settings
from backend.process_tree import write_demo_settings

PATIENCE_SECONDS = 90
# What a terminal does for its shell: a session of its own, which Ctrl-C on the terminal reaches.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Tree:
    """A ``run.py`` under test, and whatever it started."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = environment_in(folder, **settings)
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        self.events_url = f"http://127.0.0.1:{self.environment['EVENTS_PORT']}"
        self.log = folder / "run.log"
        self.seen: set[psutil.Process] = set()

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "run.py"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def start_in_terminal(self, *options: str) -> int:
        """Start as a shell does, in the foreground of a terminal; give the terminal's other end."""
        terminal, screen = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, "run.py", *options],
            cwd=ROOT,
            env=self.environment,
            stdin=screen,
            stdout=screen,
            stderr=screen,
        )
        os.close(screen)
        return terminal

    def wait_until_ready(self) -> None:
        until(
            lambda: answers(f"{self.url}/readyz") and answers(f"{self.events_url}/healthz"),
            self.said,
        )
        until(
            lambda: (
                len(self.find("celery", " worker", "worker@")) == 3
                and len(self.find("celery", " worker", "bulk@")) == 2
                and len(self.find("celery", " beat")) == 1
            ),
            self.said,
        )

    def find(self, *words: str) -> list[psutil.Process]:
        """Give the running processes of the tree with all these words on their command line."""
        found = []
        with suppress(psutil.NoSuchProcess):
            self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))
        for process in self.seen:
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                line = " ".join(process.cmdline())
                if is_alive(process) and all(word in line for word in words):
                    found.append(process)
        return found

    def leader(self, *words: str) -> psutil.Process:
        """Give the process that ``run.py`` itself started."""
        return next(process for process in self.find(*words) if process.ppid() == self.process.pid)

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def assert_nothing_is_left(self) -> None:
        until(
            lambda: not [process for process in self.seen if is_alive(process)],
            lambda: str(self.seen),
            seconds=5,
        )
        left = [process for process in psutil.process_iter() if self.owns(process)]
        assert left == []

    def owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return is_alive(process) and process.environ().get("INSTANCE_PATH") == str(self.folder)
        return False


def environment_in(folder: Path, **settings: str) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    port, events_port = free_ports(2)
    return {
        **kept,
        "INSTANCE_PATH": str(folder),
        "ENV_FILE": str(folder / ".env"),
        "DEMO": "off",
        "PORT": str(port),
        "EVENTS_PORT": str(events_port),
        **settings,
    }


def free_ports(count: int) -> list[int]:
    with bound_sockets(count) as sockets:
        return [trial.getsockname()[1] for trial in sockets]


@contextmanager
def bound_sockets(count: int) -> Iterator[list[socket.socket]]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for trial in sockets:
            trial.bind(("127.0.0.1", 0))
        yield sockets
    finally:
        for trial in sockets:
            trial.close()


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2).status_code == 200
    return False


def until(
    is_so: Callable[[], bool], explain: Callable[[], str], *, seconds: float = PATIENCE_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"It did not come about within {seconds} s:\n{explain()}")
        time.sleep(0.1)


def run_to_end(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    # People keep their things in folders with spaces.
    folder = tmp_path / "my car parks"
    folder.mkdir()
    tree = Tree(folder)
    yield tree
    # Only after a failure is anything left; run.py ends its tree in order when it still can.
    with suppress(
        psutil.NoSuchProcess, ProcessLookupError, psutil.TimeoutExpired, subprocess.TimeoutExpired
    ):
        tree.process.terminate()
        tree.process.wait(30)
    for process in tree.seen:
        with suppress(psutil.NoSuchProcess):
            process.kill()


class TestRun:
    def test_an_empty_folder_serves_mends_itself_and_ends_on_sigterm(self, tree: Tree) -> None:
        tree.environment["WEB_WORKERS"] = "4"
        tree.start()
        tree.wait_until_ready()
        until(lambda: "is ready on" in tree.said(), tree.said)
        assert tree.url in tree.said()
        assert (tree.folder / "vehicle_vault.db").exists()
        until(lambda: len(tree.find("granian", "wsgi")) == 5, tree.said)

        second = run_to_end(tree.environment)
        assert (second.returncode, second.stdout) == (1, "")
        assert (
            second.stderr
            == f"Port {tree.environment['PORT']} is taken; choose another with PORT=….\n"
        )

        port, events_port = free_ports(2)
        beside = run_to_end(
            {**tree.environment, "PORT": str(port), "EVENTS_PORT": str(events_port)}
        )
        assert beside.returncode == 1
        assert re.fullmatch(r"Another run\.py works in .*\n", beside.stderr)

        for words in (
            ("granian", "wsgi"),
            ("granian", "asgi"),
            ("celery", " beat"),
            ("celery", " worker", "worker@"),
            ("celery", " worker", "bulk@"),
            ("valkey",),
        ):
            killed = tree.leader(*words)
            group = [
                process for process in tree.find(*words) if os.getpgid(process.pid) == killed.pid
            ]
            killed.send_signal(signal.SIGKILL)
            until(lambda: not any(is_alive(process) for process in group), tree.said)  # noqa: B023 - called at once
        tree.wait_until_ready()

        tree.process.send_signal(signal.SIGTERM)
        assert tree.process.wait(30) == 0
        tree.assert_nothing_is_left()

    def test_ctrl_c_in_a_terminal_leaves_no_process_of_development(self, tree: Tree) -> None:
        (vite_port,) = free_ports(1)
        terminal = tree.start_in_terminal("--reload", f"--vite={vite_port}")
        with closing(os.fdopen(terminal, "rb", buffering=0)) as screen:
            os.set_blocking(terminal, False)

            def is_announced() -> bool:
                with suppress(OSError), tree.log.open("ab") as log:
                    log.write(screen.read() or b"")
                return "is ready on" in tree.said()

            until(is_announced, tree.said)
            tree.wait_until_ready()
            pages = f"http://127.0.0.1:{vite_port}"
            assert f"{pages}, with its API on {tree.url}" in tree.said()
            assert "/src/main.ts" in httpx.get(pages, headers={"Accept": "text/html"}).text
            assert answers(f"{pages}/healthz")
            os.write(terminal, b"\x03")
            assert tree.process.wait(30) == 0
        tree.assert_nothing_is_left()

    def test_children_end_with_a_killed_parent(self, tree: Tree) -> None:
        tree.start()
        tree.wait_until_ready()
        tree.process.kill()
        tree.process.wait()
        until(lambda: not any(is_alive(process) for process in tree.seen), tree.said, seconds=20)
        tree.assert_nothing_is_left()


class TestRefusals:
    @pytest.mark.parametrize("setting", ["PORT", "EVENTS_PORT"])
    def test_a_taken_port_is_one_clear_line(self, tmp_path: Path, setting: str) -> None:
        environment = environment_in(tmp_path)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", int(environment[setting])))
            other.listen()
            refused = run_to_end(environment)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert (
            refused.stderr
            == f"Port {environment[setting]} is taken; choose another with {setting}=….\n"
        )

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("PORT", "eighty"),
            ("WEB_WORKERS", "0"),
            ("CURRENCY", "GOLD"),
            ("TIMEZONE", "Mars/Base"),
            ("APP_ENV", "x"),
        ],
    )
    def test_a_bad_setting_is_one_clear_line(
        self, tmp_path: Path, setting: str, value: str
    ) -> None:
        refused = run_to_end(environment_in(tmp_path, **{setting: value}))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert re.fullmatch(rf"{setting} .*\n", refused.stderr)

    def test_production_refuses_to_start_without_secrets(self, tmp_path: Path) -> None:
        refused = run_to_end(environment_in(tmp_path, APP_ENV="production"))
        assert refused.returncode == 2
        assert re.fullmatch(r"JWT_SECRET is required in production.*\n", refused.stderr)


class TestPreparation:
    def test_four_processes_at_once_bring_up_an_empty_database(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "backend.prepare"]
        environment = environment_in(tmp_path)
        processes = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        ends = [
            (process.communicate(timeout=PATIENCE_SECONDS)[1], process.returncode)
            for process in processes
        ]
        assert [status for _, status in ends] == [0, 0, 0, 0], ends

    def test_the_demo_writes_its_currency_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
        monkeypatch.delenv("CURRENCY", raising=False)
        settings = Settings(instance_path=str(tmp_path))
        assert write_demo_settings(settings)
        assert not write_demo_settings(settings)
        assert Settings.load(instance_path=str(tmp_path)).currency == "EUR"

    def test_nothing_is_written_in_production(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
        assert not write_demo_settings(Settings(app_env="production", instance_path=str(tmp_path)))
        assert list(tmp_path.iterdir()) == []
