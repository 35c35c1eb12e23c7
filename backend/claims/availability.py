"""How many bays are free for a window: read from the claims alone."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TypeAlias

from sqlalchemy import bindparam, text

from backend import clock
from backend.extensions import db
from backend.models import UtcDateTime

Span: TypeAlias = tuple[datetime, datetime]
"""From one moment up to another, half-open."""

# ``live`` stands as a literal: bound as a parameter it would keep the partial index from being used.
# The deadline of a hold is compared here, so that a stale one counts for nothing without any job.
_OVERLAPS = """
    c.live AND c.ends_at > :starts_at AND c.starts_at < :ends_at
    AND (c.expires_at IS NULL OR c.expires_at > :now)
"""

_INSTANTS = (
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
    bindparam("now", type_=UtcDateTime()),
)

_CAPACITY = text(
    "SELECT lot_id, kind, count(*) FROM spots WHERE lot_id IN :lot_ids GROUP BY lot_id, kind"
).bindparams(bindparam("lot_ids", expanding=True))

_OCCUPIED = text(
    f"""
    SELECT s.lot_id, s.kind, count(*)
    FROM spots AS s JOIN (
        SELECT DISTINCT c.spot_id FROM spot_claims AS c WHERE c.lot_id IN :lot_ids AND {_OVERLAPS}
    ) AS taken ON taken.spot_id = s.id
    GROUP BY s.lot_id, s.kind
    """
).bindparams(bindparam("lot_ids", expanding=True), *_INSTANTS)

_CLAIMS = text(
    f"""
    SELECT c.spot_id, c.kind, c.starts_at, c.ends_at, c.reservation_id, r.user_id, r.code, r.plate
    FROM spot_claims AS c LEFT JOIN reservations AS r ON r.id = c.reservation_id
    WHERE c.lot_id = :lot_id AND {_OVERLAPS}
    ORDER BY c.spot_id, c.starts_at
    """
).bindparams(*_INSTANTS)

_BUSY = (
    text(
        f"""
    SELECT s.lot_id, s.id, c.starts_at, c.ends_at
    FROM spots AS s LEFT JOIN spot_claims AS c ON c.spot_id = s.id AND {_OVERLAPS}
    WHERE s.lot_id IN :lot_ids AND s.kind IN :kinds
    ORDER BY s.lot_id, s.id, c.starts_at
    """
    )
    .bindparams(
        bindparam("lot_ids", expanding=True), bindparam("kinds", expanding=True), *_INSTANTS
    )
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime())
)


_TAKEN = (
    text(
        f"""
    SELECT c.lot_id, c.spot_id, c.starts_at, c.ends_at
    FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id
    WHERE c.lot_id IN :lot_ids AND s.kind IN :kinds AND {_OVERLAPS}
    ORDER BY c.lot_id, c.spot_id, c.starts_at
    """
    )
    .bindparams(
        bindparam("lot_ids", expanding=True), bindparam("kinds", expanding=True), *_INSTANTS
    )
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime())
)


@dataclass(frozen=True, slots=True)
class KindCount:
    """Bays of one kind in one lot: all of them, and those free for the window."""

    capacity: int
    free: int


@dataclass(frozen=True, slots=True)
class Occupant:
    """What keeps a bay from being free in a window."""

    kind: str
    reservation_id: int | None
    user_id: int | None
    code: str | None
    plate: str | None


def capacity_by_kind(lot_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Count the bays of each lot by kind."""
    capacity: dict[int, dict[str, int]] = defaultdict(dict)
    if lot_ids:
        for lot_id, kind, count in db.session.execute(_CAPACITY, {"lot_ids": list(lot_ids)}):
            capacity[lot_id][kind] = count
    return capacity


def count_free(
    lot_ids: Collection[int],
    *,
    starts_at: datetime,
    ends_at: datetime,
    capacity: Mapping[int, Mapping[str, int]] | None = None,
) -> dict[int, dict[str, KindCount]]:
    """Count, for each lot and kind, the bays that are free for the whole window.

    ``capacity`` spares counting the bays, where the caller knows them.
    """
    if not lot_ids:
        return {}
    occupied: dict[tuple[int, str], int] = {}
    window = {"starts_at": starts_at, "ends_at": ends_at, "now": clock.now()}
    for lot_id, kind, count in db.session.execute(_OCCUPIED, {"lot_ids": list(lot_ids), **window}):
        occupied[lot_id, kind] = count
    return {
        lot_id: {
            kind: KindCount(capacity=count, free=count - occupied.get((lot_id, kind), 0))
            for kind, count in kinds.items()
        }
        for lot_id, kinds in (capacity or capacity_by_kind(lot_ids)).items()
    }


def count_taken_between(
    lot_ids: Collection[int], *, kinds: Collection[str], moments: Sequence[datetime]
) -> dict[int, list[int]]:
    """Count, for each lot, the bays of these kinds that are taken for some of the time between each two moments.

    A lot of which no bay is taken is left out.
    """
    if not lot_ids or not kinds:
        return {}
    rows = db.session.execute(
        _TAKEN,
        {
            "lot_ids": list(lot_ids),
            "kinds": list(kinds),
            "starts_at": moments[0],
            "ends_at": moments[-1],
            "now": clock.now(),
        },
    )
    spans = len(moments) - 1
    # How many bays more or fewer are taken than in the span before.
    changes: dict[int, list[int]] = {}
    spot, counted_until = None, 0
    for lot_id, spot_id, starts_at, ends_at in rows:
        if spot_id != spot:
            spot, counted_until = spot_id, 0
        # A bay of which two claims fall into one span is one bay.
        first = max(bisect_right(moments, starts_at) - 1, counted_until)
        last = min(bisect_left(moments, ends_at), spans)
        if first < last:
            change = changes.setdefault(lot_id, [0] * (spans + 1))
            change[first] += 1
            change[last] -= 1
            counted_until = last
    return {lot_id: list(accumulate(change[:-1])) for lot_id, change in changes.items()}


def list_occupants(
    lot_id: int, *, starts_at: datetime, ends_at: datetime
) -> dict[int, list[Occupant]]:
    """Tell for each bay of a lot that is not free in the window what stands there, earliest first."""
    window = {"starts_at": starts_at, "ends_at": ends_at, "now": clock.now()}
    occupants: dict[int, list[Occupant]] = defaultdict(list)
    for row in db.session.execute(_CLAIMS, {"lot_id": lot_id, **window}):
        occupants[row.spot_id].append(
            Occupant(row.kind, row.reservation_id, row.user_id, row.code, row.plate)
        )
    return occupants


def next_free_windows(
    lot_ids: Collection[int],
    *,
    kinds: Iterable[str],
    starts_at: datetime,
    length: timedelta,
    latest: datetime,
    open_spans: Mapping[int, Sequence[Span]] | None = None,
) -> dict[int, datetime]:
    """Find, for each lot, the earliest start from ``starts_at`` on at which some bay is free for ``length``.

    A lot that has none up to ``latest`` is left out. ``open_spans`` are those in which each lot is open,
    in order and apart; without them lots are always open.
    """
    if not lot_ids:
        return {}
    rows = db.session.execute(
        _BUSY,
        {
            "lot_ids": list(lot_ids),
            "kinds": list(kinds),
            "starts_at": starts_at,
            "ends_at": latest + length,
            "now": clock.now(),
        },
    )
    busy: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for lot_id, spot_id, claim_starts, claim_ends in rows:
        spans = busy[lot_id, spot_id]
        if claim_starts is None:
            continue
        if spans and claim_starts <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], claim_ends))
        else:
            spans.append((claim_starts, claim_ends))
    always = ((starts_at, latest + length),)
    earliest: dict[int, datetime] = {}
    for (lot_id, _), taken in busy.items():
        start = _first_fit(
            taken,
            open_spans[lot_id] if open_spans is not None else always,
            length,
            latest=earliest.get(lot_id, latest),
        )
        if start is not None:
            earliest[lot_id] = start
    return earliest


def _first_fit(
    taken: Sequence[Span], open_spans: Sequence[Span], length: timedelta, *, latest: datetime
) -> datetime | None:
    """Find the first start up to ``latest`` from which ``length`` lies in an open span beside all taken ones.

    Both lists are in order and apart, so one walk along the two of them finds it.
    """
    number = 0
    for opens_at, closes_at in open_spans:
        start = opens_at
        while start <= latest and start + length <= closes_at:
            while number < len(taken) and taken[number][1] <= start:
                number += 1
            if number == len(taken) or taken[number][0] >= start + length:
                return start
            start = taken[number][1]
    return None
