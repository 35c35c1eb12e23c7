"""Tickets for live events, through the API."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from backend import clock, config
from backend.config import Settings
from backend.models import User
from backend.valkey import TICKET_KEY
from tests.desk import problem
from tests.servers import free_port

Headers = dict[str, str]
PATH = "/api/v1/events/ticket"


class TestMakingATicket:
    @pytest.mark.parametrize("lot_id", [None, 7])
    def test_it_says_who_asked_and_for_what(
        self,
        client: FlaskClient,
        settings: Settings,
        driver: User,
        as_driver: Headers,
        lot_id: int | None,
    ) -> None:
        answer = client.post(PATH, json={"lot_id": lot_id}, headers=as_driver)
        assert answer.status_code == 201, answer.text
        assert answer.json is not None
        assert answer.json["url"] == settings.events_url
        ends_at = datetime.fromisoformat(answer.json["expires_at"])
        assert ends_at - clock.now() <= timedelta(minutes=1)
        with redis.Redis.from_url(settings.redis_url) as valkey:
            key = TICKET_KEY.format(answer.json["ticket"])
            kept = json.loads(str(valkey.get(key), "utf-8"))
            assert 0 < int(valkey.ttl(key)) <= 60
        assert (kept["user_id"], kept["lot_id"]) == (driver.id, lot_id)

    def test_no_two_are_alike(self, client: FlaskClient, as_driver: Headers) -> None:
        made = [client.post(PATH, json={}, headers=as_driver).json for _ in range(3)]
        assert len({each["ticket"] for each in made if each}) == 3

    @pytest.mark.parametrize("body", [{"lot_id": "7"}, {"lot": 7}])
    def test_a_body_that_makes_no_sense_is_refused(
        self, client: FlaskClient, as_driver: Headers, body: object
    ) -> None:
        assert client.post(PATH, json=body, headers=as_driver).status_code == 422

    @pytest.mark.parametrize("without", ["", "redis://127.0.0.1:{port}/0"])
    def test_without_valkey_it_says_when_to_come_back(
        self,
        app: Flask,
        client: FlaskClient,
        settings: Settings,
        as_driver: Headers,
        without: str,
    ) -> None:
        config.use(replace(settings, redis_url=without.format(port=free_port())))
        answer = client.post(PATH, json={}, headers=as_driver)
        assert problem(answer) == "503 service-unavailable"
        assert int(answer.headers["Retry-After"]) > 0

    def test_a_valkey_that_is_slow_once_costs_nobody_their_ticket(
        self, client: FlaskClient, as_driver: Headers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = redis.Redis.set
        asked: list[str] = []

        def slow_once(self: redis.Redis, key: str, *values: Any, **options: Any) -> Any:
            asked.append(key)
            if len(asked) == 1:
                raise redis.TimeoutError
            return whole(self, key, *values, **options)

        monkeypatch.setattr(redis.Redis, "set", slow_once)
        assert client.post(PATH, json={}, headers=as_driver).status_code == 201
        assert len(asked) == 2
