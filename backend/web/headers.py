"""Headers that every answer carries: what a browser may do with it, and who may keep it."""

import base64
import hashlib
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, request

from backend.config import Settings
from backend.extensions import cors
from backend.web.idempotency import HEADER, REPLAYED

_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HSTS = "max-age=31536000; includeSubDomains"
_READ_BY_BROWSERS = ("ETag", "Retry-After", "X-Request-ID", REPLAYED, "Content-Disposition")
_SENT_BY_BROWSERS = (
    "Authorization",
    "Content-Type",
    HEADER,
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
    "X-Refresh",
)
_PREFLIGHT_SECONDS = 600
# The gate's page scans with the camera, and the search asks where one is; nobody is listened to.
_ALLOWED = "camera=(self), geolocation=(self), microphone=()"


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer, and let the configured origins read them."""
    policy = page_policy(settings)
    is_https = urlsplit(settings.public_url).scheme == "https"

    @app.after_request
    def _set_headers(response: Response) -> Response:
        headers = response.headers
        is_page = response.mimetype == "text/html"
        headers.setdefault("Content-Security-Policy", policy if is_page else _CLOSED)
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = _ALLOWED
        if is_https:
            headers["Strict-Transport-Security"] = _HSTS
        if response.cache_control.public:
            # A file that is the same for everybody, whoever asks.
            return response
        if _is_personal(response):
            headers["Cache-Control"] = "no-store"
        else:
            headers.setdefault("Cache-Control", "no-cache")
            response.vary.add("Authorization")
        return response

    if settings.cors_origins:
        cors.init_app(
            app,
            origins=list(settings.cors_origins),
            methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=list(_SENT_BY_BROWSERS),
            expose_headers=list(_READ_BY_BROWSERS),
            max_age=_PREFLIGHT_SECONDS,
            supports_credentials=False,
        )


def page_policy(
    settings: Settings, *, scripts: Iterable[str] = (), styles: Iterable[str] = ()
) -> str:
    """Say what a page may load: its own files, and of what is written into it these very scripts and styles."""
    events, tiles = _origin(settings.events_url), _origin(settings.map_tile_url)
    return (
        f"default-src 'none'; script-src {_sources(scripts)}; style-src {_sources(styles)}; "
        f"img-src 'self' data:{tiles}; font-src 'self'; connect-src 'self'{events}; "
        "manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _sources(inline: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inline)
    return " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _is_personal(response: Response) -> bool:
    """Whether the answer is one person's: asked with a token, or to a deed, such as signing in."""
    return (
        "Authorization" in request.headers
        or request.method not in {"GET", "HEAD", "OPTIONS"}
        or response.status_code >= HTTPStatus.BAD_REQUEST
    )
