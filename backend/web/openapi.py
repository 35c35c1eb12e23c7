"""The OpenAPI 3.1 document, read off the routes and their operations; nothing is kept by hand."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, cast

import marshmallow
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask, Response, current_app
from werkzeug.routing import Rule

from backend.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    FreshSignInRequired,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Problem,
    RequestInProgress,
    SecondFactorRequired,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)
from backend.web import idempotency
from backend.web.api import JSON, Resource, resource_blueprint, to_json
from backend.web.operation import Operation, operation, operation_of
from backend.web.problems import PROBLEM_JSON
from backend.web.schema import name_of

_KEY = "openapi_document"
_VERBS = ("get", "put", "post", "patch", "delete")
_PATH_PART = re.compile(r"<(?:(?P<kind>[^:<>]+):)?(?P<name>[^<>]+)>")
_PATH_KINDS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
    "default": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Why the request was refused (RFC 9457). Further members help with the way out.",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "retry_after": {"type": "integer", "minimum": 0, "description": "Seconds."},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The name of the request, for questions about it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "ETag": {"description": "The name of this state, for If-Match.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Idempotency-Replayed": {
        "description": "The answer is of an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}

blueprint, api = resource_blueprint("openapi", __name__)


@api.resource("/openapi.json")
class Document(Resource):
    """The document, as it is served."""

    @operation(public=True, transaction=False, media_type=JSON)
    def get(self) -> Response:
        """Describe the API in OpenAPI 3.1."""
        app = current_app
        body = app.extensions.get(_KEY)
        if body is None:
            body = app.extensions[_KEY] = to_json(document(app))
        answer = Response(body, content_type=JSON)
        answer.add_etag()
        return answer


def document(app: Flask) -> dict[str, Any]:
    """Describe every operation of ``app``; the same routes give the same document."""
    plugin = MarshmallowPlugin(schema_name_resolver=name_of)
    spec = APISpec(
        title="Vehicle Vault",
        version="1",
        openapi_version="3.1.0",
        info={
            "description": "Parking for operators of real car parks and the drivers who use them."
        },
        servers=[{"url": "/"}],
        plugins=[plugin],
    )
    _converter(plugin).add_attribute_function(_one_of_each_type)  # type: ignore[no-untyped-call] # apispec types it in parts
    spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    )
    spec.components.schema("Problem", PROBLEM_SCHEMA)
    for name, header in _HEADERS.items():
        spec.components.header(name, header)
    for path, rule, verbs in _paths(app):
        item = {
            verb: _describe(plugin, rule, verb, view, described)
            for verb, (view, described) in verbs.items()
        }
        spec.path(path=path, operations=item)
    made = spec.to_dict()
    made["tags"] = [{"name": tag} for tag in _tags(made)]
    _require_all_answered(made, plugin)
    return made


def operations(app: Flask) -> Iterator[tuple[str, str, Rule, Operation]]:
    """List every operation of ``app`` as (method, path, rule, operation), in the order of the paths."""
    for path, rule, verbs in _paths(app):
        for verb, (_, described) in verbs.items():
            yield verb.upper(), path, rule, described


def template(rule: Rule) -> str:
    """Write a rule's path as OpenAPI does: ``/vehicles/{vehicle_id}``."""
    return _PATH_PART.sub(lambda part: f"{{{part['name']}}}", rule.rule)


def problems_of(described: Operation, method: str, *, has_path: bool) -> list[type[Problem]]:
    """List everything that an operation may refuse with: what it raises, and what follows from it."""
    found: list[type[Problem]] = [*described.raises, ServiceUnavailable, TooManyRequests]
    # What nobody asked for is refused too, wherever it stands.
    found += [BadRequest, InvalidInput, ContentTooLarge, Unauthenticated]
    if described.roles:
        found.append(Forbidden)
    if "admin" in described.roles:
        found.append(SecondFactorRequired)
    if described.fresh:
        found.append(FreshSignInRequired)
    if has_path:
        found.append(NotFound)
    if method.lower() != "get":
        found += [Conflict, UnsupportedMediaType]
    if method.lower() in {"patch", "put", "delete"}:
        found.append(PreconditionFailed)
    if described.idempotent:
        found += [IdempotencyKeyReused, RequestInProgress]
    return sorted(set(found), key=lambda problem: (problem.status, problem.slug()))


def _paths(app: Flask) -> Iterator[tuple[str, Rule, dict[str, tuple[Any, Operation]]]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = getattr(app.view_functions[rule.endpoint], "view_class", None)
        verbs = {}
        for verb in _VERBS:
            method = getattr(view, verb, None)
            described = operation_of(method)
            if described is not None and verb.upper() in (rule.methods or ()):
                verbs[verb] = (method, described)
        _check_readable_inside(view, verbs)
        if verbs:
            yield template(rule), rule, verbs


def _check_readable_inside(view: Any, verbs: dict[str, tuple[Any, Operation]]) -> None:
    """Insist that If-Match can be honoured: the thing is read again inside the write's transaction.

    Raises:
        ValueError: its GET opens a transaction of its own.

    """
    read = verbs.get("get")
    if read is None or not verbs.keys() & {"put", "patch", "delete"}:
        return
    if read[1].has_etag and not read[1].transaction:
        raise ValueError(f"{view.__name__}.get must run in the operation's transaction.")


def _describe(
    plugin: MarshmallowPlugin, rule: Rule, verb: str, method: Any, described: Operation
) -> dict[str, Any]:
    summary, _, description = cleandoc(method.__doc__ or "").partition("\n")
    view = method.__qualname__.split(".")[-2]
    made: dict[str, Any] = {
        "operationId": f"{verb}{view}",
        "summary": summary.rstrip("."),
        "tags": [rule.endpoint.partition(".")[0]],
        "parameters": _parameters(plugin, rule, verb, described),
        "responses": _responses(rule, verb, described),
    }
    if description.strip():
        made["description"] = description.strip()
    if described.roles:
        made["description"] = (
            f"{made.get('description', '')}\n\nFor: {', '.join(described.roles)}.".strip()
        )
        made["x-roles"] = list(described.roles)
    if described.public:
        made["security"] = [{}, {"bearer": []}]
    else:
        made["security"] = [{"bearer": []}]
    if described.body is not None:
        made["requestBody"] = {
            "required": any(field.required for field in described.body.load_fields.values()),
            "content": {described.body_type: {"schema": described.body}},
        }
    return made


def _parameters(
    plugin: MarshmallowPlugin, rule: Rule, verb: str, described: Operation
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": part["name"],
            "in": "path",
            "required": True,
            "schema": _PATH_KINDS.get(part["kind"] or "default", _PATH_KINDS["default"]),
        }
        for part in _PATH_PART.finditer(rule.rule)
    ]
    if described.query is not None:
        found += [_query_parameter(plugin, field) for field in described.query.load_fields.values()]
    if described.idempotent:
        found.append(
            {
                "name": idempotency.HEADER,
                "in": "header",
                "description": "Makes a retry safe: the same key and body give the same answer for 24 hours.",
                "schema": {
                    "type": "string",
                    "pattern": "^[!-~]+$",
                    "minLength": 1,
                    "maxLength": 255,
                },
            }
        )
    if verb in {"patch", "put", "delete"}:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "description": "The ETag of the state that this change was made for.",
                "schema": {"type": "string"},
            }
        )
    return found


def _query_parameter(
    plugin: MarshmallowPlugin, field: marshmallow.fields.Field[Any]
) -> dict[str, Any]:
    schema = _converter(plugin).field2property(field)
    description = schema.pop("description", None)
    if isinstance(schema.get("type"), list):
        # A query string has no null; it leaves the parameter out.
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    if schema.get("default", "") is None:
        del schema["default"]
    made = {
        "name": field.data_key or field.name,
        "in": "query",
        "required": field.required,
        "schema": schema,
    }
    if description:
        made["description"] = description
    return made


def _responses(rule: Rule, verb: str, described: Operation) -> dict[str, Any]:
    status = described.status
    headers = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    success: dict[str, Any] = {"description": status.phrase, "headers": dict(headers)}
    if described.response is not None:
        success["content"] = {
            each: {"schema": described.response} for each in described.media_types or (JSON,)
        }
    elif described.media_types:
        success["content"] = {each: {"schema": {}} for each in described.media_types}
    if verb in {"get", "patch"} and (described.has_etag or described.media_type):
        success["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
    if described.idempotent:
        success["headers"]["Idempotency-Replayed"] = {
            "$ref": "#/components/headers/Idempotency-Replayed"
        }
    found: dict[str, Any] = {str(int(status)): success}
    if verb == "get" and "ETag" in success["headers"]:
        found["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": dict(headers)}
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in problems_of(described, verb, has_path=bool(rule.arguments)):
        by_status.setdefault(int(problem.status), []).append(problem)
    for code, problems in by_status.items():
        found[str(code)] = _refusal(problems, headers)
    return found


def _refusal(problems: list[type[Problem]], headers: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": " ".join(f"{problem.title}." for problem in problems),
        "headers": {**headers, "Retry-After": {"$ref": "#/components/headers/Retry-After"}}
        if problems[0].status
        in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT}
        else dict(headers),
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {
                            "type": "object",
                            "properties": {
                                "type": {"enum": [f"/problems/{p.slug()}" for p in problems]}
                            },
                        },
                    ]
                }
            }
        },
    }


def _tags(made: dict[str, Any]) -> list[str]:
    return sorted(
        {tag for item in made["paths"].values() for verb in item.values() for tag in verb["tags"]}
    )


def _require_all_answered(made: dict[str, Any], plugin: MarshmallowPlugin) -> None:
    """Mark every field of an answer as there, unless its schema says that it is optional.

    Marshmallow's ``required`` speaks of inputs only; without this a client would have to doubt each
    field of each answer.
    """
    asked: set[str] = set()
    answered: set[str] = set()
    schemas = made["components"]["schemas"]
    for item in made["paths"].values():
        for verb in item.values():
            _collect(verb.get("requestBody"), schemas, asked)
            _collect(verb["responses"], schemas, answered)
    classes = {name: key[0] for key, name in _converter(plugin).refs.items()}
    for name in sorted(answered - asked):
        if name not in classes:
            continue
        optional = {
            field.data_key or key
            for key, field in classes[name]._declared_fields.items()  # noqa: SLF001 - the class knows its fields without being made
            if field.metadata.get("optional")
        }
        properties = schemas[name].get("properties", {})
        schemas[name]["required"] = sorted(set(properties) - optional)


def _one_of_each_type(
    _converter: OpenAPIConverter, _field: marshmallow.fields.Field[Any], ret: dict[str, Any]
) -> dict[str, Any]:
    """Name each type once: apispec says null twice of a field that is null by its kind and allows it."""
    types = ret.get("type")
    if not isinstance(types, list):
        return {}
    found = list(dict.fromkeys(types))
    return {"type": found[0] if len(found) == 1 else found}


def _converter(plugin: MarshmallowPlugin) -> OpenAPIConverter:
    return cast("OpenAPIConverter", plugin.converter)


def _collect(part: Any, schemas: dict[str, Any], found: set[str]) -> None:
    if isinstance(part, dict):
        reference = part.get("$ref", "")
        if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
            name = reference.rpartition("/")[2]
            if name not in found:
                found.add(name)
                _collect(schemas[name], schemas, found)
        for inner in part.values():
            _collect(inner, schemas, found)
    elif isinstance(part, list):
        for inner in part:
            _collect(inner, schemas, found)
