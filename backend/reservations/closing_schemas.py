"""Closing bays, as JSON."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.reservations.closing import MOST_BAYS_NAMED
from backend.web import fields
from backend.web.schema import Schema


class ClosingCreate(Schema):
    """Which bays to close, and for how long."""

    spot_ids = fields.List(
        fields.Id(),
        required=True,
        allow_none=True,
        min=1,
        max=MOST_BAYS_NAMED,
        metadata={"description": "The bays; null for the whole lot."},
    )
    starts_at = fields.Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "From when; now, unless told."},
    )
    ends_at = fields.Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "Until when; for good, unless told."},
    )
    reason = fields.Text(min=1, max=200, required=True)
    dry_run = fields.Flag(
        required=True, metadata={"description": "Tell what would happen, and do nothing."}
    )
    digest = fields.Text(
        min=1,
        max=64,
        load_default=None,
        allow_none=True,
        metadata={"description": "Of what was told before: just that is done, or nothing."},
    )

    @validates_schema
    def _told_before(self, body: dict[str, Any], **_kwargs: Any) -> None:
        if not body.get("dry_run", True) and not body.get("digest"):
            raise ValidationError(
                {"digest": ["Ask by dry_run first, and send the digest of that."]}
            )


class ClosedBaySchema(Schema):
    """A bay, and for how long it is closed."""

    spot_id = fields.Id()
    starts_at = fields.Instant()
    ends_at = fields.Instant()


class AffectedSchema(Schema):
    """A booking that it hits, or that moves to make place for one."""

    reservation_id = fields.Id()
    code = fields.Text()
    plate = fields.Text()
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    spot = fields.Text()
    action = fields.Choice(
        "move",
        "refund",
        "stays",
        metadata={
            "description": "`stays`: the car is in, and its bay closes when its time is over."
        },
    )
    to_spot = fields.Text(allow_none=True)
    refund_minor = fields.Money()


class ClosingSchema(Schema):
    """What a closing does, or would do."""

    closings = fields.List(
        fields.Nested(ClosedBaySchema),
        allow_none=True,
        metadata={"description": "When each bay is closed; null as long as nothing is done."},
    )
    affected = fields.List(fields.Nested(AffectedSchema))
    moved = fields.Integer(min=0)
    refunded = fields.Integer(min=0)
    refund_minor = fields.Money()
    currency = fields.Text(min=3, max=3)
    digest = fields.Text()
