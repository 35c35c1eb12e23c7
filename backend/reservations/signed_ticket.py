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
from backend.database import get_row
from backend.errors import IllegalTransition
from backend.identity import Caller
from backend.models import Lot
from backend.reservations.reading import get_reservation, read_moment, represent

_ALGORITHM = "EdDSA"
# Who stays for days comes by a train or a flight, and not to the minute.
_LONG_STAY = timedelta(hours=24)
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


@dataclass(frozen=True, slots=True)
class ReadTicket:
    """Of which booking a ticket is, and for which lot."""

    code: str
    lot_id: int


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
    lot = get_row(Lot, facts.lot_id)
    is_long = ends_at - starts_at > _LONG_STAY
    opens_before = timedelta(minutes=lot.entry_minutes_long if is_long else lot.entry_minutes)
    # The times in the ticket are whole seconds, and so are those beside it.
    not_before = int((starts_at - opens_before).timestamp())
    expires = int((ends_at + timedelta(minutes=lot.grace_minutes)).timestamp())
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


def read_ticket(payload: str) -> ReadTicket | None:
    """Read what a ticket's QR code holds; None unless we signed it.

    Its times are for gates without a line to us: here the booking itself knows better, which may have been
    extended since.
    """
    try:
        # Only which key it names; by that key it is checked next.
        # nosemgrep: token-unverified
        key_id = jwt.get_unverified_header(payload)["kid"]
        keys = {_key_id(key): key for key in map(_signing_key, settings().ticket_seeds)}
        said = jwt.decode(
            payload,
            keys[key_id].public_key(),
            algorithms=[_ALGORITHM],
            options={
                "require": ["sub", "lot"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
    if not isinstance(said["sub"], str) or not isinstance(said["lot"], int):
        return None
    return ReadTicket(said["sub"], said["lot"])


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
