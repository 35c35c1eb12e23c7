"""Tasks, how they are started, and when."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from flask import Flask
from flask import current_app as current_flask_app
from sqlalchemy import select, text

from backend.celery import create_celery, start_task, task
from backend.config import Settings
from backend.database import prepare_engine
from backend.extensions import db
from backend.models import TaskFailure
from backend.schedule import SCHEDULE
from backend.transaction import transaction


@task("tests.write")
def write(name: str) -> str:
    db.session.execute(text("INSERT INTO notes VALUES (:name)"), {"name": name})
    if name == "bad":
        raise ValueError(name)
    return current_flask_app.name


@task("tests.look_around", in_transaction=False)
def look_around() -> bool:
    return db.session().in_transaction()


_moods: list[str] = []


@task("tests.fickle", in_transaction=False)
def fickle(_name: str) -> None:
    if not _moods:
        raise RuntimeError("somebody@example.org")
    _moods.clear()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = Flask("tasks")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/tasks.db"
    app.extensions["settings"] = Settings(celery_broker_url="")
    db.init_app(app)
    create_celery(app)
    with app.app_context():
        prepare_engine(db.engine)
    with app.app_context(), transaction():
        db.session.execute(text("CREATE TABLE notes (name TEXT)"))
        TaskFailure.metadata.tables["task_failures"].create(db.session.connection())
    yield app
    with app.app_context():
        db.engine.dispose()


def notes(app: Flask) -> list[str]:
    with app.app_context(), transaction(read_only=True):
        return list(db.session.scalars(text("SELECT name FROM notes")))


class TestTask:
    def test_it_runs_in_the_application_and_is_committed(self, app: Flask) -> None:
        assert write("good") == "tasks"
        assert notes(app) == ["good"]

    def test_a_failure_leaves_nothing(self, app: Flask) -> None:
        with pytest.raises(ValueError, match="bad"):
            write("bad")
        assert notes(app) == []

    def test_one_that_opens_its_own_transactions_gets_none(self, app: Flask) -> None:
        assert look_around() is False


def failures(app: Flask) -> list[TaskFailure]:
    with app.app_context(), transaction(read_only=True):
        return list(db.session.scalars(select(TaskFailure).order_by(TaskFailure.id)))


class TestFailure:
    def test_it_is_kept_once_and_counted(self, app: Flask) -> None:
        for _ in range(3):
            write.apply(("bad",))
        (kept,) = failures(app)
        assert (kept.task, kept.arguments, kept.count) == ("tests.write", ["bad"], 3)
        assert kept.first_at < kept.last_at
        assert kept.resolved_at is None

    def test_it_says_where_and_never_what_the_error_said(self, app: Flask) -> None:
        write.apply(("bad",))
        (kept,) = failures(app)
        assert kept.error.startswith("ValueError in backend.celery, line ")

    def test_the_same_work_going_well_settles_it(self, app: Flask) -> None:
        fickle.apply(("x",))
        (kept,) = failures(app)
        assert kept.resolved_at is None
        _moods.append("well")
        fickle.apply(("x",))
        (kept,) = failures(app)
        assert (kept.count, kept.resolved_at is None) == (1, False)
        fickle.apply(("x",))
        (kept,) = failures(app)
        assert (kept.count, kept.resolved_at) == (2, None)

    def test_other_arguments_are_another(self, app: Flask) -> None:
        write.apply(("bad",))
        fickle.apply(("x",))
        fickle.apply(("y",))
        assert [each.arguments for each in failures(app)] == [["bad"], ["x"], ["y"]]

    def test_what_goes_well_writes_nothing(self, app: Flask) -> None:
        write.apply(("good",))
        assert failures(app) == []

    def test_one_that_cannot_be_kept_costs_nothing_else(
        self, app: Flask, caplog: pytest.LogCaptureFixture
    ) -> None:
        with app.app_context(), transaction():
            db.session.execute(text("DROP TABLE task_failures"))
        assert isinstance(write.apply(("bad",)).result, ValueError)
        assert write.apply(("good",)).result == "tasks"
        assert "could not be kept" in caplog.text


class TestStartTask:
    def test_with_the_broker_away_it_is_a_warning(
        self, app: Flask, caplog: pytest.LogCaptureFixture
    ) -> None:
        with socket.socket() as taken:
            # Bound and not listening: whoever connects is refused, and nobody else gets the port.
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            app.extensions["settings"] = Settings(celery_broker_url=f"redis://127.0.0.1:{port}/1")
            create_celery(app)
            with caplog.at_level(logging.WARNING):
                start_task("tests.write", "later")
        assert "tests.write waits for its sweep" in caplog.text


class TestSchedule:
    def test_every_task_on_it_exists(self, app: Flask) -> None:
        celery: Celery = app.extensions["celery"]
        celery.loader.import_default_modules()
        assert {entry["task"] for entry in SCHEDULE.values()} <= set(celery.tasks)

    def test_messages_are_json_and_survive_a_lost_worker(self, app: Flask) -> None:
        conf = app.extensions["celery"].conf
        assert (conf.accept_content, conf.task_serializer) == (["json"], "json")
        assert conf.task_acks_late
        assert conf.task_reject_on_worker_lost
