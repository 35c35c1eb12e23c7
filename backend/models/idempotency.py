"""Idempotency keys: which request came with which key, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class IdempotencyKey(Base):
    """A key of one caller: the digest of its request, then the status and what rebuilds the answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        UniqueConstraint("user_id", "key", name="uq_idempotency_keys_user_key"),
        CheckConstraint("(status IS NULL) = (facts IS NULL)", name="done_has_facts"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str]
    request_digest: Mapped[str]
    status: Mapped[int | None]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    owner: Mapped[str]
    """Which request holds it while in flight, so that one that lost it to another cannot finish it."""
    locked_until: Mapped[datetime]
    created_at: Mapped[datetime]
