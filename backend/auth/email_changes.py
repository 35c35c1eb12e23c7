"""What may be done about an address: move to another one, which both of them confirm."""

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from backend.audit.service import masked, record
from backend.auth.codes import digest_code, is_code, new_code, new_link
from backend.auth.issues import count_issue
from backend.auth.sign_ups import CODE_MINUTES, MAX_TRIES, RESEND_PAUSE, Challenge
from backend.clock import now
from backend.config import settings
from backend.database import violates
from backend.errors import InvalidCode, InvalidInput, Unauthenticated
from backend.extensions import db
from backend.identity import Caller
from backend.models import EmailChange, PasswordReset, User
from backend.notifications.service import MailReader, queue_mail
from backend.transaction import independently, transaction


def request_email_change(user: Caller, *, email: str) -> Challenge:
    """Send a code to the old and one to the new address.

    The answer is the same when the new address belongs to somebody; the mail there then says so.

    Raises:
        InvalidInput: it is the address that the caller has.
        TooManyRequests: one of the addresses got as many codes as it may within 15 minutes.

    """
    address = email.lower()
    with transaction():
        moment = now()
        old = db.session.scalars(select(User.email).where(User.id == user.id)).one()
        if address == old:
            raise InvalidInput(
                "This is your address already.", errors={"email": ["This is your address already."]}
            )
        # Always in one order, or two users who swap their addresses would wait for each other for ever.
        for each in sorted((old, address)):
            count_issue(each, moment, "email")
        # An account that was closed while this waited has no address to move.
        if db.session.scalar(select(User.email).where(User.id == user.id, User.active)) != old:
            raise Unauthenticated
        token, old_code, new_address_code = new_link(), new_code(), new_code()
        key = settings().secret_key
        change = EmailChange(
            token=token,
            user_id=user.id,
            email=address,
            address_known=bool(db.session.scalar(select(exists().where(User.email == address)))),
            old_digest=digest_code(key, challenge=f"{token}:old", code=old_code),
            new_digest=digest_code(key, challenge=f"{token}:new", code=new_address_code),
            tries=0,
            created_at=moment,
            expires_at=moment + timedelta(minutes=CODE_MINUTES),
        )
        db.session.add(change)
        for template, to, code in (
            ("email-change-old", old, old_code),
            (
                "address-known" if change.address_known else "email-change-new",
                address,
                new_address_code,
            ),
        ):
            queue_mail(
                template,
                to,
                key=f"email:{secrets.token_hex(16)}",
                context={"minutes": CODE_MINUTES},
                secret={"code": code},
                expires_at=change.expires_at,
                reader=MailReader(locale=user.locale),
            )
        return Challenge(token, change.expires_at, moment + RESEND_PAUSE)


def confirm_email_change(user: Caller, *, challenge_id: str, old_code: str, new_code: str) -> User:
    """Move the caller to the new address by both codes.

    Raises:
        InvalidCode: one of the codes is wrong; or the change is not the caller's, used, too old or out of
            tries; or the address belongs to somebody. Which of these, nobody is told.

    """
    change = _count_try(user.id, challenge_id)
    keys = settings().secret_keys
    checks = [
        is_code(
            keys,
            change.old_digest if change else "",
            challenge=f"{challenge_id}:old",
            code=old_code,
        ),
        is_code(
            keys,
            change.new_digest if change else "",
            challenge=f"{challenge_id}:new",
            code=new_code,
        ),
    ]
    if change is None or not all(checks) or change.address_known:
        raise InvalidCode
    with transaction():
        used_id = db.session.scalar(
            update(EmailChange)
            .where(EmailChange.id == change.id, EmailChange.used_at.is_(None))
            .values(used_at=now())
            .returning(EmailChange.id)
        )
        row = db.session.scalar(
            select(User)
            .where(User.id == user.id, User.active)
            .options(selectinload(User.roles))
            .with_for_update()
        )
        if used_id is None or row is None:
            raise InvalidCode
        old = row.email
        row.email = change.email
        try:
            db.session.flush()  # meets uq_users_email
        except IntegrityError as error:
            if violates(error, "uq_users_email"):
                raise InvalidCode from error
            raise
        record(
            "user.email-changed",
            "user",
            row.id,
            actor_id=row.id,
            before={"email": masked(old)},
            after={"email": masked(row.email)},
        )
        # Whoever reads the old mailbox may hold a link to choose another password.
        db.session.execute(
            update(PasswordReset)
            .where(PasswordReset.user_id == row.id, PasswordReset.used_at.is_(None))
            .values(used_at=now())
        )
        queue_mail(
            "email-changed",
            old,
            key=f"email:{secrets.token_hex(16)}",
            context={},
            reader=MailReader(row.id, row.locale),
        )
        return row


def _count_try(user_id: int, challenge_id: str) -> Any:
    """Count a try before anything is compared, so that parallel tries cannot share one."""
    with independently():
        return db.session.execute(
            update(EmailChange)
            .where(
                EmailChange.token == challenge_id,
                EmailChange.user_id == user_id,
                EmailChange.used_at.is_(None),
                EmailChange.expires_at > now(),
                EmailChange.tries < MAX_TRIES,
            )
            .values(tries=EmailChange.tries + 1)
            .returning(
                EmailChange.id,
                EmailChange.email,
                EmailChange.address_known,
                EmailChange.old_digest,
                EmailChange.new_digest,
            )
        ).one_or_none()
