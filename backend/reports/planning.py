"""Which reports are to be made: written down once each, and handed to the workers in parts."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Select, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from backend import clock
from backend.addresses import NOBODYS
from backend.celery import start_task
from backend.config import settings
from backend.extensions import db
from backend.models import Report, Reservation, User
from backend.reports.months import bounds_of, due_months
from backend.transaction import after_commit, transaction

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

# So many rows are written in one transaction, and so many are one task: two workers share ten thousand.
_AT_ONCE = 500
_TASK = 25


def plan() -> int:
    """Write down all reports that are due and that nobody wrote down yet; give how many there were.

    It looks at the months that are past, never at when it last ran: what was missed while all was down is
    made up, and a clock that jumps finds what is written down already.
    """
    moment = clock.now()
    count = 0
    with transaction(read_only=True):
        zones = db.session.scalars(select(User.timezone).distinct().order_by(User.timezone)).all()
    for zone in zones:
        try:
            for month in due_months(zone, moment):
                count += len(plan_drivers(month, zone))
        except Exception:
            # A zone that is none costs those who chose it, and nobody else.
            logger.exception("The reports of those in %s could not be planned", zone)
    for month in due_months(settings().timezone, moment):
        count += len(plan_operator(month))
    if count:
        logger.info("%s monthly reports are to be made", count)
    return count


def plan_drivers(month: date, zone: str, *, user_id: int | None = None) -> list[int]:
    """Write down the month's reports of all drivers, or of one, whose clock is in this zone; give their ids.

    A driver has one who has a stay that ended in the month. A report that is written down already is
    nothing, whoever comes first: the key decides.
    """
    with transaction(read_only=True):
        rows = db.session.execute(_missing(month, zone, user_id)).all()
    return _write_down(
        [
            {
                "key": f"driver:{row.id}:{month:%Y-%m}",
                "audience": "driver",
                "user_id": row.id,
                "month": month,
                "timezone": zone,
                "locale": row.locale,
            }
            for row in rows
        ]
    )


def plan_operator(month: date) -> list[int]:
    """Write down the operator's report of a month at whose end there was any reservation; give its id."""
    zone = settings().timezone
    key = f"operator:{month:%Y-%m}"
    with transaction(read_only=True):
        is_wanted = db.session.scalar(
            select(
                exists().where(Reservation.created_at < bounds_of(month, zone)[1])
                & ~exists().where(Report.key == key)
            )
        )
    if not is_wanted:
        return []
    return _write_down(
        [
            {
                "key": key,
                "audience": "operator",
                "user_id": None,
                "month": month,
                "timezone": zone,
                "locale": "en",
            }
        ]
    )


def _missing(month: date, zone: str, user_id: int | None) -> Select[int, str]:
    start, end = bounds_of(month, zone)
    statement = select(User.id, User.locale).where(
        User.timezone == zone,
        User.active,
        User.deleted_at.is_(None),
        # Whom no mail reaches, nobody reads a report of.
        User.email.not_like(f"%{NOBODYS}"),
        # Looked for by user and month, which have an index; what decides in the end is the key.
        ~exists().where(Report.user_id == User.id, Report.month == month),
        exists().where(
            Reservation.user_id == User.id,
            Reservation.status == "completed",
            Reservation.ended_at >= start,
            Reservation.ended_at < end,
        ),
    )
    if user_id is not None:
        statement = statement.where(User.id == user_id)
    return statement.order_by(User.id)


def _write_down(reports: Sequence[dict[str, Any]]) -> list[int]:
    """Write down what nobody wrote down before; give what that was."""
    moment = clock.now()
    written: list[int] = []
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    for some in _parts(reports, _AT_ONCE):
        with transaction():
            ids = db.session.scalars(
                dialect.insert(Report)
                .values(
                    [
                        {
                            **report,
                            "status": "queued",
                            "attempts": 0,
                            "sent_count": 0,
                            "created_at": moment,
                            "next_attempt_at": moment,
                        }
                        for report in some
                    ]
                )
                .on_conflict_do_nothing(index_elements=["key"])
                .returning(Report.id)
            ).all()
            for part in _parts(ids, _TASK):
                after_commit(start_task, "reports.make_some", list(part))
        written += ids
    return written


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
