"""The previews of every mail."""

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.config import Settings
from backend.notifications.samples import list_templates
from backend.notifications.wording import LANGUAGES


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Give a client that does not ask the document: these pages are no part of the API."""
    return FlaskClient(app, app.response_class)


def test_every_mail_is_shown_in_every_language(browser: FlaskClient) -> None:
    listed = browser.get("/dev/mails").text
    for language in LANGUAGES:
        for name in list_templates():
            assert f'href="/dev/mails/{language}/{name}"' in listed


def test_one_is_shown_as_html_and_as_text(browser: FlaskClient) -> None:
    page = browser.get("/dev/mails/hi/ticket")
    assert "नमस्ते" in page.text
    assert '<iframe sandbox title="The mail as HTML" src="/dev/mails/hi/ticket/html">' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    framed = browser.get("/dev/mails/hi/ticket/html")
    assert "data:image/png;base64," in framed.text
    assert "cid:" not in framed.text
    # It may be looked at, and nothing else.
    assert framed.headers["Content-Security-Policy"].endswith("; frame-ancestors 'self'; sandbox")
    assert "script" not in framed.headers["Content-Security-Policy"]
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "path", ["de/ticket", "en/nothing", "en/layout", "en/foot/html", "..%2f/ticket", "en/%00"]
)
def test_nothing_else_is_shown(browser: FlaskClient, path: str) -> None:
    assert browser.get(f"/dev/mails/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/dev/mails", "/dev/mails/en/ticket", "/dev/mails/en/ticket/html"]
)
def test_production_has_none(
    app: Flask,
    browser: FlaskClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setitem(
        app.extensions, "settings", dataclasses.replace(settings, app_env="production")
    )
    assert browser.get(path).status_code == 404
