"""Tokens as Flask-Security's way to sign a request in: the Authorization header and nothing else."""

from flask import Flask, Request
from flask_security.utils import set_request_attr

from backend.auth.tokens import load_caller
from backend.identity import Caller
from backend.web.caller import authenticate_with


def install_token_login(app: Flask) -> None:
    """Make tokens the only way in; call it after ``security.init_app``."""
    authenticate_with(app, _load_from_header)
    # Without this a session cookie would be a second way in.
    app.extensions["security"].login_manager.user_loader(_refuse_session_cookie)


def _load_from_header(request: Request) -> Caller | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    caller = load_caller(token.strip())
    if caller is not None:
        set_request_attr("fs_authn_via", "token")
        set_request_attr("fs_paa", 0)
    return caller


def _refuse_session_cookie(_user_id: str) -> None:
    return None
