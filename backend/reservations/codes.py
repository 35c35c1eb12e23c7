"""Codes that people read out at a gate: ``VV-8F3K-29QX``."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread or make words."""

_LETTERS = 8


def read_code(written: str) -> str:
    """Read a code however it is written: in any case, with or without dashes, spaces or the VV."""
    letters = written.upper().replace("-", "").replace(" ", "")
    letters = letters if len(letters) == _LETTERS else letters.removeprefix("VV")
    # Read aloud or off a screen, these stand for what the alphabet has in their place.
    letters = letters.translate(str.maketrans("ILO", "110"))
    return f"VV-{letters[:4]}-{letters[4:]}"


def new_code() -> str:
    """Make a code of 40 random bits."""
    # Five of each byte's bits: the alphabet has 32 letters.
    letters = "".join(ALPHABET[byte & 31] for byte in secrets.token_bytes(_LETTERS))
    return f"VV-{letters[:4]}-{letters[4:]}"
