"""The audit log: who did what, to what, when; rows are added and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

APPEND_ONLY = "audit_entries_append_only"
"""The guard that refuses to change or delete an entry."""


class AuditEntry(Base):
    """One act of staff, or one event of an account's security."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at", "id"),
        Index("ix_audit_entries_actor_id", "actor_id", "id"),
        Index("ix_audit_entries_subject", "subject", "subject_id", "id"),
        Index("ix_audit_entries_action", "action", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    """The user who acted; nobody for the system, the command line and strangers. An entry outlives its user,
    so that this is no foreign key."""
    action: Mapped[str]
    """What was done: ``lot.updated``, ``user.signed-in``."""
    subject: Mapped[str]
    """To what kind of thing: ``lot``, ``user``."""
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The changed fields as they were; never a secret, never what closes with an account."""
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    request_id: Mapped[str] = mapped_column(default="")
    client: Mapped[str] = mapped_column(default="")
