"""What may be done about jobs: start one, run what is due, fetch what was made, forget it in time."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.celery import start_task
from backend.clock import now
from backend.config import settings
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.makers import MadeFile, Report, maker_of
from backend.models import Job, JobFile
from backend.models.job import UNDER_WAY
from backend.transaction import TryAgain, after_commit, transaction

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# Longer than a task may run, so that no second worker begins what a first is still at.
LEASE = timedelta(minutes=11)
_PAUSE = timedelta(minutes=1)
_BATCH = 100
# A sweep begins no job later than this, so that its task's time is enough for the last one.
_SWEEP_SECONDS = 120
_SORRY = "This could not be made. Please ask for it again."


@dataclass(frozen=True, slots=True)
class _ClaimedJob:
    id: int
    kind: str
    user_id: int
    attempt: int


def start_job(kind: str, user_id: int) -> Job:
    """Ask for a job, or give the one of this kind that the user has under way.

    Raises:
        TryAgain: that one ended this very moment.

    """
    moment = now()
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    job_id = db.session.scalar(
        dialect.insert(Job)
        .values(
            kind=kind,
            user_id=user_id,
            status="queued",
            progress=0,
            attempts=0,
            created_at=moment,
            next_attempt_at=moment,
            expires_at=moment + _kept(),
        )
        # Of two at once one is written; the other finds it by the look below.
        .on_conflict_do_nothing(index_elements=["user_id", "kind"], index_where=UNDER_WAY)
        .returning(Job.id)
    )
    if job_id is not None:
        after_commit(start_task, "jobs.run", job_id)
        return db.session.get_one(Job, job_id)
    running = db.session.scalar(
        select(Job).where(Job.kind == kind, Job.user_id == user_id, UNDER_WAY)
    )
    if running is None:
        raise TryAgain
    return running


def get_job(reader: Caller, job_id: int) -> Job:
    """Give a job of the reader's own.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    job = db.session.get(Job, job_id)
    if job is None or job.user_id != reader.id:
        raise NotFound(f"You have no job {job_id}.")
    return job


def get_newest_job(reader: Caller, kind: str) -> Job:
    """Give the newest job of this kind that the reader asked for.

    Raises:
        NotFound: there is none.

    """
    job = db.session.scalar(
        select(Job)
        .where(Job.user_id == reader.id, Job.kind == kind)
        .order_by(Job.id.desc())
        .limit(1)
    )
    if job is None:
        raise NotFound("You have asked for none, or it is gone again.")
    return job


def get_result(reader: Caller, job_id: int) -> MadeFile:
    """Give the file that a job of the reader's own made.

    Raises:
        NotFound: there is no such job, it has not made its file, or the file is gone again.

    """
    job = get_job(reader, job_id)
    made = db.session.get(JobFile, job_id) if has_result(job) else None
    if made is None:
        raise NotFound(f"The job {job_id} has no file to fetch.")
    return MadeFile(made.name, made.media_type, made.content)


def has_result(job: Job) -> bool:
    """Tell whether the file of a job can be fetched now."""
    return job.status == "done" and job.expires_at > now()


def run_job(job_id: int) -> None:
    """Do a job if it is due and nobody else is at it.

    It is claimed in one transaction, done between transactions, and its end written down in another. A
    worker that dies in between says nothing; when its lease is over, another may claim the job.
    """
    job = _claim(job_id)
    if job is None:
        return
    try:
        made = maker_of(job.kind).make(job.user_id, _reporter(job))
        _finish(job, made)
    except Exception:
        # Whatever is wrong with this job, it costs this job only. What it was may name somebody.
        logger.exception("Job %s could not be done", job.id)
        _fail(job)


def run_due_jobs() -> None:
    """Do what is due: jobs whose task was lost, or whose worker was; give up what killed three."""
    begun_at = time.monotonic()
    _give_up()
    with transaction(read_only=True):
        due = _list_due()
    for job_id in due:
        run_job(job_id)
        if time.monotonic() - begun_at > _SWEEP_SECONDS:
            logger.warning("The jobs take long; the rest waits for the next sweep")
            return


def purge_expired() -> int:
    """Delete jobs past their time, and their files with them; give how many there were."""
    count = 0
    while True:
        with transaction():
            # Two workers at once take different rows.
            ids = db.session.scalars(
                select(Job.id)
                .where(Job.expires_at < now())
                .order_by(Job.id)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            db.session.execute(delete(Job).where(Job.id.in_(ids)))
        count += len(ids)
        if len(ids) < _BATCH:
            return count


def forget_jobs(user_id: int) -> None:
    """Delete all jobs of a user with what they made."""
    db.session.execute(delete(Job).where(Job.user_id == user_id))


def _kept() -> timedelta:
    return timedelta(days=settings().export_days)


def _list_due() -> Sequence[int]:
    return db.session.scalars(
        select(Job.id)
        .where(UNDER_WAY, Job.attempts < MAX_ATTEMPTS, Job.next_attempt_at <= now())
        .order_by(Job.next_attempt_at, Job.id)
        .limit(_BATCH)
    ).all()


def _claim(job_id: int) -> _ClaimedJob | None:
    moment = now()
    with transaction():
        row = db.session.execute(
            update(Job)
            .where(
                Job.id == job_id,
                UNDER_WAY,
                Job.attempts < MAX_ATTEMPTS,
                Job.next_attempt_at <= moment,
            )
            .values(
                status="running",
                progress=0,
                attempts=Job.attempts + 1,
                next_attempt_at=moment + LEASE,
            )
            .returning(Job.kind, Job.user_id, Job.attempts)
        ).one_or_none()
    return row and _ClaimedJob(job_id, row.kind, row.user_id, row.attempts)


def _reporter(job: _ClaimedJob) -> Report:
    def report(percent: int) -> None:
        with transaction():
            _mark(job, status="running", progress=percent)

    return report


def _finish(job: _ClaimedJob, made: MadeFile) -> None:
    moment = now()
    with transaction():
        if not _mark(
            job, status="done", progress=100, finished_at=moment, expires_at=moment + _kept()
        ):
            # Another attempt is at it, or the account was closed meanwhile.
            return
        db.session.execute(
            insert(JobFile).values(
                job_id=job.id, name=made.name, media_type=made.media_type, content=made.content
            )
        )
        maker_of(job.kind).announce(job.id, job.user_id)


def _fail(job: _ClaimedJob) -> None:
    moment = now()
    with transaction():
        if job.attempt < MAX_ATTEMPTS:
            _mark(job, status="queued", progress=0, next_attempt_at=moment + _PAUSE * job.attempt)
        else:
            _mark(job, status="failed", error=_SORRY, finished_at=moment)


def _mark(job: _ClaimedJob, **changes: str | int | datetime) -> bool:
    """Write down how a job goes, unless another attempt began after a lease ran out."""
    marked = db.session.execute(
        update(Job)
        .where(Job.id == job.id, Job.status == "running", Job.attempts == job.attempt)
        .values(changes)
        .returning(Job.id)
    ).first()
    return marked is not None


def _give_up() -> None:
    with transaction():
        db.session.execute(
            update(Job)
            .where(UNDER_WAY, Job.attempts >= MAX_ATTEMPTS, Job.next_attempt_at <= now())
            .values(status="failed", error=_SORRY, finished_at=now())
        )
