"""A job's signs of life: while they come nobody else begins it, and soon after the last one somebody does."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine, update
from sqlalchemy.exc import SQLAlchemyError

from backend.clock import now
from backend.extensions import db
from backend.models import Job

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
"""So long after the last sign of life a job counts as left alone."""
_PAUSE_SECONDS = 20.0


@contextmanager
def beating(job_id: int, attempt: int) -> Iterator[None]:
    """Prolong an attempt's lease, by a thread beside it, for as long as the block lasts.

    A process that is killed takes the thread with it. One sign that gets lost costs nothing.
    """
    is_over = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(db.engine, job_id, attempt, is_over), name=f"job-{job_id}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _beat(engine: Engine, job_id: int, attempt: int, is_over: threading.Event) -> None:
    while not is_over.wait(_PAUSE_SECONDS):
        try:
            with engine.begin() as connection:
                connection.execute(
                    update(Job)
                    .where(Job.id == job_id, Job.status == "running", Job.attempts == attempt)
                    .values(next_attempt_at=now() + LEASE)
                )
        except (SQLAlchemyError, OSError) as error:
            logger.warning("Job %s gave no sign of life: %s", job_id, type(error).__name__)
