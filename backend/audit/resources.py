"""The audit log over HTTP: it is read, and nothing else."""

from typing import Any

from backend.audit import service
from backend.audit.schemas import AuditEntrySchema, AuditQuery
from backend.web.api import Resource, resource_blueprint
from backend.web.operation import operation
from backend.web.pagination import Page, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("audit", __name__)


@api.resource("/audit-log")
class AuditLog(Resource):
    """What staff did, and what became of accounts."""

    @operation(roles=("admin",), query=AuditQuery(), response=page_schema(AuditEntrySchema))
    def get(self, query: dict[str, Any]) -> Page:
        """Search the audit log, the newest entries first."""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        before = None if cursor is None else read_cursor(cursor, int)[0]
        return page_of(service.list_entries(limit=limit, before=before, **query), limit, "id")
