"""The road of a stranger, by HTTP alone: from sign-up to a paid bay, its ticket and its receipt.

``python -m tests.e2e.journey`` walks it against the system that ``make run`` started, reading the code
and the ticket from the mailbox of development.
"""

import argparse
import itertools
import re
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

PASSWORD = "a quiet place to park"
_PATIENCE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived."""

    to: str
    subject: str
    text: str
    attachments: list[str]


ReadMail = Callable[[], list[Mail]]


class WrongTurn(Exception):  # noqa: N818 - it says what happened
    """An answer was not what the road needs."""


@dataclass(slots=True)
class Journey:
    """One walk; ``say`` hears of each step."""

    http: httpx.Client
    read_mail: ReadMail
    say: Callable[[str], None]
    email: str = field(default_factory=lambda: f"stranger-{secrets.token_hex(4)}@example.org")
    _headers: dict[str, str] = field(default_factory=dict)

    def walk(self) -> dict[str, Any]:
        """Walk all of it; give the confirmed reservation.

        Raises:
            WrongTurn: an answer was not what it should be.

        """
        self._sign_up()
        vehicle = self._post(
            "/vehicles", {"plate": f"DD {secrets.token_hex(3)}", "label": "Mine"}, 201
        )
        self.say(f"vehicle {vehicle['plate']}")
        lot, window = self._find("Altmarkt")
        quote = self._post(
            "/quotes", {"lot_id": lot["id"], "vehicle_id": vehicle["id"], **window}, 201
        )
        self.say(
            f"quote {quote['total_minor']} {quote['currency']} minor units, {len(quote['lines'])} lines"
        )
        hold = self._post(
            "/reservations",
            {"quote_id": quote["id"], "vehicle_id": vehicle["id"]},
            201,
            {"Idempotency-Key": secrets.token_hex(8)},
        )
        self.say(
            f"held {hold['code']}, bay {hold['spot']['label']}, until {hold['hold_expires_at']}"
        )
        self._pay(hold["id"], "4000000000000002", "failed")
        payment = self._pay(hold["id"], "4242424242424242", "succeeded")
        reservation = self._get(f"/reservations/{hold['id']}")
        self._expect(reservation["status"] == "confirmed", f"status {reservation['status']}")
        self._expect(reservation["due_minor"] == 0, "something is still due")
        self._receive_ticket(hold["code"])
        self._fetch_receipt(payment["id"])
        return reservation

    def _sign_up(self) -> None:
        challenge = self._post(
            "/auth/register", {"email": self.email, "name": "A Stranger", "password": PASSWORD}, 202
        )
        mail = self._wait_for_mail(lambda mail: re.search(r"\b[0-9]{6}\b", mail.text))
        codes = re.findall(r"\b[0-9]{6}\b", mail.text)
        self._expect(len(codes) == 1, f"{len(codes)} codes in the mail")
        tokens = self._post(
            "/auth/verify-otp", {"challenge_id": challenge["challenge_id"], "code": codes[0]}, 200
        )
        self._headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.say(f"signed up as {tokens['user']['email']} with the code of the mail")

    def _find(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Find a lot and a window of the coming days for which it has a bay."""
        for day, hour in itertools.product(range(1, 8), (10, 14, 18, 3)):
            start = (datetime.now(UTC) + timedelta(days=day)).replace(
                hour=hour, minute=0, second=0, microsecond=0
            )
            window = {
                "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(hours=2)).isoformat(),
            }
            page = self._get("/lots", {"q": name, **window})
            lots = [
                lot for lot in page["items"] if lot["name"] == name and lot["city"] == "Dresden"
            ]
            self._expect(bool(lots), f"no {name} in Dresden among {page['total']} lots")
            if lots[0]["bookable"]:
                lot = lots[0]
                self.say(f"found {lot['name']}, {lot['available']} of {lot['capacity']} bays free")
                return lot, window
        raise WrongTurn(f"{name} is never bookable.")

    def _pay(self, reservation_id: int, card_number: str, status: str) -> dict[str, Any]:
        payment = self._post(
            f"/reservations/{reservation_id}/payments",
            {"method": "sandbox", "card_number": card_number, "expiry": "12/30", "cvc": "123"},
            201,
            {"Idempotency-Key": secrets.token_hex(8)},
        )
        self._expect(payment["status"] == status, f"{card_number[-4:]}: {payment['status']}")
        self.say(f"card …{card_number[-4:]}: {payment['status']}")
        return payment

    def _receive_ticket(self, code: str) -> None:
        mail = self._wait_for_mail(lambda mail: code in mail.text)
        self._expect(
            any(name.endswith(".pdf") for name in mail.attachments), "no receipt with the ticket"
        )
        self.say(f"ticket by mail: {mail.subject!r} with {', '.join(mail.attachments)}")

    def _fetch_receipt(self, payment_id: int) -> None:
        answer = self.http.get(f"/api/v1/payments/{payment_id}/receipt.pdf", headers=self._headers)
        self._expect(answer.status_code == 200, f"receipt {answer.status_code}")
        self._expect(answer.content.startswith(b"%PDF-"), "the receipt is no PDF")
        self.say(f"receipt, a PDF of {len(answer.content)} bytes")

    def _wait_for_mail(self, fits: Callable[[Mail], Any]) -> Mail:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = [mail for mail in self.read_mail() if mail.to == self.email and fits(mail)]
            if found:
                return found[0]
            time.sleep(0.2)
        raise WrongTurn(f"No such mail came within {_PATIENCE_SECONDS:.0f} s.")

    def _post(
        self, path: str, body: dict[str, Any], status: int, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = self.http.post(
            f"/api/v1{path}", json=body, headers={**self._headers, **(headers or {})}
        )
        return self._read(answer, status)

    def _get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        return self._read(self.http.get(f"/api/v1{path}", params=query, headers=self._headers), 200)

    def _read(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        self._expect(
            answer.status_code == status,
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}",
        )
        body: dict[str, Any] = answer.json()
        return body

    @staticmethod
    def _expect(holds: bool, what: str) -> None:
        if not holds:
            raise WrongTurn(what)


def development_mailbox(http: httpx.Client) -> ReadMail:
    """Read the mailbox of development over HTTP."""

    def read() -> list[Mail]:
        return [
            Mail(item["to"], item["subject"], item["text"], item["attachments"])
            for item in http.get("/dev/mailbox.json").raise_for_status().json()["items"]
        ]

    return read


def main() -> int:
    """Walk the road once and print each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    url = parser.parse_args().url
    numbers = itertools.count(1)
    with httpx.Client(base_url=url, timeout=10) as http:
        journey = Journey(
            http,
            development_mailbox(http),
            lambda step: print(f"{next(numbers):2d}  {step}"),  # noqa: T201 - a command speaks
        )
        try:
            journey.walk()
        except (WrongTurn, httpx.HTTPError) as problem:
            sys.stderr.write(f"Stopped: {problem}\n")
            return 1
    print("The whole road works.")  # noqa: T201 - a command speaks
    return 0


if __name__ == "__main__":
    sys.exit(main())
