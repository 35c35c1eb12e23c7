"""The price of a stay: a pure function of a tariff, a window, a time zone, a kind of bay and a coupon.

The steps run in one fixed order: free minutes; local days; for each day the billing step, the ladder
of increments, the rule of the day, the rule of the kind of bay, the day cap; the weekly cap; a flat
band, if cheaper; the minimum; the coupon; tax. Each step that changes something adds lines, and the
lines sum to the total.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import MISSING, dataclass, fields
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from backend.models.lot import SPOT_KINDS
from backend.money import currency_digits, round_half_up
from backend.tariffs.public_holidays import is_holiday, is_region

# The bounds keep every total of a month's stay inside the whole numbers that JSON can carry.
MAX_AMOUNT_MINOR = 1_000_000_000
MAX_INCREMENTS = 100
MONTH_MINUTES = 30 * 1440
MAX_TAXES = 10
MAX_BANDS = 20
MAX_DAY_RULES = 20
MAX_PERCENT_BP = 100_000
"""The most that the rules may make of an amount, both together: ten times as much."""
MAX_BAND_MINUTES = 14 * 1440
BAND_KINDS = ("early_bird", "evening", "weekend", "event")
_ALL = 10_000  # basis points in 100 %

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)

# strftime would write these in the language of the machine.
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _require_whole(subject: str, number: object, low: int, high: int) -> None:
    # bool is an int to Python, and 1.0 equals 1: neither belongs in a price.
    if type(number) is not int or not low <= number <= high:
        raise ValueError(f"{subject} must be a whole number from {low} to {high}.")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What quotes keep as JSON and read again, to replay a price."""

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON can hold them."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote; a missing field has its default.

        Raises:
            ValueError: a field is unknown, or is missing and has no default.

        """
        _require_fields(cls, document)
        return cls(**document)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, _Stored):
        return value.to_dict()
    return value.isoformat() if isinstance(value, date) else value


def _require_name(subject: str, name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{subject} needs a name.")


def _require_flag(subject: str, flag: object) -> None:
    if type(flag) is not bool:
        raise ValueError(f"{subject}: say true or false.")


def _require_weekdays(weekdays: tuple[int, ...]) -> None:
    for weekday in weekdays:
        _require_whole("A weekday", weekday, 0, 6)
    if len(set(weekdays)) < len(weekdays):
        raise ValueError("A weekday is named twice.")


def _read_day(day: date | str | None) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _require_fields(cls: type[_Stored], document: dict[str, Any]) -> None:
    # A setting that this version cannot apply would change the price without a word.
    unknown = sorted(document.keys() - {field.name for field in fields(cls)})
    if unknown:
        raise ValueError(f"{cls.__name__} has no {', '.join(unknown)}.")
    required = (field.name for field in fields(cls) if field.default is MISSING)
    missing = [name for name in required if name not in document]
    if missing:
        raise ValueError(f"{cls.__name__} needs {', '.join(missing)}.")


@dataclass(frozen=True, slots=True)
class Increment(_Stored):
    """A rung of the ladder: so much for so many started minutes."""

    minutes: int
    amount_minor: int

    def __post_init__(self) -> None:
        _require_whole("The minutes of an increment", self.minutes, 1, MONTH_MINUTES)
        _require_whole("The amount of an increment", self.amount_minor, 0, MAX_AMOUNT_MINOR)


@dataclass(frozen=True, slots=True)
class TaxComponent(_Stored):
    """A tax by name, at a rate in basis points: 9 % is 900."""

    name: str
    rate_bp: int

    def __post_init__(self) -> None:
        _require_name("A tax", self.name)
        _require_whole("The rate of a tax in basis points", self.rate_bp, 0, _ALL)


@dataclass(frozen=True, slots=True)
class Band(_Stored):
    """A flat price for a stay that enters and leaves within the band's hours, such as early bird.

    One enters from ``enter_from_minutes`` of a local day on, before ``enter_until_minutes``, and has left
    by ``leave_until_minutes``; over 1440, minutes lie in the days after. That day must be one of the
    weekdays (0 is Monday), within the first and the last day where there are any, and no public holiday
    unless those count.
    """

    name: str
    kind: str
    enter_from_minutes: int
    enter_until_minutes: int
    leave_until_minutes: int
    amount_minor: int
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    on_holidays: bool = True
    first_day: date | None = None
    last_day: date | None = None

    def __post_init__(self) -> None:
        _require_name("A flat price", self.name)
        if self.kind not in BAND_KINDS:
            raise ValueError(f"A flat price is of a kind out of {', '.join(BAND_KINDS)}.")
        first = self.enter_from_minutes
        _require_whole("The first minute to enter", first, 0, 1439)
        _require_whole("The end of entering", self.enter_until_minutes, first + 1, MAX_BAND_MINUTES)
        _require_whole("The end of leaving", self.leave_until_minutes, first + 1, MAX_BAND_MINUTES)
        _require_whole("The amount of a flat price", self.amount_minor, 0, MAX_AMOUNT_MINOR)
        _require_weekdays(self.weekdays)
        _require_flag("A flat price counts on public holidays or does not", self.on_holidays)
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise ValueError("The first day of a flat price must not lie after its last one.")

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote; a setting that is missing has its default."""
        _require_fields(cls, document)
        return cls(
            **{
                **document,
                "weekdays": tuple(document.get("weekdays", range(7))),
                "first_day": _read_day(document.get("first_day")),
                "last_day": _read_day(document.get("last_day")),
            },
        )


@dataclass(frozen=True, slots=True)
class KindRule(_Stored):
    """What bays of one kind cost, in basis points of the ladder's amounts: 12500 is a quarter more."""

    spot_kind: str
    percent_bp: int

    def __post_init__(self) -> None:
        if self.spot_kind not in SPOT_KINDS:
            raise ValueError(f"A bay is of a kind out of {', '.join(SPOT_KINDS)}.")
        _require_whole("What a bay costs in basis points", self.percent_bp, 0, MAX_PERCENT_BP)


@dataclass(frozen=True, slots=True)
class DayRule(_Stored):
    """What some days cost, in basis points of the ladder's amounts, and their cap, if it is another.

    It is the rule of its weekdays (0 is Monday), and of public holidays where ``on_holidays`` says so.
    """

    name: str
    percent_bp: int
    weekdays: tuple[int, ...] = ()
    on_holidays: bool = False
    day_cap_minor: int | None = None

    def __post_init__(self) -> None:
        _require_name("The rule of a day", self.name)
        _require_whole("What a day costs in basis points", self.percent_bp, 0, MAX_PERCENT_BP)
        _require_weekdays(self.weekdays)
        _require_flag("A rule is one of public holidays or is not", self.on_holidays)
        if self.day_cap_minor is not None:
            _require_whole("The cap of a day", self.day_cap_minor, 0, MAX_AMOUNT_MINOR)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote; a setting that is missing has its default."""
        _require_fields(cls, document)
        return cls(**{**document, "weekdays": tuple(document.get("weekdays", ()))})


@dataclass(frozen=True, slots=True)
class Coupon(_Stored):
    """What a code takes off a price: so many basis points of it, or so much."""

    code: str
    percent_bp: int | None = None
    amount_minor: int | None = None

    def __post_init__(self) -> None:
        _require_name("A coupon", self.code)
        if (self.percent_bp is None) == (self.amount_minor is None):
            raise ValueError("A coupon takes off either a percentage or an amount.")
        if self.percent_bp is not None:
            _require_whole("The basis points of a coupon", self.percent_bp, 1, _ALL)
        if self.amount_minor is not None:
            _require_whole("The amount of a coupon", self.amount_minor, 1, MAX_AMOUNT_MINOR)

    def takes_off(self, amount_minor: int) -> int:
        """Say how much of an amount the coupon takes off, at most all of it."""
        if self.amount_minor is not None:
            return min(self.amount_minor, amount_minor)
        return round_half_up(amount_minor * (self.percent_bp or 0), _ALL)


@dataclass(frozen=True, slots=True)
class Tariff(_Stored):
    """A price table: its last increment repeats, and its ladder restarts each local day.

    Of its day rules the first that names a day is the day's. Without a ``holiday_region`` there are no
    public holidays.
    """

    currency: str
    increments: tuple[Increment, ...]
    billing_step_minutes: int = 15
    free_minutes: int = 0
    day_cap_minor: int | None = None
    day_start_minutes: int = 0
    tax_inclusive: bool = True
    taxes: tuple[TaxComponent, ...] = ()
    week_cap_minor: int | None = None
    minimum_minor: int | None = None
    holiday_region: str | None = None
    bands: tuple[Band, ...] = ()
    kind_rules: tuple[KindRule, ...] = ()
    day_rules: tuple[DayRule, ...] = ()

    def __post_init__(self) -> None:
        currency_digits(self.currency)
        if not self.increments:
            raise ValueError("A tariff needs at least one increment.")
        if len(self.increments) > MAX_INCREMENTS:
            raise ValueError(f"A tariff has at most {MAX_INCREMENTS} increments.")
        _require_whole("The billing step in minutes", self.billing_step_minutes, 1, 1440)
        _require_whole("The number of free minutes", self.free_minutes, 0, MONTH_MINUTES)
        _require_whole("The start of the day in minutes", self.day_start_minutes, 0, 1439)
        if self.day_cap_minor is not None:
            _require_whole("The day cap", self.day_cap_minor, 0, MAX_AMOUNT_MINOR)
        if self.week_cap_minor is not None:
            _require_whole("The weekly cap", self.week_cap_minor, 0, MAX_AMOUNT_MINOR)
        if self.minimum_minor is not None:
            _require_whole("The minimum", self.minimum_minor, 0, MAX_AMOUNT_MINOR)
        if self.holiday_region is not None and not is_region(self.holiday_region):
            raise ValueError(f"The public holidays of {self.holiday_region!r} are not known.")
        self._check_rules()
        _require_flag("Prices include tax or they do not", self.tax_inclusive)
        if len(self.taxes) > MAX_TAXES:
            raise ValueError(f"A tariff has at most {MAX_TAXES} taxes.")
        # Up to 100 % in all, included taxes can never round to more than the price: the shares
        # are at most half of it, and rounding half up at most doubles a share.
        if sum(tax.rate_bp for tax in self.taxes) > _ALL:
            raise ValueError("The rates of all taxes together must not exceed 100 %.")

    def _check_rules(self) -> None:
        if len(self.bands) > MAX_BANDS:
            raise ValueError(f"A tariff has at most {MAX_BANDS} flat prices.")
        if len(self.day_rules) > MAX_DAY_RULES:
            raise ValueError(f"A tariff has at most {MAX_DAY_RULES} rules of days.")
        if len({rule.spot_kind for rule in self.kind_rules}) < len(self.kind_rules):
            raise ValueError("A kind of bay has at most one rule.")
        check_rules(
            [rule.percent_bp for rule in self.kind_rules],
            [rule.percent_bp for rule in self.day_rules],
        )

    def percent_of_kind(self, spot_kind: str) -> int:
        """Say what a kind of bay costs, in basis points of the ladder's amounts."""
        return next(
            (rule.percent_bp for rule in self.kind_rules if rule.spot_kind == spot_kind), _ALL
        )

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote; a setting that is missing has its default."""
        _require_fields(cls, document)
        return cls(
            **{
                **document,
                "increments": tuple(map(Increment.from_dict, document["increments"])),
                "taxes": tuple(map(TaxComponent.from_dict, document.get("taxes", ()))),
                "bands": tuple(map(Band.from_dict, document.get("bands", ()))),
                "kind_rules": tuple(map(KindRule.from_dict, document.get("kind_rules", ()))),
                "day_rules": tuple(map(DayRule.from_dict, document.get("day_rules", ()))),
            },
        )


def check_rules(kinds_bp: Collection[int], days_bp: Collection[int]) -> None:
    """Refuse rules of kinds and of days that together make too much of an amount.

    Raises:
        ValueError: it could become more than ten times.

    """
    # The greatest amounts of a month stay whole numbers that JSON can carry.
    if max(kinds_bp, default=_ALL) * max(days_bp, default=_ALL) > MAX_PERCENT_BP * _ALL:
        raise ValueError("The rules together must not make an amount more than ten times.")


LINE_KINDS = (
    "free",
    "parking",
    "day_rule",
    "kind_rule",
    "day_cap",
    "week_cap",
    "band",
    "minimum",
    "coupon",
    "tax",
)


@dataclass(frozen=True, slots=True)
class Line(_Stored):
    """A line of a price; its kind, one of ``LINE_KINDS``, tells the step that it comes from."""

    label: str
    quantity: int
    unit_minor: int
    amount_minor: int
    kind: str


@dataclass(frozen=True, slots=True)
class TaxAmount(_Stored):
    """What one tax comes to, and whether the prices of the lines contain it."""

    name: str
    rate_bp: int
    amount_minor: int
    included: bool


@dataclass(frozen=True, slots=True)
class Price(_Stored):
    """What a stay costs, line by line; net and tax sum to the total, and so do the lines."""

    lines: tuple[Line, ...]
    taxes: tuple[TaxAmount, ...]
    tax_minor: int
    net_minor: int
    total_minor: int
    currency: str

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        _require_fields(cls, document)
        return cls(
            **{
                **document,
                "lines": tuple(map(Line.from_dict, document["lines"])),
                "taxes": tuple(map(TaxAmount.from_dict, document["taxes"])),
            },
        )


def price(
    tariff: Tariff,
    *,
    starts_at: datetime,
    ends_at: datetime,
    zone: str,
    spot_kind: str = "standard",
    coupon: Coupon | None = None,
) -> Price:
    """Price the stay ``[starts_at, ends_at)`` in a bay of a kind, at a place in the time zone ``zone``.

    A stay never costs more than any longer one, which begins at the same moment and ends later. This
    needs no step of its own and no search through longer stays, since with a later end no step gives
    less: of each local day more minutes lie within the stay, or as many, and so the ladder, its rules
    and its cap give as much or more; what accrues within each 7 x 24 hours from the start grows with it;
    a flat band that contains the longer stay contains the shorter one too, so that the bands to choose
    from only become fewer; and the minimum, the coupon and each tax, rounded, turn a greater sum into a
    greater or equal one. (Of an earlier start nothing like it is said: whoever enters too late for the
    early bird pays more than who was early.)

    Raises:
        ValueError: a moment has no offset or is out of range, the end is before the start, or
            there is no such zone.

    """
    start, end = _in_utc(starts_at), _in_utc(ends_at)
    if end < start:
        raise ValueError("A stay cannot end before it starts.")
    place = _zone(zone)

    lines: list[Line] = []
    charged_from = min(start + tariff.free_minutes * _MINUTE, end)
    if charged_from > start:
        lines.append(_free_line(_started_minutes(start, charged_from)))
    days = [
        _ChargedDay(day, since, until, _day_lines(tariff, day, since, until, spot_kind))
        for day, since, until in _local_days(tariff, charged_from, end, place)
    ]
    for charged in days:
        lines += charged.lines
    lines += _week_cap_lines(tariff, start, days, spot_kind)
    lines += _band_lines(tariff, _sum(lines), start, end, place)
    lines += _minimum_lines(tariff, _sum(lines))
    lines += _coupon_lines(coupon, _sum(lines))
    return _with_tax(tariff, lines)


@dataclass(frozen=True, slots=True)
class _ChargedDay:
    """What of one local day is charged, and its lines."""

    day: date
    since: datetime
    until: datetime
    lines: list[Line]


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.amount_minor for line in lines)


def _in_utc(moment: datetime) -> datetime:
    # Python subtracts two moments of one zone by their clocks, and loses the hour of a DST change.
    if moment.utcoffset() is None:
        raise ValueError("The start and the end of a stay need an offset from UTC.")
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("The start and the end of a stay must lie within the calendar.")
    return moment.astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone.") from error


def _started_minutes(start: datetime, end: datetime) -> int:
    """Count the minutes between two moments in UTC; a started one counts."""
    return -((start - end) // _MINUTE)


def _free_line(minutes: int) -> Line:
    return Line(f"First {_span(minutes)} free", minutes, 0, 0, "free")


def _local_days(
    tariff: Tariff,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> Iterator[tuple[date, datetime, datetime]]:
    """Cut ``[start, end)`` at local day starts, into days and what lies of each within it."""
    minutes = tariff.day_start_minutes
    day = start.astimezone(zone).date()
    while start < _local(day, minutes, zone):
        day -= _DAY
    while start < end:
        next_day = day + _DAY
        cut = min(_local(next_day, minutes, zone), end)
        # No time is left of a day that a zone skipped, or that began before its clocks went back.
        if cut > start:
            yield day, start, cut
            start = cut
        day = next_day


def _local(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Give the moment when the clocks of a day show these minutes after midnight; over 1440, of a later day."""
    days, rest = divmod(minutes, 1440)
    hour, minute = divmod(rest, 60)
    # As in calendars (RFC 5545): a time the clocks show twice is the first of the two, one
    # they skip is read with the offset before the change. Both are what fold=0 means.
    if days:
        day += timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)


def _day_lines(
    tariff: Tariff, day: date, since: datetime, until: datetime, spot_kind: str
) -> list[Line]:
    """Price one local day: round up to the step, walk the ladder, apply the rules, clip to the cap."""
    name = f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
    minutes, step = _started_minutes(since, until), tariff.billing_step_minutes
    lines: list[Line] = []
    for increment, times in _walk(tariff.increments, -(-minutes // step) * step):
        span = _span(increment.minutes)
        label = f"first {span}" if not lines and times == 1 else f"{times} × {span}"
        amount = times * increment.amount_minor
        lines.append(Line(f"{name} · {label}", times, increment.amount_minor, amount, "parking"))
    rule = _rule_of(tariff, day)
    cap = tariff.day_cap_minor
    if rule is not None:
        lines += _percent_lines(f"{name} · {rule.name}", lines, rule.percent_bp, "day_rule")
        cap = cap if rule.day_cap_minor is None else rule.day_cap_minor
    percent = tariff.percent_of_kind(spot_kind)
    lines += _percent_lines(f"{name} · {spot_kind} bay", lines, percent, "kind_rule")
    if cap is not None:
        lines += _cap_lines(f"{name} · day cap", _sum(lines), cap, "day_cap")
    return lines


def _rule_of(tariff: Tariff, day: date) -> DayRule | None:
    return next(
        (
            rule
            for rule in tariff.day_rules
            if day.weekday() in rule.weekdays or (rule.on_holidays and _is_holiday(tariff, day))
        ),
        None,
    )


def _is_holiday(tariff: Tariff, day: date) -> bool:
    return tariff.holiday_region is not None and is_holiday(tariff.holiday_region, day)


def _percent_lines(label: str, lines: list[Line], percent_bp: int, kind: str) -> list[Line]:
    if percent_bp == _ALL:
        return []
    amount = _sum(lines)
    return _step(label, round_half_up(amount * percent_bp, _ALL) - amount, kind)


def _cap_lines(label: str, amount: int, cap: int, kind: str) -> list[Line]:
    return _step(label, min(cap - amount, 0), kind)


def _step(label: str, difference: int, kind: str) -> list[Line]:
    """Write what a step changes; one that changes nothing leaves no line."""
    return [Line(label, 1, difference, difference, kind)] if difference else []


def _week_cap_lines(
    tariff: Tariff, start: datetime, days: list[_ChargedDay], spot_kind: str
) -> list[Line]:
    """Clip what accrues within each 7 x 24 hours from the start, which may cut a day in two."""
    lines: list[Line] = []
    if tariff.week_cap_minor is None or not days:
        return lines
    reached, before, week = start, 0, 0
    while reached < days[-1].until:
        week += 1
        reached = start + week * _WEEK
        accrued = _accrued(tariff, days, reached, spot_kind)
        lines += _cap_lines(
            f"Week {week} · weekly cap", accrued - before, tariff.week_cap_minor, "week_cap"
        )
        before = accrued
    return lines


def _accrued(tariff: Tariff, days: list[_ChargedDay], reached: datetime, spot_kind: str) -> int:
    """Say what the time up to a moment costs."""
    amount = 0
    for charged in days:
        if charged.until <= reached:
            amount += _sum(charged.lines)
        elif charged.since < reached:
            amount += _sum(_day_lines(tariff, charged.day, charged.since, reached, spot_kind))
    return amount


def _band_lines(
    tariff: Tariff, amount: int, start: datetime, end: datetime, zone: ZoneInfo
) -> list[Line]:
    """Take the cheapest flat band that contains the whole stay, if it is cheaper than all before."""
    fitting = [band for band in tariff.bands if _contains(tariff, band, start, end, zone)]
    if not fitting:
        return []
    band = min(fitting, key=lambda each: each.amount_minor)
    return _cap_lines(f"{band.name} · flat price", amount, band.amount_minor, "band")


def _contains(tariff: Tariff, band: Band, start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    today = start.astimezone(zone).date()
    # The day of a band that lets in for days may be long over.
    days = (today - days * _DAY for days in range(band.enter_until_minutes // 1440 + 1))
    return any(
        _local(day, band.enter_from_minutes, zone)
        <= start
        < _local(day, band.enter_until_minutes, zone)
        and end <= _local(day, band.leave_until_minutes, zone)
        for day in days
        if _counts(tariff, band, day)
    )


def _counts(tariff: Tariff, band: Band, day: date) -> bool:
    return (
        day.weekday() in band.weekdays
        and (band.first_day is None or band.first_day <= day)
        and (band.last_day is None or day <= band.last_day)
        and (band.on_holidays or not _is_holiday(tariff, day))
    )


def _minimum_lines(tariff: Tariff, amount: int) -> list[Line]:
    """Raise what costs anything to the minimum; what is free stays free."""
    if tariff.minimum_minor is None or not amount:
        return []
    return _step("Minimum charge", max(tariff.minimum_minor - amount, 0), "minimum")


def _coupon_lines(coupon: Coupon | None, amount: int) -> list[Line]:
    if coupon is None:
        return []
    return _step(f"Coupon {coupon.code}", -coupon.takes_off(amount), "coupon")


def _walk(increments: tuple[Increment, ...], minutes: int) -> list[tuple[Increment, int]]:
    """Climb the ladder for some minutes: runs of equal increments, and how often each is due."""
    runs: list[tuple[Increment, int]] = []
    last = len(increments) - 1
    for position, increment in enumerate(increments):
        if minutes <= 0:
            break
        times = -(-minutes // increment.minutes) if position == last else 1
        minutes -= times * increment.minutes
        if runs and runs[-1][0] == increment:
            times += runs.pop()[1]
        runs.append((increment, times))
    return runs


def _with_tax(tariff: Tariff, lines: list[Line]) -> Price:
    """Close a price: read the included tax out of the lines' sum, or add tax to it."""
    amount = _sum(lines)
    included = tariff.tax_inclusive
    whole = _ALL + sum(tax.rate_bp for tax in tariff.taxes) if included else _ALL
    # Each tax is rounded by itself, so that equal rates (CGST and SGST) give equal amounts.
    taxes = tuple(
        TaxAmount(tax.name, tax.rate_bp, round_half_up(amount * tax.rate_bp, whole), included)
        for tax in tariff.taxes
    )
    tax_minor = sum(tax.amount_minor for tax in taxes)
    if not included:
        lines += [_tax_line(tax) for tax in taxes]
    return Price(
        lines=tuple(lines),
        taxes=taxes,
        tax_minor=tax_minor,
        net_minor=amount - tax_minor if included else amount,
        total_minor=amount if included else amount + tax_minor,
        currency=tariff.currency,
    )


def _tax_line(tax: TaxAmount) -> Line:
    percent, hundredths = divmod(tax.rate_bp, 100)
    rate = f"{percent}.{hundredths:02d}".rstrip("0").rstrip(".")
    return Line(f"{tax.name} {rate} %", 1, tax.amount_minor, tax.amount_minor, "tax")


def _span(minutes: int) -> str:
    """Write a span shortly: whole hours from two hours on, else minutes."""
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if rest or hours < 2 else f"{hours} h"
