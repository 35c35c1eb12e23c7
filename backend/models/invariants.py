"""What the hourly look over the promises found."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class InvariantRun(Base):
    """One look over all promises that rows can show."""

    __tablename__ = "invariant_runs"
    __table_args__ = (Index("ix_invariant_runs_at", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    took_ms: Mapped[int]
    violations: Mapped[int]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Each promise: its number, what was looked at, how many rows break it, and the first of them."""
