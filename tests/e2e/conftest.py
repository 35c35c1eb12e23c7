"""A web server of its own for tests that ask it many questions."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from backend import create_app
from backend.config import Settings
from tests import servers


@dataclass(frozen=True, slots=True)
class Served:
    """A running web server, its log, and an application on the same database and mail folder."""

    url: str
    log: Path
    app: Flask


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/served.db",
        "REDIS_URL": valkey_url,
        "INSTANCE_PATH": str(folder / "instance"),
        "ENV_FILE": os.environ["ENV_FILE"],
        "PUBLIC_URL": "http://127.0.0.1",
        "CURRENCY": "EUR",
        "TIMEZONE": "Europe/Berlin",
        "BCRYPT_ROUNDS": "4",
        "RATE_LIMITS": "off",
        "DEMO": "off",
    }
    app = create_app(
        Settings.load(
            database_url=environment["DATABASE_URL"],
            redis_url=valkey_url,
            instance_path=environment["INSTANCE_PATH"],
            public_url=environment["PUBLIC_URL"],
            currency="EUR",
            timezone="Europe/Berlin",
            bcrypt_rounds=4,
            rate_limits=False,
            demo=False,
        )
    )
    servers.migrate(app)
    log = folder / "web.log"
    with servers.serve("granian", environment, log) as web:
        yield Served(web.url, log, app)
