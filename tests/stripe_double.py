"""A double of Stripe on the loopback: localstripe's application, started by ``python -m tests.stripe_double PORT``.

Its own command would listen on every interface and keep its books in a file that all of them share.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests import servers

SECRET_KEY = "sk_test_vehicle_vault"
WEBHOOK_SECRET = "whsec_vehicle_vault"


@dataclass(frozen=True, slots=True)
class StripeDouble:
    """The double, as Stripe's dashboard and the driver's browser see it."""

    url: str

    def tell(self, url: str) -> None:
        """Send every event to this address from now on."""
        self._post("/_config/webhooks/vehicle-vault", {"url": url, "secret": WEBHOOK_SECRET})

    def payment_method(self, number: str) -> str:
        """Type a card into the form in the browser; give what it made of it."""
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        made: str = self._post("/v1/payment_methods", {"type": "card", "card": card})["id"]
        return made

    def attach(self, intent_id: str, payment_method: str) -> None:
        """Choose a payment method in the browser's form, and confirm there."""
        self._post(f"/v1/payment_intents/{intent_id}", {"payment_method": payment_method})
        self._post(f"/v1/payment_intents/{intent_id}/confirm", {})

    def authenticate(self, intent_id: str, client_secret: str, *, success: bool) -> None:
        """Answer the bank's challenge in the browser."""
        self._post(
            f"/v1/payment_intents/{intent_id}/_authenticate",
            {"client_secret": client_secret, "success": str(success).lower()},
        )

    def intent(self, intent_id: str) -> dict[str, Any]:
        """Look a payment intent up."""
        return self._get(f"/v1/payment_intents/{intent_id}")

    def refunds(self, intent_id: str) -> list[dict[str, Any]]:
        """List what was given back of an intent."""
        listed: list[dict[str, Any]] = self._get(f"/v1/refunds?payment_intent={intent_id}")["data"]
        return listed

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}{path}", json=body, headers=_HEADERS)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def _get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}{path}", headers=_HEADERS)
        answer.raise_for_status()
        return dict(answer.json())


_HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}


@contextmanager
def run(log: Path) -> Iterator[StripeDouble]:
    """Run a double of its own until the block ends."""
    port = servers.free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stripe_double", str(port)],
            cwd=servers.ROOT,
            env=os.environ,
            stdout=output,
            stderr=output,
        )
        try:
            servers.wait_until_listening(port)
            yield StripeDouble(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(10)


def _serve(port: int) -> None:
    # Only this process has it imported: it would keep its books beside those of the tests.
    from aiohttp import web  # noqa: PLC0415
    from localstripe.resources import Store  # noqa: PLC0415
    from localstripe.server import app  # noqa: PLC0415

    Store.dump_to_disk = lambda _self: None
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
