"""The guard that somebody stays who runs the system, whoever leaves at the same moment."""

from sqlalchemy import exists, select

from backend.database import lock_name
from backend.errors import LastAdmin
from backend.extensions import db
from backend.models import Role, User, users_roles


def lock_admins() -> None:
    """Let one transaction at a time take an admin away; call it before any user's row is locked."""
    lock_name("admins")


def check_another_admin(user_id: int) -> None:
    """Insist that an active admin besides this user stays, if the user is one; under :func:`lock_admins`.

    Raises:
        LastAdmin: there is none.

    """
    admins = (
        select(User.id)
        .join(users_roles, users_roles.c.user_id == User.id)
        .join(Role, Role.id == users_roles.c.role_id)
        .where(Role.name == "admin", User.active)
    )
    is_admin, has_another = db.session.execute(
        select(
            exists(admins.where(User.id == user_id)),
            exists(admins.where(User.id != user_id)),
        )
    ).one()
    if is_admin and not has_another:
        raise LastAdmin("There would be no admin left. Make somebody else one first.")
