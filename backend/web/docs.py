"""The browsable page of the API, self-contained."""

from importlib.resources import files

from flask import Response

from backend.web.api import Resource, resource_blueprint
from backend.web.operation import operation

blueprint, api = resource_blueprint("docs", __name__)
_assets = files("backend.web") / "static"


@api.resource("/api/v1/docs")
class Docs(Resource):
    """The page of the API."""

    @operation(public=True, transaction=False, media_type="text/html")
    def get(self) -> Response:
        """Show this API as a page to read and try."""
        return _asset("docs.html", "text/html; charset=utf-8")


@api.resource("/api/v1/docs/docs.css")
class DocsStyle(Resource):
    """Its style."""

    @operation(public=True, transaction=False, media_type="text/css")
    def get(self) -> Response:
        """Give the style of the page."""
        return _asset("docs.css", "text/css; charset=utf-8")


@api.resource("/api/v1/docs/docs.js")
class DocsScript(Resource):
    """Its script."""

    @operation(public=True, transaction=False, media_type="text/javascript")
    def get(self) -> Response:
        """Give the script of the page."""
        return _asset("docs.js", "text/javascript; charset=utf-8")


def _asset(name: str, content_type: str) -> Response:
    answer = Response((_assets / name).read_bytes(), content_type=content_type)
    answer.add_etag()
    return answer
