"""Encryption of what a mail must carry and the database must not show."""

import base64
import json

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(secret: dict[str, str], secret_key: str) -> bytes:
    """Encrypt ``secret`` for its stay in the outbox."""
    return _fernet(secret_key).encrypt(json.dumps(secret).encode())


def unseal(sealed: bytes, secret_key: str) -> dict[str, str]:
    """Decrypt what :func:`seal` made.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed with another key, or changed.

    """
    secret: dict[str, str] = json.loads(_fernet(secret_key).decrypt(sealed))
    return secret


def _fernet(secret_key: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"outbox mail").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))
