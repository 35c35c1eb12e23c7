"""Workbooks: numbers as numbers, days as days, text as text, sums as formulas that know their value."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import xlsxwriter

from backend.money import currency_digits
from backend.reports.drawing.lettering import clean

_SYMBOLS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩", "USD": "$"}
_LONGEST = 32_767  # a cell holds no more
_WITHOUT_ZONE = datetime(2000, 1, 1)  # noqa: DTZ001 - cells know no zones


class Workbook:
    """A workbook that is written row by row and keeps none of them in memory."""

    def __init__(self) -> None:
        self._file = BytesIO()
        self.book = xlsxwriter.Workbook(
            self._file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        # No time of writing in the file, as in the PDF.
        self.book.set_properties({"created": _WITHOUT_ZONE})
        self._looks: dict[tuple[tuple[str, Any], ...], Any] = {}

    def bytes(self) -> bytes:
        """Finish and give the file."""
        self.book.close()
        return self._file.getvalue()

    def look(self, **how: Any) -> Any:
        """Give a format, made once."""
        key = tuple(sorted(how.items()))
        if key not in self._looks:
            self._looks[key] = self.book.add_format({"valign": "top", **how})
        return self._looks[key]

    def money(self, currency: str, **how: Any) -> Any:
        """Give the format of an amount."""
        digits = currency_digits(currency)
        number = "#,##0" + (f".{'0' * digits}" if digits else "")
        sign = _SYMBOLS.get(currency, f"{currency} ")
        return self.look(num_format=f'"{sign}"{number};-"{sign}"{number}', **how)

    def sheet(self, name: str, widths: Sequence[float]) -> Any:
        """Add a sheet."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        for index, wide in enumerate(widths):
            sheet.set_column(index, index, wide)
        return sheet

    def names(
        self, sheet: Any, row: int, names: Sequence[str], *, texts: Sequence[int] = (0,)
    ) -> None:
        """Write the names of columns: of those with ``texts`` or moments to the left, of numbers to the right."""
        for column, name in enumerate(names):
            side: dict[str, Any] = {"align": "left" if column in texts else "right"}
            if column and column in texts and column - 1 not in texts:
                side["indent"] = 1  # off the numbers to its left
            look = self.look(bold=True, font_color="#ffffff", bg_color="#0c5c4a", **side)
            sheet.write_string(row, column, name, look)

    def text(self, sheet: Any, row: int, column: int, text: str, **how: Any) -> None:
        """Write a text, whatever it looks like."""
        sheet.write_string(row, column, clean(text)[:_LONGEST], self.look(**how))


def days(minutes: int) -> timedelta:
    """Give minutes as a cell counts time."""
    return timedelta(minutes=minutes)


def major(minor: int, currency: str) -> float:
    """Give an amount as people count it."""
    unit: int = 10 ** currency_digits(currency)
    return minor / unit
