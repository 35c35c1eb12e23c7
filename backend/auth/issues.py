"""How many codes and links an address may get: three in fifteen minutes of each purpose."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.config import settings
from backend.errors import TooManyRequests
from backend.extensions import db
from backend.models import OtpAddress, OtpIssue

MAX_ISSUES = 3
ISSUE_WINDOW = timedelta(minutes=15)

Purpose = Literal["sign-up", "reset", "email"]


def lock_address(email: str, purpose: Purpose) -> None:
    """Make codes of one purpose for one address wait for each other, whether or not one was ever sent."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(OtpAddress).values(email=_name(email, purpose))
    # An update that changes nothing locks the row, also when it came or went this very moment.
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["email"], set_={"email": statement.excluded.email}
        )
    )


def count_issue(email: str, moment: datetime, purpose: Purpose) -> None:
    """Count a code or link sent to an address, if it may get one.

    Each purpose is counted apart, so that whoever signs up with somebody's address over and over does not
    keep them from choosing another password.

    Raises:
        TooManyRequests: the address got as many as it may.

    """
    lock_address(email, purpose)
    name = _name(email, purpose)
    oldest, count = db.session.execute(
        select(func.min(OtpIssue.issued_at), func.count()).where(
            OtpIssue.email == name, OtpIssue.issued_at > moment - ISSUE_WINDOW
        )
    ).one()
    if count >= MAX_ISSUES and settings().rate_limits:
        raise too_soon(oldest + ISSUE_WINDOW - moment)
    db.session.add(OtpIssue(email=name, issued_at=moment))


def too_soon(wait: timedelta) -> TooManyRequests:
    """Refuse another code before its time."""
    seconds = max(1, -int(-wait.total_seconds() // 1))
    return TooManyRequests(
        f"Please wait {seconds} seconds before you ask for another code.", retry_after=seconds
    )


def _name(email: str, purpose: Purpose) -> str:
    return email if purpose == "sign-up" else f"{purpose}:{email}"
