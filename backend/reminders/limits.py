"""How often a client may show the links of reminders, which ask for no sign-in."""

from backend.web import limits

_LOOKS = "120 per 15 minutes"
_ACTS = "30 per 15 minutes"


def count_look(client: str) -> None:
    """Count a look at what a link would do.

    Raises:
        TooManyRequests: the client looked too often.

    """
    limits.hit("links-looked", _LOOKS, client)


def count_act(client: str) -> None:
    """Count an act by a link.

    Raises:
        TooManyRequests: the client acted too often.

    """
    limits.hit("links-acted", _ACTS, client)
