"""Lots as operators publish them: what an import takes, changes and refuses, row by row."""

import difflib
import functools
import math
import re
import statistics
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from backend.lots.hours import parse_opening_hours
from backend.lots.import_files import ImportFileUnreadable, Note, RawRow, quote_value, read_file

if TYPE_CHECKING:
    from timezonefinder import TimezoneFinder

__all__ = ["ImportFile", "ImportFileUnreadable", "LotRow", "Note", "parse_lots", "zone_at"]

MAX_CAPACITY = 20_000
LONGEST = {
    "external_id": 200,
    "name": 200,
    "address": 300,
    "city": 100,
    "operator_name": 200,
    "public_url": 2000,
}

KIND_OF_FIELD = {"capacity_disabled": "accessible", "capacity_charging": "electric"}
"""Bays that are a kind with us. All other counts stay standard bays."""
STANDARD_BAYS = {
    "capacity_women": "women",
    "capacity_family": "families",
    "capacity_carsharing": "car sharing",
    "capacity_bus": "buses",
    "capacity_truck": "lorries",
}
LOT_TYPES = {
    "UNDERGROUND",
    "CAR_PARK",
    "ON_STREET",
    "OFF_STREET_PARKING_GROUND",
    "OTHER",
}
AMENITY_OF_SUPERVISION = {"VIDEO": "video", "ATTENDED": "staffed", "YES": "supervised", "NO": None}
KNOWN_FIELDS = {
    *LONGEST,
    *KIND_OF_FIELD,
    *STANDARD_BAYS,
    *("lat", "lng", "geometry", "capacity", "max_height", "opening_hours", "type", "purpose"),
    *("has_lighting", "is_covered", "supervision_type"),
    # Facts of ParkAPI that have no place in a lot; they are no surprise in a file.
    *("has_fee", "has_realtime_data", "static_data_updated_at", "external_identifiers"),
    *("tags", "restricted_to", "description", "fee_description", "photo_url"),
}

_POSTCODE_CITY = (
    # "69117 Heidelberg" at the end, with or without a comma before it.
    re.compile(r"\b[0-9]{4,5} (?P<city>[^\d\s,][^\d,]*)$"),
    # "Bengaluru 560001", as in India.
    re.compile(r"(?:^|, )(?P<city>[^\d\s,][^\d,]*?),? [0-9]{3} ?[0-9]{3}$"),
)
SPELLINGS = {"capacity_woman": "capacity_women"}
"""Fields that real files spell otherwise than ParkAPI does."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:[.,][0-9]{1,30})?")
_WORD = re.compile(r"[^\W\d_]{5,}")
_SLUG = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot that can be made or brought up to date as it stands here."""

    row: int
    external_id: str
    """Unique in its file only; ``ImportFile.source`` tells the files apart."""
    name: str
    address: str
    city: str
    lat: float
    lng: float
    timezone: str
    capacity: int
    capacity_by_kind: dict[str, int]
    """Sums to the capacity; kinds without a bay are left out."""
    height_limit_cm: int | None
    opening_hours: str | None
    """Canonical; None where the file says nothing that can be read."""
    amenities: tuple[str, ...]
    underground: bool
    operator_name: str | None
    public_url: str | None


@dataclass(frozen=True, slots=True)
class ImportFile:
    """What a file gave: sound rows, and a note for all that was changed, refused or odd."""

    source: str
    format: Literal["geojson", "csv", "xlsx"]
    rows: list[LotRow]
    notes: list[Note]

    @property
    def refused_rows(self) -> list[int]:
        """Numbers of the rows that were left out."""
        return sorted({n.row for n in self.notes if n.level == "refused" and n.row is not None})


def parse_lots(filename: str, content: bytes) -> ImportFile:
    """Read the lots of a ParkAPI GeoJSON, CSV or XLSX file; a bad row costs that row only.

    Raises:
        ImportFileUnreadable: nothing in the file can be read.

    """
    raw = read_file(filename, content)
    notes = [*raw.notes, *_respell_fields(raw.rows), *_note_unknown_fields(raw.rows)]
    if not raw.rows and not notes:
        notes.append(Note(None, "note", None, "The file holds no lots."))
    rows: list[LotRow] = []
    seen: dict[str, int] = {}
    for raw_row in raw.rows:
        reading = _Reading(raw_row, typed=raw.format != "csv")
        try:
            row = _read_row(reading)
            if row.external_id in seen:
                reading.refuse("external_id", f"Row {seen[row.external_id]} has the same id.")
        except _RowRefused:
            pass
        else:
            seen[row.external_id] = row.row
            rows.append(row)
        notes += reading.notes
    rows, swapped = _refuse_swapped_points(rows)
    notes += [*swapped, *_note_twins(rows)]
    # Notes on the whole file come first, then row by row; the sort keeps the order within a row.
    notes.sort(key=lambda note: note.row or 0)
    return ImportFile(_source(filename), raw.format, rows, notes)


def zone_at(lat: float, lng: float) -> str:
    """IANA name of the time zone at a point."""
    return _zone_finder().timezone_at(lat=lat, lng=lng) or "UTC"


@functools.cache
def _zone_finder() -> "TimezoneFinder":
    from timezonefinder import TimezoneFinder  # noqa: PLC0415 - 29 MB that most processes never need

    # Read from disk as needed: 2 MB instead of 33, and a lookup still takes microseconds.
    return TimezoneFinder(in_memory=False)


class _RowRefused(Exception):  # noqa: N818 - a step out of one row, seen by nobody else
    """The row cannot become a lot; the reason is among its notes."""


@dataclass(slots=True)
class _Reading:
    """One row under way, with the notes that it earns."""

    raw: RawRow
    typed: bool
    """Whether the format tells numbers from text, so that numbers as text are odd."""
    notes: list[Note] = field(default_factory=list)

    def get(self, name: str) -> Any:
        """The value of a field; None when it is absent or blank."""
        value = self.raw.values.get(name)
        return None if isinstance(value, str) and not value.strip() else value

    def refuse(self, name: str, message: str) -> NoReturn:
        """Leave the whole row out."""
        self.notes.append(Note(self.raw.number, "refused", name, message))
        raise _RowRefused

    def change(self, name: str, message: str) -> None:
        """Note that a value is taken otherwise than it stands."""
        self.notes.append(Note(self.raw.number, "changed", name, message))

    def note(self, name: str, message: str) -> None:
        """Note something odd that changes nothing."""
        self.notes.append(Note(self.raw.number, "note", name, message))


def _read_row(reading: _Reading) -> LotRow:
    external_id = _read_external_id(reading)
    name = _read_name(reading, external_id)
    _refuse_other_purposes(reading)
    lat, lng = _read_point(reading)
    timezone = zone_at(lat, lng)
    if timezone.startswith("Etc/"):
        reading.refuse("lat", f"The point {lat}, {lng} lies at sea; are its numbers swapped?")
    address, city = _read_address(reading)
    capacity = _read_capacity(reading)
    capacity_by_kind = _read_kinds(reading, capacity)
    lot_type = _read_lot_type(reading)
    return LotRow(
        row=reading.raw.number,
        external_id=external_id,
        name=name,
        address=address,
        city=city,
        lat=lat,
        lng=lng,
        timezone=timezone,
        capacity=capacity,
        capacity_by_kind=capacity_by_kind,
        height_limit_cm=_read_height_limit(reading),
        opening_hours=_read_opening_hours(reading),
        amenities=_read_amenities(reading, lot_type, capacity_by_kind),
        underground=lot_type == "UNDERGROUND",
        operator_name=_read_text(reading, "operator_name") or None,
        public_url=_read_url(reading),
    )


def _read_external_id(reading: _Reading) -> str:
    value = reading.get("external_id")
    if isinstance(value, float) and value.is_integer():
        # Sheets keep whole numbers as 7.0.
        value = int(value)
    if value is None or isinstance(value, (bool, list, dict)):
        reading.refuse("external_id", "The lot has no id.")
    external_id = _clean(str(value))
    if not 0 < len(external_id) <= LONGEST["external_id"]:
        reading.refuse("external_id", f"The id {quote_value(value)} is empty or too long.")
    return external_id


def _read_name(reading: _Reading, external_id: str) -> str:
    name = _read_text(reading, "name")
    if not name:
        reading.change("name", "The lot has no name; its id stands in for it.")
        return external_id
    for in_id, in_name in _different_spellings(external_id, name):
        message = f"{quote_value(in_id)} in the id is spelt {quote_value(in_name)} in the name."
        reading.note("name", message)
    return name


def _refuse_other_purposes(reading: _Reading) -> None:
    purpose = reading.get("purpose")
    if purpose is not None and str(purpose).upper() != "CAR":
        reading.refuse("purpose", f"The place is for {quote_value(purpose)}, not for cars.")


def _read_point(reading: _Reading) -> tuple[float, float]:
    drawn = _read_geometry(reading)
    lat, lng = reading.get("lat"), reading.get("lng")
    written = None if lat is None and lng is None else _read_pair(reading, lat, lng)
    point = drawn or written
    if point is None:
        reading.refuse("lat", "The lot has no coordinates.")
    if drawn and written and _metres_between(drawn, written) > 50:
        if _metres_between(drawn, (written[1], written[0])) <= 50:
            reading.refuse("lat", "Latitude and longitude are swapped in one of its two points.")
        reading.change("lat", "Its two points lie over 50 m apart; the one drawn is taken.")
    return point


def _read_geometry(reading: _Reading) -> tuple[float, float] | None:
    geometry = reading.get("geometry")
    if geometry is None:
        return None
    kind = geometry.get("type") if isinstance(geometry, dict) else geometry
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind != "Point" or not isinstance(coordinates, list) or len(coordinates) < 2:
        reading.note("geometry", "The geometry is not a point and is not read.")
        return None
    return _read_pair(reading, coordinates[1], coordinates[0])


def _read_pair(reading: _Reading, lat_value: object, lng_value: object) -> tuple[float, float]:
    lat, lng = _to_number(lat_value), _to_number(lng_value)
    if lat is None or lng is None:
        pair = f"{quote_value(lat_value)}, {quote_value(lng_value)}"
        reading.refuse("lat", f"The coordinates {pair} are not two numbers.")
    if reading.typed and (isinstance(lat_value, str) or isinstance(lng_value, str)):
        reading.change("lat", "The coordinates are text; they are read as numbers.")
    if abs(lat) > 90 or abs(lng) > 180:
        looks = " Its numbers look swapped." if abs(lat) <= 180 and abs(lng) <= 90 else ""
        reading.refuse("lat", f"The point {lat:g}, {lng:g} is not on earth.{looks}")
    if abs(lat) < 0.01 and abs(lng) < 0.01:
        reading.refuse("lat", "The point is 0, 0, which stands for an unknown place.")
    return lat, lng


def _read_address(reading: _Reading) -> tuple[str, str]:
    address = _read_text(reading, "address")
    city = _read_text(reading, "city")
    if not address:
        reading.note("address", "The lot has no address.")
    if not city:
        found = next(filter(None, (pattern.search(address) for pattern in _POSTCODE_CITY)), None)
        if found is None:
            reading.note("city", "The lot has no city, and none stands in its address.")
        else:
            city = found["city"].strip()[: LONGEST["city"]]
            reading.note("city", f"The city {quote_value(city)} is taken from the address.")
    return address, city


def _read_capacity(reading: _Reading) -> int:
    value = reading.get("capacity")
    if value is None:
        reading.refuse("capacity", "The lot has no capacity.")
    capacity = _to_whole(value)
    if capacity is None:
        reading.refuse("capacity", f"The capacity {quote_value(value)} is not a whole number.")
    if not 0 < capacity <= MAX_CAPACITY:
        reading.refuse("capacity", f"The capacity {capacity} is not from 1 to {MAX_CAPACITY}.")
    if reading.typed and isinstance(value, str):
        reading.change("capacity", "The capacity is text; it is read as a number.")
    return capacity


def _read_kinds(reading: _Reading, capacity: int) -> dict[str, int]:
    left = capacity
    by_kind: dict[str, int] = {}
    for name, kind in KIND_OF_FIELD.items():
        wanted = _read_count(reading, name)
        taken = min(wanted, left)
        if taken < wanted:
            message = f"{wanted} {kind} bays are more than the lot has left; {taken} are kept."
            reading.change(name, message)
        if taken:
            by_kind[kind] = taken
        left -= taken
    for name, whom in STANDARD_BAYS.items():
        if count := _read_count(reading, name):
            reading.note(name, f"{count} bays for {whom} become standard bays.")
            if count > capacity:
                message = f"{count} bays for {whom} are more than the lot has; none is set apart."
                reading.change(name, message)
    return {"standard": left, **by_kind} if left else by_kind


def _read_count(reading: _Reading, name: str) -> int:
    value = reading.get(name)
    if value is None:
        return 0
    count = _to_whole(value)
    if count is None or count < 0:
        reading.change(name, f"{quote_value(value)} is not a number of bays; it counts as none.")
        return 0
    return count


def _read_height_limit(reading: _Reading) -> int | None:
    value = reading.get("max_height")
    if value is None:
        return None
    height = _to_number(value)
    if height is not None and 100 <= height <= 1000:
        return int(height)
    if height is not None and 1 <= height <= 6:
        # ParkAPI has centimetres; no lot is that low, so these are metres.
        reading.change("max_height", f"The height limit {height:g} is read as metres.")
        return round(height * 100)
    message = f"The height limit {quote_value(value)} is not from 100 to 1000 cm; it is left out."
    reading.change("max_height", message)
    return None


def _read_opening_hours(reading: _Reading) -> str | None:
    value = reading.get("opening_hours")
    if value is None:
        reading.note("opening_hours", "No opening hours are given; the lot counts as always open.")
        return None
    try:
        canonical = str(parse_opening_hours(str(value)))
    except ValueError as error:
        message = f"The opening hours are left out, the lot counts as always open: {error}"
        reading.change("opening_hours", message)
        return None
    if canonical != value:
        message = f"{quote_value(value)} is written as {quote_value(canonical)}."
        reading.change("opening_hours", message)
    return canonical


def _read_lot_type(reading: _Reading) -> str | None:
    value = reading.get("type")
    if value is None:
        return None
    lot_type = str(value).strip().upper() if isinstance(value, str) else ""
    if lot_type not in LOT_TYPES:
        reading.note("type", f"The type {quote_value(value)} is unknown and not read.")
    return lot_type


def _read_amenities(
    reading: _Reading, lot_type: str | None, by_kind: dict[str, int]
) -> tuple[str, ...]:
    supervision = reading.get("supervision_type")
    supervised = str(supervision).upper()
    if supervision is not None and supervised not in AMENITY_OF_SUPERVISION:
        message = f"The supervision {quote_value(supervision)} is unknown and not read."
        reading.note("supervision_type", message)
    is_covered = _read_flag(reading, "is_covered")
    amenities = {
        "accessible": "accessible" in by_kind,
        "charging": "electric" in by_kind,
        # What lies underground is covered unless the file denies it.
        "covered": lot_type == "UNDERGROUND" if is_covered is None else is_covered,
        "lighting": _read_flag(reading, "has_lighting") or False,
        AMENITY_OF_SUPERVISION.get(supervised): True,
        "underground": lot_type == "UNDERGROUND",
    }
    return tuple(sorted(name for name, offered in amenities.items() if name and offered))


def _read_flag(reading: _Reading, name: str) -> bool | None:
    value = reading.get(name)
    flag = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        str(value).strip().lower()
    )
    if value is not None and flag is None:
        reading.note(name, f"{quote_value(value)} is neither true nor false and is not read.")
    return flag


def _read_url(reading: _Reading) -> str | None:
    url = _read_text(reading, "public_url")
    if url and not re.fullmatch(r"https?://[^\s<>\"]+", url):
        reading.change("public_url", f"{quote_value(url)} is not a web address; it is left out.")
        return None
    return url or None


def _read_text(reading: _Reading, name: str) -> str:
    """A text of the row without stray spaces and signs; empty when there is none."""
    value = reading.get(name)
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        reading.change(name, f"{quote_value(value)} is not text and is left out.")
        return ""
    written = str(value)
    text = _clean(written)
    if text != written:
        reading.change(name, f"Stray spaces or signs are taken out: {quote_value(text)}.")
    if len(text) > LONGEST[name]:
        text = text[: LONGEST[name]].rstrip()
        reading.change(name, f"It is cut to {LONGEST[name]} characters.")
    return text


def _clean(text: str) -> str:
    # Control signs, text-direction marks and halves of surrogate pairs never belong to a name,
    # and databases refuse some of them. The joiners do belong to Indian scripts.
    kept = (
        sign
        for sign in " ".join(text.split())
        if sign in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
        or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"}
    )
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _to_number(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Beyond this nothing is meant; whole numbers of a JSON file have no bound of their own.
    return float(value) if abs(value) < 1e15 else None


def _to_whole(value: object) -> int | None:
    # "1.059" may be a thousand or one and a bit; a text must be plain digits, or end in .0 as
    # sheets write them.
    if isinstance(value, str) and not re.fullmatch(r"\s*-?[0-9]{1,15}(?:\.0)?\s*", value):
        return None
    number = _to_number(value)
    return int(number) if number is not None and number.is_integer() else None


def _metres_between(first: tuple[float, float], second: tuple[float, float]) -> float:
    # Flat-earth distance: the limits it is held against need no better.
    metres_per_degree = 111_320
    middle = math.radians((first[0] + second[0]) / 2)
    east = (first[1] - second[1]) * math.cos(middle)
    return math.hypot(first[0] - second[0], east) * metres_per_degree


def _different_spellings(external_id: str, name: str) -> Iterable[tuple[str, str]]:
    """Words of an id that stand in the name in another spelling."""
    # A slug has no umlauts; only what is left after writing the name the same way is odd.
    fold: Callable[[str], str] = _without_accents if _SLUG.fullmatch(external_id.lower()) else str
    in_name = {fold(word.lower()): word for word in _WORD.findall(name)}
    for word in _WORD.findall(external_id):
        folded = fold(word.lower())
        if folded in in_name:
            continue
        close = difflib.get_close_matches(folded, in_name, n=1, cutoff=0.85)
        if close:
            yield word, in_name[close[0]]


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("ß", "ss"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _respell_fields(rows: list[RawRow]) -> list[Note]:
    met: dict[str, int] = {}
    for row in rows:
        for odd, right in SPELLINGS.items():
            if odd in row.values:
                met[odd] = met.get(odd, 0) + 1
                row.values.setdefault(right, row.values.pop(odd))
    return [
        Note(None, "changed", odd, f"{odd} is read as {SPELLINGS[odd]}, in {count} rows.")
        for odd, count in met.items()
    ]


def _note_unknown_fields(rows: list[RawRow]) -> list[Note]:
    unknown: dict[str, int] = {}
    for row in rows:
        for name in row.values:
            if name not in KNOWN_FIELDS and len(unknown) < 50:
                unknown[name] = unknown.get(name, 0) + 1
    notes = []
    for name, count in unknown.items():
        message = f"The field {quote_value(name)} is unknown and not read, in {count} rows."
        if similar := difflib.get_close_matches(name[:60], KNOWN_FIELDS, n=1, cutoff=0.8):
            message += f" Is {similar[0]} meant?"
        notes.append(Note(None, "note", _clean(name)[:60], message))
    return notes


def _refuse_swapped_points(rows: list[LotRow]) -> tuple[list[LotRow], list[Note]]:
    """Leave out lots that lie with the others only when latitude and longitude change places."""
    if len(rows) < 3:
        return rows, []
    middle = (
        statistics.median(row.lat for row in rows),
        statistics.median(row.lng for row in rows),
    )
    sound: list[LotRow] = []
    notes: list[Note] = []
    for row in rows:
        if (
            _metres_between((row.lat, row.lng), middle) > 500_000
            and abs(row.lng) <= 90
            and _metres_between((row.lng, row.lat), middle) < 100_000
        ):
            message = "Latitude and longitude are swapped, judging by the other lots of the file."
            notes.append(Note(row.row, "refused", "lat", message))
        else:
            sound.append(row)
    return sound, notes


def _note_twins(rows: list[LotRow]) -> list[Note]:
    """Notes on lots that have what another one before them has."""
    notes: list[Note] = []
    firsts: dict[tuple[str, object], LotRow] = {}
    for row in rows:
        for name, value, what in (
            ("address", row.address.casefold(), "address"),
            ("name", (row.name.casefold(), row.city.casefold()), "name"),
            ("lat", (round(row.lat, 5), round(row.lng, 5)), "point"),
        ):
            first = firsts.setdefault((name, value), row)
            if first is not row and value:
                message = f"It has the same {what} as {quote_value(first.name)} in row {first.row}."
                notes.append(Note(row.row, "note", name, message))
    return notes


def _source(filename: str) -> str:
    stem = _without_accents(PurePath(filename).stem.lower())
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:60] or "file"
