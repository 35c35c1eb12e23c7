"""The files of a report as attachments of the mail that tells of it."""

from typing import Any

from backend.errors import NotFound
from backend.notifications.attachments import Attachment
from backend.reports.service import FORMATS, read_content
from backend.transaction import transaction


def attach_report(context: dict[str, Any]) -> list[Attachment]:
    """Give the files of the report that the mail is about, if it was not forgotten meanwhile."""
    try:
        with transaction(read_only=True):
            files = [read_content(context["report_id"], format_) for format_ in FORMATS]
    except NotFound:
        return []
    return [Attachment(each.name, each.media_type, each.content) for each in files]
