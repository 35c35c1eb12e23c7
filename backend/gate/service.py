"""What staff see at the gates of their lots: who comes, who is in, what was shown, and the cash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select

from backend import clock
from backend.config import settings
from backend.database import get_row
from backend.errors import NotFound
from backend.extensions import db
from backend.folding import fold
from backend.identity import Caller
from backend.lots.service import PUBLIC_STATUSES
from backend.lots.staff import works_at
from backend.models import GateScan, Lot, LotStaff, Payment, Refund, Reservation, Stay, User
from backend.transaction import transaction

_KEEP = insert(GateScan)
_PURGED_AT_ONCE = 1000
_TAKEN = ("succeeded", "partially_refunded", "refunded")


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as staff read it."""

    id: int
    at: datetime
    credential: str
    shown: str
    result: str
    reason: str | None
    reservation_id: int | None
    actor: str | None
    """The name of who scanned; none once the account is closed."""


@dataclass(frozen=True, slots=True)
class CashTaken:
    """What one attendant took in cash on a day, less what they gave back."""

    attendant: str | None
    attendant_id: int | None
    count: int
    taken_minor: int
    given_back_minor: int

    @property
    def total_minor(self) -> int:
        """What is in the till of it."""
        return self.taken_minor - self.given_back_minor


@dataclass(frozen=True, slots=True)
class CashUp:
    """The cash of one local day of a lot."""

    day: date
    lot_id: int
    currency: str
    items: list[CashTaken]

    @property
    def total_minor(self) -> int:
        """What should be in the till."""
        return sum(item.total_minor for item in self.items)


def get_workplace(actor: Caller, lot_id: int) -> Lot:
    """Give a lot at whose gate the actor works; any other looks as if it were not there.

    Raises:
        NotFound: there is none, or they do not work there.

    """
    lot = get_row(Lot, lot_id)
    if not works_at(actor, lot_id):
        raise NotFound(f"There is no lot {lot_id}.")
    return lot


def list_workplaces(
    actor: Caller,
    *,
    limit: int,
    after: tuple[str, int] | None = None,
    q: str | None = None,
    lot_id: int | None = None,
) -> list[Lot]:
    """List the lots where the actor works by name, and one more than ``limit``: admins work everywhere."""
    wanted: list[ColumnElement[bool]] = [Lot.status.in_(PUBLIC_STATUSES)]
    if not actor.has_role("admin"):
        wanted.append(exists().where(LotStaff.lot_id == Lot.id, LotStaff.user_id == actor.id))
    if q is not None:
        wanted += [Lot.search_text.contains(word, autoescape=True) for word in fold(q).split()]
    if lot_id is not None:
        wanted.append(Lot.id == lot_id)
    if after is not None:
        name, last_id = after
        wanted.append(or_(Lot.name > name, and_(Lot.name == name, Lot.id > last_id)))
    return list(
        db.session.scalars(select(Lot).where(*wanted).order_by(Lot.name, Lot.id).limit(limit + 1))
    )


def list_arrivals(
    actor: Caller,
    lot_id: int,
    *,
    hours: int,
    limit: int,
    after: tuple[datetime, int] | None = None,
) -> list[tuple[int, datetime]]:
    """List who comes within some hours and who is late, the soonest first: ids and starts, and one more than ``limit``.

    Raises:
        NotFound: there is no such lot, or the actor does not work there.

    """
    get_workplace(actor, lot_id)
    now = clock.now()
    return _page(
        select(Reservation.id, Reservation.starts_at).where(
            Reservation.lot_id == lot_id,
            Reservation.status == "confirmed",
            Reservation.ends_at > now,
            Reservation.starts_at <= now + timedelta(hours=hours),
        ),
        Reservation.starts_at,
        limit=limit,
        after=after,
    )


def list_present(
    actor: Caller, lot_id: int, *, limit: int, after: tuple[datetime, int] | None = None
) -> list[tuple[int, datetime]]:
    """List whose car is in, the first to end foremost: ids and ends, and one more than ``limit``.

    Raises:
        NotFound: there is no such lot, or the actor does not work there.

    """
    get_workplace(actor, lot_id)
    return _page(
        select(Reservation.id, Reservation.ends_at)
        .join(Stay, Stay.reservation_id == Reservation.id)
        .where(
            Stay.lot_id == lot_id,
            Stay.left_at.is_(None),
            Reservation.status.in_(("checked_in", "overstayed")),
        ),
        Reservation.ends_at,
        limit=limit,
        after=after,
    )


def list_scans(
    actor: Caller,
    lot_id: int,
    *,
    limit: int,
    before: int | None = None,
    result: str | None = None,
) -> list[Scan]:
    """List what was shown at a lot's gate, the newest first, and one more than ``limit``.

    Raises:
        NotFound: there is no such lot, or the actor does not work there.

    """
    get_workplace(actor, lot_id)
    wanted = [GateScan.lot_id == lot_id]
    if before is not None:
        wanted.append(GateScan.id < before)
    if result is not None:
        wanted.append(GateScan.result == result)
    rows = db.session.execute(
        select(GateScan, User.name)
        .outerjoin(User, and_(User.id == GateScan.actor_id, User.deleted_at.is_(None)))
        .where(*wanted)
        .order_by(GateScan.id.desc())
        .limit(limit + 1)
    )
    return [
        Scan(
            id=scan.id,
            at=scan.at,
            credential=scan.credential,
            shown=scan.shown,
            result=scan.result,
            reason=scan.reason,
            reservation_id=scan.reservation_id,
            actor=name,
        )
        for scan, name in rows
    ]


def keep_scan(
    actor: Caller,
    *,
    lot_id: int,
    credential: str,
    shown: str,
    result: str,
    reason: str | None = None,
    reservation_id: int | None = None,
) -> None:
    """Take down what was shown at a gate and what became of it, in the open transaction."""
    db.session.connection().execute(
        _KEEP,
        {
            "lot_id": lot_id,
            "at": clock.now(),
            "actor_id": actor.id,
            "credential": credential,
            "shown": shown,
            "result": result,
            "reason": reason,
            "reservation_id": reservation_id,
        },
    )


def cash_up(actor: Caller, lot_id: int, *, day: date | None = None) -> CashUp:
    """Add up the cash of a local day of a lot by who took it; without a day, of today.

    Raises:
        NotFound: there is no such lot, or the actor does not work there.

    """
    lot = get_workplace(actor, lot_id)
    zone = ZoneInfo(lot.timezone)
    day = day or clock.now().astimezone(zone).date()
    starts_at = datetime.combine(day, time(), zone)
    ends_at = datetime.combine(day + timedelta(days=1), time(), zone)
    taken = _sums(
        select(Payment.taken_by, func.count(), func.sum(Payment.amount_minor))
        .join(Reservation, Reservation.id == Payment.reservation_id)
        .where(
            Reservation.lot_id == lot_id,
            Payment.gateway == "cash",
            Payment.status.in_(_TAKEN),
            Payment.settled_at >= starts_at,
            Payment.settled_at < ends_at,
        )
        .group_by(Payment.taken_by)
    )
    given_back = _sums(
        select(Refund.created_by, func.count(), func.sum(Refund.amount_minor))
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Reservation, Reservation.id == Refund.reservation_id)
        .where(
            Reservation.lot_id == lot_id,
            Payment.gateway == "cash",
            Refund.status == "succeeded",
            Refund.settled_at >= starts_at,
            Refund.settled_at < ends_at,
        )
        .group_by(Refund.created_by)
    )
    people = {*taken, *given_back}
    found = db.session.execute(
        select(User.id, User.name).where(
            User.id.in_([each for each in people if each is not None]), User.deleted_at.is_(None)
        )
    )
    names = {row.id: row.name for row in found}
    items = [
        CashTaken(
            attendant=names.get(person) if person is not None else None,
            attendant_id=person,
            count=taken.get(person, (0, 0))[0],
            taken_minor=taken.get(person, (0, 0))[1],
            given_back_minor=given_back.get(person, (0, 0))[1],
        )
        for person in people
    ]
    items.sort(key=lambda item: (item.attendant or "", item.attendant_id or 0))
    return CashUp(day=day, lot_id=lot_id, currency=settings().currency, items=items)


def purge_scans() -> int:
    """Delete what was shown longer ago than scans are kept; give how much there was."""
    count = 0
    while True:
        with transaction():
            # Two workers at once take different rows.
            ids = db.session.scalars(
                select(GateScan.id)
                .where(GateScan.at < clock.now() - timedelta(days=settings().scan_days))
                .order_by(GateScan.id)
                .limit(_PURGED_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            db.session.execute(delete(GateScan).where(GateScan.id.in_(ids)))
        count += len(ids)
        if len(ids) < _PURGED_AT_ONCE:
            return count


def _page(
    rows: Any, moment: Any, *, limit: int, after: tuple[datetime, int] | None
) -> list[tuple[int, datetime]]:
    if after is not None:
        last_at, last_id = after
        rows = rows.where(or_(moment > last_at, and_(moment == last_at, Reservation.id > last_id)))
    found = db.session.execute(rows.order_by(moment, Reservation.id).limit(limit + 1))
    return [(row[0], row[1]) for row in found]


def _sums(statement: Any) -> dict[int | None, tuple[int, int]]:
    rows: Sequence[Any] = db.session.execute(statement).all()
    # PostgreSQL gives sums of large integers as decimals.
    return {person: (count, int(total)) for person, count, total in rows}
