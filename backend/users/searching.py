"""Finding users: by words of their name, address or telephone number, by role, and by being active."""

import sys
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal_column, select
from sqlalchemy.orm import selectinload

from backend.errors import NotFound
from backend.extensions import db
from backend.folding import PLAIN, fold
from backend.models import AuditEntry, Role, User, users_roles


@dataclass(frozen=True, slots=True)
class Account:
    """A user as admins see them."""

    user: User
    last_sign_in_at: datetime | None

    @property
    def second_factor(self) -> bool:
        """Whether a second factor is in force."""
        return self.user.totp_since is not None


def list_users(
    *,
    limit: int,
    before: int | None = None,
    q: str | None = None,
    role: str | None = None,
    active: bool | None = None,
) -> tuple[list[Account], int]:
    """List the users that match, the newest first, and one more than ``limit``; and count them all.

    Only those with a number below ``before``, when it is given.
    """
    conditions = matching(q=q, role=role, active=active)
    total = db.session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    if before is not None:
        conditions.append(User.id < before)
    users = db.session.scalars(
        select(User)
        .where(*conditions)
        .options(selectinload(User.roles))
        .order_by(User.id.desc())
        .limit(limit + 1)
    ).all()
    signed_in = _last_sign_ins([user.id for user in users])
    return [Account(user, signed_in.get(user.id)) for user in users], total


def get_account(user_id: int) -> Account:
    """Give a user as admins see them.

    Raises:
        NotFound: there is none.

    """
    user = db.session.scalar(
        select(User).where(User.id == user_id).options(selectinload(User.roles))
    )
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return Account(user, _last_sign_ins([user_id]).get(user_id))


def matching(
    *, q: str | None = None, role: str | None = None, active: bool | None = None
) -> list[ColumnElement[bool]]:
    """Give the conditions on users that match."""
    conditions: list[ColumnElement[bool]] = []
    if q is not None:
        words = fold(q).split()
        text = _folded(User.name + " " + User.email + " " + func.coalesce(User.phone, ""))
        # Only signs that nobody is found by find nobody.
        conditions += [text.contains(word, autoescape=True) for word in words] or [
            User.id.is_(None)
        ]
    if role is not None:
        conditions.append(
            exists().where(
                users_roles.c.user_id == User.id,
                users_roles.c.role_id == Role.id,
                Role.name == role,
            )
        )
    if active is not None:
        conditions.append(User.active.is_(active))
    return conditions


def _last_sign_ins(user_ids: Collection[int]) -> dict[int, datetime]:
    """Look up when users signed in last: in the audit log, since sign-ins that are over are deleted."""
    rows = db.session.execute(
        select(AuditEntry.subject_id, func.max(AuditEntry.at))
        .where(
            AuditEntry.subject == "user",
            AuditEntry.subject_id.in_(user_ids),
            AuditEntry.action == "user.signed-in",
        )
        .group_by(AuditEntry.subject_id)
    )
    return {user_id: at for user_id, at in rows if user_id is not None}


def _folded(text: ColumnElement[str]) -> Any:
    """Fold text in the database, as :func:`~backend.folding.fold` folds what is looked for.

    Punctuation may stay: words are looked for one by one, and hold none.
    """
    if db.engine.dialect.name == "sqlite":
        return func.fold(text)
    folded: Any = func.lower(func.normalize(text, literal_column("NFKD")))
    folded = func.regexp_replace(folded, _accents(), "", "g")
    single = {chr(sign): plain for sign, plain in PLAIN.items() if len(plain) == 1}
    folded = func.translate(folded, "".join(single), "".join(single.values()))
    for sign, plain in {**PLAIN, ord("ß"): "ss"}.items():
        if len(plain) > 1:
            folded = func.replace(folded, chr(sign), plain)
    return folded


@cache
def _accents() -> str:
    """Write the regular expression of every sign that folding leaves out."""
    signs = (chr(number) for number in range(sys.maxunicode + 1))
    return f"[{''.join(sign for sign in signs if unicodedata.combining(sign))}]"
