"""What a driver may take instead, when the wish cannot be granted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text

from backend.database import get_row
from backend.extensions import db
from backend.lots.search import find_next_window, list_free_nearby
from backend.models import Lot, UtcDateTime

_MOST_SPOTS = 3
_MOST_LOTS = 3

_FREE_SPOTS = text(
    """
    SELECT s.id, s.label, s.level, s.kind FROM spots AS s
    WHERE s.lot_id = :lot_id AND s.kind IN :kinds AND NOT EXISTS (
        SELECT 1 FROM spot_claims AS c
        WHERE c.spot_id = s.id AND c.live AND c.ends_at > :starts_at AND c.starts_at < :ends_at
    )
    ORDER BY CASE WHEN s.level = :level THEN 0 ELSE 1 END,
             (s.x - :x) * (s.x - :x) + (s.y - :y) * (s.y - :y), s.entrance_rank, s.id
    LIMIT :most
    """
).bindparams(
    bindparam("kinds", expanding=True),
    bindparam("starts_at", type_=UtcDateTime()),
    bindparam("ends_at", type_=UtcDateTime()),
)


def list_free_spots(
    lot_id: int,
    kinds: Sequence[str],
    *,
    starts_at: datetime,
    ends_at: datetime,
    near: tuple[str, float, float] | None = None,
) -> list[dict[str, Any]]:
    """List some free bays of a lot, the nearest to a place there foremost: its level, x and y."""
    level, x, y = near or ("", 0.0, 0.0)
    return [
        dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping
        for row in db.session.execute(
            _FREE_SPOTS,
            {
                "lot_id": lot_id,
                "kinds": list(kinds),
                "level": level,
                "x": x,
                "y": y,
                "most": _MOST_SPOTS,
                "starts_at": starts_at,
                "ends_at": ends_at,
            },
        )
    ]


def look_for_alternatives(**wish: Any) -> dict[str, Any]:
    """Give what a refusal tells beyond itself: see :func:`find_alternatives`."""
    return {"alternatives": find_alternatives(**wish)}


def find_alternatives(
    *,
    lot_id: int,
    kinds: Sequence[str],
    starts_at: datetime,
    ends_at: datetime,
    height_cm: int | None,
    near: tuple[str, float, float] | None = None,
) -> dict[str, Any]:
    """List free bays of a lot; when there are none, other lots and a later time.

    The bays come nearest first, where ``near`` is the level of the one that was wished for and its
    place there. The lots let a vehicle of this height in.
    """
    window = {"starts_at": starts_at, "ends_at": ends_at}
    spots = list_free_spots(lot_id, kinds, near=near, **window)
    if spots:
        return {"spots": spots, "lots": [], "next_window": None}
    lot = get_row(Lot, lot_id)
    later = find_next_window(lot, kinds=kinds, **window)
    return {
        "spots": [],
        "lots": list_free_nearby(lot, kinds=kinds, height_cm=height_cm, most=_MOST_LOTS, **window),
        "next_window": {"starts_at": later.starts_at, "ends_at": later.ends_at} if later else None,
    }
