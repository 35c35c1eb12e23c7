"""Work that somebody asked for and that takes a while, and the file that it made."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

UNDER_WAY = text("status IN ('queued', 'running')")
"""Of a job: it is not over; written as its partial indexes are, for only then do they serve."""


class Job(Base):
    """One piece of work; a person has at most one of a kind under way."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status_known"
        ),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_is_a_percentage"),
        Index(
            "uq_jobs_one_under_way",
            "user_id",
            "kind",
            unique=True,
            postgresql_where=UNDER_WAY,
            sqlite_where=UNDER_WAY,
        ),
        Index("ix_jobs_user_id", "user_id", "id"),
        Index(
            "ix_jobs_under_way",
            "next_attempt_at",
            postgresql_where=UNDER_WAY,
            sqlite_where=UNDER_WAY,
        ),
        Index("ix_jobs_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    """What exactly was asked for."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(default="queued")
    progress: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    """Why it failed, in a sentence for who asked."""
    failure: Mapped[str | None]
    """What went wrong last, for the operator."""
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    """When it is due again, should the worker that took it never say how it ended."""
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """From then on its file is gone."""


class JobFile(Base):
    """What a job made; in rows, so that any web process has it."""

    __tablename__ = "job_files"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigId)
    """In bytes, of all its parts."""


class JobFilePart(Base):
    """A piece of what a job made: no process holds the whole of a large file."""

    __tablename__ = "job_file_parts"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("job_files.job_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
