"""What a ticket says."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from backend.config import settings
from backend.extensions import db
from backend.models import Lot, Reservation, Spot, SpotClaim, User
from backend.money import format_money


def ticket_context(reservation_id: int, *, receipt: str | None) -> tuple[str, dict[str, Any]]:
    """Give the address that a ticket goes to, and the words on it: times in the lot's zone.

    ``receipt`` is the number of the receipt; there is none where there was nothing to pay.
    """
    reservation, lot, spot, user = db.session.execute(
        select(Reservation, Lot, Spot, User)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .join(User, User.id == Reservation.user_id)
        .where(Reservation.id == reservation_id)
    ).one()
    return user.email, {
        "reservation_id": reservation.id,
        "name": user.name,
        "code": reservation.code,
        "lot": lot.name,
        "address": lot.postal_address,
        "bay": spot.label,
        "level": spot.level,
        "plate": reservation.plate,
        "window": window_text(reservation.starts_at, reservation.ends_at, lot.timezone),
        "receipt": receipt,
        "price": format_money(reservation.price_minor, reservation.currency),
        "brand": settings().brand_name,
    }


def window_text(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """Write a window as a person reads it, in the zone of the place: Mon 23 Nov 2026, 10:00 to 12:00 (CET)."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (starts_at, ends_at))
    first = f"{start:%a} {start.day} {start:%b %Y, %H:%M}"
    last = (
        f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b %Y, %H:%M}"
    )
    return f"{first}–{last} ({end.tzname()})"


def moment_text(moment: datetime, zone: str) -> str:
    """Write a moment as a person reads it, in the zone of the place: Mon 23 Nov 2026, 10:00 (CET)."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} ({local.tzname()})"
