"""Vehicles as JSON."""

from typing import Any

from marshmallow import ValidationError

from backend.models.vehicle import VEHICLE_KINDS
from backend.vehicles.plates import normalise_plate
from backend.web import fields
from backend.web.schema import Schema

_MAX_HEIGHT_CM = 500


class Plate(fields.Text):
    """A plate however it is written, read into its one spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min=1,
            max=32,
            metadata={"description": "Upper and lower case, spaces and dashes do not matter."},
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return normalise_plate(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class VehicleCreate(Schema):
    """A vehicle to add."""

    plate = Plate(required=True)
    kind = fields.Choice(*VEHICLE_KINDS, load_default="car")
    electric = fields.Flag(load_default=False)
    height_cm = fields.Integer(min=1, max=_MAX_HEIGHT_CM, allow_none=True, load_default=None)
    label = fields.Text(max=50, load_default="")
    make = fields.Text(max=50, load_default="")
    model = fields.Text(max=50, load_default="")
    colour = fields.Text(max=30, load_default="")
    is_default = fields.Flag(load_default=False)


class VehicleUpdate(Schema):
    """What to change of a vehicle."""

    plate = Plate()
    kind = fields.Choice(*VEHICLE_KINDS)
    electric = fields.Flag()
    height_cm = fields.Integer(min=1, max=_MAX_HEIGHT_CM, allow_none=True)
    label = fields.Text(max=50)
    make = fields.Text(max=50)
    model = fields.Text(max=50)
    colour = fields.Text(max=30)
    is_default = fields.Flag()


class VehicleSchema(Schema):
    """A driver's vehicle."""

    id = fields.Id()
    plate = fields.Text(max=12)
    kind = fields.Choice(*VEHICLE_KINDS)
    electric = fields.Flag()
    height_cm = fields.Integer(min=1, max=_MAX_HEIGHT_CM, allow_none=True)
    label = fields.Text(max=50)
    make = fields.Text(max=50)
    model = fields.Text(max=50)
    colour = fields.Text(max=30)
    is_default = fields.Flag()
