"""The links of reminders as JSON."""

from backend.models.reservation import STATUSES
from backend.reminders.links import ACTIONS
from backend.signed_links import LONGEST_TOKEN
from backend.web import fields
from backend.web.schema import Schema


class LinkLook(Schema):
    """A link."""

    token = fields.Text(
        required=True,
        min=1,
        max=LONGEST_TOKEN,
        metadata={"description": "What stands behind `#token=` in the link."},
    )


class LinkAct(LinkLook):
    """A link, to do what it says."""

    expected_refund_minor = fields.Money(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "What the driver was told would come back; where it is another amount by now,"
            " nothing is cancelled."
        },
    )


class LinkedBookingSchema(Schema):
    """As much of a booking as the holder of a link may know."""

    code = fields.Text(metadata={"example": "VV-8F3K-29QX"})
    lot = fields.Text()
    address = fields.Text()
    lat = fields.Real()
    lng = fields.Real()
    bay = fields.Text()
    level = fields.Text()
    starts_at = fields.Instant()
    ends_at = fields.Instant()
    timezone = fields.Text(metadata={"description": "The zone of the lot."})
    status = fields.Choice(*STATUSES)


class LinkedExtensionSchema(Schema):
    """What the longer stay costs."""

    ends_at = fields.Instant()
    price_minor = fields.Money(metadata={"description": "For the whole stay."})
    due_minor = fields.Money(
        metadata={"description": "Of that, what is not paid yet: due before leaving."}
    )
    currency = fields.Text(min=3, max=3)


class LinkedCancellationSchema(Schema):
    """What comes back of a booking that is cancelled."""

    refund_minor = fields.Money()
    kept_minor = fields.Money()
    currency = fields.Text(min=3, max=3)


class LookSchema(Schema):
    """What a link would do, or did."""

    action = fields.Choice(*ACTIONS)
    reservation = fields.Nested(LinkedBookingSchema)
    done = fields.Flag(metadata={"description": "It did so already; once more does nothing."})
    can_act = fields.Flag(metadata={"description": "`/links/act` would do it now."})
    why_not = fields.Choice(
        "bay_taken",
        "lot_not_open",
        allow_none=True,
        metadata={"description": "Why a longer stay cannot be had by the link."},
    )
    longest_ends_at = fields.Instant(
        allow_none=True, metadata={"description": "Where the bay is taken: until when it is free."}
    )
    extension = fields.Nested(LinkedExtensionSchema, allow_none=True)
    cancellation = fields.Nested(LinkedCancellationSchema, allow_none=True)
