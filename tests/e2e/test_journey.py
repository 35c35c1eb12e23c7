"""The whole system as it is run: web, live events, worker, beat, Valkey and an SMTP server, and a stranger in it."""

import email
import email.policy
import os
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from tests import servers
from tests.e2e.journey import Journey, Mail

_START_SECONDS = 120


class Postbox:
    """An SMTP server's memory of what it was given."""

    def __init__(self) -> None:
        self.received: list[Mail] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append(_read(message))
        return "250 Message accepted for delivery"


def _read(message: EmailMessage) -> Mail:
    text = message.get_body(("plain",))
    return Mail(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=text.get_content() if text else "",
        attachments=[part.get_filename() or "" for part in message.iter_attachments()],
    )


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    postbox, port = Postbox(), servers.free_port()
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield postbox, port
    controller.stop()


@pytest.fixture
def system(postbox: tuple[Postbox, int], tmp_path: Path) -> Iterator[str]:
    """``python run.py`` with the demo, its mail going to the postbox; gives its address."""
    port = servers.free_port()
    environment = {
        **os.environ,
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "ENV_FILE": str(tmp_path / "demo.env"),
        "PORT": str(port),
        "EVENTS_PORT": str(servers.free_port()),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(postbox[1]),
        "MAIL_USE_TLS": "off",
        "BCRYPT_ROUNDS": "4",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "run.py"],
            cwd=servers.ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            servers.wait_until_ready(f"{url}/readyz", process, log, seconds=_START_SECONDS)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def test_a_stranger_gets_from_sign_up_to_ticket_and_receipt(
    system: str, postbox: tuple[Postbox, int]
) -> None:
    steps: list[str] = []
    with httpx.Client(base_url=system, timeout=20) as http:
        reservation = Journey(http, lambda: postbox[0].received, steps.append).walk()

    assert reservation["status"] == "confirmed"
    assert len(steps) == 9, steps
