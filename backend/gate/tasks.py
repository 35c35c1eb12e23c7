"""Housekeeping of the gate."""

from backend.celery import task
from backend.gate import service


@task("gate.purge_scans", in_transaction=False)
def purge_scans() -> int:
    """Delete old scans."""
    return service.purge_scans()
