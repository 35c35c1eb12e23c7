"""Where the bays of a lot lie: rows along aisles, level by level, in metres."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

BAY_WIDTH_M = {
    "accessible": 3.5,
    "electric": 2.5,
    "compact": 2.3,
    "standard": 2.5,
    "large": 3.0,
    "motorcycle": 1.25,
}
"""Kinds in the order in which they get the places nearest to the entrance."""

BAYS_PER_LEVEL = 120
BAYS_PER_ROW = 20
BAY_LENGTH_M = 5.0
AISLE_M = 6.0
# Two rows face each other over an aisle, and stand back to back with the next pair.
PAIR_M = 2 * BAY_LENGTH_M + AISLE_M
# A ramp costs a driver about as much as this way on the flat.
METRES_PER_LEVEL = 80
METRES_PER_RANK = 10

# I and O are left out: on a wall they read as 1 and 0.
_ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class BayPlan:
    """One bay on the floor plan of its level."""

    label: str
    level: str
    kind: str
    x: float
    """Metres from the plan's left edge, where the entrance is, to the bay's centre."""
    y: float
    """Metres from the plan's upper edge to the bay's centre."""
    rotation: int
    """Where a parked car's nose points, in degrees clockwise: 0 is up, 180 down."""
    entrance_rank: int
    """How far from the entrance, in steps of 10 m; 0 is next to it."""


@dataclass(frozen=True, slots=True)
class _Place:
    level: int
    row: int
    column: int

    @property
    def metres_to_entrance(self) -> float:
        # The entrance opens into the first aisle; the width of a standard bay will do.
        metres_down = self.row // 2 * PAIR_M
        metres_along = self.column * BAY_WIDTH_M["standard"]
        return self.level * METRES_PER_LEVEL + metres_down + metres_along


def lay_out(
    capacity_by_kind: Mapping[str, int], *, underground: bool, per_level: int = BAYS_PER_LEVEL
) -> list[BayPlan]:
    """Lay out the bays of a lot; the same numbers give the same plan anywhere.

    Levels are named B1, B2 … downwards, or 0, 1 … upwards, and filled evenly.

    Raises:
        ValueError: a kind is unknown or its number is below 0.

    """
    for kind, count in capacity_by_kind.items():
        if kind not in BAY_WIDTH_M or count < 0:
            raise ValueError(f"A lot cannot have {count} bays of kind {kind}.")
    places = list(_places(sum(capacity_by_kind.values()), per_level))
    nearest_first = sorted(places, key=lambda place: (place.metres_to_entrance, place.row))
    kinds = (kind for kind in BAY_WIDTH_M for _ in range(capacity_by_kind.get(kind, 0)))
    kind_at = dict(zip(nearest_first, kinds, strict=True))
    bays: list[BayPlan] = []
    row_number = -1
    x = 0.0
    for place in places:
        if place.column == 0:
            row_number += 1
            x = 0.0
        kind = kind_at[place]
        bays.append(
            _bay(
                f"{_row_letters(row_number)}{place.column + 1:02}",
                level=f"B{place.level + 1}" if underground else str(place.level),
                kind=kind,
                left=x,
                row=place.row,
                metres_to_entrance=place.metres_to_entrance,
            )
        )
        x += BAY_WIDTH_M[kind]
    return bays


def lay_out_row(
    prefix: str, first: int, last: int, *, kind: str, level: str = "0", row: int = 0
) -> list[BayPlan]:
    """Lay out bays ``first`` to ``last`` from row ``row`` of a level on, 20 to a row.

    Numbers have two digits, or as many as the last one needs: A01 to A12, A001 to A150.

    Raises:
        ValueError: the kind is unknown, or the numbers do not rise from 0 or more.

    """
    if kind not in BAY_WIDTH_M:
        raise ValueError(f"{kind} is not a kind of bay.")
    if not 0 <= first <= last:
        raise ValueError("The numbers of bays must rise from 0 or more.")
    digits = max(2, len(str(last)))
    level_index = _level_index(level)
    bays = []
    for offset, number in enumerate(range(first, last + 1)):
        row_offset, column = divmod(offset, BAYS_PER_ROW)
        place = _Place(level_index, row + row_offset, column)
        bays.append(
            _bay(
                f"{prefix}{number:0{digits}}",
                level=level,
                kind=kind,
                left=column * BAY_WIDTH_M[kind],
                row=place.row,
                metres_to_entrance=place.metres_to_entrance,
            )
        )
    return bays


def next_free_row(ys: Iterable[float]) -> int:
    """The first row below all bays of a level, given their ``y``."""
    return max((_row_at(y) + 1 for y in ys), default=0)


def _places(count: int, per_level: int) -> Iterator[_Place]:
    """Places row by row, levels and rows of one level being as even as they can."""
    levels = math.ceil(count / per_level)
    for level in range(levels):
        on_level = _share(count, levels, level)
        rows = math.ceil(on_level / BAYS_PER_ROW)
        for row in range(rows):
            for column in range(_share(on_level, rows, row)):
                yield _Place(level, row, column)


def _share(count: int, parts: int, part: int) -> int:
    return count // parts + (part < count % parts)


def _bay(
    label: str, *, level: str, kind: str, left: float, row: int, metres_to_entrance: float
) -> BayPlan:
    faces_down = row % 2 == 1
    upper_edge = row // 2 * PAIR_M + (BAY_LENGTH_M + AISLE_M if faces_down else 0)
    return BayPlan(
        label=label,
        level=level,
        kind=kind,
        x=round(left + BAY_WIDTH_M[kind] / 2, 3),
        y=upper_edge + BAY_LENGTH_M / 2,
        rotation=180 if faces_down else 0,
        entrance_rank=int(metres_to_entrance // METRES_PER_RANK),
    )


def _row_at(y: float) -> int:
    pair, metres_into_pair = divmod(max(y, 0.0), PAIR_M)
    return int(pair) * 2 + (metres_into_pair >= BAY_LENGTH_M + AISLE_M)


def _row_letters(number: int) -> str:
    """A to Z, then AA, AB …, without I and O."""
    letters = ""
    number += 1
    while number > 0:
        number, index = divmod(number - 1, len(_ROW_LETTERS))
        letters = _ROW_LETTERS[index] + letters
    return letters


def _level_index(level: str) -> int:
    """How many ramps a level is from the street; a name without a number is at the street."""
    digits = "".join(sign for sign in level if sign in "0123456789")[:3]
    distance = int(digits or 0)
    # The first level underground is as near as the street's: it is where one drives in.
    return max(distance - 1, 0) if level.upper().startswith("B") else distance
