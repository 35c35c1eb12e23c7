"""Looking over the promises that rows can show, each on its own, and keeping what was found."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from backend import clock
from backend.errors import NotFound
from backend.extensions import db
from backend.models import InvariantRun
from backend.system.breaches import BREACHES, Breach
from backend.system.recounts import RECOUNTS
from backend.transaction import transaction

logger = logging.getLogger(__name__)

MOST_NAMED = 10
"""So many of the rows that break a promise are told."""
MOST_COUNTED = 1000
"""And so many are counted: a promise that is broken more often is broken all the same."""
_KEPT = timedelta(days=30)
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one look: how many rows break the promise, and the first of them.

    ``error`` says why it could not be looked at.
    """

    promise: str
    rule: str
    violations: int
    first: list[str]
    error: str | None

    @property
    def is_clean(self) -> bool:
        """Whether it was looked at, and nothing found."""
        return self.violations == 0 and self.error is None


def check_invariants() -> list[Finding]:
    """Look over all promises, keep what was found, and tell it.

    Each look reads in a transaction of its own: it takes no lock, and one that fails costs itself alone.
    """
    began, at = time.monotonic(), clock.now()
    findings = [_look(*each) for each in _looks()]
    violations = sum(each.violations for each in findings)
    with transaction():
        db.session.execute(delete(InvariantRun).where(InvariantRun.at < at - _KEPT))
        db.session.add(
            InvariantRun(
                at=at,
                took_ms=int(1000 * (time.monotonic() - began)),
                violations=violations,
                findings=[_write(each) for each in findings],
            )
        )
    for each in findings:
        if each.violations:
            logger.error("%s is broken: %s: %s", each.promise, each.rule, "; ".join(each.first))
    return findings


def get_last_run() -> InvariantRun:
    """Give what the last look found.

    Raises:
        NotFound: nobody has looked yet.

    """
    run = db.session.scalar(
        select(InvariantRun).order_by(InvariantRun.at.desc(), InvariantRun.id.desc()).limit(1)
    )
    if run is None:
        raise NotFound("The promises were not looked over yet.")
    return run


def _looks() -> list[tuple[str, str, Callable[[], Iterator[str]]]]:
    looks = [(each.promise, each.rule, _finder(each)) for each in BREACHES]
    looks += [(each.promise, each.rule, each.find) for each in RECOUNTS]
    return sorted(looks, key=lambda look: int(look[0][1:]))


def _finder(breach: Breach) -> Callable[[], Iterator[str]]:
    def find() -> Iterator[str]:
        rows = db.session.execute(breach.rows, {"most": MOST_COUNTED})
        return (breach.told.format(**row) for row in rows.mappings())

    return find


def _look(promise: str, rule: str, find: Callable[[], Iterator[str]]) -> Finding:
    try:
        with transaction(read_only=True):
            found = list(find())
    except Exception as error:
        # One look that fails must not keep the others from being taken.
        logger.exception("%s could not be looked at: %s", promise, rule)
        return Finding(promise, rule, 0, [], f"{type(error).__name__}: {error}"[:_LONGEST_ERROR])
    return Finding(promise, rule, len(found), found[:MOST_NAMED], None)


def _write(finding: Finding) -> dict[str, Any]:
    return {
        "promise": finding.promise,
        "rule": finding.rule,
        "violations": finding.violations,
        "first": finding.first,
        "error": finding.error,
    }
