"""The books: what was taken, promised back and sent back, in double entry; nothing is ever changed in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects import postgresql, sqlite

from backend import clock
from backend.extensions import db
from backend.models import LedgerEntry, LedgerTransaction, Payment, Refund

RESERVATIONS = "reservations"
"""What drivers paid for their reservations; negative, since it is owed to them as parking."""
REFUNDS_PAYABLE = "refunds_payable"
"""What was promised back and is not sent yet."""
CASH = "cash"
ACCOUNTS = ("gateway:sandbox", "gateway:stripe", CASH, RESERVATIONS, REFUNDS_PAYABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilters:
    """Which entries a list is of; None stands for any."""

    reservation_id: int | None = None
    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def book_payment(payment: Payment) -> None:
    """Book that a payment's money arrived, in the transaction that settles it; a second time is nothing."""
    _book(
        f"payment:{payment.id}",
        "payment",
        payment,
        refund_id=None,
        entries={
            account_of(payment.gateway): payment.amount_minor,
            RESERVATIONS: -payment.amount_minor,
        },
    )


def book_promise(refund: Refund, payment: Payment) -> None:
    """Book that a refund was promised; a second time is nothing."""
    _book(
        f"refund:{refund.id}:promised",
        "refund_promised",
        payment,
        refund_id=refund.id,
        entries={RESERVATIONS: refund.amount_minor, REFUNDS_PAYABLE: -refund.amount_minor},
    )


def book_sent(refund: Refund, payment: Payment) -> None:
    """Book that a promised refund was sent; a second time is nothing."""
    _book(
        f"refund:{refund.id}:sent",
        "refund_sent",
        payment,
        refund_id=refund.id,
        entries={
            REFUNDS_PAYABLE: refund.amount_minor,
            account_of(payment.gateway): -refund.amount_minor,
        },
    )


def account_of(gateway: str) -> str:
    """Name the account in which a gateway's money lies."""
    return CASH if gateway == CASH else f"gateway:{gateway}"


def balance_of(reservation_id: int) -> int:
    """Give what a reservation was paid and not given back, by the books."""
    booked = db.session.scalar(
        select(func.sum(LedgerEntry.amount_minor))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerTransaction.reservation_id == reservation_id,
            LedgerEntry.account == RESERVATIONS,
        )
    )
    return -int(booked or 0)


def list_balances() -> list[dict[str, Any]]:
    """Add up every account, each currency for itself."""
    rows = db.session.execute(
        select(
            LedgerEntry.account,
            LedgerTransaction.currency,
            func.sum(LedgerEntry.amount_minor).label("balance_minor"),
        )
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .group_by(LedgerEntry.account, LedgerTransaction.currency)
        .order_by(LedgerEntry.account, LedgerTransaction.currency)
    )
    return [
        {
            "account": row.account,
            "currency": row.currency,
            "balance_minor": int(row.balance_minor),
        }
        for row in rows
    ]


def list_entries(
    filters: LedgerFilters, *, limit: int, before_id: int | None = None
) -> tuple[list[dict[str, Any]], int | None, int]:
    """Give a page of entries, the latest foremost; where the next begins; and how many there are."""
    wanted = list(matching(filters))
    total = db.session.scalar(
        select(func.count())
        .select_from(LedgerEntry)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(*wanted)
    )
    if before_id is not None:
        wanted.append(LedgerEntry.id < before_id)
    page = db.session.execute(
        select(LedgerEntry, LedgerTransaction)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(*wanted)
        .order_by(LedgerEntry.id.desc())
        .limit(limit + 1)
    ).all()
    following = page[limit - 1].LedgerEntry.id if len(page) > limit else None
    return [_told(*row) for row in page[:limit]], following, total or 0


def _book(
    key: str,
    kind: str,
    payment: Payment,
    *,
    refund_id: int | None,
    entries: dict[str, int],
) -> None:
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    transaction_id = db.session.execute(
        dialect.insert(LedgerTransaction)
        .values(
            key=key,
            kind=kind,
            at=clock.now(),
            reservation_id=payment.reservation_id,
            payment_id=payment.id,
            refund_id=refund_id,
            currency=payment.currency,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(LedgerTransaction.id)
    ).scalar_one_or_none()
    if transaction_id is None:
        return
    db.session.execute(
        dialect.insert(LedgerEntry),
        [
            {"transaction_id": transaction_id, "account": account, "amount_minor": amount}
            for account, amount in entries.items()
        ],
    )


def matching(filters: LedgerFilters) -> Iterable[ColumnElement[bool]]:
    """Give the conditions on entries, joined with their transactions, that match."""
    if filters.reservation_id is not None:
        yield LedgerTransaction.reservation_id == filters.reservation_id
    if filters.account is not None:
        yield LedgerEntry.account == filters.account
    if filters.since is not None:
        yield LedgerTransaction.at >= filters.since
    if filters.until is not None:
        yield LedgerTransaction.at < filters.until


def _told(entry: LedgerEntry, movement: LedgerTransaction) -> dict[str, Any]:
    return {
        "id": entry.id,
        "transaction_id": movement.id,
        "at": movement.at,
        "kind": movement.kind,
        "account": entry.account,
        "amount_minor": entry.amount_minor,
        "currency": movement.currency,
        "reservation_id": movement.reservation_id,
        "payment_id": movement.payment_id,
        "refund_id": movement.refund_id,
    }
