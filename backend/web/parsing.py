"""What a request says, checked by webargs and a schema; nothing unknown passes."""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

import marshmallow
import orjson
from flask import Request, g, request
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict

from backend.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from backend.web.fields import reading_text

_DEEPEST = 32


class RequestParser(FlaskParser):
    """webargs, refusing what is unknown everywhere and leaving errors to the central handler."""

    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {  # type: ignore[misc] # nobody sets it on an instance
        "json": None,
        "query": None,
        "upload": None,
    }
    __location_map__: ClassVar[dict[str, Any]] = {  # type: ignore[misc] # nobody sets it on an instance
        **FlaskParser.__location_map__,
        "upload": "load_upload",
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Read the body as JSON; an empty one is an empty object."""
        value = g.body = _read_json(req)
        if not isinstance(value, list if schema.many else dict):
            raise BadRequest(f"The body must be a JSON {'array' if schema.many else 'object'}.")
        return value

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Read the query string."""
        _refuse_nul(req.args.values())
        return super().load_querystring(req, schema)

    def load_upload(self, req: Request, schema: marshmallow.Schema) -> MultiDictProxy:
        """Read a form with files."""
        if req.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("Send a form: multipart/form-data.")
        _refuse_nul(req.form.values())
        return self._makeproxy(
            MultiDict([*req.form.items(multi=True), *req.files.items(multi=True)]), schema
        )

    def handle_error(
        self, error: marshmallow.ValidationError, *_args: Any, **_kwargs: Any
    ) -> NoReturn:
        """Leave it to the handler of all errors."""
        raise error


_parser = RequestParser()


def parse_query(schema: marshmallow.Schema) -> Any:
    """Load the query string."""
    with reading_text():
        return _parser.parse(schema, request, location="query")


def parse_body(schema: marshmallow.Schema) -> Any:
    """Load the JSON body."""
    return _parser.parse(schema, request, location="json")


def parse_upload(schema: marshmallow.Schema) -> Any:
    """Load a form with files."""
    with reading_text():
        return _parser.parse(schema, request, location="upload")


def limit_body(most: int) -> None:
    """Refuse a body of over ``most`` bytes, now if it says its length, else when it is read.

    Raises:
        ContentTooLarge: it is longer.

    """
    # One byte more shows that a body which does not say its length is too long; Werkzeug stops silently.
    request.max_content_length = most + 1
    _check_length(request.content_length or 0)


def _check_length(length: int) -> None:
    limit = request.max_content_length
    if limit is not None and length >= limit:
        raise ContentTooLarge(f"A request here holds at most {limit - 1:,} bytes.")


def _read_json(req: Request) -> Any:
    raw = req.get_data(cache=True)
    _check_length(len(raw))
    if not raw:
        return {}
    if not is_json(req.mimetype):
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    try:
        # Of this parser: no NaN, no lone surrogates, invalid UTF-8 or control characters.
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not valid JSON in UTF-8.") from error
    # Only a body with many brackets can be deep, and only one with an escaped NUL can hold one.
    if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_deep(value):
        raise BadRequest(f"The body is nested more than {_DEEPEST} levels deep.")
    if b"\\u0000" in raw and _holds_nul(value):
        raise BadRequest("Text may not contain NUL characters.")
    return value


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [c for v in level for c in _children(v) if isinstance(c, dict | list)]
        if not level:
            return False
    return True


def _holds_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str) and "\0" in found:
            return True
        if isinstance(found, dict):
            waiting.extend(found)
        waiting.extend(_children(found))
    return False


def _refuse_nul(values: Iterable[str]) -> None:
    if any("\0" in value for value in values):
        raise BadRequest("Text may not contain NUL characters.")
