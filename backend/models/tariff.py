"""Tariffs, and the prices quoted from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.models.base import Base, BigId


class Tariff(Base):
    """One version of a lot's price table; once published it never changes."""

    __tablename__ = "tariffs"
    __table_args__ = (
        UniqueConstraint("lot_id", "version", name="uq_tariffs_lot_version"),
        CheckConstraint("status IN ('draft', 'published', 'superseded')", name="status_known"),
        CheckConstraint("billing_step_minutes BETWEEN 1 AND 1440", name="billing_step_in_day"),
        CheckConstraint("free_minutes >= 0", name="free_minutes_not_negative"),
        CheckConstraint("day_cap_minor >= 0", name="day_cap_not_negative"),
        CheckConstraint("day_start_minutes BETWEEN 0 AND 1439", name="day_start_in_day"),
        Index(
            "uq_tariffs_one_published",
            "lot_id",
            unique=True,
            postgresql_where=text("status = 'published'"),
            sqlite_where=text("status = 'published'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    version: Mapped[int]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="draft")
    currency: Mapped[str]
    billing_step_minutes: Mapped[int] = mapped_column(default=15)
    free_minutes: Mapped[int] = mapped_column(default=0)
    day_cap_minor: Mapped[int | None]
    day_start_minutes: Mapped[int] = mapped_column(default=0)
    tax_inclusive: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    increments: Mapped[list["TariffIncrement"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="TariffIncrement.position"
    )
    taxes: Mapped[list["TariffTax"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="TariffTax.position"
    )


class TariffIncrement(Base):
    """One step of the ladder: so much for each started so many minutes; the last one repeats."""

    __tablename__ = "tariff_increments"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    tariff_id: Mapped[int] = mapped_column(
        ForeignKey("tariffs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    minutes: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigId)


class TariffTax(Base):
    """One component of the tax, such as CGST; its rate in basis points (900 is 9 %)."""

    __tablename__ = "tariff_taxes"
    __table_args__ = (CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate_in_range"),)

    tariff_id: Mapped[int] = mapped_column(
        ForeignKey("tariffs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    rate_bp: Mapped[int]


class Quote(Base):
    """A price that holds for a while; its lines are frozen, and the tariff version can replay them."""

    __tablename__ = "quotes"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        Index("ix_quotes_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariffs.id"))
    vehicle_id: Mapped[int | None] = mapped_column(ForeignKey("vehicles.id"))
    spot_kind: Mapped[str | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    taxes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    refund_policy: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
