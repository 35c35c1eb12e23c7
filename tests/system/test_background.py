"""Work in the background on one page: what there is, what failed, and another try."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import clock
from backend.extensions import db
from backend.models import AuditEntry, Base, Job, OutboxMail, Report, TaskFailure, User
from backend.system.tasks import purge_settled_failures
from backend.transaction import transaction
from tests.desk import problem
from tests.factories import Factory

PATH = "/api/v1/system/jobs"
MoveClock = Callable[[timedelta], None]
Keep = Callable[[Base], int]


@pytest.fixture
def keep(app: Flask) -> Keep:
    """Write a row, and give its number."""

    def write(row: Any) -> int:
        with app.app_context(), transaction():
            db.session.add(row)
            db.session.flush()
            return int(row.id)

    return write


@pytest.fixture
def started(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the workers were asked to do."""
    asked: list[tuple[str, Any]] = []

    def send(name: str, args: Any, **_options: Any) -> None:
        asked.append((name, list(args)))

    monkeypatch.setattr(app.extensions["celery"], "send_task", send)
    return asked


def job(user: User, **values: Any) -> Job:
    moment = clock.now()
    return Job(
        **{
            "kind": "export",
            "user_id": user.id,
            "status": "failed",
            "attempts": 3,
            "progress": 40,
            "error": "This could not be made.",
            "failure": "ValueError in backend.exports.making, line 7",
            "created_at": moment,
            "next_attempt_at": moment,
            "finished_at": moment,
            "expires_at": moment + timedelta(days=7),
        }
        | values
    )


def report(user: User | None, **values: Any) -> Report:
    moment = clock.now()
    audience = "operator" if user is None else "driver"
    return Report(
        **{
            "key": f"{audience}:{user and user.id}:2026-10",
            "audience": audience,
            "user_id": user and user.id,
            "month": date(2026, 10, 1),
            "timezone": "Europe/Berlin",
            "locale": "en",
            "status": "failed",
            "attempts": 3,
            "error": "OverflowError",
            "created_at": moment,
            "next_attempt_at": moment,
            "finished_at": moment,
        }
        | values
    )


def mail(user: User | None, **values: Any) -> OutboxMail:
    moment = clock.now()
    return OutboxMail(
        **{
            "key": f"receipt:{values}",
            "template": "receipt",
            "to_address": user.email if user else "stranger@example.org",
            "user_id": user and user.id,
            "context": {},
            "status": "bounced",
            "attempts": 1,
            "last_error": "550 no such user",
            "created_at": moment,
            "next_attempt_at": moment,
        }
        | values
    )


def failure(**values: Any) -> TaskFailure:
    moment = clock.now()
    return TaskFailure(
        **{
            "digest": f"digest of {values}",
            "task": "payments.reconcile",
            "arguments": [42],
            "error": "ValueError in backend.payments.service, line 7",
            "first_at": moment,
            "last_at": moment,
        }
        | values
    )


class TestList:
    def test_each_kind_is_shown_alike(
        self, client: FlaskClient, as_admin: dict[str, str], driver: User, keep: Keep
    ) -> None:
        for row in (job(driver), report(driver), mail(driver), failure()):
            keep(row)
        seen = {}
        for what in ("jobs", "reports", "mail", "tasks"):
            page = client.get(f"{PATH}?what={what}", headers=as_admin).json
            assert page["failed"] == {"jobs": 1, "reports": 1, "mail": 1, "tasks": 1}
            (item,) = page["items"]
            assert item["what"] == what
            assert item["retryable"]
            seen[what] = (item["kind"], item["about"], item["status"], item["error"])
            who = None if what == "tasks" else {"id": driver.id, "name": driver.name}
            assert item["who"] == who
        assert seen == {
            "jobs": ("export", None, "failed", "ValueError in backend.exports.making, line 7"),
            "reports": ("driver", "2026-10", "failed", "OverflowError"),
            "mail": ("receipt", "d…@e…", "bounced", "550 no such user"),
            "tasks": (
                "payments.reconcile",
                "[42]",
                "failed",
                "ValueError in backend.payments.service, line 7",
            ),
        }

    def test_it_is_filtered_by_how_it_stands_and_comes_in_pages(
        self, client: FlaskClient, as_admin: dict[str, str], make: Factory, keep: Keep
    ) -> None:
        statuses = ("queued", "running", "done", "failed", "cancelled", "failed")
        ids = [keep(job(make.user(), status=status)) for status in statuses]
        words = ("waiting", "running", "done", "failed", "cancelled")
        found = {
            word: [
                item["id"]
                for item in client.get(f"{PATH}?status={word}", headers=as_admin).json["items"]
            ]
            for word in words
        }
        assert found == {
            "waiting": [ids[0]],
            "running": [ids[1]],
            "done": [ids[2]],
            "failed": [ids[5], ids[3]],
            "cancelled": [ids[4]],
        }
        assert client.get(f"{PATH}?status=bounced", headers=as_admin).json["items"] == []
        first = client.get(f"{PATH}?limit=4", headers=as_admin).json
        rest = client.get(f"{PATH}?limit=4&cursor={first['next_cursor']}", headers=as_admin).json
        assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
        assert rest["next_cursor"] is None

    def test_mail_of_nobody_and_of_a_closed_account_names_nobody(
        self, client: FlaskClient, as_admin: dict[str, str], make: Factory, keep: Keep
    ) -> None:
        closed = make.user(deleted_at=clock.now())
        keep(mail(None))
        keep(mail(closed, key="b"))
        page = client.get(f"{PATH}?what=mail", headers=as_admin).json
        assert [each["who"] for each in page["items"]] == [{"id": closed.id, "name": None}, None]

    def test_the_page_asks_for_as_much_however_long_it_is(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        make: Factory,
        keep: Keep,
        statements: Any,
    ) -> None:
        counts = []
        for _ in range(2):
            keep(job(make.user()))
            with statements() as asked:
                client.get(PATH, headers=as_admin)
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestRetry:
    def test_a_job_begins_anew(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        driver: User,
        keep: Keep,
        started: list[Any],
    ) -> None:
        job_id = keep(job(driver))
        item = client.post(f"{PATH}/jobs/{job_id}/retry", headers=as_admin).json
        assert (item["status"], item["attempts"], item["progress"]) == ("waiting", 0, 0)
        assert (item["error"], item["retryable"], item["finished_at"]) == (None, False, None)
        assert started == [("jobs.run", [job_id])]
        again = client.post(f"{PATH}/jobs/{job_id}/retry", headers=as_admin)
        assert problem(again) == "409 not-retryable"

    def test_a_report_is_made_anew(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        driver: User,
        keep: Keep,
        started: list[Any],
    ) -> None:
        report_id = keep(report(driver))
        item = client.post(f"{PATH}/reports/{report_id}/retry", headers=as_admin).json
        assert (item["status"], item["attempts"], item["error"]) == ("waiting", 0, None)
        assert started == [("reports.make_some", [[report_id]])]

    @pytest.mark.parametrize("status", ["bounced", "failed"])
    def test_a_mail_is_sent_anew(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        driver: User,
        keep: Keep,
        started: list[Any],
        status: str,
    ) -> None:
        mail_id = keep(mail(driver, status=status))
        item = client.post(f"{PATH}/mail/{mail_id}/retry", headers=as_admin).json
        assert (item["status"], item["attempts"], item["error"]) == ("waiting", 0, None)
        assert started == [("notifications.send_mail", [mail_id])]

    def test_a_task_runs_with_what_it_was_given(
        self, client: FlaskClient, as_admin: dict[str, str], keep: Keep, started: list[Any]
    ) -> None:
        failure_id = keep(failure(arguments=[42, [1, 2]]))
        item = client.post(f"{PATH}/tasks/{failure_id}/retry", headers=as_admin).json
        assert (item["status"], item["retryable"]) == ("done", False)
        assert started == [("payments.reconcile", [42, [1, 2]])]
        again = client.post(f"{PATH}/tasks/{failure_id}/retry", headers=as_admin)
        assert problem(again) == "409 not-retryable"

    def test_what_is_well_or_cannot_be_done_again_is_refused(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        driver: User,
        make: Factory,
        keep: Keep,
        started: list[Any],
    ) -> None:
        past = clock.now() - timedelta(minutes=1)
        refused: dict[str, list[Base]] = {
            "jobs": [job(make.user(), status="done"), job(make.user(), expires_at=past)],
            "reports": [report(driver, status="ready"), report(None, status="queued")],
            "mail": [
                mail(driver, key="a", status="sent"),
                mail(driver, key="b", status="pending"),
                mail(driver, key="c", has_secret=True),
                mail(driver, key="d", expires_at=past),
                mail(driver, key="e", to_address="closed-1@closed.invalid"),
            ],
        }
        for what, rows in refused.items():
            for row_id in [keep(row) for row in rows]:
                answer = client.post(f"{PATH}/{what}/{row_id}/retry", headers=as_admin)
                assert problem(answer) == "409 not-retryable"
            shown = client.get(f"{PATH}?what={what}", headers=as_admin).json["items"]
            assert not any(item["retryable"] for item in shown)
        assert started == []

    def test_a_job_whose_user_asked_again_stays_failed(
        self, client: FlaskClient, as_admin: dict[str, str], driver: User, keep: Keep
    ) -> None:
        failed = keep(job(driver))
        keep(job(driver, status="queued", finished_at=None))
        answer = client.post(f"{PATH}/jobs/{failed}/retry", headers=as_admin)
        assert problem(answer) == "409 not-retryable"
        shown = client.get(f"{PATH}?status=failed", headers=as_admin).json["items"]
        assert [item["id"] for item in shown] == [failed]

    def test_what_is_not_there_is_not_found(
        self, client: FlaskClient, as_admin: dict[str, str]
    ) -> None:
        for path in ("jobs/7", "reports/7", "mail/7", "tasks/7", "dreams/7"):
            answer = client.post(f"{PATH}/{path}/retry", headers=as_admin)
            assert problem(answer) == "404 not-found"

    def test_it_stands_in_the_audit_log_without_a_name(
        self, app: Flask, client: FlaskClient, as_admin: dict[str, str], admin: User, keep: Keep
    ) -> None:
        mail_id = keep(mail(None))
        client.post(f"{PATH}/mail/{mail_id}/retry", headers=as_admin)
        with app.app_context(), transaction(read_only=True):
            entry = db.session.scalars(
                select(AuditEntry).where(AuditEntry.action == "work.retried")
            ).one()
        assert (entry.actor_id, entry.subject, entry.subject_id) == (admin.id, "mail", mail_id)
        assert entry.before == {"status": "bounced"}
        assert entry.after == {"status": "waiting", "kind": "receipt"}


class TestPurge:
    def test_settled_failures_go_after_a_month_and_open_ones_stay(
        self, app: Flask, keep: Keep, move_clock: MoveClock
    ) -> None:
        still_open = keep(failure(digest="a"))
        keep(failure(digest="b", resolved_at=clock.now()))
        move_clock(timedelta(days=29))
        purge_settled_failures()
        recent = keep(failure(digest="c", resolved_at=clock.now()))
        move_clock(timedelta(days=31))
        purge_settled_failures()
        with app.app_context(), transaction(read_only=True):
            left = db.session.scalars(select(TaskFailure.id).order_by(TaskFailure.id)).all()
        assert left == [still_open, recent]
