"""Closing lots and bays, and opening them again.

A closure claims its bays in the same table as bookings do, so that the database itself decides between
a closing and a booking of one moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import service as claims
from backend.database import violates
from backend.errors import LotInUse, SpotInUse
from backend.extensions import db
from backend.models import FOREVER, Closure, Lot, Spot, UtcDateTime
from backend.models.claim import OVERLAP
from backend.signals import window_freed

_MOST_LISTED = 50

# For a closed lot the bays are all those after the given one: 0 means every bay.
_CLAIM_LOT = text(
    """
    INSERT INTO spot_claims (spot_id, lot_id, starts_at, ends_at, kind, closure_id, live)
    SELECT s.id, s.lot_id, k.starts_at, k.ends_at, 'closure', k.id, true
    FROM closures AS k JOIN spots AS s ON s.lot_id = k.lot_id
    WHERE k.lot_id = :lot_id AND k.spot_id IS NULL AND k.lifted_at IS NULL AND s.id > :after_spot_id
    """
)

_CLAIM_SPOT = text(
    """
    INSERT INTO spot_claims (spot_id, lot_id, starts_at, ends_at, kind, closure_id, live)
    SELECT spot_id, lot_id, starts_at, ends_at, 'closure', id, true FROM closures WHERE id = :closure_id
    """
)

_CLAIM_AROUND = text(
    """
    INSERT INTO spot_claims (spot_id, lot_id, starts_at, ends_at, kind, closure_id, live)
    VALUES (:spot_id, :lot_id, :starts_at, :ends_at, 'closure', :closure_id, true)
    """
).bindparams(
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
)

_LIFT_LOT = text(
    """
    UPDATE closures SET lifted_at = :now
    WHERE lot_id = :lot_id AND spot_id IS NULL AND lifted_at IS NULL RETURNING id
    """
).bindparams(bindparam("now", type_=UtcDateTime()))

_LIFT_SPOT = text(
    """
    UPDATE closures SET lifted_at = :now
    WHERE spot_id = :spot_id AND lifted_at IS NULL AND ends_at > :starts_at AND starts_at < :ends_at
    RETURNING id
    """
).bindparams(
    bindparam("now", type_=UtcDateTime()),
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
)

_END_CLAIMS = text(
    "UPDATE spot_claims SET live = false WHERE closure_id IN :closure_ids AND live"
).bindparams(bindparam("closure_ids", expanding=True))

# A car that is in holds its bay past its end.
_STANDING = """
    FROM spot_claims AS c
    JOIN reservations AS r ON r.id = c.reservation_id
    JOIN spots AS s ON s.id = c.spot_id
    WHERE c.lot_id = :lot_id AND c.live AND (c.expires_at IS NULL OR c.expires_at > :now)
      AND (:spot_id = 0 OR c.spot_id = :spot_id) AND c.starts_at < :ends_at
      AND (c.ends_at > :starts_at OR r.status IN ('checked_in', 'overstayed'))
"""

_INSTANTS = (
    bindparam("now", type_=UtcDateTime()),
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
)

_COUNT_STANDING = text(f"SELECT count(*) {_STANDING}").bindparams(*_INSTANTS)

_LIST_STANDING = (
    text(
        f"""
        SELECT r.id, r.code, r.starts_at, r.ends_at, s.label AS spot {_STANDING}
        ORDER BY r.starts_at, r.id LIMIT :most
        """
    )
    .bindparams(*_INSTANTS)
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime())
)


@dataclass(frozen=True, slots=True)
class StandingReservation:
    """A live booking that is in the way."""

    id: int
    code: str
    starts_at: datetime
    ends_at: datetime
    spot: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The live bookings in the way of something: the first of them, and how many there are."""

    reservations: list[StandingReservation]
    total: int

    def extensions(self) -> dict[str, Any]:
        """Give them as a Problem tells them."""
        return {
            "reservations": [
                {
                    "id": each.id,
                    "code": each.code,
                    "starts_at": each.starts_at,
                    "ends_at": each.ends_at,
                    "spot": each.spot,
                }
                for each in self.reservations
            ],
            "total": self.total,
        }


def list_standing(
    lot_id: int,
    *,
    spot_id: int = 0,
    starts_at: datetime | None = None,
    ends_at: datetime = FOREVER,
) -> Standing:
    """List the live bookings of a lot, or of one of its bays, from ``starts_at`` (else now) on."""
    now = clock.now()
    asked = {
        "lot_id": lot_id,
        "spot_id": spot_id,
        "starts_at": starts_at or now,
        "ends_at": ends_at,
        "now": now,
    }
    total = db.session.execute(_COUNT_STANDING, asked).scalar_one()
    rows = db.session.execute(_LIST_STANDING, {**asked, "most": _MOST_LISTED}) if total else ()
    return Standing([StandingReservation(*row) for row in rows], total)


def close_lot(lot: Lot, *, by: int) -> None:
    """Take every bay of a locked lot out of service from now on.

    Raises:
        LotInUse: live reservations stand in it.

    """
    now = clock.now()
    claims.sweep_stale_holds(lot_id=lot.id, plate="", user_id=0)
    _add_closure(
        lot_id=lot.id, starts_at=now, ends_at=FOREVER, reason="The lot is closed.", created_by=by
    )
    standing = list_standing(lot.id, starts_at=now)
    # The list also knows of cars that are in past their end, the constraint of bookings made just now.
    if standing.total or not _claim(_CLAIM_LOT, {"lot_id": lot.id, "after_spot_id": 0}):
        standing = list_standing(lot.id, starts_at=now)
        raise LotInUse(
            f"{lot.name} cannot be closed while bookings stand in it.", **standing.extensions()
        )


def close_around(
    lot: Lot,
    *,
    spot_ids: Sequence[int] | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: int,
    busy_until: Mapping[int, datetime],
) -> dict[int, tuple[datetime, datetime]] | None:
    """Take locked bays, or with None the locked lot as such, out of service around the cars that are in.

    A bay that is ``busy_until`` a moment closes then. Gives when each bay is closed; None when a booking is
    in the way, and then nothing is done.
    """
    common = {"lot_id": lot.id, "reason": reason, "created_by": by}
    bays = spot_ids or db.session.scalars(select(Spot.id).where(Spot.lot_id == lot.id)).all()
    spans = {}
    for spot_id in bays:
        since = max(starts_at, busy_until.get(spot_id, starts_at))
        if since < ends_at:
            spans[spot_id] = (since, ends_at)
    if spot_ids is None:
        closure_id = _add_closure(**common, starts_at=starts_at, ends_at=ends_at).id
        closures = dict.fromkeys(spans, closure_id)
    else:
        closures = {
            spot_id: _add_closure(**common, spot_id=spot_id, starts_at=span[0], ends_at=span[1]).id
            for spot_id, span in spans.items()
        }
    rows = [
        {
            "spot_id": spot_id,
            "lot_id": lot.id,
            "starts_at": span[0],
            "ends_at": span[1],
            "closure_id": closures[spot_id],
        }
        for spot_id, span in spans.items()
    ]
    return spans if not rows or _claim(_CLAIM_AROUND, rows) else None


def reopen_lot(lot: Lot) -> None:
    """Put the bays of a locked lot into service again, but for those closed by themselves."""
    _end_closures(db.session.execute(_LIFT_LOT, {"lot_id": lot.id, "now": clock.now()}).scalars())


def close_new_spots(lot: Lot, *, after_spot_id: int) -> None:
    """Let bays that were just added to a locked lot share in its closure, if it is closed."""
    db.session.execute(_CLAIM_LOT, {"lot_id": lot.id, "after_spot_id": after_spot_id})


def close_spot(spot: Spot, *, starts_at: datetime, ends_at: datetime, reason: str, by: int) -> None:
    """Take a locked bay out of service for a window, in place of what it was closed for meanwhile.

    Raises:
        SpotInUse: live reservations stand on it in the window.

    """
    claims.sweep_stale_holds(lot_id=spot.lot_id, plate="", user_id=0)
    _lift_spot(spot, starts_at, ends_at)
    closure = _add_closure(
        lot_id=spot.lot_id,
        spot_id=spot.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        created_by=by,
    )
    if not _claim(_CLAIM_SPOT, {"closure_id": closure.id}):
        raise SpotInUse(
            f"Bay {spot.label} cannot be taken out of service while bookings stand on it.",
            **list_standing(
                spot.lot_id, spot_id=spot.id, starts_at=starts_at, ends_at=ends_at
            ).extensions(),
        )


def reopen_spot(spot: Spot) -> None:
    """End what a locked bay is closed for by itself from now on; who waits for it comes first."""
    now = clock.now()
    if _lift_spot(spot, now, FOREVER):
        window_freed.send(None, lot_id=spot.lot_id, starts_at=now, ends_at=FOREVER)


def _lift_spot(spot: Spot, starts_at: datetime, ends_at: datetime) -> bool:
    """End what a locked bay is closed for by itself within a window; tell whether it was."""
    lifted = db.session.execute(
        _LIFT_SPOT,
        {"spot_id": spot.id, "now": clock.now(), "starts_at": starts_at, "ends_at": ends_at},
    )
    ids = list(lifted.scalars())
    _end_closures(ids)
    return bool(ids)


def _add_closure(**facts: Any) -> Closure:
    closure = Closure(created_at=clock.now(), **facts)
    db.session.add(closure)
    # Its claims are made by SQL, which needs its id.
    db.session.flush()
    return closure


def _claim(statement: Any, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bool:
    """Claim bays for a closure; tell whether no booking was in the way."""
    # The refusal lists what is in the way, and a failed statement would end the transaction for that.
    savepoint = db.session.begin_nested()
    try:
        db.session.execute(statement, values)
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, OVERLAP):
            return False
        raise
    savepoint.commit()
    return True


def _end_closures(closure_ids: Any) -> None:
    if ids := list(closure_ids):
        db.session.execute(_END_CLAIMS, {"closure_ids": ids})
