"""The links that unsubscribe as JSON."""

from backend.signed_links import LONGEST_TOKEN
from backend.web import fields
from backend.web.schema import Schema


class UnsubscribeQuery(Schema):
    """A link."""

    token = fields.Text(
        required=True,
        min=1,
        max=LONGEST_TOKEN,
        metadata={"description": "What stands behind `token=` in the link."},
    )
