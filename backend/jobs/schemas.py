"""Jobs as JSON."""

from backend.web import fields
from backend.web.schema import Schema


class JobSchema(Schema):
    """A job: work that was asked for and takes a while."""

    id = fields.Id()
    kind = fields.Text()
    status = fields.Choice("queued", "running", "done", "failed")
    progress = fields.Integer(min=0, max=100, metadata={"description": "In percent."})
    error = fields.Text(allow_none=True, metadata={"description": "Why it failed, in a sentence."})
    created_at = fields.Instant()
    finished_at = fields.Instant(allow_none=True)
    expires_at = fields.Instant(metadata={"description": "From then on its file is gone."})
    result_url = fields.Text(
        allow_none=True,
        metadata={"description": "Where to fetch the file, with the token in the header."},
    )
