"""Writing rows as CSV or XLSX, however many there are, without ever holding more than a few of them."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook

from backend.exports.cells import clean_text, guard_formula, major_units
from backend.exports.kinds import Kind
from backend.money import currency_digits

MOST_ROWS = 1_048_575
"""Of a sheet, below its header."""
Row: TypeAlias = Sequence[Any]
Pages: TypeAlias = Iterable[Sequence[Row]]

# With it Excel takes the file for what it is.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
_DAY = timedelta(days=1)
_RICH = re.compile(r"<r>.*</r>", re.DOTALL)
_ZERO_WIDTH_SPACE = "\u200b"


def write_csv(kind: Kind, pages: Pages, *, timezone: str) -> Iterator[bytes]:
    """Give a CSV file page by page: UTF-8, lines that end in CRLF, moments as RFC 3339 has them.

    A text that begins like a formula gets an apostrophe before it, since programs that open the file would
    run it.
    """
    zone = ZoneInfo(timezone)
    currency_at = _currency_of(kind)
    writers = [_CSV_CELLS[column.kind] for column in kind.columns]

    def write(row: Row) -> list[str]:
        currency = None if currency_at is None else row[currency_at]
        return [
            "" if value is None else write_cell(value, zone, currency)
            for write_cell, value in zip(writers, row, strict=True)
        ]

    yield _BYTE_ORDER_MARK + _csv_lines([[column.title for column in kind.columns]])
    for page in pages:
        yield _csv_lines(map(write, page))


def write_xlsx(kind: Kind, pages: Pages, path: Path, *, timezone: str) -> None:
    """Write a spreadsheet: numbers, dates in ``timezone`` and money as such, all else as text and never a formula.

    What is too much for one sheet goes on in the next.
    """
    options = {
        # One row is held; those before it lie in a file of the same folder.
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = Workbook(str(path), options)
    try:
        writer = _Sheets(book, kind, timezone)
        for page in pages:
            for row in page:
                writer.write(row)
    except BaseException:
        # One that is given up on the way is not worth packing.
        for sheet in book.worksheets():
            sheet.row_data_fh.close()
        raise
    book.close()


class _Sheets:
    """The sheets of one workbook, filled one after the other."""

    def __init__(self, book: Workbook, kind: Kind, timezone: str) -> None:
        self._book, self._kind = book, kind
        self._zone = ZoneInfo(timezone)
        self._currency_at = _currency_of(kind)
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._money: dict[str, tuple[int, Any]] = {}
        self._number = 0
        self._begin_sheet()

    def write(self, row: Row) -> None:
        """Write the next row, in a new sheet when this one is full."""
        if self._line > MOST_ROWS:
            self._begin_sheet()
        line, sheet = self._line, self._sheet
        for place, (column, value) in enumerate(zip(self._kind.columns, row, strict=True)):
            if value is None:
                continue
            kind = column.kind
            if kind == "text":
                sheet.write_string(line, place, _literal(value))
            elif kind == "number":
                sheet.write_number(line, place, value)
            elif kind == "moment":
                sheet.write_number(line, place, _serial(value, self._zone), self._moment)
            elif kind == "money":
                per_unit, money = self._money_of(row[self._currency_at or 0])
                sheet.write_number(line, place, value / per_unit, money)
            elif kind == "flag":
                sheet.write_boolean(line, place, bool(value))
            else:
                sheet.write_string(line, place, _literal(_json(value)))
        self._line += 1

    def _begin_sheet(self) -> None:
        self._number += 1
        name = self._kind.title if self._number == 1 else f"{self._kind.title} {self._number}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._kind.columns):
            self._sheet.set_column(place, place, column.width)
        for place, column in enumerate(self._kind.columns):
            self._sheet.write_string(0, place, column.title, self._bold)
        self._line = 1

    def _money_of(self, currency: str) -> tuple[int, Any]:
        """Give how many minor units make a major one, and how amounts of the currency are shown."""
        found = self._money.get(currency)
        if found is None:
            digits = currency_digits(currency)
            decimals = f".{'0' * digits}" if digits else ""
            shown = self._book.add_format({"num_format": f"#,##0{decimals}"})
            found = self._money[currency] = (10**digits, shown)
        return found


def _currency_of(kind: Kind) -> int | None:
    """Find the column that names the currency of the amounts."""
    titles = [column.title for column in kind.columns]
    return titles.index("Currency") if "Currency" in titles else None


def _csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _literal(text: str) -> str:
    """Give text that XlsxWriter writes as it is: what looks like its own rich text it would take for that."""
    text = clean_text(text)
    return text + _ZERO_WIDTH_SPACE if _RICH.fullmatch(text) else text


def _serial(moment: datetime, zone: ZoneInfo) -> float:
    """Give a moment as a spreadsheet counts: in days, by the clock on the wall."""
    return (moment.astimezone(zone).replace(tzinfo=None) - _EPOCH) / _DAY


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text_cell(value: Any, _zone: ZoneInfo, _currency: str | None) -> str:
    return guard_formula(clean_text(value))


def _number_cell(value: Any, _zone: ZoneInfo, _currency: str | None) -> str:
    return str(value)


def _money_cell(value: Any, _zone: ZoneInfo, currency: str | None) -> str:
    return str(major_units(value, currency or ""))


def _moment_cell(value: Any, zone: ZoneInfo, _currency: str | None) -> str:
    moment: datetime = value
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _flag_cell(value: Any, _zone: ZoneInfo, _currency: str | None) -> str:
    return "yes" if value else "no"


def _json_cell(value: Any, _zone: ZoneInfo, _currency: str | None) -> str:
    return guard_formula(clean_text(_json(value)))


_CSV_CELLS: dict[str, Callable[[Any, ZoneInfo, str | None], str]] = {
    "text": _text_cell,
    "number": _number_cell,
    "money": _money_cell,
    "moment": _moment_cell,
    "flag": _flag_cell,
    "json": _json_cell,
}
