"""The second factor: an authenticator app (RFC 6238), and the recovery codes that stand in for it."""

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from passlib.exc import TokenError
from passlib.totp import TOTP
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import selectinload

from backend.audit.service import record
from backend.auth.codes import digest_code, new_link, new_recovery_code, plain_recovery_code
from backend.auth.sign_ins import SignIn, start_sign_in
from backend.clock import now
from backend.config import settings
from backend.errors import InvalidCode, NotFound, SecondFactorSet
from backend.extensions import db
from backend.identity import Caller
from backend.models import RecoveryCode, SecondFactorChallenge, User
from backend.notifications.sealing import reseal, seal, unseal
from backend.notifications.telling import notify
from backend.transaction import independently, transaction

logger = logging.getLogger(__name__)

RECOVERY_CODES = 10
CHALLENGE_MINUTES = 5
MAX_TRIES = 5
METHODS = ("totp", "recovery-code")
# Clocks of phones are off by a little.
_WINDOW_SECONDS = 30
_TOTP_CODE = re.compile(r"[0-9]{6}")
_SECRET_BYTES = 20


@dataclass(frozen=True, slots=True)
class SecondFactorDue:
    """A sign-in whose password was right, and which waits for its second factor."""

    challenge_id: str
    expires_at: datetime
    methods: tuple[str, ...] = METHODS


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """How a user's second factor stands."""

    enabled: bool
    since: datetime | None
    recovery_codes_left: int
    required: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """The key of an authenticator app, as text and as what its camera reads."""

    secret: str
    uri: str


def get_second_factor(user: Caller) -> SecondFactor:
    """Tell how the caller's second factor stands."""
    since = db.session.scalar(select(User.totp_since).where(User.id == user.id))
    left = db.session.scalar(
        select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    )
    is_admin = user.has_role("admin") or user.is_admin_in_waiting
    return SecondFactor(
        enabled=since is not None,
        since=since,
        recovery_codes_left=left or 0,
        required=is_admin and settings().admins_need_second_factor,
    )


def begin_setup(user: Caller) -> Setup:
    """Draw a key for an authenticator app; it counts once a code of it was shown.

    Raises:
        SecondFactorSet: there is one already.
        NotFound: the user was deleted a moment ago.

    """
    row = _get_user_for_update(user.id)
    if row.totp_since is not None:
        raise SecondFactorSet
    totp = TOTP(key=secrets.token_bytes(_SECRET_BYTES), format="raw")
    row.totp_secret = seal({"key": totp.base32_key}, settings().secret_key)
    row.totp_step = None
    uri = totp.to_uri(label=row.email.replace(":", "."), issuer=_issuer())
    return Setup(secret=totp.base32_key, uri=uri)


def confirm_setup(user: Caller, *, code: str) -> list[str]:
    """Put the second factor in force by a code of the app; give the recovery codes, this once.

    Raises:
        SecondFactorSet: there is one already.
        InvalidCode: the app does not have the key, or its clock is wrong.
        NotFound: the user was deleted a moment ago.

    """
    row = _get_user_for_update(user.id)
    if row.totp_since is not None:
        raise SecondFactorSet
    step = _match(row.totp_secret, None, code)
    if step is None:
        raise InvalidCode
    row.totp_since = now()
    row.totp_step = step
    record("user.second-factor-set", "user", user.id, actor_id=user.id)
    _tell(row, "second-factor-set")
    return _draw_recovery_codes(row)


def remove_second_factor(user_id: int, *, actor_id: int) -> None:
    """Take a user's second factor away: their own, or that of somebody who lost the app and the codes.

    Raises:
        NotFound: there is no such user.

    """
    row = _get_user_for_update(user_id)
    was_set = row.totp_since is not None
    row.totp_secret = row.totp_since = row.totp_step = None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    if was_set:
        record("user.second-factor-removed", "user", user_id, actor_id=actor_id)
        _tell(row, "second-factor-removed")


def make_recovery_codes(user: Caller) -> list[str]:
    """Give new recovery codes; the old ones are dead.

    Raises:
        NotFound: there is no second factor for which they could stand in.

    """
    row = _get_user_for_update(user.id)
    if row.totp_since is None:
        raise NotFound("There is no second factor yet.")
    record("user.recovery-codes-made", "user", user.id, actor_id=user.id)
    return _draw_recovery_codes(row)


def open_challenge(user: User) -> SecondFactorDue:
    """Let a sign-in wait for the second factor of a user whose password was right."""
    moment = now()
    challenge = SecondFactorChallenge(
        token=new_link(),
        user_id=user.id,
        epoch=user.epoch,
        tries=0,
        created_at=moment,
        expires_at=moment + timedelta(minutes=CHALLENGE_MINUTES),
    )
    db.session.add(challenge)
    return SecondFactorDue(challenge.token, challenge.expires_at)


def pass_challenge(*, challenge_id: str, code: str, user_agent: str) -> SignIn:
    """Sign in by the second factor.

    Raises:
        InvalidCode: the code is wrong or was used; or the challenge is unknown, used, too old or out of
            tries. Which of these, nobody is told.

    """
    challenge = _count_try(challenge_id)
    if challenge is None:
        raise InvalidCode
    try:
        with transaction():
            return _sign_in_by(challenge, code, user_agent)
    except InvalidCode:
        with independently():
            record(
                "user.sign-in-refused",
                "user",
                challenge.user_id,
                after={"reason": "second factor"},
            )
        raise


def _sign_in_by(challenge: Any, code: str, user_agent: str) -> SignIn:
    user = _use_challenge(challenge)
    if user is None or not use_code(user.id, code):
        raise InvalidCode
    return start_sign_in(user, user_agent=user_agent)


def use_code(user_id: int, code: str) -> bool:
    """Use up a code of the app or a recovery code; tell whether it was one, and unused."""
    row = db.session.execute(
        select(User.totp_secret, User.totp_step).where(
            User.id == user_id, User.totp_since.is_not(None)
        )
    ).one_or_none()
    if row is None:
        return False
    if _TOTP_CODE.fullmatch(code) is None:
        return _use_recovery_code(user_id, row.totp_secret, code)
    step = _match(row.totp_secret, row.totp_step, code)
    if step is None:
        return False
    # Not what was read decides but this statement: of two at once, one uses the code.
    used = db.session.scalar(
        update(User)
        .where(User.id == user_id, or_(User.totp_step.is_(None), User.totp_step < step))
        .values(totp_step=step)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return used is not None


def _count_try(challenge_id: str) -> Any:
    """Count a try before anything is compared, so that parallel tries cannot share one."""
    with independently():
        return db.session.execute(
            update(SecondFactorChallenge)
            .where(
                SecondFactorChallenge.token == challenge_id,
                SecondFactorChallenge.used_at.is_(None),
                SecondFactorChallenge.expires_at > now(),
                SecondFactorChallenge.tries < MAX_TRIES,
            )
            .values(tries=SecondFactorChallenge.tries + 1)
            .returning(
                SecondFactorChallenge.id,
                SecondFactorChallenge.user_id,
                SecondFactorChallenge.epoch,
            )
        ).one_or_none()


def _use_challenge(challenge: Any) -> User | None:
    used_id = db.session.scalar(
        update(SecondFactorChallenge)
        .where(SecondFactorChallenge.id == challenge.id, SecondFactorChallenge.used_at.is_(None))
        .values(used_at=now())
        .returning(SecondFactorChallenge.id)
    )
    if used_id is None:
        return None
    return db.session.scalar(
        select(User)
        .where(User.id == challenge.user_id, User.active, User.epoch == challenge.epoch)
        .options(selectinload(User.roles))
        .with_for_update()
    )


def reseal_keys() -> int:
    """Encrypt the keys of all second factors with the present SECRET_KEY, and count them.

    Raises:
        cryptography.fernet.InvalidToken: one was sealed with a key that is neither the present one nor the
            one before.

    """
    users = db.session.scalars(
        select(User).where(User.totp_secret.is_not(None)).order_by(User.id).with_for_update()
    ).all()
    for user in users:
        user.totp_secret = reseal(user.totp_secret or b"", settings().secret_keys)
    return len(users)


def _use_recovery_code(user_id: int, sealed: bytes | None, code: str) -> bool:
    key = _key_of(sealed)
    if key is None:
        return False
    digest = _recovery_digest(key, user_id, code)
    used = db.session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.digest == digest,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now())
        .returning(RecoveryCode.id)
    )
    return used is not None


def _draw_recovery_codes(user: User) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    key = _key_of(user.totp_secret)
    if key is None:
        raise RuntimeError("There are no recovery codes without a second factor.")
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    db.session.add_all(
        RecoveryCode(user_id=user.id, digest=_recovery_digest(key, user.id, code)) for code in codes
    )
    return codes


def _recovery_digest(key: str, user_id: int, code: str) -> str:
    # With the key of the app, which is sealed: so a digest outlives another SECRET_KEY, and tells nothing.
    return digest_code(key, challenge=f"recovery:{user_id}", code=plain_recovery_code(code))


def _key_of(sealed: bytes | None) -> str | None:
    """Give the key of an app; None when there is none, or none that can be read any more."""
    if sealed is None:
        return None
    try:
        return unseal(sealed, settings().secret_keys)["key"]
    except InvalidToken:
        logger.exception("A second factor was sealed with a SECRET_KEY that is not known any more")
        return None


def _match(sealed: bytes | None, last_step: int | None, code: str) -> int | None:
    """Give the time step of a code, unless it is none of this key or not later than the last."""
    key = _key_of(sealed)
    if key is None or _TOTP_CODE.fullmatch(code) is None:
        return None
    try:
        match = TOTP(key=key).match(
            code, time=int(now().timestamp()), window=_WINDOW_SECONDS, last_counter=last_step
        )
    except TokenError:
        return None
    step: int = match.counter
    return step


def _issuer() -> str:
    return settings().brand_name.replace(":", ".")


def _get_user_for_update(user_id: int) -> User:
    user = db.session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None:
        raise NotFound("There is no such user.")
    return user


def _tell(user: User, template: str) -> None:
    notify(user.id, template, key=f"{template}:{secrets.token_hex(16)}", kind="account", context={})
