"""Text as search compares it: without case, accents or punctuation."""

import unicodedata

# Letters that Unicode does not take apart into a plain one and a mark.
PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)
"""What becomes of them."""


def fold(text: str) -> str:
    """Write text as words of plain letters and digits: ``Trompeterstraße 5`` is ``trompeterstrasse 5``."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    signs = (
        # Marks that are vowels of their own, as in Indian scripts, stay; accents do not.
        sign if unicodedata.category(sign)[0] in "LMN" else " "
        for sign in decomposed.translate(PLAIN)
        if not unicodedata.combining(sign)
    )
    return " ".join("".join(signs).split())
