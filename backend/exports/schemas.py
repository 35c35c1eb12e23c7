"""Exports as JSON."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from backend.config import GATEWAYS
from backend.exports.kinds import KINDS
from backend.models.lot import LOT_STATUSES
from backend.models.reservation import STATUSES as RESERVATION_STATUSES
from backend.payments.ledger import ACCOUNTS
from backend.payments.schemas import STATUSES as PAYMENT_STATUSES
from backend.users.schemas import ROLE_NAMES
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

_STATUSES: dict[str, tuple[str, ...]] = {
    "reservations": RESERVATION_STATUSES,
    "payments": PAYMENT_STATUSES,
    "lots": LOT_STATUSES,
}


class ExportFilters(Schema):
    """What the rows are narrowed by, under the names that their list has; each kind knows its own."""

    status = fields.Choice(*dict.fromkeys(status for each in _STATUSES.values() for status in each))
    when = fields.Choice("upcoming", "past", metadata={"description": "Of reservations."})
    lot_id = fields.Id(metadata={"description": "Of reservations and payments."})
    user_id = fields.Id(metadata={"description": "Of reservations."})
    plate = fields.Text(min=1, max=32, metadata={"description": "Of reservations."})
    code = fields.Text(
        min=1, max=20, metadata={"description": "Of reservations and payments: the booking's."}
    )
    reservation_id = fields.Id(metadata={"description": "Of payments and the ledger."})
    method = fields.Choice(*GATEWAYS, metadata={"description": "Of payments."})
    account = fields.Choice(*ACCOUNTS, metadata={"description": "Of the ledger."})
    q = fields.Text(min=1, max=100, metadata={"description": "Of users and the audit log: words."})
    role = fields.Choice(*ROLE_NAMES, metadata={"description": "Of users."})
    active = fields.Flag(metadata={"description": "Of users."})
    actor_id = fields.Id(metadata={"description": "Of the audit log."})
    action = fields.Text(min=1, max=100, metadata={"description": "Of the audit log."})
    subject = fields.Text(min=1, max=100, metadata={"description": "Of the audit log."})
    subject_id = fields.Id(metadata={"description": "Of the audit log."})


class ExportCreate(Schema):
    """Which rows are wanted, and as what."""

    kind = fields.Choice(*KINDS, required=True)
    format = fields.Choice("xlsx", "csv", required=True)
    since = fields.Instant(
        data_key="from",
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Made at this moment or later; of reservations those that end after it."
        },
    )
    until = fields.Instant(
        data_key="to",
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Made before this moment; of reservations those that start before it."
        },
    )
    filters = fields.Nested(ExportFilters, load_default=dict)

    @validates_schema
    def _times_in_order(self, wanted: dict[str, Any], **_kwargs: Any) -> None:
        since, until = wanted["since"], wanted["until"]
        if since is not None and until is not None and until <= since:
            raise ValidationError("This must be after the beginning.", "to")

    @validates_schema
    def _filters_of_kind(self, wanted: dict[str, Any], **_kwargs: Any) -> None:
        kind, filters = wanted["kind"], wanted["filters"]
        errors = {
            name: ["This kind of export is not narrowed by it."]
            for name in filters
            if name not in KINDS[kind].filters
        }
        if not errors and filters.get("status") not in {None, *_STATUSES.get(kind, ())}:
            errors["status"] = ["This kind of export knows no such status."]
        if errors:
            raise ValidationError({"filters": errors})


class ExportQuery(PageQuery):
    """Which page of one's exports."""


class DownloadCreate(Schema):
    """Which file is wanted: what a job made, or a report as one of its formats."""

    job_id = fields.Id(allow_none=True, load_default=None)
    report_id = fields.Id(allow_none=True, load_default=None)
    format = fields.Choice("pdf", "xlsx", allow_none=True, load_default=None)

    @validates_schema
    def _one_of_two(self, wanted: dict[str, Any], **_kwargs: Any) -> None:
        if (wanted["job_id"] is None) == (wanted["report_id"] is None):
            raise ValidationError("Send a job or a report, and not both.", "job_id")
        if (wanted["report_id"] is None) != (wanted["format"] is None):
            raise ValidationError("A report is wanted in a format, and nothing else is.", "format")


class DownloadSchema(Schema):
    """A link that gives the file once, without a token."""

    url = fields.Text(max=500)
    expires_at = fields.Instant()
