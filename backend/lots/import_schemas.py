"""What travels about imports."""

from backend.web import fields
from backend.web.schema import Schema


class LotImport(Schema):
    """A file of lots: ParkAPI GeoJSON, CSV or XLSX, up to 10 MB."""

    file = fields.Upload(required=True)
    dry_run = fields.Flag(
        load_default=False, metadata={"description": "Try everything, and keep nothing."}
    )


class ImportNoteSchema(Schema):
    """What was changed, refused, or odd."""

    level = fields.Choice("changed", "refused", "note")
    field = fields.Text(allow_none=True)
    message = fields.Text(max=2_000)


class ImportRowSchema(Schema):
    """What became of a row."""

    row = fields.Integer(min=0)
    external_id = fields.Text(allow_none=True)
    name = fields.Text(allow_none=True)
    outcome = fields.Choice("created", "changed", "unchanged", "refused")
    notes = fields.List(fields.Nested(ImportNoteSchema))


class ImportReportSchema(Schema):
    """What an import did, or would do."""

    dry_run = fields.Flag()
    created = fields.Integer(min=0)
    changed = fields.Integer(min=0)
    unchanged = fields.Integer(min=0)
    refused = fields.Integer(min=0)
    rows = fields.List(fields.Nested(ImportRowSchema))
    notes = fields.List(fields.Nested(ImportNoteSchema))
