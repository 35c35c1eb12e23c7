"""What travels about bays."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.lots.schemas import WindowQuery
from backend.models.lot import SPOT_KINDS
from backend.web import fields
from backend.web.schema import Schema

MOST_NEW_BAYS = 2_000

_FARTHEST_NUMBER = 99_999
_FARTHEST_METRE = 10_000.0


class SpotQuery(WindowQuery):
    """Which bays of a lot."""

    level = fields.Text(max=20, load_default=None)
    kind = fields.Choice(*SPOT_KINDS, load_default=None)


class SpotReservationSchema(Schema):
    """Who holds a bay; for admins and the lot's own attendants."""

    id = fields.Id()
    code = fields.Text()
    plate = fields.Text()


class SpotStateSchema(Schema):
    """A bay on the plan, and whether it is free for the window."""

    id = fields.Id()
    label = fields.Text()
    level = fields.Text()
    kind = fields.Choice(*SPOT_KINDS)
    x = fields.Real()
    y = fields.Real()
    rotation = fields.Integer()
    available = fields.Flag()
    state = fields.Choice("free", "taken", "mine", "blocked")
    reservation = fields.Nested(SpotReservationSchema, allow_none=True)


class SpotStateListSchema(Schema):
    """All bays that were asked for, level by level: a plan has no pages."""

    items = fields.List(fields.Nested(SpotStateSchema))


class NewSpotSchema(Schema):
    """A bay on the plan."""

    id = fields.Id()
    lot_id = fields.Id()
    label = fields.Text()
    level = fields.Text()
    kind = fields.Choice(*SPOT_KINDS)
    x = fields.Real()
    y = fields.Real()
    rotation = fields.Integer()


class NewSpotListSchema(Schema):
    """The bays that were added."""

    items = fields.List(fields.Nested(NewSpotSchema))


class SpotCreate(Schema):
    """Bays to add: a prefix, and the numbers of the first and the last."""

    prefix = fields.Text(required=True, max=20)
    first = fields.Integer(required=True, data_key="from", min=0, max=_FARTHEST_NUMBER)
    last = fields.Integer(required=True, data_key="to", min=0, max=_FARTHEST_NUMBER)
    kind = fields.Choice(*SPOT_KINDS, required=True)
    level = fields.Text(min=1, max=20, load_default="0")

    @validates_schema
    def _check_numbers(self, body: dict[str, Any], **_kwargs: Any) -> None:
        if "first" not in body or "last" not in body:
            return
        if body["last"] < body["first"]:
            raise ValidationError("The last number comes before the first.", "to")
        if body["last"] - body["first"] >= MOST_NEW_BAYS:
            raise ValidationError(f"At most {MOST_NEW_BAYS} bays can be added at once.", "to")


class ClosureSchema(Schema):
    """A time in which a bay is out of service; one without an end ends in the year 9999."""

    reason = fields.Text()
    starts_at = fields.Instant()
    ends_at = fields.Instant()


class SpotClosureSchema(ClosureSchema):
    """A time in which one bay of a lot is out of service."""

    spot_id = fields.Id()


class SpotClosureListSchema(Schema):
    """All of them, bay by bay: like a plan, it has no pages."""

    items = fields.List(fields.Nested(SpotClosureSchema))


class SpotSchema(Schema):
    """A bay as admins see it."""

    id = fields.Id(attribute="spot.id")
    lot_id = fields.Id(attribute="spot.lot_id")
    label = fields.Text(attribute="spot.label")
    level = fields.Text(attribute="spot.level")
    kind = fields.Choice(*SPOT_KINDS, attribute="spot.kind")
    x = fields.Real(attribute="spot.x")
    y = fields.Real(attribute="spot.y")
    rotation = fields.Integer(attribute="spot.rotation")
    in_service = fields.Flag()
    closures = fields.List(fields.Nested(ClosureSchema))


class SpotUpdate(Schema):
    """What changes about a bay. Out of service is `in_service: false`, from now on unless dated."""

    label = fields.Text(min=1, max=40)
    level = fields.Text(min=1, max=20)
    kind = fields.Choice(*SPOT_KINDS)
    x = fields.Real(min=-_FARTHEST_METRE, max=_FARTHEST_METRE)
    y = fields.Real(min=-_FARTHEST_METRE, max=_FARTHEST_METRE)
    rotation = fields.Integer(min=0, max=359)
    in_service = fields.Flag()
    reason = fields.Text(min=1, max=200)
    out_of_service_from = fields.Instant()
    out_of_service_until = fields.Instant()
