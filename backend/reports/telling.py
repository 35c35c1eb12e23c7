"""Telling of a report that is ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from backend.config import settings
from backend.extensions import db
from backend.models import Report, Role, User, users_roles
from backend.money import format_money
from backend.notifications.telling import notify
from backend.notifications.wording import month_text

_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Words:
    """How people are told of a report: by which template, under which setting, with a link to where."""

    template: str
    kind: str
    link: str


DRIVER = Words("monthly-report", "monthly_report", "/reports")
OPERATOR = Words("operator-report", "operator_report", "/admin/reports")


def tell(report: Report) -> None:
    """Tell of a report that is ready, once: its driver, or every admin."""
    if report.user_id is not None:
        _tell_one(report, report.user_id, report.locale, DRIVER)
        return
    for admin in _list_admins():
        _tell_one(report, admin.id, admin.locale, OPERATOR)


def mail_context(report: Report, locale: str) -> dict[str, Any]:
    """Give what the mail says of a report that is ready; its files are attached by the id."""
    facts = report.facts or {}
    month = month_text(report.month, locale)
    url = settings().public_url
    if report.audience == "operator":
        return {
            "report_id": report.id,
            "month": month,
            "stays": facts["visits"],
            "revenue": _amounts(facts["money"], "revenue_minor"),
            "refunds": _amounts(facts["money"], "refunded_minor"),
            "occupancy": _percent(facts["occupancy_percent"]),
            "reports_url": f"{url}/admin/reports",
        }
    return {
        "report_id": report.id,
        "name": facts["name"],
        "month": month,
        "visits": facts["visits"],
        "hours": _hours(facts["minutes"]),
        "spent": _amounts(facts["money"], "spent_minor"),
        "lots": [
            {
                "name": lot["name"],
                "visits": lot["visits"],
                "spent": format_money(lot["amount_minor"], lot["currency"]),
            }
            for lot in facts["lots"]
        ],
        "reports_url": f"{url}/reports",
    }


def _tell_one(report: Report, user_id: int, locale: str, words: Words) -> None:
    notify(
        user_id,
        words.template,
        key=f"report:{report.key}:{user_id}",
        kind=words.kind,
        context=mail_context(report, locale),
        link=words.link,
    )


def _list_admins() -> list[Row[int, str]]:
    """Give the id and the locale of each admin who can sign in."""
    return list(
        db.session.execute(
            select(User.id, User.locale)
            .join(users_roles, users_roles.c.user_id == User.id)
            .join(Role, Role.id == users_roles.c.role_id)
            .where(Role.name == "admin", User.active, User.deleted_at.is_(None))
            .order_by(User.id)
        )
    )


def _amounts(money: Sequence[dict[str, Any]], name: str) -> str:
    return " + ".join(format_money(each[name], each["currency"]) for each in money) or _NOTHING


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _percent(percent: int | None) -> str:
    return _NOTHING if percent is None else f"{percent} %"
