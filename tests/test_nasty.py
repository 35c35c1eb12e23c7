"""P20, P21: hostile text is refused or kept as it is, and acts nowhere: not in a page, a PDF, a mail, a log."""

import csv
import email
import email.policy
import io
import json
import logging
import re
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from reportlab.pdfbase.ttfonts import TTFont

from backend.config import Settings
from backend.lots.hours import parse_opening_hours
from backend.notifications.service import send_due_mail
from backend.payments.receipt_pdf import _FONTS
from backend.vehicles.plates import normalise_plate
from backend.web import limits
from backend.web.request_log import JsonFormatter
from tests.access import ROWS, Row
from tests.counter import ReadMail, read_mail
from tests.desk import window
from tests.factories import Factory
from tests.nasty import NASTY, get, put, text_fields, text_parameters
from tests.world import BODIES, V1, Person, World, path_of, upload

__all__ = ["read_mail"]

ROW_OF = {row.operation: row for row in reversed(ROWS)}
# What a refusal may be: of what cannot be read (NUL), of who one says to be, of a rule, of the shape.
REFUSED = {400, 401, 409, 410, 422}
# After these the one who asked is another, or signed out.
_RENEWING = {"POST /me/password", "POST /auth/reset-password", "DELETE /me"}
# Of these a body or a query takes a few words or moments only, and some of the corpus will do.
_CHOSEN = {
    *("timezone", "locale", "status", "refund_policy", "kind", "spot_kind", "method"),
    *("starts_at", "ends_at", "out_of_service_from", "out_of_service_until"),
}
_WORDS = {"q", "cursor", "plate", "code", "level", "action", "subject"}
_SOME = dict(list(NASTY.items())[::7])
_FINDS = {f"GET {V1}/lots", f"GET {V1}/users", f"GET {V1}/audit-log"}
_FINDS_ALL = {"union", "drop", "like", "glob"}
# The answer has something else by this name.
_TOLD_OF_ANOTHER = {
    ("POST /lots/{lot_id}/closings", "digest"),
    ("POST /payments/{payment_id}/confirm", "code"),
    ("POST /reviews/{review_id}/reply", "text"),
}
# Parts that a valid body leaves out.
_FULLER = {
    "POST /lots/{lot_id}/tariffs": {"taxes": [{"name": "VAT", "rate_bp": 1900}]},
    "POST /reservations/{reservation_id}/payments": {"expiry": "12/30", "cvc": "123"},
}


@pytest.fixture(autouse=True)
def _without_limits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a corpus through that a client would be told to send more slowly."""
    monkeypatch.setitem(app.extensions, limits._KEY, None)


def _person(world: World, row: Row) -> Person:
    return world.admin if row.cells["owner"] == "403" else world.owner


def _ask(world: World, row: Row, **sent: Any) -> Any:
    return world.client.open(
        path_of(world, row.name),
        method=row.name.partition(" ")[0],
        headers={} if row.is_public else _person(world, row).headers,
        **sent,
    )


def _kept(name: str, way: tuple[str | int, ...], text: str) -> str | None:
    """Give a text as it is kept, by what the API says of it; None where it is told nowhere."""
    if way == ("plate",):
        return normalise_plate(text)
    if way == ("opening_hours",):
        return str(parse_opening_hours(text))
    if way == ("tax_id",):
        return re.sub(r"[ ./-]", "", text).upper()
    if name == "POST /coupons" and way == ("code",):
        return re.sub(r"\s", "", text).upper()
    return text.strip()


@pytest.fixture(params=["some", pytest.param("all", marks=pytest.mark.long)])
def strings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Every sixth of the corpus; the whole of it takes minutes."""
    return NASTY if request.param == "all" else dict(list(NASTY.items())[::6])


def test_the_corpus_is_large_and_reaches_every_body(app: Flask) -> None:
    assert len(NASTY) >= 60
    assert len(set(NASTY.values())) == len(NASTY)
    bodies = {operation for operation, _ in text_fields(app)}
    assert bodies <= {row.operation for row in ROWS if row.name in BODIES}
    assert len(bodies) > 20


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.name in BODIES])
def test_every_text_of_a_body_is_refused_or_kept(
    app: Flask, client: FlaskClient, make: Factory, name: str, strings: dict[str, str]
) -> None:
    row = next(row for row in ROWS if row.name == name)
    ways = [way for operation, way in text_fields(app) if operation == row.operation]
    wrong = []
    for way in ways:
        world = World(app, client, make)
        body = BODIES[name](world, _person(world, row)) | _FULLER.get(name, {})
        corpus = _SOME if way[-1] in _CHOSEN else strings
        for number, (kind, text) in enumerate(corpus.items()):
            if "email" in body:
                body["email"] = f"nasty-{number}@example.org"
            # By the standard library, which writes half a character as well.
            sent = json.dumps(put(body, way, text))
            answer = _ask(world, row, data=sent, content_type="application/json")
            told = f"{'.'.join(map(str, way))} · {kind}: {answer.status_code}"
            if answer.status_code in REFUSED:
                continue
            if answer.status_code >= 300:
                wrong.append(told)
            elif (
                answer.data
                and (name, way[-1]) not in _TOLD_OF_ANOTHER
                and way[-1] in (answer.json or {})
            ):
                if get(answer.json, way) != _kept(name, way, text):
                    wrong.append(f"{told} kept {get(answer.json, way)!r}")
                if row.operation == "POST /api/v1/vehicles":
                    path = f"{V1}/vehicles/{answer.json['id']}"
                    client.delete(path, headers=world.owner.headers)
            if name in _RENEWING and answer.status_code < 300:
                world = World(app, client, make)
                body = BODIES[name](world, _person(world, row))
    assert wrong == []


def test_every_text_of_a_query_is_refused_or_finds_nothing_of_others(
    app: Flask, client: FlaskClient, make: Factory, strings: dict[str, str]
) -> None:
    world = World(app, client, make)
    wrong = []
    for operation, name in text_parameters(app):
        row = ROW_OF[operation]
        for kind, text in (strings if name in _WORDS else _SOME).items():
            # A query string is bytes; what is not text cannot be told in it.
            sent = text.encode(errors="replace").decode()
            answer = _ask(world, row, query_string={name: sent})
            if answer.status_code not in {200, *REFUSED}:
                wrong.append(f"{operation} {name} · {kind}: {answer.status_code}")
            elif (
                operation in _FINDS and name == "q" and kind in _FINDS_ALL and answer.json["items"]
            ):
                wrong.append(f"{operation} {name} · {kind} found {answer.text[:200]}")
    assert wrong == []


def test_headers_do_no_more_than_text(
    app: Flask, client: FlaskClient, make: Factory, strings: dict[str, str]
) -> None:
    world = World(app, client, make)
    wrong = []
    for kind, text in strings.items():
        # What HTTP lets through at all; servers refuse the rest before us.
        sent = re.sub(r"[\r\n\x00]", "", text.encode(errors="replace").decode("latin-1"))
        for header in (
            *("User-Agent", "X-Request-ID", "Accept-Language", "Accept", "If-None-Match"),
            *("Origin", "Referer", "X-Forwarded-For", "X-Forwarded-Host", "Host", "Cookie"),
        ):
            answer = client.get(f"{V1}/me", headers=world.owner.headers | {header: sent})
            if answer.status_code not in {200, 304, 400}:
                wrong.append(f"{header} · {kind}: {answer.status_code}")
        body = {"lot_id": 999_999, "vehicle_id": 1, **window()}
        headers = world.owner.headers | {"Idempotency-Key": sent}
        answer = client.post(f"{V1}/reservations", json=body, headers=headers)
        if answer.status_code not in {404, 422, 400}:
            wrong.append(f"Idempotency-Key · {kind}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("kind", ["csv", "geojson"])
def test_a_file_of_lots_is_text_too(
    app: Flask, client: FlaskClient, make: Factory, kind: str
) -> None:
    world = World(app, client, make)
    rows = [
        {
            "place_id": f"nasty-{number}",
            "name": text,
            "city": text,
            "capacity": 5,
            "address": text,
            "latitude": 51.0,
            "longitude": 13.7,
        }
        for number, text in enumerate(NASTY.values())
        if "\ud800" not in text
    ]
    answer = client.post(
        f"{V1}/lots/import",
        data={"file": (BytesIO(_file(rows, kind)), f"lots.{kind}")},
        headers=world.admin.headers,
    )
    assert answer.status_code in {200, 422}, answer.text
    if kind == "geojson":
        assert answer.status_code == 200, answer.text
        names = {item["name"] for item in _all_lots(client, world)}
        # Those without control characters and not too long came in as they are.
        assert {NASTY["script"], NASTY["command"], NASTY["jinja"], NASTY["lookup"]} <= names


def _file(rows: list[dict[str, Any]], kind: str) -> bytes:
    if kind == "csv":
        written = io.StringIO()
        writer = csv.DictWriter(written, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return written.getvalue().encode()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
            "properties": {
                "uid": row["place_id"],
                "name": row["name"],
                "address": row["address"],
                "capacity": 5,
                "type": "CAR_PARK",
            },
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _all_lots(client: FlaskClient, world: World) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        page = client.get(f"{V1}/lots", query_string=query, headers=world.admin.headers).json
        yield from page["items"]
        cursor = page["next_cursor"]


class _Seen(HTMLParser):
    """What a browser would make of a page: its elements, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text += data


_PRINTED = [
    pytest.param(kind, marks=[] if number % 6 == 0 else pytest.mark.long)
    for number, (kind, text) in enumerate(NASTY.items())
    if 0 < len(text) <= 100
]


# What is printed and written does not depend on the database.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestOnPaperAndByPost:
    """Every text that a name may be goes through a booking: ticket, receipt, mails, the archive."""

    @pytest.fixture
    def world(self, app: Flask, client: FlaskClient, make: Factory) -> World:
        return World(app, client, make)

    @pytest.mark.parametrize("kind", _PRINTED)
    def test_it_is_text_in_the_receipt_and_the_mail(
        self, world: World, read_mail: ReadMail, kind: str
    ) -> None:
        text = NASTY[kind]
        lot = {"name": text, "address": text, "city": text}
        renamed = [
            world.client.patch(
                f"{V1}{path}",
                data=json.dumps(body),
                content_type="application/json",
                headers=person.headers,
            )
            for path, body, person in (
                ("/me", {"name": text}, world.owner),
                (f"/lots/{world.lot_id}", lot, world.admin),
            )
        ]
        statuses = {answer.status_code for answer in renamed}
        assert statuses in ({200}, {422}, {400}), [answer.text for answer in renamed]
        if statuses != {200}:
            return
        kept = text.strip()

        payment = world.desk.buy(world.lot)

        pdf = world.desk.try_get(f"/payments/{payment['id']}/receipt.pdf")
        assert pdf.status_code == 200
        page = "".join(part.extract_text() for part in PdfReader(BytesIO(pdf.data)).pages)
        assert not _goes_anywhere(pdf.data)
        # In reading order and in the signs that the font has.
        assert _printed(kept) in _printed(page)
        (mail,) = [mail for mail in read_mail() if mail["To"] == world.owner.user.email]
        _check_mail(mail, kept)

    def test_what_the_plain_mail_has_is_what_every_mail_has(
        self, world: World, read_mail: ReadMail
    ) -> None:
        world.desk.buy(world.lot)
        (mail,) = [mail for mail in read_mail() if mail["To"] == world.owner.user.email]
        assert sorted(mail.keys()) == sorted(_HEADERS)
        html = mail.get_body(("html",))
        assert html is not None
        _check_elements(_Seen(html.get_content()))


_HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "MIME-Version"),
]
_ELEMENTS = {
    *("html", "head", "meta", "title", "body", "p", "table", "tr", "td", "th", "div", "span"),
    *("tbody", "strong", "h1", "br", "hr", "style", "a", "img"),
}
# Pages of ours, and the picture that comes with a mail.
_LEADS = re.compile(r"http://127\.0\.0\.1:8000/[\w/#=.-]*|cid:logo")


def _check_elements(seen: _Seen) -> None:
    assert {tag for tag, _ in seen.elements} <= _ELEMENTS
    assert not [address for address in seen.addresses if not _LEADS.fullmatch(address)]


def _check_mail(mail: EmailMessage, text: str) -> None:
    assert sorted(mail.keys()) == sorted(_HEADERS)
    assert "\n" not in mail["Subject"]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert _joined(text) in _joined(plain.get_content())
    seen = _Seen(html.get_content())
    _check_elements(seen)
    assert not [name for _, names in seen.elements for name in names if name.startswith("on")]
    assert _joined(text) in _joined(seen.text)


def _joined(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _printed(text: str) -> str:
    """Keep of a text what the receipt's font can draw, without blanks and in one order."""
    # ReportLab draws a sign without a glyph as number 0.
    return "".join(s for s in text if s != "\0" and ord(s) in _glyphs() and not s.isspace())


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(TTFont("Inter", _FONTS / "Inter-Regular.ttf").face.charToGlyph)


def _goes_anywhere(pdf: bytes) -> bool:
    """Tell whether a PDF has a link, a script, a file or a picture in it."""
    # Packed bytes may look like anything.
    bare = re.sub(rb"stream\r?\n.*?endstream", b"", pdf, flags=re.DOTALL)
    return bool(
        re.search(rb"/(?:URI|JavaScript|JS|Launch|EmbeddedFile|OpenAction|AA|Image)\b", bare)
    )


class _Lines(logging.Handler):
    """Keeps what it would have written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def test_a_line_of_the_log_stays_one_line(
    client: FlaskClient, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(client.application, client, make)
    written = _Lines()
    logger = logging.getLogger("backend")
    # Nobody else is given them: what collects the output of tests cannot carry half a character.
    monkeypatch.setattr(logger, "handlers", [written])
    monkeypatch.setattr(logger, "propagate", False)
    for text in NASTY.values():
        sent = re.sub(r"[\r\n\x00]", "", text.encode(errors="replace").decode("latin-1"))
        client.get(f"{V1}/{sent.encode('latin-1').hex()}", headers={"User-Agent": sent})
        client.get(f"{V1}/lots", query_string={"q": text.encode(errors="replace").decode()})
        client.get(f"{V1}/me", headers=world.owner.headers | {"X-Request-ID": sent})
        logger.info("Told: %s", text)
        logger.error("Failed", exc_info=ValueError(text))
    assert len(written.lines) >= 5 * len(NASTY)
    for line in written.lines:
        assert not re.search(r"[\r\n\x00-\x1f]", line)
        told = json.loads(line)
        assert told["level"] in {"info", "warning", "error"}
        assert told["message"] != "forged"


def test_mail_that_waits_names_nobody_else(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    """An address is the one place where a header could be broken: each that is taken gets mail, alone."""
    taken = []
    for kind, text in NASTY.items():
        for number, address in enumerate(_addresses(text)):
            body = {"email": address, "name": f"{kind} {number}", "password": "a quiet place 1"}
            sent = json.dumps(body)
            answer = client.post(f"{V1}/auth/register", data=sent, content_type="application/json")
            assert answer.status_code in {202, 400, 422, 429}, (kind, answer.text)
            if answer.status_code == 202:
                taken.append(address.lower())
    assert len(taken) > 5
    with app.app_context():
        # It sends a batch at a time.
        for _ in range(1 + len(taken) // 50):
            send_due_mail()
    to = []
    for path in (settings.instance / "mail").glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert sorted(mail.keys()) == sorted(_HEADERS)
        to += [mail["To"].addresses[0].addr_spec]
        assert len(mail["To"].addresses) == 1
    assert sorted(to) == sorted(set(taken)), set(to) ^ set(taken)


def _addresses(text: str) -> list[str]:
    return [f"{text}@example.org", f"a{text}@example.org", f"a@{text}.example", f'"{text}"@x.org']


def test_an_upload_is_named_as_it_likes(client: FlaskClient, as_admin: dict[str, str]) -> None:
    for kind, text in NASTY.items():
        content, name = upload()["file"]
        sent = {"file": (content, f"{text.encode(errors='replace').decode()}{name}")}
        answer = client.post(f"{V1}/lots/import", data=sent, headers=as_admin)
        assert answer.status_code in {200, 422, 400}, (kind, answer.text)
