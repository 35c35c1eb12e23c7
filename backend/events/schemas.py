"""Tickets as JSON."""

from backend.web import fields
from backend.web.schema import Schema


class EventTicketCreate(Schema):
    """What the stream is to tell of."""

    lot_id = fields.Id(allow_none=True, load_default=None)


class EventTicketSchema(Schema):
    """A ticket for one connection to the live process: `GET {url}?ticket={ticket}`."""

    url = fields.Text(max=500)
    ticket = fields.Text()
    expires_at = fields.Instant()
