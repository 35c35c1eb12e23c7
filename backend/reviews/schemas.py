"""Reviews as JSON."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

LONGEST_REVIEW = 2_000
LONGEST_REASON = 500
_STATUSES = ("published", "hidden")


class ReviewCreate(Schema):
    """Stars and words about a stay."""

    reservation_id = fields.Id(required=True)
    stars = fields.Integer(required=True, min=1, max=5)
    text = fields.Text(max=LONGEST_REVIEW, multiline=True, load_default="")


class ReviewUpdate(Schema):
    """What to change of a review."""

    stars = fields.Integer(min=1, max=5)
    text = fields.Text(max=LONGEST_REVIEW, multiline=True)


class ReviewQuery(PageQuery):
    """Which reviews are looked for; all that is given must match."""

    status = fields.Choice(*_STATUSES)
    lot_id = fields.Id()
    reservation_id = fields.Id()
    stars = fields.Integer(min=1, max=5)
    answered = fields.Flag(metadata={"description": "Whether the operator has answered."})


class ReviewModerate(Schema):
    """Hide a review or show it again."""

    hidden = fields.Flag(required=True)
    reason = fields.Text(
        min=1,
        max=LONGEST_REASON,
        load_default=None,
        allow_none=True,
        metadata={"description": "Why it is hidden; its author reads it."},
    )

    @validates_schema
    def _check_reason(self, body: dict[str, Any], **_kwargs: Any) -> None:
        if body.get("hidden") and not body.get("reason"):
            raise ValidationError("Say why it is hidden.", "reason")


class ReviewReply(Schema):
    """What the operator answers; null takes it back."""

    text = fields.Text(required=True, min=1, max=LONGEST_REVIEW, multiline=True, allow_none=True)


class PublishedReviewSchema(Schema):
    """A review as everybody reads it."""

    id = fields.Id(attribute="review.id")
    author = fields.Text(
        attribute="signature",
        allow_none=True,
        metadata={"description": "First name and initial; null when the account is closed."},
    )
    stars = fields.Integer(attribute="review.stars", min=1, max=5)
    text = fields.Text(attribute="review.text", max=LONGEST_REVIEW, multiline=True)
    created_at = fields.Instant(attribute="review.created_at")
    edited_at = fields.Instant(attribute="review.edited_at", allow_none=True)
    reply = fields.Text(
        attribute="review.reply", max=LONGEST_REVIEW, multiline=True, allow_none=True
    )
    replied_at = fields.Instant(attribute="review.replied_at", allow_none=True)


class ReviewedLotSchema(Schema):
    """The lot that a review is about."""

    id = fields.Id()
    name = fields.Text()


class ReviewSchema(PublishedReviewSchema):
    """A review as its author and admins read it."""

    author = fields.Text(
        attribute="author_name",
        allow_none=True,
        metadata={"description": "The full name; null when the account is closed."},
    )
    lot = fields.Nested(ReviewedLotSchema)
    reservation_id = fields.Id(attribute="review.reservation_id")
    code = fields.Text()
    status = fields.Choice(*_STATUSES, attribute="review.status")
    hidden_reason = fields.Text(
        attribute="review.hidden_reason", max=LONGEST_REASON, allow_none=True
    )
    editable_until = fields.Instant(
        metadata={"description": "Until then its author may change it, unless it is hidden."}
    )
