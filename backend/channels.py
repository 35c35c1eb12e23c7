"""Telling the live process what happened, through Valkey."""

import json
from typing import Any

from backend.config import settings
from backend.valkey import EVENTS_CHANNEL, Breaker, connect

_breaker = Breaker()


def publish(user_id: int, event: str, data: dict[str, Any]) -> None:
    """Tell the open streams of a user that something happened; call it through ``after_commit``.

    It costs nobody their request: without a Valkey nothing is told, and whoever listens asks again by
    themselves.
    """
    url = settings().redis_url
    if not url:
        return
    told = json.dumps({"user_id": user_id, "event": event, "data": data})
    _breaker.ask(lambda: connect(url).publish(EVENTS_CHANNEL, told), None)
