"""What may be done to the bays of a lot."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.audit.service import record, record_changes
from backend.claims.availability import Occupant, list_occupants
from backend.database import get_row, violates
from backend.errors import IllegalTransition, InvalidInput, LabelTaken, NotFound, SpotInUse
from backend.extensions import db
from backend.identity import Caller
from backend.lots import closing
from backend.lots.facts import spot_facts
from backend.lots.hours import is_open_throughout, parse_opening_hours
from backend.lots.layout import BayPlan, lay_out_row, next_free_row
from backend.lots.service import get_lot_for_update, get_visible_lot, touch
from backend.lots.staff import works_at
from backend.lots.window import check_window, default_window
from backend.models import FOREVER, Closure, Lot, Spot

MOST_BAYS = 20_000
UNIQUE_LABEL = "uq_spots_lot_label"

_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class SpotReservation:
    """Whose bay it is; for admins and the lot's own attendants."""

    id: int
    code: str
    plate: str


@dataclass(frozen=True, slots=True)
class SpotState:
    """A bay, and whether it is free for a window."""

    id: int
    label: str
    level: str
    kind: str
    x: float
    y: float
    rotation: int
    available: bool
    state: str
    """``free``, ``taken``, ``mine`` or ``blocked``."""
    reservation: SpotReservation | None


@dataclass(frozen=True, slots=True)
class SpotClosure:
    """A time in which a bay is out of service."""

    spot_id: int
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SpotDetail:
    """A bay, and when it is out of service now or later; for admins."""

    spot: Spot
    closures: list[Closure]

    @property
    def in_service(self) -> bool:
        """Whether it is not closed at this moment; the whole lot may be, all the same."""
        return not any(closure.starts_at <= clock.now() for closure in self.closures)


def list_spots(
    caller: Caller | None,
    lot_id: int,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    level: str | None = None,
    kind: str | None = None,
) -> list[SpotState]:
    """List the bays of a lot with their state in a window.

    Raises:
        NotFound: there is no such lot, or it is not public.
        InvalidInput: nobody may book that window.

    """
    now = clock.now()
    starts_at, ends_at = default_window(now, starts_at, ends_at)
    check_window(now, starts_at, ends_at)
    lot = get_visible_lot(caller, lot_id)
    is_open = lot.status == "open" and is_open_throughout(
        parse_opening_hours(lot.opening_hours), starts_at, ends_at, ZoneInfo(lot.timezone)
    )
    occupants = list_occupants(lot_id, starts_at=starts_at, ends_at=ends_at)
    statement = select(
        Spot.id, Spot.label, Spot.level, Spot.kind, Spot.x, Spot.y, Spot.rotation
    ).where(Spot.lot_id == lot_id)
    if level is not None:
        statement = statement.where(Spot.level == level)
    if kind is not None:
        statement = statement.where(Spot.kind == kind)
    shows_reservations = works_at(caller, lot_id)
    states = []
    for row in db.session.execute(statement.order_by(Spot.level, Spot.id)):
        here = occupants.get(row.id, [])
        state = _judge(caller, here, is_open=is_open)
        reservation = _first_reservation(here) if shows_reservations else None
        states.append(
            SpotState(*row, available=state == "free", state=state, reservation=reservation)
        )
    return states


def list_closures(lot_id: int) -> list[SpotClosure]:
    """List when bays of a lot are out of service by themselves, now or later.

    Raises:
        NotFound: there is no such lot.

    """
    get_row(Lot, lot_id)
    rows = db.session.execute(
        # The closing of a whole lot names no bay.
        select(Spot.id, Closure.reason, Closure.starts_at, Closure.ends_at)
        .join(Spot, Spot.id == Closure.spot_id)
        .where(
            Closure.lot_id == lot_id,
            Closure.lifted_at.is_(None),
            Closure.ends_at > clock.now(),
        )
        .order_by(Spot.id, Closure.starts_at)
    )
    return [SpotClosure(*row) for row in rows]


def get_spot_detail(spot_id: int) -> SpotDetail:
    """Give a bay with its closures.

    Raises:
        NotFound: there is none.

    """
    return _describe(get_row(Spot, spot_id))


def add_spots(
    admin: Caller, lot_id: int, *, prefix: str, first: int, last: int, kind: str, level: str = "0"
) -> list[Spot]:
    """Add bays ``first`` to ``last`` to a lot, in rows below those that its level has.

    Raises:
        NotFound: there is no such lot.
        IllegalTransition: the lot is archived.
        InvalidInput: the lot would have too many bays.
        LabelTaken: it has bays of these labels.

    """
    lot = get_lot_for_update(lot_id)
    if lot.status == "archived":
        raise IllegalTransition(f"{lot.name} is archived, and gets no bays.", status_now="archived")
    ys = db.session.scalars(select(Spot.y).where(Spot.lot_id == lot_id, Spot.level == level))
    bays = lay_out_row(prefix, first, last, kind=kind, level=level, row=next_free_row(ys))
    labels = [bay.label for bay in bays]
    taken = list(
        db.session.scalars(
            select(Spot.label)
            .where(Spot.lot_id == lot_id, Spot.label.in_(labels))
            .order_by(Spot.label)
        )
    )
    if taken:
        raise _label_taken(lot, taken)
    insert_bays(lot, bays)
    record(
        "spots.created",
        "lot",
        lot_id,
        actor_id=admin.id,
        after={
            "first": labels[0],
            "last": labels[-1],
            "count": len(bays),
            "kind": kind,
            "level": level,
        },
    )
    touch(lot_id)
    rows = db.session.scalars(
        select(Spot).where(Spot.lot_id == lot_id, Spot.label.in_(labels)).order_by(Spot.id)
    )
    return list(rows)


def row_of(spot: Spot) -> int:
    """Say in which row of its level a bay that nobody moved lies."""
    return next_free_row([spot.y]) - 1


def list_as_added(
    lot_id: int, ids: Sequence[int], *, row: int, **wanted: Any
) -> list[dict[str, Any]]:
    """List bays as :func:`add_spots` added them, given the first and the last id, the row, and what was asked.

    Nobody adds others to the lot between them, and none is ever taken away.
    """
    first_id, last_id = ids
    added = db.session.scalars(
        select(Spot.id)
        .where(Spot.lot_id == lot_id, Spot.id.between(first_id, last_id))
        .order_by(Spot.id)
    )
    plan = lay_out_row(
        wanted["prefix"],
        wanted["first"],
        wanted["last"],
        kind=wanted["kind"],
        level=wanted["level"],
        row=row,
    )
    return [
        {"id": spot_id, "lot_id": lot_id, **asdict(bay)}
        for spot_id, bay in zip(added, plan, strict=True)
    ]


def insert_bays(lot: Lot, bays: list[BayPlan]) -> None:
    """Put bays into a locked lot.

    Raises:
        InvalidInput: the lot would have too many bays.
        LabelTaken: it has bays of these labels.

    """
    count, latest = db.session.execute(
        select(func.count(), func.coalesce(func.max(Spot.id), 0)).where(Spot.lot_id == lot.id)
    ).one()
    if count + len(bays) > MOST_BAYS:
        raise InvalidInput(errors={"to": [f"A lot has at most {MOST_BAYS} bays; it has {count}."]})
    try:
        db.session.execute(
            insert(Spot), [{"lot_id": lot.id, "version": 1, **asdict(bay)} for bay in bays]
        )
    except IntegrityError as error:
        if violates(error, UNIQUE_LABEL):
            raise _label_taken(lot, []) from error
        raise
    closing.close_new_spots(lot, after_spot_id=latest)


def update_spot(admin: Caller, spot_id: int, **changes: Any) -> SpotDetail:
    """Change a bay, take it out of service, or put it back.

    Raises:
        NotFound: there is none.
        InvalidInput: a time out of service has its end before its start, or no start at all.
        LabelTaken: another bay of the lot has the label.
        SpotInUse: live reservations forbid to close it, or to change its kind.

    """
    spot = _get_spot_for_update(spot_id)
    before = spot_facts(spot, _list_closures(spot))
    service = {name: changes.pop(name) for name in _SERVICE_FIELDS if name in changes}
    if changes.get("kind", spot.kind) != spot.kind:
        _refuse_live_reservations(spot)
    for name, value in changes.items():
        setattr(spot, name, value)
    try:
        # Meets uq_spots_lot_label, and writes the change so that the answer tells the new version.
        db.session.flush()
    except IntegrityError as error:
        if violates(error, UNIQUE_LABEL):
            raise LabelTaken(
                f"Another bay of the lot is called {changes['label']}.", labels=[changes["label"]]
            ) from error
        raise
    _set_service(admin, spot, **service)
    touch(spot.lot_id)
    changed = _describe(spot)
    record_changes(
        "spot.updated",
        "spot",
        spot.id,
        actor_id=admin.id,
        before=before,
        after=spot_facts(spot, changed.closures),
    )
    return changed


_SERVICE_FIELDS = ("in_service", "reason", "out_of_service_from", "out_of_service_until")


def _set_service(
    admin: Caller,
    spot: Spot,
    *,
    in_service: bool | None = None,
    reason: str | None = None,
    out_of_service_from: datetime | None = None,
    out_of_service_until: datetime | None = None,
) -> None:
    if in_service is None or in_service:
        if reason or out_of_service_from or out_of_service_until:
            raise InvalidInput(
                errors={"in_service": ["Say false, to take the bay out of service for a time."]}
            )
        if in_service:
            closing.reopen_spot(spot)
        return
    now = clock.now()
    starts_at = max(out_of_service_from or now, now)
    ends_at = out_of_service_until or FOREVER
    if ends_at <= starts_at:
        raise InvalidInput(
            errors={"out_of_service_until": ["The end must lie after the start, and after now."]}
        )
    closing.close_spot(
        spot,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason or "Out of service.",
        by=admin.id,
    )


def _get_spot_for_update(spot_id: int) -> Spot:
    """Give a bay that nobody picks until the transaction ends.

    Bookings pick FOR SHARE, which this holds back. It lets pass what only refers to the bay: a claim
    that was made already would else wait for this lock while its constraint makes us wait for the claim.
    """
    spot = db.session.scalar(
        select(Spot)
        .where(Spot.id == spot_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if spot is None:
        raise NotFound(f"There is no spot {spot_id}.")
    return spot


def _judge(caller: Caller | None, occupants: list[Occupant], *, is_open: bool) -> str:
    if caller is not None and any(each.user_id == caller.id for each in occupants):
        return "mine"
    if not is_open or any(each.kind == "closure" for each in occupants):
        return "blocked"
    return "taken" if occupants else "free"


def _first_reservation(occupants: list[Occupant]) -> SpotReservation | None:
    for each in occupants:
        if each.reservation_id is not None:
            return SpotReservation(each.reservation_id, each.code or "", each.plate or "")
    return None


def _refuse_live_reservations(spot: Spot) -> None:
    standing = closing.list_standing(spot.lot_id, spot_id=spot.id)
    if standing.total:
        raise SpotInUse(
            f"The kind of bay {spot.label} cannot change while bookings stand on it.",
            **standing.extensions(),
        )


def _label_taken(lot: Lot, labels: list[str]) -> LabelTaken:
    named = ", ".join(labels[:3]) + (" …" if len(labels) > 3 else "")
    return LabelTaken(
        f"{lot.name} has bays of these labels already{': ' * bool(named)}{named}.",
        labels=labels[:_MOST_LISTED],
        total=len(labels),
    )


def _describe(spot: Spot) -> SpotDetail:
    return SpotDetail(spot, _list_closures(spot))


def _list_closures(spot: Spot) -> list[Closure]:
    closures = db.session.scalars(
        select(Closure)
        .where(
            Closure.spot_id == spot.id,
            Closure.lifted_at.is_(None),
            Closure.ends_at > clock.now(),
        )
        .order_by(Closure.starts_at, Closure.id)
    )
    return list(closures)
