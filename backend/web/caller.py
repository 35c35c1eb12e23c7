"""Who is asking: set by the guard of an operation, read by its method."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, NoReturn

from flask import Flask, Request, current_app, g, request
from flask_security import auth_required, roles_accepted

from backend.clock import now
from backend.errors import Forbidden, FreshSignInRequired, SecondFactorRequired, Unauthenticated
from backend.identity import Caller

FRESH = timedelta(minutes=10)
"""For so long a proof of who one is lets sensitive acts through."""


def caller() -> Caller:
    """Give the caller.

    Raises:
        Unauthenticated: nobody is signed in.

    """
    found = find_caller()
    if found is None:
        raise Unauthenticated
    return found


def find_caller() -> Caller | None:
    """Give the caller, or None when a public operation is asked without a token."""
    found: Caller | None = g.get("caller")
    return found


def authenticate_with(app: Flask, load: Callable[[Request], Caller | None]) -> None:
    """Let ``load`` read the caller from the request, or None when it carries no valid token.

    It runs at most once a request, only for an operation that asks, and inside a transaction that is
    open already; it opens none. This stands in for ``login_manager.request_loader``.
    """
    login_manager = app.extensions["security"].login_manager

    @login_manager.request_loader  # type: ignore[untyped-decorator] # Flask-Security ships no types
    def _load_once(asked: Request) -> Caller | None:
        if "caller" not in g:
            _remember(load(asked))
        return find_caller()


def identify(roles: tuple[str, ...], *, public: bool, fresh: bool = False) -> None:
    """Find out who asks, and whether they may; the guard of every operation.

    A public operation asked with a token tells its caller all the same.

    Raises:
        Unauthenticated: there is no valid token.
        Forbidden: the caller has none of ``roles``; no roles means anybody signed in.
        SecondFactorRequired: the caller is an admin who has yet to set one up.
        FreshSignInRequired: it is ``fresh``, and the caller's proof of who they are is too old.

    """
    if public and not has_token():
        _remember(None)
        return
    _guard(roles)()
    if fresh:
        proven_at = caller().verified_at
        if proven_at is None or now() - proven_at > FRESH:
            raise FreshSignInRequired("Enter your password again to go on.")


@cache
def _guard(roles: tuple[str, ...]) -> Callable[[], None]:
    """Make Flask-Security's guard for these roles, once."""
    guard: Callable[[], None] = auth_required("token")(
        roles_accepted(*roles)(_pass) if roles else _pass
    )
    return guard


def has_token() -> bool:
    """Tell whether the request carries any kind of Authorization."""
    return "Authorization" in request.headers


def init_app(app: Flask) -> None:
    """Let Flask-Security refuse with our Problems, and only where an operation asks it."""
    security = app.extensions.get("security")
    if security is None:
        return
    security.unauthn_handler(_refuse_stranger)
    security.unauthz_handler(_refuse_role)
    # Flask-Principal would load the caller before every request, outside any transaction.
    security.principal.identity_loaders.clear()


def _pass() -> None:
    """Let the caller through: the guards call this when they are content."""


def _remember(found: Caller | None) -> None:
    g.caller = found
    # Flask-Login would ask the loader again for ``current_user``.
    current_app.extensions["security"].login_manager._update_request_context_with_user(found)  # noqa: SLF001 - it has no public name


def _refuse_stranger(_mechanisms: Any, headers: Any = None) -> NoReturn:  # noqa: ARG001 - Flask-Security's signature
    raise Unauthenticated("Send a valid access token in the Authorization header.")


def _refuse_role(_guard: Any, params: Any) -> NoReturn:
    found = find_caller()
    if found is not None and found.is_admin_in_waiting and "admin" in params:
        raise SecondFactorRequired("Set up an authenticator app in your profile first.")
    raise Forbidden(f"This is for {' and '.join(f'{role}s' for role in params)} only.")
