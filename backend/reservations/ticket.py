"""What a ticket says."""

from typing import Any

from sqlalchemy import select

from backend.config import settings
from backend.extensions import db
from backend.models import Lot, Reservation, Spot, SpotClaim, User
from backend.money import format_money
from backend.notifications.wording import window_text


def ticket_context(reservation_id: int, *, receipt: str | None) -> tuple[int, dict[str, Any]]:
    """Give the user that a ticket goes to, and the words on it: times in the lot's zone.

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
    return user.id, {
        "reservation_id": reservation.id,
        "name": user.name,
        "code": reservation.code,
        "lot": lot.name,
        "address": lot.postal_address,
        "bay": spot.label,
        "level": spot.level,
        "plate": reservation.plate,
        "window": window_text(
            reservation.starts_at, reservation.ends_at, lot.timezone, user.locale
        ),
        "receipt": receipt,
        "price": format_money(reservation.price_minor, reservation.currency),
        "brand": settings().brand_name,
    }
