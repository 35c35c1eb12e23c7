"""What may be done to reviews: written by who stood there, moderated and answered by the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.audit.service import record_changes
from backend.database import get_row, violates
from backend.errors import NotFound, ReviewNotAllowed
from backend.extensions import db
from backend.identity import Caller
from backend.lots.service import get_visible_lot, touch
from backend.models import Lot, Reservation, Review, User

EDITABLE = timedelta(days=14)
"""For so long its author may change a review or take it back."""

# Written out for the partial index on published reviews.
_PUBLISHED = literal_column("reviews.status") == literal_column("'published'")


@dataclass(frozen=True, slots=True)
class ReviewedLot:
    """The lot that a review is about."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class ReviewDetail:
    """A review with what it is about and who wrote it."""

    review: Review
    lot_name: str
    code: str
    author_name: str | None
    """None when the account is closed."""

    @property
    def lot(self) -> ReviewedLot:
        """What it is about."""
        return ReviewedLot(self.review.lot_id, self.lot_name)

    @property
    def editable_until(self) -> datetime:
        """Until when its author may change it."""
        return self.review.created_at + EDITABLE

    @property
    def signature(self) -> str | None:
        """What everybody may know of the author: the first name and an initial."""
        return None if self.author_name is None else sign(self.author_name)


def sign(name: str) -> str:
    """Shorten a name to its first word and the first letter of its last one."""
    first, *rest = name.split() or [""]
    return f"{first} {rest[-1][0].upper()}." if rest else first


def list_published(
    reader: Caller | None, lot_id: int, *, limit: int, before: int | None = None
) -> tuple[Sequence[ReviewDetail], int]:
    """List the published reviews of a lot, the newest first, and one more than ``limit``; and count them all.

    Raises:
        NotFound: there is no such lot, or it is not public.

    """
    get_visible_lot(reader, lot_id)
    return _list([Review.lot_id == lot_id, _PUBLISHED], limit=limit, before=before)


def list_reviews(
    reader: Caller,
    *,
    limit: int,
    before: int | None = None,
    answered: bool | None = None,
    **exactly: str | int,
) -> tuple[Sequence[ReviewDetail], int]:
    """List the reader's own reviews, an admin's are all; the newest first, and one more than ``limit``.

    Those of ``exactly`` this ``status``, ``lot_id``, ``reservation_id`` or number of ``stars``. The second
    answer is how many there are.
    """
    conditions = [getattr(Review, name) == value for name, value in exactly.items()]
    if not reader.has_role("admin"):
        conditions.append(Review.user_id == reader.id)
    if answered is not None:
        conditions.append(Review.reply.is_not(None) if answered else Review.reply.is_(None))
    return _list(conditions, limit=limit, before=before)


def get_review(reader: Caller, review_id: int) -> ReviewDetail:
    """Give a review to its author or an admin.

    Raises:
        NotFound: there is none, or it is another's.

    """
    found = db.session.execute(_details().where(Review.id == review_id)).one_or_none()
    if found is None or not (reader.has_role("admin") or found.Review.user_id == reader.id):
        raise NotFound(f"There is no review {review_id}.")
    return ReviewDetail(*found)


def write_review(
    driver: Caller, lot_id: int, *, reservation_id: int, stars: int, text: str
) -> ReviewDetail:
    """Review a stay that is over.

    Raises:
        NotFound: the driver has no such booking in this lot.
        ReviewNotAllowed: the stay is not over, or was reviewed before.

    """
    status = db.session.scalar(
        select(Reservation.status).where(
            Reservation.id == reservation_id,
            Reservation.lot_id == lot_id,
            Reservation.user_id == driver.id,
        )
    )
    if status is None:
        raise NotFound(f"You have no booking {reservation_id} in lot {lot_id}.")
    if status != "completed":
        raise ReviewNotAllowed("Only a stay that is over can be reviewed.", reason="not-completed")
    review = Review(
        lot_id=lot_id,
        reservation_id=reservation_id,
        user_id=driver.id,
        stars=stars,
        text=text,
        status="published",
        created_at=clock.now(),
    )
    db.session.add(review)
    try:
        db.session.flush()  # gives the id, and meets uq_reviews_reservation
    except IntegrityError as error:
        if violates(error, "uq_reviews_reservation"):
            raise ReviewNotAllowed(
                "You have reviewed this stay already.", reason="already-reviewed"
            ) from error
        raise
    touch(lot_id)
    return get_review(driver, review.id)


def edit_review(author: Caller, review_id: int, *, changes: dict[str, Any]) -> ReviewDetail:
    """Change stars or words of one's own review.

    Raises:
        NotFound: there is none, or it is another's.
        ReviewNotAllowed: it is too old to be changed, or was hidden.

    """
    review = _get_own_for_update(author, review_id)
    if any(getattr(review, name) != value for name, value in changes.items()):
        for name, value in changes.items():
            setattr(review, name, value)
        review.edited_at = clock.now()
        touch(review.lot_id)
    return get_review(author, review_id)


def delete_review(author: Caller, review_id: int) -> None:
    """Take one's own review back.

    Raises:
        NotFound: there is none, or it is another's.
        ReviewNotAllowed: it is too old to be taken back, or was hidden.

    """
    review = _get_own_for_update(author, review_id)
    db.session.delete(review)
    touch(review.lot_id)


def moderate_review(
    admin: Caller, review_id: int, *, hidden: bool, reason: str | None
) -> ReviewDetail:
    """Hide a review for a reason, or show it again.

    Raises:
        NotFound: there is none.

    """
    review = get_row(Review, review_id, for_update=True)
    before = {"status": review.status, "hidden_reason": review.hidden_reason}
    after = {
        "status": "hidden" if hidden else "published",
        "hidden_reason": reason if hidden else None,
    }
    if before != after:
        review.status, review.hidden_reason = str(after["status"]), after["hidden_reason"]
        review.moderated_by, review.moderated_at = admin.id, clock.now()
        record_changes(
            "review.moderated", "review", review_id, actor_id=admin.id, before=before, after=after
        )
        touch(review.lot_id)
    return get_review(admin, review_id)


def reply_to_review(admin: Caller, review_id: int, *, text: str | None) -> ReviewDetail:
    """Answer a review for the operator, or take the answer back.

    Raises:
        NotFound: there is none.

    """
    review = get_row(Review, review_id, for_update=True)
    if review.reply != text:
        record_changes(
            "review.answered",
            "review",
            review_id,
            actor_id=admin.id,
            before={"reply": review.reply},
            after={"reply": text},
        )
        review.reply = text
        review.replied_by, review.replied_at = (
            (None, None) if text is None else (admin.id, clock.now())
        )
    return get_review(admin, review_id)


def _get_own_for_update(author: Caller, review_id: int) -> Review:
    review = db.session.scalar(
        select(Review)
        .where(Review.id == review_id, Review.user_id == author.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if review is None:
        raise NotFound(f"There is no review {review_id}.")
    if review.status == "hidden":
        raise ReviewNotAllowed("This review was hidden, and stays as it is.", reason="hidden")
    if clock.now() >= review.created_at + EDITABLE:
        raise ReviewNotAllowed(
            f"A review can be changed for {EDITABLE.days} days.", reason="too-late"
        )
    return review


def _list(
    conditions: list[ColumnElement[bool]], *, limit: int, before: int | None
) -> tuple[Sequence[ReviewDetail], int]:
    total = db.session.scalar(select(func.count()).select_from(Review).where(*conditions)) or 0
    if before is not None:
        conditions = [*conditions, Review.id < before]
    rows = db.session.execute(
        _details().where(*conditions).order_by(Review.id.desc()).limit(limit + 1)
    )
    return [ReviewDetail(*row) for row in rows], total


def _details() -> Select[Review, str, str, str | None]:
    # Looking at the user's row, for a closed account keeps its reviews and loses its name.
    author = select(User.name).where(User.id == Review.user_id, User.deleted_at.is_(None))
    return (
        select(Review, Lot.name, Reservation.code, author.scalar_subquery())
        .join(Lot, Lot.id == Review.lot_id)
        .join(Reservation, Reservation.id == Review.reservation_id)
    )
