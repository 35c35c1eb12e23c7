"""Encryption of what is needed again and the database must not show: codes of mails, keys of second factors."""

import base64
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(secret: dict[str, str], secret_key: str) -> bytes:
    """Encrypt ``secret`` for its stay in the outbox."""
    return _fernet(secret_key).encrypt(json.dumps(secret).encode())


def unseal(sealed: bytes, secret_keys: Sequence[str]) -> dict[str, str]:
    """Decrypt what :func:`seal` made with any of the keys.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed with another key, or changed.

    """
    secret: dict[str, str] = json.loads(
        MultiFernet([_fernet(key) for key in secret_keys]).decrypt(sealed)
    )
    return secret


def reseal(sealed: bytes, secret_keys: Sequence[str]) -> bytes:
    """Encrypt what :func:`seal` made anew, with the first of the keys.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed with none of them, or changed.

    """
    return MultiFernet([_fernet(key) for key in secret_keys]).rotate(sealed)


def _fernet(secret_key: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"outbox mail").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
