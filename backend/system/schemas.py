"""The system's state as JSON."""

from backend.web import fields
from backend.web.schema import Schema


class HealthSchema(Schema):
    """The process answers."""

    status = fields.Choice("ok")


class ReadinessSchema(Schema):
    """Whether the process can serve."""

    status = fields.Choice("ready")
    database = fields.Text()
