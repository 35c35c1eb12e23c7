"""How often a client may try to sign up and in.

Generous to a whole office behind one address. What a code itself allows is counted with it.
"""

from backend.errors import TooManyRequests
from backend.web import limits

_CODES_SENT = "30 per 15 minutes"
_CODES_SENT_OVERALL = "3000 per 15 minutes"
_CODES_TRIED = "60 per 15 minutes"
_CODES_TRIED_OVERALL = "6000 per 15 minutes"
_SECOND_FACTORS = "10 per 15 minutes"
_SECOND_FACTORS_OVERALL = "30 per 15 minutes"
_OF_CLIENT_ON_ACCOUNT = ("sign-in", "10 per 15 minutes")
_OF_CLIENT = ("sign-in-client", "300 per 15 minutes")
_ON_ACCOUNT = ("sign-in-account", "100 per 15 minutes")
# Used up by the first wrong try, and so the memory of who erred.
_FIRST_OF_CLIENT_ON_ACCOUNT = ("sign-in-first", "1 per 15 minutes")


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

    What others got wrong on an account slows only clients that erred on it too: whoever keeps trying
    from elsewhere must not keep its owner out.

    Raises:
        TooManyRequests: so it is.

    """
    account = email.lower()
    limits.test(*_OF_CLIENT_ON_ACCOUNT, account, client)
    limits.test(*_OF_CLIENT, client)
    try:
        limits.test(*_FIRST_OF_CLIENT_ON_ACCOUNT, account, client)
    except TooManyRequests:
        limits.test(*_ON_ACCOUNT, account)


def count_wrong_sign_in(email: str, client: str) -> None:
    """Count a wrong sign-in.

    Raises:
        TooManyRequests: it is one too many, however many came at the same moment.

    """
    account = email.lower()
    is_first = _hit(_FIRST_OF_CLIENT_ON_ACCOUNT, account, client) is None
    refusals = [
        _hit(_OF_CLIENT_ON_ACCOUNT, account, client),
        _hit(_OF_CLIENT, client),
    ]
    of_account = _hit(_ON_ACCOUNT, account)
    if not is_first:
        refusals.append(of_account)
    for refusal in refusals:
        if refusal is not None:
            raise refusal


def count_second_factor(email: str, client: str) -> None:
    """Count a sign-in that is asked for its second factor, each of which allows a few tries.

    Raises:
        TooManyRequests: the client, or all of them together, asked too often for this account.

    """
    account = email.lower()
    limits.hit("second-factor", _SECOND_FACTORS, account, client)
    limits.hit("second-factor-account", _SECOND_FACTORS_OVERALL, account)


def _hit(limit: tuple[str, str], *parts: str) -> TooManyRequests | None:
    try:
        limits.hit(*limit, *parts)
    except TooManyRequests as refusal:
        return refusal
    return None
