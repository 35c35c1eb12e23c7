"""Many clients at once, each with a thread and a connection of its own, against a real server."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

API = "/api/v1"
_PATIENCE_SECONDS = 60

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Driver:
    """One of the crowd: signed in, with a vehicle."""

    id: int
    email: str
    headers: Mapping[str, str]
    vehicle_id: int
    plate: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; the names of its headers are in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def told(self) -> str:
        """The status, and for a refusal which."""
        if self.status < 400:
            return str(self.status)
        return f"{self.status} {self.body['type'].removeprefix('/problems/')}"


class Browser:
    """A client that keeps its connection as long as the server does."""

    def __init__(self, url: str) -> None:
        host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(host, timeout=_PATIENCE_SECONDS)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """Send one request; text is sent as it is, anything else as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        everything = {**(headers or {})}
        if body is not None:
            everything["Content-Type"] = "application/json"
        self._connection.request(
            method, API + path, body=None if body is None else text, headers=everything
        )
        response = self._connection.getresponse()
        content = response.read()
        return Answer(
            response.status,
            json.loads(content) if content else None,
            {name.lower(): value for name, value in response.getheaders()},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def send(
    url: str,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Answer:
    """Send one request on a new connection."""
    with Browser(url) as browser:
        return browser.send(method, path, headers=headers, body=body)


def rush(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make all calls at the same moment; give their results in order."""
    barrier = Barrier(len(calls))

    def wait_and_call(call: Callable[[], Result]) -> Result:
        barrier.wait(_PATIENCE_SECONDS)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and_call, calls))


def tally(answers: Iterable[Answer]) -> Counter[str]:
    """Count the answers by what they told."""
    return Counter(answer.told for answer in answers)
