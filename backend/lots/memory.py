"""What changes only when an admin changes it, remembered by this process for a second.

Lists read it again and again. What is free is never remembered here, and no booking reads this.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from backend.config import settings

Fact = TypeVar("Fact")

_SECONDS = 1.0
_MOST = 512

_lock = threading.Lock()
_facts: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()


def remembered(key: Hashable, read: Callable[[], Fact]) -> Fact:
    """Give what was read under ``key`` within the last second, or read it now."""
    full_key = (settings().database_url, key)
    # Without the lock: a look is one step, and threads would queue for it on every search.
    found = _facts.get(full_key)
    if found is not None and found[0] > time.monotonic():
        return cast("Fact", found[1])
    fact = read()
    with _lock:
        _facts[full_key] = (time.monotonic() + _SECONDS, fact)
        _facts.move_to_end(full_key)
        while len(_facts) > _MOST:
            _facts.popitem(last=False)
    return fact


def forget(_sender: Any = None, **_facts_of: Any) -> None:
    """Forget everything, as an admin changed something; ``create_app`` connects it to ``lots_changed``."""
    with _lock:
        _facts.clear()
