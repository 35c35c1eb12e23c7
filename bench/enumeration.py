"""Whether answers tell, by what they say or by when they come, that an address is known (P19).

Two hundred known and as many unknown addresses ask in random order, of the whole system as it is run: with
its worker, which sends the mail, and a mail server that is quick or takes a second for each mail.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from backend import create_app
from backend.auth.passwords import hash_password
from backend.config import Settings
from backend.extensions import db
from bench.load import Connection, http_request
from bench.ranks import two_sided_p
from bench.table import Row
from tests import servers
from tests.factories import Factory

_COUNT = 200
_WARM_UP = 12
_MOST_MILLISECONDS = 10
_LEAST_P = 0.01
_START_SECONDS = 120
_PASSWORD = "a quiet place to park"
# Whoever asks for another code waits half a minute after the first.
_RESEND_PAUSE_SECONDS = 31
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What differs each time, whoever asks, but is of one length.
_EACH_TIME = re.compile(
    r'"(?:challenge_id|expires_at|resend_after|request_id)":"[^"]*"|(?m:^(?:x-request-id|date): .*$)'
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked for an address and the challenge of its sign-up, and the status that is due."""

    path: str
    body: Callable[[str, str], dict[str, str]]
    status: int


# In this order.
_QUESTIONS = {
    "sign-up": _Question(
        "register",
        lambda address, _: {"email": address, "name": "Asha Rao", "password": _PASSWORD},
        202,
    ),
    "sign-in": _Question(
        "login", lambda address, _: {"email": address, "password": "a wrong password"}, 401
    ),
    "reset": _Question("forgot-password", lambda address, _: {"email": address}, 202),
    "resend": _Question("resend-otp", lambda _, challenge: {"challenge_id": challenge}, 202),
}


@dataclass(slots=True)
class _Side:
    """How the addresses of one kind were answered."""

    milliseconds: list[float] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)


class _Town:
    """The addresses, and how they ask."""

    def __init__(self, port: int, app: Flask) -> None:
        self._port = port
        self._app = app
        self._challenges: dict[str, str] = {}
        self._may_resend_at = 0.0
        # Fixed, so that a run can be repeated; which are known is told by nothing in them.
        self._chance = random.Random(19)  # nosemgrep: random-is-guessable
        addresses = [self._address() for _ in range(2 * (_COUNT + _WARM_UP))]
        self._known = set(addresses[::2])
        self._warm_up, self._asked = addresses[: 2 * _WARM_UP], addresses[2 * _WARM_UP :]

    def settle(self) -> None:
        """Make the known addresses known."""
        make = Factory(self._app)
        with self._app.app_context():
            password_hash = hash_password(_PASSWORD)
        for address in sorted(self._known):
            make.user(email=address, password=password_hash)

    def compare(self, name: str) -> tuple[_Side, _Side]:
        """Let all addresses ask in random order; give the answers to known and to unknown ones."""
        known, unknown = _Side(), _Side()
        if name == "resend":
            time.sleep(max(0.0, self._may_resend_at - time.monotonic()))
        for address in self._warm_up:
            self._ask(name, address)
        for address in self._in_random_order():
            side = known if address in self._known else unknown
            milliseconds, shape = self._ask(name, address)
            side.milliseconds.append(milliseconds)
            side.shapes.add(shape)
        return known, unknown

    def _in_random_order(self) -> Iterator[str]:
        """Give the addresses in random pairs of a known and an unknown one, either first.

        What else the machine does comes and goes; so it meets as many of one kind as of the other.
        """
        known, unknown = (
            self._chance.sample(kind, len(kind))
            for kind in (
                [address for address in self._asked if address in self._known],
                [address for address in self._asked if address not in self._known],
            )
        )
        for pair in zip(known, unknown, strict=True):
            yield from self._chance.sample(pair, 2)

    def _address(self) -> str:
        return "".join(self._chance.choices(_LETTERS, k=12)) + "@example.org"

    def _ask(self, name: str, address: str) -> tuple[float, str]:
        question = _QUESTIONS[name]
        body = json.dumps(question.body(address, self._challenges.get(address, ""))).encode()
        request = http_request("POST", f"/api/v1/auth/{question.path}", body=body)
        # Each on a connection of its own, so that both processes answer.
        connection = Connection(self._port)
        began = time.perf_counter()
        head, answer = connection.exchange(request)
        milliseconds = 1000 * (time.perf_counter() - began)
        connection.close()
        if int(head[9:12]) != question.status:
            raise RuntimeError(f"{name} answered {head[:12]!r}: {answer[:500]!r}")
        if name == "sign-up":
            self._challenges[address] = json.loads(answer)["challenge_id"]
            self._may_resend_at = time.monotonic() + _RESEND_PAUSE_SECONDS
        return milliseconds, _shape(head, answer)


def measure(folder: Path, database: str, new_database: Callable[[], str]) -> list[Row]:
    """Compare the four ways to ask, with a quick and with a slow mail server; each on an empty database."""
    rows: list[Row] = []
    for speed, seconds in (("quick", 0.0), ("1 s a mail", 1.0)):
        place = folder / f"enumeration-{database}-{speed.partition(' ')[0]}"
        place.mkdir()
        with _mail_server(seconds) as mail_port, _system(place, new_database(), mail_port) as town:
            rows += [
                _row(f"{name}, SMTP {speed}, {database}", *town.compare(name))
                for name in _QUESTIONS
            ]
    return rows


def _row(what: str, known: _Side, unknown: _Side) -> Row:
    medians = statistics.median(known.milliseconds), statistics.median(unknown.milliseconds)
    apart = medians[0] - medians[1]
    p = two_sided_p(known.milliseconds, unknown.milliseconds)
    alike = len(known.shapes | unknown.shapes) == 1
    return Row(
        f"{what}: known less unknown address; p; answers",
        f"{apart:+.1f}  ({medians[0]:.1f} to {medians[1]:.1f} ms); {p:.2f}; "
        + ("alike" if alike else "differ"),
        f"≤ {_MOST_MILLISECONDS} ms; > {_LEAST_P}; alike",
        abs(apart) <= _MOST_MILLISECONDS and p > _LEAST_P and alike,
    )


def _shape(head: bytes, body: bytes) -> str:
    """Give an answer without what differs each time, whoever asks."""
    headers = head.decode("latin-1").lower().replace("\r\n", "\n")
    return _EACH_TIME.sub(lambda found: str(len(found[0])), f"{headers}\n\n{body.decode()}")


@contextmanager
def _mail_server(seconds: float) -> Iterator[int]:
    port = servers.free_port()
    command = [sys.executable, "-m", "bench.mail_server", str(port), str(seconds)]
    process = subprocess.Popen(command, cwd=servers.ROOT)
    try:
        servers.wait_until_listening(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def _system(folder: Path, database_url: str, mail_port: int) -> Iterator[_Town]:
    """Run everything as ``run.py`` does: web, worker, beat and a Valkey of its own."""
    port = servers.free_port()
    environment = {
        **os.environ,
        "INSTANCE_PATH": str(folder / "instance"),
        "ENV_FILE": str(folder / "none.env"),
        "DATABASE_URL": database_url,
        # None is named, so it starts its own.
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "",
        "PORT": str(port),
        "EVENTS_PORT": str(servers.free_port()),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(mail_port),
        "MAIL_USE_TLS": "off",
        "RATE_LIMITS": "off",
        "BCRYPT_ROUNDS": "12",
        "DEMO": "off",
        "LOG_LEVEL": "WARNING",
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "run.py"],
            cwd=servers.ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}/readyz"
            servers.wait_until_ready(url, process, log, seconds=_START_SECONDS)
            app = create_app(
                Settings.load(
                    database_url=database_url,
                    redis_url="",
                    instance_path=str(folder / "instance"),
                    bcrypt_rounds=12,
                    demo=False,
                )
            )
            town = _Town(port, app)
            town.settle()
            yield town
            with app.app_context():
                db.engine.dispose()
        finally:
            process.terminate()
            process.wait(60)
