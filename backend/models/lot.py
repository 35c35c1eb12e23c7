"""Lots, their bays, and when either is closed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.models.base import Base, BigId

LOT_STATUSES = ("draft", "open", "closed", "archived")
SPOT_KINDS = ("standard", "compact", "large", "accessible", "electric", "motorcycle")
REFUND_POLICIES = ("flexible", "standard", "saver")


class Lot(Base):
    """A place to park."""

    __tablename__ = "lots"
    __table_args__ = (
        UniqueConstraint("external_id", name="uq_lots_external_id"),
        CheckConstraint("status IN ('draft', 'open', 'closed', 'archived')", name="status_known"),
        CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name="point_on_earth"
        ),
        CheckConstraint("height_limit_cm > 0", name="height_limit_positive"),
        CheckConstraint(
            "entry_minutes >= 0 AND entry_minutes_long >= 0 AND grace_minutes >= 0",
            name="gate_minutes_not_negative",
        ),
        CheckConstraint(
            "refund_policy IN ('flexible', 'standard', 'saver')", name="refund_policy_known"
        ),
        Index("ix_lots_lat_lng", "lat", "lng"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    external_id: Mapped[str | None]
    """Where an import has it from, so that a second import changes it instead of adding another."""
    name: Mapped[str]
    address: Mapped[str]
    city: Mapped[str]
    search_text: Mapped[str]
    """Name, address and city, folded for search; the service keeps it."""
    lat: Mapped[float] = mapped_column(Float(53))
    lng: Mapped[float] = mapped_column(Float(53))
    timezone: Mapped[str]
    status: Mapped[str] = mapped_column(default="draft")
    opening_hours: Mapped[str] = mapped_column(default="24/7")
    height_limit_cm: Mapped[int | None]
    refund_policy: Mapped[str] = mapped_column(default="standard")
    entry_minutes: Mapped[int] = mapped_column(default=15, server_default="15")
    """So long before its start a booking opens the entrance."""
    entry_minutes_long: Mapped[int] = mapped_column(default=120, server_default="120")
    """The same for stays over 24 hours, whose drivers come by a train or a flight."""
    grace_minutes: Mapped[int] = mapped_column(default=10, server_default="10")
    """So long after the end leaving costs nothing more."""
    refunds_early_exit: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whoever leaves early pays for the time until then, and gets the rest back."""
    allows_reentry: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A car may leave and come back until its booking ends."""
    allows_self_check_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Drivers may check in and out by themselves in the app."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    amenities: Mapped[list["LotAmenity"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="LotAmenity.amenity"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared

    @property
    def postal_address(self) -> str:
        """The address with the city, which many an address names already."""
        if not self.city or self.city.casefold() in self.address.casefold():
            return self.address
        return f"{self.address}, {self.city}" if self.address else self.city


class LotAmenity(Base):
    """One thing that a lot offers, such as ``covered`` or ``video``."""

    __tablename__ = "lot_amenities"

    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id", ondelete="CASCADE"), primary_key=True)
    amenity: Mapped[str] = mapped_column(primary_key=True)


class Spot(Base):
    """One bay of a lot, at its place on the floor plan."""

    __tablename__ = "spots"
    __table_args__ = (
        UniqueConstraint("lot_id", "label", name="uq_spots_lot_label"),
        CheckConstraint(
            "kind IN ('standard', 'compact', 'large', 'accessible', 'electric', 'motorcycle')",
            name="kind_known",
        ),
        Index("ix_spots_lot_kind", "lot_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    label: Mapped[str]
    level: Mapped[str] = mapped_column(default="0")
    kind: Mapped[str] = mapped_column(default="standard")
    x: Mapped[float] = mapped_column(Float(53), default=0.0)
    """Metres from the plan's left edge to the bay's centre."""
    y: Mapped[float] = mapped_column(Float(53), default=0.0)
    rotation: Mapped[int] = mapped_column(default=0)
    entrance_rank: Mapped[int] = mapped_column(default=0)
    """How far from the entrance, 0 being next to it; bays of one rank are equally good."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared


class Closure(Base):
    """A time in which a bay, or with no ``spot_id`` the whole lot, is out of service."""

    __tablename__ = "closures"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        Index(
            "uq_closures_lot_closed_once",
            "lot_id",
            unique=True,
            postgresql_where=text("spot_id IS NULL AND lifted_at IS NULL"),
            sqlite_where=text("spot_id IS NULL AND lifted_at IS NULL"),
        ),
        Index("ix_closures_spot_id", "spot_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    spot_id: Mapped[int | None] = mapped_column(ForeignKey("spots.id"))
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class LotStaff(Base):
    """An attendant who works at a lot, and acts in no other."""

    __tablename__ = "lot_staff"
    __table_args__ = (Index("ix_lot_staff_user_id", "user_id"),)

    lot_id: Mapped[int] = mapped_column(
        ForeignKey("lots.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
