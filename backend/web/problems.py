"""Any exception, rendered as ``application/problem+json`` (RFC 9457); the same in tests and production."""

import logging
import random
from http import HTTPStatus
from typing import Any

import marshmallow
import redis
import sqlalchemy.exc
from flask import Flask, Response, request
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from backend.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    InternalError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from backend.signals import request_denied
from backend.web.api import json_response
from backend.web.caller import find_caller
from backend.web.request_log import request_id

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"

_BY_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        BadRequest,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        PreconditionFailed,
        ContentTooLarge,
        UnsupportedMediaType,
        InvalidInput,
        TooManyRequests,
        InternalError,
        ServiceUnavailable,
    )
}
_AWAY = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
    redis.RedisError,
)
_RETRY_SECONDS_MAX = 5


def init_app(app: Flask) -> None:
    """Let every exception of ``app`` become a problem."""
    app.register_error_handler(Exception, render)


def render(error: Exception) -> Response:
    """Answer ``error``."""
    headers: list[tuple[str, str]] = []
    if isinstance(error, HTTPException):
        if error.response is not None or (error.code or 500) < HTTPStatus.BAD_REQUEST:
            return error.get_response()  # type: ignore[return-value] # a redirect, or made by hand
        headers = [pair for pair in error.get_headers() if pair[0].lower() != "content-type"]
    problem = problem_of(error)
    if problem.status == HTTPStatus.FORBIDDEN:
        _tell_of_denial(problem)
    return render_problem(problem, headers)


def render_problem(problem: Problem, headers: list[tuple[str, str]] | None = None) -> Response:
    """Answer ``problem``."""
    document = {
        **problem.extensions,
        "type": f"/problems/{problem.slug()}",
        "title": problem.title,
        "status": int(problem.status),
        "detail": problem.detail,
        "instance": request.path,
        "request_id": request_id(),
    }
    response = json_response(document, problem.status, PROBLEM_JSON)
    response.headers.extend(headers or [])
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in problem.extensions:
        response.headers["Retry-After"] = str(problem.extensions["retry_after"])
    return response


def _tell_of_denial(problem: Problem) -> None:
    # Here no transaction is open any more, so that whoever keeps the refusal may open one.
    caller, rule = find_caller(), request.url_rule
    if caller is not None and rule is not None:
        request_denied.send(
            None,
            user_id=caller.id,
            route=f"{request.method} {rule.rule}",
            problem=problem.slug(),
        )


def problem_of(error: Exception) -> Problem:
    """Tell which problem ``error`` is; what nobody foresaw is logged and becomes InternalError."""
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, marshmallow.ValidationError):
        problem = InvalidInput(errors=field_errors(error))
    elif isinstance(error, HTTPException):
        problem = _http_problem(error)
    elif isinstance(error, StaleDataError):
        problem = PreconditionFailed() if "If-Match" in request.headers else Conflict()
    elif _is_away(error):
        logger.error("A part of the system is away", exc_info=error)
        problem = ServiceUnavailable(
            retry_after=random.randint(1, _RETRY_SECONDS_MAX)  # noqa: S311 - it spreads clients, it hides nothing # nosec B311 # nosemgrep: random-is-guessable
        )
    else:
        logger.error("Unforeseen: %s", type(error).__name__, exc_info=error)
        problem = InternalError("The fault is ours. Its request id finds it in the log.")
    return problem


def field_errors(error: marshmallow.ValidationError) -> dict[str, list[str]]:
    """Give the messages of each field by its path, such as ``increments.0.minutes``."""
    found: dict[str, list[str]] = {}
    messages = error.messages
    if isinstance(messages, dict) and len(messages) == 1:
        # The parser puts the place that it read in front.
        ((place, inner),) = messages.items()
        if place in {"json", "query", "upload"}:
            messages = inner
    _flatten(messages, "", found)
    return found


def _flatten(messages: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            part = "" if key == "_schema" else str(key)
            _flatten(inner, ".".join(filter(None, (path, part))), found)
    else:
        listed = messages if isinstance(messages, list) else [messages]
        found.setdefault(path or "body", []).extend(map(str, listed))


def _http_problem(error: HTTPException) -> Problem:
    kind = _BY_STATUS.get(error.code or 500)
    if kind is None:
        kind = (
            InternalError if (error.code or 500) >= HTTPStatus.INTERNAL_SERVER_ERROR else BadRequest
        )
    if kind is InternalError:
        logger.error("Unforeseen: %s", error, exc_info=error)
        return InternalError("The fault is ours. Its request id finds it in the log.")
    if kind is MethodNotAllowed:
        return kind(f"{request.method[:20]} is not possible here; the Allow header lists what is.")
    if kind is NotFound:
        return kind("There is nothing at this address.")
    return kind()


def _is_away(error: Exception) -> bool:
    if isinstance(error, _AWAY):
        return True
    return isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated
