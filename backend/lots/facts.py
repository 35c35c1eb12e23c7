"""Lots and bays as the audit log keeps them."""

from collections.abc import Iterable
from typing import Any

from backend.models import Closure, Lot, Spot

_LOT = (
    *("name", "address", "city", "lat", "lng", "timezone", "status"),
    *("opening_hours", "height_limit_cm", "refund_policy"),
    *("entry_minutes", "entry_minutes_long", "grace_minutes"),
    *("refunds_early_exit", "allows_reentry", "allows_self_check_in"),
)
_SPOT = ("label", "level", "kind", "x", "y", "rotation")


def lot_facts(lot: Lot) -> dict[str, Any]:
    """Tell what an admin may change of a lot, whose amenities are loaded."""
    facts = {name: getattr(lot, name) for name in _LOT}
    return {**facts, "amenities": sorted(row.amenity for row in lot.amenities)}


def spot_facts(spot: Spot, closures: Iterable[Closure]) -> dict[str, Any]:
    """Tell what an admin may change of a bay, and when it is out of service from now on."""
    facts: dict[str, Any] = {name: getattr(spot, name) for name in _SPOT}
    facts["closures"] = [
        {
            "reason": closure.reason,
            "starts_at": closure.starts_at.isoformat(),
            "ends_at": closure.ends_at.isoformat(),
        }
        for closure in closures
    ]
    return facts
