"""What may be done about reports: list them, fetch their files, have them mailed again, forget them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from backend.database import get_row
from backend.errors import Forbidden, NotFound, ReportNotReady, SentOften
from backend.extensions import db
from backend.identity import Caller
from backend.models import Report, ReportFile
from backend.notifications.service import MailReader, queue_mail
from backend.reports.telling import DRIVER, OPERATOR, mail_context

MOST_SENT = 5
"""So often one report is mailed again."""
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMATS = tuple(MEDIA_TYPES)


@dataclass(frozen=True, slots=True)
class ReportContent:
    """One file of a report, as it is given out."""

    name: str
    media_type: str
    content: bytes


def list_reports(
    reader: Caller, *, audience: str, limit: int, before: tuple[date, int] | None = None
) -> Sequence[Report]:
    """List the reader's own reports, or to admins the operator's, the newest first; one more than ``limit``.

    Raises:
        Forbidden: the operator's reports are for admins.

    """
    if audience == "operator" and not reader.has_role("admin"):
        raise Forbidden("The operator's reports are for admins.")
    statement = select(Report).where(Report.audience == audience)
    if audience == "driver":
        statement = statement.where(Report.user_id == reader.id)
    if before is not None:
        month, report_id = before
        statement = statement.where(
            (Report.month < month) | ((Report.month == month) & (Report.id < report_id))
        )
    return db.session.scalars(
        statement.order_by(Report.month.desc(), Report.id.desc()).limit(limit + 1)
    ).all()


def get_report(reader: Caller, report_id: int, *, for_update: bool = False) -> Report:
    """Give a report of the reader's own, or to an admin one of the operator's.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    report = db.session.get(Report, report_id)
    if report is None or not _may_read(reader, report):
        raise NotFound(f"There is no report {report_id}.")
    return get_row(Report, report_id, for_update=True) if for_update else report


def get_content(reader: Caller, report_id: int, format_: str) -> ReportContent:
    """Give one file of a report that the reader may read.

    Raises:
        NotFound: there is no such report, or it is somebody else's.
        ReportNotReady: it is not made yet, or could not be made.

    """
    _insist_ready(get_report(reader, report_id))
    return read_content(report_id, format_)


def read_content(report_id: int, format_: str) -> ReportContent:
    """Give one file of a report, whoever may read it.

    Raises:
        NotFound: there is none.

    """
    row = db.session.execute(
        select(ReportFile.content, Report.audience, Report.month)
        .join(Report, Report.id == ReportFile.report_id)
        .where(Report.id == report_id, ReportFile.format == format_)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no such file of a report {report_id}.")
    what = "operator-report" if row.audience == "operator" else "report"
    return ReportContent(f"{what}-{row.month:%Y-%m}.{format_}", MEDIA_TYPES[format_], row.content)


def send_again(reader: Caller, report_id: int) -> Report:
    """Mail a report once more to who asks for it, whatever their settings say of such mail.

    Raises:
        NotFound: there is no such report, or it is somebody else's.
        ReportNotReady: it is not made yet, or could not be made.
        SentOften: it was mailed again so often already.

    """
    report = get_report(reader, report_id, for_update=True)
    _insist_ready(report)
    if report.sent_count >= MOST_SENT:
        raise SentOften(f"This report was mailed again {MOST_SENT} times. It stays here.")
    report.sent_count += 1
    words = DRIVER if report.audience == "driver" else OPERATOR
    queue_mail(
        words.template,
        reader.email,
        key=f"report:{report.key}:again:{report.sent_count}",
        context=mail_context(report, reader.locale),
        reader=MailReader(user_id=reader.id, locale=reader.locale, kind=words.kind),
    )
    return report


def forget_reports(user_id: int) -> None:
    """Delete all reports of a user; what one is being made of this moment is not kept."""
    db.session.execute(delete(Report).where(Report.user_id == user_id))


def _may_read(reader: Caller, report: Report) -> bool:
    if report.audience == "operator":
        return reader.has_role("admin")
    return report.user_id == reader.id


def _insist_ready(report: Report) -> None:
    if report.status == "failed":
        raise ReportNotReady("This report could not be made. We were told of it.")
    if report.status != "ready":
        raise ReportNotReady("This report is being made. It is here in a few minutes.")
