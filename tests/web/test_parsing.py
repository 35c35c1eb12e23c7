"""What may be said to an operation, and what is refused."""

import io
from typing import Any

import pytest

from tests.contract import ContractClient

NOTES = "/api/v1/notes"


def _nested(levels: int) -> bytes:
    inner = levels - 2
    return b'{"text":"x","anything":' + b'{"a":' * inner + b"{}" + b"}" * inner + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"words"',
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"text":"\xff"}',
        b'{"text":NaN}',
        b'{"text":"a\x00b"}',
        b'{"text":"a\\u0000b"}',
        b'{"anything":{"a\\u0000":1},"text":"x"}',
        b'{"text":"\\ud800"}',
        b'\xef\xbb\xbf{"text":"x"}',
        b"[" * 200_000,
        _nested(33),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_unreadable_body_is_400(client: ContractClient, ann: dict[str, str], body: bytes) -> None:
    answer = client.post(NOTES, data=body, content_type="application/json", headers=ann)
    assert answer.status_code == 400, answer.text


def test_32_levels_are_read(client: ContractClient, ann: dict[str, str]) -> None:
    answer = client.post(NOTES, data=_nested(32), content_type="application/json", headers=ann)
    assert answer.status_code == 201


def test_other_kinds_of_body_are_415(client: ContractClient, ann: dict[str, str]) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        answer = client.post(NOTES, data=b'{"text":"x"}', content_type=kind, headers=ann)
        assert answer.status_code == 415, kind
    assert client.post("/api/v1/uploads", json={}, headers=ann).status_code == 415


def test_empty_body_is_an_empty_object(client: ContractClient, ann: dict[str, str]) -> None:
    answer = client.post(NOTES, headers=ann)
    assert answer.status_code == 422
    assert answer.json["errors"] == {"text": ["This is needed."]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{NOTES}/1?x=1", None, 422),
        ("DELETE", f"{NOTES}/1?force=1", None, 422),
        ("DELETE", f"{NOTES}/1", b'{"force": true}', 422),
        ("DELETE", f"{NOTES}/1", b"{{{", 400),
        ("DELETE", f"{NOTES}/1", b"[]", 400),
        ("DELETE", f"{NOTES}/1", b"{}", 204),
    ],
)
def test_what_nobody_asked_for_is_refused(
    client: ContractClient,
    ann: dict[str, str],
    method: str,
    path: str,
    body: bytes | None,
    status: int,
) -> None:
    answer = client.open(
        path,
        method=method,
        data=body,
        content_type="application/json" if body else None,
        headers=ann,
    )
    assert answer.status_code == status


def test_body_over_1_mb_is_413(client: ContractClient, ann: dict[str, str]) -> None:
    body = b'{"text":"' + b"x" * 1_000_000 + b'"}'
    answer = client.post(NOTES, data=body, content_type="application/json", headers=ann)
    assert answer.status_code == 413


def test_body_that_hides_its_length_is_413_too(client: ContractClient, ann: dict[str, str]) -> None:
    def send(size: int) -> int:
        # As servers hand over a chunked body: the input ends by itself, and no length is told.
        status: int = client.post(
            NOTES,
            input_stream=io.BytesIO(b'{"text":"x"}'.ljust(size)),
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
            headers=ann | {"Transfer-Encoding": "chunked"},
        ).status_code
        return status

    assert send(1_000_000) == 201
    assert send(1_000_001) == 413
    assert send(3_000_000) == 413


def test_upload_may_hold_10_mb(client: ContractClient, ann: dict[str, str]) -> None:
    def send(size: int) -> Any:
        form = {"file": (io.BytesIO(b"x" * size), "lots.csv"), "dry_run": "true"}
        answer = client.post("/api/v1/uploads", data=form, headers=ann)
        # Werkzeug's client leaves the file in which it builds a large form open.
        answer.request.environ["wsgi.input"].close()
        return answer

    taken = send(2_000_000)
    assert taken.json == {"id": 2_000_000, "text": "True"}
    assert send(10_000_001).status_code == 413


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x", "colour": "red"}, "colour"),
        ({"text": ""}, "text"),
        ({"text": "   "}, "text"),
        ({"text": 7}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 41}, "text"),
        ({"text": "a\nb"}, "text"),
        ({"text": "x", "at": "2026-05-04T10:00:00"}, "at"),
        ({"text": "x", "at": "2026-05-04 10:00:00Z"}, "at"),
        ({"text": "x", "at": "2026-02-30T10:00:00Z"}, "at"),
        ({"text": "x", "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"text": "x", "at": "9999-12-31T23:59:59-14:00"}, "at"),
        ({"text": "x", "at": 7}, "at"),
        ({"text": "x", "tags": "no list"}, "tags"),
        ({"text": "x", "tags": ["fine", 7]}, "tags.1"),
        ({"text": "x", "tags": ["a", "b", "c", "d"]}, "tags"),
    ],
)
def test_wrong_field_is_422_and_named(
    client: ContractClient, ann: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = client.post(NOTES, json=body, headers=ann)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=07",
        "limit=7.0",
        "limit=%D9%A7",
        "limit=99999999999999999999999",
        "starred=yes",
        "near=nan",
        "near=1e999",
        "near=91",
        "colour=red",
        "cursor=",
        "cursor=garbage",
        "cursor=%F0%9F%9A%97",
        "cursor=W10",
        "cursor=WyI3Il0",
        "cursor=W3RydWVd",
        "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTldCg",
        "cursor=" + "A" * 600,
    ],
)
def test_wrong_query_is_422(client: ContractClient, query: str) -> None:
    assert client.get(f"{NOTES}?{query}").status_code == 422


def test_nul_in_a_query_is_400(client: ContractClient) -> None:
    assert client.get(f"{NOTES}?cursor=%00").status_code == 400


def test_repeated_and_odd_but_right_queries_are_read(client: ContractClient) -> None:
    for query in ("limit=2&limit=3", "starred=true&near=-12.5", "near=1e1"):
        assert client.get(f"{NOTES}?{query}").status_code == 200


@pytest.mark.parametrize(
    "spelling", ["7.0", "07", "+7", "-7", "0", "7e0", "%20", "%D9%A7", "x", "9" * 19, "7%00"]
)
def test_number_in_a_path_has_one_spelling(
    client: ContractClient, ann: dict[str, str], spelling: str
) -> None:
    assert client.get(f"{NOTES}/{spelling}", headers=ann).status_code == 404


def test_pages_follow_their_cursors_to_the_end(client: ContractClient) -> None:
    seen: list[int] = []
    cursor = None
    for _ in range(4):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(NOTES, query_string=query).json
        seen += [note["id"] for note in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [1, 2, 3, 4, 5]
