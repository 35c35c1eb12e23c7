"""The live-events process: server-sent events over ASGI, away from the web workers' threads.

It knows tickets, streams, what :mod:`backend.channels` tells of users, and whether the sign-ins behind the
streams stand; no application. Run it by ``granian --interface asgi backend.live:app``.
"""

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.config import Settings
from backend.errors import MethodNotAllowed, NotFound, Problem, ServiceUnavailable, Unauthenticated
from backend.live_access import SignInRegister
from backend.request_ids import name_request
from backend.valkey import EVENTS_CHANNEL, SOCKET_SECONDS, TICKET_KEY

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_HEARTBEAT_SECONDS = 15.0
# A stream ends within 30 seconds of its sign-in: it is asked about this often, and a stream of which nothing
# could be learnt for this long ends too.
_CHECK_SECONDS = 8.0
_TRUST_SECONDS = 16.0
_ANSWER_SECONDS = 5.0
_NO_ANSWER = (SQLAlchemyError, TimeoutError)
_RETRY_MILLISECONDS = 3000
_MOST_STREAMS = 4000
_LONGEST_TICKET = 128
# A stream that takes nothing for so many events is closed; its browser comes again and asks for the rest.
_MOST_WAITING = 64
# What a browser that was away for a moment may have missed.
_REMEMBERED = 2_000
_PAUSE_SECONDS = 1.0
_RESYNC = "event: resync\ndata: {}\n\n"


@dataclass(frozen=True, slots=True)
class _Event:
    number: int
    user_id: int
    text: str
    """As it goes over the wire."""


@dataclass(slots=True)
class _OpenStream:
    session_id: int
    user_id: int
    confirmed_at: float
    """By the event loop's clock: when its sign-in was last known to stand."""
    waiting: asyncio.Queue[str]


class LiveEvents:
    """The ASGI application: ``/healthz``, and ``/events`` for whoever brings a ticket."""

    def __init__(
        self,
        settings: Settings,
        *,
        most_streams: int = _MOST_STREAMS,
        heartbeat_seconds: float = _HEARTBEAT_SECONDS,
        check_seconds: float = _CHECK_SECONDS,
        trust_seconds: float = _TRUST_SECONDS,
        standing: Callable[[Collection[int]], set[int]] | None = None,
    ) -> None:
        self._origins = {_origin(url) for url in (settings.public_url, *settings.cors_origins)}
        self._redis_url = settings.redis_url
        self._most_streams = most_streams
        self._heartbeat_seconds = heartbeat_seconds
        self._streams = 0
        self._valkey: Redis | None = None
        self._check_seconds = check_seconds
        self._trust_seconds = trust_seconds
        self._standing = standing or SignInRegister(settings.database_url).standing
        self._open: dict[asyncio.Event, _OpenStream] = {}
        # Numbers of another process, or of this one before it was started again, mean nothing here.
        self._run = secrets.token_hex(4)
        self._count = 0
        # From which number on nothing was missed: lower ones were told while Valkey was away.
        self._whole_since = 1
        self._told: deque[_Event] = deque(maxlen=_REMEMBERED)
        self._hears = asyncio.Event()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            given = dict(scope["headers"])
            request_id = name_request(given.get(b"x-request-id", b"").decode("latin-1"))
            common: Headers = [
                *self._cors(given.get(b"origin", b"").decode("latin-1")),
                (b"x-request-id", request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
            try:
                await self._answer(scope, receive, send, common)
            except Problem as problem:
                await _refuse(problem, scope["path"], request_id, send, common)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                # Made here, in the worker's own event loop.
                self._valkey = Redis.from_url(
                    self._redis_url or "redis://127.0.0.1:6379/0",
                    socket_timeout=SOCKET_SECONDS,
                    socket_connect_timeout=SOCKET_SECONDS,
                    retry=Retry(NoBackoff(), 0),
                )
                tasks = [asyncio.create_task(work()) for work in (self._watch, self._listen)]
                # Without a Valkey streams are refused, but the process is there to say so.
                await asyncio.wait(
                    [asyncio.create_task(self._hears.wait())], timeout=_PAUSE_SECONDS
                )
                await send({"type": "lifespan.startup.complete"})
            else:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                if self._valkey is not None:
                    await self._valkey.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, common: Headers
    ) -> None:
        path, method = scope["path"], scope["method"]
        if path not in {"/healthz", "/events"}:
            raise NotFound
        if method == "OPTIONS":
            await _send_whole(send, 204, [*common, (b"access-control-allow-methods", b"GET")])
        elif method != "GET":
            raise MethodNotAllowed
        elif path == "/healthz":
            body = json.dumps({"status": "ok", "streams": self._streams}).encode()
            await _send_whole(send, 200, [*common, (b"content-type", b"application/json")], body)
        else:
            await self._open_stream(scope, receive, send, common)

    async def _open_stream(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, common: Headers
    ) -> None:
        if self._streams >= self._most_streams:
            raise ServiceUnavailable(
                "Too many live connections are open; try again soon.", retry_after=10
            )
        # Counted before the first wait, so that a burst cannot pass the bound together.
        self._streams += 1
        try:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            claims = await self._redeem(query)
            session_id = int(claims["session_id"])
            await self._check(session_id)
            over = asyncio.Event()
            stream = _OpenStream(
                session_id,
                int(claims["user_id"]),
                asyncio.get_running_loop().time(),
                asyncio.Queue(_MOST_WAITING),
            )
            missed = self._missed(stream.user_id, query.get("last_event_id", [""])[0])
            self._open[over] = stream
            try:
                await self._stream(receive, send, common, over, stream, missed)
            finally:
                del self._open[over]
        finally:
            self._streams -= 1

    async def _check(self, session_id: int) -> None:
        """Refuse a stream whose sign-in ended since its ticket was made.

        Raises:
            Unauthenticated: so it is.
            ServiceUnavailable: the database does not answer.

        """
        try:
            standing = await self._ask({session_id})
        except _NO_ANSWER as error:
            logger.warning("The database is away; a stream was refused: %s", type(error).__name__)
            raise ServiceUnavailable("Live events are away for a moment.", retry_after=5) from error
        if session_id not in standing:
            raise Unauthenticated("Ask for a new ticket.")

    async def _ask(self, session_ids: Collection[int]) -> set[int]:
        # A database that is frozen answers nothing at all, and its thread waits on.
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await asyncio.to_thread(self._standing, session_ids)

    async def _watch(self) -> None:
        """End streams whose sign-in is over, or of which nothing could be learnt for too long."""
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._check_seconds)
            asked = dict(self._open)
            if not asked:
                continue
            try:
                standing = await self._ask({stream.session_id for stream in asked.values()})
            except _NO_ANSWER as error:
                logger.warning("The database is away: %s", type(error).__name__)
                for over, stream in asked.items():
                    if now() - stream.confirmed_at > self._trust_seconds:
                        over.set()
                continue
            for over, stream in asked.items():
                if stream.session_id in standing:
                    stream.confirmed_at = now()
                else:
                    over.set()

    async def _listen(self) -> None:
        """Hear what is told of users, and pass it on to their streams; one subscription a process."""
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                logger.warning("Valkey is away; nothing is told: %s", type(error).__name__)
            # Whatever is told meanwhile is missed: who has a stream must ask for all that it shows.
            self._resync()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _hear(self) -> None:
        if self._valkey is None:
            return
        async with self._valkey.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(EVENTS_CHANNEL)
            self._hears.set()
            # What was told before the subscription stood was missed, too.
            self._resync()
            while True:
                message = await channel.get_message(timeout=self._heartbeat_seconds)
                if message is None:
                    # A connection that died in silence is found out by asking.
                    await channel.ping()
                elif message["type"] == "message":  # the answer to a ping comes here, too
                    self._pass_on(message["data"])

    def _resync(self) -> None:
        self._told.clear()
        self._whole_since = self._count + 1
        for over, stream in self._open.items():
            self._offer(over, stream, _RESYNC)

    def _pass_on(self, told: bytes) -> None:
        try:
            said = json.loads(told)
            user_id, name, data = int(said["user_id"]), str(said["event"]), said["data"]
        except (ValueError, KeyError, TypeError):
            logger.warning("Something that is no event was told, and left out.")
            return
        self._count += 1
        text = f"id: {self._run}-{self._count}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
        self._told.append(_Event(self._count, user_id, text))
        for over, stream in self._open.items():
            if stream.user_id == user_id:
                self._offer(over, stream, text)

    def _offer(self, over: asyncio.Event, stream: _OpenStream, text: str) -> None:
        try:
            stream.waiting.put_nowait(text)
        except asyncio.QueueFull:
            over.set()

    def _missed(self, user_id: int, last_event_id: str) -> list[str]:
        """Give what a stream that was away missed, or that it cannot be known."""
        if not last_event_id:
            return []
        run, _, number = last_event_id.partition("-")
        if run != self._run or not number.isdecimal() or len(number) > _LONGEST_TICKET:
            return [_RESYNC]
        seen = int(number)
        oldest = self._told[0].number if self._told else self._count + 1
        if seen + 1 < max(self._whole_since, min(oldest, self._count + 1)):
            return [_RESYNC]
        return [each.text for each in self._told if each.number > seen and each.user_id == user_id]

    async def _redeem(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """Exchange the one-use ticket for what it was made for.

        Raises:
            Unauthenticated: it is unknown, used, too old, or was made for another lot.
            ServiceUnavailable: Valkey does not answer.

        """
        ticket = query.get("ticket", [""])[0]
        if not 0 < len(ticket) <= _LONGEST_TICKET or self._valkey is None:
            raise Unauthenticated("Ask for a new ticket.")
        try:
            kept = await self._valkey.getdel(TICKET_KEY.format(ticket))
        except (RedisError, OSError) as error:
            logger.warning("Valkey is away; a stream was refused: %s", error)
            raise ServiceUnavailable("Live events are away for a moment.", retry_after=5) from error
        claims: dict[str, Any] = json.loads(kept) if kept else {}
        lot_id = query.get("lot_id", [None])[0]
        made_for = claims.get("lot_id")
        if not claims or (made_for is not None and lot_id not in {None, str(made_for)}):
            raise Unauthenticated("Ask for a new ticket.")
        return claims

    async def _stream(
        self,
        receive: Receive,
        send: Send,
        common: Headers,
        over: asyncio.Event,
        stream: _OpenStream,
        missed: list[str],
    ) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    *common,
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        await _send_chunk(send, "".join([f"retry: {_RETRY_MILLISECONDS}\n\n", *missed]))
        telling = asyncio.create_task(self._tell(send, stream))
        ends = [
            asyncio.create_task(_disconnected(receive)),
            asyncio.create_task(over.wait()),
            telling,
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if over.is_set():
                telling.cancel()
                await asyncio.wait([telling])
                # Whoever reads nothing does not read its end either.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for end in ends:
                end.cancel()
            # What went wrong with a stream concerns nobody but its browser, which is gone.
            await asyncio.gather(*ends, return_exceptions=True)

    async def _tell(self, send: Send, stream: _OpenStream) -> None:
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_seconds):
                    text = await stream.waiting.get()
            except TimeoutError:
                text = ": heartbeat\n\n"
            await _send_chunk(send, text)

    def _cors(self, origin: str) -> Headers:
        vary: Headers = [(b"vary", b"Origin")]
        return (
            [*vary, (b"access-control-allow-origin", origin.encode("latin-1"))]
            if origin in self._origins
            else vary
        )


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_chunk(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _send_whole(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _refuse(
    problem: Problem, path: str, request_id: str, send: Send, common: Headers
) -> None:
    body = {
        "type": f"/problems/{problem.slug()}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
        "request_id": request_id,
        **problem.extensions,
    }
    headers: Headers = [
        *common,
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
    ]
    if retry_after := problem.extensions.get("retry_after"):
        headers.append((b"retry-after", str(retry_after).encode()))
    if isinstance(problem, MethodNotAllowed):
        headers.append((b"allow", b"GET, OPTIONS"))
    await _send_whole(send, problem.status, headers, json.dumps(body).encode())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


app = LiveEvents(Settings.load())
