"""Letting a report that could not be made be made once more."""

from backend.celery import start_task
from backend.clock import now
from backend.database import get_row
from backend.errors import NotRetryable
from backend.models import Report
from backend.transaction import after_commit


def retry_report(report_id: int) -> None:
    """Let a report that failed begin anew, with all its attempts.

    Raises:
        NotFound: there is no such report.
        NotRetryable: it did not fail.

    """
    report = get_row(Report, report_id, for_update=True)
    if report.status != "failed":
        raise NotRetryable("Only a report that failed can be made again.")
    report.status, report.attempts = "queued", 0
    report.error = report.finished_at = None
    report.next_attempt_at = now()
    after_commit(start_task, "reports.make_some", [report_id])
