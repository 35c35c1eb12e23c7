"""P13: two beats plan at the very same moment; without the key each would have its own report."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend.extensions import db
from backend.models import OutboxMail, Report
from backend.reports import planning
from backend.reports.making import run_due
from backend.reports.planning import plan
from backend.transaction import transaction
from tests.counter import Arrive
from tests.factories import Factory
from tests.reports.conftest import Park, Travel

BEATS = 2
_WAIT_SECONDS = 20

Write = Callable[[Sequence[dict[str, Any]]], list[int]]


def plan_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch, write: Write) -> list[int]:
    """Let two threads look before either of them writes; give how many each of them wrote."""
    both_looked = threading.Barrier(BEATS)
    said: list[int] = []

    def write_down(reports: Sequence[dict[str, Any]]) -> list[int]:
        if reports:
            both_looked.wait(_WAIT_SECONDS)
        return write(reports)

    def beat() -> None:
        with app.app_context():
            said.append(plan())

    monkeypatch.setattr(planning, "_write_down", write_down)
    threads = [threading.Thread(target=beat) for _ in range(BEATS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def count_reports(app: Flask) -> tuple[int, int]:
    """Count reports, and what they are about: person and month."""
    with app.app_context(), transaction(read_only=True):
        all_of_them = db.session.scalar(select(func.count()).select_from(Report)) or 0
        different = db.session.execute(select(Report.user_id, Report.month).distinct()).all()
    return all_of_them, len(different)


@pytest.fixture
def november(make: Factory, arrive: Arrive, park: Park, travel: Travel) -> None:
    """Two drivers parked in October, and reports are due."""
    lot = make.lot()
    park(arrive(), lot, "2026-10-14T12:00")
    park(arrive(), lot, "2026-10-14T13:00")
    travel("2026-11-01T05:00")


@pytest.mark.usefixtures("november")
class TestTwoBeats:
    def test_one_report_each(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        said = plan_at_once(app, monkeypatch, planning._write_down)
        assert len(said) == BEATS
        assert sum(said) == 3
        assert count_reports(app) == (3, 3)

    def test_each_is_mailed_once_however_many_workers(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan_at_once(app, monkeypatch, planning._write_down)

        def work() -> None:
            with app.app_context():
                run_due()

        workers = [threading.Thread(target=work) for _ in range(BEATS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        with app.app_context(), transaction(read_only=True):
            keys = db.session.scalars(
                select(OutboxMail.key).where(OutboxMail.template == "monthly-report")
            ).all()
        assert len(keys) == len(set(keys)) == 2

    def test_without_the_key_there_would_be_two(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = planning._write_down

        def write_keyless(reports: Sequence[dict[str, Any]]) -> list[int]:
            """Write with a key that keeps nobody out."""
            own = threading.get_ident()
            return write([{**report, "key": f"{report['key']}:{own}"} for report in reports])

        plan_at_once(app, monkeypatch, write_keyless)
        assert count_reports(app) == (6, 3)
