"""How often a client may ask for a price, which anybody may and which is kept for a while."""

from backend.web import limits

_QUOTES = "120 per minute"


def count_quote(client: str) -> None:
    """Count a request for a price.

    Raises:
        TooManyRequests: the client asked too often.

    """
    limits.hit("quotes", _QUOTES, client)
