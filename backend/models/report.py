"""Monthly reports of drivers and of the operator, and the files they were made into."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

UNMADE = text("status IN ('queued', 'running')")
"""Of a report: it is still to be made; written as its partial index is, for only then does it serve."""


class Report(Base):
    """One month of one driver, or of the operator."""

    __tablename__ = "reports"
    __table_args__ = (
        # Exactly once per person and month: this key, not a lock.
        UniqueConstraint("key", name="uq_reports_key"),
        CheckConstraint("audience IN ('driver', 'operator')", name="audience_known"),
        CheckConstraint("(audience = 'driver') = (user_id IS NOT NULL)", name="driver_has_report"),
        CheckConstraint("status IN ('queued', 'running', 'ready', 'failed')", name="status_known"),
        Index("ix_reports_user_id", "user_id", "month"),
        Index("ix_reports_status", "status", "id"),
        Index(
            "ix_reports_unmade",
            "next_attempt_at",
            postgresql_where=UNMADE,
            sqlite_where=UNMADE,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    """``driver:42:2026-10`` or ``operator:2026-10``."""
    audience: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    month: Mapped[date]
    """Its first day."""
    timezone: Mapped[str]
    """In which zone the month was read."""
    locale: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    """What went wrong last, for the operator."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Its summary, as it stands in the files."""
    sent_count: Mapped[int] = mapped_column(default=0)
    """How often it was mailed again."""
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ReportFile(Base):
    """One file of a report."""

    __tablename__ = "report_files"
    __table_args__ = (CheckConstraint("format IN ('pdf', 'xlsx')", name="format_known"),)

    report_id: Mapped[int] = mapped_column(
        ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    format: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
