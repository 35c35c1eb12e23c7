"""Housekeeping of reservations."""

from backend.celery import task
from backend.reservations import moving, service, sweeping


@task("reservations.expire_holds")
def expire_holds() -> int:
    """Expire the holds past their deadline."""
    return service.expire_holds()


@task("reservations.hold_bays", in_transaction=False)
def hold_bays() -> int:
    """Let cars that are in past their end hold their bays, and clear these of what was booked there."""
    return moving.hold_bays()


@task("reservations.sweep", in_transaction=False)
def sweep() -> int:
    """End what ended by itself: no-shows, overstays, stays whose time ended while the car was out."""
    return sweeping.sweep()
