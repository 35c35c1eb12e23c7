"""Payments, the documents that prove them, and the sandbox bank's own books."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId


class Payment(Base):
    """One attempt to pay for a reservation; of one purpose at most one is undecided or succeeded.

    What is under review is money on its way back, and in nobody's way.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'requires_action', 'succeeded', 'failed',"
            " 'partially_refunded', 'refunded', 'review')",
            name="status_known",
        ),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= amount_minor", name="refunds_within_payment"
        ),
        Index(
            "uq_payments_one_charge",
            "reservation_id",
            "purpose",
            unique=True,
            postgresql_where=text("status NOT IN ('failed', 'refunded', 'review')"),
            sqlite_where=text("status NOT IN ('failed', 'refunded', 'review')"),
        ),
        Index("ix_payments_user_id", "user_id", "id"),
        Index("ix_payments_reservation_id", "reservation_id"),
        Index(
            "ix_payments_undecided",
            "created_at",
            postgresql_where=text("status IN ('pending', 'requires_action')"),
            sqlite_where=text("status IN ('pending', 'requires_action')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(default="booking")
    gateway: Mapped[str]
    gateway_ref: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigId)
    refunded_minor: Mapped[int] = mapped_column(BigId, default=0)
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class SandboxIntent(Base):
    """What the sandbox bank knows of one charge; it knows the card's outcome, never its number."""

    __tablename__ = "sandbox_intents"
    __table_args__ = (
        UniqueConstraint("idempotency_key", name="uq_sandbox_intents_key"),
        CheckConstraint(
            "status IN ('requires_action', 'succeeded', 'failed')", name="status_known"
        ),
        CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= amount_minor", name="refunds_within_charge"
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigId)
    refunded_minor: Mapped[int] = mapped_column(BigId, default=0)
    currency: Mapped[str]
    status: Mapped[str]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]


class DocumentCounter(Base):
    """The last number given in a series and year; its row lock keeps the numbers free of gaps."""

    __tablename__ = "document_counters"

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)


class Receipt(Base):
    """A numbered receipt, its content frozen when it was issued."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("series", "year", "number", name="uq_receipts_number"),
        UniqueConstraint("payment_id", name="uq_receipts_payment"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    series: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    issued_at: Mapped[datetime]
