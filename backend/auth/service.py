"""What may be done to sign-ins: begin, carry on, confirm, list, end; and the first admin."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import selectinload

from backend.addresses import is_address
from backend.audit.service import record, record_changes
from backend.auth.issues import ISSUE_WINDOW
from backend.auth.password_changes import check_password
from backend.auth.passwords import find_weakness, hash_password, verify_password
from backend.auth.second_factor import SecondFactorDue, open_challenge, use_code
from backend.auth.sign_ins import (
    SignIn,
    end_all_sign_ins,
    end_sign_in,
    exchange_refresh_token,
    start_sign_in,
)
from backend.clock import now
from backend.config import settings
from backend.database import get_row
from backend.errors import (
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    InvalidRefreshToken,
    NotFound,
)
from backend.extensions import db
from backend.identity import Caller
from backend.models import (
    EmailChange,
    OtpAddress,
    OtpChallenge,
    OtpIssue,
    PasswordReset,
    SecondFactorChallenge,
    SignInSession,
    User,
)
from backend.transaction import independently, transaction
from backend.users.service import add_user, ensure_roles, find_user_for_update, give_role

_KEPT = timedelta(days=1)
_BATCH = 1000


def sign_in(*, email: str, password: str, user_agent: str) -> SignIn | SecondFactorDue:
    """Begin a sign-in; an unknown address, a wrong password and a disabled user cost the same.

    Who has set up a second factor is asked for it first.

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
        with independently():
            record("user.sign-in-refused", "user", None if known is None else known.id)
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
        if user.totp_since is not None:
            return open_challenge(user)
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
        record(
            "user.sessions-ended" if everywhere else "user.signed-out",
            "user",
            user.id,
            actor_id=user.id,
        )


def list_sign_ins(user_id: int, *, limit: int, before: int | None) -> Sequence[SignInSession]:
    """List the sign-ins of a user that are not over, the newest first, and one more than ``limit``.

    Only those with a number below ``before``, when it is given.
    """
    statement = (
        select(SignInSession)
        .where(*_live_sign_ins(user_id))
        .order_by(SignInSession.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(SignInSession.id < before)
    return db.session.scalars(statement).all()


def count_sign_ins(user_id: int) -> int:
    """Count the sign-ins of a user that are not over."""
    return db.session.scalar(select(func.count()).where(*_live_sign_ins(user_id))) or 0


def end_own_sign_in(user: Caller, session_id: int) -> None:
    """End one of the caller's sign-ins.

    Raises:
        NotFound: there is none of this number, or it is over, or somebody else's.

    """
    ended = db.session.scalar(
        update(SignInSession)
        .where(SignInSession.id == session_id, *_live_sign_ins(user.id))
        .values(ended_at=now())
        .returning(SignInSession.id)
    )
    if ended is None:
        raise NotFound("There is no such sign-in.")
    record("user.sessions-ended", "user", user.id, actor_id=user.id)


def end_other_sign_ins(user: Caller) -> None:
    """End every sign-in of the caller but this one."""
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.id != user.session_id, *_live_sign_ins(user.id))
        .values(ended_at=now())
    )
    record("user.sessions-ended", "user", user.id, actor_id=user.id)


def check_user(user_id: int) -> None:
    """Insist that there is a user of this number.

    Raises:
        NotFound: there is none.

    """
    get_row(User, user_id)


def end_sign_ins_of(admin: Caller, user_id: int) -> None:
    """End every sign-in of a user.

    Raises:
        NotFound: there is no such user.

    """
    check_user(user_id)
    end_all_sign_ins(user_id)
    record("user.sessions-ended", "user", user_id, actor_id=admin.id)


def confirm_identity(user: Caller, *, password: str, code: str | None) -> None:
    """Note that the caller proved again who they are, by password and, where there is one, second factor.

    Raises:
        InvalidCredentials: the password is wrong.
        InvalidCode: the code of the second factor is missing, wrong or used.
        ServiceUnavailable: too many others wait for their turn.

    """
    check_password(user, password)
    with transaction():
        if user.has_second_factor and not use_code(user.id, code or ""):
            raise InvalidCode
        db.session.execute(
            update(SignInSession)
            .where(SignInSession.id == user.session_id)
            .values(verified_at=now())
        )


def _live_sign_ins(user_id: int) -> tuple[ColumnElement[bool], ...]:
    idle_since = now() - timedelta(days=settings().refresh_token_days)
    epoch = select(User.epoch).where(User.id == user_id).scalar_subquery()
    return (
        SignInSession.user_id == user_id,
        SignInSession.ended_at.is_(None),
        SignInSession.refreshed_at > idle_since,
        SignInSession.epoch == epoch,
    )


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
        before: list[str] = []
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
            before = [role.name for role in user.roles]
            user.password = password_hash
            user.active = True
            user.epoch += 1
            give_role(user, "admin")
            record("user.password-reset", "user", user.id)
        record_changes(
            "user.roles-changed",
            "user",
            user.id,
            actor_id=None,
            before={"roles": before},
            after={"roles": [role.name for role in user.roles]},
        )
        return user.id


def purge_expired() -> None:
    """Delete what no request can use any more: codes, their counts, and sign-ins long over."""
    moment = now()
    idle_since = moment - timedelta(days=settings().refresh_token_days) - _KEPT
    db.session.execute(delete(OtpChallenge).where(OtpChallenge.expires_at < moment))
    for table in (SecondFactorChallenge, PasswordReset, EmailChange):
        db.session.execute(delete(table).where(table.expires_at < moment))
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
