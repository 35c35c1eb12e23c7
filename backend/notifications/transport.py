"""The two ways a mail leaves: by SMTP, or into a file when no server is set."""

import os
import smtplib
import ssl
from contextlib import suppress
from email.message import Message
from email.utils import parseaddr
from pathlib import Path

from backend.config import Settings

_TIMEOUT_SECONDS = 10
_SMTPS_PORT = 465


class MailRefused(Exception):  # noqa: N818 - it says what happened, as a Problem does
    """The server will never take this mail; sending it again is of no use."""


class MailServerAway(Exception):  # noqa: N818 - it says what happened, as a Problem does
    """The server does not answer or does not let us in; other mail would fare no better now."""


def deliver(message: Message, *, to_address: str, file_name: str, settings: Settings) -> None:
    """Hand a mail over: to MAIL_SERVER, or as ``file_name`` into the folder for mail.

    Raises:
        MailRefused: the server refused this mail for good.
        MailServerAway: the server could not be reached or left.
        smtplib.SMTPException: the server refused it for now.

    """
    if settings.mail_server:
        _send(message, to_address, settings)
    else:
        _write(message, mail_folder(settings) / file_name)


def mail_folder(settings: Settings) -> Path:
    """Say where mail goes while there is no server."""
    return settings.instance / "mail"


def _send(message: Message, to_address: str, settings: Settings) -> None:
    try:
        server = _connect(settings)
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerAway(_describe(error)) from error
    try:
        server.send_message(
            message, from_addr=parseaddr(settings.mail_from)[1], to_addrs=[to_address]
        )
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        if code >= 500:
            raise MailRefused(f"{code} {text!r}") from error
        raise
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500:
            raise MailRefused(_describe(error)) from error
        raise
    except smtplib.SMTPNotSupportedError as error:
        raise MailRefused(_describe(error)) from error
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise MailServerAway(_describe(error)) from error
    else:
        # The server has the mail; how it says good-bye must not send it again.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


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
