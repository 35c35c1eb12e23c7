"""What may be done to lots."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from backend import clock
from backend.audit.service import record, record_changes
from backend.claims import service as claims
from backend.errors import IllegalTransition, LotInUse, NotFound
from backend.extensions import db
from backend.folding import fold
from backend.identity import Caller
from backend.lots import closing
from backend.lots.facts import lot_facts
from backend.lots.hours import OpeningHours, parse_opening_hours
from backend.lots.importing import zone_at
from backend.lots.ratings import UNRATED, Rating, read_ratings
from backend.models import FOREVER, Lot, LotAmenity, Spot, Tariff
from backend.signals import lots_changed, window_freed
from backend.tariffs.service import current_tariff
from backend.transaction import after_commit

HIDDEN_STATUSES = ("draft", "archived")
PUBLIC_STATUSES = ("open", "closed")

_NEXT_STATUSES = {"draft": ("open",), "open": ("closed",), "closed": ("open",)}


@dataclass(frozen=True, slots=True)
class LotDetail:
    """Everything about one lot that does not depend on a window."""

    lot: Lot
    capacity_by_kind: dict[str, int]
    levels: list[str]
    tariff: Tariff | None
    rating: Rating

    @property
    def capacity(self) -> int:
        """How many bays it has."""
        return sum(self.capacity_by_kind.values())

    @property
    def amenities(self) -> list[str]:
        """What it offers."""
        return [row.amenity for row in self.lot.amenities]

    @property
    def hours(self) -> OpeningHours:
        """When it is open."""
        return parse_opening_hours(self.lot.opening_hours)


def get_visible_lot(caller: Caller | None, lot_id: int) -> Lot:
    """Give a lot that the caller may see: drafts and archived ones are there for admins alone.

    Raises:
        NotFound: there is none.

    """
    lot = db.session.get(Lot, lot_id)
    is_admin = caller is not None and caller.has_role("admin")
    if lot is None or (lot.status in HIDDEN_STATUSES and not is_admin):
        raise NotFound(f"There is no lot {lot_id}.")
    return lot


def get_lot_detail(caller: Caller | None, lot_id: int) -> LotDetail:
    """Give everything about a lot.

    Raises:
        NotFound: there is none, or it is not public.

    """
    lot = get_visible_lot(caller, lot_id)
    db.session.refresh(lot, ["amenities"])
    return _describe(lot)


def create_lot(
    admin: Caller,
    *,
    status: str = "draft",
    timezone: str | None = None,
    opening_hours: str = "24/7",
    amenities: Iterable[str] = (),
    **facts: Any,
) -> LotDetail:
    """Make a lot, without bays yet. It lies in the time zone of its point unless told otherwise."""
    lot = Lot(
        **facts,
        status=status,
        timezone=timezone or zone_at(facts["lat"], facts["lng"]),
        opening_hours=str(parse_opening_hours(opening_hours)),
        search_text=search_text(**{name: facts[name] for name in ("name", "address", "city")}),
        created_at=clock.now(),
        amenities=[LotAmenity(amenity=amenity) for amenity in _distinct(amenities)],
    )
    db.session.add(lot)
    # The closure and the answer need the lot's id.
    db.session.flush()
    if status == "closed":
        closing.close_lot(lot, by=admin.id)
    record("lot.created", "lot", lot.id, actor_id=admin.id, after=lot_facts(lot))
    touch(lot.id)
    return _describe(lot)


def update_lot(admin: Caller, lot_id: int, **changes: Any) -> LotDetail:
    """Change facts of a lot, open it, or close it.

    Raises:
        NotFound: there is none.
        IllegalTransition: the lot is archived, or cannot get from its status to the new one.
        LotInUse: live reservations forbid to close it, or to change its time zone.

    """
    lot = get_lot_for_update(lot_id)
    if lot.status == "archived":
        raise IllegalTransition(
            f"{lot.name} is archived, and stays as it was.", status_now="archived"
        )
    before = lot_facts(lot)
    status = changes.pop("status", lot.status)
    change_facts(lot, **changes)
    if status != lot.status:
        _change_status(admin, lot, status)
    touch(lot.id)
    # Writes the change now, so that the answer tells the version it has from here on.
    db.session.flush()
    record_changes(
        "lot.updated", "lot", lot.id, actor_id=admin.id, before=before, after=lot_facts(lot)
    )
    return _describe(lot)


def archive_lot(admin: Caller, lot_id: int) -> None:
    """Take a lot out of business for good; its history stays.

    Raises:
        NotFound: there is none.
        LotInUse: live reservations stand in it.

    """
    lot = get_lot_for_update(lot_id)
    if lot.status == "archived":
        return
    if lot.status == "closed":
        # Nothing can be booked any more, but a car may be in past its end.
        _refuse_live_reservations(lot, "archived")
    else:
        closing.close_lot(lot, by=admin.id)
    record(
        "lot.archived",
        "lot",
        lot.id,
        actor_id=admin.id,
        before={"status": lot.status},
        after={"status": "archived"},
    )
    lot.status = "archived"
    touch(lot.id)


def get_lot_for_update(lot_id: int) -> Lot:
    """Give a lot with its amenities, locked until the transaction ends.

    Raises:
        NotFound: there is none.

    """
    lot = db.session.scalar(
        select(Lot)
        .where(Lot.id == lot_id)
        .options(selectinload(Lot.amenities))
        # Lets pass bookings that only refer to the lot: they hold claims that a closing waits for.
        .with_for_update(of=Lot, key_share=True)
        .execution_options(populate_existing=True)
    )
    if lot is None:
        raise NotFound(f"There is no lot {lot_id}.")
    return lot


def change_facts(lot: Lot, **facts: Any) -> None:
    """Set facts of a locked lot, and what follows from them.

    Raises:
        LotInUse: the time zone changes while live reservations stand, whose hours it would move.

    """
    there = (facts.get("lat", lot.lat), facts.get("lng", lot.lng))
    if (
        "timezone" not in facts
        and there != (lot.lat, lot.lng)
        and lot.timezone == zone_at(lot.lat, lot.lng)
    ):
        # It is the zone of the point, and goes with it; another than that stays.
        facts["timezone"] = zone_at(*there)
    if facts.get("timezone", lot.timezone) != lot.timezone:
        # No constraint sees this rule: bookings under way end first, and new ones wait.
        db.session.execute(select(Lot.id).where(Lot.id == lot.id).with_for_update())
        claims.sweep_stale_holds(lot_id=lot.id, plate="", user_id=0)
        _refuse_live_reservations(lot, "moved to another time zone")
    if "opening_hours" in facts:
        facts["opening_hours"] = str(parse_opening_hours(facts["opening_hours"]))
    amenities = facts.pop("amenities", None)
    for name, value in facts.items():
        setattr(lot, name, value)
    if amenities is not None:
        present = {row.amenity: row for row in lot.amenities}
        lot.amenities = [
            present.get(amenity) or LotAmenity(amenity=amenity) for amenity in _distinct(amenities)
        ]
    lot.search_text = search_text(lot.name, lot.address, lot.city)


def search_text(name: str, address: str, city: str) -> str:
    """Give what a lot is found by."""
    return fold(f"{name} {address} {city}")


def touch(lot_id: int) -> None:
    """Tell, after the commit, that what lists say about a lot is old."""
    after_commit(lots_changed.send, None, lot_id=lot_id)


def _change_status(admin: Caller, lot: Lot, status: str) -> None:
    if status not in _NEXT_STATUSES[lot.status]:
        raise IllegalTransition(
            f"A lot that is {lot.status} cannot become {status}.", status_now=lot.status
        )
    if status == "closed":
        closing.close_lot(lot, by=admin.id)
    reopens = lot.status == "closed"
    if reopens:
        closing.reopen_lot(lot)
    lot.status = status
    if reopens:
        # Who waits in it may book again, for which the row must say so.
        db.session.flush()
        window_freed.send(None, lot_id=lot.id, starts_at=clock.now(), ends_at=FOREVER)


def _refuse_live_reservations(lot: Lot, what: str) -> None:
    standing = closing.list_standing(lot.id)
    if standing.total:
        raise LotInUse(
            f"{lot.name} cannot be {what} while bookings stand in it.", **standing.extensions()
        )


def _describe(lot: Lot) -> LotDetail:
    capacity_by_kind: dict[str, int] = {}
    levels: set[str] = set()
    for level, kind, count in db.session.execute(
        select(Spot.level, Spot.kind, func.count())
        .where(Spot.lot_id == lot.id)
        .group_by(Spot.level, Spot.kind)
    ):
        capacity_by_kind[kind] = capacity_by_kind.get(kind, 0) + count
        levels.add(level)
    rating = read_ratings([lot.id]).get(lot.id, UNRATED)
    return LotDetail(lot, capacity_by_kind, sorted(levels), current_tariff(lot.id), rating)


def _distinct(amenities: Iterable[str]) -> list[str]:
    return sorted({amenity.casefold() for amenity in amenities})
