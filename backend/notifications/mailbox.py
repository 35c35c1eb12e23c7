"""The mailbox of development: what was written to files because no mail server is set."""

import email
import email.policy
import re
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from backend.config import Settings
from backend.notifications.transport import mail_folder

blueprint = Blueprint("mailbox", __name__)

_NAME = re.compile(r"[0-9T]+-[0-9]+\.eml")
_NEWEST = 50


@blueprint.get("/dev/mailbox")
def show_mailbox() -> ResponseReturnValue:
    """List the newest mails as a page."""
    return render_template("mailbox.html", mails=_read_newest())


@blueprint.get("/dev/mailbox.json")
def show_mailbox_json() -> ResponseReturnValue:
    """List the newest mails for scripts."""
    return jsonify({"items": _read_newest()})


@blueprint.get("/dev/mailbox/<name>")
def show_mail(name: str) -> ResponseReturnValue:
    """Show one mail as text; its HTML is never run."""
    path = _open_folder() / name
    if not _NAME.fullmatch(name) or not path.is_file():
        abort(404)
    return render_template("mailbox_mail.html", mail=_read(path))


def _open_folder() -> Path:
    settings: Settings = current_app.extensions["settings"]
    if settings.is_production or settings.mail_server:
        abort(404)
    return mail_folder(settings)


def _read_newest() -> list[dict[str, Any]]:
    # A name starts with the moment at which the mail was promised.
    paths = sorted(_open_folder().glob("[0-9]*.eml"), reverse=True)
    return [_read(path) for path in paths[:_NEWEST]]


def _read(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    mail = email.message_from_bytes(content, policy=email.policy.default)
    text = mail.get_body(("plain",))
    return {
        "name": path.name,
        "to": str(mail["To"]),
        "subject": str(mail["Subject"]),
        "date": str(mail["Date"]),
        "text": text.get_content().replace("\r\n", "\n") if text else "",
        "attachments": [
            part.get_filename() or ""
            for part in mail.walk()
            if part.get_content_disposition() == "attachment"
        ],
    }
