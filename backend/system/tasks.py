"""Housekeeping of the system itself."""

from backend.celery import task
from backend.system import service


@task("system.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Forget the keys that are older than their promise."""
    service.purge_idempotency_keys()
