"""Letting a job that failed be done once more."""

from sqlalchemy.exc import IntegrityError

from backend.celery import start_task
from backend.clock import now
from backend.database import get_row, violates
from backend.errors import NotRetryable
from backend.extensions import db
from backend.models import Job
from backend.transaction import after_commit


def retry_job(job_id: int) -> None:
    """Let a job that failed begin anew, with all its attempts.

    Raises:
        NotFound: there is no such job.
        NotRetryable: it did not fail, is past its time, or its user has another of its kind under way.

    """
    job, moment = get_row(Job, job_id, for_update=True), now()
    if job.status != "failed" or job.expires_at <= moment:
        raise NotRetryable(
            "Only a job that failed, and that is not past its time, can be done again."
        )
    job.status, job.progress, job.attempts = "queued", 0, 0
    job.error = job.failure = job.finished_at = None
    job.next_attempt_at = moment
    try:
        db.session.flush()  # the index that allows one under way speaks now
    except IntegrityError as error:
        if violates(error, "uq_jobs_one_under_way"):
            raise NotRetryable("Who asked for it has another one of its kind under way.") from error
        raise
    after_commit(start_task, "jobs.run", job_id)
