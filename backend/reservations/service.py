"""What may be done to a hold: prolong it, and let it expire."""

from backend.claims import service as claims
from backend.errors import HoldExpired, IllegalTransition
from backend.identity import Caller
from backend.reservations.confirming import WISHED, extend_hold
from backend.reservations.states import get_own, get_reservation_for_update, state_now

_PROLONGED_BY_MINUTES = 5
_BATCH = 500


def prolong_hold(driver: Caller, reservation_id: int) -> None:
    """Give a hold five minutes more, once.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it is no hold any more, or was prolonged before.
        HoldExpired: its deadline is past.

    """
    get_own(driver, reservation_id)
    reservation = get_reservation_for_update(reservation_id)
    status = state_now(reservation)
    if status == "expired":
        raise HoldExpired("The time to pay for this booking is over.")
    if status != "held" or reservation.hold_extended_by & WISHED:
        raise IllegalTransition("A hold can be prolonged once.", status_now=status)
    extend_hold(reservation_id, minutes=_PROLONGED_BY_MINUTES, reason=WISHED)


def expire_holds() -> int:
    """Expire a batch of holds past their deadline; give how many there were.

    Nobody waits for this: whoever wants such a bay expires its hold. It keeps lists and reports true.
    """
    return claims.expire_stale_holds(most=_BATCH)
