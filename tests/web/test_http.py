"""Who may ask, states and their names, headers, limits, caches, logs."""

import logging
import socket
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from backend.extensions import cache
from backend.web import limits
from backend.web.cache import invalidate
from backend.web.request_log import JsonFormatter, redact
from tests.contract import ContractClient
from tests.web.conftest import Knobs

NOTE = "/api/v1/notes/1"


class TestCaller:
    def test_no_token_wrong_token_wrong_role_and_right_role(
        self, client: ContractClient, ann: dict[str, str], bob: dict[str, str]
    ) -> None:
        assert client.get("/api/v1/me").status_code == 401
        assert client.get("/api/v1/me?auth_token=2").status_code == 401
        assert client.get("/api/v1/me", headers={"Authorization": "Bearer x"}).status_code == 401
        assert client.get("/api/v1/me", headers=ann).status_code == 403
        assert client.get("/api/v1/me", headers=bob).json == {"id": 2, "text": "bob"}

    def test_public_operation_knows_its_caller_and_refuses_a_bad_token(
        self, client: ContractClient, ann: dict[str, str]
    ) -> None:
        assert client.get("/api/v1/maybe-me").json["text"] == "nobody"
        assert client.get("/api/v1/maybe-me", headers=ann).json["text"] == "ann"
        for bad in ("Bearer x", "Basic YTpi", "Bearer", ""):
            answer = client.get("/api/v1/maybe-me", headers={"Authorization": bad})
            assert answer.status_code == 401

    def test_callers_in_turn_never_mix(
        self, client: ContractClient, ann: dict[str, str], bob: dict[str, str]
    ) -> None:
        for _ in range(3):
            assert client.get("/api/v1/maybe-me", headers=ann).json["text"] == "ann"
            assert client.get("/api/v1/maybe-me").json["text"] == "nobody"
            assert client.get("/api/v1/maybe-me", headers=bob).json["text"] == "bob"


class TestStates:
    def test_known_state_is_304(self, client: ContractClient, ann: dict[str, str]) -> None:
        tag = client.get(NOTE, headers=ann).headers["ETag"]
        again = client.get(NOTE, headers=ann | {"If-None-Match": tag})
        assert again.status_code == 304
        assert client.get(NOTE, headers=ann | {"If-None-Match": '"x"'}).status_code == 200

    def test_change_and_delete_honour_if_match(
        self, client: ContractClient, ann: dict[str, str]
    ) -> None:
        tag = client.get(NOTE, headers=ann).headers["ETag"]
        changed = client.patch(NOTE, json={"text": "new"}, headers=ann | {"If-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] == client.get(NOTE, headers=ann).headers["ETag"] != tag
        late = ann | {"If-Match": tag}
        assert client.patch(NOTE, json={"text": "late"}, headers=late).status_code == 412
        assert client.delete(NOTE, headers=late).status_code == 412
        assert client.get(NOTE, headers=ann).json["text"] == "new"
        weak = {"If-Match": f"W/{changed.headers['ETag']}"}
        assert client.delete(NOTE, headers=ann | weak).status_code == 204
        assert client.delete(NOTE, headers=ann | {"If-Match": "*"}).status_code == 404

    def test_head_and_options(self, client: ContractClient, ann: dict[str, str]) -> None:
        head = client.head(NOTE, headers=ann)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["ETag"] == client.get(NOTE, headers=ann).headers["ETag"]
        options = client.options(NOTE)
        assert options.status_code == 200
        assert set(options.headers["Allow"].split(", ")) == {
            "GET",
            "HEAD",
            "PATCH",
            "DELETE",
            "OPTIONS",
        }


class TestHeaders:
    def test_every_answer_is_guarded(self, client: ContractClient, ann: dict[str, str]) -> None:
        for path in (NOTE, "/api/v1/notes", "/nowhere", "/api/v1/docs"):
            answer = client.get(path, headers=ann)
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "camera=(self)" in answer.headers["Permissions-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "max-age" in answer.headers["Strict-Transport-Security"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers

    def test_page_may_open_event_streams(self, client: ContractClient) -> None:
        policy = client.get("/api/v1/docs").headers["Content-Security-Policy"]
        assert "connect-src 'self' https://live.example.org;" in policy

    def test_public_answer_may_be_kept_and_checked(self, client: ContractClient) -> None:
        answer = client.get("/api/v1/cached")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Vary"].split(", ") == ["Authorization"]

    def test_no_hsts_without_tls(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(public_url="http://127.0.0.1:8000").test_client()
        assert "Strict-Transport-Security" not in client.get("/api/v1/notes").headers

    def test_only_listed_origins_may_read(self, make_app: Callable[..., Flask]) -> None:
        ours, other = "https://app.example.org", "https://evil.example.org"
        client = make_app(cors_origins=(ours, "https://b.example.org")).test_client()
        answer = client.get("/nowhere", headers={"Origin": ours})
        assert answer.headers["Access-Control-Allow-Origin"] == ours
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        refused = client.get("/api/v1/notes", headers={"Origin": other})
        assert "Access-Control-Allow-Origin" not in refused.headers
        asked = client.options(
            NOTE,
            headers={
                "Origin": ours,
                "Access-Control-Request-Method": "PATCH",
                "Access-Control-Request-Headers": "authorization, if-match",
            },
        )
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]

    def test_forwarded_address_counts_only_behind_a_proxy(
        self, make_app: Callable[..., Flask]
    ) -> None:
        forged = {"X-Forwarded-For": "203.0.113.9"}
        for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
            app = make_app(trusted_proxies=proxies)
            found: list[Any] = []
            app.before_request(lambda found=found: found.append(_address()))
            app.test_client().get("/api/v1/notes", headers=forged)
            assert found == [seen]


def _address() -> str | None:
    from flask import request  # noqa: PLC0415 - read inside the request only

    return request.remote_addr


class TestLimits:
    def test_used_up_limit_is_429_with_retry_after(self, client: ContractClient) -> None:
        answers = [client.post("/api/v1/limited") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
        assert answers[3].json["retry_after"] == int(answers[3].headers["Retry-After"])

    def test_looking_does_not_count(self, app: Flask, client: ContractClient) -> None:
        said = ("limited", "3 per minute", "someone@example.org")
        with app.app_context():
            for _ in range(9):
                limits.test(*said)
            for _ in range(3):
                limits.hit(*said)
        assert client.post("/api/v1/limited").status_code == 429

    def test_limits_can_be_lifted(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(rate_limits=False).test_client()
        assert {client.post("/api/v1/limited").status_code for _ in range(9)} == {204}

    def test_limits_hold_while_valkey_is_away(
        self, make_app: Callable[..., Flask], free_port: int
    ) -> None:
        client = make_app(redis_url=f"redis://127.0.0.1:{free_port}/0").test_client()
        assert [client.post("/api/v1/limited").status_code for _ in range(4)][3] == 429

    def test_frozen_valkey_costs_one_short_wait(self, make_app: Callable[..., Flask]) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=50) as frozen:
            url = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
            client = make_app(redis_url=url).test_client()
            began = time.monotonic()
            answers = [client.post("/api/v1/limited").status_code for _ in range(4)]
            client.get("/api/v1/cached")
            # Once for the limits and once for the cache, each 0.3 s, and not at every request.
            assert time.monotonic() - began < 1.5
        assert answers == [204, 204, 204, 429]

    def test_limits_are_shared_in_valkey(
        self, make_app: Callable[..., Flask], valkey_url: str
    ) -> None:
        one, two = (make_app(redis_url=valkey_url).test_client() for _ in range(2))
        answers = [client.post("/api/v1/limited").status_code for client in (one, two, one, two)]
        assert answers == [204, 204, 204, 429]


class TestCache:
    def test_bytes_are_kept_until_invalidated(
        self, app: Flask, client: ContractClient, knobs: Knobs
    ) -> None:
        first = client.get("/api/v1/cached")
        assert client.get("/api/v1/cached").json == first.json == {"id": 1, "text": "kept"}
        assert first.headers["ETag"]
        with app.app_context():
            invalidate("notes")
        assert client.get("/api/v1/cached").json["id"] == 2

    def test_other_process_sees_it_too(
        self, make_app: Callable[..., Flask], valkey_url: str
    ) -> None:
        one, two = (make_app(redis_url=valkey_url) for _ in range(2))
        assert one.test_client().get("/api/v1/cached").json["id"] == 1
        assert two.test_client().get("/api/v1/cached").json["id"] == 1
        with one.app_context():
            invalidate("notes")
        third = make_app(redis_url=valkey_url)
        assert third.test_client().get("/api/v1/cached").json["id"] == 2

    def test_away_means_built_anew(self, make_app: Callable[..., Flask], free_port: int) -> None:
        app = make_app(redis_url=f"redis://127.0.0.1:{free_port}/0")
        assert app.test_client().get("/api/v1/cached").json["id"] == 1
        with app.app_context():
            invalidate("notes")
        assert app.test_client().get("/api/v1/cached").json["id"] == 2

    def test_backend_keeps_bytes_and_json(
        self, make_app: Callable[..., Flask], valkey_url: str
    ) -> None:
        with make_app(redis_url=valkey_url).app_context():
            for value in (b"\x80bytes", {"a": [1, None, "ü"]}, "words", 7):
                cache.set("thing", value, timeout=5)
                assert cache.get("thing") == value
            assert cache.add("thing", 8) is False
            assert cache.has("thing")
            assert cache.delete("thing")
            assert cache.get("thing") is None
            cache.set("thing", 1)
            assert cache.clear()
            assert not cache.has("thing")


class TestLog:
    @pytest.mark.parametrize("sent", ["a b", "x" * 65, "ü", "<script>", "a;b", ""])
    def test_odd_request_id_is_replaced(self, client: ContractClient, sent: str) -> None:
        answer = client.get("/api/v1/notes", headers={"X-Request-ID": sent.encode()})
        assert answer.headers["X-Request-ID"] != sent

    def test_sane_request_id_is_kept(self, client: ContractClient) -> None:
        answer = client.get("/api/v1/notes", headers={"X-Request-ID": "a-B_9."})
        assert answer.headers["X-Request-ID"] == "a-B_9."

    def test_one_line_a_request_without_secrets(
        self, client: ContractClient, ann: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, logger="backend"):
            client.get(f"{NOTE}?access_token=hush", headers=ann)
            client.get("/reset/hush-hush?code=123456")
        lines = [orjson.loads(JsonFormatter().format(record)) for record in caplog.records]
        assert [line["status"] for line in lines] == [422, 404]
        assert lines[0]["route"] == "/api/v1/notes/<id:note_id>"
        assert (lines[0]["method"], lines[0]["path"], lines[0]["user_id"]) == ("GET", NOTE, 1)
        assert "hush" not in str(lines)
        assert "123456" not in str(lines)

    @pytest.mark.parametrize(
        ("said", "secret"),
        [
            ("Authorization: Bearer abc.def", "abc"),
            ("token eyJhbGciOi.eyJzdWIi.c2ln here", "eyJ"),
            ('{"password": "two words"}', "two words"),
            ("new_password=hush&x=1", "hush"),
            ("code: 123456", "123456"),
            ("card 4242 4242 4242 4242", "4242"),
            ("4000-0000-0000-0002", "0002"),
            ("[SQL: INSERT]\n[parameters: ('ann', 'hash')]\n", "hash"),
            ("'refresh_token': 'abc'", "abc"),
        ],
    )
    def test_secrets_are_blanked(self, said: str, secret: str) -> None:
        assert secret not in redact(said)

    @pytest.mark.parametrize(
        "detail",
        [
            "DETAIL:  Key (email)=(ann@example.org) already exists.",
            "DETAIL:  Failing row contains (1, ann@example.org,\nBerlin, 7).",
            "DÉTAIL:  La clé « (email)=(ann@example.org) » existe déjà.",
            'CONTEXT:  COPY users, line 1: "ann@example.org"',
        ],
    )
    def test_rows_that_postgresql_quotes_are_blanked(self, detail: str) -> None:
        told = f'psycopg.errors.UniqueViolation: violates "uq_users_email"\n{detail}'
        again = f"sqlalchemy.exc.IntegrityError: ({told}\n[SQL: INSERT INTO users]\n(Background on"
        cause = "\n\nThe above exception was the direct cause of the following exception:\n\n"
        logged = redact(f"{told}{cause}Traceback (most recent call last):\n{again}")
        assert "ann@example.org" not in logged
        assert "Berlin" not in logged
        assert logged.count("uq_users_email") == 2
        assert "Traceback" in logged
        assert "INSERT INTO users" in logged

    def test_ordinary_words_stay(self) -> None:
        said = "Lot 17 at 51.0504 has 12 of 240 bays, total_minor=1250, at 2026-05-04T10:00:00"
        assert redact(said) == said

    def test_line_breaks_cannot_forge_a_line(self) -> None:
        record = logging.LogRecord("backend", logging.INFO, "", 0, "a\n{'b': 1}", (), None)
        assert "\n" not in JsonFormatter().format(record)
