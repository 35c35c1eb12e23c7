"""One-time codes and links: how they are made, and the only form in which they are kept."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

_DIGITS = 6
# Crockford's letters, of which none is taken for another.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_LOOKALIKES = str.maketrans("ilo", "110")
_RECOVERY_LENGTH = 10


def new_code() -> str:
    """Draw six decimal digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def new_link() -> str:
    """Draw what a link carries: too much to be guessed."""
    return secrets.token_urlsafe(32)


def new_recovery_code() -> str:
    """Draw a recovery code of 50 bits, as a person writes it down: ``7k3m9-x2p4q``."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH))
    half = _RECOVERY_LENGTH // 2
    return f"{letters[:half]}-{letters[half:]}"


def plain_recovery_code(typed: str) -> str:
    """Give the letters of a recovery code, however it was typed."""
    return "".join(typed.lower().translate(_LOOKALIKES).replace("-", " ").split())


def digest_code(secret_key: str, *, challenge: str, code: str) -> str:
    """Give the keyed hash of a code, which opens its own challenge and no other.

    A plain hash of six digits is undone by trying all million of them.
    """
    key = hmac.digest(secret_key.encode(), b"one-time codes", hashlib.sha256)
    return hmac.new(key, f"{challenge}:{code}".encode(), hashlib.sha256).hexdigest()


def is_code(secret_keys: Sequence[str], digest: str, *, challenge: str, code: str) -> bool:
    """Tell whether a digest is that of a code, made with any of the keys; the time tells nothing."""
    matches = [
        hmac.compare_digest(digest_code(key, challenge=challenge, code=code), digest)
        for key in secret_keys
    ]
    return any(matches)
