"""Receipts and credit notes as pages of A4, drawn from their frozen content."""

from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # it writes XML and reads none # nosec B406
from zoneinfo import ZoneInfo

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from backend.money import format_money

_FONTS = Path(__file__).resolve().parent.parent / "assets" / "fonts"
_INK, _MUTED, _LINE, _BRAND = (
    HexColor(colour) for colour in ("#161a17", "#5c665f", "#dfe3dc", "#0f5c47")
)


@cache
def _register_fonts() -> None:
    # ReportLab's own fonts have no ₹. Inter is shipped with the code, and only the glyphs used are embedded.
    pdfmetrics.registerFont(TTFont("Inter", _FONTS / "Inter-Regular.ttf"))
    pdfmetrics.registerFont(TTFont("Inter-SemiBold", _FONTS / "Inter-SemiBold.ttf"))
    pdfmetrics.registerFontFamily(
        "Inter", normal="Inter", bold="Inter-SemiBold", italic="Inter", boldItalic="Inter-SemiBold"
    )


def draw_document(
    content: dict[str, Any], *, number: str, issued_at: datetime, verify_at: str, word: str
) -> bytes:
    """Draw a receipt or a credit note as PDF. All text is taken as text, whatever markup it looks like.

    At the address ``verify_at``, which its code holds, anybody sees whether it is genuine; by hand they
    type its number and its ``word`` there.
    """
    _register_fonts()
    operator, reservation = content["operator"], content["reservation"]
    kind = "Credit note" if "receipt" in content else "Receipt"
    page = BytesIO()
    document = SimpleDocTemplate(
        page,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=18 * mm,
        title=f"{kind} {number}",
        author=operator["name"],
        # No time of drawing in the file: the same receipt is the same bytes whenever it is asked for.
        invariant=True,
    )
    zone = ZoneInfo(reservation["timezone"])
    document.build(
        [
            _head(operator, kind, number),
            Spacer(1, 9 * mm),
            _facts(content, issued_at=issued_at, zone=zone),
            Spacer(1, 9 * mm),
            _lines(content),
            Spacer(1, 4 * mm),
            _totals(content),
            Spacer(1, 10 * mm),
            KeepTogether(_foot(content, zone, verify_at=verify_at, word=word)),
        ]
    )
    return page.getvalue()


@cache
def _style(name: str) -> ParagraphStyle:
    base: dict[str, Any] = {"fontName": "Inter", "fontSize": 9.5, "leading": 14, "textColor": _INK}
    styles = {
        "body": {},
        "right": {"alignment": TA_RIGHT},
        "muted": {"textColor": _MUTED, "fontSize": 8.5, "leading": 12.5},
        "muted-right": {
            "textColor": _MUTED,
            "fontSize": 8.5,
            "leading": 12.5,
            "alignment": TA_RIGHT,
        },
        "label": {"textColor": _MUTED, "fontSize": 8, "leading": 11},
        "label-right": {"textColor": _MUTED, "fontSize": 8, "leading": 11, "alignment": TA_RIGHT},
        "brand": {"fontName": "Inter-SemiBold", "fontSize": 15, "leading": 19, "textColor": _BRAND},
        "title": {
            "fontName": "Inter-SemiBold",
            "fontSize": 15,
            "leading": 19,
            "alignment": TA_RIGHT,
        },
        "strong": {"fontName": "Inter-SemiBold"},
        "total": {"fontName": "Inter-SemiBold", "fontSize": 12.5, "leading": 17},
        "total-right": {
            "fontName": "Inter-SemiBold",
            "fontSize": 12.5,
            "leading": 17,
            "alignment": TA_RIGHT,
        },
    }
    return ParagraphStyle(name, **base | styles[name])


def _text(value: str, style: str = "body") -> Paragraph:
    """Make a paragraph of plain text; ReportLab would read markup in it."""
    return Paragraph(escape(value), _style(style))


def _head(operator: dict[str, Any], kind: str, number: str) -> Table:
    legal = [operator["name"] if operator["name"] != operator["brand"] else "", operator["address"]]
    if operator["tax_id"]:
        legal.append(f"Tax id {operator['tax_id']}")
    left = [_text(operator["brand"], "brand")] + [_text(line, "muted") for line in legal if line]
    return _table(
        [[left, [_text(kind, "title"), _text(number, "muted-right")]]],
        widths=(106, 60),
        styles=[
            ("LINEBELOW", (0, -1), (-1, -1), 0.8, _LINE),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 10),
        ],
    )


def _facts(content: dict[str, Any], *, issued_at: datetime, zone: ZoneInfo) -> Table:
    customer, stay = content["customer"], content["reservation"]
    bay = f"Bay {stay['bay']}" + (f", level {stay['level']}" if stay["level"] else "")
    # Receipts from before drivers could give their tax id know nothing of it.
    tax_id = customer.get("tax_id")
    issued_to = [
        customer["name"] or "The driver of " + stay["plate"],
        customer["email"],
        f"Tax id {tax_id}" if tax_id else "",
    ]
    facts = [
        ("Issued to", "\n".join(issued_to)),
        ("Issued on", _moment(issued_at.isoformat(), zone)),
        ("Car park", f"{stay['lot']}\n{stay['address']}"),
        ("Booking", f"{stay['code']}\n{bay} · {stay['plate']}"),
        ("From", _moment(stay["starts_at"], zone)),
        ("To", _moment(stay["ends_at"], zone)),
    ]
    if "receipt" in content:
        corrected = content["receipt"]
        facts.append(
            ("Corrects", f"Receipt {corrected['number']}\n{_moment(corrected['issued_at'], zone)}")
        )
        facts.append(("Reason", content["reason"] or content["lines"][0]["label"]))
    cells = [
        [_text(label, "label"), *(_text(line) for line in value.split("\n") if line)]
        for label, value in facts
    ]
    return _table(
        [cells[row : row + 2] for row in range(0, len(cells), 2)],
        widths=(92, 74),
        # Between the two columns, so that a long address does not run up to the bay beside it.
        styles=[("BOTTOMPADDING", (0, 0), (-1, -1), 7), ("RIGHTPADDING", (0, 0), (0, -1), 22)],
    )


def _lines(content: dict[str, Any]) -> Table:
    currency = content["currency"]
    rows = [
        [
            _text("Description", "label"),
            _text("Quantity", "label-right"),
            _text("Price", "label-right"),
            _text("Amount", "label-right"),
        ]
    ]
    rows += [
        [
            _text(line["label"]),
            _text(str(line["quantity"]), "right"),
            _text(format_money(line["unit_minor"], currency), "right"),
            _text(format_money(line["amount_minor"], currency), "right"),
        ]
        for line in content["lines"]
    ]
    return _table(
        rows,
        widths=(84, 20, 30, 32),
        styles=[
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ],
        repeat=1,
    )


def _totals(content: dict[str, Any]) -> Table:
    currency = content["currency"]
    rows = []
    if content["taxes"]:
        net_minor = content["total_minor"] - content["tax_minor"]
        rows.append(
            [_text("Net", "muted"), _text(format_money(net_minor, currency), "muted-right")]
        )
    for tax in content["taxes"]:
        word = "Includes" if tax["included"] else "Plus"
        rate = f"{tax['rate_bp'] // 100}.{tax['rate_bp'] % 100:02d}".rstrip("0").rstrip(".")
        rows.append(
            [
                _text(f"{word} {tax['name']} {rate} %", "muted"),
                _text(format_money(tax["amount_minor"], currency), "muted-right"),
            ]
        )
    rows.append(
        [
            _text("Total", "total"),
            _text(format_money(content["total_minor"], currency), "total-right"),
        ]
    )
    return _table(rows, widths=(126, 40), styles=[("BOTTOMPADDING", (0, 0), (-1, -1), 3)])


def _foot(content: dict[str, Any], zone: ZoneInfo, *, verify_at: str, word: str) -> list[Table]:
    told = _returned(content) if "receipt" in content else _paid(content, zone)
    host = verify_at.partition("?")[0].partition("://")[2]
    genuine = (
        f"Scan the code to see whether this document is genuine, or open {host}. Check word: {word}"
    )
    return [
        _table(
            [
                [
                    _code(verify_at),
                    [_text(told, "muted"), Spacer(1, 2 * mm), _text(genuine, "muted")],
                ]
            ],
            widths=(30, 136),
            styles=[("TOPPADDING", (1, 0), (1, 0), 4)],
        )
    ]


def _code(address: str) -> Drawing:
    """Draw the QR code of an address, 24 mm wide without its margin."""
    side = 24 * mm
    widget = QrCodeWidget(address, barLevel="M", barBorder=0, barWidth=side, barHeight=side)
    drawing = Drawing(side, side)
    drawing.add(widget)
    return drawing


_METHODS = {
    "sandbox": "with a test card of the sandbox",
    "stripe": "by card through Stripe",
    "cash": "in cash",
}
_WAYS_BACK = {
    "sandbox": "to the test card of the sandbox",
    "stripe": "to the card, through Stripe",
    "cash": "in cash",
}


def _paid(content: dict[str, Any], zone: ZoneInfo) -> str:
    payment = content["payment"]
    amount = format_money(payment["amount_minor"], content["currency"])
    how = _METHODS[payment["method"]]
    return f"Paid {amount} {how} on {_moment(payment['paid_at'], zone)}. Payment {payment['id']}."


def _returned(content: dict[str, Any]) -> str:
    refund = content["refund"]
    amount = format_money(refund["amount_minor"], content["currency"])
    return f"{amount} go back {_WAYS_BACK[refund['method']]}. Refund {refund['id']}."


def _moment(text: str, zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(text).astimezone(zone)
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname()}"


def _table(
    rows: list[list[Any]],
    *,
    widths: tuple[int, ...],
    styles: list[tuple[Any, ...]],
    repeat: int = 0,
) -> Table:
    plain = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
    ]
    table = Table(rows, colWidths=[width * mm for width in widths], repeatRows=repeat)
    table.setStyle(TableStyle([*plain, *styles]))
    return table
