"""The ticket that a gate reads: signed, so that it can be checked offline by the public key alone."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.config import settings
from backend.errors import IllegalTransition
from backend.identity import Caller
from backend.reservations.reading import get_reservation, read_moment, represent

_ALGORITHM = "EdDSA"
_OPENS_BEFORE = timedelta(minutes=15)
# Who stays for days comes by a train or a flight, and not to the minute.
_OPENS_BEFORE_LONG = timedelta(hours=2)
_LONG_STAY = timedelta(hours=24)
_GRACE = timedelta(minutes=10)
_ADMITTED = ("confirmed", "checked_in", "overstayed")
_KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """What a ticket's QR code holds, and what of it people read."""

    reservation_id: int
    code: str
    payload: str
    valid_from: datetime
    valid_until: datetime


def issue_ticket(reader: Caller, reservation_id: int) -> SignedTicket:
    """Give the ticket of a reservation of the reader's own; admins get all. It is the same each time.

    It says what a gate needs to decide by itself, and is short, since it becomes a QR code. An entrance
    looks at its times; at the exit the code counts, whatever the time, since a car that is in must be
    able to leave.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it is not paid yet, or over.

    """
    facts = get_reservation(reader, reservation_id)
    status = represent(facts)["status"]
    if status not in _ADMITTED:
        raise IllegalTransition(
            "There is a ticket once the booking is paid, and until it is over.", status_now=status
        )
    starts_at, ends_at = read_moment(facts.starts_at), read_moment(facts.ends_at)
    is_long = ends_at - starts_at > _LONG_STAY
    # The times in the ticket are whole seconds, and so are those beside it.
    not_before = int((starts_at - (_OPENS_BEFORE_LONG if is_long else _OPENS_BEFORE)).timestamp())
    expires = int((ends_at + _GRACE).timestamp())
    key = _signing_key(settings().ticket_seeds[0])
    payload = jwt.encode(
        {
            "sub": facts.code,
            "lot": facts.lot_id,
            "plate": facts.plate,
            "nbf": not_before,
            "exp": expires,
        },
        key,
        algorithm=_ALGORITHM,
        headers={"kid": _key_id(key), "typ": None},
    )
    return SignedTicket(
        reservation_id=facts.id,
        code=facts.code,
        payload=payload,
        valid_from=datetime.fromtimestamp(not_before, UTC),
        valid_until=datetime.fromtimestamp(expires, UTC),
    )


def public_keys() -> list[dict[str, str]]:
    """Give the keys, as JWKs, by one of which each ticket is checked: the present one, and the one before."""
    return [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _public_part(key),
            "kid": _key_id(key),
            "use": "sig",
            "alg": _ALGORITHM,
        }
        for key in map(_signing_key, settings().ticket_seeds)
    ]


@lru_cache(maxsize=4)
def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public_part(key: Ed25519PrivateKey) -> str:
    return _base64url(key.public_key().public_bytes_raw())


def _key_id(key: Ed25519PrivateKey) -> str:
    """Name a key by the beginning of its thumbprint (RFC 7638)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _public_part(key)}
    written = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(written.encode()).digest()[:_KEY_ID_BYTES])


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
