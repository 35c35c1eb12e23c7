"""The mailbox of development."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.config import Settings
from backend.notifications.attachments import Attachment
from backend.notifications.tasks import send_due

Promise = Callable[..., int]


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Give a client that does not ask the document: these pages are no part of the API."""
    return FlaskClient(app, app.response_class)


def _mails(browser: FlaskClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = browser.get("/dev/mailbox.json").json["items"]
    return items


def test_it_is_empty_at_first(browser: FlaskClient) -> None:
    assert _mails(browser) == []
    assert "There is no mail yet" in browser.get("/dev/mailbox").text


def test_scripts_read_their_mail(browser: FlaskClient, promise: Promise) -> None:
    promise("asha@example.org")
    promise("ravi@example.org")
    send_due()
    newest, oldest = _mails(browser)
    assert (newest["to"], oldest["to"]) == ("ravi@example.org", "asha@example.org")
    assert newest["subject"] == "Your Vehicle Vault code"
    assert newest["text"].count("123456") == 1
    assert newest["attachments"] == []


def test_attachments_are_named(
    browser: FlaskClient, promise: Promise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "backend.notifications.attachments._builders",
        {"otp": lambda _: [Attachment("receipt.pdf", "application/pdf", b"x")]},
    )
    promise()
    send_due()
    assert _mails(browser)[0]["attachments"] == ["receipt.pdf"]


def test_people_read_one_as_text(browser: FlaskClient, promise: Promise) -> None:
    promise(secret={"code": "<script>alert(1)</script>"})
    send_due()
    name = _mails(browser)[0]["name"]
    page = browser.get(f"/dev/mailbox/{name}")
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert name in browser.get("/dev/mailbox").text


@pytest.mark.parametrize(
    "name", ["../secret_key", "..%2fsecret_key", "20260101T000000000000-1.eml", "x.eml", "%00"]
)
def test_nothing_else_is_read(browser: FlaskClient, name: str) -> None:
    assert browser.get(f"/dev/mailbox/{name}").status_code == 404


def test_a_mail_sent_again_replaces_its_file(
    browser: FlaskClient, promise: Promise, settings: Settings
) -> None:
    promise()
    send_due()
    (path,) = (settings.instance / "mail").iterdir()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", [{"app_env": "production"}, {"mail_server": "mail.example"}])
@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json", "/dev/mailbox/x.eml"])
def test_elsewhere_it_does_not_exist(
    app: Flask,
    browser: FlaskClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    path: str,
) -> None:
    other = dataclasses.replace(settings, **change)
    monkeypatch.setitem(app.extensions, "settings", other)
    assert browser.get(path).status_code == 404
