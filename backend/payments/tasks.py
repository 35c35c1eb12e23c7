"""Housekeeping of payments."""

from backend.celery import task
from backend.payments import service


@task("payments.reconcile", in_transaction=False)
def reconcile() -> int:
    """Ask the gateway about payments left undecided."""
    return service.reconcile()
