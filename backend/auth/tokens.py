"""Access and refresh tokens: how they are written, and who a token speaks for."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from sqlalchemy import text

from backend.clock import now
from backend.config import settings
from backend.extensions import db
from backend.identity import Caller
from backend.models import UtcDateTime

_ALGORITHM = "HS256"
_AUDIENCE = "vehicle-vault"
_CLAIMS = ["iss", "aud", "sub", "sid", "epoch", "iat", "exp", "jti"]
_NUMBERS = ("sub", "sid", "epoch", "iat", "exp")
_LONGEST_TOKEN = 2048
# In seconds: by so much the clock of one machine may be ahead of another's.
_CLOCKS_APART = 60
_REFRESH_TOKEN = re.compile(r"([1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{64})")

# Every request with a token asks this, so it is made once and asked of the connection itself.
_CALLER = text(
    """
    SELECT u.email, u.name, u.timezone, u.locale, s.verified_at, u.totp_since, u.accessible_permit,
      role.name
    FROM sign_in_sessions AS s
    JOIN users AS u ON u.id = s.user_id
    LEFT JOIN users_roles AS ur ON ur.user_id = u.id
    LEFT JOIN roles AS role ON role.id = ur.role_id
    WHERE s.id = :session_id AND s.user_id = :user_id AND s.epoch = :epoch AND s.ended_at IS NULL
      AND u.epoch = :epoch AND u.active
    ORDER BY role.id
    """
).columns(verified_at=UtcDateTime)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in or a refresh hands out."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What the tokens of a sign-in are made from; the same facts always give the same tokens.

    So nothing secret is stored, and an answer that was lost on its way can be given again.
    """

    session_id: int
    user_id: int
    epoch: int
    generation: int
    created_at: datetime
    refreshed_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """A refresh token taken apart; whether it is ours, only :func:`is_authentic` says."""

    session_id: int
    generation: int
    mac: str


def write_tokens(facts: SignInFacts) -> TokenPair:
    """Write the tokens of one generation of a sign-in."""
    current = settings()
    lifetime = timedelta(minutes=current.access_token_minutes)
    access_token = jwt.encode(
        {
            "iss": current.public_url,
            "aud": _AUDIENCE,
            "sub": str(facts.user_id),
            "sid": facts.session_id,
            "epoch": facts.epoch,
            "iat": int(facts.refreshed_at.timestamp()),
            "exp": int((facts.refreshed_at + lifetime).timestamp()),
            "jti": f"{facts.session_id}.{facts.generation}",
        },
        _access_key(current.jwt_secret),
        algorithm=_ALGORITHM,
    )
    mac = _refresh_mac(facts, facts.generation, current.jwt_secret)
    return TokenPair(
        access_token=access_token,
        refresh_token=f"{facts.session_id}.{facts.generation}.{mac}",
        expires_in=int(lifetime.total_seconds()),
    )


def read_refresh_token(token: str) -> RefreshClaim | None:
    """Take a refresh token apart; None when it cannot be one."""
    match = _REFRESH_TOKEN.fullmatch(token)
    return RefreshClaim(int(match[1]), int(match[2]), match[3]) if match else None


def is_authentic(claim: RefreshClaim, facts: SignInFacts) -> bool:
    """Tell whether a refresh token was written by us for this very sign-in."""
    return any(
        hmac.compare_digest(claim.mac, _refresh_mac(facts, claim.generation, secret))
        for secret in settings().jwt_secrets
    )


def load_caller(token: str) -> Caller | None:
    """Say whom an access token speaks for right now; None when it is not valid, or not any more.

    The rights come from the database by one query over primary keys, never from the token or a cache.
    """
    claims = _read_access_token(token)
    if claims is None:
        return None
    session_id, user_id, epoch = claims
    rows = (
        db.session.connection()
        .execute(_CALLER, {"session_id": session_id, "user_id": user_id, "epoch": epoch})
        .all()
    )
    if not rows:
        return None
    email, name, timezone, locale, verified_at, totp_since, permit, _ = rows[0]
    roles = [row[7] for row in rows if row[7] is not None]
    waits = "admin" in roles and totp_since is None and settings().admins_need_second_factor
    if waits:
        roles.remove("admin")
    return Caller(
        id=user_id,
        session_id=session_id,
        email=email,
        name=name,
        roles=tuple(roles),
        timezone=timezone,
        locale=locale,
        verified_at=verified_at,
        has_second_factor=totp_since is not None,
        is_admin_in_waiting=waits,
        has_permit=bool(permit),
    )


def _read_access_token(token: str) -> tuple[int, int, int] | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    current = settings()
    claims = None
    for secret in current.jwt_secrets:
        claims = claims or _verified(token, secret, current.public_url)
    moment = now().timestamp()
    if claims is None or not claims["iat"] - _CLOCKS_APART <= moment < claims["exp"]:
        return None
    return claims["sid"], claims["sub"], claims["epoch"]


@lru_cache(maxsize=4096)
def _verified(token: str, secret: str, issuer: str) -> dict[str, int] | None:
    """Check who wrote a token, which never changes; whether it still counts, the caller asks each time."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _access_key(secret),
            algorithms=[_ALGORITHM],
            issuer=issuer,
            audience=_AUDIENCE,
            # The clock of this system may be moved, which PyJWT does not know.
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
        )
        return {name: int(claims[name]) for name in _NUMBERS}
    except (jwt.InvalidTokenError, ValueError, TypeError):
        return None


def _access_key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"access tokens", hashlib.sha256)


def _refresh_mac(facts: SignInFacts, generation: int, secret: str) -> str:
    # With the user and the moment of sign-in, so that an id used again after a restore opens nothing.
    text = f"{facts.session_id}:{facts.user_id}:{facts.created_at.timestamp():.6f}:{generation}"
    key = hmac.digest(secret.encode(), b"refresh tokens", hashlib.sha256)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
