"""The ticket as a page of A4 to print or keep: what the app shows, with the QR code that a gate reads."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # it writes XML and reads none # nosec B406
from zoneinfo import ZoneInfo

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

_FONTS = Path(__file__).resolve().parent.parent / "assets" / "fonts"
_INK, _MUTED, _LINE, _PAPER = (
    HexColor(colour) for colour in ("#161a17", "#5c665f", "#dfe3dc", "#ffffff")
)
_ASPHALT, _PAINT, _PAINT_MUTED, _MARIGOLD = (
    HexColor(colour) for colour in ("#2c322f", "#f4f2ea", "#b9c0ba", "#f0a81a")
)
_PAGE_WIDTH, _PAGE_HEIGHT = A4
_LEFT, _WIDTH = 25 * mm, 160 * mm
_TOP = _PAGE_HEIGHT - 22 * mm
_HEAD, _BODY, _HOLE = 72 * mm, 102 * mm, 3 * mm
_ROUND = 5 * mm
_PADDING = 9 * mm
_QR = 66 * mm
_LEAST_SIZE = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """What stands on a ticket."""

    brand: str
    code: str
    payload: str
    lot: str
    address: str
    bay: str
    level: str
    plate: str
    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class _Look:
    """How some words look."""

    size: float
    colour: Color
    bold: bool = False
    right: bool = False


@cache
def _register_fonts() -> None:
    # The fonts of the receipts: ReportLab's own know few alphabets.
    pdfmetrics.registerFont(TTFont("Inter", _FONTS / "Inter-Regular.ttf"))
    pdfmetrics.registerFont(TTFont("Inter-SemiBold", _FONTS / "Inter-SemiBold.ttf"))


def draw_ticket(ticket: TicketPage) -> bytes:
    """Draw the ticket as PDF. All text is taken as text, whatever markup it looks like."""
    _register_fonts()
    file = BytesIO()
    # No time of drawing in the file: the same ticket is the same bytes whenever it is asked for.
    canvas = Canvas(file, pagesize=A4, invariant=True)
    canvas.setTitle(f"Ticket {ticket.code}")
    canvas.setAuthor(ticket.brand)
    _draw_card(canvas)
    _draw_head(canvas, ticket)
    _draw_body(canvas, ticket)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw_card(canvas: Canvas) -> None:
    bottom = _TOP - _HEAD - _BODY
    canvas.setFillColor(_PAPER)
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.8)
    canvas.roundRect(_LEFT, bottom, _WIDTH, _HEAD + _BODY, _ROUND, fill=1, stroke=1)
    canvas.setFillColor(_ASPHALT)
    canvas.roundRect(_LEFT, _TOP - _HEAD, _WIDTH, _HEAD, _ROUND, fill=1, stroke=0)
    canvas.rect(_LEFT, _TOP - _HEAD, _WIDTH, 2 * _ROUND, fill=1, stroke=0)
    # Where the paper would be torn: a hole at either edge, and stitches between.
    tear = _TOP - _HEAD
    canvas.setFillColor(_PAPER)
    canvas.setStrokeColor(_LINE)
    for x, below in ((_LEFT, 270), (_LEFT + _WIDTH, 180)):
        canvas.circle(x, tear, _HOLE, fill=1, stroke=0)
        # Its edge on the paper below; above, the colours make it.
        canvas.arc(x - _HOLE, tear - _HOLE, x + _HOLE, tear + _HOLE, below, 90)
    canvas.setStrokeColor(_PAINT_MUTED)
    canvas.setDash(3, 3)
    canvas.line(_LEFT + 5 * mm, tear, _LEFT + _WIDTH - 5 * mm, tear)
    canvas.setDash()


def _draw_head(canvas: Canvas, ticket: TicketPage) -> None:
    zone = ZoneInfo(ticket.timezone)
    inner = _WIDTH - 2 * _PADDING
    x, y = _LEFT + _PADDING, _TOP - 8 * mm
    _write(canvas, ticket.brand, x, y, width=inner / 2, height=6 * mm, look=_Look(10, _PAINT_MUTED))
    _write(
        canvas,
        ticket.code,
        x + inner / 2,
        y,
        width=inner / 2,
        height=6 * mm,
        look=_Look(11, _PAINT, bold=True, right=True),
    )
    y -= 9 * mm
    y -= _write(
        canvas, ticket.lot, x, y, width=inner, height=18 * mm, look=_Look(20, _PAINT, bold=True)
    )
    _write(
        canvas,
        ticket.address,
        x,
        y - 1.5 * mm,
        width=inner,
        height=9 * mm,
        look=_Look(10, _PAINT_MUTED),
    )
    y = _TOP - _HEAD + 24 * mm
    start = ticket.starts_at.astimezone(zone)
    facts = [
        ("Level", ticket.level, _PAINT),
        ("Bay", ticket.bay, _MARIGOLD),
        (f"From, {start:%a} {start.day} {start:%b}", f"{start:%H:%M}", _PAINT),
    ]
    third = inner / len(facts)
    for number, (label, value, colour) in enumerate(facts):
        left = x + number * third
        _write(
            canvas,
            label,
            left,
            y,
            width=third - 4 * mm,
            height=4.5 * mm,
            look=_Look(8.5, _PAINT_MUTED),
        )
        _write(
            canvas,
            value or "–",
            left,
            y - 5 * mm,
            width=third - 4 * mm,
            height=13 * mm,
            look=_Look(26, colour, bold=True),
        )


def _draw_body(canvas: Canvas, ticket: TicketPage) -> None:
    zone = ZoneInfo(ticket.timezone)
    top = _TOP - _HEAD - _PADDING
    _draw_qr(canvas, ticket.payload, _LEFT + _PADDING - 2 * mm, top - _QR)
    x = _LEFT + _PADDING + _QR + 6 * mm
    width = _LEFT + _WIDTH - _PADDING - x
    rows = [
        ("From", _moment(ticket.starts_at, zone)),
        ("Until", _moment(ticket.ends_at, zone)),
        ("The entrance opens", _moment(ticket.opens_at, zone)),
        ("Number plate", ticket.plate),
    ]
    y = top - 1 * mm
    for label, value in rows:
        _write(canvas, label, x, y, width=width, height=4.5 * mm, look=_Look(8.5, _MUTED))
        _write(
            canvas,
            value,
            x,
            y - 4.8 * mm,
            width=width,
            height=10 * mm,
            look=_Look(12, _INK, bold=True),
        )
        y -= 16 * mm
    y = top - _QR - 5 * mm
    canvas.setStrokeColor(_LINE)
    canvas.line(_LEFT + _PADDING, y, _LEFT + _WIDTH - _PADDING, y)
    _write(
        canvas,
        "At the entrance and at the exit show the square, say the code, or let the plate be read."
        " The bay may change until two hours before the start; the app always tells the right one.",
        _LEFT + _PADDING,
        y - 4 * mm,
        width=_WIDTH - 2 * _PADDING,
        height=14 * mm,
        look=_Look(9, _MUTED),
    )


def _draw_qr(canvas: Canvas, payload: str, x: float, y: float) -> None:
    # The quiet zone of four modules, which readers want, is part of the widget.
    widget = QrCodeWidget(payload, barLevel="M", barWidth=_QR, barHeight=_QR)
    drawing = Drawing(_QR, _QR)
    drawing.add(widget)
    renderPDF.draw(drawing, canvas, x, y)


def _write(
    canvas: Canvas, value: str, x: float, y: float, *, width: float, height: float, look: _Look
) -> float:
    """Write plain text below ``y``, smaller where it would not fit, and cut where even that does not help.

    It gives the height that it took.
    """
    text = " ".join(value.split())
    paragraph, needed = _set(text, width, look)
    while needed > height and look.size > _LEAST_SIZE:
        look = replace(look, size=look.size - 1)
        paragraph, needed = _set(text, width, look)
    while needed > height and len(text) > 1:
        text = text[: len(text) * 3 // 4].rstrip("…") + "…"
        paragraph, needed = _set(text, width, look)
    paragraph.drawOn(canvas, x, y - needed)
    return needed


def _set(text: str, width: float, look: _Look) -> tuple[Paragraph, float]:
    style: dict[str, Any] = {
        "fontName": "Inter-SemiBold" if look.bold else "Inter",
        "fontSize": look.size,
        "leading": look.size * 1.25,
        "textColor": look.colour,
        "alignment": TA_RIGHT if look.right else TA_LEFT,
    }
    # ReportLab would read markup in it.
    paragraph = Paragraph(escape(text), ParagraphStyle("ticket", **style))
    _, needed = paragraph.wrap(width, _PAGE_HEIGHT)
    return paragraph, float(needed)


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local.tzname()}"
