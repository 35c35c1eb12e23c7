"""What may be done to sign-ins: begin, carry on, end; and the first admin."""

from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import selectinload

from backend.addresses import is_address
from backend.auth.passwords import find_weakness, hash_password, verify_password
from backend.auth.sign_ins import (
    SignIn,
    end_all_sign_ins,
    end_sign_in,
    exchange_refresh_token,
    start_sign_in,
)
from backend.auth.sign_ups import ISSUE_WINDOW
from backend.clock import now
from backend.config import settings
from backend.errors import InvalidCredentials, InvalidInput, InvalidRefreshToken
from backend.extensions import db
from backend.identity import Caller
from backend.models import OtpAddress, OtpChallenge, OtpIssue, SignInSession, User
from backend.transaction import transaction
from backend.users.service import add_user, ensure_roles, find_user_for_update, give_role

_KEPT = timedelta(days=1)
_BATCH = 1000


def sign_in(*, email: str, password: str, user_agent: str) -> SignIn:
    """Begin a sign-in; an unknown address, a wrong password and a disabled user cost the same.

    Raises:
        InvalidCredentials: they do not belong together.
        ServiceUnavailable: too many others wait for their turn.

    """
    with transaction(read_only=True):
        known = db.session.execute(
            select(User.id, User.password, User.active).where(User.email == email.lower())
        ).one_or_none()
    matches = verify_password(
        password, known.password if known else None, rounds=settings().bcrypt_rounds
    )
    if known is None or not matches or not known.active:
        raise InvalidCredentials
    with transaction():
        user = db.session.scalar(
            select(User)
            # The password was checked outside; it must be the same still.
            .where(User.id == known.id, User.active, User.password == known.password)
            .options(selectinload(User.roles))
            .with_for_update()
        )
        if user is None:
            raise InvalidCredentials
        return start_sign_in(user, user_agent=user_agent)


def refresh(*, refresh_token: str) -> SignIn:
    """Carry a sign-in on with new tokens.

    Raises:
        InvalidRefreshToken: it is unknown, used before or too old, or its sign-in has ended.

    """
    with transaction():
        exchanged = exchange_refresh_token(refresh_token)
        user = None
        if exchanged is not None:
            user = db.session.scalar(
                select(User).where(User.id == exchanged[0]).options(selectinload(User.roles))
            )
    # Only now, when what a replayed token ended is committed.
    if exchanged is None or user is None:
        raise InvalidRefreshToken
    return SignIn(exchanged[1], user)


def sign_out(user: Caller, *, everywhere: bool) -> None:
    """End the caller's sign-in, or all of them."""
    with transaction():
        if everywhere:
            end_all_sign_ins(user.id)
        else:
            end_sign_in(user.session_id)


def create_admin(*, email: str, name: str, password: str) -> int:
    """Add an admin, or make a user one, with this password; only the command line does this.

    A user's sign-ins end, since both their password and their roles change. Gives the user's id.

    Raises:
        InvalidInput: the address is none, or the password is weak.

    """
    address = email.strip().lower()
    if not is_address(address):
        raise InvalidInput("This is not an e-mail address.", errors={"email": ["Not an address."]})
    weakness = find_weakness(password, name=name, email=address)
    if weakness:
        raise InvalidInput("The password is refused.", errors={"password": [weakness]})
    current = settings()
    password_hash = hash_password(password)
    with transaction():
        ensure_roles()
        user = find_user_for_update(address)
        if user is None:
            user = add_user(
                email=address,
                name=name,
                phone=None,
                password_hash=password_hash,
                timezone=current.timezone,
                locale=current.locale,
                roles=("driver", "admin"),
            )
        else:
            user.password = password_hash
            user.active = True
            user.epoch += 1
            give_role(user, "admin")
        return user.id


def purge_expired() -> None:
    """Delete what no request can use any more: codes, their counts, and sign-ins long over."""
    moment = now()
    idle_since = moment - timedelta(days=settings().refresh_token_days) - _KEPT
    db.session.execute(delete(OtpChallenge).where(OtpChallenge.expires_at < moment))
    db.session.execute(delete(OtpIssue).where(OtpIssue.issued_at < moment - ISSUE_WINDOW))
    _purge_addresses()
    db.session.execute(
        delete(SignInSession).where(
            or_(
                SignInSession.ended_at < moment - _KEPT,
                SignInSession.refreshed_at < idle_since,
            )
        )
    )


def _purge_addresses() -> None:
    unused = ~select(OtpIssue.id).where(OtpIssue.email == OtpAddress.email).exists()
    # Locked first and looked at again after, since a code may be on its way this very moment.
    emails = db.session.scalars(
        select(OtpAddress.email).where(unused).limit(_BATCH).with_for_update(skip_locked=True)
    ).all()
    db.session.execute(delete(OtpAddress).where(OtpAddress.email.in_(emails), unused))
