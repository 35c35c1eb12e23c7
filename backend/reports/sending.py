"""Making a month's reports when somebody asks for them at the command line."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select

from backend.clock import now
from backend.config import settings
from backend.errors import NotFound
from backend.extensions import db
from backend.models import Report, User
from backend.models.report import UNMADE
from backend.reports.making import make_report
from backend.reports.months import is_over
from backend.reports.planning import plan_drivers, plan_operator
from backend.transaction import transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a month's reports."""

    made: int
    before: int
    """Those that were there already; they are not made twice."""
    waiting: int
    """Those that somebody else is at, or that wait for another try."""
    failed: list[str]
    """What those are called that could not be made, and why."""


def send_reports(month: date, *, email: str | None = None) -> Sent:
    """Plan and make all reports of a month, the operator's too, or those of one driver.

    Of a zone in which the month is not over, none is made: it would lack its end for ever.

    Raises:
        NotFound: nobody has this address.

    """
    moment = now()
    user_id = None if email is None else _find_user(email)
    with transaction(read_only=True):
        before = _count_ready(month, user_id)
        wanted = select(User.timezone).distinct().order_by(User.timezone)
        if user_id is not None:
            wanted = wanted.where(User.id == user_id)
        zones = db.session.scalars(wanted).all()
    for zone in zones:
        if is_over(month, zone, moment):
            plan_drivers(month, zone, user_id=user_id)
    if user_id is None and is_over(month, settings().timezone, moment):
        plan_operator(month)
    for report_id in _list_unmade(month, user_id):
        make_report(report_id)
    with transaction(read_only=True):
        reports = db.session.execute(
            select(Report.key, Report.status, Report.error)
            .where(*_wanted(month, user_id))
            .order_by(Report.id)
        ).all()
    ready = sum(report.status == "ready" for report in reports)
    return Sent(
        made=ready - before,
        before=before,
        waiting=sum(
            report.status in {"queued", "running"} and not report.error for report in reports
        ),
        failed=[f"{report.key}: {report.error}" for report in reports if report.error],
    )


def _find_user(email: str) -> int:
    with transaction(read_only=True):
        user_id = db.session.scalar(select(User.id).where(User.email == email.strip().lower()))
    if user_id is None:
        raise NotFound(f"Nobody has the address {email}.")
    return user_id


def _wanted(month: date, user_id: int | None) -> list[ColumnElement[bool]]:
    wanted = [Report.month == month]
    return wanted if user_id is None else [*wanted, Report.user_id == user_id]


def _count_ready(month: date, user_id: int | None) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Report)
            .where(Report.status == "ready", *_wanted(month, user_id))
        )
        or 0
    )


def _list_unmade(month: date, user_id: int | None) -> list[int]:
    with transaction(read_only=True):
        return list(
            db.session.scalars(
                select(Report.id).where(UNMADE, *_wanted(month, user_id)).order_by(Report.id)
            )
        )
