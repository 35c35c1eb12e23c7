"""Giving live claims other bays: what a search for room needs to see, and what it does."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims.rearranging import Move, Picture, Standing, Wish
from backend.database import try_lock_name, violates
from backend.extensions import db
from backend.models import UtcDateTime
from backend.models.claim import OVERLAP

FINAL_BEFORE = timedelta(hours=2)
"""From so long before its start the bay of a booking is final."""

_MOST_TRIED = 5
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_BAYS = text(
    "SELECT id, kind FROM spots WHERE lot_id = :lot_id AND kind IN :kinds ORDER BY entrance_rank, id"
).bindparams(bindparam("kinds", expanding=True))

# ``live`` as a literal, for the partial index.
_STANDING = (
    text(
        """
        SELECT c.spot_id, c.starts_at, c.ends_at, c.reservation_id,
               coalesce(r.status = 'confirmed' AND NOT r.pinned AND r.starts_at > :final_until, false) AS movable
        FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id
        LEFT JOIN reservations AS r ON r.id = c.reservation_id
        WHERE c.lot_id = :lot_id AND c.live AND c.ends_at > :since AND c.starts_at < :until
          AND s.kind IN :kinds AND (:with_stale OR c.expires_at IS NULL OR c.expires_at > :now)
        """
    )
    .bindparams(
        bindparam("kinds", expanding=True),
        *(
            bindparam(name, type_=UtcDateTime())
            for name in ("since", "until", "final_until", "now")
        ),
    )
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime())
)


def read_picture(
    lot_id: int,
    wish: Wish,
    *,
    until: datetime,
    with_stale: bool = True,
) -> Picture:
    """Read what matters of a lot for a wish: bays of its kinds, and what stands on them up to ``until``.

    With ``with_stale`` unpaid holds past their deadline stand too, as they do for the constraint.
    """
    now = clock.now()
    kinds = list(wish.kinds)
    rows = db.session.execute(
        _STANDING,
        {
            "lot_id": lot_id,
            "kinds": kinds,
            # What ends before is in the way neither of the wish nor of anything movable.
            "since": min(wish.starts_at, now + FINAL_BEFORE),
            "until": until,
            "final_until": now + FINAL_BEFORE,
            "with_stale": with_stale,
            "now": now,
        },
    )
    standing = [
        Standing(row.spot_id, row.starts_at, row.ends_at, row.reservation_id, bool(row.movable))
        for row in rows
    ]
    bays = db.session.execute(_BAYS, {"lot_id": lot_id, "kinds": kinds})
    return Picture({spot_id: kind for spot_id, kind in bays}, standing)  # noqa: C416 - rows are no pairs


def try_lock_rearranging(lot_id: int) -> bool:
    """Become the only one who moves bookings of a lot, until the transaction ends; False when another is at it.

    Two who move at once could wait for each other's bays in a circle. Nobody waits for this lock, since
    who asks may hold claims that its owner needs.
    """
    return try_lock_name(f"rearranging:{lot_id}")


def lock_claims_at_once(reservation_ids: Collection[int]) -> set[int]:
    """Lock the live claims of these reservations that nobody else has locked; give whose they are."""
    if not reservation_ids:
        return set()
    rows = db.session.execute(
        _lock_statement(db.engine.dialect.name == "postgresql"),
        {"ids": sorted(reservation_ids)},
    )
    return set(rows.scalars())


@cache
def _lock_statement(on_postgresql: bool) -> TextClause:  # noqa: FBT001 - it is the key of the cache
    # Both endings stand right here.
    # nosemgrep: sql-put-together
    return text(
        "SELECT reservation_id FROM spot_claims WHERE live AND reservation_id IN :ids ORDER BY id"
        + (" FOR UPDATE SKIP LOCKED" if on_postgresql else "")
    ).bindparams(bindparam("ids", expanding=True))


_TAKE_OUT = text(
    "UPDATE spot_claims SET live = false WHERE live AND reservation_id IN :ids"
).bindparams(bindparam("ids", expanding=True))

_PUT_IN = text(
    """
    UPDATE spot_claims SET
        spot_id = :spot_id, live = true,
        starts_at = CASE WHEN starts_at < :not_before THEN :not_before ELSE starts_at END
    WHERE reservation_id = :reservation_id AND NOT live
    """
).bindparams(bindparam("not_before", type_=UtcDateTime()))


def move_claims(moves: Sequence[Move]) -> bool:
    """Give locked claims other bays, all or none; False when one of the bays is not free any more.

    All are taken out before the first is put in, so that bookings may change places in a circle.
    """
    if not moves:
        return True
    take_out([move.reservation_id for move in moves])
    for done, move in enumerate(moves):
        if not put_in(move.reservation_id, move.to_spot_id):
            take_out([each.reservation_id for each in moves[:done]])
            for each in moves:
                put_in(each.reservation_id, each.from_spot_id)
            return False
    return True


def take_out(reservation_ids: Sequence[int]) -> None:
    """End claims for a moment, in which others get their bays."""
    if reservation_ids:
        db.session.execute(_TAKE_OUT, {"ids": list(reservation_ids)})


def put_in(reservation_id: int, spot_id: int, *, not_before: datetime = _EVER) -> bool:
    """Let a claim that was taken out stand on a bay; False when the bay is not free.

    What began before ``not_before`` stands there from then on: it was elsewhere until then.
    """
    savepoint = db.session.begin_nested()
    try:
        db.session.execute(
            _PUT_IN,
            {"reservation_id": reservation_id, "spot_id": spot_id, "not_before": not_before},
        )
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, OVERLAP):
            return False
        raise
    savepoint.commit()
    return True


_FREE = text(
    """
    SELECT s.id FROM spots AS s
    WHERE s.lot_id = :lot_id AND s.kind = :kind AND s.id <> :but AND NOT EXISTS (
        SELECT 1 FROM spot_claims AS c
        WHERE c.spot_id = s.id AND c.live AND c.ends_at > :starts_at AND c.starts_at < :ends_at
    )
    ORDER BY s.entrance_rank, s.id LIMIT :most
    """
).bindparams(
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
)


def put_in_anywhere(
    lot_id: int,
    kinds: Sequence[str],
    *,
    reservation_id: int,
    starts_at: datetime,
    ends_at: datetime,
    but: int,
) -> int | None:
    """Let a claim that was taken out stand on a free bay, any ``but`` one, of the foremost kind; give it."""
    for kind in kinds:
        spot_ids = db.session.execute(
            _FREE,
            {
                "lot_id": lot_id,
                "kind": kind,
                "but": but,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "most": _MOST_TRIED,
            },
        ).scalars()
        for spot_id in list(spot_ids):
            if put_in(reservation_id, spot_id, not_before=starts_at):
                return int(spot_id)
    return None


def labels_of(spot_ids: Collection[int]) -> Mapping[int, str]:
    """Give the labels of bays."""
    rows = db.session.execute(
        text("SELECT id, label FROM spots WHERE id IN :ids").bindparams(
            bindparam("ids", expanding=True)
        ),
        {"ids": sorted(spot_ids)},
    )
    return {row.id: row.label for row in rows}
