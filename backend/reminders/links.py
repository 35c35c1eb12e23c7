"""One-tap links of reminders: each can do one thing to one booking, for whoever holds it, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

from backend.config import settings
from backend.models import Reservation
from backend.signed_links import read_signed, sign

Action: TypeAlias = Literal["extend", "cancel", "directions"]
ACTIONS: tuple[Action, ...] = get_args(Action)

LONGER_BY = timedelta(minutes=30)
"""By so much the link that extends does so."""

_PURPOSE = b"links of reminders"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBERS = ("rsv", "usr", "from", "until")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link may do, to which booking of whom, as long as that has this window."""

    action: Action
    reservation_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime

    @property
    def longer_until(self) -> datetime:
        """The end that the link which extends gives to the booking, and no other."""
        return self.ends_at + LONGER_BY


def link(action: Action, reservation: Reservation) -> str:
    """Write the address at which a booking can be extended or cancelled, or its place found, by one tap.

    What follows the ``#`` no browser tells a server, or the page that it opens next.
    """
    token = sign(
        _PURPOSE,
        {
            "act": action,
            "rsv": reservation.id,
            "usr": reservation.user_id,
            "from": _number(reservation.starts_at),
            "until": _number(reservation.ends_at),
        },
    )
    return f"{settings().public_url}/act#token={token}"


def read_link(token: str) -> Link | None:
    """Read the token of a link; None unless we signed it. Whether it still counts, its booking says."""
    said = read_signed(_PURPOSE, token, ("act", *_NUMBERS))
    if said is None:
        return None
    try:
        reservation_id, user_id, starts, ends = (int(said[name]) for name in _NUMBERS)
        return Link(
            action=ACTIONS[ACTIONS.index(said["act"])],
            reservation_id=reservation_id,
            user_id=user_id,
            starts_at=_moment(starts),
            ends_at=_moment(ends),
        )
    except (ValueError, TypeError, OverflowError):
        return None


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
