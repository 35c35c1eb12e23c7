"""The document is valid, complete and always the same; the page that shows it stands alone."""

import re

import orjson
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from backend.web.openapi import document, operations
from tests.contract import ContractClient


def test_document_is_valid_and_served(app: Flask, client: ContractClient) -> None:
    made = document(app)
    assert made["openapi"] == "3.1.0"
    validate(made, cls=OpenAPIV31SpecValidator)
    served = client.get("/api/v1/openapi.json")
    assert served.json == orjson.loads(orjson.dumps(made))
    assert served.headers["ETag"]


def test_same_routes_give_the_same_bytes(app: Flask) -> None:
    assert orjson.dumps(document(app)) == orjson.dumps(document(app))


def test_operation_says_what_it_takes_answers_and_refuses(app: Flask) -> None:
    post = document(app)["paths"]["/api/v1/notes"]["post"]
    assert post["summary"] == "Write a note"
    assert "kept for ever" in post["description"]
    assert post["tags"] == ["notes"]
    assert post["security"] == [{"bearer": []}]
    assert set(post["responses"]) == {
        *("201", "400", "401", "403", "409", "413", "415", "422", "429", "503")
    }
    assert [parameter["name"] for parameter in post["parameters"]] == ["Idempotency-Key"]


def test_every_field_of_an_answer_is_promised(app: Flask) -> None:
    schemas = document(app)["components"]["schemas"]
    assert schemas["Note"]["required"] == ["id", "text"]
    assert schemas["NoteCreate"]["required"] == ["text"]
    assert schemas["NotePage"]["required"] == ["items", "next_cursor", "total"]


def test_operation_ids_are_unique(app: Flask) -> None:
    made = [
        verb["operationId"] for item in document(app)["paths"].values() for verb in item.values()
    ]
    assert len(made) == len(set(made)) == len(list(operations(app)))


def test_page_needs_nothing_from_elsewhere(client: ContractClient) -> None:
    page = client.get("/api/v1/docs").text
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert address.startswith(("/api/v1/", "#", "data:"))
        if address.startswith("/"):
            assert client.get(address).status_code == 200
    assert "<style" not in page
    assert not re.search(r"<script(?! src)", page)
    assert not re.search(r"\son\w+=|style=", page)
    for asset in ("docs.css", "docs.js"):
        assert "http" not in client.get(f"/api/v1/docs/{asset}").text
