"""The application with one guard taken off: what the faults are run against to show that they see the harm."""

from typing import Any

from flask import Flask

import backend
from backend.web import limits


def create_trusting_app() -> Flask:
    """Make an application whose processes count nothing for themselves and trust Valkey alone."""

    def nobody_waits(*_arguments: Any, **_options: Any) -> int:
        return 0

    limits.OwnCounts.wait_of = nobody_waits
    return backend.create_app()
