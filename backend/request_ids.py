"""The names of requests, by which an answer, its lines in the log and in the audit log find each other."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Asking:
    """The request that is being answered: its name, and the network address that it came from."""

    request_id: str = ""
    client: str = ""


NOBODY = Asking()
"""Outside of requests: tasks and commands."""

_asking: ContextVar[Asking] = ContextVar("asking", default=NOBODY)


def asking() -> Asking:
    """Give the request that is being answered."""
    return _asking.get()


def answer_for(request: Asking) -> None:
    """Say which request this thread answers from now on."""
    _asking.set(request)


def name_request(sent: str) -> str:
    """Name a request as its sender does, when that name is sane, else by a new one."""
    return sent if _SANE.fullmatch(sent) else uuid4().hex
