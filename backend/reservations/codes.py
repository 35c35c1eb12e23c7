"""Codes that people read out at a gate: ``VV-8F3K-29QX``."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread or make words."""


def new_code() -> str:
    """Make a code of 40 random bits."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"VV-{letters[:4]}-{letters[4:]}"
