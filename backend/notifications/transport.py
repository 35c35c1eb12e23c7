"""The two ways a mail leaves: by SMTP, or into a file when no server is set."""

import os
import smtplib
import ssl
from contextlib import suppress
from email.message import Message
from email.utils import parseaddr
from pathlib import Path
from types import TracebackType
from typing import Self

from backend.config import Settings

_TIMEOUT_SECONDS = 10
_SMTPS_PORT = 465


class MailRefused(Exception):  # noqa: N818 - it says what happened, as a Problem does
    """The server will never take this mail; sending it again is of no use."""


class MailServerAway(Exception):  # noqa: N818 - it says what happened, as a Problem does
    """The server does not answer or does not let us in; other mail would fare no better now."""


class Post:
    """The way out of a batch of mail: the first opens the connection, and the others use it again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._server:
            # The server has the mail; how it says good-bye must not send it again.
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
        self._hang_up()

    def deliver(self, message: Message, *, to_address: str, file_name: str) -> None:
        """Hand a mail over: to MAIL_SERVER, or as ``file_name`` into the folder for mail.

        Raises:
            MailRefused: the server refused this mail for good.
            MailServerAway: the server could not be reached, left, or does not let us send.
            smtplib.SMTPException: the server refused it for now.

        """
        if self._settings.mail_server:
            self._send(message, to_address)
        else:
            _write(message, mail_folder(self._settings) / file_name)

    def _send(self, message: Message, to_address: str) -> None:
        try:
            server = self._open_server()
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerAway(_describe(error)) from error
        try:
            server.send_message(
                message, from_addr=parseaddr(self._settings.mail_from)[1], to_addrs=[to_address]
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            if code >= 500:
                raise MailRefused(f"{code} {text!r}") from error
            raise
        except smtplib.SMTPSenderRefused as error:
            # It is we who may not send, whatever the mail: somebody has to set that right.
            raise MailServerAway(_describe(error)) from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                raise MailRefused(_describe(error)) from error
            raise
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(_describe(error)) from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._hang_up()
            raise MailServerAway(_describe(error)) from error

    def _open_server(self) -> smtplib.SMTP:
        if self._server and not _still_answers(self._server):
            self._hang_up()
        if self._server is None:
            self._server = _connect(self._settings)
        return self._server

    def _hang_up(self) -> None:
        if self._server:
            self._server.close()
        self._server = None


def mail_folder(settings: Settings) -> Path:
    """Say where mail goes while there is no server."""
    return settings.instance / "mail"


def _still_answers(server: smtplib.SMTP) -> bool:
    """Ask before the mail, not by it: a mail lost with its connection may have arrived."""
    try:
        return server.noop()[0] < 400
    except (smtplib.SMTPException, OSError):
        return False


def _connect(settings: Settings) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    server: smtplib.SMTP
    if settings.mail_port == _SMTPS_PORT:
        server = smtplib.SMTP_SSL(
            settings.mail_server, settings.mail_port, timeout=_TIMEOUT_SECONDS, context=tls
        )
    else:
        server = smtplib.SMTP(settings.mail_server, settings.mail_port, timeout=_TIMEOUT_SECONDS)
    try:
        if settings.mail_use_tls and settings.mail_port != _SMTPS_PORT:
            server.starttls(context=tls)
        if settings.mail_username:
            server.login(settings.mail_username, settings.mail_password)
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def _write(message: Message, path: Path) -> None:
    """Write a mail whole or not at all; a second time replaces the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(message.as_bytes())
    draft.replace(path)


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
