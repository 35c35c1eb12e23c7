"""Tariffs, and the prices quoted from them."""

from datetime import date, datetime
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
        CheckConstraint("week_cap_minor >= 0", name="week_cap_not_negative"),
        CheckConstraint("minimum_minor >= 0", name="minimum_not_negative"),
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
    week_cap_minor: Mapped[int | None] = mapped_column(BigId)
    """The most for any 7 x 24 hours, counted from the start of the stay."""
    minimum_minor: Mapped[int | None] = mapped_column(BigId)
    """The least that a stay costs which costs anything."""
    holiday_region: Mapped[str | None]
    """Whose public holidays count, such as ``DE`` or ``DE-BW``; null: there are none."""
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
    bands: Mapped[list["TariffBand"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="TariffBand.position"
    )
    kind_rules: Mapped[list["TariffKindRule"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="TariffKindRule.spot_kind"
    )
    day_rules: Mapped[list["TariffDayRule"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="TariffDayRule.position"
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


class TariffBand(Base):
    """A flat price for a stay that enters and leaves within the hours of a band, such as early bird."""

    __tablename__ = "tariff_bands"
    __table_args__ = (
        CheckConstraint("kind IN ('early_bird', 'evening', 'weekend', 'event')", name="kind_known"),
        CheckConstraint("weekdays BETWEEN 0 AND 127", name="weekdays_in_week"),
        CheckConstraint(
            "enter_from_minutes BETWEEN 0 AND 1439 AND enter_until_minutes > enter_from_minutes"
            " AND leave_until_minutes > enter_from_minutes",
            name="hours_in_order",
        ),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("first_day <= last_day", name="days_in_order"),
    )

    tariff_id: Mapped[int] = mapped_column(
        ForeignKey("tariffs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    weekdays: Mapped[int] = mapped_column(default=127)
    """On which days one may enter: bit 0 is Monday, bit 6 Sunday."""
    on_holidays: Mapped[bool] = mapped_column(default=True)
    """Whether public holidays count as well; what weekday they are matters all the same."""
    enter_from_minutes: Mapped[int]
    """The first local minute of the day at which one may enter."""
    enter_until_minutes: Mapped[int]
    """The minute before which one must enter, of the same day; over 1440 it lies in the next."""
    leave_until_minutes: Mapped[int]
    """The minute by which one must have left, counted from the day of entering: 1800 is 06:00 of the next."""
    first_day: Mapped[date | None]
    """The first local day of an event; null: since ever."""
    last_day: Mapped[date | None]
    amount_minor: Mapped[int] = mapped_column(BigId)


class TariffKindRule(Base):
    """What bays of one kind cost more or less: so many basis points of the ladder's amounts."""

    __tablename__ = "tariff_kind_rules"
    __table_args__ = (
        CheckConstraint(
            "spot_kind IN ('standard', 'compact', 'large', 'accessible', 'electric', 'motorcycle')",
            name="kind_known",
        ),
        CheckConstraint("percent_bp BETWEEN 0 AND 100000", name="percent_in_range"),
    )

    tariff_id: Mapped[int] = mapped_column(
        ForeignKey("tariffs.id", ondelete="CASCADE"), primary_key=True
    )
    spot_kind: Mapped[str] = mapped_column(primary_key=True)
    percent_bp: Mapped[int]
    """10000 leaves the amount as it is, 12500 is a quarter more, 0 is free."""


class TariffDayRule(Base):
    """What some days cost more or less; the first rule that names a day is the day's."""

    __tablename__ = "tariff_day_rules"
    __table_args__ = (
        CheckConstraint("weekdays BETWEEN 0 AND 127", name="weekdays_in_week"),
        CheckConstraint("percent_bp BETWEEN 0 AND 100000", name="percent_in_range"),
    )

    tariff_id: Mapped[int] = mapped_column(
        ForeignKey("tariffs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    weekdays: Mapped[int] = mapped_column(default=0)
    """Bit 0 is Monday, bit 6 Sunday."""
    on_holidays: Mapped[bool] = mapped_column(default=False)
    """Whether it is the rule of public holidays, whatever weekday they are."""
    percent_bp: Mapped[int]
    """10000 leaves the amount as it is, 0 is free."""
    day_cap_minor: Mapped[int | None] = mapped_column(BigId)
    """The cap of such a day in place of the tariff's own; null: the tariff's."""


class Coupon(Base):
    """A code that makes a booking cheaper."""

    __tablename__ = "coupons"
    __table_args__ = (
        UniqueConstraint("code", name="uq_coupons_code"),
        CheckConstraint("(percent_bp IS NULL) <> (amount_minor IS NULL)", name="percent_or_amount"),
        CheckConstraint("percent_bp BETWEEN 1 AND 10000", name="percent_in_range"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("most_uses > 0 AND most_uses_per_driver > 0", name="uses_positive"),
        CheckConstraint("valid_from < valid_until", name="dates_in_order"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str]
    """In capitals, without spaces."""
    name: Mapped[str]
    percent_bp: Mapped[int | None]
    amount_minor: Mapped[int | None] = mapped_column(BigId)
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lots.id"))
    """Where it counts; null: in every lot."""
    valid_from: Mapped[datetime | None]
    """It counts for what is booked from then on; null: since ever."""
    valid_until: Mapped[datetime | None]
    most_uses: Mapped[int | None]
    most_uses_per_driver: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it as declared


class CouponUse(Base):
    """A booking that a coupon made cheaper; it counts until the booking expires or is cancelled unpaid."""

    __tablename__ = "coupon_uses"
    __table_args__ = (
        UniqueConstraint("reservation_id", name="uq_coupon_uses_reservation"),
        Index("ix_coupon_uses_coupon_user", "coupon_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupons.id"))
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    used_at: Mapped[datetime]


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
    """The kind that was asked for; null: any that fits and costs no more than the priced one."""
    priced_kind: Mapped[str] = mapped_column(default="standard", server_default="standard")
    """By which kind's rule it was priced: what was asked for, else the foremost that fits and the lot has."""
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
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
