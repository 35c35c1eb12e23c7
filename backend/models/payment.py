"""Payments, the documents that prove them, and the sandbox bank's own books."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, BigId

LEDGER_APPEND_ONLY = "ledger_transactions_append_only"
ENTRIES_APPEND_ONLY = "ledger_entries_append_only"
"""The guards that refuse to change or delete what was booked."""


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
        # Two under way at once could both be charged.
        Index(
            "uq_payments_one_under_way",
            "reservation_id",
            unique=True,
            postgresql_where=text("status IN ('pending', 'requires_action')"),
            sqlite_where=text("status IN ('pending', 'requires_action')"),
        ),
        UniqueConstraint("gateway", "gateway_ref", name="uq_payments_gateway_ref"),
        CheckConstraint(
            "(status = 'review') = (review_reason IS NOT NULL)", name="review_has_reason"
        ),
        CheckConstraint(
            "review_reason IN ('no_use', 'amount_mismatch')", name="review_reason_known"
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
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Its driver; a walk-in has none."""
    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"))
    """The price that it pays, or the rest of which."""
    purpose: Mapped[str] = mapped_column(default="booking")
    """``booking``, or for what became due later ``due:`` with the quote's id."""
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who took the cash."""
    gateway: Mapped[str]
    gateway_ref: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigId)
    refunded_minor: Mapped[int] = mapped_column(BigId, default=0)
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending")
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    review_reason: Mapped[str | None]
    """``no_use``: it goes back by itself; ``amount_mismatch``: an admin decides."""
    received_minor: Mapped[int | None] = mapped_column(BigId)
    """What came, where that was another amount."""


class Refund(Base):
    """Money on its way back to who paid; promised in the transaction that causes it, sent after."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'succeeded', 'failed')", name="status_known"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        UniqueConstraint("key", name="uq_refunds_key"),
        Index("ix_refunds_payment_id", "payment_id"),
        Index("ix_refunds_reservation_id", "reservation_id"),
        Index(
            "ix_refunds_due",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    """What it is for, such as ``cancel:42:7`` (cause, reservation, payment): a second one is never made."""
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str]
    cause: Mapped[str]
    """``cancelled``, ``operator``, ``rescheduled``, ``no_bay``, ``early_exit``, ``no_use``, ``goodwill``."""
    reason: Mapped[str] = mapped_column(default="")
    """What an admin wrote."""
    status: Mapped[str] = mapped_column(default="pending")
    gateway_ref: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class WebhookEvent(Base):
    """The inbox: each event of a gateway once, kept before it is acted upon."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("gateway", "event_id", name="uq_webhook_events_event"),
        CheckConstraint("status IN ('received', 'done', 'failed')", name="status_known"),
        Index(
            "ix_webhook_events_due",
            "next_attempt_at",
            postgresql_where=text("status = 'received'"),
            sqlite_where=text("status = 'received'"),
        ),
        Index("ix_webhook_events_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    gateway: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    reference: Mapped[str | None]
    """The gateway's name of the charge that it is about; the gateway itself is asked what became of it."""
    amount_minor: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="received")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    received_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class LedgerTransaction(Base):
    """One movement of money; its entries sum to zero, and neither it nor they are ever changed."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        UniqueConstraint("key", name="uq_ledger_transactions_key"),
        Index("ix_ledger_transactions_reservation_id", "reservation_id"),
        Index("ix_ledger_transactions_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    """What it books, such as ``payment:42`` or ``refund:7:sent``: a second time is never booked."""
    kind: Mapped[str]
    """``payment``, ``refund_promised`` or ``refund_sent``."""
    at: Mapped[datetime]
    reservation_id: Mapped[int] = mapped_column(ForeignKey("reservations.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    currency: Mapped[str]


class LedgerEntry(Base):
    """One side of a movement: what an account gets (positive) or gives (negative)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("transaction_id", "account", name="uq_ledger_entries_account"),
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        Index("ix_ledger_entries_account", "account", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transactions.id"))
    account: Mapped[str]
    """``gateway:sandbox``, ``gateway:stripe``, ``cash``, ``reservations`` or ``refunds_payable``."""
    amount_minor: Mapped[int] = mapped_column(BigId)


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
    refunds: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, server_default="{}")
    """What was given back, by the key of each refund: the same key gives back once."""
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


class CreditNote(Base):
    """A numbered credit note of a refund, its content frozen when it was issued."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        UniqueConstraint("series", "year", "number", name="uq_credit_notes_number"),
        UniqueConstraint("refund_id", name="uq_credit_notes_refund"),
        UniqueConstraint("verification", name="uq_credit_notes_verification"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    series: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    verification: Mapped[str]
    issued_at: Mapped[datetime]


class Receipt(Base):
    """A numbered receipt, its content frozen when it was issued."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("series", "year", "number", name="uq_receipts_number"),
        UniqueConstraint("payment_id", name="uq_receipts_payment"),
        UniqueConstraint("verification", name="uq_receipts_verification"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    series: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    verification: Mapped[str]
    """What its QR code asks by; it says nothing by itself."""
    issued_at: Mapped[datetime]
