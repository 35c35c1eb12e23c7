"""Yesterday in figures, for admins: at seven in the morning, once for each of them and each day."""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from backend import clock
from backend.config import settings
from backend.extensions import db
from backend.lots.hours import open_spans, parse_opening_hours
from backend.models import (
    InvariantRun,
    Job,
    LedgerEntry,
    LedgerTransaction,
    Lot,
    OutboxMail,
    Reminder,
    Report,
    Reservation,
    Role,
    Spot,
    Stay,
    TaskFailure,
    User,
)
from backend.models.user import users_roles
from backend.money import format_money
from backend.notifications.telling import notify
from backend.notifications.wording import day_text
from backend.payments.ledger import CASH, account_of
from backend.reminders.service import take_key
from backend.transaction import transaction

logger = logging.getLogger(__name__)

DIGEST = "digest"
_HOUR = 7
"""Of the morning, by the clock of the operator."""
_SECOND = timedelta(seconds=1)
# Mail that was given up because nobody needs it any more is no failure.
_NOT_NEEDED = ("expired", "closed")


@dataclass(frozen=True, slots=True)
class Day:
    """What became of one day of the operator's."""

    bookings: int
    stays: int
    no_shows: int
    revenue_minor: int
    """What came in, by the books; what went back is ``refunds_minor``."""
    refunds_minor: int
    occupancy: Fraction | None
    """Occupied bay-minutes by open ones; None where nothing was open."""
    failed: list[tuple[str, int]]
    broken: list[tuple[str, int]]


def send_digest() -> int:
    """Tell each admin of yesterday, once the morning has come; give how many were told.

    Who was not told at seven is told later that day.
    """
    zone = ZoneInfo(settings().timezone)
    here = clock.now().astimezone(zone)
    if here.hour < _HOUR:
        return 0
    day = here.date() - timedelta(days=1)
    with transaction(read_only=True):
        waiting = [row for row in _list_admins() if not _was_told(row.id, day)]
        if not waiting:
            return 0
        figures = count_day(day, zone)
    count = 0
    for admin in waiting:
        try:
            with transaction():
                count += _tell(admin, day, figures)
        except Exception:
            # One poisonous row costs one row.
            logger.exception("User %s could not be told of the day", admin.id)
    return count


def count_day(day: date, zone: ZoneInfo) -> Day:
    """Count what became of a day that began and ended in this zone."""
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    last = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)

    def count(moment: InstrumentedAttribute[Any], *which: ColumnElement[bool]) -> int:
        return int(
            db.session.scalar(select(func.count()).where(moment >= first, moment < last, *which))
            or 0
        )

    failed = {
        "jobs": count(Job.finished_at, Job.status == "failed"),
        "reports": count(Report.finished_at, Report.status == "failed"),
        "mail": count(
            OutboxMail.created_at,
            OutboxMail.status.in_(("failed", "bounced")),
            or_(OutboxMail.last_error.is_(None), OutboxMail.last_error.not_in(_NOT_NEEDED)),
        ),
        "tasks": count(TaskFailure.last_at, TaskFailure.resolved_at.is_(None)),
    }
    return Day(
        bookings=count(Reservation.confirmed_at, Reservation.source != "walk_in"),
        stays=count(Reservation.ended_at, Reservation.status == "completed"),
        no_shows=count(Reservation.ended_at, Reservation.status == "no_show"),
        revenue_minor=_moved("payment", first, last),
        refunds_minor=-_moved("refund_sent", first, last),
        occupancy=_occupancy(first, last),
        failed=[(what, number) for what, number in failed.items() if number],
        broken=_list_broken(),
    )


def _moved(kind: str, first: datetime, last: datetime) -> int:
    """Add up what these movements of the day brought to where money lies."""
    money = or_(LedgerEntry.account == CASH, LedgerEntry.account.startswith(account_of("")))
    return int(
        db.session.scalar(
            select(func.sum(LedgerEntry.amount_minor))
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
            .where(
                LedgerTransaction.at >= first,
                LedgerTransaction.at < last,
                LedgerTransaction.kind == kind,
                money,
            )
        )
        or 0
    )


def _occupancy(first: datetime, last: datetime) -> Fraction | None:
    lots = db.session.execute(
        select(Lot.timezone, Lot.opening_hours, func.count(Spot.id).label("bays"))
        .join(Spot, Spot.lot_id == Lot.id)
        .where(Lot.status == "open", Lot.created_at < last)
        .group_by(Lot.id)
    )
    open_seconds = sum(
        lot.bays * ((end - start) // _SECOND)
        for lot in lots
        for start, end in open_spans(
            parse_opening_hours(lot.opening_hours), first, last, ZoneInfo(lot.timezone)
        )
    )
    stays = db.session.execute(
        select(Stay.entered_at, Stay.left_at)
        .join(Lot, Lot.id == Stay.lot_id)
        .where(
            Lot.status == "open",
            Stay.entered_at < last,
            or_(Stay.left_at.is_(None), Stay.left_at > first),
        )
    )
    occupied_seconds = sum(
        (min(stay.left_at or last, last) - max(stay.entered_at, first)) // _SECOND for stay in stays
    )
    return Fraction(occupied_seconds, open_seconds) if open_seconds else None


def _list_broken() -> list[tuple[str, int]]:
    run = db.session.scalar(
        select(InvariantRun).order_by(InvariantRun.at.desc(), InvariantRun.id.desc()).limit(1)
    )
    broken: Counter[str] = Counter()
    for each in run.findings if run else ():
        broken[each["promise"]] += each["violations"]
    return sorted((promise, number) for promise, number in broken.items() if number)


def _list_admins() -> list[Any]:
    return list(
        db.session.execute(
            select(User.id, User.locale)
            .join(users_roles, users_roles.c.user_id == User.id)
            .join(Role, Role.id == users_roles.c.role_id)
            .where(Role.name == "admin", User.active, User.deleted_at.is_(None))
            .order_by(User.id)
        )
    )


def _was_told(user_id: int, day: date) -> bool:
    return db.session.get(Reminder, _key(user_id, day)) is not None


def _tell(admin: Any, day: date, figures: Day) -> bool:
    if not take_key(_key(admin.id, day), kind=DIGEST, user_id=admin.id):
        return False
    current = settings()
    share = figures.occupancy
    notify(
        admin.id,
        DIGEST,
        key=_key(admin.id, day),
        kind=DIGEST,
        context={
            "day": day_text(day, admin.locale),
            "bookings": figures.bookings,
            "stays": figures.stays,
            "no_shows": figures.no_shows,
            "revenue": format_money(figures.revenue_minor, current.currency),
            "refunds": format_money(figures.refunds_minor, current.currency),
            "occupancy": "–" if share is None else f"{round(100 * share)} %",
            "failed": [{"what": what, "count": number} for what, number in figures.failed],
            "broken": ", ".join(f"{promise} ({number})" for promise, number in figures.broken),
            "url": f"{current.public_url}/admin/jobs",
        },
        link="/admin/jobs",
    )
    return True


def _key(user_id: int, day: date) -> str:
    return f"{DIGEST}:{day}:{user_id}"
