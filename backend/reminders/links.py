"""One-tap links of reminders: each can do one thing to one booking, for whoever holds it, and nothing else."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, get_args

import jwt

from backend.config import settings
from backend.models import Reservation

Action: TypeAlias = Literal["extend", "cancel", "directions"]
ACTIONS: tuple[Action, ...] = get_args(Action)

LONGER_BY = timedelta(minutes=30)
"""By so much the link that extends does so."""
LONGEST_TOKEN = 1024

_ALGORITHM = "HS256"
_SALT = b"links of reminders"
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
    current = settings()
    token = jwt.encode(
        {
            "act": action,
            "rsv": reservation.id,
            "usr": reservation.user_id,
            "from": _number(reservation.starts_at),
            "until": _number(reservation.ends_at),
        },
        _key(current.secret_key),
        algorithm=_ALGORITHM,
    )
    return f"{current.public_url}/act#token={token}"


def read_link(token: str) -> Link | None:
    """Read the token of a link; None unless we signed it. Whether it still counts, its booking says."""
    for secret in settings().secret_keys:
        said = _verified(token, secret)
        if said is not None:
            return said
    return None


def _verified(token: str, secret: str) -> Link | None:
    try:
        said: dict[str, Any] = jwt.decode(
            token,
            _key(secret),
            algorithms=[_ALGORITHM],
            options={"require": ["act", *_NUMBERS], "verify_iat": False},
        )
        reservation_id, user_id, starts, ends = (int(said[name]) for name in _NUMBERS)
        return Link(
            action=ACTIONS[ACTIONS.index(said["act"])],
            reservation_id=reservation_id,
            user_id=user_id,
            starts_at=_moment(starts),
            ends_at=_moment(ends),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
        return None


def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), _SALT, hashlib.sha256)


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
