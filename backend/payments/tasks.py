"""Housekeeping of payments: each sweeps what is due, so a turn missed is made up by the next."""

from backend.celery import task
from backend.payments import refunds, service, webhooks


@task("payments.reconcile", in_transaction=False)
def reconcile() -> int:
    """Ask the gateways about payments left undecided."""
    return service.reconcile()


@task("payments.send_refund", in_transaction=False)
def send_refund(refund_id: int) -> bool:
    """Send one refund."""
    return refunds.send_refund(refund_id)


@task("payments.send_refunds", in_transaction=False)
def send_refunds() -> int:
    """Send the refunds that are due."""
    return refunds.send_due_refunds()


@task("payments.take_events", in_transaction=False)
def take_events() -> int:
    """Act upon events of gateways that nobody has acted upon."""
    return webhooks.take_due_events()
