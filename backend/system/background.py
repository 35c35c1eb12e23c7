"""Work in the background as admins see it: jobs, reports, mail and tasks on one page, and another try."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, select

from backend.audit.service import masked, record
from backend.celery import start_task
from backend.clock import now
from backend.database import get_row
from backend.errors import NotFound, NotRetryable
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.retrying import retry_job
from backend.models import Job, OutboxMail, Report, TaskFailure, User
from backend.notifications.retrying import may_retry_mail, retry_mail
from backend.reports.retrying import retry_report
from backend.transaction import after_commit

STATES = ("waiting", "running", "done", "failed", "bounced", "cancelled")
"""How a piece of work may stand, whatever the word for it is in its own table."""
_NOT_WELL = ("failed", "bounced")
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whose work it is; one whose account is closed has no name."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work, whatever table it is in."""

    id: int
    what: str
    kind: str
    about: str | None
    who: Somebody | None
    status: str
    progress: int | None
    attempts: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    retryable: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """Where one kind of work is kept, how it is read, and how it is tried again."""

    subject: str
    """What the audit log calls it."""
    model: Any
    status: Any
    user_id: Any
    states: Mapping[str, str]
    """By the words of the table those of this page."""
    read: Callable[[Any], dict[str, Any]]
    retry: Callable[[int], None]


def list_work(what: str, *, status: str | None, before: int | None, limit: int) -> list[Work]:
    """List the work of one kind, the newest first, and one more than ``limit``."""
    table = _TABLES[what]
    rows = _select(table).order_by(table.model.id.desc()).limit(limit + 1)
    if status is not None:
        rows = rows.where(_stands(table, status))
    if before is not None:
        rows = rows.where(table.model.id < before)
    return [_read(what, *row) for row in db.session.execute(rows)]


def count_failed() -> dict[str, int]:
    """Count by kind what failed and was not tried again since."""
    return {
        what: db.session.scalar(
            select(func.count()).select_from(table.model).where(_stands(table, *_NOT_WELL))
        )
        or 0
        for what, table in _TABLES.items()
    }


def retry(admin: Caller, what: str, work_id: int) -> Work:
    """Let a piece of work that failed be done once more.

    Raises:
        NotFound: there is no such kind of work, or no such piece of it.
        NotRetryable: it did not fail, or cannot be done again.

    """
    if what not in _TABLES:
        raise NotFound(f"There is no work of the kind {what}.")
    before = _get(what, work_id).status
    table = _TABLES[what]
    table.retry(work_id)
    db.session.flush()  # the row is read again below
    after = _get(what, work_id)
    record(
        "work.retried",
        table.subject,
        work_id,
        actor_id=admin.id,
        before={"status": before},
        after={"status": after.status, "kind": after.kind},
    )
    return after


def _get(what: str, work_id: int) -> Work:
    table = _TABLES[what]
    row = db.session.execute(_select(table).where(table.model.id == work_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no work {work_id} of the kind {what}.")
    return _read(what, *row)


def _select(table: _Table) -> Select[Any]:
    alive = and_(User.id == table.user_id, User.deleted_at.is_(None))
    return select(table.model, table.status, table.user_id, User.name).outerjoin(User, alive)


def _stands(table: _Table, *statuses: str) -> Any:
    return table.status.in_([word for word, ours in table.states.items() if ours in statuses])


def _read(what: str, row: Any, status: str, user_id: int | None, name: str | None) -> Work:
    table = _TABLES[what]
    return Work(
        id=row.id,
        what=what,
        who=None if user_id is None else Somebody(user_id, name),
        status=table.states[status],
        **table.read(row),
    )


def _read_job(job: Job) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "about": None,
        "progress": job.progress,
        "attempts": job.attempts,
        "error": job.failure or job.error,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "retryable": job.status == "failed" and job.expires_at > now(),
    }


def _read_report(report: Report) -> dict[str, Any]:
    return {
        "kind": report.audience,
        "about": f"{report.month:%Y-%m}",
        "progress": None,
        "attempts": report.attempts,
        "error": report.error,
        "created_at": report.created_at,
        "finished_at": report.finished_at,
        "retryable": report.status == "failed",
    }


def _read_mail(mail: OutboxMail) -> dict[str, Any]:
    return {
        "kind": mail.template,
        "about": masked(mail.to_address),
        "progress": None,
        "attempts": mail.attempts,
        "error": mail.last_error,
        "created_at": mail.created_at,
        "finished_at": mail.sent_at,
        "retryable": may_retry_mail(mail, now()),
    }


def _read_failure(failure: TaskFailure) -> dict[str, Any]:
    return {
        "kind": failure.task,
        "about": json.dumps(failure.arguments)[:_LONGEST_TEXT],
        "progress": None,
        "attempts": failure.count,
        "error": failure.error,
        "created_at": failure.first_at,
        "finished_at": failure.resolved_at or failure.last_at,
        "retryable": failure.resolved_at is None,
    }


def _retry_task(failure_id: int) -> None:
    """Start a task that failed once more, with the same arguments; failing again, it is open again."""
    failure = get_row(TaskFailure, failure_id, for_update=True)
    if failure.resolved_at is not None:
        raise NotRetryable("This task went well since, or was started again.")
    failure.resolved_at = now()
    after_commit(start_task, failure.task, *failure.arguments)


_TABLES: dict[str, _Table] = {
    "jobs": _Table(
        subject="job",
        model=Job,
        status=Job.status,
        user_id=Job.user_id,
        states={
            "queued": "waiting",
            "running": "running",
            "done": "done",
            "failed": "failed",
            "cancelled": "cancelled",
        },
        read=_read_job,
        retry=retry_job,
    ),
    "reports": _Table(
        subject="report",
        model=Report,
        status=Report.status,
        user_id=Report.user_id,
        states={"queued": "waiting", "running": "running", "ready": "done", "failed": "failed"},
        read=_read_report,
        retry=retry_report,
    ),
    "mail": _Table(
        subject="mail",
        model=OutboxMail,
        status=OutboxMail.status,
        user_id=OutboxMail.user_id,
        states={"pending": "waiting", "sent": "done", "failed": "failed", "bounced": "bounced"},
        read=_read_mail,
        retry=retry_mail,
    ),
    "tasks": _Table(
        subject="task",
        model=TaskFailure,
        status=case((TaskFailure.resolved_at.is_(None), "open"), else_="settled"),
        # Nobody asked for them.
        user_id=literal(None, User.id.type),
        states={"open": "failed", "settled": "done"},
        read=_read_failure,
        retry=_retry_task,
    ),
}

KINDS = tuple(_TABLES)
"""What there is work of."""
