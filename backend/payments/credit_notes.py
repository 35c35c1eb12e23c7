"""Credit notes: what corrects a receipt once some of its money goes back."""

from typing import Any

from backend import clock
from backend.extensions import db
from backend.models import CreditNote, Payment, Receipt, Refund
from backend.money import round_half_up
from backend.payments.receipts import document_number, find_receipt, new_verification, take_number

SERIES = "C"

CAUSES = {
    "cancelled": "Cancelled by the driver",
    "operator": "Cancelled by the operator",
    "rescheduled": "Changed to another time",
    "no_bay": "No bay could be given",
    "early_exit": "Left early",
    "no_use": "Nothing was left to pay",
    "goodwill": "Refund",
}
"""What a credit note says of why money goes back."""


def issue_credit_note(refund: Refund, payment: Payment) -> CreditNote | None:
    """Issue the credit note of a refund just promised; None when its payment had no receipt to correct."""
    receipt = find_receipt(payment.id)
    if receipt is None:
        return None
    issued_at = clock.now()
    year, number = take_number(SERIES, issued_at)
    note = CreditNote(
        series=SERIES,
        year=year,
        number=number,
        refund_id=refund.id,
        content=write_content(refund, payment, receipt),
        verification=new_verification(),
        issued_at=issued_at,
    )
    db.session.add(note)
    db.session.flush()  # whoever tells of the refund reads its number
    return note


def write_content(refund: Refund, payment: Payment, receipt: Receipt) -> dict[str, Any]:
    """Take down what the credit note says: the receipt's own words, and the part that goes back."""
    told = receipt.content
    # The payment counts this refund already.
    before = payment.refunded_minor - refund.amount_minor
    taxes = [
        {
            **tax,
            "amount_minor": _share(tax["amount_minor"], payment.refunded_minor, payment)
            - _share(tax["amount_minor"], before, payment),
        }
        for tax in told["taxes"]
    ]
    return {
        "operator": told["operator"],
        "customer": told["customer"],
        "reservation": told["reservation"],
        "receipt": {
            "number": document_number(receipt),
            "issued_at": receipt.issued_at.isoformat(),
        },
        "lines": [
            {
                "kind": "refund",
                "label": CAUSES[refund.cause],
                "quantity": 1,
                "unit_minor": refund.amount_minor,
                "amount_minor": refund.amount_minor,
            }
        ],
        "taxes": taxes,
        "tax_minor": sum(tax["amount_minor"] for tax in taxes),
        "total_minor": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason,
        "refund": {
            "id": refund.id,
            "method": payment.gateway,
            "amount_minor": refund.amount_minor,
        },
    }


def _share(tax_minor: int, refunded_minor: int, payment: Payment) -> int:
    """Give the tax in so much of a payment; parts add up to the whole, since each is a difference of sums."""
    return round_half_up(tax_minor * refunded_minor, payment.amount_minor)
