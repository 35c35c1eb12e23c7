"""The built front end: its files as they are, and its page at every address that looks like one.

It has no routes, so that the API's paths stay all that the application has: what no route knows is looked
for here. The files are read once, so that a new build shows after a restart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from html.parser import HTMLParser
from pathlib import Path

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import NotFound

from backend.config import Settings
from backend.web.headers import page_policy

_PAGE = "/index.html"
_DOCS = "/api/v1/docs"
_HASHED = "/assets/"
_NO_PAGES = frozenset({"api", "assets", "dev", "healthz", "metrics", "problems", "readyz"})
"""First parts of paths at which there are no pages of the front end."""

_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""What a build may put beside a file, the smallest first."""

# Not from the machine's own list of types, which differs.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_EXECUTED = frozenset({"", "text/javascript", "application/javascript", "module", "importmap"})


@dataclass(frozen=True, slots=True)
class _Body:
    """The bytes of a file in one encoding, and their name."""

    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class _File:
    """A file with its headers, plain and in the encodings that it has."""

    headers: dict[str, str]
    plain: _Body
    encoded: dict[str, _Body]


Files = dict[str, _File]


def init_app(app: Flask, settings: Settings, folder: Path) -> None:
    """Serve what was built into ``folder``; without it, lead people to the API's page."""
    files = cache(lambda: _read(folder, settings))
    app.before_request(lambda: _serve(files))


def _serve(files: Callable[[], Files]) -> Response | None:
    if request.method not in {"GET", "HEAD"}:
        return None
    if not isinstance(request.routing_exception, NotFound):
        return None
    path = request.path
    found = files().get(path) or (files().get(_PAGE) if _is_page(path) else None)
    if found is not None:
        return _answer(found)
    return redirect(_DOCS) if path == "/" else None  # type: ignore[return-value] # Werkzeug's kind does as well


def _is_page(path: str) -> bool:
    _, first, *_ = parts = path.split("/")
    return first not in _NO_PAGES and "." not in parts[-1]


def _answer(file: _File) -> Response:
    body = file.plain
    headers = dict(file.headers)
    if file.encoded:
        accepted = request.accept_encodings
        for encoding, encoded in file.encoded.items():
            if accepted.quality(encoding) > 0:
                body = encoded
                headers["Content-Encoding"] = encoding
                break
    answer = Response(body.content, headers=headers)
    answer.set_etag(body.tag)
    answer.make_conditional(request)
    # Werkzeug adds a Date to this kind of answer, and the server adds its own to each.
    answer.headers.pop("Date", None)
    return answer


def _read(folder: Path, settings: Settings) -> Files:
    if not (folder / _PAGE.removeprefix("/")).is_file():
        return {}
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        f"/{name.as_posix()}": _file(f"/{name.as_posix()}", path, settings)
        for name, path in paths.items()
        # The build's own notes are nobody's business.
        if not any(part.startswith(".") for part in name.parts)
        and not (name.suffix in _ENCODINGS.values() and name.with_suffix("") in paths)
    }


def _file(name: str, path: Path, settings: Settings) -> _File:
    content = path.read_bytes()
    encoded = {}
    for encoding, suffix in _ENCODINGS.items():
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            encoded[encoding] = _body(beside.read_bytes())
    headers = {
        "Content-Type": _TYPES.get(path.suffix, "application/octet-stream"),
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _policy(path, content, settings),
    }
    if name.startswith(_HASHED):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if encoded:
        headers["Vary"] = "Accept-Encoding"
    return _File(headers, _body(content), encoded)


def _body(content: bytes) -> _Body:
    return _Body(content, blake2b(content, digest_size=16).hexdigest())


def _policy(path: Path, content: bytes, settings: Settings) -> str:
    """Say what a file may load; scripts of workers have a policy of their own, and it is that of pages."""
    if path.suffix != ".html":
        return page_policy(settings)
    inline = _Inline()
    inline.feed(content.decode().replace("\r\n", "\n"))
    inline.close()
    return page_policy(settings, scripts=inline.scripts, styles=inline.styles)


class _Inline(HTMLParser):
    """Collects the scripts and styles that are written into a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin to collect where a script or a style is written."""
        given = dict(attrs)
        if tag == "style":
            self._into = self.styles
        elif tag == "script" and "src" not in given and (given.get("type") or "") in _EXECUTED:
            self._into = self.scripts
        else:
            return
        self._into.append("")

    def handle_data(self, data: str) -> None:
        """Collect a piece."""
        if self._into is not None:
            self._into[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Stop collecting."""
        if tag in {"script", "style"}:
            self._into = None
