"""What a cell holds: its kinds, and text that no reader of a table takes for anything but text."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from backend.money import currency_digits

CellKind = Literal["text", "number", "money", "moment", "flag", "json"]

LONGEST_TEXT = 32_767
"""Of a cell of a spreadsheet."""
# XML, and so a spreadsheet, has no signs for these; nor are they text anywhere else.
_NO_SIGNS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\ufffd"
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; its place is that of its value in each row."""

    title: str
    kind: CellKind = "text"
    width: int = 14


def clean_text(text: str) -> str:
    """Give text as a cell can hold it: what is no sign becomes one that says so, and it has an end."""
    return _NO_SIGNS.sub(_REPLACEMENT, text)[:LONGEST_TEXT]


def guard_formula(text: str) -> str:
    """Give text for a file in which a cell that begins like a formula is one: with an apostrophe before it."""
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def major_units(minor: int, currency: str) -> Decimal:
    """Give an amount in the major unit of its currency: 1234 cents are 12.34."""
    return Decimal(minor).scaleb(-currency_digits(currency))
