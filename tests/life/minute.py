"""What beat and the worker do by themselves each minute."""

from flask import Flask

# In the order in which one minute has them.
_TASKS = (
    "reservations.expire_holds",
    "reservations.sweep",
    "reservations.hold_bays",
    "payments.reconcile",
    "payments.send_refunds",
    "payments.take_events",
    "waitlist.sweep",
)


def pass_a_minute(app: Flask) -> None:
    """Do all that is due, as a worker does it."""
    celery = app.extensions["celery"]
    celery.loader.import_default_modules()
    for name in _TASKS:
        celery.tasks[name]()
