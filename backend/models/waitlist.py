"""Who waits for a bay of a full lot."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

STATUSES = ("waiting", "offered", "booked", "lapsed", "left")


class WaitlistEntry(Base):
    """A driver who waits for a window; the first whose window fits gets the bay that becomes free."""

    __tablename__ = "waitlist_entries"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint(
            "status IN ('waiting', 'offered', 'booked', 'lapsed', 'left')", name="status_known"
        ),
        CheckConstraint(
            "(status IN ('offered', 'booked')) <= (reservation_id IS NOT NULL)",
            name="offer_has_reservation",
        ),
        Index(
            "uq_waitlist_entries_once",
            "user_id",
            "lot_id",
            "starts_at",
            "ends_at",
            unique=True,
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index(
            "ix_waitlist_entries_queue",
            "lot_id",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index("ix_waitlist_entries_user_id", "user_id", "id"),
        Index("ix_waitlist_entries_reservation_id", "reservation_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("vehicles.id"))
    spot_kind: Mapped[str | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="waiting")
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))
    """The hold that was offered."""
    created_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
