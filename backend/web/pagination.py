"""Lists: how a page is asked for, and how it is answered."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import marshmallow
import orjson

from backend.errors import InvalidInput
from backend.web import fields
from backend.web.schema import Schema, name_of

PAGE_LIMIT = 20
PAGE_LIMIT_MAX = 100
_CURSOR_MAX = 512


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``total`` where it is cheap to know."""

    items: Sequence[Any]
    next_cursor: str | None = None
    total: int | None = None


def write_cursor(*position: Any) -> str:
    """Write where a page ended: the sort key of its last item, as JSON knows it."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def read_cursor(cursor: str, *kinds: type | tuple[type, ...]) -> list[Any]:
    """Read where the last page ended; ``kinds`` says what each part of the sort key is.

    Raises:
        InvalidInput: nobody here wrote it.

    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = orjson.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor() from error
    if not isinstance(position, list) or len(position) != len(kinds):
        raise _bad_cursor()
    for part, kind in zip(position, kinds, strict=True):
        if not isinstance(part, kind) or (isinstance(part, bool) and kind is not bool):
            raise _bad_cursor()
        if type(part) is int and not -fields.INT64_MAX <= part <= fields.INT64_MAX:
            raise _bad_cursor()
        if isinstance(part, str) and "\0" in part:
            raise _bad_cursor()
    return position


def page_of(rows: Sequence[Any], limit: int, *keys: str, total: int | None = None) -> Page:
    """Make a page of ``limit`` out of rows asked for with ``limit + 1``, sorted by ``keys``."""
    items = rows[:limit]
    if len(rows) <= limit:
        return Page(items, None, total)
    return Page(items, write_cursor(*(getattr(items[-1], key) for key in keys)), total)


def _bad_cursor() -> InvalidInput:
    return InvalidInput(
        "The cursor is not one of ours.", errors={"cursor": ["This is not a cursor of this list."]}
    )


class PageQuery(Schema):
    """What every list may be asked."""

    limit = fields.Integer(min=1, max=PAGE_LIMIT_MAX, load_default=PAGE_LIMIT)
    cursor = fields.Text(
        min=1,
        max=_CURSOR_MAX,
        load_default=None,
        metadata={"description": "`next_cursor` of the page before."},
    )


class PageSchema(Schema):
    """What every list answers."""

    next_cursor = fields.Text(allow_none=True, max=_CURSOR_MAX)
    total = fields.Integer(min=0, allow_none=True)


@cache
def _page_class(item: type[marshmallow.Schema]) -> type[PageSchema]:
    class_ = type(
        f"{name_of(item)}Page",
        (PageSchema,),
        {"items": fields.List(fields.Nested(item)), "__doc__": "A page of a list."},
    )
    return class_  # noqa: RET504 - mypy needs the name to know the base


def page_schema(item: type[marshmallow.Schema]) -> PageSchema:
    """Give the schema of a page of these."""
    return _page_class(item)()
