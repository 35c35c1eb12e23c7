"""Who makes the file of which kind of job; the packages above register themselves."""

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[int], None]
"""Told how far the work is, in percent, between transactions."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What a job made."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Maker:
    """How the file of one kind is made, and what happens when it is there."""

    make: Callable[[int, Report], MadeFile]
    """Makes the file for the user of this id. It is called outside any transaction, opens its own short
    ones for what it reads, and may be called again after a crash."""
    announce: Callable[[int, int], None]
    """Tells the user of the second id that the job of the first is done, in the transaction that says so."""


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
