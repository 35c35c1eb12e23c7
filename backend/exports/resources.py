"""Exports and downloads over HTTP."""

from http import HTTPStatus
from typing import Any

import flask_excel
from flask import Response, url_for

from backend.errors import ExportUnderWay, NotFound, ReportNotReady, ServiceUnavailable
from backend.exports import downloads, service, tables
from backend.exports.schemas import DownloadCreate, DownloadSchema, ExportCreate, ExportQuery
from backend.jobs.makers import CSV, MEDIA_TYPES, XLSX
from backend.jobs.resources import represent, send
from backend.jobs.schemas import JobSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation
from backend.web.pagination import Page, page_of, page_schema, read_cursor

_FORMATS = ("xlsx", "csv")

blueprint, api = resource_blueprint("exports", __name__)


@api.resource("/exports")
class ExportList(Resource):
    """Exports."""

    @operation(roles=("admin",), query=ExportQuery(), response=page_schema(JobSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List the exports that you asked for, the newest first."""
        limit, cursor = query["limit"], query["cursor"]
        before = None if cursor is None else read_cursor(cursor, int)[0]
        page = page_of(service.list_exports(caller(), limit=limit, before=before), limit, "id")
        return Page([represent(job) for job in page.items], page.next_cursor)

    @operation(
        roles=("admin",),
        body=ExportCreate(),
        response=JobSchema(),
        status=HTTPStatus.ACCEPTED,
        raises=(ExportUnderWay,),
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for rows as a file: bookings, payments, the ledger, users, the audit log or lots.

        A worker makes it; the job tells how far it is, and has a `result_url` then. Of a kind you have one
        under way: asked for again with the same wishes it is given again, with others it is refused, and
        `job_id` tells which one is in the way. Amounts are in the major unit of their currency, moments in
        the time zone of the installation. In CSV, text that begins like a formula has an apostrophe
        before it.
        """
        return represent(service.request_export(caller(), **body))


@api.resource("/exports/lots.<format>")
class LotTable(Resource):
    """All lots as one small table."""

    @operation(roles=("admin",), media_type=(XLSX, CSV), raises=(NotFound,))
    def get(self, format: str) -> Response:  # noqa: A002 - as the path names it
        """Get all lots as `xlsx` or `csv`, at once."""
        return _table(tables.list_lots, "lots", format)


@api.resource("/exports/coupons.<format>")
class CouponTable(Resource):
    """All coupons as one small table."""

    @operation(roles=("admin",), media_type=(XLSX, CSV), raises=(NotFound,))
    def get(self, format: str) -> Response:  # noqa: A002 - as the path names it
        """Get all coupons, and how often each is used, as `xlsx` or `csv`, at once."""
        return _table(tables.list_coupons, "coupons", format)


@api.resource("/downloads")
class DownloadList(Resource):
    """Links to files."""

    @operation(
        body=DownloadCreate(),
        response=DownloadSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound, ReportNotReady, ServiceUnavailable),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Get a link to what a job of yours made, or to a report that you may read.

        It is good once and for a minute, and needs no token: for what a browser fetches by itself.
        """
        made = downloads.offer(caller(), **body)
        url = url_for("exports.downloaddetail", token=made.token)
        return {"url": url, "expires_at": made.expires_at}


@api.resource("/downloads/<token>")
class DownloadDetail(Resource):
    """A file behind a link."""

    @operation(
        public=True,
        media_type=(*MEDIA_TYPES, "application/pdf"),
        raises=(NotFound, ServiceUnavailable),
        transaction=False,
    )
    def get(self, token: str) -> Response:
        """Fetch the file of a link. It is used up by this, and ends with the sign-in that asked for it."""
        answer = send(downloads.take(token))
        # It is somebody's, though no token says so.
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _table(read: Any, name: str, format_: str) -> Response:
    if format_ not in _FORMATS:
        raise NotFound(f"There is no such table as {format_}.")
    answer: Response = flask_excel.make_response_from_array(read(), format_, file_name=name)
    return answer
