"""What an operator types."""

import dataclasses
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from backend import config
from backend.config import Settings
from backend.extensions import db
from backend.models import Lot, Spot
from backend.transaction import transaction

PASSWORD = "a quiet place to park"
GEOJSON = Path(__file__).resolve().parent.parent / "backend" / "demo" / "data" / "aalen.geojson"


class TestCreateAdmin:
    def test_it_makes_an_admin_who_can_sign_in(self, app: Flask, client: FlaskClient) -> None:
        made = _run(app, "create-admin", "--email", "boss@example.org", password=PASSWORD)
        assert made.exit_code == 0, made.output
        assert made.output.startswith("boss@example.org is an admin now")
        assert PASSWORD not in made.output
        body = {"email": "boss@example.org", "password": PASSWORD}
        answer = client.post("/api/v1/auth/login", json=body)
        assert answer.json is not None
        assert "admin" in answer.json["user"]["roles"]

    @pytest.mark.parametrize(
        ("email", "password"),
        [("boss@example.org", "short"), ("boss@example.org", "password123"), ("boss", PASSWORD)],
    )
    def test_what_is_wrong_is_one_clear_line(self, app: Flask, email: str, password: str) -> None:
        made = _run(app, "create-admin", "--email", email, password=password)
        assert made.exit_code == 1
        (line,) = made.output.splitlines()
        assert line.startswith("Error: ")
        assert line.endswith(".")
        assert line.count(".") == 1
        assert "Traceback" not in made.output


class TestImportLots:
    def test_a_dry_run_tells_all_and_keeps_nothing(self, app: Flask) -> None:
        tried = app.test_cli_runner().invoke(args=["import-lots", str(GEOJSON), "--dry-run"])
        assert tried.exit_code == 0, tried.output
        assert "dry run" in tried.output.splitlines()[-1]
        assert _count(app) == (0, 0)

        done = app.test_cli_runner().invoke(args=["import-lots", str(GEOJSON)])
        assert done.exit_code == 0, done.output
        lots, spots = _count(app)
        assert f"{lots} created" in done.output.splitlines()[-1]
        assert spots > lots > 0

        again = app.test_cli_runner().invoke(args=["import-lots", str(GEOJSON)])
        assert f"{lots} unchanged" in again.output.splitlines()[-1]
        assert _count(app) == (lots, spots)

    @pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff\xfe", b'{"type": "Feature"}'])
    def test_a_broken_file_is_one_clear_line(
        self, app: Flask, tmp_path: Path, content: bytes
    ) -> None:
        file = tmp_path / "broken.geojson"
        file.write_bytes(content)
        tried = app.test_cli_runner().invoke(args=["import-lots", str(file)])
        assert tried.exit_code == 1
        (line,) = tried.output.splitlines()
        assert line.startswith("Error: ")
        assert _count(app) == (0, 0)

    def test_a_file_that_is_not_there_is_told(self, app: Flask, tmp_path: Path) -> None:
        tried = app.test_cli_runner().invoke(args=["import-lots", str(tmp_path / "no.csv")])
        assert tried.exit_code == 2
        assert "does not exist" in tried.output


class TestLoadDemo:
    def test_production_refuses_it(self, app: Flask, settings: Settings) -> None:
        config.use(dataclasses.replace(settings, app_env="production"))
        tried = app.test_cli_runner().invoke(args=["load-demo"])
        assert tried.exit_code == 1
        assert tried.output == "Error: The demonstration is never loaded in production.\n"
        assert _count(app) == (0, 0)


def _run(app: Flask, *arguments: str, password: str) -> Result:
    return app.test_cli_runner().invoke(
        args=[*arguments, "--password-stdin"], input=f"{password}\n"
    )


def _count(app: Flask) -> tuple[int, int]:
    with app.app_context(), transaction(read_only=True):
        lots, spots = (
            db.session.scalar(select(func.count()).select_from(model)) for model in (Lot, Spot)
        )
    return lots or 0, spots or 0
