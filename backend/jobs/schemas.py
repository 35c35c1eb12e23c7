"""Jobs as JSON."""

from backend.web import fields
from backend.web.schema import Schema


class JobSchema(Schema):
    """A job: work that was asked for and takes a while."""

    id = fields.Id()
    kind = fields.Text()
    params = fields.Dict(
        keys=fields.Text(),
        metadata={"description": "What exactly was asked for; each kind has its own."},
    )
    status = fields.Choice("queued", "running", "done", "failed", "cancelled")
    progress = fields.Integer(min=0, max=100, metadata={"description": "In percent."})
    error = fields.Text(allow_none=True, metadata={"description": "Why it failed, in a sentence."})
    created_at = fields.Instant()
    finished_at = fields.Instant(allow_none=True)
    expires_at = fields.Instant(metadata={"description": "From then on its file is gone."})
    size = fields.Integer(
        min=0,
        allow_none=True,
        metadata={"description": "Of its file, in bytes; null while there is none."},
    )
    result_url = fields.Text(
        allow_none=True,
        metadata={"description": "Where to fetch the file, with the token in the header."},
    )
