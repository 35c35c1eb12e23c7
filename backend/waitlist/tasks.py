"""The waitlist, minute by minute."""

from backend.celery import task
from backend.waitlist import offering


@task("waitlist.sweep", in_transaction=False)
def sweep() -> int:
    """Offer bays to who waits, where that was not done when they became free, and end what is over."""
    return offering.sweep_waitlist()
