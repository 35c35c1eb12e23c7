"""A test client that refuses any answer that the OpenAPI document does not describe."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from backend.web.openapi import PROBLEM_SCHEMA, document, template
from backend.web.problems import PROBLEM_JSON


class ContractBroken(AssertionError):  # noqa: N818 - it says what is wrong
    """An answer that the document does not describe."""


class ContractClient(FlaskClient):
    """Checks each answer, refusals included: is its status declared, its media type, its shape?"""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        check(self.application, response)
        return response


def check(app: Flask, response: TestResponse) -> None:
    """Compare ``response`` with the document of ``app``.

    Raises:
        ContractBroken: it is not described there.

    """
    request = response.request
    if request.method == "OPTIONS":
        return
    method = "get" if request.method == "HEAD" else request.method.lower()
    if "X-Request-ID" not in response.headers:
        raise ContractBroken("The answer has no X-Request-ID.")
    path = _path_of(app, request.path, method)
    if path is None:
        _check_unknown(response)
        return
    described = _document(app)["paths"][path][method]["responses"].get(str(response.status_code))
    where = f"{request.method} {path}: {response.status_code}"
    if described is None:
        raise ContractBroken(f"{where} is not declared. It said: {response.get_data()[:300]!r}")
    for name, header in described.get("headers", {}).items():
        if _resolved(app, header).get("required") and name not in response.headers:
            raise ContractBroken(f"{where} lacks the header {name}.")
    _check_body(app, response, described.get("content", {}), where)


def _check_unknown(response: TestResponse) -> None:
    """What no operation answers is a 404 or 405, as a problem."""
    if response.status_code not in {404, 405} or response.mimetype != PROBLEM_JSON:
        raise ContractBroken(f"{response.request.path} is not in the document: {response.status}")
    if response.status_code == 405 and "Allow" not in response.headers:
        raise ContractBroken("A 405 without Allow.")
    if response.request.method != "HEAD":
        _validate(Draft202012Validator(PROBLEM_SCHEMA), response.get_json(), response.request.path)


def _check_body(app: Flask, response: TestResponse, content: dict[str, Any], where: str) -> None:
    body = response.get_data()
    if response.request.method == "HEAD" or response.status_code in {204, 304}:
        if body:
            raise ContractBroken(f"{where} has a body.")
        return
    if not content:
        if body:
            raise ContractBroken(f"{where} is declared without a body, and has one.")
        return
    if response.mimetype not in content:
        raise ContractBroken(f"{where} is {response.mimetype}, not {', '.join(content)}.")
    if not response.mimetype.endswith("json"):
        return
    schema = content[response.mimetype]["schema"]
    _validate(_validator(app, schema), response.json, where)


def _validator(app: Flask, schema: dict[str, Any]) -> Any:
    known: dict[str, Any] = app.extensions.setdefault("contract_validators", {})
    key = repr(schema)
    if key not in known:
        known[key] = Draft202012Validator(
            {**schema, "components": _document(app)["components"]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
    return known[key]


def _validate(validator: Any, value: Any, where: str) -> None:
    errors = sorted(validator.iter_errors(value), key=str)
    if errors:
        told = "; ".join(f"{error.json_path}: {error.message}" for error in errors[:5])
        raise ContractBroken(f"{where} has another shape than declared: {told}")


def _resolved(app: Flask, part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    if reference is None:
        return part
    found: Any = _document(app)
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    resolved: dict[str, Any] = found
    return resolved


def _path_of(app: Flask, path: str, method: str) -> str | None:
    """Find the path of the document that the request met, if it has the method."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method.upper(), return_rule=True)
    except HTTPException:
        return None
    found = template(rule)
    return found if method in _document(app)["paths"].get(found, {}) else None


def _document(app: Flask) -> dict[str, Any]:
    made: dict[str, Any] | None = app.extensions.get("contract_document")
    if made is None:
        made = app.extensions["contract_document"] = document(app)
    return made
