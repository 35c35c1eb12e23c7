"""How often a client may try to sign up and in.

Generous to a whole office behind one address. What a code itself allows is counted with it.
"""

from backend.errors import TooManyRequests
from backend.web import limits

_CODES_SENT = "30 per 15 minutes"
_CODES_SENT_OVERALL = "3000 per 15 minutes"
_CODES_TRIED = "60 per 15 minutes"
_CODES_TRIED_OVERALL = "6000 per 15 minutes"


def count_code_sent(client: str) -> None:
    """Count a request for a code.

    Raises:
        TooManyRequests: the client, or all of them together, asked too often.

    """
    limits.hit("codes-sent", _CODES_SENT, client)
    limits.hit("codes-sent-overall", _CODES_SENT_OVERALL)


def count_code_tried(client: str) -> None:
    """Count a try of a code.

    Raises:
        TooManyRequests: the client, or all of them together, tried too often.

    """
    limits.hit("codes-tried", _CODES_TRIED, client)
    limits.hit("codes-tried-overall", _CODES_TRIED_OVERALL)


def check_sign_in(email: str, client: str) -> None:
    """Refuse a sign-in before it costs anything, when too many were wrong.

    Raises:
        TooManyRequests: so it is.

    """
    for name, limit, parts in _sign_in_limits(email, client):
        limits.test(name, limit, *parts)


def count_wrong_sign_in(email: str, client: str) -> None:
    """Count a wrong sign-in.

    Raises:
        TooManyRequests: it is one too many, however many came at the same moment.

    """
    refusal: TooManyRequests | None = None
    for name, limit, parts in _sign_in_limits(email, client):
        try:
            limits.hit(name, limit, *parts)
        except TooManyRequests as error:
            refusal = refusal or error
    if refusal is not None:
        raise refusal


def _sign_in_limits(email: str, client: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    account = email.lower()
    return (
        ("sign-in", "10 per 15 minutes", (account, client)),
        ("sign-in-account", "100 per 15 minutes", (account,)),
        ("sign-in-client", "300 per 15 minutes", (client,)),
    )
