"""The counter, a person who is there in every table, and archives."""

import json
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.jobs import service as jobs
from tests.counter import arrive, desk, later, lot, read_mail

__all__ = ["arrive", "desk", "later", "lot", "read_mail"]

Fetch = Callable[[dict[str, str]], "Archive"]


class Archive:
    """What somebody finds when they open their archive."""

    def __init__(self, content: bytes) -> None:
        self._zip = zipfile.ZipFile(BytesIO(content))
        self.names = self._zip.namelist()

    def read(self, name: str) -> bytes:
        return self._zip.read(name)

    def text(self, name: str) -> str:
        return self.read(name).decode()

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))

    def all_text(self) -> Iterator[tuple[str, str]]:
        """Give each file but the receipts."""
        for name in self.names:
            if not name.endswith(".pdf"):
                yield name, self.text(name)


@pytest.fixture
def fetch_archive(app: Flask, client: FlaskClient) -> Fetch:
    """Ask for an archive, let a worker make it, and fetch it."""

    def fetch_archive(headers: dict[str, str]) -> Archive:
        asked = client.post("/api/v1/me/export", headers=headers)
        assert asked.status_code == 202, asked.text
        with app.app_context():
            jobs.run_due_jobs()
        job = client.get("/api/v1/me/export", headers=headers).json
        assert job["status"] == "done", job
        answer = client.get(job["result_url"], headers=headers)
        assert answer.status_code == 200
        return Archive(answer.data)

    return fetch_archive
