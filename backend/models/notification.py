"""What people are told in the app, what they want to be told, and which reminders went out."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class Notification(Base):
    """One thing that a user is told in the app, once for its key."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("key", name="uq_notifications_key"),
        Index("ix_notifications_user_id", "user_id", "id"),
        Index(
            "ix_notifications_unread",
            "user_id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
        Index("ix_notifications_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str]
    """What it is about, as of a mail: ``ticket:42``."""
    kind: Mapped[str]
    """Which of the notification settings it falls under."""
    title: Mapped[str]
    """In the language that the user had when it was written."""
    text: Mapped[str]
    link: Mapped[str | None]
    """A path of the front end, such as ``/bookings/42``."""
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class NotificationSetting(Base):
    """What a user chose for one kind; a kind without a row is as it is by default."""

    __tablename__ = "notification_settings"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    mail: Mapped[bool]
    app: Mapped[bool]


class Reminder(Base):
    """A reminder that went out; its key keeps it from going out twice."""

    __tablename__ = "reminders"
    __table_args__ = (
        Index("ix_reminders_at", "at"),
        Index("ix_reminders_reservation_id", "reservation_id", "kind", "moment"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    """Kind, booking and the moment it is about: a booking that moved is reminded of anew."""
    kind: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))
    """The booking it is about; a nudge and a digest are about none."""
    moment: Mapped[datetime | None]
    """The start, end or deadline of the booking that it is about."""
    at: Mapped[datetime]
