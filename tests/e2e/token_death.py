"""Old tokens after each act that ends them, asked of two server processes every tenth of a second (P16).

``python -m tests.e2e.token_death`` prints the table, live streams and both databases included.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from flask import Flask
from sqlalchemy import select

from backend import create_app
from backend.auth.password_changes import request_reset
from backend.auth.passwords import hash_password
from backend.config import Settings
from backend.extensions import db
from backend.models import OutboxMail, User
from backend.notifications.sealing import unseal
from backend.transaction import transaction
from tests import servers
from tests.factories import Factory

PASSWORD = "a quiet place to park"
_PAUSE_SECONDS = 0.1
_WATCHED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Town:
    """Two server processes on one database, and an application on the same."""

    app: Flask
    urls: tuple[str, str]
    make: Factory

    def user(self, *roles: str) -> User:
        """Make a user whom :data:`PASSWORD` signs in."""
        with self.app.app_context():
            password_hash = hash_password(PASSWORD)
        return self.make.user(roles=roles or ("driver",), password=password_hash)

    def sign_in(self, user: User) -> dict[str, Any]:
        """Sign a user in."""
        body = {"email": user.email, "password": PASSWORD}
        answer = httpx.post(f"{self.urls[0]}/api/v1/auth/login", json=body)
        answer.raise_for_status()
        tokens: dict[str, Any] = answer.json()
        return tokens

    def ask(self, method: str, path: str, tokens: dict[str, Any], **kwargs: Any) -> httpx.Response:
        """Ask the first process."""
        answer = httpx.request(
            method, f"{self.urls[0]}/api/v1{path}", headers=bearer(tokens), timeout=20, **kwargs
        )
        answer.raise_for_status()
        return answer


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """Give the header of a request."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@dataclass(slots=True)
class Fate:
    """What became of an old token."""

    act: str
    before: list[int] = field(default_factory=list)
    """Answers to what was asked before the act began."""
    after: list[int] = field(default_factory=list)
    """Answers to what was asked once the act was answered."""
    refreshed: int = 0
    """What its refresh token was answered with."""


@contextmanager
def town(folder: Path, database_url: str, redis_url: str) -> Iterator[Town]:
    """Start two processes on a database."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "instance_path": str(folder / "instance"),
        "public_url": "http://127.0.0.1",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "bcrypt_rounds": 4,
        "rate_limits": False,
        "demo": False,
    }
    app = create_app(Settings.load(**values))
    servers.migrate(app)
    environment = {
        name.upper(): ("on" if value else "off") if isinstance(value, bool) else str(value)
        for name, value in values.items()
    } | {"ENV_FILE": os.environ["ENV_FILE"]}
    with ExitStack() as stack:
        urls = [
            stack.enter_context(
                servers.serve("granian", environment, folder / f"web{n}.log", workers=1)
            ).url
            for n in range(2)
        ]
        yield Town(app, (urls[0], urls[1]), Factory(app))
    with app.app_context():
        db.engine.dispose()


def watch(place: Town, act: str, tokens: dict[str, Any], do: Callable[[], Any]) -> Fate:
    """Ask both processes with a token all the while that an act is done, and a while longer."""
    fate = Fate(act)
    asked: list[tuple[float, int]] = []
    over = threading.Event()

    def poll(url: str) -> None:
        with httpx.Client(timeout=20) as client:
            while not over.is_set():
                began = time.monotonic()
                answer = client.get(f"{url}/api/v1/me", headers=bearer(tokens))
                asked.append((began, answer.status_code))
                time.sleep(_PAUSE_SECONDS)

    pollers = [threading.Thread(target=poll, args=(url,)) for url in place.urls]
    for poller in pollers:
        poller.start()
    time.sleep(3 * _PAUSE_SECONDS)
    began = time.monotonic()
    do()
    answered = time.monotonic()
    time.sleep(_WATCHED_SECONDS)
    over.set()
    for poller in pollers:
        poller.join()
    fate.before = [status for at, status in asked if at < began - _PAUSE_SECONDS]
    fate.after = [status for at, status in asked if at >= answered]
    body = {"refresh_token": tokens["refresh_token"]}
    fate.refreshed = httpx.post(f"{place.urls[1]}/api/v1/auth/refresh", json=body).status_code
    return fate


def fates(place: Town) -> Iterator[Fate]:
    """Do each act that ends tokens, and tell what became of an old one."""
    admin = place.sign_in(place.user("admin"))

    def change(user: User, **changes: Any) -> httpx.Response:
        return place.ask("PATCH", f"/users/{user.id}", admin, json=changes)

    def acts(user: User, tokens: dict[str, Any]) -> dict[str, Callable[[], Any]]:
        return {
            "sign-out": lambda: place.ask("POST", "/auth/logout", tokens, json={}),
            "sign-out everywhere, from elsewhere": lambda: place.ask(
                "POST", "/auth/logout", place.sign_in(user), json={"everywhere": True}
            ),
            "sign-in ended in the list": lambda: _end_others(place, user),
            "password changed": lambda: place.ask(
                "POST",
                "/me/password",
                place.sign_in(user),
                json={"current_password": PASSWORD, "new_password": f"{PASSWORD} 2"},
            ),
            "password reset": lambda: _reset(place, user),
            "role changed": lambda: change(user, roles=["driver", "attendant"]),
            "disabled": lambda: change(user, active=False),
            "disabled and enabled again": lambda: (
                change(user, active=False),
                change(user, active=True),
            ),
            "sign-ins ended by an admin": lambda: place.ask(
                "DELETE", f"/users/{user.id}/sessions", admin
            ),
            "account closed": lambda: place.ask("DELETE", "/me", place.sign_in(user)),
        }

    for name in acts(place.user(), {}):
        user = place.user()
        tokens = place.sign_in(user)
        yield watch(place, name, tokens, acts(user, tokens)[name])


def refresh_at_once(place: Town, count: int = 8) -> tuple[int, int]:
    """Exchange one refresh token at both processes at once; give how many got a pair, and how many pairs."""
    tokens = place.sign_in(place.user())
    body = {"refresh_token": tokens["refresh_token"]}
    gate = threading.Barrier(count)

    def exchange(number: int) -> tuple[int, str]:
        gate.wait()
        answer = httpx.post(f"{place.urls[number % 2]}/api/v1/auth/refresh", json=body, timeout=20)
        return answer.status_code, answer.json().get("refresh_token", "")

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(exchange, range(count)))
    return sum(status == 200 for status, _ in answers), len({pair for _, pair in answers if pair})


def _end_others(place: Town, user: User) -> None:
    elsewhere = place.sign_in(user)
    place.ask("DELETE", "/me/sessions", elsewhere)


def _reset(place: Town, user: User) -> None:
    with place.app.app_context():
        request_reset(email=user.email)
        with transaction(read_only=True):
            sealed = db.session.scalars(
                select(OutboxMail.sealed).where(
                    OutboxMail.template == "password-reset", OutboxMail.to_address == user.email
                )
            ).one()
        settings: Settings = place.app.extensions["settings"]
        token = unseal(sealed or b"", settings.secret_keys)["token"]
    answer = httpx.post(
        f"{place.urls[0]}/api/v1/auth/reset-password",
        json={"token": token, "password": f"{PASSWORD} 3"},
    )
    answer.raise_for_status()


@contextmanager
def _live(folder: Path, database_url: str, redis_url: str) -> Iterator[str]:
    port = servers.free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "INSTANCE_PATH": str(folder / "instance"),
        "EVENTS_PORT": str(port),
    }
    command = ["granian", "--interface", "asgi", "backend.live:app", "--port", str(port)]
    with (folder / "live.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=servers.ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            servers.wait_until_listening(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(15)


def stream_seconds(place: Town, live_url: str, end: Callable[[User, dict[str, Any]], Any]) -> float:
    """Open a live stream, end its sign-in, and tell after how many seconds the stream ended."""
    user = place.user()
    tokens = place.sign_in(user)
    ticket = place.ask("POST", "/events/ticket", tokens, json={}).json()["ticket"]
    with httpx.stream("GET", f"{live_url}/events", params={"ticket": ticket}, timeout=60) as stream:
        stream.raise_for_status()
        lines = stream.iter_lines()
        next(lines)
        end(user, tokens)
        ended = time.monotonic()
        for _ in lines:
            pass
        return time.monotonic() - ended


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="vehicle-vault-"))
    folder.chmod(0o755)
    os.environ["ENV_FILE"] = str(folder / "none.env")
    try:
        redis_url = f"{servers.start_valkey(folder)}/0"
        databases = {
            "SQLite": f"sqlite:///{folder}/served.db",
            "PostgreSQL": servers.new_postgresql_database(servers.start_postgresql(folder)),
        }
        for name, url in databases.items():
            with town(folder, url, redis_url) as place, _live(folder, url, redis_url) as live_url:
                _print_table(name, place, live_url)
    finally:
        servers.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def _print_table(name: str, place: Town, live_url: str) -> None:
    print(f"\n{name:<36} before      after the answer   refresh")  # noqa: T201 - that is its purpose
    for fate in fates(place):
        before = f"{len(fate.before)} × {sorted(set(fate.before))}"
        after = f"{len(fate.after)} × {sorted(set(fate.after))}"
        print(f"{fate.act:<36} {before:<11} {after:<18} {fate.refreshed}")  # noqa: T201
    got, pairs = refresh_at_once(place)
    print(f"{'8 × one refresh token at once':<36} {got} answered, {pairs} pair")  # noqa: T201
    admin = place.sign_in(place.user("admin"))
    ends: dict[str, Callable[[User, dict[str, Any]], Any]] = {
        "stream after sign-out": lambda _, tokens: place.ask(
            "POST", "/auth/logout", tokens, json={}
        ),
        "stream after being disabled": lambda user, _: place.ask(
            "PATCH", f"/users/{user.id}", admin, json={"active": False}
        ),
    }
    for what, end in ends.items():
        print(f"{what:<36} ended after {stream_seconds(place, live_url, end):.1f} s")  # noqa: T201


if __name__ == "__main__":
    main()
