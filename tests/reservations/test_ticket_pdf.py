"""The ticket to print: one page, the same bytes each time, whatever the names on it look like."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from backend.models import Lot
from backend.reservations.ticket_pdf import TicketPage, draw_ticket
from tests.counter import Arrive
from tests.desk import Desk, problem

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
PAGE = TicketPage(
    brand="Vehicle Vault",
    code="VV-8F3K-29QX",
    payload="x" * 240,
    lot="Altmarkt",
    address="Wilsdruffer Straße 20, Dresden",
    bay="A12",
    level="1",
    plate="DDAB1234",
    starts_at=START,
    ends_at=START + timedelta(hours=2),
    opens_at=START - timedelta(minutes=15),
    timezone="Europe/Berlin",
)


def read(file: bytes) -> str:
    reader = PdfReader(io.BytesIO(file))
    assert len(reader.pages) == 1
    return " ".join(reader.pages[0].extract_text().split())


def test_it_says_where_and_when_in_the_zone_of_the_place() -> None:
    text = read(draw_ticket(PAGE))
    for said in ("VV-8F3K-29QX", "Altmarkt", "A12", "10:00", "Tue 24 Nov 2026, 09:45 CET"):
        assert said in text


def test_it_is_the_same_bytes_each_time() -> None:
    assert draw_ticket(PAGE) == draw_ticket(PAGE)


@pytest.mark.parametrize(
    "name",
    [
        "<b>Bold</b> & <para>",
        "<img src='http://evil.example/x'/>",
        "W" * 300,
        "wide " * 90,
        "停车",
        "",
    ],
)
def test_a_name_is_text_and_no_more(name: str) -> None:
    page = replace(PAGE, lot=name, address=name, bay=name, level=name, brand=name)
    text = read(draw_ticket(page))
    assert "VV-8F3K-29QX" in text
    if name.startswith("<"):
        assert name.split(">", maxsplit=1)[0] in text


def test_a_driver_gets_the_ticket_of_a_paid_booking(desk: Desk, arrive: Arrive, lot: Lot) -> None:
    held = desk.hold(lot)
    path = f"/reservations/{held['id']}/ticket.pdf"
    assert problem(desk.try_get(path)) == "409 illegal-transition"
    desk.charge(held)
    answer = desk.try_get(path)
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="ticket-{held["code"]}.pdf"'
    assert held["code"] in read(answer.data)
    assert problem(arrive().try_get(path)) == "404 not-found"
