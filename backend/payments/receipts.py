"""Receipts: numbered without gaps, frozen when they are issued."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from backend import clock
from backend.config import settings
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import (
    DocumentCounter,
    Lot,
    Payment,
    Quote,
    Receipt,
    Reservation,
    Spot,
    SpotClaim,
    User,
)

SERIES = "R"


def issue_receipt(payment: Payment) -> Receipt:
    """Issue the receipt of a payment that had a use, in the transaction that settles it."""
    issued_at = clock.now()
    year = issued_at.astimezone(ZoneInfo(settings().timezone)).year
    receipt = Receipt(
        series=SERIES,
        year=year,
        number=take_numbers(year),
        payment_id=payment.id,
        content=_content(payment),
        verification=new_verification(),
        issued_at=issued_at,
    )
    db.session.add(receipt)
    return receipt


def get_receipt(reader: Caller, payment_id: int) -> Receipt:
    """Give the receipt of a payment of the reader's own; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    row = db.session.execute(
        select(Receipt, Payment.user_id)
        .join(Payment, Payment.id == Receipt.payment_id)
        .where(Receipt.payment_id == payment_id)
    ).first()
    if row is None or (row.user_id != reader.id and not reader.has_role("admin")):
        raise NotFound(f"There is no receipt of a payment {payment_id}.")
    receipt: Receipt = row.Receipt
    return receipt


def find_receipt_of(reservation_id: int) -> Receipt | None:
    """Give the receipt of a reservation, if it was paid."""
    return db.session.scalar(
        select(Receipt)
        .join(Payment, Payment.id == Receipt.payment_id)
        .where(Payment.reservation_id == reservation_id)
        .order_by(Receipt.id)
        .limit(1)
    )


def numbers_of(payment_ids: Sequence[int]) -> dict[int, str]:
    """Give the receipts' numbers of these payments, as far as they have one."""
    rows = db.session.scalars(select(Receipt).where(Receipt.payment_id.in_(payment_ids)))
    return {receipt.payment_id: receipt_number(receipt) for receipt in rows}


def receipt_number(receipt: Receipt) -> str:
    """Write a receipt's number: ``R-2026-000042``."""
    return f"{receipt.series}-{receipt.year}-{receipt.number:06d}"


def new_verification() -> str:
    """Make the word by which a document's QR code asks whether it is genuine."""
    return secrets.token_urlsafe(16)


def take_numbers(year: int, count: int = 1) -> int:
    """Take the next numbers of a year for receipts of this transaction; give the first of them."""
    # The row stays locked until this transaction ends: a rollback gives its numbers back.
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    last: int = db.session.execute(
        dialect.insert(DocumentCounter)
        .values(series=SERIES, year=year, last_number=count)
        .on_conflict_do_update(
            index_elements=["series", "year"],
            set_={"last_number": DocumentCounter.last_number + count},
        )
        .returning(DocumentCounter.last_number)
    ).scalar_one()
    return last - count + 1


def _content(payment: Payment) -> dict[str, Any]:
    reservation, user, lot, quote, spot = db.session.execute(
        select(Reservation, User, Lot, Quote, Spot)
        .join(User, User.id == Reservation.user_id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(Quote, Quote.id == Reservation.quote_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .where(Reservation.id == payment.reservation_id)
    ).one()
    return write_content(payment, reservation, user=user, lot=lot, quote=quote, spot=spot)


def write_content(
    payment: Payment, reservation: Reservation, *, user: User, lot: Lot, quote: Quote, spot: Spot
) -> dict[str, Any]:
    """Take down all that a receipt says, so that no later change of a name or a price reaches it."""
    operator = settings()
    return {
        "operator": {
            "name": operator.operator_name,
            "address": operator.operator_address,
            "tax_id": operator.operator_tax_id,
            "brand": operator.brand_name,
        },
        "customer": {"name": user.name, "email": user.email},
        "reservation": {
            "code": reservation.code,
            "lot": lot.name,
            "address": lot.postal_address,
            "bay": spot.label,
            "level": spot.level,
            "plate": reservation.plate,
            "starts_at": _write(reservation.starts_at),
            "ends_at": _write(reservation.ends_at),
            "timezone": lot.timezone,
        },
        "lines": quote.lines,
        "taxes": quote.taxes,
        "tax_minor": quote.tax_minor,
        "total_minor": quote.total_minor,
        "currency": quote.currency,
        "payment": {
            "id": payment.id,
            "method": payment.gateway,
            "amount_minor": payment.amount_minor,
            "paid_at": _write(payment.settled_at or clock.now()),
        },
    }


def _write(moment: datetime) -> str:
    return moment.isoformat()
