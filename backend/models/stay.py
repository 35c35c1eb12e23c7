"""What happened at the gate, and what became of a reservation on the way."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class Stay(Base):
    """A car that came in, and when it left; where re-entry is allowed, a reservation has several."""

    __tablename__ = "stays"
    __table_args__ = (
        CheckConstraint("entered_at <= left_at", name="enters_before_leaving"),
        Index(
            "uq_stays_one_present",
            "reservation_id",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
            sqlite_where=text("left_at IS NULL"),
        ),
        Index("ix_stays_reservation_id", "reservation_id", "id"),
        Index("ix_stays_lot_left_at", "lot_id", "left_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    spot_id: Mapped[int] = mapped_column(ForeignKey("spots.id"))
    """The bay that it had when it came in."""
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who let it in: staff, or the driver where the lot allows that."""
    left_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class GateScan(Base):
    """One look at a credential at a gate, refused ones too."""

    __tablename__ = "gate_scans"
    __table_args__ = (
        CheckConstraint("credential IN ('qr', 'code', 'plate', 'none')", name="credential_known"),
        CheckConstraint("result IN ('entered', 'left', 'refused')", name="result_known"),
        CheckConstraint("(result = 'refused') = (reason IS NOT NULL)", name="refusal_has_reason"),
        Index("ix_gate_scans_lot_at", "lot_id", "at", "id"),
        Index("ix_gate_scans_at", "at"),
        Index("ix_gate_scans_reservation_id", "reservation_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    credential: Mapped[str]
    shown: Mapped[str]
    """What was read of it: the code or the plate; of what nobody can read, nothing."""
    result: Mapped[str]
    reason: Mapped[str | None]
    """Why not: the slug of the refusal."""
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"))


class ReservationEvent(Base):
    """One thing that happened to a reservation, as its driver is told of it in the app."""

    __tablename__ = "reservation_events"
    __table_args__ = (Index("ix_reservation_events_reservation_id", "reservation_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    """``booked``, ``paid``, ``extended``, ``rescheduled``, ``vehicle-changed``, ``moved``, ``entered``,
    ``left``, ``overstayed``, ``completed``, ``cancelled``, ``no-show``, ``refunded``, ``due``, ``let-out``,
    ``occupied``."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who did it; null: the system."""
