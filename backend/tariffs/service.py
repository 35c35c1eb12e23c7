"""What may be done to tariffs, and which of them price a stay now."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import selectinload

from backend import clock
from backend.audit.service import record
from backend.config import settings
from backend.database import get_row
from backend.errors import IllegalTransition, NotFound, TariffNotDraft
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, Quote, Tariff, TariffIncrement, TariffTax
from backend.signals import lots_changed
from backend.tariffs import pricing
from backend.transaction import after_commit

_GERMAN_ZONES = ("Europe/Berlin", "Europe/Busingen")

_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class CurrentTariff:
    """A published version, as the engine reads it."""

    id: int
    tariff: pricing.Tariff


# A version that left the drafts never changes, so it is read once. The moment of its making is part
# of the key, because SQLite gives the number of a row that was rolled back to the next one.
_remembered: dict[tuple[int, datetime], pricing.Tariff] = {}


def get_public_tariff(caller: Caller | None, lot_id: int) -> Tariff:
    """Give the tariff by which a lot charges now, to anybody who may see the lot.

    Raises:
        NotFound: there is no such lot, or it has no published tariff.

    """
    lot = get_row(Lot, lot_id)
    is_admin = caller is not None and caller.has_role("admin")
    if lot.status in {"draft", "archived"} and not is_admin:
        raise NotFound(f"There is no lot {lot_id}.")
    tariff = current_tariff(lot_id)
    if tariff is None:
        raise NotFound(f"{lot.name} has no published tariff.")
    return tariff


def list_tariffs(
    lot_id: int, *, limit: int, before_version: int | None = None
) -> tuple[list[Tariff], int]:
    """List the versions of a lot's tariff, the newest first, and count them all.

    Raises:
        NotFound: there is no such lot.

    """
    get_row(Lot, lot_id)
    statement = _with_parts().where(Tariff.lot_id == lot_id)
    if before_version is not None:
        statement = statement.where(Tariff.version < before_version)
    rows = db.session.scalars(statement.order_by(Tariff.version.desc()).limit(limit))
    total = select(func.count()).select_from(Tariff).where(Tariff.lot_id == lot_id)
    return list(rows), db.session.scalar(total) or 0


def draft_tariff(
    admin: Caller | None,
    lot_id: int,
    *,
    name: str,
    increments: Sequence[dict[str, int]],
    taxes: Sequence[dict[str, Any]] | None = None,
    **terms: Any,
) -> Tariff:
    """Write the next version of a lot's tariff, as a draft, in the installation's currency.

    Without an ``admin`` it is the demonstration that does. ``terms`` are the engine's own settings, such as ``day_cap_minor``. Without ``taxes`` it gets
    those of :func:`default_taxes`; an empty list means none.

    Raises:
        NotFound: there is no such lot.

    """
    # The lock gives two drafts of one moment two numbers.
    lot = get_row(Lot, lot_id, for_update=True)
    currency = settings().currency
    tariff = pricing.Tariff(
        currency=currency,
        increments=tuple(pricing.Increment(**increment) for increment in increments),
        taxes=(
            default_taxes(currency, lot.timezone)
            if taxes is None
            else tuple(pricing.TaxComponent(**tax) for tax in taxes)
        ),
        **terms,
    )
    latest = select(func.max(Tariff.version)).where(Tariff.lot_id == lot_id)
    row = Tariff(
        lot_id=lot_id,
        version=(db.session.scalar(latest) or 0) + 1,
        name=name,
        status="draft",
        currency=currency,
        billing_step_minutes=tariff.billing_step_minutes,
        free_minutes=tariff.free_minutes,
        day_cap_minor=tariff.day_cap_minor,
        day_start_minutes=tariff.day_start_minutes,
        tax_inclusive=tariff.tax_inclusive,
        created_at=clock.now(),
        published_at=None,
        increments=[
            TariffIncrement(position=position, **increment.to_dict())
            for position, increment in enumerate(tariff.increments)
        ],
        taxes=[
            TariffTax(position=position, **tax.to_dict())
            for position, tax in enumerate(tariff.taxes)
        ],
    )
    db.session.add(row)
    # Gives the row its id, which the caller needs to publish it.
    db.session.flush()
    record(
        "tariff.drafted",
        "tariff",
        row.id,
        actor_id=_id_of(admin),
        after={"lot_id": lot_id, "version": row.version, "name": name, **tariff.to_dict()},
    )
    return row


def default_taxes(currency: str, zone: str) -> tuple[pricing.TaxComponent, ...]:
    """Give the taxes of a tariff that names none.

    In rupees CGST and SGST at 9 % each; in euros, at a lot whose time zone is one of Germany, VAT at
    19 %; anywhere else none, since no rate would be right everywhere. Prices include them unless the
    tariff says otherwise.
    """
    if currency == "INR":
        return (pricing.TaxComponent("CGST", 900), pricing.TaxComponent("SGST", 900))
    if currency == "EUR" and zone in _GERMAN_ZONES:
        return (pricing.TaxComponent("VAT", 1900),)
    return ()


def publish_tariff(admin: Caller | None, tariff_id: int) -> Tariff:
    """Make a draft the tariff by which its lot charges from now on; the former one is superseded.

    Quotes and bookings that stand keep the version that priced them.

    Raises:
        NotFound: there is no such tariff.
        TariffNotDraft: it was published before.
        IllegalTransition: its prices are not in the installation's currency.

    """
    lot_id = get_row(Tariff, tariff_id).lot_id
    # Two drafts published at once take turns here, so that the later one supersedes the earlier.
    get_row(Lot, lot_id, for_update=True)
    # What was read before the lock may be old by now.
    tariff = get_row(Tariff, tariff_id, for_update=True)
    currency = settings().currency
    if tariff.status != "draft":
        raise TariffNotDraft(f"Version {tariff.version} was published before. Draft a new one.")
    if tariff.currency != currency:
        raise IllegalTransition(
            f"The draft's prices are in {tariff.currency}, but prices here are in {currency}.",
            status_now=tariff.status,
        )
    # The other order would have two published for a moment, which the index refuses.
    former = db.session.scalar(
        update(Tariff)
        .where(Tariff.lot_id == lot_id, Tariff.status == "published")
        .values(status="superseded")
        .returning(Tariff.version)
    )
    published = (
        update(Tariff)
        .where(Tariff.id == tariff_id, Tariff.status == "draft")
        .values(status="published", published_at=clock.now())
    )
    db.session.execute(published)
    record(
        "tariff.published",
        "tariff",
        tariff_id,
        actor_id=_id_of(admin),
        before={"lot_id": lot_id, "version": former},
        after={"lot_id": lot_id, "version": tariff.version},
    )
    # Lists of lots tell a price.
    after_commit(lots_changed.send, None, lot_id=lot_id)
    return db.session.scalars(
        _with_parts().where(Tariff.id == tariff_id).execution_options(populate_existing=True)
    ).one()


def current_tariff(lot_id: int) -> Tariff | None:
    """Give the published version of a lot's tariff, its increments and taxes loaded."""
    return db.session.scalars(
        _with_parts().where(Tariff.lot_id == lot_id, Tariff.status == "published")
    ).one_or_none()


def current_tariffs(lot_ids: Collection[int]) -> dict[int, CurrentTariff]:
    """Give the published version of each of these lots; a lot without one is left out.

    One query, and two more when some version is met for the first time in this process.
    """
    if not lot_ids:
        return {}
    return _read_versions(_CURRENT, {"lot_ids": list(lot_ids)})


def engine_tariff(row: Tariff) -> pricing.Tariff:
    """Read a version, with increments and taxes loaded, as the engine wants it."""
    return _assemble(
        row,
        [pricing.Increment(part.minutes, part.amount_minor) for part in row.increments],
        [pricing.TaxComponent(part.name, part.rate_bp) for part in row.taxes],
    )


def replay(quote: Quote) -> pricing.Price:
    """Price a stored quote again from the version that priced it: the result is line by line equal."""
    lot = get_row(Lot, quote.lot_id)
    version = _read_versions(_BY_ID, {"tariff_id": quote.tariff_id})[quote.lot_id]
    return pricing.price(
        version.tariff, starts_at=quote.starts_at, ends_at=quote.ends_at, zone=lot.timezone
    )


def _id_of(admin: Caller | None) -> int | None:
    return None if admin is None else admin.id


def _with_parts() -> Select[Tariff]:
    return select(Tariff).options(selectinload(Tariff.increments), selectinload(Tariff.taxes))


# Made once: each quote and each list of lots asks for prices.
_VERSIONS = select(
    Tariff.id,
    Tariff.lot_id,
    Tariff.created_at,
    Tariff.currency,
    Tariff.billing_step_minutes,
    Tariff.free_minutes,
    Tariff.day_cap_minor,
    Tariff.day_start_minutes,
    Tariff.tax_inclusive,
).where(Tariff.status != "draft")
_CURRENT = _VERSIONS.where(
    Tariff.status == "published", Tariff.lot_id.in_(bindparam("lot_ids", expanding=True))
)
_BY_ID = _VERSIONS.where(Tariff.id == bindparam("tariff_id"))


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
        tariff_ids = [row.id for row in unknown]
        increments, taxes = _read_increments(tariff_ids), _read_taxes(tariff_ids)
        if len(_remembered) + len(unknown) > _MOST_REMEMBERED:
            _remembered.clear()
        for row in unknown:
            tariff = _assemble(row, increments[row.id], taxes[row.id])
            known[row.id] = _remembered[row.id, row.created_at] = tariff
    return {row.lot_id: CurrentTariff(row.id, known[row.id]) for row in rows}


def _read_increments(tariff_ids: Sequence[int]) -> dict[int, list[pricing.Increment]]:
    increments: dict[int, list[pricing.Increment]] = defaultdict(list)
    for tariff_id, minutes, amount_minor in db.session.execute(
        select(TariffIncrement.tariff_id, TariffIncrement.minutes, TariffIncrement.amount_minor)
        .where(TariffIncrement.tariff_id.in_(tariff_ids))
        .order_by(TariffIncrement.tariff_id, TariffIncrement.position)
    ):
        increments[tariff_id].append(pricing.Increment(minutes, amount_minor))
    return increments


def _read_taxes(tariff_ids: Sequence[int]) -> dict[int, list[pricing.TaxComponent]]:
    taxes: dict[int, list[pricing.TaxComponent]] = defaultdict(list)
    for tariff_id, name, rate_bp in db.session.execute(
        select(TariffTax.tariff_id, TariffTax.name, TariffTax.rate_bp)
        .where(TariffTax.tariff_id.in_(tariff_ids))
        .order_by(TariffTax.tariff_id, TariffTax.position)
    ):
        taxes[tariff_id].append(pricing.TaxComponent(name, rate_bp))
    return taxes


def _assemble(
    row: Any,
    increments: Sequence[pricing.Increment],
    taxes: Sequence[pricing.TaxComponent],
) -> pricing.Tariff:
    return pricing.Tariff(
        currency=row.currency,
        increments=tuple(increments),
        billing_step_minutes=row.billing_step_minutes,
        free_minutes=row.free_minutes,
        day_cap_minor=row.day_cap_minor,
        day_start_minutes=row.day_start_minutes,
        tax_inclusive=row.tax_inclusive,
        taxes=tuple(taxes),
    )
