"""The published versions of tariffs as the engine reads them, and prices from them again."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import bindparam, select

from backend.database import get_row
from backend.extensions import db
from backend.models import (
    Base,
    Coupon,
    Lot,
    Quote,
    Tariff,
    TariffBand,
    TariffDayRule,
    TariffIncrement,
    TariffKindRule,
    TariffTax,
)
from backend.tariffs import pricing

PARTS = (Tariff.increments, Tariff.taxes, Tariff.bands, Tariff.kind_rules, Tariff.day_rules)
TERMS = (
    "currency",
    "billing_step_minutes",
    "free_minutes",
    "day_cap_minor",
    "day_start_minutes",
    "tax_inclusive",
    "week_cap_minor",
    "minimum_minor",
    "holiday_region",
)
"""What the engine and the row call by one name."""

_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class CurrentTariff:
    """A published version, as the engine reads it."""

    id: int
    tariff: pricing.Tariff


# A version that left the drafts never changes, so it is read once. The moment of its making is part
# of the key, because SQLite gives the number of a row that was rolled back to the next one.
_remembered: dict[tuple[int, datetime], pricing.Tariff] = {}

# Made once: each quote and each list of lots asks for prices.
_VERSIONS = select(
    Tariff.id, Tariff.lot_id, Tariff.created_at, *(getattr(Tariff, term) for term in TERMS)
).where(Tariff.status != "draft")
_CURRENT = _VERSIONS.where(
    Tariff.status == "published", Tariff.lot_id.in_(bindparam("lot_ids", expanding=True))
)
_BY_ID = _VERSIONS.where(Tariff.id == bindparam("tariff_id"))


def current_tariffs(lot_ids: Collection[int]) -> dict[int, CurrentTariff]:
    """Give the published version of each of these lots; a lot without one is left out.

    One query, and one more for each kind of part when some version is met for the first time in this process.
    """
    if not lot_ids:
        return {}
    return _read_versions(_CURRENT, {"lot_ids": list(lot_ids)})


def engine_tariff(row: Tariff) -> pricing.Tariff:
    """Read a version, with all its parts loaded, as the engine wants it."""
    return _assemble(
        row, {name: map(read, getattr(row, name)) for name, (_, _, read) in _PARTS.items()}
    )


def get_version(tariff_id: int) -> pricing.Tariff:
    """Give a version that was published once, as the engine reads it; each is read once in this process."""
    (version,) = _read_versions(_BY_ID, {"tariff_id": tariff_id}).values()
    return version.tariff


def kinds_no_dearer(tariff_id: int, priced_kind: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """Give those of some kinds of bay that cost no more by a version than the kind that was priced."""
    tariff = get_version(tariff_id)
    most = tariff.percent_of_kind(priced_kind)
    return tuple(kind for kind in kinds if tariff.percent_of_kind(kind) <= most)


def price_again(
    quote: Quote, *, starts_at: datetime, ends_at: datetime, zone: str
) -> pricing.Price:
    """Price a window by the version, the kind of bay and the coupon that priced a quote."""
    return pricing.price(
        get_version(quote.tariff_id),
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone,
        spot_kind=quote.priced_kind,
        coupon=find_coupon_of(quote),
    )


def find_coupon_of(quote: Quote) -> pricing.Coupon | None:
    """Give what a quote's coupon takes off; that of a coupon never changes."""
    if quote.coupon_id is None:
        return None
    return engine_coupon(get_row(Coupon, quote.coupon_id))


def engine_coupon(row: Coupon) -> pricing.Coupon:
    """Read a coupon as the engine wants it."""
    return pricing.Coupon(row.code, row.percent_bp, row.amount_minor)


def replay(quote: Quote) -> pricing.Price:
    """Price a stored quote again from the version that priced it: the result is line by line equal."""
    lot = get_row(Lot, quote.lot_id)
    return price_again(quote, starts_at=quote.starts_at, ends_at=quote.ends_at, zone=lot.timezone)


def as_bits(weekdays: Iterable[int]) -> int:
    """Write weekdays as the bits that rows keep: bit 0 is Monday."""
    return sum(1 << weekday for weekday in weekdays)


def as_weekdays(bits: int) -> tuple[int, ...]:
    """Read weekdays from their bits."""
    return tuple(weekday for weekday in range(7) if bits >> weekday & 1)


def _read_versions(versions: Any, asked: dict[str, Any]) -> dict[int, CurrentTariff]:
    """Read versions that left the drafts, at most one a lot, by the lot's id."""
    rows = db.session.connection().execute(versions, asked).all()
    known = {
        row.id: tariff
        for row in rows
        if (tariff := _remembered.get((row.id, row.created_at))) is not None
    }
    unknown = [row for row in rows if row.id not in known]
    if unknown:
        parts = _read_parts([row.id for row in unknown])
        if len(_remembered) + len(unknown) > _MOST_REMEMBERED:
            _remembered.clear()
        for row in unknown:
            tariff = _assemble(row, {name: each.get(row.id, ()) for name, each in parts.items()})
            known[row.id] = _remembered[row.id, row.created_at] = tariff
    return {row.lot_id: CurrentTariff(row.id, known[row.id]) for row in rows}


def _increment(row: Any) -> pricing.Increment:
    return pricing.Increment(row.minutes, row.amount_minor)


def _tax(row: Any) -> pricing.TaxComponent:
    return pricing.TaxComponent(row.name, row.rate_bp)


def _band(row: Any) -> pricing.Band:
    return pricing.Band(
        name=row.name,
        kind=row.kind,
        enter_from_minutes=row.enter_from_minutes,
        enter_until_minutes=row.enter_until_minutes,
        leave_until_minutes=row.leave_until_minutes,
        amount_minor=row.amount_minor,
        weekdays=as_weekdays(row.weekdays),
        on_holidays=row.on_holidays,
        first_day=row.first_day,
        last_day=row.last_day,
    )


def _kind_rule(row: Any) -> pricing.KindRule:
    return pricing.KindRule(row.spot_kind, row.percent_bp)


def _day_rule(row: Any) -> pricing.DayRule:
    return pricing.DayRule(
        name=row.name,
        percent_bp=row.percent_bp,
        weekdays=as_weekdays(row.weekdays),
        on_holidays=row.on_holidays,
        day_cap_minor=row.day_cap_minor,
    )


_Part: TypeAlias = tuple[type[Base], str, Callable[[Any], Any]]
# The table of each part, what orders it, and how the engine reads a row of it.
_PARTS: dict[str, _Part] = {
    "increments": (TariffIncrement, "position", _increment),
    "taxes": (TariffTax, "position", _tax),
    "bands": (TariffBand, "position", _band),
    "kind_rules": (TariffKindRule, "spot_kind", _kind_rule),
    "day_rules": (TariffDayRule, "position", _day_rule),
}


def _read_parts(tariff_ids: Sequence[int]) -> dict[str, dict[int, list[Any]]]:
    """Read all that belongs to some versions, by the name of the part and the version's id."""
    found: dict[str, dict[int, list[Any]]] = {}
    for name, (model, order, read) in _PARTS.items():
        found[name] = defaultdict(list)
        columns = model.__table__.columns
        for row in db.session.execute(
            select(*columns)
            .where(columns["tariff_id"].in_(tariff_ids))
            .order_by(columns["tariff_id"], columns[order])
        ):
            found[name][row.tariff_id].append(read(row))
    return found


def _assemble(row: Any, parts: Mapping[str, Iterable[Any]]) -> pricing.Tariff:
    terms: dict[str, Any] = {term: getattr(row, term) for term in TERMS}
    terms |= {name: tuple(each) for name, each in parts.items()}
    return pricing.Tariff(**terms)
