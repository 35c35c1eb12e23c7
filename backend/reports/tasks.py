"""Background work on monthly reports."""

from backend.celery import task
from backend.reports import making, planning


@task("reports.plan", in_transaction=False)
def plan() -> int:
    """Write down the reports that are due."""
    return planning.plan()


@task("reports.make_some", in_transaction=False)
def make_some(report_ids: list[int]) -> None:
    """Make some reports."""
    making.make_some(report_ids)


@task("reports.run_due", in_transaction=False)
def run_due() -> None:
    """Make the reports that are due, whatever became of their tasks."""
    making.run_due()
