"""What may be done about one's own data: ask for all of it."""

from sqlalchemy import select

from backend.audit.service import record
from backend.config import settings
from backend.errors import Unauthenticated
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.service import get_newest_job, start_job
from backend.models import Job, User
from backend.notifications.telling import notify

EXPORT = "export"
"""The kind of the job that makes the archive."""


def request_export(user: Caller) -> Job:
    """Ask for the archive of one's own data, or give the job that is at it already.

    Raises:
        Unauthenticated: the account was closed or disabled a moment ago.
        TryAgain: a job before it ended this very moment.

    """
    # An account that is being closed is waited for.
    found = db.session.scalar(
        select(User.id).where(User.id == user.id, User.active).with_for_update(key_share=True)
    )
    if found is None:
        raise Unauthenticated("This account was closed or disabled a moment ago.")
    job = start_job(EXPORT, user.id)
    record("user.exported", "user", user.id, actor_id=user.id)
    return job


def get_export(user: Caller) -> Job:
    """Give the newest export that the user asked for.

    Raises:
        NotFound: there is none.

    """
    return get_newest_job(user, EXPORT)


def announce_export(job_id: int, user_id: int) -> None:
    """Promise the mail that says that the archive can be fetched."""
    user = db.session.get_one(User, user_id)
    notify(
        user.id,
        "export-ready",
        key=f"export:{job_id}",
        kind="account",
        context={"name": user.name, "days": settings().export_days},
    )
