"""The audit log as JSON."""

from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema


class AuditQuery(PageQuery):
    """Which entries are looked for; all that is given must match."""

    q = fields.Text(min=1, max=100, metadata={"description": "Words of the action, such as `lot`."})
    actor_id = fields.Id()
    action = fields.Text(min=1, max=100, metadata={"example": "lot.updated"})
    subject = fields.Text(min=1, max=100, metadata={"example": "lot"})
    subject_id = fields.Id()
    since = fields.Instant(
        data_key="from", metadata={"description": "Made at this moment or later."}
    )
    until = fields.Instant(data_key="to", metadata={"description": "Made before this moment."})


class ActorSchema(Schema):
    """Who acted; one whose account is closed has no name."""

    id = fields.Id()
    name = fields.Text(max=100, allow_none=True)


class AuditEntrySchema(Schema):
    """One act of staff, or one event of an account's security."""

    id = fields.Id()
    at = fields.Instant()
    actor = fields.Nested(
        ActorSchema,
        allow_none=True,
        metadata={"description": "Null for the system, the command line and strangers."},
    )
    action = fields.Text()
    subject = fields.Text()
    subject_id = fields.Id(allow_none=True)
    before = fields.Dict(
        keys=fields.Text(),
        allow_none=True,
        metadata={"description": "The changed fields as they were."},
    )
    after = fields.Dict(
        keys=fields.Text(),
        allow_none=True,
        metadata={"description": "The changed fields as they are."},
    )
    request_id = fields.Text(metadata={"description": "Empty outside of requests."})
    client = fields.Text(
        metadata={"description": "The network address; empty outside of requests."}
    )
