"""A small load over keep-alive connections of the loopback, bounded in count."""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """What a load met: requests a second, the statuses, and how long each took in seconds."""

    per_second: float
    statuses: dict[int, int]
    seconds: list[float]

    def percentile(self, share: float) -> float:
        """Give the time within which this share of the requests was answered, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection:
    """One keep-alive connection that asks and reads, and does nothing else."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; give the status and the body of its answer."""
        head, body = self.exchange(request)
        return int(head[9:12]), body

    def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request; give the head and the body of its answer."""
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start:].split(b"\r\n", 1)[0])
        while len(self._rest) < length:
            self._read()
        body, self._rest = self._rest[:length], self._rest[length:]
        return head, body

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self) -> None:
        received = self._socket.recv(262_144)
        if not received:
            raise ConnectionError("The server hung up.")
        self._rest += received


def http_request(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Write a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(port: int, shares: Sequence[Sequence[bytes]]) -> Result:
    """Send each share of requests over a connection of its own, all shares at once."""
    times: list[list[float]] = [[] for _ in shares]
    statuses: list[dict[int, int]] = [{} for _ in shares]
    barrier = threading.Barrier(len(shares) + 1)

    def work(number: int, requests: Sequence[bytes]) -> None:
        connection = Connection(port)
        barrier.wait()
        for request in requests:
            began = time.perf_counter()
            status, _ = connection.ask(request)
            times[number].append(time.perf_counter() - began)
            statuses[number][status] = statuses[number].get(status, 0) + 1
        connection.close()

    threads = [
        threading.Thread(target=work, args=(number, requests))
        for number, requests in enumerate(shares)
    ]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    seen: dict[int, int] = {}
    for part in statuses:
        for status, count in part.items():
            seen[status] = seen.get(status, 0) + count
    flat = [each for part in times for each in part]
    return Result(len(flat) / seconds, seen, flat)
