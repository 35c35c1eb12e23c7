"""Background work on jobs."""

from backend.celery import task
from backend.jobs import service


@task("jobs.run", in_transaction=False)
def run(job_id: int) -> None:
    """Do one job."""
    service.run_job(job_id)


@task("jobs.run_due", in_transaction=False)
def run_due() -> None:
    """Do the jobs that are due, whatever became of their tasks."""
    service.run_due_jobs()


@task("jobs.purge_expired", in_transaction=False)
def purge_expired() -> int:
    """Delete jobs and their files past their time."""
    return service.purge_expired()
