"""Background work on codes and sign-ins."""

from backend.auth import service
from backend.celery import task


@task("auth.purge_expired")
def purge_expired() -> None:
    """Delete codes and sign-ins that are over."""
    service.purge_expired()
