"""What drivers think of lots: counted from the published reviews whenever it is asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy import Select, func, literal_column, select

from backend.extensions import db
from backend.lots.memory import remembered
from backend.models import Review

# Written out for the partial index on published reviews.
_PUBLISHED = literal_column("reviews.status") == literal_column("'published'")


@dataclass(frozen=True, slots=True)
class Rating:
    """So many published reviews, and their stars together."""

    review_count: int = 0
    stars: int = 0

    @property
    def rating(self) -> float | None:
        """The mean with one decimal, a half rounded up; None without reviews."""
        if not self.review_count:
            return None
        return (20 * self.stars + self.review_count) // (2 * self.review_count) / 10

    @property
    def rank(self) -> int:
        """The better, the lower; last are lots without reviews."""
        return 1 if not self.review_count else -(1_000_000 * self.stars // self.review_count)


UNRATED = Rating()


def load_ratings(lot_ids: Collection[int]) -> dict[int, Rating]:
    """Count the published reviews of lots; one that has none is left out."""
    return remembered(("ratings", *lot_ids), lambda: read_ratings(lot_ids))


def read_ratings(lot_ids: Collection[int]) -> dict[int, Rating]:
    """Count them as they are now."""
    return _read(_counted().where(Review.lot_id.in_(lot_ids))) if lot_ids else {}


def load_all_ratings() -> dict[int, Rating]:
    """Count the published reviews of every lot that has some."""
    return remembered(("all ratings",), lambda: _read(_counted()))


def rated_at_least(rating: float) -> Select[int]:
    """Select the lots whose rating, as it is shown, is no lower."""
    # In tenths, for a division is rounded differently from one database to the next.
    tenths = ceil(round(rating * 10, 6))
    stars, count = func.sum(Review.stars), func.count()
    return (
        select(Review.lot_id)
        .where(_PUBLISHED)
        .group_by(Review.lot_id)
        .having(20 * stars + count >= 2 * tenths * count)
    )


def _counted() -> Select[int, int, int]:
    return (
        select(Review.lot_id, func.count(), func.sum(Review.stars))
        .where(_PUBLISHED)
        .group_by(Review.lot_id)
    )


def _read(counted: Select[Any, Any, Any]) -> dict[int, Rating]:
    return {lot_id: Rating(count, stars) for lot_id, count, stars in db.session.execute(counted)}
