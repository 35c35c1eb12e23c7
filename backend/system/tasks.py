"""Housekeeping of the system itself."""

from backend.celery import task
from backend.system import service
from backend.system.invariants import check_invariants as look_over


@task("system.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Forget the keys that are older than their promise."""
    service.purge_idempotency_keys()


@task("system.check_invariants", in_transaction=False)
def check_invariants() -> None:
    """Look over the promises that rows can show, and keep what is found."""
    look_over()
