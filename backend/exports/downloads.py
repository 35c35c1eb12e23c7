"""Links to files: one use, one minute, no token; kept in Valkey by their digests."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import redis
from sqlalchemy import select

from backend import clock
from backend.config import settings
from backend.errors import NotFound, ServiceUnavailable
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.service import KeptFile, get_result, read_result
from backend.models import SignInSession, User
from backend.reports.service import get_content, read_content
from backend.transaction import transaction
from backend.valkey import connect, keep

_VALID = timedelta(seconds=60)
_KEY = "downloads:{}"


@dataclass(frozen=True, slots=True)
class Download:
    """What opens a file once."""

    token: str
    expires_at: datetime


def offer(
    reader: Caller,
    *,
    job_id: int | None,
    report_id: int | None,
    format: str | None,  # noqa: A002 - what it is
) -> Download:
    """Make a link to a file that the reader may fetch: of a job, or of a report in a format.

    Raises:
        NotFound: there is no such file, or it is somebody else's.
        ReportNotReady: the report is not made yet.
        ServiceUnavailable: Valkey, where links are kept, is away.

    """
    with transaction(read_only=True):
        if job_id is not None:
            get_result(reader, job_id)
        elif report_id is not None and format is not None:
            get_content(reader, report_id, format)
    token = secrets.token_urlsafe(32)
    kept = {
        "user_id": reader.id,
        "session_id": reader.session_id,
        "job_id": job_id,
        "report_id": report_id,
        "format": format,
    }
    seconds = int(_VALID.total_seconds())
    _ask(lambda url: keep(url, _name(token), json.dumps(kept), seconds=seconds))
    return Download(token, clock.now() + _VALID)


def take(token: str) -> KeptFile:
    """Use up a link, and give its file.

    Raises:
        NotFound: there is no such link, it was used, its minute or the sign-in that asked for it is over, or
            the file is gone.
        ServiceUnavailable: Valkey, where links are kept, is away.

    """
    kept = _ask(lambda url: connect(url).getdel(_name(token)))
    if kept is None:
        raise NotFound("This link was used, or its minute is over.")
    wanted = json.loads(kept)
    with transaction(read_only=True):
        _check_sign_in(wanted["session_id"])
        if wanted["job_id"] is not None:
            # Whoever lost the right to read it since then lost the sign-in with it.
            return read_result(wanted["user_id"], wanted["job_id"])
        made = read_content(wanted["report_id"], wanted["format"])
    return KeptFile(made.name, made.media_type, len(made.content), iter([made.content]))


def _check_sign_in(session_id: int) -> None:
    stands = db.session.scalar(
        select(SignInSession.id)
        .join(User, User.id == SignInSession.user_id)
        .where(
            SignInSession.id == session_id,
            SignInSession.ended_at.is_(None),
            SignInSession.epoch == User.epoch,
            User.active,
        )
    )
    if stands is None:
        raise NotFound("The sign-in that asked for this link is over.")


def _name(token: str) -> str:
    """Name a link by its digest: whoever reads Valkey fetches no file by it."""
    return _KEY.format(sha256(token.encode()).hexdigest())


def _ask(question: Any) -> Any:
    if not settings().redis_url:
        raise ServiceUnavailable("Links to files need a Valkey.", retry_after=5)
    try:
        return question(settings().redis_url)
    except (redis.RedisError, OSError) as error:
        raise ServiceUnavailable("Links to files are away for a moment.", retry_after=5) from error
