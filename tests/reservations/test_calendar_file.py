"""A booking in a calendar: RFC 5545, whatever the names in it look like."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from backend.models import Lot
from backend.reservations.calendar_file import CalendarEntry, write_calendar
from tests.counter import Arrive
from tests.desk import Desk, problem, window
from tests.factories import Factory

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOSTILE = [
    'Lot; with, all\\of "it"\nDTSTART:19700101T000000Z\r\nEND:VEVENT',
    "Parkhaus am Straßenbahndepot Übigau " * 8,
    "停车场" * 60,
    "🚗" * 50,
    "tab\there\x00\x07\x1b[2J\u2028\u2029",
    "x" * 75,
    "\\n\\",
]


def entry(**values: object) -> CalendarEntry:
    plain = {
        "code": "VV-8F3K-29QX",
        "host": "parking.example.org",
        "brand": "Vehicle Vault",
        "status": "confirmed",
        "sequence": 0,
        "written_at": START - timedelta(days=1),
        "starts_at": START,
        "ends_at": START + timedelta(hours=2),
        "lot": "Altmarkt",
        "address": "Wilsdruffer Straße 20, Dresden",
        "lat": 51.05,
        "lng": 13.74,
        "bay": "A12",
        "level": "1",
        "plate": "DDAB1234",
        "url": "https://parking.example.org/bookings/7",
    }
    return CalendarEntry(**{**plain, **values})


def unfold(file: bytes) -> dict[str, str]:
    """Read the properties of a file as a calendar does."""
    assert file.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    text = file.decode()
    assert "\n" not in text.replace("\r\n", "")
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    properties = dict(line.split(":", 1) for line in lines if not line.startswith(("BEGIN", "END")))
    assert len(properties) == len(lines) - 4
    return properties


def unescape(value: str) -> str:
    return (
        value.replace("\\\\", "\0")
        .replace("\\n", "\n")
        .replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\0", "\\")
    )


class TestFile:
    def test_it_says_what_a_calendar_wants_to_know(self) -> None:
        said = unfold(write_calendar(entry()))
        assert said["UID"] == "VV-8F3K-29QX@parking.example.org"
        assert (said["DTSTART"], said["DTEND"]) == ("20261124T090000Z", "20261124T110000Z")
        assert said["DTSTAMP"] == "20261123T090000Z"
        assert said["STATUS"] == "CONFIRMED"
        assert said["SEQUENCE"] == "0"
        assert said["LOCATION"] == "Altmarkt\\, Wilsdruffer Straße 20\\, Dresden"
        assert said["GEO"] == "51.050000;13.740000"

    @pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
    def test_a_name_is_text_and_no_more(self, name: str) -> None:
        said = unfold(write_calendar(entry(lot=name, bay=name, plate=name, brand=name)))
        assert said["DTSTART"] == "20261124T090000Z"
        plain = re.sub(r"[\x00\x07\x1b\u2028\u2029]", " ", name.replace("\r\n", "\n"))
        assert unescape(said["SUMMARY"]) == f"Parking at {plain}, bay {plain}"
        assert not any(ord(character) < 32 and character != "\t" for character in said["SUMMARY"])

    @pytest.mark.parametrize(
        ("status", "written"),
        [
            ("held", "TENTATIVE"),
            ("checked_in", "CONFIRMED"),
            ("completed", "CONFIRMED"),
            ("cancelled", "CANCELLED"),
            ("expired", "CANCELLED"),
        ],
    )
    def test_the_status(self, status: str, written: str) -> None:
        assert unfold(write_calendar(entry(status=status)))["STATUS"] == written


class TestDownload:
    def test_a_driver_gets_their_own(self, desk: Desk, arrive: Arrive, lot: Lot) -> None:
        held = desk.hold(lot, **window())
        answer = desk.try_get(f"/reservations/{held['id']}/calendar.ics")
        assert answer.status_code == 200
        assert answer.mimetype == "text/calendar"
        assert held["code"] in answer.headers["Content-Disposition"]
        said = unfold(answer.data)
        assert said["UID"].startswith(f"{held['code']}@")
        assert said["STATUS"] == "TENTATIVE"
        stranger = arrive()
        hidden = stranger.try_get(f"/reservations/{held['id']}/calendar.ics")
        assert problem(hidden) == "404 not-found"

    def test_a_hold_that_ran_out_is_taken_away(
        self, desk: Desk, lot: Lot, later: Callable[..., Desk]
    ) -> None:
        held = desk.hold(lot, **window())
        desk = later(desk, minutes=11)
        said = unfold(desk.try_get(f"/reservations/{held['id']}/calendar.ics").data)
        assert said["STATUS"] == "CANCELLED"

    def test_what_changes_has_a_higher_number(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot, **window(9, 11))
        desk.charge(held)
        path = f"/reservations/{held['id']}/calendar.ics"
        before = unfold(desk.try_get(path).data)
        moved = desk.client.post(
            f"/api/v1/reservations/{held['id']}/reschedule",
            json=window(12, 14),
            headers=desk.headers,
        )
        assert moved.status_code == 200, moved.text
        after = unfold(desk.try_get(path).data)
        assert after["UID"] == before["UID"]
        assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
        assert after["DTSTART"] != before["DTSTART"]


def test_the_address_of_the_lot_is_said_once(make: Factory, desk: Desk) -> None:
    lot = make.lot(address="Altmarkt 1, Dresden", city="Dresden")
    held = desk.hold(lot)
    said = unfold(desk.try_get(f"/reservations/{held['id']}/calendar.ics").data)
    assert unescape(said["LOCATION"]) == f"{lot.name}, Altmarkt 1, Dresden"
