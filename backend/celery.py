"""Background work: Celery bound to the application, and the way to start a task."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from celery import Celery, Task, current_app, shared_task, signals
from celery.exceptions import OperationalError
from flask import Flask
from kombu import Queue

from backend.config import Settings
from backend.dead_letters import keep_failure, settle_failure
from backend.extensions import db
from backend.schedule import SCHEDULE
from backend.transaction import transaction
from backend.valkey import SOCKET_SECONDS

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Longer than any task runs, or a second worker would start it again meanwhile.
_VISIBILITY_SECONDS = 900
_TASK_SECONDS = 600
_BEAT_TICK_SECONDS = 5
_BEAT_LOCK_SECONDS = 30
_BULK = "bulk"
# Many of them come at once, or each takes long.
_BULKY = ("jobs.run", "jobs.run_due", "reports.make_some", "reports.run_due", "system.back_up")


def create_celery(app: Flask) -> Celery:
    """Make the Celery whose tasks run inside ``app``, and keep it under ``app.extensions["celery"]``."""
    settings: Settings = app.extensions["settings"]

    class AppTask(Task[Any, Any]):
        """A task that runs in an app context and, unless it says otherwise, in one transaction."""

        abstract = True
        in_transaction = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                if not self.in_transaction:
                    return self.run(*args, **kwargs)
                with transaction():
                    return self.run(*args, **kwargs)

        def on_failure(
            self, exc: Exception, _task_id: str, args: Any, _kwargs: Any, _einfo: Any
        ) -> None:
            """Keep that the task failed; a worker calls it, for a time limit that was overrun too."""
            with app.app_context():
                keep_failure(self.name, args, exc)

        def on_success(self, _retval: Any, _task_id: str, args: Any, _kwargs: Any) -> None:
            """Let go of a failure of before: what it was about is done now."""
            with app.app_context():
                settle_failure(self.name, args)

    celery: Celery[Any] = Celery("vehicle_vault", task_cls=AppTask)
    celery.conf.update(_configuration(settings))
    celery.set_default()
    app.extensions["celery"] = celery

    @signals.worker_process_init.connect(weak=False)
    def _forget_inherited_connections(**_: Any) -> None:
        # A connection inherited over fork would be shared by both processes.
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose(close=False)

    return celery


def task(name: str, *, in_transaction: bool = True) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function the task ``name``: ``package.verb``.

    A task receives ids, reads the rows again, and may run twice. With ``in_transaction=False`` it opens
    its transactions itself: for work between which something slow happens.
    """
    untyped: Any = shared_task  # its types know no options but Celery's own
    return cast(
        "Callable[[Callable[P, R]], Task[P, R]]", untyped(name=name, in_transaction=in_transaction)
    )


def start_task(name: str, *args: Any) -> None:
    """Ask the workers to run the task ``name`` soon; call it through ``after_commit``.

    With the broker away this is a warning, never an error: the rows that the task would read are
    committed, and a sweep of the schedule finds them.
    """
    try:
        current_app.send_task(name, args, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away; %s waits for its sweep: %s", name, error)


def _configuration(settings: Settings) -> dict[str, Any]:
    sockets = {"socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS}
    return {
        "broker_url": settings.celery_broker_url or "memory://",
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            **sockets,
            # A publisher asks once; start_task tells why that is enough.
            "max_retries": 0,
            "visibility_timeout": _VISIBILITY_SECONDS,
            # Defaults that multiply to 100 s before a lost task is looked for.
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
        "imports": [
            f"backend.{path.parent.name}.tasks"
            for path in sorted(Path(__file__).parent.glob("*/tasks.py"))
        ],
        # A worker of both takes from them in turn: a mail waits for the piece of work that runs, and never
        # for all that was begun before it. run.py starts one for each.
        "task_queues": [Queue("celery"), Queue(_BULK)],
        "task_routes": {name: {"queue": _BULK} for name in _BULKY},
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": _TASK_SECONDS,
        "task_soft_time_limit": _TASK_SECONDS - 30,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": SCHEDULE,
        "beat_scheduler": "backend.beat:Scheduler",
        "beat_max_loop_interval": _BEAT_TICK_SECONDS,
        "redbeat_redis_url": settings.celery_broker_url,
        "redbeat_redis_options": sockets,
        # A beat that was killed holds its lock this long; then another takes over.
        "redbeat_lock_timeout": _BEAT_LOCK_SECONDS,
    }
