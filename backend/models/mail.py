"""The outbox: mail is promised in the transaction that causes it, and sent after."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class OutboxMail(Base):
    """One mail to one address, sent at most once for its key."""

    __tablename__ = "outbox_mails"
    __table_args__ = (
        UniqueConstraint("key", name="uq_outbox_mails_key"),
        CheckConstraint("status IN ('pending', 'sent', 'bounced', 'failed')", name="status_known"),
        Index(
            "ix_outbox_mails_due",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
        Index("ix_outbox_mails_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    """What it is about, such as ``ticket:42``: a second mail of one key is never written."""
    template: Mapped[str]
    to_address: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Whose account it is about; null for an address that has none yet."""
    kind: Mapped[str] = mapped_column(default="account", server_default="account")
    """Which of the notification settings it falls under; ``account`` is none that can be switched off."""
    locale: Mapped[str] = mapped_column(default="en", server_default="en")
    """The language of its template: ``en`` or ``hi``."""
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Codes on their way, encrypted; wiped once sent or given up."""
    has_secret: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether codes belong to it: without them, once they are wiped, it cannot be sent again."""
    status: Mapped[str] = mapped_column(default="pending")
    """``bounced``: the server refused it for good; ``failed``: given up after a day, or past its time."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """Past it the mail would only confuse, and is given up."""
    sent_at: Mapped[datetime | None]
