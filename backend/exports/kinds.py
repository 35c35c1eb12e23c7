"""What can be exported: for each kind its columns, its rows, and the filters of its list on the screen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    not_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from backend.audit.service import matching as matching_entries
from backend.clock import now
from backend.exports.cells import Column
from backend.models import (
    AuditEntry,
    LedgerEntry,
    LedgerTransaction,
    Lot,
    Payment,
    Receipt,
    Reservation,
    Role,
    Spot,
    SpotClaim,
    User,
    users_roles,
)
from backend.models.reservation import still_stands
from backend.payments import ledger
from backend.payments import service as payments
from backend.users.searching import matching as matching_users

Filters = Mapping[str, Any]
"""What the list on the screen is narrowed by, under the names of its own query."""
_PAID = ("succeeded", "partially_refunded", "refunded")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of export."""

    title: str
    columns: tuple[Column, ...]
    filters: frozenset[str]
    """By which it can be narrowed, apart from the time."""
    select: Callable[[datetime | None, datetime | None, Filters], Select[*tuple[Any, ...]]]
    """Gives the statement of its rows, the oldest first, each with as many values as there are columns."""


def _join_names(names: Any) -> Any:
    """Join names by a comma, as both databases do under names of their own."""
    return func.aggregate_strings(names, ", ")


def _sum_paid(amount: InstrumentedAttribute[int]) -> Any:
    total = (
        select(func.coalesce(func.sum(amount), 0))
        .where(Payment.reservation_id == Reservation.id, Payment.status.in_(_PAID))
        .scalar_subquery()
    )
    # PostgreSQL adds whole numbers up to a decimal one.
    return cast(total, BigInteger)


# Whoever closed their account has no name any more.
_NAME: ColumnElement[str | None] = case((User.deleted_at.is_(None), User.name))
_ADDRESS: ColumnElement[str | None] = case((User.deleted_at.is_(None), User.email))
# As `document_number` of receipts writes it: with six digits at least.
_SIX_DIGITS = 1_000_000
_RECEIPT_NUMBER: ColumnElement[str] = (
    Receipt.series
    + "-"
    + cast(Receipt.year, String)
    + "-"
    + case(
        (
            Receipt.number < _SIX_DIGITS,
            func.substr(cast(Receipt.number + _SIX_DIGITS, String), 2),
        ),
        else_=cast(Receipt.number, String),
    )
)


def _select_reservations(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    moment = now()
    # A hold past its deadline is expired, whether or not its row says so yet.
    is_stale = and_(Reservation.status == "held", Reservation.hold_expires_at <= moment)
    status = case((is_stale, "expired"), else_=Reservation.status)
    wanted: list[ColumnElement[bool]] = [
        getattr(Reservation, name) == filters[name]
        for name in ("lot_id", "user_id", "plate", "code")
        if name in filters
    ]
    if "status" in filters:
        wanted.append(status == filters["status"])
    if "when" in filters:
        stands = still_stands(moment)
        wanted.append(stands if filters["when"] == "upcoming" else not_(stands))
    if since is not None:
        wanted.append(Reservation.ends_at > since)
    if until is not None:
        wanted.append(Reservation.starts_at < until)
    return (
        select(
            Reservation.code,
            status,
            Reservation.source,
            Lot.name,
            Spot.label,
            Reservation.plate,
            _NAME,
            Reservation.starts_at,
            Reservation.ends_at,
            Reservation.created_at,
            Reservation.ended_at,
            Reservation.price_minor,
            _sum_paid(Payment.amount_minor),
            _sum_paid(Payment.refunded_minor),
            Reservation.debt_minor,
            Reservation.currency,
        )
        .join(Lot, Lot.id == Reservation.lot_id)
        .outerjoin(User, User.id == Reservation.user_id)
        .outerjoin(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .outerjoin(Spot, Spot.id == SpotClaim.spot_id)
        .where(*wanted)
        .order_by(Reservation.id)
    )


def _select_payments(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    wanted = payments.matching(payments.PaymentFilters(**filters, since=since, until=until))
    return (
        select(
            Payment.id,
            Reservation.code,
            Lot.name,
            _NAME,
            Payment.purpose,
            Payment.gateway,
            Payment.status,
            Payment.failure,
            Payment.created_at,
            Payment.settled_at,
            Payment.amount_minor,
            Payment.refunded_minor,
            Payment.currency,
            Payment.gateway_ref,
            _RECEIPT_NUMBER,
        )
        .join(Reservation, Reservation.id == Payment.reservation_id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .outerjoin(User, User.id == Payment.user_id)
        .outerjoin(Receipt, Receipt.payment_id == Payment.id)
        .where(*wanted)
        .order_by(Payment.id)
    )


def _select_ledger(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    wanted = ledger.matching(ledger.LedgerFilters(**filters, since=since, until=until))
    return (
        select(
            LedgerEntry.id,
            LedgerEntry.transaction_id,
            LedgerTransaction.at,
            LedgerTransaction.kind,
            LedgerEntry.account,
            LedgerEntry.amount_minor,
            LedgerTransaction.currency,
            Reservation.code,
            LedgerTransaction.payment_id,
            LedgerTransaction.refund_id,
        )
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(Reservation, Reservation.id == LedgerTransaction.reservation_id)
        .where(*wanted)
        .order_by(LedgerEntry.id)
    )


def _select_users(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    wanted = matching_users(**filters)
    if since is not None:
        wanted.append(User.created_at >= since)
    if until is not None:
        wanted.append(User.created_at < until)
    roles = (
        select(_join_names(Role.name))
        .join(users_roles, users_roles.c.role_id == Role.id)
        .where(users_roles.c.user_id == User.id)
        .scalar_subquery()
    )
    return (
        select(
            User.id,
            _NAME,
            _ADDRESS,
            User.phone,
            roles,
            User.active,
            User.totp_since.is_not(None),
            User.accessible_permit,
            User.timezone,
            User.locale,
            User.created_at,
            User.deleted_at,
        )
        .where(*wanted)
        .order_by(User.id)
    )


def _select_audit(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    actor = and_(User.id == AuditEntry.actor_id, User.deleted_at.is_(None))
    return (
        select(
            AuditEntry.id,
            AuditEntry.at,
            AuditEntry.actor_id,
            User.name,
            AuditEntry.action,
            AuditEntry.subject,
            AuditEntry.subject_id,
            AuditEntry.before,
            AuditEntry.after,
            AuditEntry.request_id,
            AuditEntry.client,
        )
        .outerjoin(User, actor)
        .where(*matching_entries(**filters, since=since, until=until))
        .order_by(AuditEntry.id)
    )


def _select_lots(
    since: datetime | None, until: datetime | None, filters: Filters
) -> Select[*tuple[Any, ...]]:
    wanted: list[ColumnElement[bool]] = []
    if "status" in filters:
        wanted.append(Lot.status == filters["status"])
    if since is not None:
        wanted.append(Lot.created_at >= since)
    if until is not None:
        wanted.append(Lot.created_at < until)
    bays = select(func.count(Spot.id)).where(Spot.lot_id == Lot.id).scalar_subquery()
    return (
        select(
            Lot.id,
            Lot.external_id,
            Lot.name,
            Lot.address,
            Lot.city,
            Lot.lat,
            Lot.lng,
            Lot.timezone,
            Lot.status,
            bays,
            Lot.opening_hours,
            Lot.height_limit_cm,
            Lot.refund_policy,
            Lot.created_at,
        )
        .where(*wanted)
        .order_by(Lot.id)
    )


KINDS: dict[str, Kind] = {
    "reservations": Kind(
        "Bookings",
        (
            Column("Booking", width=15),
            Column("Status"),
            Column("Source", width=10),
            Column("Car park", width=28),
            Column("Bay", width=8),
            Column("Plate"),
            Column("Driver", width=24),
            Column("From", "moment", 17),
            Column("To", "moment", 17),
            Column("Booked", "moment", 17),
            Column("Ended", "moment", 17),
            Column("Price", "money", 12),
            Column("Paid", "money", 12),
            Column("Refunded", "money", 12),
            Column("Owed", "money", 12),
            Column("Currency", width=9),
        ),
        frozenset({"status", "when", "lot_id", "user_id", "plate", "code"}),
        _select_reservations,
    ),
    "payments": Kind(
        "Payments",
        (
            Column("Payment", "number", 10),
            Column("Booking", width=15),
            Column("Car park", width=28),
            Column("Driver", width=24),
            Column("For"),
            Column("Method", width=10),
            Column("Status", width=18),
            Column("Failure", width=18),
            Column("Begun", "moment", 17),
            Column("Settled", "moment", 17),
            Column("Amount", "money", 12),
            Column("Refunded", "money", 12),
            Column("Currency", width=9),
            Column("Reference", width=28),
            Column("Receipt", width=18),
        ),
        frozenset({"reservation_id", "status", "method", "lot_id", "code"}),
        _select_payments,
    ),
    "ledger": Kind(
        "Ledger",
        (
            Column("Entry", "number", 10),
            Column("Movement", "number", 10),
            Column("At", "moment", 17),
            Column("Kind", width=16),
            Column("Account", width=18),
            Column("Amount", "money", 12),
            Column("Currency", width=9),
            Column("Booking", width=15),
            Column("Payment", "number", 10),
            Column("Refund", "number", 10),
        ),
        frozenset({"reservation_id", "account"}),
        _select_ledger,
    ),
    "users": Kind(
        "Users",
        (
            Column("User", "number", 10),
            Column("Name", width=24),
            Column("E-mail", width=28),
            Column("Telephone", width=18),
            Column("Roles", width=20),
            Column("Active", "flag", 8),
            Column("Second factor", "flag", 14),
            Column("Accessible permit", "flag", 17),
            Column("Time zone", width=18),
            Column("Language", width=10),
            Column("Since", "moment", 17),
            Column("Closed", "moment", 17),
        ),
        frozenset({"q", "role", "active"}),
        _select_users,
    ),
    "audit": Kind(
        "Audit log",
        (
            Column("Entry", "number", 10),
            Column("At", "moment", 17),
            Column("Actor", "number", 10),
            Column("Name", width=24),
            Column("Action", width=24),
            Column("Subject"),
            Column("Number", "number", 10),
            Column("Before", "json", 40),
            Column("After", "json", 40),
            Column("Request", width=34),
            Column("Address", width=18),
        ),
        frozenset({"q", "actor_id", "action", "subject", "subject_id"}),
        _select_audit,
    ),
    "lots": Kind(
        "Car parks",
        (
            Column("Car park", "number", 10),
            Column("External id", width=18),
            Column("Name", width=28),
            Column("Address", width=34),
            Column("City", width=18),
            Column("Latitude", "number", 11),
            Column("Longitude", "number", 11),
            Column("Time zone", width=18),
            Column("Status", width=10),
            Column("Bays", "number", 8),
            Column("Opening hours", width=20),
            Column("Height limit (cm)", "number", 16),
            Column("Refunds", width=10),
            Column("Since", "moment", 17),
        ),
        frozenset({"status"}),
        _select_lots,
    ),
}
