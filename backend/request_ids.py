"""The names of requests, by which an answer and its lines in the log find each other."""

import re
from uuid import uuid4

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name_request(sent: str) -> str:
    """Name a request as its sender does, when that name is sane, else by a new one."""
    return sent if _SANE.fullmatch(sent) else uuid4().hex
