"""Text as search compares it: without case, accents or punctuation."""

import unicodedata

# Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN = str.maketrans(
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
_NAME_EQUAL, _NAME_STARTS, _NAME_HOLDS, _ELSEWHERE = range(4)


def fold(text: str) -> str:
    """Write text as words of plain letters and digits: ``Trompeterstraße 5`` is ``trompeterstrasse 5``."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    signs = (
        # Marks that are vowels of their own, as in Indian scripts, stay; accents do not.
        sign if unicodedata.category(sign)[0] in "LMN" else " "
        for sign in decomposed.translate(_PLAIN)
        if not unicodedata.combining(sign)
    )
    return " ".join("".join(signs).split())


def rank_match(query: str, name: str) -> int:
    """Tell how well a name answers a folded query that its lot is known to match; 0 is best."""
    folded = fold(name)
    if folded == query:
        return _NAME_EQUAL
    if folded.startswith(query):
        return _NAME_STARTS
    if all(word in folded for word in query.split()):
        return _NAME_HOLDS
    return _ELSEWHERE
