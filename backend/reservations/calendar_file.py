"""A booking as an entry for calendars (RFC 5545): the same entry each time, renewed by its sequence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_LINE_OCTETS = 75
_STATUSES = {
    "held": "TENTATIVE",
    "cancelled": "CANCELLED",
    "expired": "CANCELLED",
}
# Text may hold line breaks and tabs, and nothing else that steers a terminal or a parser.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """What a calendar is told of a booking."""

    code: str
    host: str
    """Of the address under which people reach this installation; with the code it names the entry for good."""
    brand: str
    status: str
    """Of the reservation."""
    sequence: int
    written_at: datetime
    starts_at: datetime
    ends_at: datetime
    lot: str
    address: str
    lat: float
    lng: float
    bay: str
    level: str
    plate: str
    url: str


def write_calendar(entry: CalendarEntry) -> bytes:
    """Write the entry as a file; all its text is text, whatever it looks like."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_text(entry.brand)}//Parking//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(entry.code)}@{entry.host}",
        f"DTSTAMP:{_instant(entry.written_at)}",
        f"SEQUENCE:{entry.sequence}",
        f"STATUS:{_STATUSES.get(entry.status, 'CONFIRMED')}",
        f"DTSTART:{_instant(entry.starts_at)}",
        f"DTEND:{_instant(entry.ends_at)}",
        f"SUMMARY:{_text(f'Parking at {entry.lot}, bay {entry.bay}')}",
        f"LOCATION:{_text(f'{entry.lot}, {entry.address}' if entry.address else entry.lot)}",
        f"GEO:{entry.lat:.6f};{entry.lng:.6f}",
        f"DESCRIPTION:{_text(_description(entry))}",
        f"URL:{entry.url}",
        # Who parks is free to meet people.
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(part for line in lines for part in _folded(line))


def _description(entry: CalendarEntry) -> str:
    return f"Booking {entry.code}\nBay {entry.bay}, level {entry.level}\nNumber plate {entry.plate}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Write a value of the type TEXT: what has a meaning in it is escaped, a line break is one backslash and n."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = _CONTROL.sub(" ", value)
    for meant in ("\\", ";", ","):
        value = value.replace(meant, f"\\{meant}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> Iterator[bytes]:
    """Fold a line to 75 octets, a blank before what goes on; no character is cut in two."""
    part = b""
    for character in line:
        octets = character.encode()
        if len(part) + len(octets) > _LINE_OCTETS:
            yield part + b"\r\n"
            part = b" "
        part += octets
    yield part + b"\r\n"
