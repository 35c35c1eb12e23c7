"""Housekeeping of quotes."""

from backend.celery import task
from backend.quotes import service


@task("quotes.purge_expired", in_transaction=False)
def purge_expired() -> int:
    """Delete the quotes that nobody booked and nobody can book any more."""
    return service.purge_expired()
