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

import pytest

from tests import servers

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
