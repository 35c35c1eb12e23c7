"""A real SMTP server that does as it is told, and a way to promise mail."""

import dataclasses
import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select

from backend import config
from backend.config import Settings
from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications.service import queue_mail
from backend.transaction import transaction


class Inbox:
    """What an SMTP server got, and how it answers."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answer = "250 OK"
        self.answer_to: dict[str, str] = {}
        self.goodbye = "221 Bye"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer_to.get(address, "250 OK")

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return self.goodbye

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.mails.append(mail)
            self.recipients.append(list(envelope.rcpt_tos))
        return self.answer


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def use_server(settings: Settings) -> Iterator[Callable[[int], None]]:
    """Let mail go to a port of this machine."""

    def use_server(port: int) -> None:
        config.use(
            dataclasses.replace(
                settings, mail_server="127.0.0.1", mail_port=port, mail_use_tls=False
            )
        )

    yield use_server
    config.use(settings)


@pytest.fixture
def inbox(free_port: int, use_server: Callable[[int], None]) -> Iterator[Inbox]:
    found = Inbox()
    controller = Controller(found, hostname="127.0.0.1", port=free_port)
    controller.start()
    use_server(free_port)
    yield found
    controller.stop()


@pytest.fixture
def promise(app: Flask) -> Callable[..., int]:
    """Promise a mail with a code and give its number in the outbox."""

    def promise(to: str = "asha@example.org", **fields: Any) -> int:
        values = {
            "key": f"otp:{to}",
            "context": {"minutes": 10},
            "secret": {"code": "123456"},
            **fields,
        }
        template = values.pop("template", "otp")
        with app.app_context(), transaction():
            queue_mail(template, to, **values)
            return db.session.scalars(
                select(OutboxMail.id).where(OutboxMail.key == values["key"])
            ).one()

    return promise


@pytest.fixture
def look_up(app: Flask) -> Callable[[int], OutboxMail]:
    def look_up(mail_id: int) -> OutboxMail:
        with app.app_context(), transaction(read_only=True):
            return db.session.get_one(OutboxMail, mail_id)

    return look_up
