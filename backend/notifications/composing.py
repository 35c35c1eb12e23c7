"""Mail as bytes: headers that nobody can break around what the templates say."""

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

from backend.notifications.attachments import Attachment

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Python would write UTF-8 as base64, which people reading the source of a mail cannot read.
_CHARSET = Charset("utf-8")
_CHARSET.body_encoding = QP


def compose_mail(  # noqa: PLR0913 - each is a keyword of its own, and says what it is
    *,
    sender: str,
    to_address: str,
    subject: str,
    text: str,
    html: str,
    attachments: list[Attachment],
    key: str,
    written_at: datetime,
    one_click_url: str = "",
) -> Message:
    """Put a mail together; the same ``key`` always gives the same Message-ID.

    ``one_click_url`` is where a mail program posts to when its reader wants no more of these (RFC 8058).
    """
    name = _name_in_letters(key)
    message = _write_body(text, html, attachments, name)
    from_name, from_address = parseaddr(sender)
    message["From"] = str(Address(display_name=from_name, addr_spec=from_address))
    message["To"] = str(Address(addr_spec=to_address))
    message.set_raw("Subject", _write_subject(subject))
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = f"<{name}@{from_address.rpartition('@')[2]}>"
    # Tells out-of-office robots to keep quiet (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if one_click_url:
        # Not folded: mail programs look for the whole address in one line.
        message.set_raw("List-Unsubscribe", f"<{_CONTROL.sub('', one_click_url)}>")
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def _write_body(text: str, html: str, attachments: list[Attachment], name: str) -> MIMEMultipart:
    """Put text before HTML, the pictures beside the HTML that shows them, and files after all of it."""
    body = MIMEMultipart("alternative", boundary=f"=_{name}_body", policy=email.policy.SMTP)
    for content, kind in ((text, "plain"), (html, "html")):
        body.attach(MIMEText(content, kind, _CHARSET, policy=email.policy.SMTP))  # type: ignore[arg-type] # typeshed forgets Charset
    shown = [each for each in attachments if each.content_id]
    files = [each for each in attachments if not each.content_id]
    for kind, parts in (("related", shown), ("mixed", files)):
        if parts:
            around = MIMEMultipart(kind, boundary=f"=_{name}_{kind}", policy=email.policy.SMTP)
            around.attach(body)
            for each in parts:
                around.attach(_part(each))
            body = around
    return body


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
    if attachment.content_id:
        part.add_header("Content-ID", f"<{attachment.content_id}>")
    part.add_header(
        "Content-Disposition",
        "inline" if attachment.content_id else "attachment",
        filename=_CONTROL.sub(" ", attachment.filename),
    )
    return part
