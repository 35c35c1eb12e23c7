"""Reports over HTTP."""

from datetime import date
from typing import Any

from flask import Response

from backend.errors import Forbidden, InvalidInput, NotFound, ReportNotReady, SentOften
from backend.models import Report
from backend.reports import service
from backend.reports.schemas import ReportQuery, ReportSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation
from backend.web.pagination import Page, page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("reports", __name__)


@api.resource("/reports")
class ReportList(Resource):
    """Monthly reports."""

    @operation(
        roles=("driver", "admin"),
        query=ReportQuery(),
        response=page_schema(ReportSchema),
        raises=(Forbidden,),
    )
    def get(self, query: dict[str, Any]) -> Page:
        """List your monthly reports, or as an admin the operator's, the newest first.

        One is made on the first of a month at six in the morning, by the clock of whose it is.
        """
        limit, cursor = query["limit"], query["cursor"]
        rows = service.list_reports(
            caller(),
            audience=query["audience"],
            limit=limit,
            before=_read_position(cursor) if cursor else None,
        )
        items = rows[:limit]
        following = None
        if len(rows) > limit:
            following = write_cursor(items[-1].month.isoformat(), items[-1].id)
        return Page([_represent(report) for report in items], following)


@api.resource("/reports/<id:report_id>.pdf")
class ReportPdf(Resource):
    """A report as PDF."""

    @operation(
        roles=("driver", "admin"),
        media_type=service.MEDIA_TYPES["pdf"],
        raises=(NotFound, ReportNotReady),
    )
    def get(self, report_id: int) -> Response:
        """Fetch a report as PDF."""
        return _send(service.get_content(caller(), report_id, "pdf"))


@api.resource("/reports/<id:report_id>.xlsx")
class ReportXlsx(Resource):
    """A report as a spreadsheet."""

    @operation(
        roles=("driver", "admin"),
        media_type=service.MEDIA_TYPES["xlsx"],
        raises=(NotFound, ReportNotReady),
    )
    def get(self, report_id: int) -> Response:
        """Fetch a report as a spreadsheet (XLSX)."""
        return _send(service.get_content(caller(), report_id, "xlsx"))


@api.resource("/reports/<id:report_id>/send")
class ReportMail(Resource):
    """Having a report mailed."""

    @operation(
        roles=("driver", "admin"),
        response=ReportSchema(),
        raises=(NotFound, ReportNotReady, SentOften),
    )
    def post(self, report_id: int) -> dict[str, Any]:
        """Have a report mailed to you once more, with its files."""
        return _represent(service.send_again(caller(), report_id))


def _send(file: service.ReportContent) -> Response:
    answer = Response(file.content, mimetype=file.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer


def _read_position(cursor: str) -> tuple[date, int]:
    month, report_id = read_cursor(cursor, str, int)
    try:
        return date.fromisoformat(month), report_id
    except ValueError as error:
        raise InvalidInput(
            "The cursor is not one of ours.",
            errors={"cursor": ["This is not a cursor of this list."]},
        ) from error


def _represent(report: Report) -> dict[str, Any]:
    return {
        "id": report.id,
        "audience": report.audience,
        "month": f"{report.month:%Y-%m}",
        "timezone": report.timezone,
        "status": report.status,
        "facts": _represent_facts(report.facts) if report.status == "ready" else None,
        "files": list(service.FORMATS) if report.status == "ready" else [],
        "sent_count": report.sent_count,
        "created_at": report.created_at,
        "finished_at": report.finished_at,
    }


def _represent_facts(facts: dict[str, Any] | None) -> dict[str, Any]:
    told = {
        **dict.fromkeys(
            (
                *("minutes", "bookings", "walk_ins"),
                *("cancelled", "no_shows", "occupancy_percent"),
            )
        ),
        **(facts or {}),
    }
    amounts = dict.fromkeys(
        ("spent_minor", "tax_minor", "revenue_minor", "received_minor", "service_minor")
    )
    told["money"] = [{**amounts, **money} for money in told["money"]]
    return told
