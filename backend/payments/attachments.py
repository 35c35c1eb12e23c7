"""Receipts and credit notes as files of the mails that tell of them."""

from typing import Any

from backend.notifications.attachments import Attachment
from backend.payments.receipts import Document, document_number, draw, find_receipt, find_receipt_of
from backend.payments.refunds import find_credit_note
from backend.transaction import transaction


def attach_receipt(context: dict[str, Any]) -> list[Attachment]:
    """Give the receipt of the reservation that the mail is about, if something was paid."""
    with transaction(read_only=True):
        receipt = find_receipt_of(context["reservation_id"])
    return _attach("receipt", receipt)


def attach_receipt_of_payment(context: dict[str, Any]) -> list[Attachment]:
    """Give the receipt of the payment that the mail is about."""
    with transaction(read_only=True):
        receipt = find_receipt(context["payment_id"])
    return _attach("receipt", receipt)


def attach_credit_note(context: dict[str, Any]) -> list[Attachment]:
    """Give the credit note of the refund that the mail is about, if there was a receipt to correct."""
    with transaction(read_only=True):
        note = find_credit_note(context["refund_id"])
    return _attach("credit-note", note)


def _attach(name: str, document: Document | None) -> list[Attachment]:
    if document is None:
        return []
    filename = f"{name}-{document_number(document)}.pdf"
    return [Attachment(filename, "application/pdf", draw(document))]
