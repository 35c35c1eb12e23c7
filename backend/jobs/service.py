"""What may be done about jobs: start one, run what is due, fetch what was made, forget it in time."""

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.celery import start_task
from backend.clock import now
from backend.config import settings
from backend.database import get_row
from backend.dead_letters import describe_error
from backend.errors import IllegalTransition, NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.heartbeat import LEASE, beating
from backend.jobs.makers import Assignment, MadeFile, Report, WorkOver, maker_of
from backend.models import Job, JobFile, JobFilePart
from backend.models.job import UNDER_WAY
from backend.transaction import TryAgain, after_commit, transaction

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
_PAUSE = timedelta(minutes=1)
_BATCH = 100
# A sweep begins no job later than this, so that its task's time is enough for the last one.
_SWEEP_SECONDS = 120
_SORRY = "This could not be made. Please ask for it again."
_TOO_LONG = "This takes longer than it may. Please ask for less at once."
_PART_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _ClaimedJob:
    id: int
    kind: str
    user_id: int
    params: dict[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What a job made, as it is given out: piece by piece, each read when it is its turn."""

    name: str
    media_type: str
    size: int
    content: Iterator[bytes]


def start_job(kind: str, user_id: int, params: Mapping[str, Any] | None = None) -> Job:
    """Ask for a job, or give the one of this kind that the user has under way, whatever its params.

    Raises:
        TryAgain: that one ended this very moment.

    """
    moment = now()
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    job_id = db.session.scalar(
        dialect.insert(Job)
        .values(
            kind=kind,
            params=dict(params or {}),
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


def get_result(reader: Caller, job_id: int) -> KeptFile:
    """Give the file that a job of the reader's own made, unless they lost the role that it needs.

    Raises:
        NotFound: there is no such job, it has not made its file, or the file is not theirs or gone again.

    """
    made = read_result(reader.id, job_id)
    role = maker_of(db.session.get_one(Job, job_id).kind).role
    if role is not None and not reader.has_role(role):
        raise _no_file(job_id)
    return made


def read_result(user_id: int, job_id: int) -> KeptFile:
    """Give the file that a job of this user made, whatever their roles.

    Raises:
        NotFound: there is no such job, it has not made its file, or the file is gone again.

    """
    job = db.session.get(Job, job_id)
    made = find_file(job) if job is not None and job.user_id == user_id else None
    if made is None:
        raise _no_file(job_id)
    return KeptFile(made.name, made.media_type, made.size, _read_parts(job_id, made.size))


def _no_file(job_id: int) -> NotFound:
    return NotFound(f"There is no file of a job {job_id} to fetch.")


def find_file(job: Job) -> JobFile | None:
    """Give what is known of the file of a job, if it can be fetched now."""
    return db.session.get(JobFile, job.id) if has_result(job) else None


def cancel_job(reader: Caller, job_id: int) -> Job:
    """End a job of the reader's own before it is done; a second time changes nothing.

    Whoever is at it notices at the next piece of its work. What it made so far goes at once.

    Raises:
        NotFound: there is no such job, or it is somebody else's.
        IllegalTransition: it is over.

    """
    get_job(reader, job_id)
    job = get_row(Job, job_id, for_update=True)
    if job.status == "cancelled":
        return job
    if job.status not in {"queued", "running"}:
        raise IllegalTransition(f"The job is {job.status}.")
    job.status, job.finished_at = "cancelled", now()
    _forget_file(job_id)
    return job


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
    place = _place(job.id)
    folder = place / str(job.attempt)
    try:
        # An attempt that was killed left its files behind.
        _delete(place)
        folder.mkdir(parents=True)
        assignment = Assignment(job.id, job.user_id, job.params, folder, _reporter(job))
        with beating(job.id, job.attempt):
            made = maker_of(job.kind).make(assignment)
            _keep(job, made)
        _finish(job)
    except WorkOver:
        logger.info("Job %s is not wanted any more", job.id)
    except SoftTimeLimitExceeded as error:
        # Another attempt would take as long.
        logger.warning("Job %s takes longer than a task may", job.id)
        _end_badly(job, _TOO_LONG, error)
    except Exception as error:
        # Whatever is wrong with this job, it costs this job only. What it was may name somebody.
        logger.exception("Job %s could not be done", job.id)
        _fail(job, error)
    finally:
        _delete(folder)
        with suppress(OSError):
            # Unless another attempt works there by now.
            place.rmdir()


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
            .returning(Job.kind, Job.user_id, Job.params, Job.attempts)
        ).one_or_none()
    if row is None:
        return None
    return _ClaimedJob(job_id, row.kind, row.user_id, row.params, row.attempts)


def _place(job_id: int) -> Path:
    """Give where the attempts at a job have their folders: the next one knows what a killed one left."""
    return settings().instance / "work" / f"job-{job_id}"


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _reporter(job: _ClaimedJob) -> Report:
    def report(percent: int) -> None:
        with transaction():
            _insist(job, progress=percent)

    return report


def _keep(job: _ClaimedJob, made: MadeFile) -> None:
    """Write what was made into rows, a piece at a time, each in a transaction of its own."""
    with transaction():
        _insist(job)
        # An attempt before this one may have come as far.
        _forget_file(job.id)
        db.session.execute(
            insert(JobFile).values(
                job_id=job.id, name=made.name, media_type=made.media_type, size=0
            )
        )
    size = 0
    for number, part in enumerate(_parts(made.content)):
        size += len(part)
        with transaction():
            _insist(job)
            db.session.execute(
                insert(JobFilePart).values(job_id=job.id, number=number, content=part)
            )
            db.session.execute(update(JobFile).where(JobFile.job_id == job.id).values(size=size))


def _parts(content: Path | Iterable[bytes]) -> Iterator[bytes]:
    """Give content in pieces of one size, whatever the size of those in which it comes."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            while part := file.read(_PART_BYTES):
                yield part
        return
    held = bytearray()
    for piece in content:
        held += piece
        while len(held) >= _PART_BYTES:
            yield bytes(held[:_PART_BYTES])
            del held[:_PART_BYTES]
    if held:
        yield bytes(held)


def _read_parts(job_id: int, size: int) -> Iterator[bytes]:
    """Read a file piece by piece, each in a short transaction: a slow reader holds nothing."""
    number = 0
    while size > 0:
        with transaction(read_only=True):
            part = db.session.scalar(
                select(JobFilePart.content).where(
                    JobFilePart.job_id == job_id, JobFilePart.number == number
                )
            )
        if part is None:
            # It was deleted meanwhile. What was sent is too short, and the reader's program says so.
            return
        yield part
        size -= len(part)
        number += 1


def _forget_file(job_id: int) -> None:
    db.session.execute(delete(JobFile).where(JobFile.job_id == job_id))


def _finish(job: _ClaimedJob) -> None:
    moment = now()
    with transaction():
        _insist(job, status="done", progress=100, finished_at=moment, expires_at=moment + _kept())
        maker_of(job.kind).announce(job.id, job.user_id)


def _fail(job: _ClaimedJob, error: Exception) -> None:
    if job.attempt >= MAX_ATTEMPTS:
        _end_badly(job, _SORRY, error)
        return
    with transaction():
        if _mark(
            job,
            status="queued",
            progress=0,
            failure=describe_error(error),
            next_attempt_at=now() + _PAUSE * job.attempt,
        ):
            _forget_file(job.id)


def _end_badly(job: _ClaimedJob, reason: str, error: Exception) -> None:
    with transaction():
        if _mark(
            job, status="failed", error=reason, failure=describe_error(error), finished_at=now()
        ):
            _forget_file(job.id)


def _insist(job: _ClaimedJob, **changes: str | int | datetime) -> None:
    """Write down how a job goes.

    Raises:
        WorkOver: it was cancelled or forgotten, or another attempt is at it.

    """
    if not _mark(job, **{"status": "running", **changes}):
        raise WorkOver


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
