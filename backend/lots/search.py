"""Finding lots: by text, place and filters, with what is free for a window and what it costs.

However many lots there are, a search makes the same few queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, tuple_

from backend.claims.availability import count_free
from backend.errors import InvalidInput
from backend.extensions import db
from backend.lots.distance import Point, box_around, metres_between, walking_minutes
from backend.lots.memory import remembered
from backend.lots.offers import (
    FoundLot,
    FreeWindow,
    Wish,
    count_fitting,
    foremost_kind,
    is_open,
    is_too_high,
    load_capacity,
    load_lots,
    load_tariffs,
    next_windows,
    show_offers,
    total_minor,
)
from backend.lots.ratings import UNRATED, load_all_ratings, rated_at_least
from backend.lots.text import rank_match
from backend.lots.window import FARTHEST_AHEAD
from backend.models import Lot, LotAmenity

MOST_PRICED = 1000
"""A list by price looks at so many lots, the nearest ones."""

_NEARBY_M = 5_000
_MOST_NEARBY = 50
_UNPRICED = 2**62
_RANKED = ("price", "rating")


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSearch(Wish):
    """What is looked for; ``q`` is folded."""

    statuses: tuple[str, ...]
    q: str | None = None
    point: Point | None = None
    radius_m: int | None = None
    amenities: tuple[str, ...] = ()
    min_rating: float | None = None
    sort: str | None = None
    limit: int = 20
    after: tuple[str | int, int] | None = None
    """The sort key of the last lot of the page before."""


@dataclass(frozen=True, slots=True)
class Place:
    """From where distances are measured; ``name`` is that of the lot whose place it is."""

    name: str | None
    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of lots, the sort key of its last one when more follow, how many there are, and from where."""

    items: list[FoundLot]
    position: tuple[str | int, int] | None
    total: int
    place: Place | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    name: str
    distance_m: int | None
    key: str | int


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What matches, in order, and from where it was measured."""

    lots: list[_Candidate]
    place: Place | None


def search_lots(search: LotSearch) -> FoundPage:
    """Find lots, with their true availability in the window.

    Raises:
        InvalidInput: the page before was of a list in another order.

    """
    if search.q == "":
        # Only signs that no name is made of.
        return FoundPage([], None, 0, _given_place(search))
    place = None
    if search.point is None and search.q is None and search.sort not in _RANKED:
        page, position, total = _page_by_name(search)
    else:
        found = _list_candidates(search)
        candidates, place = found.lots, found.place
        if search.sort == "price":
            candidates = _by_price(candidates[:MOST_PRICED], search)
        elif search.sort == "rating":
            candidates = _by_rating(candidates)
        page, position = _cut(candidates, search)
        total = len(candidates)
    return FoundPage(
        show_offers([(each.id, each.distance_m) for each in page], search), position, total, place
    )


def list_nearest(search: LotSearch, most: int, *, lot_id: int | None = None) -> list[int]:
    """List the lots that match, the nearest first, or only ``lot_id`` where it matches."""
    if search.q == "":
        return []
    found = [each.id for each in _list_candidates(search).lots]
    if lot_id is not None:
        return [lot_id] if lot_id in found else []
    return found[:most]


def list_free_nearby(
    lot: Lot,
    *,
    kinds: Sequence[str],
    height_cm: int | None,
    starts_at: datetime,
    ends_at: datetime,
    most: int,
) -> list[dict[str, Any]]:
    """List other lots near this one that have a bay of these kinds for the window, the nearest first.

    They let a vehicle of this height in.
    """
    here = Point(lot.lat, lot.lng)
    search = LotSearch(
        starts_at=starts_at, ends_at=ends_at, statuses=("open",), point=here, radius_m=_NEARBY_M
    )
    near = [each for each in _list_candidates(search).lots if each.id != lot.id][:_MOST_NEARBY]
    ids = [each.id for each in near]
    counts = count_free(ids, capacity=load_capacity(ids), starts_at=starts_at, ends_at=ends_at)
    lots, tariffs = load_lots(ids), load_tariffs(ids)
    found: list[dict[str, Any]] = []
    for each in near:
        # The list of lots may be a second old, and one of them gone since.
        row, tariff = lots.get(each.id), tariffs.get(each.id)
        free = count_fitting(counts.get(each.id, {}), kinds)
        if not free or row is None or tariff is None or not is_open(row, starts_at, ends_at):
            continue
        if is_too_high(row, height_cm):
            continue
        distance_m = each.distance_m or 0
        found.append(
            {
                "id": each.id,
                "name": each.name,
                "available": free,
                "price_minor": total_minor(
                    tariff,
                    row,
                    starts_at,
                    ends_at,
                    kind=foremost_kind(kinds, counts.get(each.id, {})),
                ),
                "currency": tariff.tariff.currency,
                "distance_m": distance_m,
                "walking_minutes": walking_minutes(distance_m),
            }
        )
        if len(found) == most:
            break
    return found


def find_next_window(
    lot: Lot, *, kinds: Sequence[str], starts_at: datetime, ends_at: datetime
) -> FreeWindow | None:
    """Find when next a bay of these kinds is free for as long, while the lot is open."""
    wish = Wish(starts_at=starts_at, ends_at=ends_at)
    return next_windows({lot.id: lot}, kinds, wish, within=FARTHEST_AHEAD).get(lot.id)


def _matching(columns: Any, search: LotSearch) -> Any:
    statement = columns.where(Lot.status.in_(search.statuses))
    for word in (search.q or "").split():
        statement = statement.where(Lot.search_text.contains(word, autoescape=True))
    for amenity in search.amenities:
        offering = select(LotAmenity.lot_id).where(LotAmenity.amenity == amenity)
        statement = statement.where(Lot.id.in_(offering))
    if search.min_rating is not None:
        statement = statement.where(Lot.id.in_(rated_at_least(search.min_rating)))
    if search.point is not None and search.radius_m is not None:
        box = box_around(search.point, search.radius_m)
        statement = statement.where(Lot.lat.between(box.south, box.north))
        if box.longitudes:
            statement = statement.where(or_(*(Lot.lng.between(*span) for span in box.longitudes)))
    return statement


def _page_by_name(
    search: LotSearch,
) -> tuple[list[_Candidate], tuple[str | int, int] | None, int]:
    total = db.session.scalar(_matching(select(func.count()).select_from(Lot), search)) or 0
    statement = _matching(select(Lot.id, Lot.name), search)
    if search.after is not None:
        name, lot_id = _position(search, str)
        statement = statement.where(tuple_(Lot.name, Lot.id) > tuple_(name, lot_id))
    rows = db.session.execute(statement.order_by(Lot.name, Lot.id).limit(search.limit + 1)).all()
    page = [_Candidate(row.id, row.name, None, row.name) for row in rows[: search.limit]]
    position = (page[-1].key, page[-1].id) if len(rows) > search.limit else None
    return page, position, total


def _list_candidates(search: LotSearch) -> _Candidates:
    """List what matches, the nearest first, or by name where there is no point to measure from."""
    key = (search.statuses, search.q, search.point, search.radius_m, search.amenities)
    return remembered(("candidates", *key, search.min_rating), lambda: _read_candidates(search))


def _read_candidates(search: LotSearch) -> _Candidates:
    rows = db.session.execute(_matching(select(Lot.id, Lot.name, Lot.lat, Lot.lng), search)).all()
    query = search.q
    place = _given_place(search)
    if place is None and query and rows:
        best = min(rows, key=lambda row: (rank_match(query, row.name), row.name, row.id))
        place = Place(best.name, best.lat, best.lng)
    if place is None:
        named = [_Candidate(row.id, row.name, None, row.name) for row in rows]
        return _Candidates(sorted(named, key=lambda each: (each.key, each.id)), None)
    point = Point(place.lat, place.lng)
    measured = ((row, metres_between(point, Point(row.lat, row.lng))) for row in rows)
    near = [
        _Candidate(row.id, row.name, metres, metres)
        for row, metres in measured
        if search.radius_m is None or metres <= search.radius_m
    ]
    return _Candidates(sorted(near, key=lambda each: (each.key, each.id)), place)


def _given_place(search: LotSearch) -> Place | None:
    return None if search.point is None else Place(None, search.point.lat, search.point.lng)


def _by_price(candidates: list[_Candidate], search: LotSearch) -> list[_Candidate]:
    tariffs = load_tariffs([each.id for each in candidates])
    lots, capacity = load_lots(list(tariffs)), load_capacity(list(tariffs))
    priced = []
    for each in candidates:
        tariff = tariffs.get(each.id)
        cost = (
            total_minor(
                tariff,
                lots[each.id],
                search.starts_at,
                search.ends_at,
                kind=foremost_kind(search.kinds, capacity.get(each.id, {})),
            )
            if tariff
            else _UNPRICED
        )
        priced.append(_Candidate(each.id, each.name, each.distance_m, cost))
    return sorted(priced, key=lambda each: (each.key, each.id))


def _by_rating(candidates: list[_Candidate]) -> list[_Candidate]:
    ratings = load_all_ratings()
    rated = [
        _Candidate(each.id, each.name, each.distance_m, ratings.get(each.id, UNRATED).rank)
        for each in candidates
    ]
    return sorted(rated, key=lambda each: (each.key, each.id))


def _cut(
    candidates: list[_Candidate], search: LotSearch
) -> tuple[list[_Candidate], tuple[str | int, int] | None]:
    first = 0
    if search.after is not None:
        kind = str if candidates and isinstance(candidates[0].key, str) else int
        after = _position(search, kind)
        first = next(
            (index for index, each in enumerate(candidates) if (each.key, each.id) > after),
            len(candidates),
        )
    page = candidates[first : first + search.limit]
    more = first + search.limit < len(candidates)
    return page, ((page[-1].key, page[-1].id) if more else None)


def _position(search: LotSearch, kind: type) -> tuple[str | int, int]:
    if search.after is None or not isinstance(search.after[0], kind):
        raise InvalidInput(errors={"cursor": ["This is not a cursor of this list."]})
    return search.after
