"""Making what was planned: claimed, read, drawn and kept, each report for itself."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.clock import now
from backend.dead_letters import describe_error
from backend.extensions import db
from backend.models import Report, ReportFile
from backend.models.report import UNMADE
from backend.reports.drawing import (
    draw_driver_pdf,
    draw_driver_xlsx,
    draw_operator_pdf,
    draw_operator_xlsx,
)
from backend.reports.figures import DriverMonth, OperatorMonth
from backend.reports.gathering import gather_driver, gather_operator
from backend.reports.telling import tell
from backend.transaction import transaction

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# Longer than a task may run, so that no second worker begins what a first is still at.
_LEASE = timedelta(minutes=11)
_PAUSE = timedelta(minutes=1)
_BATCH = 200
# A sweep begins no report later than this, so that its task's time is enough for the last one.
_SWEEP_SECONDS = 240
_TOP_LOTS = 3


@dataclass(frozen=True, slots=True)
class _ClaimedReport:
    id: int
    key: str
    audience: str
    user_id: int | None
    month: date
    timezone: str
    locale: str
    attempt: int


def make_report(report_id: int) -> None:
    """Make a report if it is due and nobody else is at it, and tell who it is for.

    It is claimed in one transaction, read in another, drawn in none, and kept and told of in a third. A
    worker that dies in between says nothing; when its lease is over, another may claim the report.
    """
    report = _claim(report_id)
    if report is None:
        return
    try:
        month, files = _draw(report)
        _keep(report, month, files)
    except SoftTimeLimitExceeded as error:
        # A task begins no report late, so it is this one that takes so long. The task ends here.
        _fail(report, error)
        raise
    except Exception as error:
        # Whatever is wrong with this report, it costs this report only.
        logger.exception("Report %s could not be made", report.id)
        _fail(report, error)


def make_some(report_ids: Sequence[int]) -> None:
    """Make these reports, one after the other, for as long as a task has time."""
    begun_at = time.monotonic()
    for report_id in report_ids:
        make_report(report_id)
        if time.monotonic() - begun_at > _SWEEP_SECONDS:
            logger.warning("The reports take long; the rest waits for the next sweep")
            return


def run_due() -> None:
    """Make what is due: reports whose task was lost, or whose worker was; give up what killed three."""
    _give_up()
    with transaction(read_only=True):
        due = db.session.scalars(
            select(Report.id)
            .where(UNMADE, Report.attempts < MAX_ATTEMPTS, Report.next_attempt_at <= now())
            .order_by(Report.next_attempt_at, Report.id)
            .limit(_BATCH)
        ).all()
    make_some(due)


def _claim(report_id: int) -> _ClaimedReport | None:
    moment = now()
    with transaction():
        row = db.session.execute(
            update(Report)
            .where(
                Report.id == report_id,
                UNMADE,
                Report.attempts < MAX_ATTEMPTS,
                Report.next_attempt_at <= moment,
            )
            .values(
                status="running",
                attempts=Report.attempts + 1,
                next_attempt_at=moment + _LEASE,
            )
            .returning(
                Report.key,
                Report.audience,
                Report.user_id,
                Report.month,
                Report.timezone,
                Report.locale,
                Report.attempts,
            )
        ).one_or_none()
    return row and _ClaimedReport(report_id, *row)


def _draw(report: _ClaimedReport) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read the month, and give what is kept of it and its files."""
    if report.user_id is not None:
        with transaction(read_only=True):
            driver = gather_driver(report.user_id, report.month, report.timezone, report.locale)
        return _driver_facts(driver), {
            "pdf": draw_driver_pdf(driver),
            "xlsx": draw_driver_xlsx(driver),
        }
    with transaction(read_only=True):
        operator = gather_operator(report.month, report.timezone, report.locale)
    return _operator_facts(operator), {
        "pdf": draw_operator_pdf(operator),
        "xlsx": draw_operator_xlsx(operator),
    }


def _driver_facts(month: DriverMonth) -> dict[str, Any]:
    return {
        "name": month.name,
        "visits": month.visits,
        "minutes": month.minutes,
        "money": [
            {
                "currency": money.currency,
                "spent_minor": money.spent_minor,
                "refunded_minor": money.refunded_minor,
                "tax_minor": money.tax_minor,
            }
            for money in month.money
        ],
        "lots": [
            {
                "name": lot.name,
                "visits": lot.visits,
                "currency": money.currency,
                "amount_minor": lot.spent_minor,
            }
            for money in month.money
            for lot in money.by_lot[:_TOP_LOTS]
        ],
    }


def _operator_facts(month: OperatorMonth) -> dict[str, Any]:
    return {
        "bookings": month.bookings,
        "visits": month.stays,
        "walk_ins": month.walk_ins,
        "cancelled": month.cancelled,
        "no_shows": month.no_shows,
        "occupancy_percent": _rounded_percent(month.occupancy),
        "money": [
            {
                "currency": money.currency,
                "revenue_minor": money.revenue_minor,
                "received_minor": money.received_minor,
                "refunded_minor": money.refunded_minor,
                "service_minor": money.service_minor,
            }
            for money in month.money
        ],
        "lots": [
            {
                "name": lot.name,
                "visits": lot.stays,
                "currency": lot.currency,
                "amount_minor": lot.revenue_minor,
            }
            for lot in month.top_lots[:_TOP_LOTS]
        ],
    }


def _keep(report: _ClaimedReport, facts: dict[str, Any], files: dict[str, bytes]) -> None:
    with transaction():
        if not _mark(report, status="ready", facts=facts, error=None, finished_at=now()):
            # Another attempt is at it since this one's lease ran out, or the account was closed.
            return
        dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
        for format_, content in files.items():
            db.session.execute(
                dialect.insert(ReportFile)
                .values(report_id=report.id, format=format_, content=content)
                .on_conflict_do_update(
                    index_elements=["report_id", "format"], set_={"content": content}
                )
            )
        tell(db.session.get_one(Report, report.id))


def _fail(report: _ClaimedReport, error: Exception) -> None:
    said = describe_error(error)
    with transaction():
        if report.attempt >= MAX_ATTEMPTS:
            _mark(report, status="failed", error=said, finished_at=now())
        else:
            _mark(
                report,
                status="queued",
                error=said,
                next_attempt_at=now() + _PAUSE * report.attempt,
            )


def _mark(report: _ClaimedReport, **changes: Any) -> bool:
    """Write down how a report goes, unless another attempt began after a lease ran out."""
    marked = db.session.execute(
        update(Report)
        .where(
            Report.id == report.id,
            Report.status == "running",
            Report.attempts == report.attempt,
        )
        .values(changes)
        .returning(Report.id)
    ).first()
    return marked is not None


def _give_up() -> None:
    with transaction():
        db.session.execute(
            update(Report)
            .where(UNMADE, Report.attempts >= MAX_ATTEMPTS, Report.next_attempt_at <= now())
            .values(
                status="failed",
                error="Whoever was at it was stopped each time.",
                finished_at=now(),
            )
        )


def _rounded_percent(share: Fraction | None) -> int | None:
    return None if share is None else round(100 * share)
