"""A kind of job for tests, and workers who do what they are told."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend.extensions import db
from backend.jobs import makers, service
from backend.jobs.makers import Assignment, MadeFile, Maker, Report, register_maker
from backend.models import Job, JobFile, JobFilePart
from backend.transaction import transaction

KIND = "tests"


class Workshop:
    """Makes the files of the tests' jobs, and keeps count."""

    def __init__(self) -> None:
        self.made_for: list[int] = []
        self.announced: list[int] = []
        self.before: Callable[[Report], None] = lambda _report: None
        self.content: Callable[[Assignment], Path | Iterable[bytes]] = self.write

    @staticmethod
    def write(assignment: Assignment) -> Iterable[bytes]:
        return [b"made for ", b"%d" % assignment.user_id]

    def make(self, assignment: Assignment) -> MadeFile:
        self.before(assignment.report)
        self.made_for.append(assignment.user_id)
        return MadeFile("made.zip", "application/zip", self.content(assignment))

    def announce(self, job_id: int, _user_id: int) -> None:
        self.announced.append(job_id)


class Bench:
    """Jobs as the services see them."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def start(self, user_id: int, **params: object) -> int:
        with self._app.app_context(), transaction():
            return service.start_job(KIND, user_id, params).id

    def run(self, job_id: int) -> None:
        with self._app.app_context():
            service.run_job(job_id)

    def sweep(self) -> None:
        with self._app.app_context():
            service.run_due_jobs()

    def purge(self) -> int:
        with self._app.app_context():
            return service.purge_expired()

    def look(self, job_id: int) -> Job:
        with self._app.app_context(), transaction(read_only=True):
            return db.session.get_one(Job, job_id)

    def count_parts(self) -> int:
        with self._app.app_context(), transaction(read_only=True):
            return db.session.scalar(select(func.count()).select_from(JobFilePart)) or 0

    def count(self) -> tuple[int, int]:
        """Count jobs and files."""
        with self._app.app_context(), transaction(read_only=True):
            return (
                db.session.scalar(select(func.count()).select_from(Job)) or 0,
                db.session.scalar(select(func.count()).select_from(JobFile)) or 0,
            )


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    found = Workshop()
    monkeypatch.setattr(makers, "_makers", dict(makers._makers))
    register_maker(KIND, Maker(found.make, found.announce))
    return found


@pytest.fixture
def bench(app: Flask, workshop: Workshop) -> Bench:
    """The jobs, with the workshop that does them."""
    assert workshop.made_for == []
    return Bench(app)
