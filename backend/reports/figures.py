"""What stands in a month's report: read once from the database, then only added up and drawn.

Sums are never kept beside what they are sums of, so a total cannot differ from its rows. Money of
different currencies is never added.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One component of the tax within what was paid, such as CGST; what went back is taken off."""

    name: str
    rate_bp: int
    """In hundredths of a per cent: 900 is 9 %."""
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStay:
    """One completed reservation of a driver, and what it cost in the end."""

    code: str
    lot: str
    bay: str
    plate: str
    entered_at: datetime
    """When the car first came in; an aware moment, as ``left_at`` is."""
    left_at: datetime
    minutes: int
    """How long it stood there, breaks in between left out."""
    currency: str
    paid_minor: int
    refunded_minor: int
    taxes: tuple[Tax, ...] = ()
    receipts: tuple[str, ...] = ()
    """Numbers of its receipts, the oldest first."""

    @property
    def spent_minor(self) -> int:
        """What was paid and did not go back."""
        return self.paid_minor - self.refunded_minor

    @property
    def tax_minor(self) -> int:
        """How much of that is tax."""
        return sum(tax.amount_minor for tax in self.taxes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one lot, vehicle or week had of the month."""

    name: str
    visits: int
    minutes: int
    spent_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekShare:
    """What one week had of the month: from Monday to Sunday, cut to the month."""

    first: date
    last: date
    visits: int
    spent_minor: int


@dataclass(frozen=True, kw_only=True)
class DriverMoney:
    """What a driver spent in one currency."""

    currency: str
    stays: tuple[MonthStay, ...]
    weeks: tuple[tuple[date, date], ...]
    timezone: str

    @cached_property
    def paid_minor(self) -> int:
        """All that was paid for these stays, whatever went back."""
        return sum(stay.paid_minor for stay in self.stays)

    @cached_property
    def refunded_minor(self) -> int:
        """What went back."""
        return sum(stay.refunded_minor for stay in self.stays)

    @property
    def spent_minor(self) -> int:
        """What was paid and did not go back."""
        return self.paid_minor - self.refunded_minor

    @property
    def tax_minor(self) -> int:
        """How much of that is tax."""
        return sum(tax.amount_minor for tax in self.taxes)

    @cached_property
    def taxes(self) -> tuple[Tax, ...]:
        """The tax by component and rate."""
        sums: dict[tuple[str, int], int] = {}
        for stay in self.stays:
            for tax in stay.taxes:
                key = tax.name, tax.rate_bp
                sums[key] = sums.get(key, 0) + tax.amount_minor
        return tuple(
            Tax(name=name, rate_bp=rate_bp, amount_minor=amount)
            for (name, rate_bp), amount in sorted(sums.items())
        )

    @cached_property
    def by_lot(self) -> tuple[Share, ...]:
        """Where it was spent, the most first."""
        return _shares(self.stays, lambda stay: stay.lot)

    @cached_property
    def by_vehicle(self) -> tuple[Share, ...]:
        """For which plate it was spent, the most first."""
        return _shares(self.stays, lambda stay: stay.plate)

    @cached_property
    def by_week(self) -> tuple[WeekShare, ...]:
        """When it was spent; weeks without a stay too."""
        zone = ZoneInfo(self.timezone)
        ended = [(stay.left_at.astimezone(zone).date(), stay.spent_minor) for stay in self.stays]
        shares = []
        for first, last in self.weeks:
            spent = [amount for day, amount in ended if first <= day <= last]
            shares.append(
                WeekShare(first=first, last=last, visits=len(spent), spent_minor=sum(spent))
            )
        return tuple(shares)


@dataclass(frozen=True, kw_only=True)
class DriverMonth:
    """A month of one driver: the stays that ended in it, by the driver's clock."""

    brand: str
    """The name of the installation."""
    operator: str
    """Its legal name."""
    name: str
    """The driver's; may be empty."""
    email: str
    month: date
    """Its first day."""
    timezone: str
    locale: str
    stays: tuple[MonthStay, ...]
    """In the order in which they ended."""

    @property
    def visits(self) -> int:
        """How often the driver parked."""
        return len(self.stays)

    @cached_property
    def minutes(self) -> int:
        """How long in all."""
        return sum(stay.minutes for stay in self.stays)

    @cached_property
    def money(self) -> tuple[DriverMoney, ...]:
        """What was spent by currency, the one with most stays first; nothing without stays."""
        parts: dict[str, list[MonthStay]] = {}
        for stay in self.stays:
            parts.setdefault(stay.currency, []).append(stay)
        weeks = weeks_of(self.month)
        return tuple(
            DriverMoney(currency=currency, stays=tuple(stays), weeks=weeks, timezone=self.timezone)
            for currency, stays in sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))
        )

    @cached_property
    def minutes_by_weekday(self) -> tuple[int, ...]:
        """How long on Mondays, Tuesdays and so on; a stay counts where it ended."""
        zone = ZoneInfo(self.timezone)
        sums = [0] * 7
        for stay in self.stays:
            sums[stay.left_at.astimezone(zone).weekday()] += stay.minutes
        return tuple(sums)

    @cached_property
    def plates(self) -> int:
        """How many vehicles."""
        return len({stay.plate for stay in self.stays})

    @cached_property
    def lots(self) -> int:
        """How many car parks."""
        return len({stay.lot for stay in self.stays})


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMoney:
    """What came and went on one day of the month."""

    day: date
    received_minor: int
    refunded_minor: int
    service_minor: int
    """What the stays that ended on this day cost in the end, whenever that was paid."""


@dataclass(frozen=True, kw_only=True)
class OperatorMoney:
    """The operator's month in one currency, on both bases."""

    currency: str
    days: tuple[DayMoney, ...]
    """Each day of the month, those without money too."""
    tax_minor: int
    """The tax within what was received and not given back."""

    @cached_property
    def received_minor(self) -> int:
        """Cash basis: payments by the day on which they succeeded."""
        return sum(day.received_minor for day in self.days)

    @cached_property
    def refunded_minor(self) -> int:
        """Cash basis: what went back by the day on which it did."""
        return sum(day.refunded_minor for day in self.days)

    @property
    def revenue_minor(self) -> int:
        """Cash basis: what was received and not given back."""
        return self.received_minor - self.refunded_minor

    @cached_property
    def service_minor(self) -> int:
        """Service-date basis: what the stays that ended in the month cost."""
        return sum(day.service_minor for day in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotMonth:
    """One car park's month."""

    name: str
    currency: str
    bays: int
    stays: int
    """Those that ended in the month, walk-ins too."""
    walk_ins: int
    cancelled: int
    no_shows: int
    overstays: int
    occupied_minutes: int
    """Bay-minutes in which a bay was taken."""
    open_minutes: int
    """Bay-minutes in which one could have been."""
    received_minor: int
    """Cash basis, as the two of :class:`OperatorMoney`."""
    refunded_minor: int
    service_minor: int

    @property
    def revenue_minor(self) -> int:
        """Cash basis: what was received and not given back."""
        return self.received_minor - self.refunded_minor

    @property
    def occupancy(self) -> Fraction | None:
        """How full it was, from 0 to 1; None while it was never open."""
        return ratio(self.occupied_minutes, self.open_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourLoad:
    """How full all was in one hour of the week."""

    occupied_minutes: int
    open_minutes: int

    @property
    def occupancy(self) -> Fraction | None:
        """How full, from 0 to 1; None while nothing was open."""
        return ratio(self.occupied_minutes, self.open_minutes)


@dataclass(frozen=True, kw_only=True)
class OperatorMonth:
    """A month of the whole installation, by the operator's clock."""

    brand: str
    operator: str
    month: date
    """Its first day."""
    timezone: str
    locale: str
    bookings: int
    """Reservations that were made in the month and paid or needed no payment."""
    median_minutes: int
    """Of the stays that ended in it."""
    stay_minutes: int
    """Of all these stays together."""
    drivers: int
    """How many different people they belong to."""
    money: tuple[OperatorMoney, ...]
    """By currency, the one with most payments first."""
    lots: tuple[LotMonth, ...]
    """In any order."""
    hours: tuple[tuple[HourLoad, ...], ...]
    """Seven days from Monday, 24 hours each."""

    @cached_property
    def stays(self) -> int:
        """Stays that ended in the month."""
        return sum(lot.stays for lot in self.lots)

    @cached_property
    def walk_ins(self) -> int:
        """How many of them came without a booking."""
        return sum(lot.walk_ins for lot in self.lots)

    @cached_property
    def cancelled(self) -> int:
        """Reservations that were cancelled in the month."""
        return sum(lot.cancelled for lot in self.lots)

    @cached_property
    def no_shows(self) -> int:
        """Reservations whose driver never came."""
        return sum(lot.no_shows for lot in self.lots)

    @cached_property
    def overstays(self) -> int:
        """Stays that were longer than booked and allowed."""
        return sum(lot.overstays for lot in self.lots)

    @cached_property
    def bays(self) -> int:
        """How many bays there are."""
        return sum(lot.bays for lot in self.lots)

    @property
    def occupancy(self) -> Fraction | None:
        """How full all was, from 0 to 1; None while nothing was open."""
        return ratio(
            sum(lot.occupied_minutes for lot in self.lots),
            sum(lot.open_minutes for lot in self.lots),
        )

    @property
    def turnover(self) -> Fraction | None:
        """Stays by bay and day."""
        return ratio(self.stays, self.bays * len(days_of(self.month)))

    @property
    def average_minutes(self) -> int:
        """How long a stay took."""
        return self.stay_minutes // self.stays if self.stays else 0

    @cached_property
    def top_lots(self) -> tuple[LotMonth, ...]:
        """All car parks, those with most revenue first; by currency, as the money stands."""
        order = [money.currency for money in self.money]
        return tuple(
            sorted(
                self.lots,
                key=lambda lot: (
                    order.index(lot.currency) if lot.currency in order else len(order),
                    -lot.revenue_minor,
                    -lot.stays,
                    lot.name,
                ),
            )
        )


def days_of(month: date) -> tuple[date, ...]:
    """Give each day of the month that begins with ``month``."""
    days = []
    day = month.replace(day=1)
    while day.month == month.month:
        days.append(day)
        day += timedelta(days=1)
    return tuple(days)


def weeks_of(month: date) -> tuple[tuple[date, date], ...]:
    """Give the weeks from Monday to Sunday of a month, cut to it: first and last day of each."""
    weeks: list[tuple[date, date]] = []
    for day in days_of(month):
        if not weeks or day.weekday() == 0:
            weeks.append((day, day))
        else:
            weeks[-1] = (weeks[-1][0], day)
    return tuple(weeks)


def ratio(part: int, whole: int) -> Fraction | None:
    """Divide exactly; None where there is nothing to divide by."""
    return Fraction(part, whole) if whole else None


def _shares(stays: Iterable[MonthStay], named: Callable[[MonthStay], str]) -> tuple[Share, ...]:
    parts: dict[str, list[MonthStay]] = {}
    for stay in stays:
        parts.setdefault(named(stay), []).append(stay)
    shares: Sequence[Share] = [
        Share(
            name=name,
            visits=len(part),
            minutes=sum(stay.minutes for stay in part),
            spent_minor=sum(stay.spent_minor for stay in part),
        )
        for name, part in parts.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share.spent_minor, -share.visits, share.name)))
