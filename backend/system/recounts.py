"""What cannot be told by one query: counts that are shown, and prices, each made again another way."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, text

from backend import clock
from backend.claims.availability import count_free
from backend.extensions import db
from backend.lots.ratings import UNRATED, read_ratings
from backend.models import (
    AuditEntry,
    LedgerTransaction,
    Lot,
    Quote,
    Report,
    Reservation,
    Review,
    UtcDateTime,
)
from backend.reports.gathering import gather_driver
from backend.tariffs.versions import replay

_LOTS_AT_ONCE = 50
_QUOTES_AT_ONCE = 200
_TRIES = 3
_REPORTS_AT_ONCE = 20
_REPORT_AGE = timedelta(days=40)
_WINDOW = timedelta(hours=2)
# Steps through all rows, so that each hour looks at others; it has no divisor in common with how many there are.
_STRIDE = 7919
_HOUR = timedelta(hours=1)
_EPOCH = datetime.fromisoformat("2020-01-01T00:00:00+00:00")

_CLAIMED = (
    text(
        """
        SELECT s.lot_id, s.kind, s.id, c.starts_at, c.ends_at, c.expires_at
        FROM spots AS s LEFT JOIN spot_claims AS c ON c.spot_id = s.id AND c.live
        WHERE s.lot_id IN :lot_ids
        """
    )
    .bindparams(bindparam("lot_ids", expanding=True))
    .columns(starts_at=UtcDateTime(), ends_at=UtcDateTime(), expires_at=UtcDateTime())
)


@dataclass(frozen=True, slots=True)
class Recount:
    """A promise, its rule in words, and what finds where a recount differs."""

    promise: str
    rule: str
    find: Callable[[], Iterator[str]]


def find_wrong_bay_counts() -> Iterator[str]:
    """Count the bays of some lots, and those free for the next two hours, one by one."""
    yield from _differing(_sample(Lot.id, _LOTS_AT_ONCE), _shown_bays, _recounted_bays, "lot")


def find_wrong_ratings() -> Iterator[str]:
    """Add up the stars of some lots, review by review."""
    yield from _differing(_sample(Lot.id, _LOTS_AT_ONCE), _shown_stars, _recounted_stars, "lot")


def find_wrong_prices() -> Iterator[str]:
    """Price some reservations again by the versions that priced them, the newest among them."""
    newest = db.session.scalars(
        select(Reservation.id).order_by(Reservation.id.desc()).limit(_QUOTES_AT_ONCE)
    ).all()
    ids = {*newest, *_sample(Reservation.id, _QUOTES_AT_ONCE)}
    rows = db.session.execute(
        select(Reservation.id, Quote)
        .join(Quote, Quote.id == Reservation.quote_id)
        .where(Reservation.id.in_(ids))
        .order_by(Reservation.id)
    ).all()
    moved = _moved_at({row.Quote.lot_id for row in rows})
    for reservation_id, quote in rows:
        if quote.created_at <= moved.get(quote.lot_id, _EPOCH):
            # Its days began elsewhere: that zone is not kept.
            continue
        price = replay(quote)
        again = [price.total_minor, price.tax_minor, [line.to_dict() for line in price.lines]]
        if again != [quote.total_minor, quote.tax_minor, quote.lines]:
            yield (
                f"reservation {reservation_id}, quote {quote.id}: {quote.total_minor},"
                f" replayed {price.total_minor}"
            )


def find_wrong_reports() -> Iterator[str]:
    """Gather some drivers' newest reports again; of money that moved since, nothing can be told."""
    newest = clock.now() - _REPORT_AGE
    reports = db.session.scalars(
        select(Report)
        .where(
            Report.id.in_(_sample(Report.id, _REPORTS_AT_ONCE)),
            Report.status == "ready",
            Report.audience == "driver",
            Report.finished_at >= newest,
        )
        .order_by(Report.id)
    ).all()
    for report in reports:
        told = report.facts or {}
        if report.user_id is None:
            continue
        again = gather_driver(report.user_id, report.month, report.timezone, report.locale)
        shown: list[Any] = [told["visits"], told["minutes"]]
        recounted: list[Any] = [again.visits, again.minutes]
        if not _moved_since(report):
            shown += [(each["currency"], each["spent_minor"]) for each in told["money"]]
            recounted += [(each.currency, each.spent_minor) for each in again.money]
        if shown != recounted:
            yield f"report {report.id}: {shown}, recounted {recounted}"


RECOUNTS = (
    Recount("P6", "Counts of bays are what counting them gives", find_wrong_bay_counts),
    Recount("P6", "Ratings are what adding up the reviews gives", find_wrong_ratings),
    Recount("P7", "Prices replay to the same lines", find_wrong_prices),
    Recount("P13", "Reports say what gathering the month again gives", find_wrong_reports),
)


def _moved_since(report: Report) -> bool:
    """Tell whether money of the driver's moved since the report was begun."""
    return bool(
        db.session.scalar(
            select(LedgerTransaction.id)
            .join(Reservation, Reservation.id == LedgerTransaction.reservation_id)
            .where(Reservation.user_id == report.user_id, LedgerTransaction.at >= report.created_at)
            .limit(1)
        )
    )


def _sample(key: Any, most: int) -> list[int]:
    """Give some ids, other ones each hour."""
    highest = db.session.scalar(select(func.max(key))) or 0
    since = (clock.now() - _EPOCH) // _HOUR * _STRIDE % max(highest, 1)
    found = list(db.session.scalars(select(key).where(key > since).order_by(key).limit(most)))
    if len(found) < most:
        found += db.session.scalars(
            select(key).where(key <= since).order_by(key).limit(most - len(found))
        )
    return found


def _differing(
    ids: Collection[int],
    show: Callable[[Collection[int]], dict[int, Any]],
    recount: Callable[[Collection[int]], dict[int, Any]],
    what: str,
) -> Iterator[str]:
    """Tell of which things two counts differ, and still do when both are made again: between them rows change."""
    shown: dict[int, Any] = {}
    recounted: dict[int, Any] = {}
    for _ in range(_TRIES):
        shown, recounted = show(ids), recount(ids)
        ids = [each for each in ids if shown.get(each) != recounted.get(each)]
        if not ids:
            return
    for each in ids:
        yield f"{what} {each}: {shown.get(each)}, recounted {recounted.get(each)}"


def _shown_bays(lot_ids: Collection[int]) -> dict[int, Any]:
    now = clock.now()
    counts = count_free(lot_ids, starts_at=now, ends_at=now + _WINDOW)
    return {
        lot_id: {kind: (count.capacity, count.free) for kind, count in sorted(kinds.items())}
        for lot_id, kinds in counts.items()
    }


def _recounted_bays(lot_ids: Collection[int]) -> dict[int, Any]:
    now = clock.now()
    bays: dict[tuple[int, str], set[int]] = {}
    taken: dict[tuple[int, str], set[int]] = {}
    for row in db.session.execute(_CLAIMED, {"lot_ids": list(lot_ids)}):
        bays.setdefault((row.lot_id, row.kind), set()).add(row.id)
        stands = row.starts_at is not None and (row.expires_at is None or row.expires_at > now)
        if stands and row.starts_at < now + _WINDOW and row.ends_at > now:
            taken.setdefault((row.lot_id, row.kind), set()).add(row.id)
    found: dict[int, Any] = {}
    for (lot_id, kind), ids in sorted(bays.items()):
        free = len(ids) - len(taken.get((lot_id, kind), ()))
        found.setdefault(lot_id, {})[kind] = (len(ids), free)
    return found


def _shown_stars(lot_ids: Collection[int]) -> dict[int, Any]:
    ratings = read_ratings(lot_ids)
    found = {lot_id: ratings.get(lot_id, UNRATED) for lot_id in lot_ids}
    return {lot_id: (each.review_count, each.stars) for lot_id, each in found.items()}


def _recounted_stars(lot_ids: Collection[int]) -> dict[int, Any]:
    stars: dict[int, list[int]] = {lot_id: [] for lot_id in lot_ids}
    for lot_id, given in db.session.execute(
        select(Review.lot_id, Review.stars).where(
            Review.lot_id.in_(lot_ids), Review.status != "hidden"
        )
    ):
        stars[lot_id].append(given)
    return {lot_id: (len(given), sum(given)) for lot_id, given in stars.items()}


def _moved_at(lot_ids: Collection[int]) -> dict[int, datetime]:
    """Tell of lots whose time zone an admin changed when that was."""
    moved: dict[int, datetime] = {}
    for entry in db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.subject == "lot",
            AuditEntry.subject_id.in_(lot_ids),
            AuditEntry.action == "lot.updated",
        )
        .order_by(AuditEntry.id)
    ):
        if entry.subject_id is not None and "timezone" in (entry.after or {}):
            moved[entry.subject_id] = entry.at
    return moved
