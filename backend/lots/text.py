"""How well the name of a lot answers a search."""

from backend.folding import fold

_NAME_EQUAL, _NAME_STARTS, _NAME_HOLDS, _ELSEWHERE = range(4)


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
