"""The whole system for the browser tests: ``run.py`` with its demo, and a mail server that keeps what comes.

Playwright starts it and asks ``/readyz`` whether it may begin. It ends with its parent, however that
went, and takes its folder with it. The environment says where: ``E2E_FOLDER``, ``E2E_PORT``,
``E2E_EVENTS_PORT`` and ``E2E_MAIL_PORT``.
"""

import asyncio
import email
import email.policy
import http.client
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from backend.supervisor import Child, ChildFailed, Supervisor

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120
_FAILED = 1
_FOLDER = Path(os.environ["E2E_FOLDER"])
_PORT, _EVENTS_PORT, _MAIL_PORT = (
    int(os.environ[name]) for name in ("E2E_PORT", "E2E_EVENTS_PORT", "E2E_MAIL_PORT")
)


class Mailbox:
    """Keep each mail as it came, and beside it what a test wants to know of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        content = envelope.original_content or b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        text = message.get_body(("plain",))
        digest = {
            "to": envelope.rcpt_tos,
            "subject": str(message["Subject"]),
            "text": text.get_content() if text is not None else "",
            "attachments": [part.get_filename() for part in message.iter_attachments()],
        }
        path = self._folder / f"{next(self._numbers):05d}.json"
        path.with_suffix(".eml").write_bytes(content)
        # Whole at once: tests read the folder while we write.
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(digest))
        draft.rename(path)
        return "250 OK"


async def take_mail(folder: Path) -> None:
    """Be the mail server until this process is ended."""
    mailbox = Mailbox(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=True), "127.0.0.1", _MAIL_PORT
    )
    await server.serve_forever()


def run() -> int:
    """Run everything until a signal, or until our parent is gone."""
    supervisor = Supervisor(ROOT, lambda line: print(line, flush=True))  # noqa: T201 - Playwright passes it on
    supervisor.listen_for_signals()
    parent = os.getppid()
    with _own_folder() as mail_folder:
        try:
            supervisor.start(
                Child(
                    "mail",
                    [sys.executable, __file__, str(mail_folder)],
                    os.environ,
                    runs_our_code=False,
                )
            )
            supervisor.start(
                Child(
                    "system", [sys.executable, "run.py"], _environment(_FOLDER), stop_seconds=20.0
                )
            )
            supervisor.wait_until(_is_ready, seconds=_START_SECONDS)
            while not supervisor.is_stopping and os.getppid() == parent:
                supervisor.turn()
        except ChildFailed as error:
            sys.stderr.write(f"{error}\n")
            return _FAILED
        finally:
            supervisor.stop()
    return 0


@contextmanager
def _own_folder() -> Iterator[Path]:
    mail_folder = _FOLDER / "mail"
    mail_folder.mkdir(parents=True)
    try:
        yield mail_folder
    finally:
        shutil.rmtree(_FOLDER, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """Only what a process needs, and our own settings: those of whoever runs the tests stay out."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    return {
        **kept,
        "ENV_FILE": os.devnull,
        "INSTANCE_PATH": str(folder / "instance"),
        "PORT": str(_PORT),
        "EVENTS_PORT": str(_EVENTS_PORT),
        "PUBLIC_URL": f"http://127.0.0.1:{_PORT}",
        "CURRENCY": "EUR",
        "TIMEZONE": "Europe/Berlin",
        "LOCALE": "en-IE",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(_MAIL_PORT),
        "MAIL_USE_TLS": "off",
        "MAIL_FROM": "Vehicle Vault <parking@example.org>",
        # All the tests come from one address and sign up many people.
        "RATE_LIMITS": "off",
        "BCRYPT_ROUNDS": "4",
        "DEMO": "on",
    }


def _is_ready() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=1)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    return False


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(take_mail(Path(sys.argv[1])))
    else:
        sys.exit(run())
