"""Housekeeping of the system itself."""

from backend import dead_letters
from backend.celery import task
from backend.system import service
from backend.system.backups import make_nightly_backup
from backend.system.invariants import check_invariants as look_over


@task("system.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    """Forget the keys that are older than their promise."""
    service.purge_idempotency_keys()


@task("system.purge_settled_failures")
def purge_settled_failures() -> None:
    """Forget failures of tasks that went well long since."""
    dead_letters.purge_settled()


@task("system.back_up", in_transaction=False)
def back_up() -> None:
    """Make the backup of this night, by the first turn after three o'clock that finds none."""
    make_nightly_backup()


@task("system.check_invariants", in_transaction=False)
def check_invariants() -> None:
    """Look over the promises that rows can show, and keep what is found."""
    look_over()
