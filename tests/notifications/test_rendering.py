"""What a mail says, whatever people are called (P20)."""

import email
import email.header
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from backend.notifications.attachments import Attachment
from backend.notifications.composing import compose_mail
from backend.notifications.rendering import render_mail

AROUND = {"brand": "Vehicle Vault", "public_url": "https://park.example"}
TICKET = {
    "name": "Asha",
    "code": "VV-8F3K-29QX",
    "lot": "Altmarkt",
    "address": "Dresden",
    "bay": "A12",
    "level": "",
    "plate": "DDVV2026",
    "window": "today",
    "price": "₹40.00",
    "receipt": "R-1",
    "reservation_id": 1,
    **AROUND,
}


def _compose(subject: str, to_address: str = "asha@example.org", filename: str = "a.pdf") -> bytes:
    return compose_mail(
        sender="Vehicle Vault <parking@park.example>",
        to_address=to_address,
        subject=subject,
        text="Hello ₹ €\n",
        html="<p>Hello ₹ €</p>",
        attachments=[Attachment(filename, "application/pdf", b"x")],
        key="ticket:1",
        written_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
    ).as_bytes()


def _read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_html_of_people_stays_text() -> None:
    _, text, html = render_mail("ticket", {**TICKET, "name": "<script>alert(1)</script>"}, "en")
    assert "<script>alert(1)</script>" in text
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_template_needs_its_whole_context() -> None:
    with pytest.raises(Exception, match="undefined"):
        render_mail("ticket", AROUND, "en")


@pytest.mark.parametrize("lot", ["Alt\r\nBcc: x@example.org", "Alt\nBcc: x@example.org", "Alt\x00"])
def test_no_name_adds_a_header(lot: str) -> None:
    subject, _, _ = render_mail("ticket", {**TICKET, "lot": lot}, "en")
    mail = _read(_compose(subject))
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("Your parking at Alt")
    assert len(mail.defects) == 0


def test_a_header_with_a_line_break_is_refused_in_any_case() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        _compose("one\r\nBcc: x@example.org")
    with pytest.raises(ValueError, match=r"CR|linefeed|[Ii]nvalid"):
        _compose("one", to_address="a@example.org\r\nBcc: x@example.org")


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?=0D=0ABcc:_victim@example.net?=",
        "=?utf-8?b?DQpCY2M6IHZpY3RpbUBleGFtcGxlLm5ldA==?=",
        f"{'a long name ' * 6}=?utf-8?q?=0D=0ABcc:_victim@example.net?= and more of it",
    ],
)
def test_an_encoded_word_in_a_subject_is_text(name: str) -> None:
    sent = _compose(f"Your parking at {name}: VV-1")
    mail = _read(sent)
    assert mail["Bcc"] is None
    # By the older way of reading, which decodes once and never again.
    written = email.message_from_bytes(sent, policy=email.policy.compat32)["Subject"]
    told = email.header.make_header(email.header.decode_header(written))
    assert str(told) == f"Your parking at {name}: VV-1"


def test_a_file_name_adds_no_header() -> None:
    mail = _read(_compose("one", filename='a"\r\nX-Evil: 1.pdf'))
    (part,) = mail.iter_attachments()
    assert part["X-Evil"] is None


def test_every_language_arrives() -> None:
    mail = _read(_compose("Ihr Parkplatz für मंगलवार"))
    assert mail["Subject"] == "Ihr Parkplatz für मंगलवार"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Hello ₹ €"


def test_one_key_has_one_message_id() -> None:
    assert _read(_compose("one"))["Message-ID"] == _read(_compose("two"))["Message-ID"]
    assert str(_read(_compose("one"))["Message-ID"]).endswith("@park.example>")
