"""Exports as an admin has them: asked for, made by a worker, fetched and read."""

import csv
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.jobs import service as jobs
from tests.counter import arrive, desk, later, lot, read_mail

__all__ = ["arrive", "desk", "later", "lot", "read_mail"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """An admin who exports."""

    app: Flask
    client: FlaskClient
    headers: dict[str, str]

    def ask(self, kind: str, file_format: str = "csv", **wishes: Any) -> Any:
        """Ask for an export."""
        body = {"kind": kind, "format": file_format, **wishes}
        return self.client.post("/api/v1/exports", json=body, headers=self.headers)

    def fetch(self, kind: str, file_format: str = "csv", **wishes: Any) -> bytes:
        """Ask for an export, let a worker make it, and fetch it."""
        asked = self.ask(kind, file_format, **wishes)
        assert asked.status_code == 202, asked.text
        with self.app.app_context():
            jobs.run_job(asked.json["id"])
        job = self.client.get(f"/api/v1/jobs/{asked.json['id']}", headers=self.headers).json
        assert job["status"] == "done", job
        answer = self.client.get(job["result_url"], headers=self.headers)
        assert answer.status_code == 200
        return bytes(answer.data)

    def rows(self, kind: str, **wishes: Any) -> list[Row]:
        """Give the rows of a CSV by the titles of their columns."""
        return read_csv(self.fetch(kind, **wishes))

    def book(self, kind: str, **wishes: Any) -> openpyxl.Workbook:
        """Give a spreadsheet as a program reads it."""
        return openpyxl.load_workbook(BytesIO(self.fetch(kind, "xlsx", **wishes)))


def read_csv(content: bytes) -> list[Row]:
    """Give the rows of a CSV by the titles of their columns."""
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


@pytest.fixture
def office(app: Flask, client: FlaskClient, as_admin: dict[str, str]) -> Office:
    return Office(app, client, as_admin)
