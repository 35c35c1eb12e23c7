"""The outbox: mail is promised in the transaction that causes it, and sent after."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class OutboxMail(Base):
    """One mail to one address, sent at most once for its key."""

    __tablename__ = "outbox_mails"
    __table_args__ = (
        UniqueConstraint("key", name="uq_outbox_mails_key"),
        CheckConstraint("status IN ('pending', 'sent', 'failed')", name="status_known"),
        Index(
            "ix_outbox_mails_due",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    """What it is about, such as ``ticket:42``: a second mail of one key is never written."""
    template: Mapped[str]
    to_address: Mapped[str]
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Codes on their way, encrypted; wiped once sent or given up."""
    status: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """Past it the mail would only confuse, and is given up."""
    sent_at: Mapped[datetime | None]
