"""Logs: one line of JSON for each request, without anything secret."""

import json
import logging
import re
import time
from datetime import UTC, datetime

import orjson
from flask import Flask, Response, g, has_request_context, request

from backend.config import Settings
from backend.request_ids import NOBODY, Asking, answer_for, name_request
from backend.web.clients import client_name

logger = logging.getLogger(__name__)

_SECRETS = (
    (re.compile(r"\[parameters: .*?\]\n?", re.DOTALL), "[parameters hidden]"),
    # What PostgreSQL adds to an error holds values of rows. The words are in the server's language.
    (
        re.compile(
            r"\n[^\W\d_]+:  .*?(?=\n\[SQL|\n\(Background on|\n\n(?:The above|During) |\Z)",
            re.DOTALL,
        ),
        "\n[detail hidden]",
    ),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [hidden]"),
    (
        re.compile(
            r"(?i)([\"']?\b(?:\w*password|\w*token|\w*secret|otp|code|ticket|cvc|card_number|authorization)"
            r"[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)"
        ),
        r"\1[hidden]",
    ),
    (re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"), "[number]"),
)
_FIELDS = ("method", "route", "path", "status", "ms", "user_id")


def request_id() -> str:
    """Name this request."""
    if "request_id" not in g:
        g.request_id = name_request(request.headers.get("X-Request-ID", ""))
    name: str = g.request_id
    return name


def redact(text: str) -> str:
    """Blank tokens, codes, passwords, card numbers and SQL parameters out of ``text``."""
    for pattern, blank in _SECRETS:
        text = pattern.sub(blank, text)
    return text


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record, redacted."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if has_request_context():
            line["request_id"] = request_id()
        line.update({name: getattr(record, name) for name in _FIELDS if hasattr(record, name)})
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return _one_line(line)


def _one_line(line: dict[str, object]) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:
        # Half a character, such as JSON allows and no file does.
        return json.dumps(line, default=str)


def init_app(app: Flask, settings: Settings) -> None:
    """Log every request of ``app``, and name it in its answer."""
    ours = logging.getLogger("backend")
    ours.setLevel(settings.log_level.upper())
    if not any(isinstance(handler.formatter, JsonFormatter) for handler in ours.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        ours.addHandler(handler)
    app.before_request(_start)
    app.after_request(_finish)
    app.teardown_request(_forget)


def _safe_path() -> str | None:
    """Give the path if it holds nothing but ids; a word in it may be a code or a ticket."""
    if request.url_rule is None:
        return None
    words = (part for part in (request.view_args or {}).values() if not isinstance(part, int))
    return None if any(words) else request.path


def _start() -> None:
    g.started = time.perf_counter()
    answer_for(Asking(request_id(), client_name()))


def _forget(_error: BaseException | None) -> None:
    answer_for(NOBODY)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    if not logger.isEnabledFor(logging.INFO):
        return response
    caller = g.get("caller")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "path": _safe_path(),
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            "user_id": caller.id if caller else None,
        },
    )
    return response
