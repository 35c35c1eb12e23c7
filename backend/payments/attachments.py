"""The receipt as a file of the ticket's mail."""

from typing import Any

from backend.notifications.attachments import Attachment
from backend.payments.receipt_pdf import draw_receipt
from backend.payments.receipts import find_receipt_of, receipt_number
from backend.transaction import transaction


def attach_receipt(context: dict[str, Any]) -> list[Attachment]:
    """Give the receipt of the reservation that the mail is about, if something was paid."""
    with transaction(read_only=True):
        receipt = find_receipt_of(context["reservation_id"])
    if receipt is None:
        return []
    number = receipt_number(receipt)
    content = draw_receipt(receipt.content, number=number, issued_at=receipt.issued_at)
    return [Attachment(f"receipt-{number}.pdf", "application/pdf", content)]
