"""A mail server that takes its time: ``python -m bench.mail_server PORT SECONDS``."""

import asyncio
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Slot:
    """Takes each mail after a while, and forgets it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        await asyncio.sleep(self._seconds)
        return "250 OK"


async def take_mail(port: int, seconds: float) -> None:
    """Be the mail server until this process is ended."""
    slot = Slot(seconds)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(slot), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(take_mail(int(sys.argv[1]), float(sys.argv[2])))
