"""Reading a month from the rows: what the report of a driver, or of the operator, is about."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select

from backend import clock
from backend.config import settings
from backend.extensions import db
from backend.lots.hours import open_spans, parse_opening_hours
from backend.models import (
    Closure,
    CreditNote,
    LedgerEntry,
    LedgerTransaction,
    Lot,
    Payment,
    Receipt,
    Refund,
    Reservation,
    Spot,
    SpotClaim,
    Stay,
    User,
)
from backend.payments.ledger import CASH, RESERVATIONS
from backend.payments.receipts import document_number
from backend.reports.figures import (
    DayMoney,
    DriverMonth,
    HourLoad,
    LotMonth,
    MonthStay,
    OperatorMoney,
    OperatorMonth,
    Tax,
    days_of,
)
from backend.reports.months import bounds_of

# SQLite takes so many parameters at once, and with each a list stays short enough to be read.
_AT_ONCE = 500
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class _Paid:
    """What one reservation cost in the end."""

    paid_minor: int = 0
    refunded_minor: int = 0
    taxes: Counter[tuple[str, int]] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)


def gather_driver(user_id: int, month: date, zone: str, locale: str) -> DriverMonth:
    """Read a driver's month: the stays that ended in it by the clock of this zone.

    What was paid and given back for them counts whenever that was, until now.
    """
    start, end = bounds_of(month, zone)
    user = db.session.execute(select(User.name, User.email).where(User.id == user_id)).one()
    rows = db.session.execute(
        select(Reservation, Lot.name.label("lot"), Spot.label.label("bay"))
        .join(Lot, Lot.id == Reservation.lot_id)
        .join(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .join(Spot, Spot.id == SpotClaim.spot_id)
        .where(Reservation.user_id == user_id, *_ended_between(start, end))
        .order_by(Reservation.ended_at, Reservation.id)
    ).all()
    ids = [row.Reservation.id for row in rows]
    stays, money = _read_stays(ids), _read_money(ids)
    return DriverMonth(
        brand=settings().brand_name,
        operator=settings().operator_name,
        name=user.name,
        email=user.email,
        month=month,
        timezone=zone,
        locale=locale,
        stays=tuple(
            _stay(
                row.Reservation,
                row.lot,
                row.bay,
                stays[row.Reservation.id],
                money[row.Reservation.id],
                since=start,
            )
            for row in rows
        ),
    )


def gather_operator(month: date, zone: str, locale: str) -> OperatorMonth:
    """Read the whole installation's month by the clock of this zone.

    Of a month that is not over yet, up to now.
    """
    start, end = bounds_of(month, zone)
    until = min(end, max(start, clock.now()))
    ended = db.session.execute(
        select(
            Reservation.id,
            Reservation.lot_id,
            Reservation.user_id,
            Reservation.source,
            Reservation.currency,
            Reservation.ends_at,
            Reservation.ended_at,
            Lot.grace_minutes,
        )
        .join(Lot, Lot.id == Reservation.lot_id)
        .where(*_ended_between(start, end))
        .order_by(Reservation.id)
    ).all()
    minutes = _read_minutes(start, end)
    stayed = [minutes.get(row.id, 0) for row in ended]
    received, refunded, service = _read_cash(start, end), _read_sent(start, end), Counter[Any]()
    for row, spent_minor in zip(ended, _read_service(start, end, ended), strict=True):
        service[row.lot_id, row.currency, _day(row.ended_at, zone)] += spent_minor
    return OperatorMonth(
        brand=settings().brand_name,
        operator=settings().operator_name,
        month=month,
        timezone=zone,
        locale=locale,
        bookings=_count(
            Reservation.confirmed_at >= start,
            Reservation.confirmed_at < end,
            Reservation.source != "walk_in",
        ),
        median_minutes=int(median(stayed)) if stayed else 0,
        stay_minutes=sum(stayed),
        drivers=len({row.user_id for row in ended if row.user_id is not None}),
        money=_money(month, zone, received, refunded, service),
        **_lots_and_hours(start, until, zone, ended, received, refunded, service),
    )


def _ended_between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Reservation.status == "completed",
        Reservation.ended_at >= start,
        Reservation.ended_at < end,
    )


def _read_stays(ids: Sequence[int]) -> dict[int, list[Stay]]:
    stays: dict[int, list[Stay]] = defaultdict(list)
    for some in _parts(ids):
        for stay in db.session.scalars(
            select(Stay).where(Stay.reservation_id.in_(some)).order_by(Stay.id)
        ):
            stays[stay.reservation_id].append(stay)
    return stays


def _read_money(ids: Sequence[int]) -> dict[int, _Paid]:
    """Read what was paid for reservations, and given back, by the books; and the tax that their papers tell."""
    found: dict[int, _Paid] = defaultdict(_Paid)
    for some in _parts(ids):
        for row in db.session.execute(_booked().where(LedgerTransaction.reservation_id.in_(some))):
            if row.kind == "payment":
                found[row.reservation_id].paid_minor -= row.amount_minor
            else:
                found[row.reservation_id].refunded_minor += row.amount_minor
        for reservation_id, receipt in db.session.execute(
            select(Payment.reservation_id, Receipt)
            .join(Payment, Payment.id == Receipt.payment_id)
            .where(Payment.reservation_id.in_(some))
            .order_by(Receipt.id)
        ):
            found[reservation_id].receipts.append(document_number(receipt))
            _add_taxes(found[reservation_id].taxes, receipt.content["taxes"], 1)
        for reservation_id, content in db.session.execute(
            select(Refund.reservation_id, CreditNote.content)
            .join(Refund, Refund.id == CreditNote.refund_id)
            .where(Refund.reservation_id.in_(some))
        ):
            _add_taxes(found[reservation_id].taxes, content["taxes"], -1)
    return found


def _booked() -> Any:
    return (
        select(LedgerTransaction.reservation_id, LedgerTransaction.kind, LedgerEntry.amount_minor)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerEntry.account == RESERVATIONS)
    )


def _add_taxes(
    sums: Counter[tuple[str, int]], taxes: Iterable[Mapping[str, Any]], sign: int
) -> None:
    for tax in taxes:
        sums[tax["name"], tax["rate_bp"]] += sign * tax["amount_minor"]


def _stay(
    reservation: Reservation,
    lot: str,
    bay: str,
    stays: Sequence[Stay],
    money: _Paid,
    *,
    since: datetime,
) -> MonthStay:
    ended_at = reservation.ended_at or reservation.ends_at
    last = max((stay.left_at or ended_at for stay in stays), default=ended_at)
    return MonthStay(
        code=reservation.code,
        lot=lot,
        bay=bay,
        plate=reservation.plate,
        entered_at=min((stay.entered_at for stay in stays), default=ended_at),
        # Where a car may come back, the stay ends with the booking, however long before it left.
        left_at=last if last >= since else ended_at,
        minutes=sum(_minutes((stay.entered_at, stay.left_at or ended_at)) for stay in stays),
        currency=reservation.currency,
        paid_minor=money.paid_minor,
        refunded_minor=money.refunded_minor,
        taxes=tuple(
            Tax(name=name, rate_bp=rate_bp, amount_minor=amount)
            for (name, rate_bp), amount in money.taxes.items()
        ),
        receipts=tuple(money.receipts),
    )


def _read_minutes(start: datetime, end: datetime) -> Counter[int]:
    """Add up how long each reservation that ended then had its car in."""
    minutes: Counter[int] = Counter()
    for row in db.session.execute(
        select(Stay.reservation_id, Stay.entered_at, Stay.left_at)
        .join(Reservation, Reservation.id == Stay.reservation_id)
        .where(Stay.left_at.is_not(None), *_ended_between(start, end))
    ):
        minutes[row.reservation_id] += _minutes((row.entered_at, row.left_at))
    return minutes


def _read_service(start: datetime, end: datetime, ended: Sequence[Any]) -> list[int]:
    """Give what each of the reservations that ended then cost in the end, whenever that was paid."""
    spent: Counter[int] = Counter()
    for row in db.session.execute(
        _booked()
        .join(Reservation, Reservation.id == LedgerTransaction.reservation_id)
        .where(*_ended_between(start, end))
    ):
        spent[row.reservation_id] -= row.amount_minor
    return [spent[row.id] for row in ended]


def _read_cash(start: datetime, end: datetime) -> list[Any]:
    return _read_moved("payment", start, end)


def _read_sent(start: datetime, end: datetime) -> list[Any]:
    return _read_moved("refund_sent", start, end)


def _read_moved(kind: str, start: datetime, end: datetime) -> list[Any]:
    """Read what came to where money lies, or went from there: lot, currency, moment and amount."""
    return list(
        db.session.execute(
            select(
                Reservation.lot_id,
                LedgerTransaction.currency,
                LedgerTransaction.at,
                LedgerEntry.amount_minor,
                LedgerTransaction.payment_id,
                LedgerTransaction.refund_id,
            )
            .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
            .join(Reservation, Reservation.id == LedgerTransaction.reservation_id)
            .where(
                LedgerTransaction.at >= start,
                LedgerTransaction.at < end,
                LedgerTransaction.kind == kind,
                or_(LedgerEntry.account == CASH, LedgerEntry.account.startswith("gateway:")),
            )
        )
    )


def _read_tax(start: datetime, end: datetime) -> Counter[str]:
    """Add up the tax within what came and went, by the papers that tell of it."""
    sums: Counter[str] = Counter()
    for kind, document, sign, link in (
        ("payment", Receipt, 1, Receipt.payment_id == LedgerTransaction.payment_id),
        ("refund_sent", CreditNote, -1, CreditNote.refund_id == LedgerTransaction.refund_id),
    ):
        rows = db.session.execute(
            select(LedgerTransaction.currency, document.content)
            .join(document, link)
            .where(
                LedgerTransaction.at >= start,
                LedgerTransaction.at < end,
                LedgerTransaction.kind == kind,
            )
        )
        for currency, content in rows:
            sums[currency] += sign * sum(tax["amount_minor"] for tax in content["taxes"])
    return sums


def _money(
    month: date,
    zone: str,
    received: Sequence[Any],
    refunded: Sequence[Any],
    service: Mapping[Any, int],
) -> tuple[OperatorMoney, ...]:
    came: Counter[tuple[str, date]] = Counter()
    went: Counter[tuple[str, date]] = Counter()
    cost: Counter[tuple[str, date]] = Counter()
    payments: Counter[str] = Counter({settings().currency: 0})
    for row in received:
        came[row.currency, _day(row.at, zone)] += row.amount_minor
        payments[row.currency] += 1
    for row in refunded:
        went[row.currency, _day(row.at, zone)] -= row.amount_minor
    for (_, currency, day), amount in service.items():
        cost[currency, day] += amount
    for currency, _ in (*came, *went, *cost):
        payments[currency] += 0
    taxes = _read_tax(*bounds_of(month, zone))
    return tuple(
        OperatorMoney(
            currency=currency,
            days=tuple(
                DayMoney(
                    day=day,
                    received_minor=came[currency, day],
                    refunded_minor=went[currency, day],
                    service_minor=cost[currency, day],
                )
                for day in days_of(month)
            ),
            tax_minor=taxes[currency],
        )
        for currency, _ in sorted(payments.items(), key=lambda each: (-each[1], each[0]))
    )


def _lots_and_hours(
    start: datetime,
    until: datetime,
    zone: str,
    ended: Sequence[Any],
    received: Sequence[Any],
    refunded: Sequence[Any],
    service: Mapping[Any, int],
) -> dict[str, Any]:
    """Count what each car park had of the month, and how full all were at each hour of the week."""
    end = bounds_of(start.astimezone(ZoneInfo(zone)).date(), zone)[1]
    currencies, money = _money_by_lot(received, refunded, service)
    counts = _counts_by_lot(start, end, ended)
    occupied, opened = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    taken = _read_occupied(start, until)
    # Most car parks are open at the same times, which are cut into hours once.
    bays_open: Counter[Span] = Counter()
    lots = []
    for lot in _read_lots(start, until, counts, money):
        spans = taken.get(lot.id, [])
        sellable = list(_open_windows(lot, start, until))
        _load(occupied, spans, zone)
        for span, bays in sellable:
            bays_open[span] += bays
        lots.append(
            LotMonth(
                name=lot.name,
                currency=currencies.get(lot.id, settings().currency),
                bays=lot.bays,
                stays=counts[lot.id]["stays"],
                walk_ins=counts[lot.id]["walk_ins"],
                cancelled=counts[lot.id]["cancelled"],
                no_shows=counts[lot.id]["no_show"],
                overstays=counts[lot.id]["overstays"],
                occupied_minutes=sum(map(_minutes, spans)),
                open_minutes=sum(_minutes(span) * bays for span, bays in sellable),
                received_minor=money[lot.id]["received"],
                refunded_minor=money[lot.id]["refunded"],
                service_minor=money[lot.id]["service"],
            )
        )
    for span, bays in bays_open.items():
        _load(opened, [span], zone, times=bays)
    hours = tuple(
        tuple(
            HourLoad(occupied_minutes=occupied[weekday, hour], open_minutes=opened[weekday, hour])
            for hour in range(24)
        )
        for weekday in range(7)
    )
    return {"lots": tuple(lots), "hours": hours}


def _money_by_lot(
    received: Sequence[Any], refunded: Sequence[Any], service: Mapping[Any, int]
) -> tuple[dict[int, str], dict[int, Counter[str]]]:
    """Add up each lot's money in its first currency: that of another is in the sums of all lots alone."""
    money: dict[int, Counter[str]] = defaultdict(Counter)
    currencies: dict[int, str] = {}
    for name, rows, sign in (("received", received, 1), ("refunded", refunded, -1)):
        for row in rows:
            if currencies.setdefault(row.lot_id, row.currency) == row.currency:
                money[row.lot_id][name] += sign * row.amount_minor
    for (lot_id, currency, _), amount in service.items():
        if currencies.setdefault(lot_id, currency) == currency:
            money[lot_id]["service"] += amount
    return currencies, money


def _counts_by_lot(start: datetime, end: datetime, ended: Sequence[Any]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for row in ended:
        late = row.ends_at + timedelta(minutes=row.grace_minutes)
        counts[row.lot_id]["stays"] += 1
        counts[row.lot_id]["walk_ins"] += row.source == "walk_in"
        counts[row.lot_id]["overstays"] += row.ended_at > late
    for row in db.session.execute(
        select(Reservation.lot_id, Reservation.status, func.count().label("number"))
        .where(
            Reservation.status.in_(("cancelled", "no_show")),
            Reservation.ended_at >= start,
            Reservation.ended_at < end,
        )
        .group_by(Reservation.lot_id, Reservation.status)
    ):
        counts[row.lot_id][row.status] += row.number
    return counts


@dataclass(frozen=True, slots=True)
class _Lot:
    id: int
    name: str
    timezone: str
    opening_hours: str
    bays: int
    created_at: datetime
    closures: tuple[Span, ...]
    """When the whole of it was out of service."""
    bay_closures: tuple[tuple[int, datetime, datetime], ...]
    """When single bays were."""


def _read_lots(start: datetime, until: datetime, *something: Mapping[int, Any]) -> Iterator[_Lot]:
    """Read the lots that were there, and whatever else had anything of the month."""
    had_something = set().union(*something)
    whole: dict[int, list[Span]] = defaultdict(list)
    single: dict[int, list[tuple[int, datetime, datetime]]] = defaultdict(list)
    for closure in db.session.scalars(
        select(Closure).where(
            Closure.starts_at < until,
            Closure.ends_at > start,
            or_(Closure.lifted_at.is_(None), Closure.lifted_at > Closure.starts_at),
        )
    ):
        ends_at = min(closure.ends_at, closure.lifted_at or closure.ends_at)
        if closure.spot_id is None:
            whole[closure.lot_id].append((closure.starts_at, ends_at))
        else:
            single[closure.lot_id].append((closure.spot_id, closure.starts_at, ends_at))
    bays = (
        select(func.count())
        .select_from(Spot)
        .where(Spot.lot_id == Lot.id)
        .correlate(Lot)
        .scalar_subquery()
    )
    for row in db.session.execute(
        select(
            *(Lot.id, Lot.name, Lot.timezone, Lot.opening_hours, Lot.status, Lot.created_at),
            bays.label("bays"),
        )
        .where(Lot.status != "draft")
        .order_by(Lot.id)
    ):
        was_there = row.status != "archived" and row.created_at < until
        if not was_there and row.id not in had_something:
            continue
        yield _Lot(
            row.id,
            row.name,
            row.timezone,
            row.opening_hours,
            row.bays,
            row.created_at,
            tuple(whole[row.id]),
            tuple(single[row.id]),
        )


def _open_windows(lot: _Lot, start: datetime, until: datetime) -> Iterator[tuple[Span, int]]:
    """Give the spans in which bays of a lot could be taken, with how many; closed bays are taken off."""
    hours = parse_opening_hours(lot.opening_hours)
    since = max(start, lot.created_at)
    spans = open_spans(hours, since, until, ZoneInfo(lot.timezone)) if since < until else []
    spans = _without(spans, lot.closures)
    yield from ((span, lot.bays) for span in spans)
    by_bay: dict[int, list[Span]] = defaultdict(list)
    for spot_id, starts_at, ends_at in lot.bay_closures:
        by_bay[spot_id].append((starts_at, ends_at))
    for closed in by_bay.values():
        # What is left of the open spans while the bay is closed, each once.
        for span in _within(spans, _joined(closed)):
            yield span, -1


def _read_occupied(start: datetime, until: datetime) -> dict[int, list[Span]]:
    """Give by lot the times in which a bay was taken: by a car that was in, cut to the month."""
    spans: dict[int, list[Span]] = defaultdict(list)
    for row in db.session.execute(
        select(Stay.lot_id, Stay.entered_at, Stay.left_at).where(
            Stay.entered_at < until, or_(Stay.left_at.is_(None), Stay.left_at > start)
        )
    ):
        spans[row.lot_id].append((max(row.entered_at, start), min(row.left_at or until, until)))
    return spans


def _load(
    sums: Counter[tuple[int, int]], spans: Iterable[Span], zone: str, *, times: int = 1
) -> None:
    """Add spans to the hours of the week that they touch, by the clock of a zone."""
    here = ZoneInfo(zone)
    for starts_at, ends_at in spans:
        at = starts_at
        while at < ends_at:
            local = at.astimezone(here)
            full_hour = local.replace(minute=0, second=0, microsecond=0)
            into = local.replace(tzinfo=None) - full_hour.replace(tzinfo=None)
            following = min(ends_at, at + _HOUR - into)
            sums[local.weekday(), local.hour] += times * _minutes((at, following))
            at = following


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for starts_at, ends_at in sorted(spans):
        if joined and starts_at <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends_at))
        else:
            joined.append((starts_at, ends_at))
    return joined


def _within(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Give where spans of the one kind and of the other are at once."""
    others = list(others)
    found = (
        (max(starts_at, first), min(ends_at, last))
        for starts_at, ends_at in spans
        for first, last in others
    )
    return [span for span in found if span[0] < span[1]]


def _without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Give spans with the others cut out of them."""
    left = list(spans)
    for first, last in _joined(others):
        left = [
            piece
            for starts_at, ends_at in left
            for piece in ((starts_at, min(ends_at, first)), (max(starts_at, last), ends_at))
            if piece[0] < piece[1]
        ]
    return left


def _count(*which: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(Reservation).where(and_(*which))) or 0


def _minutes(span: Span) -> int:
    return max(span[1] - span[0], timedelta()) // _MINUTE


def _day(moment: datetime, zone: str) -> date:
    return moment.astimezone(UTC).astimezone(ZoneInfo(zone)).date()


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]
