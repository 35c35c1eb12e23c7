"""A driver at the counter: books, pays and asks, through the API alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.models import Lot, User, Vehicle
from tests.factories import tomorrow_at

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
CHALLENGED = "4000002500003155"
TIMES_OUT = "4000000000000341"


def window(first: int = 9, last: int = 11) -> dict[str, str]:
    """Give a window of tomorrow, by its hours in UTC."""
    return between(tomorrow_at(first), tomorrow_at(last))


def between(starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """Give a window as it travels."""
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


@dataclass(frozen=True, slots=True)
class Desk:
    """One driver with one vehicle."""

    client: FlaskClient
    user: User
    headers: dict[str, str]
    vehicle: Vehicle

    def ask(self, lot: Lot, **wishes: Any) -> TestResponse:
        """Ask for a price, of two hours of tomorrow unless told otherwise."""
        return self.client.post(
            "/api/v1/quotes", json={"lot_id": lot.id, **window(), **wishes}, headers=self.headers
        )

    def quote(self, lot: Lot, **wishes: Any) -> dict[str, Any]:
        """Get a price."""
        answer = self.ask(lot, **wishes)
        assert answer.status_code == 201, answer.text
        return _body(answer)

    def book(self, *, key: str | None = None, **body: Any) -> TestResponse:
        """Try to book, with the vehicle at hand unless told otherwise."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(
            "/api/v1/reservations", json={"vehicle_id": self.vehicle.id, **body}, headers=headers
        )

    def book_window(self, lot: Lot, **wishes: Any) -> TestResponse:
        """Try to book two hours of tomorrow, unless told otherwise."""
        return self.book(**{"lot_id": lot.id, **window(), **wishes})

    def hold(self, lot: Lot, **wishes: Any) -> dict[str, Any]:
        """Hold a bay."""
        answer = self.book_window(lot, **wishes)
        assert answer.status_code == 201, answer.text
        return _body(answer)

    def pay(
        self, reservation: dict[str, Any], card: str = GOOD, *, key: str | None = None, **body: Any
    ) -> TestResponse:
        """Try to pay."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(
            f"/api/v1/reservations/{reservation['id']}/payments",
            json={"method": "sandbox", "card_number": card, **body},
            headers=headers,
        )

    def charge(self, reservation: dict[str, Any], card: str = GOOD) -> dict[str, Any]:
        """Pay, whatever becomes of it."""
        answer = self.pay(reservation, card)
        assert answer.status_code == 201, answer.text
        return _body(answer)

    def confirm(
        self, payment: dict[str, Any], code: str = "123456", **headers: str
    ) -> TestResponse:
        """Answer the bank's challenge."""
        return self.client.post(
            f"/api/v1/payments/{payment['id']}/confirm",
            json={"code": code},
            headers=self.headers | headers,
        )

    def buy(self, lot: Lot, **wishes: Any) -> dict[str, Any]:
        """Hold a bay and pay for it; give the payment."""
        payment = self.charge(self.hold(lot, **wishes))
        assert payment["status"] == "succeeded"
        return payment

    def own(self, lot: Lot, **wishes: Any) -> dict[str, Any]:
        """Hold a bay and pay for it; give the booking."""
        return self.look({"id": self.buy(lot, **wishes)["reservation_id"]})

    def cancel(self, reservation: dict[str, Any], **body: Any) -> TestResponse:
        """Try to let a booking go."""
        return self.act(reservation, "cancel", **body)

    def prolong(self, reservation: dict[str, Any]) -> TestResponse:
        """Ask for more time to pay."""
        return self.act(reservation, "prolong")

    def look(self, reservation: dict[str, Any]) -> dict[str, Any]:
        """Read a reservation again."""
        return self.get(f"/reservations/{reservation['id']}")

    def get(self, path: str) -> dict[str, Any]:
        """Read what stands at a path."""
        answer = self.try_get(path)
        assert answer.status_code == 200, answer.text
        return _body(answer)

    def try_get(self, path: str, **headers: str) -> TestResponse:
        """Try to read what stands at a path."""
        return self.client.get(f"/api/v1{path}", headers=self.headers | headers)

    def act(
        self, reservation: dict[str, Any], verb: str, *, key: str | None = None, **body: Any
    ) -> TestResponse:
        """Try to do something with a booking."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(
            f"/api/v1/reservations/{reservation['id']}/{verb}",
            json=body or None,
            headers=headers,
        )

    def done(self, reservation: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
        """Do something with a booking, and give it as it is then."""
        answer = self.act(reservation, verb, **body)
        assert answer.status_code == 200, answer.text
        return _body(answer)


def problem(answer: TestResponse) -> str:
    """Name what was refused."""
    kind: str = _body(answer)["type"]
    return f"{answer.status_code} {kind.removeprefix('/problems/')}"


def _body(answer: TestResponse) -> dict[str, Any]:
    body: dict[str, Any] = answer.json
    return body
