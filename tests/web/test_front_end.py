"""The built front end: which address answers what, how long it may be kept, and what it may load."""

import base64
import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.web import front_end
from tests.contract import ContractClient

SCRIPT = "\n  document.documentElement.dataset.theme = 'dark' < 'light'\n"
STYLE = "body{margin:0}"
INDEX = f"""<!doctype html><html><head>
<script>{SCRIPT}</script><style>{STYLE}</style>
<script type="application/ld+json">{{"@type": "WebSite"}}</script>
<script type="module" crossorigin src="/assets/index-4f2a.js"></script>
</head><body><div id="app"></div></body></html>"""
CODE = "console.log('Vehicle Vault')" * 20
FOREVER = "public, max-age=31536000, immutable"
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / ".vite").mkdir()
    (folder / ".vite" / "manifest.json").write_text("{}")
    (folder / "index.html").write_text(INDEX)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "robots.txt").write_text("User-agent: *")
    (folder / "assets" / "index-4f2a.js").write_text(CODE)
    (folder / "assets" / "index-4f2a.js.gz").write_bytes(gzip.compress(CODE.encode()))
    (folder / "assets" / "index-4f2a.js.br").write_bytes(b"as brotli")
    (folder / "assets" / "logo-77.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def visit(make_app: Callable[..., Flask], dist: Path) -> Callable[..., FlaskClient]:
    """Open the front end in an application with these settings."""

    def visit(folder: Path = dist, **changes: object) -> FlaskClient:
        app = make_app(**changes)
        front_end.init_app(app, app.extensions["settings"], folder)
        # The document of the API tells of none of this.
        app.test_client_class = FlaskClient
        return app.test_client()

    return visit


@pytest.fixture
def browser(visit: Callable[..., FlaskClient]) -> FlaskClient:
    return visit()


class TestPages:
    @pytest.mark.parametrize(
        "path",
        ["/", "/index.html", "/lots/12", "/reservations/7/ticket", "/a.b/c", "/reset-password?x=1"],
    )
    def test_every_address_of_a_page_is_the_page(self, browser: FlaskClient, path: str) -> None:
        page = browser.get(path)
        assert page.status_code == 200
        assert page.text == INDEX
        assert page.content_type == "text/html; charset=utf-8"
        assert page.headers["Cache-Control"] == "no-cache"
        assert page.headers["X-Request-ID"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/nowhere",
            "/api",
            "/problems/not-found",
            "/metrics",
            "/dev/nowhere",
            "/assets",
            "/assets/",
            "/assets/index-gone.js",
            "/nowhere.php",
            "/lots/12.json",
            "/.vite/manifest.json",
            "/assets/index-4f2a.js.br",
            "/assets/../../secret.txt",
            "/assets/%2e%2e/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "//secret",
            "/assets\\..\\..\\secret.txt",
        ],
    )
    def test_what_is_no_page_is_a_problem(self, browser: FlaskClient, path: str) -> None:
        refused = browser.get(path)
        assert refused.status_code == 404
        assert refused.mimetype == "application/problem+json"
        assert "max-age" not in refused.headers["Cache-Control"]

    def test_pages_are_read_and_nothing_else(self, browser: FlaskClient) -> None:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert browser.open("/lots/12", method=method).status_code == 404
        assert browser.get("/api/v1/docs").text != INDEX
        assert browser.post("/api/v1/docs").status_code == 405

    def test_without_a_front_end_the_api_is_shown(
        self, visit: Callable[..., FlaskClient], tmp_path: Path
    ) -> None:
        client = visit(tmp_path / "nothing")
        there = client.get("/")
        assert (there.status_code, there.headers["Location"]) == (302, "/api/v1/docs")
        assert client.get("/", follow_redirects=True).status_code == 200
        assert client.get("/lots/12").status_code == 404

    def test_without_routes_the_document_stays_that_of_the_api(
        self, client: ContractClient, browser: FlaskClient
    ) -> None:
        assert browser.get("/api/v1/openapi.json").data == client.get("/api/v1/openapi.json").data


class TestFiles:
    def test_hashed_files_are_kept_for_good(
        self, browser: FlaskClient, ann: dict[str, str]
    ) -> None:
        for headers in ({}, ann):
            file = browser.get("/assets/index-4f2a.js", headers=headers)
            assert file.text == CODE
            assert file.content_type == "text/javascript; charset=utf-8"
            assert file.headers["Cache-Control"] == FOREVER
            assert file.headers["Vary"] == "Accept-Encoding"
        picture = browser.get("/assets/logo-77.png", headers=BROWSER)
        assert picture.headers["Cache-Control"] == FOREVER
        assert "Vary" not in picture.headers
        assert "Content-Encoding" not in picture.headers

    def test_other_files_are_asked_about_each_time(self, browser: FlaskClient) -> None:
        for path, kind in (("/favicon.svg", "image/svg+xml"), ("/robots.txt", "text/plain")):
            file = browser.get(path)
            assert file.mimetype == kind
            assert file.headers["Cache-Control"] == "no-cache"

    @pytest.mark.parametrize(
        ("accepted", "encoding"),
        [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("br;q=0, gzip", "gzip"),
            ("identity", None),
            ("", None),
        ],
    )
    def test_the_smallest_that_the_browser_reads_is_sent(
        self, browser: FlaskClient, accepted: str, encoding: str | None
    ) -> None:
        file = browser.get("/assets/index-4f2a.js", headers={"Accept-Encoding": accepted})
        assert file.headers.get("Content-Encoding") == encoding
        plain = {"br": b"as brotli", "gzip": gzip.compress(CODE.encode()), None: CODE.encode()}
        assert file.data[4:] == plain[encoding][4:]
        assert file.headers["Vary"] == "Accept-Encoding"

    @pytest.mark.parametrize("path", ["/", "/lots/12", "/assets/index-4f2a.js", "/favicon.svg"])
    def test_what_did_not_change_is_not_sent_again(self, browser: FlaskClient, path: str) -> None:
        first = browser.get(path, headers=BROWSER)
        again = browser.get(path, headers={**BROWSER, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        head = browser.head(path, headers=BROWSER)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["ETag"] == first.headers["ETag"]
        assert head.headers["Content-Length"] == first.headers["Content-Length"]

    def test_each_encoding_has_a_name_of_its_own(self, browser: FlaskClient) -> None:
        tags = {
            browser.get("/assets/index-4f2a.js", headers={"Accept-Encoding": each}).headers["ETag"]
            for each in ("br", "gzip", "identity")
        }
        assert len(tags) == 3


class TestPolicy:
    def test_the_page_runs_what_is_written_into_it_and_nothing_else(
        self, browser: FlaskClient
    ) -> None:
        policy = _directives(browser.get("/lots/12").headers["Content-Security-Policy"])
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == ["'self'", _digest(SCRIPT)]
        assert policy["style-src"] == ["'self'", _digest(STYLE)]
        assert policy["img-src"] == ["'self'", "data:"]
        assert policy["connect-src"] == ["'self'", "https://live.example.org"]
        assert "unsafe" not in str(policy)
        worker = browser.get("/assets/index-4f2a.js").headers["Content-Security-Policy"]
        assert _directives(worker)["script-src"] == ["'self'"]

    def test_map_tiles_may_be_loaded_where_they_are_set(
        self, visit: Callable[..., FlaskClient]
    ) -> None:
        tiles = "https://tiles.example.org:444/{z}/{x}/{y}.png"
        page = visit(map_tile_url=tiles).get("/")
        policy = _directives(page.headers["Content-Security-Policy"])
        assert policy["img-src"] == ["'self'", "data:", "https://tiles.example.org:444"]


def _directives(policy: str) -> dict[str, list[str]]:
    parts = (part.split() for part in re.split(r";\s*", policy))
    return {name: sources for name, *sources in parts}


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
