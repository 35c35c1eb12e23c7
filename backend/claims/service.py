"""Claiming bays. The constraint is the guard; every look beforehand only spares a refusal.

Locks are taken in the order driver → lot → spot → claim → reservation; rows of one kind by ascending id.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, CursorResult, Executable, TextClause, bindparam, text
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.database import limit_lock_waits, time_left, violates
from backend.extensions import db
from backend.models import UtcDateTime
from backend.models.claim import OVERLAP
from backend.signals import window_freed
from backend.transaction import TryAgain

_PATIENCE_SECONDS = 2.0
_NEIGHBOURHOOD = timedelta(days=1)


def _instants(*names: str) -> list[BindParameter[datetime]]:
    return [bindparam(name, type_=UtcDateTime()) for name in names]


_STALE_IN_THE_WAY = """
    SELECT c.id FROM spot_claims AS c JOIN reservations AS r ON r.id = c.reservation_id
    WHERE c.live AND c.expires_at <= :now
      AND (c.lot_id = :lot_id OR r.plate = :plate OR r.user_id = :user_id)
    ORDER BY c.id
"""

_STALE_WHERE_IT_STOOD = """
    SELECT c.id FROM spot_claims AS c JOIN reservations AS r ON r.id = c.reservation_id
    WHERE c.reservation_id = :reservation_id OR c.live AND c.expires_at <= :now AND (
        c.spot_id = (SELECT own.spot_id FROM spot_claims AS own WHERE own.reservation_id = :reservation_id)
        OR r.plate = (SELECT own.plate FROM reservations AS own WHERE own.id = :reservation_id)
    )
    ORDER BY c.id
"""

_STALE_ITSELF = """
    SELECT c.id FROM spot_claims AS c
    WHERE c.reservation_id = :reservation_id AND c.live AND c.expires_at <= :now
"""

_STALE_ANYWHERE = """
    SELECT c.id FROM spot_claims AS c WHERE c.live AND c.expires_at <= :now ORDER BY c.id LIMIT :most
"""

_END_CLAIMS = (
    text(
        """
        UPDATE spot_claims SET live = false WHERE id IN :ids AND live AND expires_at <= :now
        RETURNING reservation_id, lot_id, starts_at, ends_at
        """
    )
    .bindparams(bindparam("ids", expanding=True), *_instants("now"))
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime())
)

_EXPIRE_RESERVATIONS = text(
    """
    UPDATE reservations SET status = 'expired', live = false, ended_at = :now
    WHERE id IN :ids AND live AND status = 'held'
    """
).bindparams(bindparam("ids", expanding=True), *_instants("now"))


def sweep_stale_holds(*, lot_id: int | None, plate: str, user_id: int) -> None:
    """Expire the holds past their deadline that could stand in the way of a booking.

    Those of the lot, of the vehicle and of the driver. It is a statement of its own before the claim,
    so that the claim's snapshot sees its effect: else a lone client would meet a false refusal. Who waits
    for what becomes free comes first; only an operator (the user 0), who frees it to close it, offers it
    to nobody.
    """
    freed = _expire(_STALE_IN_THE_WAY, lot_id=lot_id, plate=plate, user_id=user_id)
    if user_id:
        _tell_freed(freed, user_id=user_id)


def sweep_before_revival(reservation_id: int) -> None:
    """Lock a reservation's claim, and expire the stale holds that stand where it stood.

    All are locked in one statement: one after the other, two of these could wait for each other. What is
    freed is for the one who paid; the waitlist is looked through each minute.
    """
    _expire(_STALE_WHERE_IT_STOOD, reservation_id=reservation_id)


def expire_stale_holds(*, most: int) -> int:
    """Expire up to ``most`` holds past their deadline, wherever they are; give how many there were."""
    freed = _expire(_STALE_ANYWHERE, most=most)
    _tell_freed(freed)
    return len(freed)


def end_stale_hold(reservation_id: int) -> bool:
    """Expire a hold whose claim is locked; False when its deadline is not past."""
    return bool(_expire(_STALE_ITSELF, reservation_id=reservation_id))


def _expire(stale: str, **values: int | str | None) -> list[Any]:
    """End stale holds; give what becomes free: lots and windows."""
    now = clock.now()
    ids = list(_run(_locking(stale, _on_postgresql()), {"now": now, **values}).scalars())
    if not ids:
        return []
    # What was prolonged or paid while we waited for its lock is not ended.
    ended = list(_run(_END_CLAIMS, {"ids": ids, "now": now}))
    if ended:
        _run(_EXPIRE_RESERVATIONS, {"ids": [each.reservation_id for each in ended], "now": now})
    return ended


def _tell_freed(freed: Sequence[Any], *, user_id: int | None = None) -> None:
    for each in freed:
        window_freed.send(
            None,
            lot_id=each.lot_id,
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            user_id=user_id,
        )


@cache
def _locking(stale: str, on_postgresql: bool) -> TextClause:  # noqa: FBT001 - it is the key of the cache
    # What is stale is one of the constants that are handed in.
    # nosemgrep: sql-put-together
    return text(stale + (" FOR UPDATE OF c" if on_postgresql else "")).bindparams(*_instants("now"))


_CLAIM = """
    INSERT INTO spot_claims (spot_id, lot_id, starts_at, ends_at, kind, reservation_id, live, expires_at)
    SELECT id, lot_id, :starts_at, :ends_at, :kind, :reservation_id, true, :expires_at
    FROM spots WHERE id = :spot_id
"""

# Where two clients want one bay, the second waits for the first and then claims nothing. Without the
# constraint's name PostgreSQL would swallow every other conflict too.
_CLAIM_POSTGRESQL, _CLAIM_SQLITE = (
    # Both endings stand right here.
    # nosemgrep: sql-put-together
    text(f"{_CLAIM} {on_conflict} RETURNING id").bindparams(
        *_instants("starts_at", "ends_at", "expires_at")
    )
    for on_conflict in (f"ON CONFLICT ON CONSTRAINT {OVERLAP} DO NOTHING", "")
)


def claim_spot(
    spot_id: int,
    *,
    reservation_id: int,
    starts_at: datetime,
    ends_at: datetime,
    expires_at: datetime | None,
    kind: str = "reservation",
) -> bool:
    """Claim this very bay for a reservation, or of the kind ``walk_in``; tell whether it was free."""
    try:
        claimed = _run(
            _CLAIM_POSTGRESQL if _on_postgresql() else _CLAIM_SQLITE,
            {
                "spot_id": spot_id,
                "reservation_id": reservation_id,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "kind": kind,
                "expires_at": expires_at,
            },
        ).scalar()
    except IntegrityError as error:
        if violates(error, OVERLAP):
            return False
        raise
    return claimed is not None


def claim_any_spot(
    lot_id: int,
    kinds: Sequence[str],
    *,
    reservation_id: int,
    starts_at: datetime,
    ends_at: datetime,
    expires_at: datetime | None,
    kind: str = "reservation",
) -> int | None:
    """Claim the best free bay of these kinds for a reservation; give its id, or None when all are taken.

    The best is of the foremost kind; then one that is used around the window anyhow, so that untouched
    bays stay free for long windows; then the nearest to the entrance; chance decides among equals, so
    that many clients at once do not all run for one bay.

    Raises:
        TryAgain: the only free bays are being changed, or too many others want them just now.

    """
    window = {"starts_at": starts_at, "ends_at": ends_at}
    wanted = {
        "lot_id": lot_id,
        "kinds": list(kinds),
        "order": "," + ",".join(kinds) + ",",
        "near_from": starts_at - _NEIGHBOURHOOD,
        "near_to": ends_at + _NEIGHBOURHOOD,
        # After a lost race chance alone decides among bays of a kind: the best one is where the crowd is.
        "shuffle": False,
        **window,
    }
    pick, look = _picks(_on_postgresql())
    deadline = time.monotonic() + min(_PATIENCE_SECONDS, time_left())
    # Each lost race is another's booking, so this ends where the free bays do.
    while time.monotonic() < deadline:
        spot_id: int | None = _run(pick, wanted).scalar()
        if spot_id is None:
            if look is not None and _run(look, wanted).scalar() is not None:
                raise TryAgain
            return None
        if claim_spot(
            spot_id, reservation_id=reservation_id, expires_at=expires_at, kind=kind, **window
        ):
            return spot_id
        wanted["shuffle"] = True
        limit_lock_waits()
    raise TryAgain


@cache
def _picks(on_postgresql: bool) -> tuple[TextClause, TextClause | None]:  # noqa: FBT001 - it is the key of the cache
    """Give the statement that picks a bay, and the one that looks whether it passed over any.

    A bay that an admin is changing is passed over, never waited for: who changes it may wait for a
    claim that we ended.
    """
    if on_postgresql:
        return _pick("strpos", "FOR SHARE OF s SKIP LOCKED"), _pick("strpos", "")
    return _pick("instr", ""), None


def _pick(position: str, lock: str) -> TextClause:
    # Its only callers stand above.
    # nosemgrep: sql-put-together
    return text(
        f"""
        SELECT s.id FROM spots AS s
        WHERE s.lot_id = :lot_id AND s.kind IN :kinds AND NOT EXISTS (
            SELECT 1 FROM spot_claims AS c
            WHERE c.spot_id = s.id AND c.live AND c.ends_at > :starts_at AND c.starts_at < :ends_at
        )
        ORDER BY
            {position}(:order, ',' || s.kind || ','),
            CASE WHEN :shuffle THEN 0 WHEN EXISTS (
                SELECT 1 FROM spot_claims AS c
                WHERE c.spot_id = s.id AND c.live AND c.ends_at > :near_from AND c.starts_at < :near_to
            ) THEN 0 ELSE 1 END,
            CASE WHEN :shuffle THEN 0 ELSE s.entrance_rank END,
            random()
        LIMIT 1 {lock}
        """
    ).bindparams(
        bindparam("kinds", expanding=True),
        *_instants("starts_at", "ends_at", "near_from", "near_to"),
    )


_LOCK = text("SELECT id FROM spot_claims WHERE reservation_id = :reservation_id FOR UPDATE")

_KEEP = text(
    """
    UPDATE spot_claims SET expires_at = NULL
    WHERE reservation_id = :reservation_id AND live AND expires_at > :now RETURNING id
    """
).bindparams(*_instants("now"))

_PROLONG = text(
    """
    UPDATE spot_claims SET expires_at = :expires_at
    WHERE reservation_id = :reservation_id AND live AND expires_at > :now RETURNING id
    """
).bindparams(*_instants("now", "expires_at"))

_RELEASE = text(
    "UPDATE spot_claims SET live = false WHERE reservation_id = :reservation_id AND live RETURNING id"
)

_REVIVE = text(
    """
    UPDATE spot_claims SET live = true, expires_at = NULL
    WHERE reservation_id = :reservation_id AND (NOT live OR expires_at IS NOT NULL) RETURNING id
    """
)

_RESHAPE = text(
    """
    UPDATE spot_claims SET
        spot_id = coalesce(CAST(:spot_id AS bigint), spot_id),
        starts_at = coalesce(:starts_at, starts_at),
        ends_at = coalesce(:ends_at, ends_at)
    WHERE reservation_id = :reservation_id AND live RETURNING id
    """
).bindparams(*_instants("starts_at", "ends_at"))


def lock_claim(reservation_id: int) -> None:
    """Lock a reservation's claim, as everyone does before changing the reservation."""
    if _on_postgresql():
        _run(_LOCK, {"reservation_id": reservation_id})


def keep_claim(reservation_id: int) -> bool:
    """Make a hold's claim lasting, as its reservation is paid; False when the deadline is past."""
    return _touched(_KEEP, reservation_id, now=clock.now())


def prolong_claim(reservation_id: int, *, expires_at: datetime) -> bool:
    """Give a hold's claim a later deadline; False when the present one is past."""
    return _touched(_PROLONG, reservation_id, now=clock.now(), expires_at=expires_at)


def release_claim(reservation_id: int) -> bool:
    """End a reservation's claim, so that its bay is free; False when it ended before."""
    return _touched(_RELEASE, reservation_id)


def revive_claim(reservation_id: int) -> bool:
    """Take the bay of an expired hold again; False when somebody else has it by now."""
    savepoint = db.session.begin_nested()
    try:
        revived = _touched(_REVIVE, reservation_id)
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, OVERLAP):
            return False
        raise
    savepoint.commit()
    return revived


def reshape_claim(
    reservation_id: int,
    *,
    spot_id: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> bool:
    """Give a live claim another bay, another start or another end; what is not given stays.

    False when the bay is not free for that, or the claim is not live; nothing is changed then.
    """
    savepoint = db.session.begin_nested()
    try:
        reshaped = _run(
            _RESHAPE,
            {
                "reservation_id": reservation_id,
                "spot_id": spot_id,
                "starts_at": starts_at,
                "ends_at": ends_at,
            },
        ).first()
    except IntegrityError as error:
        savepoint.rollback()
        if violates(error, OVERLAP):
            return False
        raise
    savepoint.commit()
    return reshaped is not None


def _touched(statement: TextClause, reservation_id: int, **values: datetime) -> bool:
    row = _run(statement, {"reservation_id": reservation_id, **values}).first()
    return row is not None


def _run(statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    # Straight to the connection: the session's own way costs as much again, and maps nothing here.
    return db.session.connection().execute(statement, values)


def _on_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"
