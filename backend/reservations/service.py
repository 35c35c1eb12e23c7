"""What may be done to a reservation after it is made: prolong its hold, let it go, let it expire."""

from sqlalchemy import select, update

from backend import clock
from backend.claims import service as claims
from backend.errors import HoldExpired, IllegalTransition, NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import Reservation
from backend.reservations.confirming import WISHED, extend_hold
from backend.signals import availability_changed
from backend.transaction import after_commit

_PROLONGED_BY_MINUTES = 5
_BATCH = 500


def cancel_hold(driver: Caller, reservation_id: int) -> None:
    """Let an unpaid hold go; its bay is free at once.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it is no hold any more.

    """
    lot_id, status = _own(driver, reservation_id)
    if status == "held":
        # The claim comes first: whoever wants the bay locks it first too.
        claims.release_claim(reservation_id)
    cancelled = db.session.execute(
        update(Reservation)
        .where(
            Reservation.id == reservation_id,
            Reservation.status == "held",
            Reservation.hold_expires_at > clock.now(),
        )
        .values(status="cancelled", live=False, ended_at=clock.now())
        .returning(Reservation.id)
    ).first()
    if cancelled is None:
        raise IllegalTransition(
            "Only an unpaid booking can be cancelled here, and only while its time to pay lasts.",
            status_now=_own(driver, reservation_id)[1],
        )
    after_commit(availability_changed.send, None, lot_id=lot_id)


def prolong_hold(driver: Caller, reservation_id: int) -> None:
    """Give a hold five minutes more, once.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it is no hold any more, or was prolonged before.
        HoldExpired: its deadline is past.

    """
    claims.lock_claim(reservation_id)
    _, status = _own(driver, reservation_id)
    extended_by = db.session.scalar(
        select(Reservation.hold_extended_by).where(
            Reservation.id == reservation_id, Reservation.status == "held"
        )
    )
    if status == "expired":
        raise HoldExpired("The time to pay for this booking is over.")
    if extended_by is None or extended_by & WISHED:
        raise IllegalTransition("A hold can be prolonged once.", status_now=status)
    extend_hold(reservation_id, minutes=_PROLONGED_BY_MINUTES, reason=WISHED)


def expire_holds() -> int:
    """Expire a batch of holds past their deadline; give how many there were.

    Nobody waits for this: whoever wants such a bay expires its hold. It keeps lists and reports true.
    """
    return claims.expire_stale_holds(most=_BATCH)


def _own(driver: Caller, reservation_id: int) -> tuple[int, str]:
    row = db.session.execute(
        select(Reservation.lot_id, Reservation.status, Reservation.hold_expires_at).where(
            Reservation.id == reservation_id, Reservation.user_id == driver.id
        )
    ).first()
    if row is None:
        raise NotFound(f"There is no reservation {reservation_id}.")
    # A hold past its deadline is expired, whether or not its row says so yet.
    is_stale = row.status == "held" and row.hold_expires_at <= clock.now()
    return row.lot_id, "expired" if is_stale else row.status
