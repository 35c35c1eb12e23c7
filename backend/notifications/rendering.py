"""Mail as bytes: subject, text and HTML from the templates, headers that nobody can break."""

import email.policy
import hashlib
import re
from datetime import datetime
from email import encoders
from email.charset import QP, Charset
from email.header import Header
from email.headerregistry import Address
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from backend.notifications.attachments import Attachment

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SUBJECT = "Subject: "
# Python would write UTF-8 as base64, which people reading the source of a mail cannot read.
_CHARSET = Charset("utf-8")
_CHARSET.body_encoding = QP


def render_mail(template: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Give the subject, the text and the HTML of a mail.

    A text template starts with a line ``Subject: …`` and an empty one.
    """
    environment = _environment()
    head, _, text = environment.get_template(f"{template}.txt").render(context).partition("\n")
    subject = _CONTROL.sub(" ", head.removeprefix(_SUBJECT)).strip()
    html = environment.get_template(f"{template}.html").render(context, subject=subject)
    return subject, text.strip() + "\n", html


def compose_mail(
    *,
    sender: str,
    to_address: str,
    subject: str,
    text: str,
    html: str,
    attachments: list[Attachment],
    key: str,
    written_at: datetime,
) -> Message:
    """Put a mail together; the same ``key`` always gives the same Message-ID."""
    policy = email.policy.SMTP
    name = _name_in_letters(key)
    body = MIMEMultipart("alternative", boundary=f"=_{name}_body", policy=policy)
    body.attach(MIMEText(text, "plain", _CHARSET, policy=policy))  # type: ignore[arg-type] # typeshed forgets Charset
    body.attach(MIMEText(html, "html", _CHARSET, policy=policy))  # type: ignore[arg-type] # typeshed forgets Charset
    message = body
    if attachments:
        message = MIMEMultipart("mixed", boundary=f"=_{name}_mail", policy=policy)
        message.attach(body)
        for attachment in attachments:
            message.attach(_part(attachment))
    from_name, from_address = parseaddr(sender)
    message["From"] = str(Address(display_name=from_name, addr_spec=from_address))
    message["To"] = str(Address(addr_spec=to_address))
    message.set_raw("Subject", _write_subject(subject))
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = f"<{name}@{from_address.rpartition('@')[2]}>"
    # Tells out-of-office robots to keep quiet (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    return message


def _write_subject(subject: str) -> str:
    """Write a subject as its header.

    What looks like an encoded word, `=?utf-8?q?=0D=0ABcc:…?=`, the email package would read for what it
    stands for, and write a header of its own from it; encoded once more, it is text.
    """
    if _CONTROL.search(subject):
        raise ValueError("A subject may not contain linefeed or other control characters.")
    is_plain = subject.isascii() and "=?" not in subject
    return Header(subject, None if is_plain else "utf-8", header_name="Subject").encode()


def _name_in_letters(key: str) -> str:
    """Name a mail without digits, so that the only code in a mail is its code."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return digest.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


def _part(attachment: Attachment) -> MIMEBase:
    main, _, sub = attachment.content_type.partition("/")
    part = MIMEBase(main, sub, policy=email.policy.SMTP)
    part.set_payload(attachment.content)
    encoders.encode_base64(part)
    part.add_header(
        "Content-Disposition", "attachment", filename=_CONTROL.sub(" ", attachment.filename)
    )
    return part


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
