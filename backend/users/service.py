"""What may be done to users: add one, read and change one's own profile."""

import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload

from backend.clock import now
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import Role, User

ROLES = {
    "driver": "Books and pays for parking",
    "attendant": "Works the gate of lots",
    "admin": "Runs everything",
}


def ensure_roles() -> None:
    """Create the roles that are not there yet; any number of processes may do it at once."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    db.session.execute(
        dialect.insert(Role)
        .values([{"name": name, "description": text} for name, text in ROLES.items()])
        .on_conflict_do_nothing(index_elements=["name"])
    )


def add_user(
    *,
    email: str,
    name: str,
    phone: str | None,
    password_hash: str,
    timezone: str,
    locale: str,
    roles: tuple[str, ...],
) -> User:
    """Add an active user with these roles; the address must be proven.

    Raises:
        sqlalchemy.exc.IntegrityError: ``uq_users_email``, the address belongs to a user.

    """
    user = User(
        email=email,
        name=name,
        phone=phone,
        password=password_hash,
        active=True,
        fs_uniquifier=secrets.token_hex(16),
        timezone=timezone,
        locale=locale,
        created_at=now(),
        roles=list(db.session.scalars(select(Role).where(Role.name.in_(roles)).order_by(Role.id))),
    )
    db.session.add(user)
    db.session.flush()  # meets uq_users_email, and gives the id
    return user


def find_user_for_update(email: str) -> User | None:
    """Find the user of an address, with roles, locked until the transaction ends."""
    return db.session.scalar(
        select(User).where(User.email == email).options(selectinload(User.roles)).with_for_update()
    )


def give_role(user: User, name: str) -> None:
    """Give a user, whose roles are loaded, one more role."""
    if not user.has_role(name):
        user.roles.append(db.session.scalars(select(Role).where(Role.name == name)).one())


def get_profile(caller: Caller) -> User:
    """Read the caller's own profile.

    Raises:
        NotFound: the user was deleted a moment ago.

    """
    return _get_user(caller.id)


def holds_permit(caller: Caller | None) -> bool:
    """Tell whether an admin has confirmed the caller's permit for accessible bays, as it is now."""
    if caller is None:
        return False
    permit = select(User.accessible_permit).where(User.id == caller.id)
    return bool(db.session.scalar(permit))


def change_profile(caller: Caller, *, changes: dict[str, str | None]) -> User:
    """Change the caller's own name, phone, tax id, timezone or locale.

    Raises:
        NotFound: the user was deleted a moment ago.

    """
    user = _get_user(caller.id, for_update=True)
    for field, value in changes.items():
        setattr(user, field, value)
    return user


def _get_user(user_id: int, *, for_update: bool = False) -> User:
    statement = (
        select(User)
        # A request may have been let in just before the account was closed.
        .where(User.id == user_id, User.deleted_at.is_(None))
        .options(selectinload(User.roles))
    )
    if for_update:
        statement = statement.with_for_update()
    user = db.session.scalar(statement)
    if user is None:
        raise NotFound("There is no such user.")
    return user
