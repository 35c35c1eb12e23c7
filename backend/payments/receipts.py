"""Receipts: numbered without gaps, frozen when they are issued."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from backend import clock
from backend.config import settings
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import (
    CreditNote,
    DocumentCounter,
    Lot,
    Payment,
    Quote,
    Receipt,
    Refund,
    Reservation,
    Spot,
    SpotClaim,
    User,
)
from backend.money import round_half_up
from backend.payments.receipt_pdf import draw_document

SERIES = "R"

Document = Receipt | CreditNote


def issue_receipt(payment: Payment) -> Receipt:
    """Issue the receipt of a payment that had a use, in the transaction that settles it, or give it again."""
    issued = find_receipt(payment.id)
    if issued is not None:
        return issued
    issued_at = clock.now()
    year, number = take_number(SERIES, issued_at)
    receipt = Receipt(
        series=SERIES,
        year=year,
        number=number,
        payment_id=payment.id,
        content=_content(payment),
        verification=new_verification(),
        issued_at=issued_at,
    )
    db.session.add(receipt)
    db.session.flush()  # whoever comes next in this transaction finds it issued
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


def find_receipt(payment_id: int) -> Receipt | None:
    """Give the receipt of a payment, if it had a use."""
    return db.session.scalar(select(Receipt).where(Receipt.payment_id == payment_id))


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
    return document_number(receipt)


def document_number(document: Document) -> str:
    """Write the number of a receipt or a credit note."""
    return f"{document.series}-{document.year}-{document.number:06d}"


def draw(document: Document) -> bytes:
    """Draw a receipt or a credit note as PDF, with the code by which it is verified."""
    number = document_number(document)
    asked = urlencode({"number": number, "word": document.verification})
    return draw_document(
        document.content,
        number=number,
        issued_at=document.issued_at,
        verify_at=f"{settings().public_url}/receipts/verify?{asked}",
        word=document.verification,
    )


def verify(number: str, word: str) -> Document | None:
    """Give the document that has this number and this word; None when it is none of ours."""
    found: list[Document | None] = [
        db.session.scalar(select(Receipt).where(Receipt.verification == word)),
        db.session.scalar(select(CreditNote).where(CreditNote.verification == word)),
    ]
    for document in found:
        if document is not None and document_number(document) == number:
            return document
    return None


def new_verification() -> str:
    """Make the word by which a document's QR code asks whether it is genuine."""
    return secrets.token_urlsafe(16)


def take_number(series: str, issued_at: datetime) -> tuple[int, int]:
    """Take the next number of a series for a document of this transaction; give its year and itself."""
    year = issued_at.astimezone(ZoneInfo(settings().timezone)).year
    return year, take_numbers(year, series=series)


def take_numbers(year: int, count: int = 1, *, series: str = SERIES) -> int:
    """Take the next numbers of a year for documents of this transaction; give the first of them."""
    # The row stays locked until this transaction ends: a rollback gives its numbers back.
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    last: int = db.session.execute(
        dialect.insert(DocumentCounter)
        .values(series=series, year=year, last_number=count)
        .on_conflict_do_update(
            index_elements=["series", "year"],
            set_={"last_number": DocumentCounter.last_number + count},
        )
        .returning(DocumentCounter.last_number)
    ).scalar_one()
    return last - count + 1


def _content(payment: Payment) -> dict[str, Any]:
    row = db.session.execute(
        select(Reservation, User, Lot, Quote, Spot)
        .outerjoin(User, User.id == Reservation.user_id)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(Quote, Quote.id == payment.quote_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .where(Reservation.id == payment.reservation_id)
    ).one()
    reservation, user, lot, quote, spot = row
    return write_content(
        payment,
        reservation,
        user=user,
        lot=lot,
        quote=quote,
        spot=spot,
        before=_documented(payment.reservation_id),
    )


def _documented(reservation_id: int) -> Mapping[str, int]:
    """Add up what the documents of a reservation say by now: each tax by its name, and ``total``."""
    sums: Counter[str] = Counter()
    receipts = select(Receipt.content).join(Payment, Payment.id == Receipt.payment_id)
    notes = select(CreditNote.content).join(Refund, Refund.id == CreditNote.refund_id)
    for sign, documents in (
        (1, receipts.where(Payment.reservation_id == reservation_id)),
        (-1, notes.where(Refund.reservation_id == reservation_id)),
    ):
        for content in db.session.scalars(documents):
            sums["total"] += sign * content["total_minor"]
            for tax in content["taxes"]:
                sums[_tax_name(tax)] += sign * tax["amount_minor"]
    return sums


def _tax_name(tax: Mapping[str, Any]) -> str:
    return f"tax {tax['name']}"


def write_content(
    payment: Payment,
    reservation: Reservation,
    *,
    user: User | None,
    lot: Lot,
    quote: Quote,
    spot: Spot,
    before: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Take down all that a receipt says, so that no later change of a name or a price reaches it.

    ``before`` is what earlier documents of the reservation say: then the receipt shows the whole price,
    what of it was paid already, and the tax that this payment adds.
    """
    operator = settings()
    before = before or {}
    taxes = _taxes(quote, payment.amount_minor, before)
    return {
        "operator": {
            "name": operator.operator_name,
            "address": operator.operator_address,
            "tax_id": operator.operator_tax_id,
            "brand": operator.brand_name,
        },
        "customer": {
            "name": user.name if user is not None else "",
            "email": user.email if user is not None else "",
            "tax_id": (user.tax_id if user is not None else None) or "",
        },
        "reservation": {
            "code": reservation.code,
            "lot": lot.name,
            "address": lot.postal_address,
            "bay": spot.label,
            "level": spot.level,
            "plate": reservation.plate,
            "starts_at": _write(quote.starts_at),
            "ends_at": _write(quote.ends_at),
            "timezone": lot.timezone,
        },
        "lines": quote.lines + _already_paid(quote, payment.amount_minor),
        "taxes": taxes,
        "tax_minor": sum(tax["amount_minor"] for tax in taxes),
        "total_minor": payment.amount_minor,
        "currency": quote.currency,
        "payment": {
            "id": payment.id,
            "method": payment.gateway,
            "amount_minor": payment.amount_minor,
            "paid_at": _write(payment.settled_at or clock.now()),
        },
    }


def _already_paid(quote: Quote, amount_minor: int) -> list[dict[str, Any]]:
    """Close the gap between the price and what this payment pays of it."""
    paid_minor = amount_minor - quote.total_minor
    if paid_minor == 0:
        return []
    return [
        {
            "kind": "already_paid",
            "label": "Already paid" if paid_minor < 0 else "Paid beyond the price",
            "quantity": 1,
            "unit_minor": paid_minor,
            "amount_minor": paid_minor,
        }
    ]


def _taxes(quote: Quote, amount_minor: int, before: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give the tax that a payment adds: what is owed on all that is paid by now, less what was told before.

    Of a price paid in full that is the price's own tax, however it came in parts.
    """
    paid_minor = before.get("total", 0) + amount_minor
    return [
        {
            **tax,
            "amount_minor": (
                tax["amount_minor"]
                if paid_minor == quote.total_minor
                else round_half_up(tax["amount_minor"] * paid_minor, quote.total_minor)
            )
            - before.get(_tax_name(tax), 0),
        }
        for tax in quote.taxes
    ]


def _write(moment: datetime) -> str:
    return moment.isoformat()
