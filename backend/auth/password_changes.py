"""What may be done about a password: change it, and choose another by a link that comes by mail."""

import secrets
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from backend.audit.service import record
from backend.auth.codes import digest_code, new_link
from backend.auth.issues import count_issue
from backend.auth.passwords import find_weakness, hash_password, verify_password
from backend.auth.sign_ins import SignIn, end_all_sign_ins, start_sign_in
from backend.clock import now
from backend.config import settings
from backend.errors import InvalidCredentials, InvalidInput, InvalidResetLink
from backend.extensions import db
from backend.identity import Caller
from backend.models import PasswordReset, User
from backend.notifications.service import MailReader, queue_mail
from backend.notifications.telling import notify
from backend.transaction import transaction

LINK_MINUTES = 30
# The link's secret is looked up by its digest, so all of them share one challenge.
_CHALLENGE = "password-reset"


def change_password(
    user: Caller, *, current_password: str, new_password: str, user_agent: str
) -> SignIn:
    """Change the caller's password; every sign-in ends, and this one begins anew.

    Raises:
        InvalidCredentials: the current password is another.
        InvalidInput: the new one is weak.
        ServiceUnavailable: too many others wait for their turn.

    """
    current = check_password(user, current_password)
    _refuse_weak(new_password, name=user.name, email=user.email, field="new_password")
    new_hash = hash_password(new_password)
    with transaction():
        row = db.session.scalar(
            select(User)
            # The password was checked outside; it must be the same still.
            .where(User.id == user.id, User.active, User.password == current)
            .options(selectinload(User.roles))
            .with_for_update()
        )
        if row is None:
            raise InvalidCredentials
        _set_password(row, new_hash)
        record("user.password-changed", "user", row.id, actor_id=row.id)
        return start_sign_in(row, user_agent=user_agent)


def check_password(user: Caller, password: str) -> str:
    """Check the caller's password, outside of any transaction; give its hash.

    Raises:
        InvalidCredentials: it is another.
        ServiceUnavailable: too many others wait for their turn.

    """
    with transaction(read_only=True):
        known = db.session.scalar(select(User.password).where(User.id == user.id))
    if not verify_password(password, known, rounds=settings().bcrypt_rounds) or known is None:
        raise InvalidCredentials
    return known


def request_reset(*, email: str) -> None:
    """Send a link to choose another password; an unknown address gets a mail that says so.

    Both cost the same work and are answered alike.

    Raises:
        TooManyRequests: the address got as many links as it may within 15 minutes.

    """
    address = email.lower()
    with transaction():
        moment = now()
        count_issue(address, moment, "reset")
        row = db.session.execute(
            select(User.id, User.locale).where(
                User.email == address, User.active, User.deleted_at.is_(None)
            )
        ).one_or_none()
        user_id, locale = row or (None, settings().locale)
        token = new_link()
        expires_at = moment + timedelta(minutes=LINK_MINUTES)
        db.session.add(
            PasswordReset(
                user_id=user_id,
                digest=digest_code(settings().secret_key, challenge=_CHALLENGE, code=token),
                created_at=moment,
                expires_at=expires_at,
            )
        )
        queue_mail(
            "password-reset" if user_id is not None else "password-reset-unknown",
            address,
            key=f"reset:{secrets.token_hex(16)}",
            context={"minutes": LINK_MINUTES},
            secret={"token": token},
            expires_at=expires_at,
            reader=MailReader(locale=locale),
        )


def reset_password(*, token: str, password: str) -> None:
    """Choose another password by a link; every sign-in of its user ends, and every other link.

    Raises:
        InvalidResetLink: it is unknown, used or too old, or its user is disabled.
        InvalidInput: the password is weak.
        ServiceUnavailable: too many others wait for their turn.

    """
    digests = [digest_code(key, challenge=_CHALLENGE, code=token) for key in settings().secret_keys]
    live = (
        PasswordReset.digest.in_(digests),
        PasswordReset.used_at.is_(None),
        PasswordReset.expires_at > now(),
    )
    with transaction(read_only=True):
        known = db.session.execute(
            select(User.id, User.name, User.email)
            .join(PasswordReset, PasswordReset.user_id == User.id)
            .where(*live, User.active)
        ).one_or_none()
    if known is None:
        raise InvalidResetLink
    _refuse_weak(password, name=known.name, email=known.email, field="password")
    new_hash = hash_password(password)
    with transaction():
        # The user before the link, as in a change of the password.
        user = db.session.scalar(
            select(User).where(User.id == known.id, User.active).with_for_update()
        )
        used_id = db.session.scalar(
            update(PasswordReset).where(*live).values(used_at=now()).returning(PasswordReset.id)
        )
        if used_id is None or user is None:
            raise InvalidResetLink
        _set_password(user, new_hash)
        record("user.password-reset", "user", user.id, actor_id=user.id)


def _set_password(user: User, new_hash: str) -> None:
    """Put a password in place; whatever the one before opened is closed."""
    user.password = new_hash
    user.epoch += 1
    end_all_sign_ins(user.id)
    db.session.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now())
    )
    notify(
        user.id,
        "password-changed",
        key=f"password:{secrets.token_hex(16)}",
        kind="account",
        context={},
    )


def _refuse_weak(password: str, *, name: str, email: str, field: str) -> None:
    weakness = find_weakness(password, name=name, email=email)
    if weakness:
        raise InvalidInput("The password is refused.", errors={field: [weakness]})
