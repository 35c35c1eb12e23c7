"""HTTP as this project speaks it; it knows nothing of parking."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.config import Settings
from backend.web import api, cache, caller, headers, limits, operation, problems, request_log
from backend.web.docs import blueprint as docs_blueprint
from backend.web.openapi import blueprint as openapi_blueprint

__all__ = [
    "api",
    "cache",
    "caller",
    "headers",
    "init_web",
    "limits",
    "operation",
    "problems",
    "request_log",
]


def init_web(app: Flask, settings: Settings) -> None:
    """Teach ``app`` our HTTP. Call it after ``security.init_app``, before any blueprint is registered."""
    app.extensions["settings"] = settings
    if settings.trusted_proxies > 0:
        count = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=count)
        app.wsgi_app = proxied  # type: ignore[method-assign] # Flask's own way of adding a layer
    api.init_app(app)
    request_log.init_app(app, settings)
    problems.init_app(app)
    operation.init_app(app)
    caller.init_app(app)
    cache.init_app(app, settings)
    limits.init_app(app, settings)
    headers.init_app(app, settings)
    app.register_blueprint(openapi_blueprint, url_prefix="/api/v1")
    app.register_blueprint(docs_blueprint)
