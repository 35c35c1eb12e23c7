"""Cars that are in: whoever has not left holds the bay, whatever was booked."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, text

from backend import clock
from backend.claims.placing import lock_claims_at_once, take_out, try_lock_rearranging
from backend.claims.service import end_stale_hold, reshape_claim
from backend.extensions import db
from backend.models import UtcDateTime
from backend.signals import bay_needed

_STRETCH = timedelta(minutes=15)
# A claim that was stretched within the last minute is not written again: each booking comes by here.
_SLACK = timedelta(minutes=1)

_INSTANTS = ("now", "until")

_OVERDUE = (
    text(
        """
        SELECT c.lot_id, c.spot_id, c.reservation_id, c.ends_at
        FROM reservations AS r JOIN spot_claims AS c ON c.reservation_id = r.id
        WHERE r.live AND r.status IN ('checked_in', 'overstayed') AND r.ends_at <= :now
          AND c.live AND c.ends_at < :until AND (:lot_id = 0 OR c.lot_id = :lot_id)
          AND EXISTS (SELECT 1 FROM stays AS k WHERE k.reservation_id = r.id AND k.left_at IS NULL)
        ORDER BY c.lot_id, c.ends_at, c.id
        """
    )
    .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in _INSTANTS))
    .columns(ends_at=UtcDateTime())
)

_NEXT = (
    text(
        """
        SELECT c.reservation_id, c.starts_at, r.status
        FROM spot_claims AS c LEFT JOIN reservations AS r ON r.id = c.reservation_id
        WHERE c.spot_id = :spot_id AND c.live AND c.starts_at < :until AND c.ends_at > :since
          AND (c.reservation_id IS NULL OR c.reservation_id <> :reservation_id)
        ORDER BY c.starts_at, c.id
        """
    )
    .bindparams(
        bindparam("until", type_=UtcDateTime()),
        bindparam("since", type_=UtcDateTime()),
    )
    .columns(starts_at=UtcDateTime())
)


def list_lots_overdue() -> list[int]:
    """List the lots in which a car is in past its end and its claim is about to end."""
    now = clock.now()
    rows = db.session.execute(_OVERDUE, {"now": now, "until": now + _STRETCH - _SLACK, "lot_id": 0})
    return sorted({row.lot_id for row in rows})


def stretch_present(lot_id: int | None = None) -> int:
    """Let cars that are in past their end hold their bays for 15 minutes more; give how many there were.

    A booking that stood there next is taken out, earliest first, and whoever listens to
    ``bay_needed`` finds it another bay or gives the money back. In one lot, or without one in all.
    It waits for nobody: what another is changing this very moment waits for the next minute.
    """
    now = clock.now()
    overdue: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(
        _OVERDUE, {"now": now, "until": now + _STRETCH - _SLACK, "lot_id": lot_id or 0}
    ):
        overdue[row.lot_id].append(row)
    count = 0
    for lot, present in overdue.items():
        if try_lock_rearranging(lot):
            count += sum(_stretch(each, until=now + _STRETCH) for each in present)
    return count


def _stretch(present: Any, *, until: datetime) -> bool:
    if not lock_claims_at_once([present.reservation_id]):
        return False
    in_the_way = []
    for row in db.session.execute(
        _NEXT,
        {
            "spot_id": present.spot_id,
            "since": present.ends_at,
            "until": until,
            "reservation_id": present.reservation_id,
        },
    ).all():
        is_booked = row.status in {"held", "confirmed"}
        if not is_booked or not lock_claims_at_once([row.reservation_id]):
            # The bay is closed from then on, or somebody is at this booking just now.
            until = row.starts_at
            break
        if end_stale_hold(row.reservation_id):
            continue
        in_the_way.append(row.reservation_id)
    take_out(in_the_way)
    stretched = until > present.ends_at and reshape_claim(present.reservation_id, ends_at=until)
    for reservation_id in in_the_way:
        bay_needed.send(None, reservation_id=reservation_id)
    return stretched
