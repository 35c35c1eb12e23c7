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
from backend.config import Settings, settings
from backend.extensions import db
from backend.identity import Caller

_ALGORITHM = "HS256"
_AUDIENCE = "vehicle-vault"
_CLAIMS = ["iss", "aud", "sub", "sid", "epoch", "iat", "exp", "jti"]
_LONGEST_TOKEN = 2048
_REFRESH_TOKEN = re.compile(r"([1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{64})")

# Every request with a token asks this, so it is made once and asked of the connection itself.
_CALLER = text(
    """
    SELECT u.email, u.name, u.timezone, u.locale, role.name
    FROM sign_in_sessions AS s
    JOIN users AS u ON u.id = s.user_id
    LEFT JOIN users_roles AS ur ON ur.user_id = u.id
    LEFT JOIN roles AS role ON role.id = ur.role_id
    WHERE s.id = :session_id AND s.user_id = :user_id AND s.epoch = :epoch AND s.ended_at IS NULL
      AND u.epoch = :epoch AND u.active
    ORDER BY role.id
    """
)


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
        _access_key(current),
        algorithm=_ALGORITHM,
    )
    mac = _refresh_mac(facts, facts.generation)
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
    return hmac.compare_digest(claim.mac, _refresh_mac(facts, claim.generation))


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
    email, name, timezone, locale, _ = rows[0]
    return Caller(
        id=user_id,
        session_id=session_id,
        email=email,
        name=name,
        roles=tuple(row[4] for row in rows if row[4] is not None),
        timezone=timezone,
        locale=locale,
    )


def _read_access_token(token: str) -> tuple[int, int, int] | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    current = settings()
    claims = _verified(token, current.jwt_secret, current.public_url)
    if claims is None or claims["exp"] <= now().timestamp():
        return None
    return int(claims["sid"]), int(claims["sub"]), int(claims["epoch"])


@lru_cache(maxsize=4096)
def _verified(token: str, secret: str, issuer: str) -> dict[str, Any] | None:
    """Check who wrote a token, which never changes; whether it still counts, the caller asks each time."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            hmac.digest(secret.encode(), b"access tokens", hashlib.sha256),
            algorithms=[_ALGORITHM],
            issuer=issuer,
            audience=_AUDIENCE,
            # The clock of this system may be moved, which PyJWT does not know.
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError):
        return None
    return claims


def _access_key(current: Settings) -> bytes:
    return hmac.digest(current.jwt_secret.encode(), b"access tokens", hashlib.sha256)


def _refresh_mac(facts: SignInFacts, generation: int) -> str:
    # With the user and the moment of sign-in, so that an id used again after a restore opens nothing.
    text = f"{facts.session_id}:{facts.user_id}:{facts.created_at.timestamp():.6f}:{generation}"
    key = hmac.digest(settings().jwt_secret.encode(), b"refresh tokens", hashlib.sha256)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
