"""Housekeeping of reservations."""

from backend.celery import task
from backend.reservations import service


@task("reservations.expire_holds")
def expire_holds() -> int:
    """Expire the holds past their deadline."""
    return service.expire_holds()
