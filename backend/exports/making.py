"""Making the file of an export, in a worker."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from backend.clock import now
from backend.config import settings
from backend.database import stream_rows
from backend.exports.kinds import KINDS
from backend.exports.writing import write_csv, write_xlsx
from backend.extensions import db
from backend.jobs.makers import CSV, XLSX, Assignment, MadeFile, Report
from backend.transaction import transaction

_AT_ONCE = 1000
# Each report is a transaction, and is where a job that was cancelled ends.
_REPORT_SECONDS = 0.5
# What is left is for packing and keeping the file.
_ALL_READ_PERCENT = {"csv": 99, "xlsx": 85}


@dataclass(frozen=True, slots=True)
class Order:
    """What exactly is exported: those of a kind in a time, narrowed, and written as what."""

    format: str
    since: datetime | None
    until: datetime | None
    filters: Mapping[str, Any]

    def as_params(self) -> dict[str, Any]:
        """Give it as JSON knows it."""
        return {
            "format": self.format,
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
            "filters": dict(self.filters),
        }

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "Order":
        """Read it from what :meth:`as_params` gave."""
        since, until = params["from"], params["to"]
        return cls(
            params["format"],
            since and datetime.fromisoformat(since),
            until and datetime.fromisoformat(until),
            params["filters"],
        )


def make_export(kind_name: str, assignment: Assignment) -> MadeFile:
    """Write the rows of this kind that an order wants, as they are when the reading begins."""
    kind, order = KINDS[kind_name], Order.from_params(assignment.params)
    statement = kind.select(order.since, order.until, order.filters)
    with transaction(read_only=True):
        unsorted = statement.order_by(None).subquery()
        total = db.session.scalar(select(func.count()).select_from(unsorted)) or 0
    timezone = settings().timezone
    day = now().astimezone(ZoneInfo(timezone))
    name = f"{kind_name}-{day:%Y-%m-%d}.{order.format}"
    pages = _read(statement, assignment.report, total, _ALL_READ_PERCENT[order.format])
    if order.format == "csv":
        return MadeFile(name, CSV, write_csv(kind, pages, timezone=timezone))
    path = assignment.folder / name
    with closing(pages):
        write_xlsx(kind, pages, path, timezone=timezone)
    return MadeFile(name, XLSX, path)


def _read(
    statement: Any, report: Report, total: int, all_read: int
) -> Generator[Sequence[Any], None, None]:
    """Read page by page, and report how far it is."""
    count, reported_at = 0, time.monotonic()
    with stream_rows(statement, at_once=_AT_ONCE) as pages:
        for page in pages:
            yield page
            count += len(page)
            if time.monotonic() - reported_at >= _REPORT_SECONDS:
                # Rows may have been added since they were counted.
                report(all_read * min(count, total) // max(total, 1))
                reported_at = time.monotonic()
