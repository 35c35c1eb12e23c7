"""Files of lots as raw rows: ParkAPI GeoJSON, CSV and XLSX, read as far as they are sound."""

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

import pyexcel

NoteLevel: TypeAlias = Literal["changed", "refused", "note"]

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_BROKEN_ROWS = 100
# A quoted value may run over a few lines; beyond that a quote was never closed.
MAX_LINES_PER_RECORD = 20

TEMPLATE = [
    [
        *("place_id", "name", "city", "address", "latitude", "longitude", "capacity"),
        *("capacity_disabled", "capacity_charging", "max_height", "opening_hours"),
    ],
    [
        *("my-first", "Altmarkt", "Dresden", "Altmarkt 1", 51.05067, 13.74179, 400),
        *(8, 12, 200, "Mo-Sa 06:00-22:00"),
    ],
]
"""A table that an import reads: its header, and a lot to show how it is filled in."""

REQUIRED_COLUMNS = ("external_id", "name", "capacity", "lat", "lng")
COLUMN_OF_HEADER = {
    "place_id": "external_id",
    "uid": "external_id",
    "id": "external_id",
    "latitude": "lat",
    "longitude": "lng",
    "lon": "lng",
    "long": "lng",
    "operator": "operator_name",
    "height_limit_cm": "max_height",
    "capacity_accessible": "capacity_disabled",
    "capacity_electric": "capacity_charging",
}
"""Other names under which a column or property is known; its own name is known anyway."""

_FEATURE_START = re.compile(r'\{\s*"type"\s*:\s*"Feature"')
_FEATURES_START = re.compile(r'"features"\s*:\s*\[')
_BETWEEN_FEATURES = re.compile(r"[\s,]*")


class ImportFileUnreadable(Exception):  # noqa: N818 - errors here say what is wrong, as Problems do
    """A file of which nothing can be read; its text is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the import did with a row, or noticed about it; ``row`` None is the whole file."""

    row: int | None
    level: NoteLevel
    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row under our names for its columns, and the place in the file where it stands."""

    number: int
    values: dict[str, Any]


@dataclass(slots=True)
class RawFile:
    """What a file holds before anything is judged.

    Rows are numbered as their reader sees them: lines of a CSV, rows of a sheet, features of a
    GeoJSON from 1.
    """

    format: Literal["geojson", "csv", "xlsx"]
    rows: list[RawRow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rows_read: int = 0

    def add(self, number: int, values: dict[str, Any]) -> bool:
        """Keep a row; False says that the file has too many and reading should stop."""
        has_room = self._has_room(number)
        if has_room:
            self.rows.append(RawRow(number, values))
        return has_room

    def refuse(self, number: int, message: str) -> bool:
        """Leave a row out and say why; False as in ``add``."""
        has_room = self._has_room(number)
        if has_room:
            self.notes.append(Note(number, "refused", None, message))
        return has_room

    def _has_room(self, number: int) -> bool:
        self.rows_read += 1
        if self.rows_read <= MAX_ROWS:
            return True
        message = f"The file has more than {MAX_ROWS} rows; row {number} and later are left out."
        self.notes.append(Note(None, "refused", None, message))
        return False


def read_file(filename: str, content: bytes) -> RawFile:
    """Read the rows of a file by the ending of its name.

    Raises:
        ImportFileUnreadable: nothing in it can be read.

    """
    ending = PurePath(filename).suffix.lower()
    readers = {".geojson": _read_geojson, ".json": _read_geojson, ".csv": _read_csv}
    if ending not in {*readers, ".xlsx"}:
        raise ImportFileUnreadable("Only .geojson, .json, .csv and .xlsx files can be imported.")
    if not content.strip():
        raise ImportFileUnreadable("The file is empty.")
    if len(content) > MAX_FILE_BYTES:
        raise ImportFileUnreadable("The file is larger than 10 MB.")
    if ending == ".xlsx":
        return _read_xlsx(content)
    text, notes = _decode(content)
    if not text.strip():
        raise ImportFileUnreadable("The file is empty.")
    raw = readers[ending](text)
    raw.notes[:0] = notes
    return raw


def _decode(content: bytes) -> tuple[str, list[Note]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), [
            Note(None, "note", None, "The file is in UTF-16.")
        ]
    if b"\0" in content:
        raise ImportFileUnreadable("The file holds binary data where text is expected.")
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            # The file was cut inside a character; the break itself is told by its reader.
            return content[: error.start].decode("utf-8-sig"), []
        message = "The file is not in UTF-8; it is read as Latin-1."
        return content.decode("latin-1"), [Note(None, "changed", None, message)]


def _read_geojson(text: str) -> RawFile:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _recover_features(text, _describe(error))
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise ImportFileUnreadable("The JSON is not a GeoJSON FeatureCollection.")
    raw = RawFile("geojson")
    for number, feature in enumerate(features, start=1):
        if not _add_feature(raw, number, feature):
            break
    return raw


def _recover_features(text: str, trouble: str) -> RawFile:
    """Take the complete features of a broken document, and say where it broke."""
    opening = _FEATURES_START.search(text)
    if opening is None:
        raise ImportFileUnreadable(f"The file is not valid JSON: {trouble}.")
    raw = RawFile("geojson")
    decoder = json.JSONDecoder()
    position = opening.end()
    number = broken = 0
    while True:
        position = _skip_between(text, position)
        if text[position : position + 1] == "]":
            break
        number += 1
        try:
            feature, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            broken += 1
            line = text.count("\n", 0, position) + 1
            raw.refuse(
                number,
                f"The file is broken in feature {number}, which starts on line {line}:"
                f" {_describe(error)}.",
            )
            resume = _FEATURE_START.search(text, position + 1)
            if resume is None or broken >= MAX_BROKEN_ROWS:
                break
            position = resume.start()
            continue
        if not _add_feature(raw, number, feature):
            break
    if not raw.rows:
        raise ImportFileUnreadable(f"The file is not valid JSON: {trouble}.")
    message = f"The file is not valid JSON ({trouble}); only its complete features are read."
    raw.notes.insert(0, Note(None, "note", None, message))
    return raw


def _skip_between(text: str, position: int) -> int:
    found = _BETWEEN_FEATURES.match(text, position)
    return found.end() if found else position


def _describe(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it holds a number that is too long"


def _add_feature(raw: RawFile, number: int, feature: object) -> bool:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or not isinstance(properties, dict):
        return raw.refuse(number, "This is not a GeoJSON feature with properties.")
    values = {_column(str(key)): value for key, value in properties.items()}
    if "id" in feature:
        values.setdefault("external_id", feature["id"])
    values["geometry"] = feature.get("geometry")
    return raw.add(number, values)


def _read_csv(text: str) -> RawFile:
    # Unlike str.splitlines, this breaks only where a CSV does.
    lines = list(io.StringIO(text, newline=""))
    first = next(index for index, line in enumerate(lines) if line.strip())
    delimiter = max(",;\t", key=lines[first].count)
    raw = RawFile("csv")
    try:
        used, header = _read_record(lines, first, delimiter)
    except csv.Error as error:
        raise ImportFileUnreadable("The first line of the file is not a header.") from error
    columns = _read_header(header, raw, first + 1)
    index = first + used
    has_room = True
    while has_room and index < len(lines):
        number = index + 1
        try:
            used, cells = _read_record(lines, index, delimiter)
        except csv.Error:
            message = "The line is broken: a quote is not closed or a value is too long."
            has_room = raw.refuse(number, message)
            index += 1
            continue
        if used > 1 and len(cells) != len(columns):
            # A quote that is not closed would swallow sound lines after it.
            has_room = raw.refuse(number, "The line is broken: a quote is not closed.")
            index += 1
            continue
        index += used
        has_room = _add_cells(raw, number, columns, cells)
    return raw


def _read_record(lines: list[str], start: int, delimiter: str) -> tuple[int, list[str]]:
    """How many lines the record at ``start`` takes, and its cells."""
    reader = csv.reader(_some_lines(lines, start), delimiter=delimiter, strict=False)
    cells = next(reader, [])
    if reader.line_num >= MAX_LINES_PER_RECORD:
        raise csv.Error
    return reader.line_num, cells


def _some_lines(lines: list[str], start: int) -> Iterator[str]:
    for index in range(start, min(start + MAX_LINES_PER_RECORD, len(lines))):
        yield lines[index]


def _read_xlsx(content: bytes) -> RawFile:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            unpacked = sum(member.file_size for member in package.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ImportFileUnreadable("The file is not an Excel workbook (.xlsx).") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise ImportFileUnreadable("The workbook is larger than 50 MB once unpacked.")
    try:
        with warnings.catch_warnings():
            # What openpyxl warns of, such as a missing default style, is about looks.
            warnings.simplefilter("ignore")
            table = pyexcel.get_array(
                file_type="xlsx",
                file_content=content,
                row_limit=MAX_ROWS + 2,
                column_limit=MAX_COLUMNS,
                # Without this the library builds every cell up to the farthest one in memory:
                # a single value in the last corner of a sheet would make 17 billion.
                skip_hidden_row_and_column=False,
            )
    except Exception as error:
        raise ImportFileUnreadable(
            "The workbook cannot be read; it seems to be damaged."
        ) from error
    finally:
        pyexcel.free_resources()
    raw = RawFile("xlsx")
    filled = [number for number, cells in enumerate(table, start=1) if any(map(_is_filled, cells))]
    if not filled:
        raise ImportFileUnreadable("The first sheet of the workbook is empty.")
    columns = _read_header([str(cell) for cell in table[filled[0] - 1]], raw, filled[0])
    for number in filled[1:]:
        # A sheet has no broken lines; the library leaves out empty cells at the end of a row.
        cells = table[number - 1]
        cells = [*cells, *[""] * (len(columns) - len(cells))]
        if not _add_cells(raw, number, columns, cells):
            break
    return raw


def _read_header(header: list[str], raw: RawFile, number: int) -> list[str]:
    columns: list[str] = []
    for name in header:
        column = _column(re.sub(r"[\s-]+", "_", name.strip().lower()))
        if column and column in columns:
            message = f"The column {quote_value(name)} stands twice; the first one is read."
            raw.notes.append(Note(number, "note", None, message))
            column = ""
        columns.append(column)
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if len(missing) == len(REQUIRED_COLUMNS):
        raise ImportFileUnreadable(
            "The first line must name the columns:"
            " place_id, name, city, capacity, address, latitude, longitude."
        )
    if missing:
        headers = {"external_id": "place_id", "lat": "latitude", "lng": "longitude"}
        names = ", ".join(headers.get(name, name) for name in missing)
        raise ImportFileUnreadable(f"The header lacks: {names}.")
    return columns


def _add_cells(raw: RawFile, number: int, columns: list[str], cells: list[Any]) -> bool:
    if not any(map(_is_filled, cells)):
        return True
    if len(cells) < len(columns) or any(map(_is_filled, cells[len(columns) :])):
        message = f"The row has {len(cells)} values where {len(columns)} are named."
        return raw.refuse(number, message)
    named = zip(columns, cells, strict=False)
    return raw.add(number, {column: cell for column, cell in named if column})


def _column(name: str) -> str:
    return COLUMN_OF_HEADER.get(name, name)


def _is_filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def quote_value(value: object) -> str:
    """A value of a file as it may stand in a message: short, on one line, in quotes."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = " ".join(str(value).split())
    return f'"{text[:57]}..."' if len(text) > 60 else f'"{text}"'
