"""One-time codes: how they are made, and the only form in which they are kept."""

import hashlib
import hmac
import secrets

_DIGITS = 6


def new_code() -> str:
    """Draw six decimal digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def digest_code(secret_key: str, *, challenge: str, code: str) -> str:
    """Give the keyed hash of a code, which opens its own challenge and no other.

    A plain hash of six digits is undone by trying all million of them.
    """
    key = hmac.digest(secret_key.encode(), b"one-time codes", hashlib.sha256)
    return hmac.new(key, f"{challenge}:{code}".encode(), hashlib.sha256).hexdigest()
