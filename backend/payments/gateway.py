"""What a payment gateway can do, and how it answers."""

from dataclasses import dataclass
from typing import Literal, Protocol


class GatewayTimeout(Exception):  # noqa: N818 - it says what happened
    """The gateway did not answer in time: whether it charged is unknown until it is asked again."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as typed by its holder; it is passed on and never stored."""

    number: str
    expiry: str | None
    cvc: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a charge."""

    reference: str
    status: Literal["requires_action", "succeeded", "failed"]
    failure: str | None = None


class Gateway(Protocol):
    """A gateway. No method is called inside a transaction, and each may be called twice."""

    def charge(self, *, amount_minor: int, currency: str, key: str, card: Card) -> Outcome:
        """Charge a card; the same key charges once. Raises GatewayTimeout."""

    def confirm(self, reference: str, *, code: str) -> Outcome:
        """Answer the bank's challenge with the code that its holder typed. Raises GatewayTimeout."""

    def cancel(self, reference: str) -> Outcome:
        """Give up a charge that waits for its challenge. Raises GatewayTimeout."""

    def find(self, *, key: str) -> Outcome | None:
        """Tell what became of the charge of this key; None when it never arrived. Raises GatewayTimeout."""

    def refund(self, reference: str, *, amount_minor: int) -> None:
        """Give money back; the same sum for one reference is given once. Raises GatewayTimeout."""
