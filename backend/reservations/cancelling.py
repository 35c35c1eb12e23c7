"""Cancelling: what comes back is told before, and is what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from backend import clock
from backend.audit.service import record
from backend.claims import service as claims
from backend.errors import RefundChanged
from backend.extensions import db
from backend.identity import Caller
from backend.models import Reservation, SpotClaim
from backend.money import format_money, round_half_up
from backend.payments.refunds import net_paid, promise_refunds
from backend.quotes.refund_policy import refund_policy
from backend.reservations.history import note
from backend.reservations.refunding import Reason, refund_share
from backend.reservations.states import (
    change,
    get_own,
    get_reservation_for_update,
    refuse,
    state_now,
)
from backend.reservations.telling import tell
from backend.signals import availability_changed, window_freed
from backend.transaction import after_commit

CANCELLABLE = ("held", "confirmed")

Cause = Literal["operator", "no_bay"]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What would come back, if a booking were cancelled now, and until when it is as much."""

    refund_minor: int
    kept_minor: int
    paid_minor: int
    percent: int
    currency: str
    reason: Reason
    until: datetime | None


def preview_cancellation(driver: Caller, reservation_id: int) -> Cancellation:
    """Tell what would come back, if the driver cancelled now.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it cannot be cancelled any more.

    """
    get_own(driver, reservation_id)
    reservation = db.session.get_one(Reservation, reservation_id)
    if state_now(reservation) not in CANCELLABLE:
        refuse(reservation)
    return _cancellation(reservation)


def cancel(driver: Caller, reservation_id: int, expected_refund_minor: int | None = None) -> None:
    """Cancel a booking before its car comes; its bay is free at once, and the share of the policy comes back.

    Admins cancel those of others for the operator: then all of the money goes back.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it cannot be cancelled any more.
        RefundChanged: another amount than the expected one would come back.

    """
    if driver.has_role("admin") and _is_anothers(driver, reservation_id):
        refund = cancel_by_operator(reservation_id, cause="operator", actor_id=driver.id)
        record(
            "reservation.cancelled",
            "reservation",
            reservation_id,
            actor_id=driver.id,
            after={"refund_minor": refund},
        )
        return
    get_own(driver, reservation_id)
    reservation = get_reservation_for_update(reservation_id)
    if state_now(reservation) not in CANCELLABLE:
        refuse(reservation)
    told = _cancellation(reservation)
    if expected_refund_minor is not None and expected_refund_minor != told.refund_minor:
        raise RefundChanged(
            f"By now {format_money(told.refund_minor, told.currency)} would come back.",
            refund_minor=told.refund_minor,
            currency=told.currency,
        )
    was_paid = reservation.status != "held"
    freed = _release(reservation)
    if told.refund_minor:
        promise_refunds(
            reservation_id,
            told.refund_minor,
            cause="cancelled",
            key=f"cancel:{reservation_id}",
            actor_id=driver.id,
        )
    note(
        reservation_id,
        "cancelled",
        actor_id=driver.id,
        refund_minor=told.refund_minor,
        currency=told.currency,
    )
    if was_paid:
        # Of a hold that its driver let go there is nothing to tell: no money moved, and no mail came before.
        tell(
            reservation_id,
            "cancelled",
            key=f"cancelled:{reservation_id}",
            refund_minor=told.refund_minor,
            kept_minor=told.kept_minor,
            by_operator=False,
            reason="",
        )
    _offer(reservation, freed)


def _is_anothers(actor: Caller, reservation_id: int) -> bool:
    row = db.session.execute(
        select(Reservation.user_id).where(Reservation.id == reservation_id)
    ).first()
    return row is not None and row.user_id != actor.id


def cancel_by_operator(
    reservation_id: int,
    *,
    cause: Cause,
    actor_id: int | None = None,
    reason: str = "",
    offered: bool = True,
) -> int:
    """Cancel a booking whose bay cannot be had; all of its money goes back. Give how much that is.

    ``no_bay`` is for a bay that is occupied when it is needed. With ``offered`` its window goes to who waits
    for one; without, the caller takes the bay for something else.

    Raises:
        IllegalTransition: it cannot be cancelled any more.

    """
    reservation = get_reservation_for_update(reservation_id)
    if state_now(reservation) not in CANCELLABLE:
        refuse(reservation)
    refund = net_paid(reservation_id)
    freed = _release(reservation)
    if refund:
        promise_refunds(
            reservation_id,
            refund,
            cause=cause,
            key=f"cancel:{reservation_id}",
            actor_id=actor_id,
            reason=reason,
        )
    note(
        reservation_id,
        "cancelled",
        actor_id=actor_id,
        cause=cause,
        reason=reason,
        refund_minor=refund,
        currency=reservation.currency,
    )
    tell(
        reservation_id,
        "displaced" if cause == "no_bay" else "cancelled",
        key=f"cancelled:{reservation_id}",
        refund_minor=refund,
        kept_minor=0,
        by_operator=True,
        reason=reason,
    )
    if offered:
        _offer(reservation, freed)
    else:
        after_commit(availability_changed.send, None, lot_id=reservation.lot_id)
    return refund


def _cancellation(reservation: Reservation) -> Cancellation:
    paid = net_paid(reservation.id)
    share = refund_share(
        refund_policy(reservation.refund_policy),
        booked_at=reservation.created_at,
        starts_at=reservation.starts_at,
        at=clock.now(),
    )
    is_unpaid = reservation.status == "held"
    refund = round_half_up(paid * share.percent, 100)
    return Cancellation(
        refund_minor=refund,
        kept_minor=paid - refund,
        paid_minor=paid,
        percent=100 if is_unpaid else share.percent,
        currency=reservation.currency,
        reason="unpaid" if is_unpaid else share.reason,
        until=None if is_unpaid else share.until,
    )


def _release(reservation: Reservation) -> tuple[datetime, datetime]:
    """End a booking and its claim; give the window that the claim had."""
    claim = db.session.execute(
        select(SpotClaim.starts_at, SpotClaim.ends_at).where(
            SpotClaim.reservation_id == reservation.id
        )
    ).one()
    claims.release_claim(reservation.id)
    change(reservation, since=CANCELLABLE, to="cancelled")
    return claim.starts_at, claim.ends_at


def _offer(reservation: Reservation, freed: tuple[datetime, datetime]) -> None:
    starts_at, ends_at = freed
    window_freed.send(None, lot_id=reservation.lot_id, starts_at=starts_at, ends_at=ends_at)
    after_commit(availability_changed.send, None, lot_id=reservation.lot_id)
