"""A scan: whose credential it is, which way the car goes, and whether the gate opens."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, select

from backend import clock
from backend.errors import (
    EntryRefused,
    IllegalTransition,
    PaymentDue,
    Problem,
)
from backend.extensions import db
from backend.gate.credentials import Credential, read_credential
from backend.gate.service import get_workplace, keep_scan
from backend.identity import Caller
from backend.models import Lot, Reservation, Spot, SpotClaim
from backend.reservations.dues import is_car_in
from backend.reservations.entering import check_in
from backend.reservations.leaving import check_out
from backend.reservations.states import PRESENT
from backend.transaction import in_transaction, independently, transaction

# Whose stay ended longer ago is told no more than a stranger.
_REMEMBERED = timedelta(days=1)
_LONGEST_STAY = timedelta(days=31)


@dataclass(slots=True)
class Scanned:
    """What a scan found, as far as it came."""

    credential: Credential
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A gate that opened."""

    result: str
    reservation_id: int
    message: str


def scan(actor: Caller, *, lot_id: int, credential: str, direction: str | None = None) -> Passage:
    """Open the gate for a credential, or refuse with a reason; each is kept.

    Without a ``direction`` a car that is in goes out, and any other comes in. It opens its own
    transactions, since a refused scan is kept after the refusal.

    Raises:
        NotFound: there is no such lot, or the actor does not work there.
        EntryRefused: the gate stays shut.
        PaymentDue: something is to be paid before the car may leave.
        IllegalTransition: the booking changed at this very moment.

    """
    with transaction(read_only=True):
        get_workplace(actor, lot_id)
    scanned = Scanned(read_credential(credential))
    try:
        return in_transaction(lambda: _pass(actor, lot_id, scanned, direction))
    except (EntryRefused, PaymentDue, IllegalTransition) as refusal:
        with independently():
            keep_scan(
                actor,
                lot_id=lot_id,
                credential=scanned.credential.kind,
                shown=scanned.credential.shown,
                result="refused",
                reason=_reason_of(refusal),
                reservation_id=scanned.reservation_id,
            )
        raise


def _reason_of(refusal: Problem) -> str:
    return str(refusal.extensions.get("reason") or refusal.slug())


def _pass(actor: Caller, lot_id: int, scanned: Scanned, direction: str | None) -> Passage:
    lot = db.session.get_one(Lot, lot_id)
    reservation = _find(lot, scanned)
    present = reservation.status in PRESENT and is_car_in(reservation.id)
    try:
        if (direction or ("out" if present else "in")) == "out":
            result, message = "left", _let_out(actor, reservation, lot, present=present)
        else:
            result, message = "entered", _let_in(actor, reservation, lot, present=present)
    except (EntryRefused, PaymentDue, IllegalTransition) as refusal:
        # Whoever stands there is asked for it, or told where else to go.
        refusal.extensions |= _facts(reservation)
        raise
    keep_scan(
        actor,
        lot_id=lot.id,
        credential=scanned.credential.kind,
        shown=scanned.credential.shown,
        result=result,
        reservation_id=reservation.id,
    )
    return Passage(result, reservation.id, message)


def _let_in(actor: Caller, reservation: Reservation, lot: Lot, *, present: bool) -> str:
    if present:
        raise EntryRefused(f"{reservation.plate} is in already.", reason="already-in")
    check_in(actor, reservation.id)
    db.session.refresh(reservation)
    spot = db.session.execute(
        select(Spot.label, Spot.level)
        .join(SpotClaim, SpotClaim.spot_id == Spot.id)
        .where(SpotClaim.reservation_id == reservation.id)
    ).one()
    return f"Bay {spot.label}, level {spot.level}, until {_time_of(reservation, lot)}."


def _let_out(actor: Caller, reservation: Reservation, lot: Lot, *, present: bool) -> str:
    if not present:
        raise EntryRefused(f"{reservation.plate} is not in.", reason="not-in")
    check_out(actor, reservation.id)
    db.session.refresh(reservation)
    if reservation.live:
        return f"It may come back until {_time_of(reservation, lot)}."
    return "The stay is over."


def _time_of(reservation: Reservation, lot: Lot) -> str:
    end = reservation.ends_at.astimezone(ZoneInfo(lot.timezone))
    return f"{end.day} {end:%b, %H:%M}"


def _find(lot: Lot, scanned: Scanned) -> Reservation:
    """Find whose credential it is.

    Raises:
        EntryRefused: nobody's, or it is for another lot.

    """
    shown = scanned.credential
    if shown.kind == "none":
        raise EntryRefused("This is no ticket, code or plate of ours.", reason="not-readable")
    reservation = None
    if shown.code is not None:
        reservation = db.session.scalar(select(Reservation).where(Reservation.code == shown.code))
    if reservation is not None:
        if shown.kind == "plate":
            scanned.credential = Credential("code", code=shown.code)
    elif shown.plate is not None:
        reservation = _find_by_plate(lot, shown.plate)
        if reservation is not None:
            scanned.credential = Credential("plate", plate=shown.plate)
    if reservation is None:
        raise EntryRefused("There is no booking here for this.", reason="unknown")
    if reservation.lot_id != lot.id or shown.lot_id not in {None, lot.id}:
        raise EntryRefused("This booking is for another car park.", reason="wrong-lot")
    scanned.reservation_id = reservation.id
    return reservation


def _find_by_plate(lot: Lot, plate: str) -> Reservation | None:
    """Find the booking of a plate that counts now: of a car that is in, else the next, else the last."""
    now = clock.now()
    here = and_(Reservation.lot_id == lot.id, Reservation.plate == plate)
    rank = case(
        (Reservation.status.in_(PRESENT), 0),
        (and_(Reservation.status == "confirmed", Reservation.ends_at > now), 1),
        (and_(Reservation.status == "held", Reservation.hold_expires_at > now), 2),
        else_=3,
    )
    return db.session.scalar(
        select(Reservation)
        .where(here, Reservation.live)
        .order_by(rank, Reservation.starts_at, Reservation.id)
        .limit(1)
    ) or db.session.scalar(
        select(Reservation)
        .where(
            here,
            Reservation.starts_at > now - _LONGEST_STAY,
            Reservation.ends_at > now - _REMEMBERED,
        )
        .order_by(Reservation.ends_at.desc(), Reservation.id.desc())
        .limit(1)
    )


def _facts(reservation: Reservation) -> dict[str, object]:
    return {
        "reservation_id": reservation.id,
        "code": reservation.code,
        "plate": reservation.plate,
        "starts_at": reservation.starts_at,
        "ends_at": reservation.ends_at,
    }
