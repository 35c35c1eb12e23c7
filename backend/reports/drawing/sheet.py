"""Pages of A4 in the product's look: head, tiles, cards, tables that go on, and "Page 3 of 40"."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from backend.reports.drawing.charts import INK, LINE, MUTED, PINE
from backend.reports.drawing.lettering import Type, clean, colour_of, draw, fonts, width, wrap

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 40.0
WIDE = PAGE_WIDTH - 2 * MARGIN
_TOP, _BOTTOM = PAGE_HEIGHT - 40, 52.0
_LEADING = 10.5


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    wide: float
    right: bool = False
    bold: bool = False


class _Canvas(Canvas):  # type: ignore[misc] # ReportLab ships no types
    """Keeps its pages until their number is known."""

    def __init__(self, file: BytesIO, foot: Callable[[Canvas, int, int], None]) -> None:
        super().__init__(file, pagesize=A4, pageCompression=1, invariant=True)
        self._foot = foot
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        """Put a finished page aside."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all pages, each with its number and theirs."""
        for number, page in enumerate(self._kept, 1):
            self.__dict__.update(page)
            self._foot(self, number, len(self._kept))
            super().showPage()
        super().save()


class Sheet:
    """A document that is filled from top to bottom."""

    def __init__(self, *, title: str, brand: str, foot: str, page_of: str) -> None:
        fonts()
        self._file = BytesIO()
        self._words = (clean(foot), page_of)
        self._title, self._brand = title, brand
        self.canvas: Any = _Canvas(self._file, self._draw_foot)
        # Names are text here, never the markup of anything.
        self.canvas.setTitle(clean(f"{brand}: {title}"))
        self.canvas.setAuthor(clean(brand))
        self.y = _TOP

    def bytes(self) -> bytes:
        """Finish and give the file."""
        self.canvas.showPage()
        self.canvas.save()
        return self._file.getvalue()

    def need(self, high: float) -> bool:
        """Begin a new page unless so much room is left; tell whether one began."""
        if self.y - high >= _BOTTOM:
            return False
        self.canvas.showPage()
        self.y = _TOP
        self._small_head()
        return True

    def head(self, kicker: str, title: str, lines: Sequence[str]) -> None:
        """Draw the head of the first page."""
        _logo(self.canvas, MARGIN, self.y - 24, 24)
        brand = wrap(self._brand, Type(13, INK, bold=True), WIDE * 0.6, 1)[0]
        draw(self.canvas, MARGIN + 33, self.y - 16.5, brand, Type(13, INK, bold=True))
        draw(self.canvas, PAGE_WIDTH - MARGIN, self.y - 16, kicker, Type(9, MUTED), align="right")
        self.y -= 36
        _rule(self.canvas, self.y)
        self.y -= 34
        draw(self.canvas, MARGIN, self.y, title, Type(24, INK, bold=True))
        self.y -= 17
        for text in lines:
            for line in wrap(text, Type(9, MUTED), WIDE, 3):
                draw(self.canvas, MARGIN, self.y, line, Type(9, MUTED))
                self.y -= 13
        self.y -= 9

    def tiles(self, tiles: Sequence[tuple[str, str, str]]) -> None:
        """Draw a row of tiles: label, figure, what there is to say to it."""
        gap, high = 10.0, 66.0
        self.need(high)
        wide = (WIDE - gap * (len(tiles) - 1)) / len(tiles)
        for index, (label, figure, note) in enumerate(tiles):
            x = MARGIN + index * (wide + gap)
            _frame(self.canvas, x, self.y - high, wide, high)
            room = wide - 24
            draw(self.canvas, x + 12, self.y - 18, label, Type(8, MUTED))
            size = 17.0
            while size > 8 and len(wrap(figure, Type(size, INK, bold=True), room, 2)) > 1:
                size -= 1
            draw(self.canvas, x + 12, self.y - 39, figure, Type(size, INK, bold=True))
            short = wrap(note, Type(7.5, MUTED), room, 1)[0]
            draw(self.canvas, x + 12, self.y - 54, short, Type(7.5, MUTED))
        self.y -= high + 12

    def cards(self, high: float, parts: Sequence[tuple[float, str, Callable[..., None]]]) -> None:
        """Draw a row of cards: share of the width, title, and what draws inside ``(x, y, wide, high)``."""
        gap = 10.0
        self.need(high)
        room, x = WIDE - gap * (len(parts) - 1), MARGIN
        for share, title, inside in parts:
            wide = room * share
            _frame(self.canvas, x, self.y - high, wide, high)
            name = wrap(title, Type(10, INK, bold=True), wide - 28, 1)[0]
            draw(self.canvas, x + 14, self.y - 21, name, Type(10, INK, bold=True))
            inside((x + 14, self.y - high + 10, wide - 28, high - 42))
            x += wide + gap
        self.y -= high + 12

    def words(self, title: str, text: str) -> None:
        """Draw a card that only says something."""
        lines = wrap(text, Type(9, MUTED), WIDE - 40, 4)
        high = 58 + 13 * len(lines)
        self.need(high)
        _frame(self.canvas, MARGIN, self.y - high, WIDE, high)
        middle = PAGE_WIDTH / 2
        draw(self.canvas, middle, self.y - 34, title, Type(11, INK, bold=True), align="center")
        for index, line in enumerate(lines):
            draw(
                self.canvas, middle, self.y - 51 - 13 * index, line, Type(9, MUTED), align="center"
            )
        self.y -= high + 12

    def table(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        totals: Sequence[Sequence[str]] = (),
    ) -> None:
        """Draw a table over as many pages as it takes; each repeats the names of its columns."""
        self.need(96)
        draw(self.canvas, MARGIN, self.y - 14, title, Type(11, INK, bold=True))
        self.y -= 24
        self._names(columns)
        for row in rows:
            self._row(columns, row, bold=False)
        for row in totals:
            self._row(columns, row, bold=True)
        self.y -= 14

    def _names(self, columns: Sequence[Column]) -> None:
        x = MARGIN
        canvas = self.canvas
        canvas.setFillColor(colour_of("#f5f5f1"))
        canvas.roundRect(MARGIN, self.y - 18, WIDE, 18, 3, stroke=0, fill=1)
        for column in columns:
            at = x + column.wide - 6 if column.right else x + 6
            align = "right" if column.right else "left"
            draw(canvas, at, self.y - 12, column.title, Type(7.5, MUTED), align=align)
            x += column.wide
        self.y -= 18

    def _row(self, columns: Sequence[Column], cells: Sequence[str], *, bold: bool) -> None:
        wrapped = []
        for column, text in zip(columns, cells, strict=True):
            strong = bold or column.bold
            look = _fitting(text, column.wide - 8, strong) if column.right else Type(8, INK, strong)
            wrapped.append((look, wrap(text, look, column.wide - (8 if column.right else 12))))
        high = max(len(lines) for _, lines in wrapped) * _LEADING + 9
        if self.need(high):
            self._names(columns)
        x = MARGIN
        for column, (look, lines) in zip(columns, wrapped, strict=True):
            at = x + column.wide - 6 if column.right else x + 6
            align = "right" if column.right else "left"
            for index, line in enumerate(lines):
                if line:
                    draw(self.canvas, at, self.y - 13 - index * _LEADING, line, look, align=align)
            x += column.wide
        self.y -= high
        _rule(self.canvas, self.y)

    def _small_head(self) -> None:
        _logo(self.canvas, MARGIN, self.y - 14, 14)
        name = wrap(f"{self._brand} · {self._title}", Type(8.5, MUTED), WIDE - 30, 1)[0]
        draw(self.canvas, MARGIN + 20, self.y - 10.5, name, Type(8.5, MUTED))
        self.y -= 28

    def _draw_foot(self, canvas: Canvas, number: int, count: int) -> None:
        foot, page_of = self._words
        _rule(canvas, 38)
        line = wrap(foot, Type(7.5, MUTED), WIDE - 90, 1)[0]
        draw(canvas, MARGIN, 25, line, Type(7.5, MUTED))
        page = page_of.format(number=number, count=count)
        draw(canvas, PAGE_WIDTH - MARGIN, 25, page, Type(7.5, MUTED), align="right")


def _fitting(text: str, room: float, bold: bool) -> Type:  # noqa: FBT001 - of a look
    """Give the look in which a figure stands in one line: a large sum is written smaller, not broken."""
    size = 8.0
    while size > 5 and width(clean(text), size, bold) > room:
        size -= 0.25
    return Type(size, INK, bold)


def _frame(canvas: Any, x: float, y: float, wide: float, high: float) -> None:
    canvas.setStrokeColor(colour_of(LINE))
    canvas.setLineWidth(0.8)
    canvas.roundRect(x, y, wide, high, 8, stroke=1, fill=0)


def _rule(canvas: Any, y: float) -> None:
    canvas.setStrokeColor(colour_of(LINE))
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, y, PAGE_WIDTH - MARGIN, y)


def _logo(canvas: Any, x: float, y: float, side: float) -> None:
    """Draw the sign of the product, a car in its bay, as its icon has it."""
    canvas.saveState()
    canvas.translate(x, y + side)
    canvas.scale(side / 32, -side / 32)
    canvas.setFillColor(colour_of(PINE))
    canvas.roundRect(0, 0, 32, 32, 8.5, stroke=0, fill=1)
    canvas.setStrokeColor(colour_of("#ffffff"))
    canvas.setLineWidth(2.6)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    bay = canvas.beginPath()
    bay.moveTo(9.5, 25)
    bay.lineTo(9.5, 7)
    bay.lineTo(22.5, 7)
    bay.lineTo(22.5, 13.5)
    bay.moveTo(22.5, 25)
    bay.lineTo(22.5, 13.5)
    canvas.drawPath(bay, stroke=1, fill=0)
    canvas.setFillColor(colour_of("#f0a81a"))
    canvas.roundRect(13, 11.5, 6, 11, 2.6, stroke=0, fill=1)
    canvas.restoreState()
