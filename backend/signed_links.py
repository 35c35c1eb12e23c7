"""Tokens of links that need no sign-in: what one says we wrote, for one purpose, and nobody altered it."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import jwt

from backend.config import settings

LONGEST_TOKEN = 1024

_ALGORITHM = "HS256"


def sign(purpose: bytes, said: dict[str, Any]) -> str:
    """Write a token that only a reader of the same purpose takes."""
    return jwt.encode(said, _key(settings().secret_key, purpose), algorithm=_ALGORITHM)


def read_signed(purpose: bytes, token: str, names: Sequence[str]) -> dict[str, Any] | None:
    """Read a token that says each of ``names``; None unless we wrote it for this purpose, by either key."""
    for secret in settings().secret_keys:
        try:
            said: dict[str, Any] = jwt.decode(
                token,
                _key(secret, purpose),
                algorithms=[_ALGORITHM],
                options={"require": [*names], "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            continue
        return said
    return None


def _key(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, hashlib.sha256)
