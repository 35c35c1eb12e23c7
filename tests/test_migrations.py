"""Migrations, on databases of their own and in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.servers import ROOT

_UP_AND_DOWN = """
import json
import flask_migrate
from sqlalchemy import inspect
from backend import create_app
from backend.extensions import db
from backend.models.guards import missing_guards

app = create_app()
told = {}

def look(name):
    with db.engine.connect() as connection:
        told[name] = {
            "tables": sorted(inspect(connection).get_table_names()),
            "missing": sorted(missing_guards(connection)),
        }

with app.app_context():
    for name, step in (
        ("up", flask_migrate.upgrade),
        ("down", lambda: flask_migrate.downgrade(revision="base")),
        ("again", flask_migrate.upgrade),
    ):
        step()
        look(name)
    flask_migrate.check()
    db.engine.dispose()
print("told:" + json.dumps(told))
"""

_AT_ONCE = """
from sqlalchemy import text
from backend import create_app
from backend.extensions import db
from backend.migrate import migrate_database
from backend.models.guards import missing_guards

app = create_app()
migrate_database(app)
with app.app_context(), db.engine.connect() as connection:
    assert not missing_guards(connection)
    assert connection.execute(text("SELECT count(*) FROM roles")).scalar() == 3
"""


_MAKE_A_TABLE_ANEW = """
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from backend import create_app
from backend.extensions import db
from tests.factories import Factory

def make_a_table_anew(_heads, context):
    with Operations.context(context) as operations:
        with operations.batch_alter_table("tariffs", recreate="always"):
            pass
    return []

def count_children():
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM tariff_increments")).scalar()

app = create_app()
Factory(app).lot()
with app.app_context():
    migrate = app.extensions["migrate"]
    config = migrate.migrate.get_config(migrate.directory)
    before = count_children()
    directory = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, directory, fn=make_a_table_anew):
        directory.run_env()
    assert count_children() == before > 0
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """What a process needs to find an empty database."""
    url = f"sqlite:///{tmp_path}/empty.db"
    if request.param == "postgresql":
        url = servers.new_postgresql_database(os.environ["VV_TEST_POSTGRESQL"])
    return {**os.environ, "DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path / "instance")}


def test_they_go_up_and_down_and_leave_what_the_models_say(environment: dict[str, str]) -> None:
    process = _start(_UP_AND_DOWN, environment)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    told = json.loads(output.rpartition("told:")[2])
    assert told["down"]["tables"] == ["alembic_version"]
    assert {"spot_claims", "reservations", "payments"} <= set(told["up"]["tables"])
    assert told["up"] == told["again"]
    assert told["up"]["missing"] == []


def test_a_table_that_sqlite_makes_anew_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/kept.db",
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "CURRENCY": "EUR",
    }
    process = _start(_MAKE_A_TABLE_ANEW, environment)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def test_four_processes_at_once_bring_up_an_empty_database(environment: dict[str, str]) -> None:
    processes = [_start(_AT_ONCE, environment) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def _start(code: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
