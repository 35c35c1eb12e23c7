"""Marshmallow fields that take a value for what it is, and say so in the document.

In JSON a number is a number and never text; in a query string everything is text, and is read by the
same field because the parser says so.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate
from marshmallow.fields import Constant, Dict, Nested
from werkzeug.datastructures import FileStorage

from backend.addresses import ADDRESS, LONGEST_ADDRESS, SHORTEST_ADDRESS, is_address

__all__ = [
    "INT64_MAX",
    "Choice",
    "Constant",
    "Dict",
    "Email",
    "Flag",
    "Id",
    "Instant",
    "Integer",
    "List",
    "Money",
    "Nested",
    "Real",
    "Text",
    "Upload",
    "reading_text",
]

INT64_MAX = 2**63 - 1
_MONEY_MAX = 10**15

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_REAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_CONTROL_BUT_LINES = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"

_text: ContextVar[bool] = ContextVar("text", default=False)


@contextmanager
def reading_text() -> Iterator[None]:
    """Read numbers and flags from text while the block runs, as query strings and forms need it."""
    token = _text.set(True)
    try:
        yield
    finally:
        _text.reset(token)


def _bounds(lowest: float | None, highest: float | None, given: Any) -> list[Any]:
    checks = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    if lowest is not None or highest is not None:
        checks.append(
            validate.Range(
                min=lowest,
                max=highest,
                error=(
                    f"This must be from {lowest} to {highest}."
                    if lowest is not None and highest is not None
                    else f"This must be at least {lowest}."
                    if lowest is not None
                    else f"This must be at most {highest}."
                ),
            )
        )
    return checks


def _lengths(
    lowest: int | None, highest: int | None, given: Any, *, of: str = "characters"
) -> list[Any]:
    checks = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    if lowest is not None or highest is not None:
        error = f"This may have at most {highest} {of}."
        if lowest == 1:
            error = f"This is required, and may have at most {highest} {of}."
        elif lowest:
            error = f"This must have {lowest} to {highest} {of}."
        checks.append(validate.Length(min=lowest, max=highest, error=error))
    return checks


class Integer(fields.Integer):
    """A whole number of 64 bits: ``7``, never ``7.0``, ``"7"`` or ``true``."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be a whole number."
    }

    def __init__(
        self,
        *,
        min: int | None = -INT64_MAX,  # noqa: A002 - reads as in a sentence where it is used
        max: int | None = INT64_MAX,  # noqa: A002 - reads as in a sentence where it is used
        validate: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(strict=True, validate=_bounds(min, max, validate), **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if _text.get() and isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Id(Integer):
    """The number of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=1, max=10**18 - 1, **kwargs)


class Money(Integer):
    """An amount in minor units of its currency; ``min`` is below zero only where a credit is meant."""

    def __init__(
        self,
        *,
        min: int = 0,  # noqa: A002 - reads as in a sentence where it is used
        max: int = _MONEY_MAX,  # noqa: A002 - reads as in a sentence where it is used
        **kwargs: Any,
    ) -> None:
        super().__init__(min=min, max=max, **kwargs)


class Real(fields.Float):
    """A finite number: a coordinate, a share, an average."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be a number."
    }

    def __init__(
        self,
        *,
        min: float | None = None,  # noqa: A002 - reads as in a sentence where it is used
        max: float | None = None,  # noqa: A002 - reads as in a sentence where it is used
        validate: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(validate=_bounds(min, max, validate), **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> float:
        if _text.get() and isinstance(value, str) and _REAL.fullmatch(value):
            value = float(value)
        if type(value) not in {int, float} or not math.isfinite(value):
            raise self.make_error("invalid")
        return float(value)


class Flag(fields.Boolean):
    """True or false, and nothing that looks like it."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be true or false."
    }

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if _text.get() and value in {"true", "false"}:
            return bool(value == "true")
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Text(fields.String):
    """Text without control characters, taken without the blanks around it.

    ``multiline`` allows line breaks and tabs; ``strip=False`` keeps blanks, as passwords need it.
    """

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be text.",
        "control": "This may not contain control characters.",
    }

    def __init__(
        self,
        *,
        min: int = 0,  # noqa: A002 - reads as in a sentence where it is used
        max: int = 255,  # noqa: A002 - reads as in a sentence where it is used
        multiline: bool = False,
        strip: bool = True,
        validate: Any = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        refused = _CONTROL_BUT_LINES if multiline else _CONTROL
        self._refused = re.compile(f"[{refused}]")
        self._strip = strip
        pattern = f"^[^{refused}]*$"
        if strip and min:
            pattern = rf"^[^{refused}]*[^\s{refused}][^{refused}]*$"
        super().__init__(
            validate=_lengths(min or None, max, validate),
            metadata={"pattern": pattern, **(metadata or {})},
            **kwargs,
        )

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if self._refused.search(value):
            raise self.make_error("control")
        return value.strip() if self._strip else value


class Email(Text):
    """An e-mail address, as written; whoever keeps it decides on its case."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "email": "This is not an e-mail address."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min=SHORTEST_ADDRESS, max=LONGEST_ADDRESS, metadata={"pattern": ADDRESS}, **kwargs
        )

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        address = super()._deserialize(value, *_args, **_kwargs)
        if not is_address(address):
            raise self.make_error("email")
        return address


class Choice(fields.String):
    """One word of a short list."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        listed = ", ".join(words)
        super().__init__(
            validate=validate.OneOf(words, error=f"This must be one of: {listed}."), **kwargs
        )


class Instant(fields.DateTime):
    """A moment: RFC 3339 with an offset on the way in, UTC with ``Z`` on the way out."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be a date and time with an offset, such as 2026-05-04T09:30:00+02:00.",
        "far": "This is too far from now.",
    }
    _first_year = 1970
    _last_year = 2199

    def _serialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise self.make_error("invalid")
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise self.make_error("invalid") from error
        if not self._first_year < moment.year < self._last_year:
            raise self.make_error("far")
        return moment.astimezone(UTC)


class List(fields.List[Any]):
    """A list of at most ``max`` things."""

    def __init__(
        self,
        inner: fields.Field[Any] | type[fields.Field[Any]],
        *,
        min: int | None = None,  # noqa: A002 - reads as in a sentence where it is used
        max: int | None = None,  # noqa: A002 - reads as in a sentence where it is used
        validate: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(inner, validate=_lengths(min, max, validate, of="entries"), **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, *_args, **_kwargs)


class Upload(fields.Field[FileStorage]):
    """A file of a form."""

    default_error_messages = {  # noqa: RUF012 - Marshmallow reads it as declared
        "invalid": "This must be a file."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "binary"}, **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ValidationError(self.error_messages["invalid"])
        return value
