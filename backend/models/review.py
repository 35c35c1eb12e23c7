"""What drivers say of lots where they stood."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class Review(Base):
    """Stars and words of one driver about one stay."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("reservation_id", name="uq_reviews_reservation"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars_one_to_five"),
        CheckConstraint("status IN ('published', 'hidden')", name="status_known"),
        Index(
            "ix_reviews_lot_published",
            "lot_id",
            "id",
            "stars",
            postgresql_where=text("status = 'published'"),
            sqlite_where=text("status = 'published'"),
        ),
        Index("ix_reviews_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="published")
    """An admin hides what breaks the rules, with a reason, and may show it again."""
    hidden_reason: Mapped[str | None]
    moderated_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    moderated_at: Mapped[datetime | None]
    reply: Mapped[str | None]
    """What the operator answers."""
    replied_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    replied_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared
