"""Importing lots: a file's sound rows become lots with bays, or bring lots up to date."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import selectinload

from backend import clock
from backend.audit.service import record
from backend.claims.availability import capacity_by_kind
from backend.errors import FileUnreadable, LotInUse, Problem
from backend.extensions import db
from backend.identity import Caller
from backend.lots.bays import insert_bays
from backend.lots.import_files import ImportFileUnreadable, Note, NoteLevel, quote_value
from backend.lots.importing import ImportFile, LotRow, parse_lots
from backend.lots.layout import lay_out, lay_out_row, next_free_row
from backend.lots.service import change_facts, search_text, touch
from backend.models import Lot, LotAmenity, Spot
from backend.transaction import transaction

Outcome: TypeAlias = Literal["created", "changed", "unchanged", "refused"]

ADDED_PREFIX = "N-"
"""Bays that a later import adds; the plan of a new lot has no such labels."""

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row; a refused one may have no name."""

    row: int
    external_id: str | None
    name: str | None
    outcome: Outcome
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do: row by row, and notes on the whole file."""

    dry_run: bool
    rows: list[RowReport]
    notes: list[Note]

    @property
    def created(self) -> int:
        """How many lots are new."""
        return self._count("created")

    @property
    def changed(self) -> int:
        """How many lots changed."""
        return self._count("changed")

    @property
    def unchanged(self) -> int:
        """How many lots were up to date."""
        return self._count("unchanged")

    @property
    def refused(self) -> int:
        """How many rows were left out."""
        return self._count("refused")

    def _count(self, outcome: Outcome) -> int:
        return sum(row.outcome == outcome for row in self.rows)


def import_lots(
    filename: str, content: bytes, *, dry_run: bool = False, admin: Caller | None = None
) -> ImportReport:
    """Import a ParkAPI GeoJSON, CSV or XLSX file, in a transaction of its own; by an admin, or the command line.

    New lots are open, have their bays laid out, and no tariff yet. Lots known from a file of the same
    name are brought up to date; bays are only ever added. A row that fails costs that row alone. With
    ``dry_run`` everything is tried and nothing is kept.

    Raises:
        FileUnreadable: nothing in the file can be read.

    """
    try:
        # Reading may take seconds, and runs before the write lock is taken.
        parsed = parse_lots(filename, content)
    except ImportFileUnreadable as error:
        raise FileUnreadable(str(error)) from error
    with transaction():
        everything = db.session.begin_nested()
        report = import_rows(parsed, dry_run=dry_run)
        if dry_run:
            everything.rollback()
        else:
            everything.commit()
            _record(report, filename, admin)
    return report


def format_report(report: ImportReport) -> list[str]:
    """Write a report as lines for a terminal."""
    lines = [f"{_level(note.level)} {_sentence(note)}" for note in report.notes]
    for row in report.rows:
        named = " ".join(
            filter(None, (row.name, f"({row.external_id})" if row.external_id else ""))
        )
        lines.append(f"row {row.row}: {row.outcome} {named}".rstrip())
        lines += [f"    {_level(note.level)} {_sentence(note)}" for note in row.notes]
    would = " (nothing was kept: dry run)" if report.dry_run else ""
    lines.append(
        f"{report.created} created, {report.changed} changed, {report.unchanged} unchanged,"
        f" {report.refused} refused{would}"
    )
    return lines


def import_rows(parsed: ImportFile, *, dry_run: bool = False) -> ImportReport:
    """Import rows that were read before, in the caller's transaction."""
    notes: dict[int | None, list[Note]] = defaultdict(list)
    for note in parsed.notes:
        notes[note.row].append(note)
    known = _load_known(parsed)
    bays = capacity_by_kind([lot.id for lot in known.values()])
    reports = [
        RowReport(number, None, None, "refused", notes[number]) for number in parsed.refused_rows
    ]
    for row in parsed.rows:
        outcome, more = _import_row(parsed.source, row, known, bays)
        reports.append(
            RowReport(row.row, row.external_id, row.name, outcome, [*notes[row.row], *more])
        )
    if not dry_run:
        _touch_all(parsed)
    return ImportReport(dry_run, sorted(reports, key=lambda each: each.row), notes[None])


def _record(report: ImportReport, filename: str, admin: Caller | None) -> None:
    counts = {
        outcome: getattr(report, outcome)
        for outcome in ("created", "changed", "unchanged", "refused")
    }
    record(
        "lots.imported",
        "lots",
        actor_id=None if admin is None else admin.id,
        after={"file": filename[:_LONGEST_NAME], **counts},
    )


def _load_known(parsed: ImportFile) -> dict[str, Lot]:
    keys = [_key(parsed.source, row) for row in parsed.rows]
    rows = db.session.scalars(
        select(Lot)
        .where(Lot.external_id.in_(keys))
        .options(selectinload(Lot.amenities))
        # In one order, so that two imports of one file take turns.
        .order_by(Lot.id)
        .with_for_update(of=Lot, key_share=True)
    )
    return {lot.external_id or "": lot for lot in rows}


def _touch_all(parsed: ImportFile) -> None:
    keys = [_key(parsed.source, row) for row in parsed.rows]
    for lot_id in db.session.scalars(select(Lot.id).where(Lot.external_id.in_(keys))):
        touch(lot_id)


def _import_row(
    source: str, row: LotRow, known: Mapping[str, Lot], bays: Mapping[int, Mapping[str, int]]
) -> tuple[Outcome, list[Note]]:
    lot = known.get(_key(source, row))
    try:
        with db.session.begin_nested():
            if lot is None:
                _create(source, row)
                return "created", []
            return _bring_up_to_date(lot, row, bays.get(lot.id, {}))
    except (Problem, DataError, IntegrityError) as error:
        said = error.detail if isinstance(error, Problem) else "The database refuses the row."
        return "refused", [Note(row.row, "refused", None, said)]


def _create(source: str, row: LotRow) -> None:
    lot = Lot(
        external_id=_key(source, row),
        name=row.name,
        address=row.address,
        city=row.city,
        search_text=search_text(row.name, row.address, row.city),
        lat=row.lat,
        lng=row.lng,
        timezone=row.timezone,
        status="open",
        opening_hours=row.opening_hours or "24/7",
        height_limit_cm=row.height_limit_cm,
        created_at=clock.now(),
        amenities=[LotAmenity(amenity=amenity) for amenity in row.amenities],
    )
    db.session.add(lot)
    # Its bays need its id.
    db.session.flush()
    insert_bays(lot, lay_out(row.capacity_by_kind, underground=row.underground))


def _bring_up_to_date(lot: Lot, row: LotRow, bays: Mapping[str, int]) -> tuple[Outcome, list[Note]]:
    if lot.status == "archived":
        return "unchanged", [
            Note(row.row, "note", None, "The lot is archived, and stays as it was.")
        ]
    notes = _change_facts(lot, row)
    notes += _change_bays(lot, row, bays)
    # A breach of a constraint belongs to this row, and so must show before its savepoint ends.
    db.session.flush()
    return ("changed" if any(note.level == "changed" for note in notes) else "unchanged"), notes


def _change_facts(lot: Lot, row: LotRow) -> list[Note]:
    """Take over what the file says; where it says nothing, what an admin entered stays."""
    wanted = {
        "name": row.name,
        "address": row.address or lot.address,
        "city": row.city or lot.city,
        "lat": row.lat,
        "lng": row.lng,
        "timezone": row.timezone,
        "opening_hours": row.opening_hours or lot.opening_hours,
        "height_limit_cm": row.height_limit_cm or lot.height_limit_cm,
    }
    changes = {name: value for name, value in wanted.items() if getattr(lot, name) != value}
    notes = [
        Note(
            row.row,
            "changed",
            name,
            f"{quote_value(getattr(lot, name))} becomes {quote_value(value)}.",
        )
        for name, value in changes.items()
    ]
    present = {each.amenity for each in lot.amenities}
    if present != set(row.amenities):
        changes["amenities"] = row.amenities
        listed = ", ".join(row.amenities) or "none"
        notes.append(Note(row.row, "changed", "amenities", f"The amenities become: {listed}."))
    try:
        change_facts(lot, **changes)
    except LotInUse:
        change_facts(lot, **changes | {"timezone": lot.timezone})
        notes = [note for note in notes if note.field != "timezone"]
        message = "The time zone stays while bookings stand in the lot."
        notes.append(Note(row.row, "note", "timezone", message))
    return notes


def _change_bays(lot: Lot, row: LotRow, bays: Mapping[str, int]) -> list[Note]:
    total = sum(bays.values())
    missing = row.capacity - total
    if missing < 0:
        message = f"The file counts {row.capacity} bays, the lot has {total}; none is taken away."
        return [Note(row.row, "note", "capacity", message)]
    if missing == 0:
        return []
    level = "B1" if row.underground else "0"
    on_level = list(
        db.session.scalars(select(Spot.y).where(Spot.lot_id == lot.id, Spot.level == level))
    )
    number = _count_added(lot) + 1
    for kind, count in _share_out(missing, row.capacity_by_kind, bays):
        plans = lay_out_row(
            ADDED_PREFIX,
            number,
            number + count - 1,
            kind=kind,
            level=level,
            row=next_free_row(on_level),
        )
        insert_bays(lot, plans)
        on_level += [plan.y for plan in plans]
        number += count
    return [Note(row.row, "changed", "capacity", f"{missing} bays are added to {total}.")]


def _count_added(lot: Lot) -> int:
    """Give the highest number of a bay that an import added."""
    labels = db.session.scalars(
        select(Spot.label).where(
            Spot.lot_id == lot.id, Spot.label.startswith(ADDED_PREFIX, autoescape=True)
        )
    )
    numbers = (label.removeprefix(ADDED_PREFIX) for label in labels)
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _share_out(
    missing: int, wanted: Mapping[str, int], present: Mapping[str, int]
) -> Sequence[tuple[str, int]]:
    """Divide new bays among the kinds of which the file counts more."""
    shares: list[tuple[str, int]] = []
    for kind, count in wanted.items():
        share = min(missing, count - present.get(kind, 0))
        if share > 0:
            shares.append((kind, share))
            missing -= share
    return shares


def _key(source: str, row: LotRow) -> str:
    # Ids are unique in their file only.
    return f"{source}:{row.external_id}"


def _level(level: NoteLevel) -> str:
    return {"changed": "~", "refused": "!", "note": "-"}[level]


def _sentence(note: Note) -> str:
    return f"{note.field}: {note.message}" if note.field else note.message
