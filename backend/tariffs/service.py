"""What may be done to tariffs: drafting and publishing them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import selectinload

from backend import clock
from backend.audit.service import record
from backend.config import settings
from backend.database import get_row
from backend.errors import IllegalTransition, NotFound, TariffNotDraft
from backend.extensions import db
from backend.identity import Caller
from backend.models import (
    Lot,
    Tariff,
    TariffBand,
    TariffDayRule,
    TariffIncrement,
    TariffKindRule,
    TariffTax,
)
from backend.signals import lots_changed
from backend.tariffs import pricing
from backend.tariffs.versions import PARTS, TERMS, as_bits
from backend.transaction import after_commit

_GERMAN_ZONES = ("Europe/Berlin", "Europe/Busingen")


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


def get_tariff(tariff_id: int) -> Tariff:
    """Give a version of a tariff, drafts too, all its parts loaded.

    Raises:
        NotFound: there is no such tariff.

    """
    tariff = db.session.scalars(_with_parts().where(Tariff.id == tariff_id)).one_or_none()
    if tariff is None:
        raise NotFound(f"There is no tariff {tariff_id}.")
    return tariff


def draft_tariff(admin: Caller | None, lot_id: int, *, name: str, **terms: Any) -> Tariff:
    """Write the next version of a lot's tariff, as a draft, in the installation's currency.

    Without an ``admin`` it is the demonstration that does. ``terms`` are those of :func:`read_terms`.

    Raises:
        NotFound: there is no such lot.

    """
    # The lock gives two drafts of one moment two numbers.
    lot = get_row(Lot, lot_id, for_update=True)
    tariff = read_terms(lot.timezone, **terms)
    latest = select(func.max(Tariff.version)).where(Tariff.lot_id == lot_id)
    row = Tariff(
        lot_id=lot_id,
        version=(db.session.scalar(latest) or 0) + 1,
        name=name,
        status="draft",
        created_at=clock.now(),
        published_at=None,
        **{term: getattr(tariff, term) for term in TERMS},
        **_rows_of_parts(tariff),
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


def read_terms(
    zone: str,
    *,
    increments: Sequence[Mapping[str, Any]],
    taxes: Sequence[Mapping[str, Any]] | None = None,
    bands: Sequence[Mapping[str, Any]] = (),
    kind_rules: Sequence[Mapping[str, Any]] = (),
    day_rules: Sequence[Mapping[str, Any]] = (),
    **terms: Any,
) -> pricing.Tariff:
    """Read a price table of a lot in a time zone, in the installation's currency.

    ``terms`` are the engine's own settings, such as ``day_cap_minor``. Without ``taxes`` it gets those of
    :func:`default_taxes`; an empty list means none.
    """
    currency = settings().currency
    return pricing.Tariff(
        currency=currency,
        increments=tuple(pricing.Increment(**increment) for increment in increments),
        taxes=(
            default_taxes(currency, zone)
            if taxes is None
            else tuple(pricing.TaxComponent(**tax) for tax in taxes)
        ),
        bands=tuple(pricing.Band.from_dict(dict(band)) for band in bands),
        kind_rules=tuple(pricing.KindRule(**rule) for rule in kind_rules),
        day_rules=tuple(pricing.DayRule.from_dict(dict(rule)) for rule in day_rules),
        **terms,
    )


def _rows_of_parts(tariff: pricing.Tariff) -> dict[str, Any]:
    return {
        "increments": [
            TariffIncrement(position=position, **increment.to_dict())
            for position, increment in enumerate(tariff.increments)
        ],
        "taxes": [
            TariffTax(position=position, **tax.to_dict())
            for position, tax in enumerate(tariff.taxes)
        ],
        "bands": [
            TariffBand(
                position=position,
                **{
                    **band.to_dict(),
                    "weekdays": as_bits(band.weekdays),
                    "first_day": band.first_day,
                    "last_day": band.last_day,
                },
            )
            for position, band in enumerate(tariff.bands)
        ],
        "kind_rules": [TariffKindRule(**rule.to_dict()) for rule in tariff.kind_rules],
        "day_rules": [
            TariffDayRule(
                position=position, **{**rule.to_dict(), "weekdays": as_bits(rule.weekdays)}
            )
            for position, rule in enumerate(tariff.day_rules)
        ],
    }


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
    """Give the published version of a lot's tariff, all its parts loaded."""
    return db.session.scalars(
        _with_parts().where(Tariff.lot_id == lot_id, Tariff.status == "published")
    ).one_or_none()


def _id_of(admin: Caller | None) -> int | None:
    return None if admin is None else admin.id


def _with_parts() -> Select[Tariff]:
    return select(Tariff).options(*map(selectinload, PARTS))
