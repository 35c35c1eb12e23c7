"""The document of the whole application."""

import os
import subprocess
import sys
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from backend.web.openapi import document, operations, template
from tests.servers import ROOT


def test_it_is_valid_openapi_3_1(app: Flask) -> None:
    made = document(app)
    assert made["openapi"] == "3.1.0"
    validate(made, cls=OpenAPIV31SpecValidator)


def test_it_is_served(app: Flask, client: FlaskClient) -> None:
    served = client.get("/api/v1/openapi.json")
    assert served.status_code == 200
    assert served.json == orjson.loads(orjson.dumps(document(app)))


def test_every_route_is_an_operation_but_for_the_mail_of_development(app: Flask) -> None:
    routes = {
        (method, template(rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    others = routes - {(method, path) for method, path, *_ in operations(app)}
    assert {path for _, path in others if not path.startswith("/dev/mail")} == set()


def test_every_operation_says_what_it_does(app: Flask) -> None:
    for path, verbs in document(app)["paths"].items():
        for verb, made in verbs.items():
            assert made["summary"], (verb, path)
            assert made["operationId"], (verb, path)
            assert "X-Request-ID" in made["responses"][_first(made)]["headers"], (verb, path)


def test_operations_are_named_once(app: Flask) -> None:
    names = [
        made["operationId"] for verbs in document(app)["paths"].values() for made in verbs.values()
    ]
    assert len(names) == len(set(names))


def test_every_field_has_a_type(app: Flask) -> None:
    schemas = document(app)["components"]["schemas"]
    untyped = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, made in schema.get("properties", {}).items()
        if not made.keys() & {"type", "$ref", "anyOf", "allOf"}
    ]
    assert untyped == []


def test_the_command_prints_the_same_bytes_in_any_process(app: Flask) -> None:
    here = app.test_cli_runner().invoke(args=["openapi"])
    assert here.exit_code == 0, here.output
    settings = app.extensions["settings"]
    there = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "run", "openapi"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONHASHSEED": "7",
            # What the document says does not depend on how an installation is set up.
            "CURRENCY": "JPY",
            "TIMEZONE": "UTC",
            "PAYMENT_GATEWAYS": "none",
            "INSTANCE_PATH": settings.instance_path,
            "DATABASE_URL": settings.database_url,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert orjson.loads(here.output) == document(app)
    assert there.stdout == here.output
    assert here.output.endswith("}\n")


def _first(made: dict[str, Any]) -> str:
    first: str = min(made["responses"])
    return first
