"""Background work that failed and that nobody asks about: the dead letters."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

OPEN = text("resolved_at IS NULL")


class TaskFailure(Base):
    """A task that ended with an error; the same task with the same arguments is one row, however often."""

    __tablename__ = "task_failures"
    __table_args__ = (
        UniqueConstraint("digest", name="uq_task_failures_digest"),
        Index("ix_task_failures_open", "last_at", postgresql_where=OPEN, sqlite_where=OPEN),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str]
    """SHA-256 of task and arguments."""
    task: Mapped[str]
    arguments: Mapped[list[Any]] = mapped_column(JSON)
    error: Mapped[str]
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    """When it ran well again, or an admin let it run once more."""
