"""The refresh token as a cookie of the browser, which no script can read."""

from urllib.parse import urlsplit

from flask import Response, after_this_request, request

from backend.config import settings
from backend.errors import Forbidden

_NAME = "refresh_token"
_PATH = "/api/v1/auth"


def is_wanted() -> bool:
    """Tell whether the client keeps its refresh token in the cookie; only our own pages may.

    Raises:
        Forbidden: the page is of another origin.

    """
    if request.headers.get("X-Refresh") != "cookie":
        return False
    url = urlsplit(settings().public_url)
    if request.headers.get("Origin") not in {None, f"{url.scheme}://{url.netloc}"}:
        raise Forbidden("The refresh cookie is for pages of this site only.")
    return True


def read() -> str | None:
    """Give the token in the cookie."""
    return request.cookies.get(_NAME)


def write(token: str) -> None:
    """Let the answer set the cookie."""
    current = settings()

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(
            _NAME,
            token,
            max_age=current.refresh_token_days * 24 * 60 * 60,
            path=_PATH,
            secure=current.public_url.startswith("https://"),
            httponly=True,
            samesite="Strict",
        )
        return response


def forget() -> None:
    """Let the answer, also one that refuses, take the cookie away."""
    secure = settings().public_url.startswith("https://")

    @after_this_request
    def _delete_cookie(response: Response) -> Response:
        response.delete_cookie(_NAME, path=_PATH, secure=secure, httponly=True, samesite="Strict")
        return response
