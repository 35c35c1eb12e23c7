"""Who makes the file of which kind of job; the packages above register themselves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
MEDIA_TYPES = (ZIP, XLSX, CSV)
"""What a job may make."""

Report = Callable[[int], None]
"""Told how far the work is, in percent, between transactions.

Raises:
    WorkOver: nobody wants it any more.

"""


class WorkOver(Exception):  # noqa: N818 - it says what is the matter
    """The job was cancelled or forgotten, or another attempt is at it: whoever is at it stops."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What a job made: a file on disk, or pieces that are asked for one after the other."""

    name: str
    media_type: str
    content: Path | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a maker is told."""

    job_id: int
    user_id: int
    """Who asked for it."""
    params: Mapping[str, Any]
    """What exactly was asked for."""
    folder: Path
    """An empty folder for files; it is deleted when the job is over."""
    report: Report


@dataclass(frozen=True, slots=True)
class Maker:
    """How the file of one kind is made, and what happens when it is there."""

    make: Callable[[Assignment], MadeFile]
    """Makes the file. It is called outside any transaction, opens its own short ones for what it reads, and
    may be called again after a crash."""
    announce: Callable[[int, int], None]
    """Tells the user of the second id that the job of the first is done, in the transaction that says so."""
    role: str | None = None
    """Whoever asked must still have it to fetch the file; None: nothing but being who asked."""


_makers: dict[str, Maker] = {}


def register_maker(kind: str, maker: Maker) -> None:
    """Let ``maker`` do the jobs of this kind."""
    _makers[kind] = maker


def maker_of(kind: str) -> Maker:
    """Give who does the jobs of this kind.

    Raises:
        KeyError: nobody does.

    """
    return _makers[kind]
