"""The decorator that guards a resource's method, feeds it, and documents it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, request
from marshmallow import Schema

from backend.database import lock_name, wait_at_most
from backend.errors import PreconditionFailed, Problem
from backend.transaction import in_transaction
from backend.transaction import transaction as open_transaction
from backend.web import idempotency, parsing
from backend.web.api import JSON, json_response, to_json
from backend.web.cache import own_bytes
from backend.web.caller import caller, find_caller, has_token, identify
from backend.web.pagination import PageSchema
from backend.web.schema import NothingSchema

MAX_BODY = 1_000_000
"""Bytes of a body, unless the operation takes more."""
MULTIPART = "multipart/form-data"
_CHANGES = {"PATCH", "PUT", "DELETE"}
# Longer than the server's own lock_timeout, whose answer says more, and below the 5 s that we promise.
_REPLY_SECONDS = 4.8
_NOTHING = NothingSchema()

Method = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What an operation takes, answers and refuses; the document and the tests read it."""

    roles: tuple[str, ...] = ()
    public: bool = False
    query: Schema | None = None
    body: Schema | None = None
    body_type: str = JSON
    max_body: int = MAX_BODY
    response: Schema | None = None
    status: HTTPStatus = HTTPStatus.OK
    raises: tuple[type[Problem], ...] = ()
    idempotent: bool = False
    transaction: bool = True
    media_type: str | tuple[str, ...] | None = None
    shared: str | None = None
    fresh: bool = False
    any_body: bool = False

    def __post_init__(self) -> None:
        if self.public and self.fresh:
            raise ValueError("Nobody is signed in there, and so not freshly.")
        if self.public and (self.roles or self.idempotent):
            raise ValueError("A public operation has no roles, and nobody to keep a key for.")

    @property
    def media_types(self) -> tuple[str, ...]:
        """What its answer may be, where it is no JSON of a schema."""
        given = self.media_type
        return (given,) if isinstance(given, str) else given or ()

    @property
    def has_etag(self) -> bool:
        """Whether the answer is a single thing, whose state has a name."""
        return self.response is not None and not isinstance(self.response, PageSchema)


def operation(  # noqa: PLR0913 - each is a keyword of its own, and most have a default
    *,
    roles: tuple[str, ...] = (),
    public: bool = False,
    query: Schema | None = None,
    body: Schema | None = None,
    body_type: str = JSON,
    max_body: int = MAX_BODY,
    response: Schema | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    raises: tuple[type[Problem], ...] = (),
    idempotent: bool = False,
    transaction: bool = True,
    media_type: str | tuple[str, ...] | None = None,
    shared: str | None = None,
    fresh: bool = False,
    any_body: bool = False,
) -> Callable[[Method], Method]:
    """Make a method of a Resource an operation of the API.

    The method gets the path's parts, then ``query`` and ``body`` as loaded dicts; it returns what
    ``response`` dumps, a ready ``flask.Response``, or None. It runs in one transaction, read-only for
    GET; with ``transaction=False`` it opens its own short ones and returns plain things.
    ``shared`` names the cache from which strangers who ask the same get the same answer for a second.
    ``fresh`` wants a caller who proved who they are within the last minutes.
    ``any_body`` leaves the body unread: the programs that post there choose it, and it says nothing.
    ``roles`` are those that may call it; none means anybody signed in. ``raises`` lists what the
    service raises; 401, 403, 404, 422 and their like follow from the rest.
    """
    described = Operation(
        roles=roles,
        public=public,
        query=query,
        body=body,
        body_type=body_type,
        max_body=max_body,
        response=response,
        status=status,
        raises=raises,
        idempotent=idempotent,
        transaction=transaction,
        media_type=media_type,
        shared=shared,
        fresh=fresh,
        any_body=any_body,
    )

    def decorate(method: Method) -> Method:
        if method.__name__.upper() in _CHANGES and not transaction:
            raise ValueError("A change and its If-Match belong in one transaction.")

        @wraps(method)
        def perform(resource: Any, **path: Any) -> Response:
            if request.method in {"GET", "HEAD"}:
                return _read(described, method, resource, path)
            return _write(described, method, resource, path)

        perform.operation = described  # type: ignore[attr-defined] # operation_of reads it
        return perform

    return decorate


def operation_of(method: Any) -> Operation | None:
    """Give the operation that ``method`` is, if it is one."""
    found: Operation | None = getattr(method, "operation", None)
    return found


def init_app(app: Flask) -> None:
    """Refuse bodies that are too large before anything else looks, and wait for no dead database."""
    app.before_request(_limit_body)
    app.before_request(_limit_waits)
    app.teardown_request(_unlimit_waits)


def _limit_body() -> None:
    view = _view_class()
    described = operation_of(getattr(view, request.method.lower(), None))
    parsing.limit_body(described.max_body if described else MAX_BODY)


def _limit_waits() -> None:
    wait_at_most(_REPLY_SECONDS)


def _unlimit_waits(_error: BaseException | None) -> None:
    wait_at_most(None)


def _view_class() -> Any:
    if request.endpoint is None:
        return None
    return getattr(current_app.view_functions.get(request.endpoint), "view_class", None)


def _read(described: Operation, method: Method, resource: Any, path: dict[str, Any]) -> Response:
    if described.shared is not None and not has_token():
        answer = _read_shared(described, described.shared, method, resource, path)
    else:
        answer = _read_now(described, method, resource, path)
    if "ETag" in answer.headers:
        answer.make_conditional(request)
        # Werkzeug adds a Date to this kind of answer alone, and the server adds its own to each.
        answer.headers.pop("Date", None)
    return answer


def _read_shared(
    described: Operation, namespace: str, method: Method, resource: Any, path: dict[str, Any]
) -> Response:
    """Answer a stranger as another was answered a moment ago: before the question is even parsed."""

    def build() -> bytes:
        answer = _read_now(described, method, resource, path)
        return answer.headers["ETag"].encode() + b"\n" + answer.get_data()

    asked = f"{request.path}?{request.query_string.decode('latin-1')}"
    tag, _, body = own_bytes(namespace, asked, build).partition(b"\n")
    answer = json_response(body, described.status)
    answer.headers["ETag"] = tag.decode()
    return answer


def _read_now(
    described: Operation, method: Method, resource: Any, path: dict[str, Any]
) -> Response:
    """Do all of a GET in one read-only transaction."""
    if described.transaction:
        with open_transaction(read_only=True):
            identify(described.roles, public=described.public, fresh=described.fresh)
            answer = _answer(described, method(resource, **path, **_arguments(described)))
    else:
        _identify(described)
        answer = _answer(described, method(resource, **path, **_arguments(described)))
    _name_state(described, answer)
    return answer


def _write(described: Operation, method: Method, resource: Any, path: dict[str, Any]) -> Response:
    _identify(described)
    arguments = _arguments(described)
    key = idempotency.sent_key() if described.idempotent else None
    if key is None:
        return _effect(described, method, resource, path, arguments)

    done = idempotency.reserve(caller().id, key, status=described.status)
    if done is not None:
        with open_transaction(read_only=True):
            answer = _answer(described, _replay(resource, done.facts, path))
        answer.status_code = done.status
        answer.headers[idempotency.REPLAYED] = "true"
        return answer
    with idempotency.holding():
        return _effect(described, method, resource, path, arguments)


def _replay(resource: Any, facts: dict[str, Any], path: dict[str, Any]) -> Any:
    """Give what the first request made: as the resource rebuilds it, or as it was remembered whole."""
    rebuild = getattr(resource, "replay", None)
    return to_json(facts["made"]) if rebuild is None else rebuild(facts, **path)


def _effect(
    described: Operation,
    method: Method,
    resource: Any,
    path: dict[str, Any],
    arguments: dict[str, Any],
) -> Response:
    if not described.transaction:
        return _answer(described, method(resource, **path, **arguments))
    answer = _transact(described, method, resource, path, arguments)
    read = operation_of(getattr(resource, "get", None))
    if (
        request.method == "PATCH"
        and read is not None
        and type(read.response) is type(described.response)
    ):
        # The answer is what a GET would give now, so the next change may name it.
        _name_state(described, answer)
    return answer


def _transact(
    described: Operation,
    method: Method,
    resource: Any,
    path: dict[str, Any],
    arguments: dict[str, Any],
) -> Response:
    """Do all of a write in one transaction; what a refusal tells beyond itself is looked up after it."""

    def work() -> Response:
        _check_precondition(resource, path)
        answer = _answer(described, method(resource, **path, **arguments))
        idempotency.check_remembered()
        return answer

    try:
        return in_transaction(work)
    except Problem as problem:
        if problem.look_up is not None:
            with open_transaction(read_only=True):
                problem.extensions |= problem.look_up()
        raise


def _identify(described: Operation) -> None:
    """Find out who asks, in a short transaction of its own, and in none when nobody is named."""
    if described.public and not has_token():
        identify(described.roles, public=True)
        return
    with open_transaction(read_only=True):
        identify(described.roles, public=described.public, fresh=described.fresh)


def _arguments(described: Operation) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if described.query is not None:
        arguments["query"] = parsing.parse_query(described.query)
    elif request.query_string:
        parsing.parse_query(_NOTHING)
    if described.body is None:
        if request.method not in {"GET", "HEAD"} and not described.any_body:
            parsing.parse_body(_NOTHING)
    elif described.body_type == MULTIPART:
        arguments["body"] = parsing.parse_upload(described.body)
    else:
        arguments["body"] = parsing.parse_body(described.body)
    return arguments


def _answer(described: Operation, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if isinstance(result, bytes):
        return json_response(result, described.status)
    if described.response is None:
        answer = Response(status=described.status)
        del answer.headers["Content-Type"]
        return answer
    return json_response(described.response.dump(result), described.status)


def _name_state(described: Operation, answer: Response) -> None:
    if described.has_etag and answer.status_code == HTTPStatus.OK and "ETag" not in answer.headers:
        answer.set_etag(_tag(answer))


def _tag(answer: Response) -> str:
    return blake2b(answer.get_data(), digest_size=16).hexdigest()


def _check_precondition(resource: Any, path: dict[str, Any]) -> None:
    """Compare If-Match with the thing as it is inside this very transaction.

    Changes of one thing take turns from before the look, or two could see the state that both name.

    Raises:
        PreconditionFailed: it was changed.

    """
    if request.method not in _CHANGES:
        return
    get = getattr(resource, "get", None)
    described = operation_of(get)
    if get is None or described is None or not described.has_etag:
        return
    # A path without a number, such as /me, is another thing for each caller.
    user = None if path else find_caller()
    lock_name(request.path if user is None else f"{request.path} {user.id}")
    if "If-Match" not in request.headers:
        return
    arguments = {} if described.query is None else {"query": described.query.load({})}
    now = _answer(described, get.__wrapped__(resource, **path, **arguments))
    # Proxies that compress make tags weak; the bytes that we compare are ours.
    if not request.if_match.contains_weak(now.get_etag()[0] or _tag(now)):
        raise PreconditionFailed("This was changed since you read it. Read it again.")
