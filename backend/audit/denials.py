"""Callers who were refused, kept in the audit log; a flood of them does not flood it."""

import logging
import threading
import time
from typing import Any

from backend.audit.service import record
from backend.transaction import independently

logger = logging.getLogger(__name__)

_SECONDS = 60.0
_MOST = 10_000

_lock = threading.Lock()
_recent: dict[tuple[int, str], float] = {}


def on_request_denied(_sender: Any, *, user_id: int, route: str, problem: str) -> None:
    """Keep that a signed-in caller was refused, at most once a minute for each route in this process."""
    if not _is_news((user_id, route)):
        return
    try:
        with independently():
            record(
                "request.denied",
                "route",
                actor_id=user_id,
                after={"route": route, "problem": problem},
            )
    except Exception:
        # The refusal stands, whether or not the log can be written now.
        logger.exception("A refusal could not be kept in the audit log")


def forget() -> None:
    """Take every refusal for news again."""
    with _lock:
        _recent.clear()


def _is_news(denial: tuple[int, str]) -> bool:
    moment = time.monotonic()
    with _lock:
        if _recent.get(denial, 0.0) > moment:
            return False
        if len(_recent) >= _MOST:
            # Those that are over first; if none is, so many at once are a flood of another kind.
            over = [each for each, until in _recent.items() if until <= moment]
            for each in over or list(_recent):
                del _recent[each]
        _recent[denial] = moment + _SECONDS
        return True
