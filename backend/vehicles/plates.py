"""Number plates in their one spelling."""

import re
import unicodedata

_BETWEEN = re.compile(r"[\s\-‐‑‒–—.·]+")  # noqa: RUF001 - people write many kinds of dashes
MIN_LENGTH = 2
MAX_LENGTH = 12


def normalise_plate(text: str) -> str:
    """Write a plate as it is stored: capitals and digits, nothing between them.

    Raises:
        ValueError: it holds something else, or is too short or too long.

    """
    plate = _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).upper()
    if not MIN_LENGTH <= len(plate) <= MAX_LENGTH:
        raise ValueError(f"A plate has {MIN_LENGTH} to {MAX_LENGTH} letters and digits.")
    if not all(_is_letter_or_digit(character) for character in plate):
        raise ValueError("A plate has letters and digits only.")
    return plate


def _is_letter_or_digit(character: str) -> bool:
    return unicodedata.category(character) in {"Lu", "Lo", "Nd"}
