"""What may be done to become a user: ask for a code, ask for it again, and show it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError

from backend.auth.codes import digest_code, is_code, new_code
from backend.auth.issues import count_issue, lock_address, too_soon
from backend.auth.passwords import hash_password
from backend.auth.sign_ins import SignIn, start_sign_in
from backend.clock import now
from backend.config import settings
from backend.database import violates
from backend.errors import InvalidCode
from backend.extensions import db
from backend.models import OtpChallenge, User
from backend.notifications.service import MailReader, queue_mail
from backend.transaction import independently, transaction
from backend.users.service import add_user

CODE_MINUTES = 10
MAX_TRIES = 5
RESEND_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What may be told about a code on its way."""

    challenge_id: str
    expires_at: datetime
    resend_after: datetime


def register(
    *,
    email: str,
    name: str,
    password: str,
    phone: str | None = None,
    timezone: str | None = None,
    locale: str | None = None,
) -> Challenge:
    """Send a code to an address; a known one gets a mail that says so, by the same work and answer.

    Raises:
        TooManyRequests: the address got as many codes as it may within 15 minutes.
        ServiceUnavailable: too many others wait for their turn.

    """
    current = settings()
    address = email.lower()
    password_hash = hash_password(password)
    with transaction():
        moment = now()
        count_issue(address, moment, "sign-up")
        code = new_code()
        token = secrets.token_urlsafe(24)
        challenge = OtpChallenge(
            token=token,
            email=address,
            name=name,
            phone=phone,
            password=password_hash,
            timezone=timezone or current.timezone,
            locale=locale or current.locale,
            address_known=bool(db.session.scalar(select(exists().where(User.email == address)))),
            code_digest=digest_code(current.secret_key, challenge=token, code=code),
            tries=0,
            created_at=moment,
            expires_at=moment + timedelta(minutes=CODE_MINUTES),
            resend_after=moment + RESEND_PAUSE,
        )
        db.session.add(challenge)
        _queue_code(challenge, code)
        return _told(challenge)


def resend_otp(*, challenge_id: str) -> Challenge:
    """Send a new code for a challenge; the old one is dead, the wrong tries stay counted.

    A challenge that is unknown, used or dead is answered alike, and nothing is sent.

    Raises:
        TooManyRequests: it is too soon, or the address got as many codes as it may.

    """
    with transaction():
        moment = now()
        email = db.session.scalar(
            select(OtpChallenge.email).where(OtpChallenge.token == challenge_id)
        )
        if email is not None:
            lock_address(email, "sign-up")
        challenge = db.session.scalar(
            select(OtpChallenge)
            .where(
                OtpChallenge.token == challenge_id,
                OtpChallenge.used_at.is_(None),
                OtpChallenge.expires_at > moment,
                OtpChallenge.tries < MAX_TRIES,
            )
            .with_for_update()
        )
        if challenge is None:
            return Challenge(
                challenge_id, moment + timedelta(minutes=CODE_MINUTES), moment + RESEND_PAUSE
            )
        if challenge.resend_after > moment:
            raise too_soon(challenge.resend_after - moment)
        count_issue(challenge.email, moment, "sign-up")
        code = new_code()
        challenge.code_digest = digest_code(
            settings().secret_key, challenge=challenge.token, code=code
        )
        challenge.expires_at = moment + timedelta(minutes=CODE_MINUTES)
        challenge.resend_after = moment + RESEND_PAUSE
        _queue_code(challenge, code)
        return _told(challenge)


def verify_otp(*, challenge_id: str, code: str, user_agent: str) -> SignIn:
    """Turn a sign-up into a user who is signed in.

    Raises:
        InvalidCode: there is no such challenge, or it is used, too old or out of tries; the code is
            wrong; or the address belongs to a user. Which of these, nobody is told.

    """
    challenge = _count_try(challenge_id)
    digest = challenge.code_digest if challenge else ""
    is_right = is_code(settings().secret_keys, digest, challenge=challenge_id, code=code)
    if challenge is None or not is_right or challenge.address_known:
        raise InvalidCode
    with transaction():
        if not _use_challenge(challenge):
            raise InvalidCode
        try:
            user = add_user(
                email=challenge.email,
                name=challenge.name,
                phone=challenge.phone,
                password_hash=challenge.password,
                timezone=challenge.timezone,
                locale=challenge.locale,
                roles=("driver",),
            )
        except IntegrityError as error:
            if violates(error, "uq_users_email"):
                raise InvalidCode from error
            raise
        return start_sign_in(user, user_agent=user_agent)


def _count_try(challenge_id: str) -> Any:
    """Count a try before anything is compared, so that parallel tries cannot share one."""
    with independently():
        return db.session.execute(
            update(OtpChallenge)
            .where(
                OtpChallenge.token == challenge_id,
                OtpChallenge.used_at.is_(None),
                OtpChallenge.expires_at > now(),
                OtpChallenge.tries < MAX_TRIES,
            )
            .values(tries=OtpChallenge.tries + 1)
            .returning(
                OtpChallenge.id,
                OtpChallenge.email,
                OtpChallenge.name,
                OtpChallenge.phone,
                OtpChallenge.password,
                OtpChallenge.timezone,
                OtpChallenge.locale,
                OtpChallenge.address_known,
                OtpChallenge.code_digest,
            )
        ).one_or_none()


def _use_challenge(challenge: Any) -> bool:
    """Use a challenge up, and with it what the sign-up said; of two at once, one wins."""
    used_id = db.session.scalar(
        update(OtpChallenge)
        .where(
            OtpChallenge.id == challenge.id,
            OtpChallenge.used_at.is_(None),
            OtpChallenge.code_digest == challenge.code_digest,
        )
        .values(used_at=now(), name="", phone=None, password="")  # none is left # nosec B106
        .returning(OtpChallenge.id)
    )
    return used_id is not None


def _queue_code(challenge: OtpChallenge, code: str) -> None:
    # Both mails are queued by the same steps, so that no clock tells one from the other.
    queue_mail(
        "address-known" if challenge.address_known else "otp",
        challenge.email,
        key=f"otp:{secrets.token_hex(16)}",
        context={"minutes": CODE_MINUTES},
        secret={"code": code},
        expires_at=challenge.expires_at,
        reader=MailReader(locale=challenge.locale),
    )


def _told(challenge: OtpChallenge) -> Challenge:
    return Challenge(challenge.token, challenge.expires_at, challenge.resend_after)
