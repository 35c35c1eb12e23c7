"""Reviews over HTTP."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from backend.errors import NotFound, ReviewNotAllowed
from backend.reviews import service
from backend.reviews.schemas import (
    PublishedReviewSchema,
    ReviewCreate,
    ReviewModerate,
    ReviewQuery,
    ReviewReply,
    ReviewSchema,
    ReviewUpdate,
)
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller, find_caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("reviews", __name__)


@api.resource("/lots/<id:lot_id>/reviews")
class LotReviewList(Resource):
    """The reviews of a lot."""

    @operation(
        public=True,
        query=PageQuery(),
        response=page_schema(PublishedReviewSchema),
        raises=(NotFound,),
    )
    def get(self, lot_id: int, query: dict[str, Any]) -> Page:
        """List what drivers say of a lot, the newest first."""
        limit, before = query["limit"], _before(query["cursor"])
        found, total = service.list_published(find_caller(), lot_id, limit=limit, before=before)
        return _page(found, limit, total)

    @operation(
        roles=("driver",),
        body=ReviewCreate(),
        response=ReviewSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound, ReviewNotAllowed),
        idempotent=True,
    )
    def post(self, lot_id: int, body: dict[str, Any]) -> bytes:
        """Review a stay of yours that is over, once.

        For 14 days you may change the review or take it back.
        """
        made = ReviewSchema().dump(service.write_review(caller(), lot_id, **body))
        remember(made=made)
        return to_json(made)


@api.resource("/reviews")
class ReviewList(Resource):
    """Reviews."""

    @operation(roles=("driver", "admin"), query=ReviewQuery(), response=page_schema(ReviewSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List reviews, the newest first.

        Drivers see their own; admins see all, hidden ones too.
        """
        limit, before = query.pop("limit"), _before(query.pop("cursor"))
        found, total = service.list_reviews(caller(), limit=limit, before=before, **query)
        return _page(found, limit, total)


@api.resource("/reviews/<id:review_id>")
class ReviewDetail(Resource):
    """One review."""

    @operation(roles=("driver", "admin"), response=ReviewSchema(), raises=(NotFound,))
    def get(self, review_id: int) -> service.ReviewDetail:
        """Read a review of yours; admins read all."""
        return service.get_review(caller(), review_id)

    @operation(
        roles=("driver",),
        body=ReviewUpdate(),
        response=ReviewSchema(),
        raises=(NotFound, ReviewNotAllowed),
    )
    def patch(self, review_id: int, body: dict[str, Any]) -> service.ReviewDetail:
        """Change a review of yours, within 14 days and unless it was hidden."""
        return service.edit_review(caller(), review_id, changes=body)

    @operation(
        roles=("driver",),
        status=HTTPStatus.NO_CONTENT,
        raises=(NotFound, ReviewNotAllowed),
    )
    def delete(self, review_id: int) -> None:
        """Take a review of yours back, within 14 days and unless it was hidden."""
        service.delete_review(caller(), review_id)


@api.resource("/reviews/<id:review_id>/moderate")
class ReviewModeration(Resource):
    """Whether a review is shown."""

    @operation(roles=("admin",), body=ReviewModerate(), response=ReviewSchema(), raises=(NotFound,))
    def post(self, review_id: int, body: dict[str, Any]) -> service.ReviewDetail:
        """Hide a review, with a reason that its author reads, or show it again.

        A hidden one counts for nothing.
        """
        return service.moderate_review(caller(), review_id, **body)


@api.resource("/reviews/<id:review_id>/reply")
class ReviewAnswer(Resource):
    """What the operator answers to a review."""

    @operation(roles=("admin",), body=ReviewReply(), response=ReviewSchema(), raises=(NotFound,))
    def post(self, review_id: int, body: dict[str, Any]) -> service.ReviewDetail:
        """Answer a review for everybody to read; null takes the answer back."""
        return service.reply_to_review(caller(), review_id, **body)


def _before(cursor: str | None) -> int | None:
    return None if cursor is None else int(read_cursor(cursor, int)[0])


def _page(found: Sequence[service.ReviewDetail], limit: int, total: int) -> Page:
    items = found[:limit]
    more = write_cursor(items[-1].review.id) if len(found) > limit else None
    return Page(items, more, total)
