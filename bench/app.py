"""The application with one more operation: the bare route that others are measured against."""

import os
from functools import cache
from pathlib import Path

from flask import Flask, Response

from backend import API
from backend import create_app as create_real_app
from backend.web.api import JSON, Resource, resource_blueprint
from backend.web.operation import operation

FOLDER = "BENCH_FOLDER"

blueprint, api = resource_blueprint("bench", __name__)


@api.resource("/bench/<string:name>")
class BareRoute(Resource):
    """Bytes that were answered before."""

    @operation(public=True, transaction=False, media_type=JSON)
    def get(self, name: str) -> Response:
        """Answer the bytes kept under this name."""
        return Response(_kept(name), content_type=JSON)


@cache
def _kept(name: str) -> bytes:
    return (Path(os.environ[FOLDER]) / name).read_bytes()


def create_app() -> Flask:
    """Make the application with the bare route."""
    app = create_real_app()
    app.register_blueprint(blueprint, url_prefix=API)
    return app
