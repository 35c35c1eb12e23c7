"""The price of a stay: a pure function of a tariff, a window and a time zone.

The steps run in one fixed order: free minutes, local days, the ladder of increments with the day
cap, tax. Each step that changes something adds lines, and the lines sum to the total.
"""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from backend.money import currency_digits, round_half_up

# The bounds keep every total of a month's stay inside the whole numbers that JSON can carry.
MAX_AMOUNT_MINOR = 1_000_000_000
MAX_INCREMENTS = 100
MONTH_MINUTES = 30 * 1440
MAX_TAXES = 10
_ALL = 10_000  # basis points in 100 %

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)

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
    return [part.to_dict() for part in value] if isinstance(value, tuple) else value


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
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError("A tax needs a name.")
        _require_whole("The rate of a tax in basis points", self.rate_bp, 0, _ALL)


@dataclass(frozen=True, slots=True)
class Tariff(_Stored):
    """A price table: its last increment repeats, and its ladder restarts each local day."""

    currency: str
    increments: tuple[Increment, ...]
    billing_step_minutes: int = 15
    free_minutes: int = 0
    day_cap_minor: int | None = None
    day_start_minutes: int = 0
    tax_inclusive: bool = True
    taxes: tuple[TaxComponent, ...] = ()

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
        if type(self.tax_inclusive) is not bool:
            raise ValueError("Prices include tax or they do not: say true or false.")
        if len(self.taxes) > MAX_TAXES:
            raise ValueError(f"A tariff has at most {MAX_TAXES} taxes.")
        # Up to 100 % in all, included taxes can never round to more than the price: the shares
        # are at most half of it, and rounding half up at most doubles a share.
        if sum(tax.rate_bp for tax in self.taxes) > _ALL:
            raise ValueError("The rates of all taxes together must not exceed 100 %.")

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what ``to_dict`` wrote; a setting that is missing has its default."""
        _require_fields(cls, document)
        return cls(
            **{
                **document,
                "increments": tuple(map(Increment.from_dict, document["increments"])),
                "taxes": tuple(map(TaxComponent.from_dict, document.get("taxes", ()))),
            },
        )


@dataclass(frozen=True, slots=True)
class Line(_Stored):
    """A line of a price; its kind is ``free``, ``parking``, ``day_cap`` or ``tax``."""

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


def price(tariff: Tariff, *, starts_at: datetime, ends_at: datetime, zone: str) -> Price:
    """Price the stay ``[starts_at, ends_at)`` at a place in the time zone ``zone``.

    A stay that lies within another one never costs more than that. This needs no step of its
    own: each step turns a longer piece of time, or a greater sum, into a greater or equal one.

    Raises:
        ValueError: a moment has no offset or is out of range, the end is before the start, or
            there is no such zone.

    """
    start, end = _in_utc(starts_at), _in_utc(ends_at)
    if end < start:
        raise ValueError("A stay cannot end before it starts.")

    lines: list[Line] = []
    charged_from = min(start + tariff.free_minutes * _MINUTE, end)
    if charged_from > start:
        lines.append(_free_line(_started_minutes(start, charged_from)))
    for day, minutes in _local_days(tariff, charged_from, end, _zone(zone)):
        lines += _day_lines(tariff, day, minutes)
    return _with_tax(tariff, lines)


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
) -> Iterator[tuple[date, int]]:
    """Cut ``[start, end)`` at local day starts, into days and their minutes."""
    hour, minute = divmod(tariff.day_start_minutes, 60)

    def day_start(day: date) -> datetime:
        # As in calendars (RFC 5545): a time the clocks show twice is the first of the two, one
        # they skip is read with the offset before the change. Both are what fold=0 means.
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        return local.astimezone(UTC)

    day = start.astimezone(zone).date()
    while start < day_start(day):
        day -= _DAY
    while start < end:
        next_day = day + _DAY
        cut = min(day_start(next_day), end)
        # No time is left of a day that a zone skipped, or that began before its clocks went back.
        if cut > start:
            yield day, _started_minutes(start, cut)
            start = cut
        day = next_day


def _day_lines(tariff: Tariff, day: date, minutes: int) -> list[Line]:
    """Price one local day: round up to the step, walk the ladder, clip to the cap."""
    name = f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
    step = tariff.billing_step_minutes
    lines: list[Line] = []
    for increment, times in _walk(tariff.increments, -(-minutes // step) * step):
        span = _span(increment.minutes)
        label = f"first {span}" if not lines and times == 1 else f"{times} × {span}"
        amount = times * increment.amount_minor
        lines.append(Line(f"{name} · {label}", times, increment.amount_minor, amount, "parking"))
    if tariff.day_cap_minor is not None:
        above = sum(line.amount_minor for line in lines) - tariff.day_cap_minor
        if above > 0:
            lines.append(Line(f"{name} · day cap", 1, -above, -above, "day_cap"))
    return lines


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
    amount = sum(line.amount_minor for line in lines)
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
    rate = f"{percent}.{hundredths:02d}".rstrip("0").rstrip(".") if hundredths else str(percent)
    return Line(f"{tax.name} {rate} %", 1, tax.amount_minor, tax.amount_minor, "tax")


def _span(minutes: int) -> str:
    """Write a span shortly: whole hours from two hours on, else minutes."""
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if rest or hours < 2 else f"{hours} h"
