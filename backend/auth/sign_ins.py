"""Sign-ins as rows: begun, carried on by refresh tokens, ended."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from backend.audit.service import record
from backend.auth.tokens import (
    RefreshClaim,
    SignInFacts,
    TokenPair,
    is_authentic,
    read_refresh_token,
    write_tokens,
)
from backend.clock import now
from backend.config import settings
from backend.extensions import db
from backend.models import SignInSession, User
from backend.request_ids import asking

# Two tabs, or an answer lost on its way: the generation before is answered with the same pair.
GRACE = timedelta(seconds=10)
_LONGEST_USER_AGENT = 255


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in hands out: its tokens, and whose they are."""

    tokens: TokenPair
    user: User


def start_sign_in(user: User, *, user_agent: str) -> SignIn:
    """Begin a sign-in of a user whose roles are loaded."""
    moment = now()
    session = SignInSession(
        user_id=user.id,
        epoch=user.epoch,
        generation=0,
        user_agent=user_agent[:_LONGEST_USER_AGENT],
        client=asking().client,
        created_at=moment,
        verified_at=moment,
        refreshed_at=moment,
    )
    db.session.add(session)
    db.session.flush()  # gives session.id, which the tokens carry
    record("user.signed-in", "user", user.id, actor_id=user.id)
    facts = SignInFacts(session.id, user.id, user.epoch, 0, moment, moment)
    return SignIn(write_tokens(facts), user)


def exchange_refresh_token(token: str) -> tuple[int, TokenPair] | None:
    """Give the user and the next tokens for a refresh token; None when it is not valid.

    A token used before ends its sign-in, for either its owner or a thief holds a copy; so the
    transaction must be committed even when nothing is given.
    """
    claim = read_refresh_token(token)
    if claim is None:
        return None
    facts = _find_live_facts(claim.session_id)
    if facts is None or not is_authentic(claim, facts):
        return None
    if claim.generation == facts.generation:
        # Not what was read decides but this statement: of two at once, one moves on.
        moved = _advance(claim)
        if moved is not None:
            return facts.user_id, write_tokens(moved)
        facts = _find_live_facts(claim.session_id)
        if facts is None:
            return None
    if claim.generation == facts.generation - 1 and now() < facts.refreshed_at + GRACE:
        return facts.user_id, write_tokens(facts)
    end_sign_in(claim.session_id)
    return None


def end_sign_in(session_id: int) -> None:
    """End one sign-in; its tokens are dead from the next request on."""
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now())
    )


def end_all_sign_ins(user_id: int) -> None:
    """End every sign-in of a user."""
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.user_id == user_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now())
    )


def _find_live_facts(session_id: int) -> SignInFacts | None:
    idle_since = now() - timedelta(days=settings().refresh_token_days)
    row = db.session.execute(
        select(
            SignInSession.user_id,
            SignInSession.epoch,
            SignInSession.generation,
            SignInSession.created_at,
            SignInSession.refreshed_at,
        )
        .join(User, User.id == SignInSession.user_id)
        .where(
            SignInSession.id == session_id,
            SignInSession.ended_at.is_(None),
            SignInSession.refreshed_at > idle_since,
            SignInSession.epoch == User.epoch,
            User.active,
        )
    ).one_or_none()
    return None if row is None else _facts(session_id, row)


def _advance(claim: RefreshClaim) -> SignInFacts | None:
    row = db.session.execute(
        update(SignInSession)
        .where(
            SignInSession.id == claim.session_id,
            SignInSession.generation == claim.generation,
            SignInSession.ended_at.is_(None),
        )
        .values(generation=SignInSession.generation + 1, refreshed_at=now())
        .returning(
            SignInSession.user_id,
            SignInSession.epoch,
            SignInSession.generation,
            SignInSession.created_at,
            SignInSession.refreshed_at,
        )
    ).one_or_none()
    return None if row is None else _facts(claim.session_id, row)


def _facts(session_id: int, row: Any) -> SignInFacts:
    return SignInFacts(
        session_id, row.user_id, row.epoch, row.generation, row.created_at, row.refreshed_at
    )
