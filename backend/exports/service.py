"""What may be done about exports: ask for one, and list one's own."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from backend.audit.service import record
from backend.config import settings
from backend.errors import ExportUnderWay
from backend.exports.kinds import KINDS
from backend.exports.making import Order, make_export
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.makers import Maker, register_maker
from backend.jobs.service import start_job
from backend.models import Job, JobFile, User
from backend.notifications.telling import notify

_PREFIX = "export-"
JOB_KINDS = tuple(_PREFIX + kind for kind in KINDS)
# What must be gone when somebody closes their account stands in no audit entry.
_PERSONAL = frozenset({"q", "plate"})


def register_makers() -> None:
    """Let exports be made; ``create_app`` calls it."""
    for kind in KINDS:
        register_maker(_PREFIX + kind, Maker(partial(make_export, kind), announce_export, "admin"))


def request_export(
    admin: Caller,
    *,
    kind: str,
    format: str,  # noqa: A002 - what it is
    since: datetime | None,
    until: datetime | None,
    filters: Mapping[str, Any],
) -> Job:
    """Ask for an export, or give the job that makes the very same already.

    Raises:
        ExportUnderWay: another export of this kind is being made for the admin.
        TryAgain: that one ended this very moment.

    """
    params = Order(format, since, until, filters).as_params()
    job = start_job(_PREFIX + kind, admin.id, params)
    if job.params != params:
        raise ExportUnderWay(
            "You have another export of this kind under way. Wait for it, or cancel it.",
            job_id=job.id,
        )
    narrowed = {name: "…" if name in _PERSONAL else value for name, value in filters.items()}
    record(
        "export.asked",
        "export",
        job.id,
        actor_id=admin.id,
        after={**params, "kind": kind, "filters": narrowed},
    )
    return job


def list_exports(admin: Caller, *, limit: int, before: int | None = None) -> list[Job]:
    """List the exports that an admin asked for, the newest first, and one more than ``limit``."""
    statement = select(Job).where(Job.user_id == admin.id, Job.kind.in_(JOB_KINDS))
    if before is not None:
        statement = statement.where(Job.id < before)
    return list(db.session.scalars(statement.order_by(Job.id.desc()).limit(limit + 1)))


def announce_export(job_id: int, user_id: int) -> None:
    """Tell that an export can be fetched."""
    made = db.session.get_one(JobFile, job_id)
    user = db.session.get_one(User, user_id)
    notify(
        user_id,
        "export-made",
        key=f"export:{job_id}",
        kind="account",
        context={"name": user.name, "file": made.name, "days": settings().export_days},
        link="/admin/exports",
    )
