"""Closing bays or a whole lot in which bookings stand: what it would do is shown first, and done in one commit."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from sqlalchemy import bindparam, select, text

from backend import clock
from backend.audit.service import record
from backend.claims import service as claims
from backend.claims.placing import (
    FINAL_BEFORE,
    labels_of,
    lock_claims_at_once,
    put_in,
    take_out,
    try_lock_rearranging,
)
from backend.claims.presence import stretch_present
from backend.claims.rearranging import Move, Picture, Standing, Wish, find_arrangement
from backend.config import settings
from backend.errors import IllegalTransition, InvalidInput, NotFound, PreviewOutdated
from backend.extensions import db
from backend.identity import Caller
from backend.lots import closing as closures
from backend.lots.service import get_lot_for_update, touch
from backend.models import FOREVER, Lot, Spot, UtcDateTime
from backend.payments.refunds import net_paid
from backend.reservations.cancelling import cancel_by_operator
from backend.reservations.moving import kinds_in_need, tell_moved
from backend.reservations.states import PRESENT
from backend.signals import availability_changed
from backend.transaction import TryAgain, after_commit

Action = Literal["move", "refund", "stays"]

MOST_BAYS_NAMED = 2_000

_TRIES = 3
# Most who are moved find a bay that is free as it is; for so many more a place is made by moving others.
_MOST_ARRANGED = 30
_ARRANGING_BUDGET = 300

_STANDING = (
    text(
        """
        SELECT c.spot_id, c.starts_at, c.ends_at, c.kind AS claim_kind, s.kind, c.reservation_id,
               r.code, r.plate, r.status, r.pinned, r.starts_at AS booked_from, r.vehicle_kind,
               q.spot_kind AS asked_kind
        FROM spot_claims AS c
        JOIN spots AS s ON s.id = c.spot_id
        LEFT JOIN reservations AS r ON r.id = c.reservation_id
        LEFT JOIN quotes AS q ON q.id = r.quote_id
        WHERE c.lot_id = :lot_id AND c.live AND c.ends_at > :now
          AND (c.expires_at IS NULL OR c.expires_at > :now)
        ORDER BY c.starts_at, c.id
        """
    )
    .bindparams(bindparam("now", type_=UtcDateTime()))
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime(), booked_from=UtcDateTime())
)


@dataclass(frozen=True, slots=True)
class Affected:
    """A booking that a closing hits, or that moves to make place for one, and what becomes of it."""

    reservation_id: int
    code: str
    plate: str
    starts_at: datetime
    ends_at: datetime
    spot: str
    action: Action
    to_spot: str | None
    refund_minor: int


@dataclass(frozen=True, slots=True)
class ClosedBay:
    """A bay, and for how long it is closed."""

    spot_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """What a closing does, or would do; ``closings`` only once it is done."""

    closings: list[ClosedBay] | None
    affected: list[Affected]
    moved: int
    refunded: int
    refund_minor: int
    currency: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Plan:
    spot_ids: list[int]
    moves: list[Move]
    refunds: dict[int, int]
    """What each cancelled booking gets back."""
    busy_until: dict[int, datetime]
    """Bays in which a car is, and until when."""
    affected: list[Affected]
    digest: str

    def result(self, closings: list[ClosedBay] | None) -> Closing:
        return Closing(
            closings,
            self.affected,
            moved=sum(each.action == "move" for each in self.affected),
            refunded=len(self.refunds),
            refund_minor=sum(self.refunds.values()),
            currency=settings().currency,
            digest=self.digest,
        )


def close_bays(
    admin: Caller,
    lot_id: int,
    *,
    spot_ids: Sequence[int] | None,
    reason: str,
    dry_run: bool,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    digest: str | None = None,
) -> Closing:
    """Close bays of a lot, or with ``spot_ids`` None all of them, for a window: from now, and for good, unless told.

    Bookings in the way get another bay, or all their money back; a car that is in stays until its end, and
    its bay closes then. With ``dry_run`` nothing is done but told; what is done must be what was told under
    ``digest``. A whole lot that is closed from now on for good is closed to bookings as such.

    Raises:
        NotFound: there is no such lot.
        InvalidInput: a bay is none of the lot's, or the end lies before the start or in the past.
        IllegalTransition: the lot is archived, or closed already.
        PreviewOutdated: what would happen is not what was told.
        TryAgain: somebody else is at these bookings this very moment.

    """
    now = clock.now()
    start, end = max(starts_at or now, now), ends_at or FOREVER
    if end <= start:
        raise InvalidInput(errors={"ends_at": ["The end must lie after the start, and after now."]})
    lot = get_lot_for_update(lot_id)
    closes_lot = spot_ids is None and start == now and end == FOREVER
    if lot.status == "archived" or (closes_lot and lot.status == "closed"):
        raise IllegalTransition(f"{lot.name} is {lot.status} already.", status_now=lot.status)
    wanted = _lock_spots(lot, spot_ids)
    asked = [lot_id, None if spot_ids is None else wanted, starts_at, ends_at]
    if dry_run:
        return _plan(lot_id, wanted, start, end, asked).result(None)
    if not try_lock_rearranging(lot_id):
        raise TryAgain
    stretch_present(lot_id)
    claims.sweep_stale_holds(lot_id=lot_id, plate="", user_id=0)
    plan = _plan_locked(lot_id, wanted, start, end, asked)
    if plan.digest != digest:
        raise PreviewOutdated("Bookings came or went since you looked. Look again.", lot_id=lot_id)
    take_out([*(move.reservation_id for move in plan.moves), *plan.refunds])
    window = {"starts_at": start, "ends_at": end}
    closed = closures.close_around(
        lot,
        spot_ids=None if closes_lot else wanted,
        busy_until=plan.busy_until,
        reason=reason,
        by=admin.id,
        **window,
    )
    # A booking that was made this very moment is met here or below; the next try sees it.
    if closed is None or not all(_put_in(move, now) for move in plan.moves):
        raise TryAgain
    tell_moved(plan.moves, reason="closing")
    for reservation_id in plan.refunds:
        cancel_by_operator(
            reservation_id, cause="operator", actor_id=admin.id, reason=reason, offered=False
        )
    _record(admin, lot, wanted, plan, reason=reason, whole=spot_ids is None, **window)
    if closes_lot:
        lot.status = "closed"
    touch(lot_id)
    after_commit(availability_changed.send, None, lot_id=lot_id)
    return plan.result([ClosedBay(spot_id, *span) for spot_id, span in sorted(closed.items())])


def _put_in(move: Move, now: datetime) -> bool:
    return put_in(move.reservation_id, move.to_spot_id, not_before=now)


def _lock_spots(lot: Lot, spot_ids: Sequence[int] | None) -> list[int]:
    """Give the bays that are to be closed, which nobody picks until the transaction ends."""
    statement = select(Spot.id).where(Spot.lot_id == lot.id)
    if spot_ids is not None:
        statement = statement.where(Spot.id.in_(spot_ids))
    found = list(db.session.scalars(statement.order_by(Spot.id).with_for_update(key_share=True)))
    strangers = sorted(set(spot_ids or ()) - set(found))
    if strangers:
        listed = ", ".join(map(str, strangers))
        raise InvalidInput(errors={"spot_ids": [f"These are no bays of {lot.name}: {listed}."]})
    if not found:
        raise NotFound(f"{lot.name} has no bays.")
    return found


def _plan_locked(
    lot_id: int, spot_ids: list[int], starts_at: datetime, ends_at: datetime, asked: list[Any]
) -> _Plan:
    """Plan a closing with the claims locked that it changes."""
    locked: set[int] = set()
    for _ in range(_TRIES):
        plan = _plan(lot_id, spot_ids, starts_at, ends_at, asked)
        changing = {move.reservation_id for move in plan.moves} | plan.refunds.keys()
        if changing <= locked:
            return plan
        locked |= lock_claims_at_once(changing - locked)
        if not changing <= locked:
            break
    raise TryAgain


def _plan(
    lot_id: int, spot_ids: list[int], starts_at: datetime, ends_at: datetime, asked: list[Any]
) -> _Plan:
    """Find a place for each booking that a closing hits, the earliest first; those that find none are refunded."""
    now = clock.now()
    closing = set(spot_ids)
    rows = db.session.execute(_STANDING, {"lot_id": lot_id, "now": now}).all()
    places = _Places(lot_id, closing, rows, now)
    refunds: dict[int, int] = {}
    busy_until: dict[int, datetime] = {}
    hit = [
        row
        for row in rows
        if row.spot_id in closing
        and row.reservation_id is not None
        and row.starts_at < ends_at
        and row.ends_at > starts_at
    ]
    for row in hit:
        if row.status in PRESENT:
            busy_until[row.spot_id] = max(row.ends_at, busy_until.get(row.spot_id, row.ends_at))
        elif not places.place(row):
            refunds[row.reservation_id] = net_paid(row.reservation_id)
    moves = places.moves()
    labels = labels_of({row.spot_id for row in rows} | {move.to_spot_id for move in moves})
    to_spot = {move.reservation_id: move.to_spot_id for move in moves}
    told = {row.reservation_id for row in hit} | to_spot.keys()
    affected = [
        Affected(
            row.reservation_id,
            row.code,
            row.plate,
            row.starts_at,
            row.ends_at,
            labels[row.spot_id],
            _action(row, to_spot),
            labels[to_spot[row.reservation_id]] if row.reservation_id in to_spot else None,
            refunds.get(row.reservation_id, 0),
        )
        for row in rows
        if row.reservation_id in told
    ]
    shown = [asked, sorted(to_spot.items()), sorted(refunds.items()), sorted(busy_until)]
    digest = blake2b(json.dumps(shown, default=str).encode(), digest_size=16).hexdigest()
    return _Plan(spot_ids, moves, refunds, busy_until, affected, digest)


def _action(row: Any, to_spot: dict[int, int]) -> Action:
    if row.reservation_id in to_spot:
        return "move"
    return "stays" if row.status in PRESENT else "refund"


class _Places:
    """The bays of a lot that stay open, and who stands there while others are moved in."""

    def __init__(self, lot_id: int, closing: set[int], rows: Sequence[Any], now: datetime) -> None:
        self.now = now
        self.arranged = 0
        bays = db.session.execute(
            select(Spot.id, Spot.kind)
            .where(Spot.lot_id == lot_id)
            .order_by(Spot.entrance_rank, Spot.id)
        )
        self.kinds = {bay.id: bay.kind for bay in bays if bay.id not in closing}
        self.standing: dict[int, list[Standing]] = defaultdict(list)
        self.was: dict[int, int] = {}
        for row in rows:
            if row.reservation_id is not None:
                self.was[row.reservation_id] = row.spot_id
            if row.spot_id in self.kinds:
                movable = (
                    row.status == "confirmed"
                    and not row.pinned
                    and row.booked_from > now + FINAL_BEFORE
                )
                self.standing[row.spot_id].append(
                    Standing(row.spot_id, row.starts_at, row.ends_at, row.reservation_id, movable)
                )

    def place(self, row: Any) -> bool:
        """Find a bay for a booking whose own is closed; False when none can be had."""
        kinds = kinds_in_need(row.kind, row.asked_kind, row.vehicle_kind)
        wish = Wish(kinds, max(row.starts_at, self.now), row.ends_at)
        for kind in kinds:
            for spot_id, each in self.kinds.items():
                if each == kind and self._is_free(spot_id, wish):
                    self._stand(spot_id, row, wish)
                    return True
        if self.arranged == _MOST_ARRANGED:
            return False
        self.arranged += 1
        standing = [one for here in self.standing.values() for one in here]
        found = find_arrangement(Picture(self.kinds, standing), wish, budget=_ARRANGING_BUDGET)
        if found is None:
            return False
        moving = {move.reservation_id: move for move in found.moves}
        leaving = [one for one in standing if one.reservation_id in moving]
        for one in leaving:
            self.standing[one.spot_id].remove(one)
        for one in leaving:
            assert one.reservation_id is not None  # noqa: S101 - only bookings move # nosec B101
            spot_id = moving[one.reservation_id].to_spot_id
            self.standing[spot_id].append(replace(one, spot_id=spot_id))
        self._stand(found.spot_id, row, wish)
        return True

    def moves(self) -> list[Move]:
        """Give who is moved in the end, and whereto."""
        return [
            Move(one.reservation_id, self.was[one.reservation_id], spot_id)
            for spot_id, here in sorted(self.standing.items())
            for one in here
            if one.reservation_id is not None and self.was[one.reservation_id] != spot_id
        ]

    def _is_free(self, spot_id: int, wish: Wish) -> bool:
        return not any(
            one.starts_at < wish.ends_at and one.ends_at > wish.starts_at
            for one in self.standing[spot_id]
        )

    def _stand(self, spot_id: int, row: Any, wish: Wish) -> None:
        # Moved once, it stays there: so each driver is told one thing.
        self.standing[spot_id].append(
            Standing(spot_id, wish.starts_at, wish.ends_at, row.reservation_id)
        )


def _record(
    admin: Caller,
    lot: Lot,
    spot_ids: list[int],
    plan: _Plan,
    *,
    reason: str,
    whole: bool,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    record(
        "lot.closed" if whole else "spots.closed",
        "lot",
        lot.id,
        actor_id=admin.id,
        after={
            "spot_ids": None if whole else spot_ids,
            "starts_at": starts_at.isoformat(),
            "ends_at": None if ends_at == FOREVER else ends_at.isoformat(),
            "reason": reason,
            "moved": [move.reservation_id for move in plan.moves],
            "refunded": sorted(plan.refunds),
            "refund_minor": sum(plan.refunds.values()),
        },
    )
