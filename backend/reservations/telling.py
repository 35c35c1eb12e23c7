"""Telling drivers what became of their booking."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from backend.extensions import db
from backend.models import Lot, Reservation, Spot, SpotClaim, User
from backend.money import format_money
from backend.notifications.telling import notify
from backend.notifications.wording import moment_text, window_text

_AMOUNT = "_minor"
# What costs money, or gives it back, is told in any case.
_KINDS = {
    **dict.fromkeys(("moved", "vehicle-changed", "no-show", "completed"), "booking"),
    **dict.fromkeys(("cancelled", "displaced", "extended", "rescheduled", "overstay"), "money"),
    "waitlist-offer": "waitlist",
}


def tell(reservation_id: int, template: str, *, key: str, **more: Any) -> None:
    """Tell the driver of a reservation, in the transaction that causes it; a walk-in has none.

    The words know the booking as it is now, and ``more``: of that an amount ``refund_minor`` becomes the
    words ``refund``, and a moment is written in the lot's zone.
    """
    row = db.session.execute(
        select(Reservation, Lot, Spot, User)
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .join(User, User.id == Reservation.user_id)
        .where(Reservation.id == reservation_id)
    ).one_or_none()
    if row is None:
        return
    reservation, lot, spot, user = row
    context: dict[str, Any] = {
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
    }
    for name, value in more.items():
        if isinstance(value, datetime):
            context[name] = moment_text(value, lot.timezone, user.locale)
        elif name.endswith(_AMOUNT):
            written = format_money(value, reservation.currency) if value else ""
            context[name.removesuffix(_AMOUNT)] = written
        else:
            context[name] = value
    notify(
        user.id,
        template,
        key=key,
        kind=_KINDS[template],
        context=context,
        link=f"/bookings/{reservation.id}",
    )
