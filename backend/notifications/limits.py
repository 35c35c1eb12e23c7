"""How often a client may unsubscribe, which asks for no sign-in."""

from backend.web import limits

_UNSUBSCRIBED = "60 per 15 minutes"


def count_unsubscription(client: str) -> None:
    """Count a wish for no more mail of a kind.

    Raises:
        TooManyRequests: the client wished too often.

    """
    limits.hit("unsubscribed", _UNSUBSCRIBED, client)
