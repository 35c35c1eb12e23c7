"""A PostgreSQL that is there but does not answer: refused in time, and served again when it wakes."""

import json
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend import create_app
from backend.config import Settings
from backend.extensions import db
from backend.reservations import booking
from tests import servers
from tests.desk import Desk, problem
from tests.factories import Factory

# What is promised is 5 s; the rest is for a machine that runs the other tests too.
PATIENCE = 7
ASKED = (
    ("GET", "/readyz", None),
    ("GET", "/api/v1/lots", None),
    ("POST", "/api/v1/auth/login", {"email": "a@example.org", "password": "long enough 1"}),
    ("GET", "/api/v1/lots/1", None),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder into which PostgreSQL can walk as a user of its own."""
    made = Path(tempfile.mkdtemp(prefix="vehicle-vault-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Told:
    """What a server said, and how long it took."""

    status: int
    retry_after: str | None
    seconds: float


def ask(url: str, method: str, path: str, body: object) -> Told:
    """Send one request."""
    request = urllib.request.Request(
        url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, headers = answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            status, headers = error.code, error.headers
    return Told(status, headers["Retry-After"], time.monotonic() - began)


def test_frozen_postgresql_is_503_in_time_and_heals(folder: Path) -> None:
    with servers.own_postgresql(folder) as postgresql:
        environment = {
            "DATABASE_URL": servers.new_postgresql_database(postgresql.url),
            "REDIS_URL": "",
            "INSTANCE_PATH": str(folder / "instance"),
            "DEMO": "off",
            "LOG_LEVEL": "ERROR",
        }
        with servers.serve("gunicorn-gthread", environment, folder / "log", workers=1) as web:
            assert ask(web.url, *ASKED[0]).status == 200

            postgresql.send_signal(signal.SIGSTOP)
            try:
                # The first find connections of the pool, the next must make their own.
                for _ in range(2):
                    with ThreadPoolExecutor(len(ASKED)) as pool:
                        answers = list(pool.map(lambda asked: ask(web.url, *asked), ASKED))
                    assert {told.status for told in answers} == {503}, answers
                    assert {told.retry_after for told in answers} <= set("12345")
                    assert max(told.seconds for told in answers) < PATIENCE
            finally:
                postgresql.send_signal(signal.SIGCONT)

            servers.wait_until_ready(f"{web.url}/readyz", web.process, folder / "log")
            answers = [ask(web.url, *asked) for asked in ASKED]
            assert [told.status for told in answers] == [200, 200, 401, 404]


@pytest.mark.parametrize("key", [None, "k"], ids=["without-key", "with-key"])
def test_frozen_in_the_middle_of_a_booking_it_is_503_in_time(
    folder: Path, tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    with servers.own_postgresql(folder) as postgresql:
        app = create_app(
            Settings.load(
                database_url=servers.new_postgresql_database(postgresql.url),
                redis_url=valkey_url,
                instance_path=str(tmp_path / "instance"),
                currency="EUR",
                demo=False,
            )
        )
        make = Factory(app)
        user = make.user()
        desk = Desk(app.test_client(), user, make.headers(user), make.vehicle(user))
        lot = make.lot()
        check_limits = booking._check_limits

        def freeze(*arguments: Any) -> None:
            postgresql.send_signal(signal.SIGSTOP)
            check_limits(*arguments)

        monkeypatch.setattr(booking, "_check_limits", freeze)
        began = time.monotonic()
        try:
            refused = desk.book_window(lot, key=key)
            seconds = time.monotonic() - began
        finally:
            postgresql.send_signal(signal.SIGCONT)
            with app.app_context():
                db.engine.dispose()

        assert problem(refused) == "503 service-unavailable"
        assert seconds < PATIENCE
