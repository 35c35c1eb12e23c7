"""What lots offer for a window: free bays, a price, and why they cannot be booked.

However many lots are asked about, the same few queries answer.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from backend import clock
from backend.claims.availability import (
    KindCount,
    capacity_by_kind,
    count_free,
    next_free_windows,
)
from backend.claims.fit import fitting_kinds
from backend.config import settings
from backend.extensions import db
from backend.lots.distance import walking_minutes
from backend.lots.hours import is_open_throughout, open_spans, parse_opening_hours
from backend.lots.memory import remembered
from backend.lots.ratings import UNRATED, load_ratings
from backend.lots.window import FARTHEST_AHEAD
from backend.models import Lot, LotAmenity
from backend.tariffs import pricing
from backend.tariffs.versions import CurrentTariff, current_tariffs

# A free window is looked for step by step: most are found within a day.
_STEPS = (timedelta(days=1), timedelta(days=8), FARTHEST_AHEAD)
# As far as a list looks, for all the full lots on its page.
_LIST_LOOKS_AHEAD = timedelta(days=8)

_BADGES = {"flexible": "free_cancellation", "standard": "free_cancellation_24h", "saver": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A window, checked already, and the vehicle that wants a bay for it."""

    starts_at: datetime
    ends_at: datetime
    spot_kind: str | None = None
    vehicle_kind: str | None = None
    electric: bool = False
    height_cm: int | None = None
    has_permit: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of bay that will do."""
        is_electric = self.electric or self.spot_kind == "electric"
        usual = "motorcycle" if self.spot_kind == "motorcycle" else "car"
        kinds = fitting_kinds(
            self.vehicle_kind or usual, electric=is_electric, has_permit=self.has_permit
        )
        if self.spot_kind is None:
            return kinds
        return (self.spot_kind,) if self.spot_kind in kinds else ()


@dataclass(frozen=True, slots=True)
class FreeWindow:
    """A later time at which a bay is free for as long as was asked."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class FoundLot:
    """A lot as a list shows it."""

    id: int
    name: str
    address: str
    city: str
    lat: float
    lng: float
    timezone: str
    status: str
    capacity: int
    available: int
    available_by_kind: dict[str, int]
    price_minor: int | None
    currency: str
    height_limit_cm: int | None
    always_open: bool
    amenities: list[str]
    distance_m: int | None
    walking_minutes: int | None
    rating: float | None
    review_count: int
    refund_badge: str | None
    bookable: bool
    not_bookable_reason: str | None
    next_window: FreeWindow | None


def show_offers(places: Sequence[tuple[int, int | None]], wish: Wish) -> list[FoundLot]:
    """Show lots, given with their distances, in this order."""
    lots = load_lots([lot_id for lot_id, _ in places])
    # Places are remembered for a moment, in which a lot may go.
    places = [place for place in places if place[0] in lots]
    lot_ids = [lot_id for lot_id, _ in places]
    window = {"starts_at": wish.starts_at, "ends_at": wish.ends_at}
    tariffs, amenities = load_tariffs(lot_ids), load_amenities(lot_ids)
    ratings = load_ratings(lot_ids)
    counts = count_free(lot_ids, capacity=load_capacity(lot_ids), **window)
    kinds = wish.kinds
    reasons = {
        lot_id: _why_not(lots[lot_id], counts.get(lot_id, {}), wish, has_tariff=lot_id in tariffs)
        for lot_id in lot_ids
    }
    full = [lot_id for lot_id, reason in reasons.items() if reason == "full"]
    later = next_windows(
        {lot_id: lots[lot_id] for lot_id in full}, kinds, wish, within=_LIST_LOOKS_AHEAD
    )
    currency = settings().currency
    found = []
    for lot_id, distance_m in places:
        lot, count, tariff = lots[lot_id], counts.get(lot_id, {}), tariffs.get(lot_id)
        rating = ratings.get(lot_id, UNRATED)
        shut = reasons[lot_id] in {"closed", "outside_opening_hours"}
        found.append(
            FoundLot(
                id=lot_id,
                name=lot.name,
                address=lot.address,
                city=lot.city,
                lat=lot.lat,
                lng=lot.lng,
                timezone=lot.timezone,
                status=lot.status,
                capacity=sum(each.capacity for each in count.values()),
                available=0 if shut else count_fitting(count, kinds),
                available_by_kind={
                    kind: 0 if shut else each.free for kind, each in sorted(count.items())
                },
                price_minor=(
                    total_minor(tariff, lot, kind=foremost_kind(kinds, count), **window)
                    if tariff
                    else None
                ),
                currency=tariff.tariff.currency if tariff else currency,
                height_limit_cm=lot.height_limit_cm,
                always_open=parse_opening_hours(lot.opening_hours).is_always,
                amenities=amenities.get(lot_id, []),
                distance_m=distance_m,
                walking_minutes=None if distance_m is None else walking_minutes(distance_m),
                rating=rating.rating,
                review_count=rating.review_count,
                refund_badge=_BADGES[lot.refund_policy],
                bookable=reasons[lot_id] is None,
                not_bookable_reason=reasons[lot_id],
                next_window=later.get(lot_id),
            )
        )
    return found


def load_lots(lot_ids: Collection[int]) -> dict[int, Any]:
    """Load what lists show of lots; plain rows, since objects would cost more than all else here."""

    def read() -> dict[int, Any]:
        rows = db.session.execute(
            select(
                Lot.id,
                Lot.name,
                Lot.address,
                Lot.city,
                Lot.lat,
                Lot.lng,
                Lot.timezone,
                Lot.status,
                Lot.opening_hours,
                Lot.height_limit_cm,
                Lot.refund_policy,
            ).where(Lot.id.in_(lot_ids))
        )
        return {row.id: row for row in rows}

    return remembered(("lots", *lot_ids), read) if lot_ids else {}


def load_amenities(lot_ids: Collection[int]) -> dict[int, list[str]]:
    """Load what lots offer beside bays, in alphabetical order."""

    def read() -> dict[int, list[str]]:
        amenities: dict[int, list[str]] = defaultdict(list)
        for lot_id, amenity in db.session.execute(
            select(LotAmenity.lot_id, LotAmenity.amenity)
            .where(LotAmenity.lot_id.in_(lot_ids))
            .order_by(LotAmenity.lot_id, LotAmenity.amenity)
        ):
            amenities[lot_id].append(amenity)
        return amenities

    return remembered(("amenities", *lot_ids), read) if lot_ids else {}


def load_tariffs(lot_ids: Collection[int]) -> dict[int, CurrentTariff]:
    """Load the published tariffs of lots."""
    return remembered(("tariffs", *lot_ids), lambda: current_tariffs(lot_ids))


def load_capacity(lot_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Load how many bays lots have of each kind."""
    return remembered(("capacity", *lot_ids), lambda: capacity_by_kind(lot_ids))


def _why_not(
    lot: Any, counts: Mapping[str, KindCount], wish: Wish, *, has_tariff: bool
) -> str | None:
    kinds = wish.kinds
    hurdles: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("closed", lambda: lot.status != "open"),
        ("outside_opening_hours", lambda: not is_open(lot, wish.starts_at, wish.ends_at)),
        ("too_high", lambda: is_too_high(lot, wish.height_cm)),
        ("no_tariff", lambda: not has_tariff),
        ("no_fitting_bay", lambda: not any(kind in counts for kind in kinds)),
        ("full", lambda: not count_fitting(counts, kinds)),
    )
    return next((reason for reason, stands in hurdles if stands()), None)


def count_fitting(counts: Mapping[str, KindCount], kinds: Sequence[str]) -> int:
    """Count the free bays of these kinds."""
    return sum(counts[kind].free for kind in kinds if kind in counts)


def is_open(lot: Any, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a lot is open for a whole window."""
    hours = parse_opening_hours(lot.opening_hours)
    return is_open_throughout(hours, starts_at, ends_at, ZoneInfo(lot.timezone))


def is_too_high(lot: Any, height_cm: int | None) -> bool:
    """Whether a vehicle of this height, if it is known, does not get into a lot."""
    return bool(height_cm and lot.height_limit_cm and height_cm > lot.height_limit_cm)


def foremost_kind(kinds: Sequence[str], offered: Container[str]) -> str:
    """Choose the kind of bay that makes the price: the foremost of these that a lot has, as a quote does."""
    return next((kind for kind in kinds if kind in offered), "standard")


def total_minor(
    tariff: CurrentTariff, lot: Any, starts_at: datetime, ends_at: datetime, *, kind: str
) -> int:
    """Price a window for a kind of bay in a lot."""
    return _total_minor(tariff.tariff, starts_at, ends_at, lot.timezone, kind)


@lru_cache(maxsize=4096)
def _total_minor(
    tariff: pricing.Tariff, starts_at: datetime, ends_at: datetime, zone: str, kind: str
) -> int:
    # The lots of a city often charge alike, and a page asks for one window.
    return pricing.price(
        tariff, starts_at=starts_at, ends_at=ends_at, zone=zone, spot_kind=kind
    ).total_minor


def next_windows(
    lots: Mapping[int, Any], kinds: Sequence[str], wish: Wish, *, within: timedelta
) -> dict[int, FreeWindow]:
    """Find for each of these lots when next a bay is free while the lot is open, starting ``within`` so long.

    Nothing is found beyond what may be booked.
    """
    length = wish.ends_at - wish.starts_at
    farthest = min(wish.starts_at + within, clock.now() + FARTHEST_AHEAD)
    starts: dict[int, datetime] = {}
    since = wish.starts_at
    for step in _STEPS:
        waiting = [lot_id for lot_id in lots if lot_id not in starts]
        latest = min(wish.starts_at + step, farthest)
        if not waiting or latest <= since:
            break
        starts |= next_free_windows(
            waiting,
            kinds=kinds,
            starts_at=since,
            length=length,
            latest=latest,
            open_spans={
                lot_id: open_spans(
                    parse_opening_hours(lots[lot_id].opening_hours),
                    since,
                    latest + length,
                    ZoneInfo(lots[lot_id].timezone),
                )
                for lot_id in waiting
            },
        )
        since = latest
    return {lot_id: FreeWindow(start, start + length) for lot_id, start in starts.items()}
