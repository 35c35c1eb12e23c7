"""What past stays would have cost by other prices."""

from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from backend import clock
from backend.database import get_row
from backend.errors import InvalidInput, NotFound
from backend.extensions import db
from backend.models import Coupon, Lot, Quote, Reservation, Tariff
from backend.tariffs import pricing
from backend.tariffs.service import get_tariff, read_terms
from backend.tariffs.versions import engine_tariff
from backend.transaction import transaction

MOST_STAYS = 20_000
_BATCH = 1_000
_MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class PreviewedStay:
    """A stay, what it cost, and what it would have cost."""

    reservation_id: int
    code: str
    starts_at: datetime
    ends_at: datetime
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What the stays that ended within ``[since, until)`` would have cost together."""

    since: datetime
    until: datetime
    stays: int
    dearer: int
    cheaper: int
    same: int
    before_minor: int
    after_minor: int
    difference_minor: int
    currency: str
    examples: list[PreviewedStay]


def preview_tariff(
    *,
    lot_id: int,
    tariff_id: int | None = None,
    tariff: dict[str, Any] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Preview:
    """Price completed stays of a lot anew, each with its kind of bay and its coupon; nothing is stored.

    Those are the stays that ended within ``[since, until)``, without which it is the last calendar month by
    the clocks of the lot. It reads in short transactions of its own, and keeps nobody waiting.

    Raises:
        NotFound: there is no such lot, or no such version of its tariff.
        InvalidInput: so many stays ended in that time that it must be shorter.

    """
    with transaction(read_only=True):
        lot = get_row(Lot, lot_id)
        zone = lot.timezone
        if tariff is not None:
            tried = read_terms(zone, **{name: tariff[name] for name in tariff if name != "name"})
        else:
            tried = engine_tariff(_get_version(lot_id, tariff_id or 0))
        if since is None or until is None:
            since, until = last_month(clock.now(), zone)
        # Money of another time and currency does not compare.
        ended = (
            Reservation.lot_id == lot_id,
            Reservation.status == "completed",
            Reservation.currency == tried.currency,
            Reservation.ended_at >= since,
            Reservation.ended_at < until,
        )
        count = db.session.scalar(select(func.count()).select_from(Reservation).where(*ended)) or 0
    if count > MOST_STAYS:
        raise InvalidInput(
            f"{count} stays ended in this time; a preview takes at most {MOST_STAYS}.",
            errors={"to": ["Take a shorter time."]},
        )
    priced: list[PreviewedStay] = []
    last_id = 0
    while len(priced) < MOST_STAYS:
        with transaction(read_only=True):
            rows = db.session.execute(
                select(
                    Reservation.id,
                    Reservation.code,
                    Reservation.price_minor,
                    Quote.starts_at,
                    Quote.ends_at,
                    Quote.priced_kind,
                    Coupon.code.label("coupon_code"),
                    Coupon.percent_bp,
                    Coupon.amount_minor,
                )
                .join(Quote, Quote.id == Reservation.quote_id)
                .outerjoin(Coupon, Coupon.id == Quote.coupon_id)
                .where(*ended, Reservation.id > last_id)
                .order_by(Reservation.id)
                .limit(_BATCH)
            ).all()
        if not rows:
            break
        priced += [_price(row, tried, zone) for row in rows]
        last_id = rows[-1].id
    return _sum_up(priced, since, until, tried.currency)


def last_month(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Give the last calendar month that is over by the clocks of a zone."""
    local = now.astimezone(ZoneInfo(zone))
    until = datetime(local.year, local.month, 1, tzinfo=local.tzinfo)
    years, months = divmod(local.year * 12 + local.month - 2, 12)
    return datetime(years, months + 1, 1, tzinfo=local.tzinfo), until


def _get_version(lot_id: int, tariff_id: int) -> Tariff:
    row = get_tariff(tariff_id)
    if row.lot_id != lot_id:
        raise NotFound(f"The lot has no tariff {tariff_id}.")
    return row


def _price(row: Any, tariff: pricing.Tariff, zone: str) -> PreviewedStay:
    coupon = None
    if row.coupon_code is not None:
        coupon = pricing.Coupon(row.coupon_code, row.percent_bp, row.amount_minor)
    after = pricing.price(
        tariff,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=zone,
        spot_kind=row.priced_kind,
        coupon=coupon,
    )
    return PreviewedStay(
        row.id, row.code, row.starts_at, row.ends_at, row.price_minor, after.total_minor
    )


def _sum_up(stays: list[PreviewedStay], since: datetime, until: datetime, currency: str) -> Preview:
    before = sum(stay.before_minor for stay in stays)
    after = sum(stay.after_minor for stay in stays)
    dearer = sum(stay.after_minor > stay.before_minor for stay in stays)
    cheaper = sum(stay.after_minor < stay.before_minor for stay in stays)
    changed = [stay for stay in stays if stay.after_minor != stay.before_minor]
    return Preview(
        since=since,
        until=until,
        stays=len(stays),
        dearer=dearer,
        cheaper=cheaper,
        same=len(stays) - dearer - cheaper,
        before_minor=before,
        after_minor=after,
        difference_minor=after - before,
        currency=currency,
        examples=nlargest(
            _MOST_EXAMPLES,
            changed,
            key=lambda stay: (abs(stay.after_minor - stay.before_minor), -stay.reservation_id),
        ),
    )
