"""Passwords: which are refused, and their hashes by bcrypt."""

import os
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import flask_security

from backend.errors import ServiceUnavailable

MIN_LENGTH = 8
MAX_LENGTH = 128

# bcrypt fills a core: more at a time than cores would only slow every other request down.
_turns = threading.BoundedSemaphore(os.cpu_count() or 1)
_PATIENCE_SECONDS = 4


def find_weakness(password: str, *, name: str, email: str) -> str | None:
    """Say why a password is refused, in a sentence; None when it may be used."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"Use {MIN_LENGTH} to {MAX_LENGTH} characters."
    folded = _fold(password)
    local_part = email.partition("@")[0]
    if folded in {_fold(name), _fold(email), _fold(local_part)}:
        return "Use something else than your name or address."
    if folded in _common_passwords():
        return "This password is among the first that anybody would try."
    return None


def hash_password(password: str) -> str:
    """Hash a password; slow on purpose, so never inside a transaction.

    Raises:
        ServiceUnavailable: too many others wait for their turn.

    """
    with _turn():
        return str(flask_security.hash_password(_normalise(password)))


def verify_password(password: str, password_hash: str | None, *, rounds: int) -> bool:
    """Tell whether the password has this hash; without one, take the same time and say no.

    Raises:
        ServiceUnavailable: too many others wait for their turn.

    """
    stand_in = unmatched_hash(rounds)
    with _turn():
        matches = bool(
            flask_security.verify_password(_normalise(password), password_hash or stand_in)
        )
    return matches and password_hash is not None


def unmatched_hash(rounds: int) -> str:
    """Give a sound bcrypt hash of this cost, which no password is known to have."""
    return f"$2b${rounds:02d}${'.' * 53}"


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_PATIENCE_SECONDS):
        raise ServiceUnavailable("Too many people are signing in; please try again.", retry_after=2)
    try:
        yield
    finally:
        _turns.release()


def _normalise(password: str) -> str:
    # Keyboards differ in how they write one and the same character.
    return unicodedata.normalize("NFKC", password)


def _fold(text: str) -> str:
    return _normalise(text).strip().casefold()


@cache
def _common_passwords() -> frozenset[str]:
    """Read the passwords of at least eight characters among the 20,000 that leaks show most.

    They are those of Royce Williams' list, as Django ships it, with a few of our own.
    """
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(path.read_text(encoding="utf-8").split())
