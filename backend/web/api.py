"""Flask-RESTful, tamed, and JSON by orjson."""

from typing import Any

import flask_restful
import orjson
from flask import Blueprint, Flask, Request, Response, request
from flask.json.provider import JSONProvider
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.routing import BaseConverter

from backend.errors import NotFound

JSON = "application/json"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson, where instants in UTC end in ``Z``."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        """Write ``obj``."""
        return to_json(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Read ``s``."""
        return orjson.loads(s)


class Id(BaseConverter):
    """A row's number in a path: plain decimal digits, and one spelling for each number."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        """Read the number."""
        return int(value)


class Api(flask_restful.Api):  # type: ignore[misc] # Flask-RESTful ships no types
    """An ``Api`` that leaves error handling to Flask.

    Flask-RESTful replaces ``app.handle_exception`` and hides every ``errorhandler`` from its own
    routes; see flask-restful#280.
    """

    def error_router(self, original_handler: Any, e: Exception) -> Any:
        """Let Flask handle ``e``."""
        return original_handler(e)


class Resource(flask_restful.Resource):  # type: ignore[misc] # Flask-RESTful ships no types
    """A resource; each of its methods is an :func:`~backend.web.operation.operation`."""


def resource_blueprint(name: str, import_name: str) -> tuple[Blueprint, Api]:
    """Make the blueprint of a package and the ``Api`` on it, which takes its resources."""
    blueprint = Blueprint(name, import_name)
    return blueprint, Api(blueprint)


def to_json(value: Any) -> bytes:
    """Write ``value`` as JSON bytes, always the same for the same value."""
    return orjson.dumps(value, option=_OPTIONS)


def json_response(value: Any, status: int = 200, content_type: str = JSON) -> Response:
    """Answer ``value`` as JSON; bytes are JSON already."""
    body = value if isinstance(value, bytes) else to_json(value)
    return Response(body, status, content_type=content_type)


class NoSession(SessionInterface):
    """No cookie keeps a session here; without this, Flask-Login's look at one would vary every answer."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Open none: Flask then gives one that cannot be written."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save none."""


def init_app(app: Flask) -> None:
    """Set ``app`` to our JSON and our paths, and take cookies from it."""
    app.session_interface = NoSession()
    app.json = OrjsonProvider(app)
    app.url_map.converters["id"] = Id
    # One path has one spelling: no redirects between them.
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.before_request(_refuse_other_spellings)


def _refuse_other_spellings() -> None:
    """Refuse what Werkzeug takes for another path: it drops slashes in front, and adds a missing one."""
    path = request.environ["PATH_INFO"]
    if not path.startswith("/") or path.startswith("//"):
        raise NotFound("There is nothing at this address.")
