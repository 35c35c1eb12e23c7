"""What a payment gateway can do, and how it answers."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


class GatewayTimeout(Exception):  # noqa: N818 - it says what happened
    """The gateway did not answer in time: whether it charged is unknown until it is asked again."""


class GatewayRefusal(Exception):  # noqa: N818 - it says what happened
    """The gateway will not do this, now or later; the message tells why."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as typed by its holder; it is passed on and never stored."""

    number: str
    expiry: str | None
    cvc: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay that the gateway's own form took down; without an id its form asks for one."""

    id: str | None


Means = Card | PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be charged, and what for."""

    key: str
    """The gateway knows the charge by it: the same key charges once."""
    amount_minor: int
    currency: str
    code: str
    """The reservation's, for whoever looks into the gateway's books."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a charge."""

    reference: str
    status: Literal["pending", "requires_action", "succeeded", "failed"]
    failure: str | None = None
    amount_minor: int | None = None
    """What it took, where it says so."""
    client_secret: str | None = field(default=None, repr=False)
    """With it the driver's browser answers the bank; it is told to them and kept nowhere."""


class Gateway(Protocol):
    """A gateway. No method is called inside a write transaction, and each may be called twice."""

    def open(self, order: Order) -> str | None:
        """Announce a charge, and give the reference by which it is found again.

        No money moves yet. None: the gateway finds it by our key. Raises GatewayTimeout, GatewayRefusal.
        """

    def charge(self, order: Order, *, reference: str | None, means: Means) -> Outcome:
        """Charge; the same key charges once. Raises GatewayTimeout."""

    def confirm(self, reference: str, *, code: str | None) -> Outcome:
        """Answer the bank's challenge with the code that its holder typed, or learn that they did elsewhere.

        Raises GatewayTimeout.
        """

    def cancel(self, reference: str) -> Outcome:
        """Give up a charge that waits for its challenge. Raises GatewayTimeout."""

    def find(self, *, key: str, reference: str | None) -> Outcome | None:
        """Tell what became of a charge; None when it never arrived. Raises GatewayTimeout."""

    def refund(self, reference: str, *, amount_minor: int, key: str) -> str | None:
        """Give money back, for the same key once; give its reference. Raises GatewayTimeout, GatewayRefusal."""
