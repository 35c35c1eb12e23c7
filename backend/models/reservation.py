"""Reservations: a driver's right to one bay for one window."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.models.base import Base, BigId
from backend.models.claim import SpotClaim
from backend.models.lot import Lot
from backend.models.tariff import Quote
from backend.models.vehicle import Vehicle

LIVE_STATUSES = ("held", "confirmed", "checked_in", "overstayed")
STATUSES = (*LIVE_STATUSES, "completed", "cancelled", "expired", "no_show")


class Reservation(Base):
    """A right to one bay for ``[starts_at, ends_at)``. Which bay, its claim says.

    Two live reservations of one plate never overlap, whoever made them: PostgreSQL holds that by the
    exclusion constraint ``ex_reservations_plate_overlap``, SQLite by triggers of the same name.
    """

    __tablename__ = "reservations"
    __table_args__ = (
        UniqueConstraint("code", name="uq_reservations_code"),
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint(
            "status IN ('held', 'confirmed', 'checked_in', 'overstayed',"
            " 'completed', 'cancelled', 'expired', 'no_show')",
            name="status_known",
        ),
        CheckConstraint(
            "live = (status IN ('held', 'confirmed', 'checked_in', 'overstayed'))",
            name="live_follows_status",
        ),
        CheckConstraint(
            "(status = 'held') <= (hold_expires_at IS NOT NULL)", name="hold_has_deadline"
        ),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("debt_minor >= 0", name="debt_not_negative"),
        CheckConstraint("source IN ('app', 'waitlist', 'walk_in')", name="source_known"),
        CheckConstraint(
            "source = 'walk_in' OR (user_id IS NOT NULL AND vehicle_id IS NOT NULL)",
            name="has_driver_unless_walk_in",
        ),
        # What is due next of its own accord: no-shows, overstays, completions.
        Index(
            "ix_reservations_ends_live",
            "ends_at",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index(
            "ix_reservations_debt",
            "user_id",
            postgresql_where=text("debt_minor > 0"),
            sqlite_where=text("debt_minor > 0"),
        ),
        # Reminders: what begins soon, and which hold ends soon.
        Index(
            "ix_reservations_starts_live",
            "starts_at",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index(
            "ix_reservations_held",
            "hold_expires_at",
            postgresql_where=text("status = 'held'"),
            sqlite_where=text("status = 'held'"),
        ),
        # A stay belongs to the month in which it ended.
        Index(
            "ix_reservations_completed",
            "ended_at",
            postgresql_where=text("status = 'completed'"),
            sqlite_where=text("status = 'completed'"),
        ),
        Index("ix_reservations_user_starts_at", "user_id", "starts_at", "id"),
        Index("ix_reservations_lot_starts_at", "lot_id", "starts_at"),
        # Each quote that is purged is looked for here, by its foreign key too.
        Index("ix_reservations_quote", "quote_id"),
        Index(
            "ix_reservations_vehicle_live",
            "vehicle_id",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index(
            "ix_reservations_plate_live",
            "plate",
            "ends_at",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Its driver; a walk-in has none."""
    vehicle_id: Mapped[int | None] = mapped_column(ForeignKey("vehicles.id"))
    plate: Mapped[str]
    vehicle_kind: Mapped[str] = mapped_column(default="car", server_default="car")
    """As it was booked: which bays it fits, whatever becomes of the vehicle."""
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str]
    live: Mapped[bool]
    source: Mapped[str] = mapped_column(default="app")
    pinned: Mapped[bool] = mapped_column(default=False)
    """The driver chose this very bay, so nobody moves it."""
    price_minor: Mapped[int] = mapped_column(BigId)
    """What it costs by its quote; what was paid and given back stands in the ledger."""
    covered_until: Mapped[datetime | None]
    """Up to when the price reaches, grace apart, once it was priced for longer than the window; else null."""
    debt_minor: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    """What was left unpaid when the car was let out; while it stands, its driver books nothing new."""
    currency: Mapped[str]
    refund_policy: Mapped[str]
    hold_expires_at: Mapped[datetime | None]
    """The deadline to pay; kept after the payment as a fact of the history."""
    hold_extended_by: Mapped[int] = mapped_column(default=0)
    """Bits of what lengthened the hold once: 1 the start of a payment, 2 a failed one, 4 the driver's wish."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it left the live states."""
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often window, bay or vehicle changed: the SEQUENCE of its calendar entry."""
    lot: Mapped[Lot] = relationship(lazy="raise")
    vehicle: Mapped[Vehicle | None] = relationship(lazy="raise")
    quote: Mapped[Quote] = relationship(lazy="raise")
    claim: Mapped[SpotClaim] = relationship(lazy="raise", uselist=False, viewonly=True)


def still_stands(now: Any) -> ColumnElement[bool]:
    """Say of a reservation that it binds driver and vehicle at ``now``, a moment or a parameter of one.

    An unpaid one does until its deadline, any other until its window is over, and one whose car is in
    until that has left.
    """
    return and_(
        # Written out for the partial indexes on live rows: "live = 1" is something else to SQLite.
        literal_column("reservations.live", Boolean),
        or_(
            Reservation.status.in_(("checked_in", "overstayed")),
            and_(Reservation.status == "held", Reservation.hold_expires_at > now),
            and_(Reservation.status == "confirmed", Reservation.ends_at > now),
        ),
    )


PLATE_OVERLAP = "ex_reservations_plate_overlap"
