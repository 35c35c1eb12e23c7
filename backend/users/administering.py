"""What admins do to users: give and take roles, disable and enable, confirm a permit."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import selectinload

from backend.audit.service import record
from backend.errors import IllegalTransition, NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import LotStaff, Role, User
from backend.users.last_admin import check_another_admin, lock_admins


def change_user(
    admin: Caller,
    user_id: int,
    *,
    roles: Collection[str] | None = None,
    active: bool | None = None,
    accessible_permit: bool | None = None,
) -> None:
    """Change what a user may do; every sign-in of theirs ends when their roles or being active change.

    Raises:
        NotFound: there is no such user.
        IllegalTransition: the account was closed by its owner, and stays closed.
        LastAdmin: nobody would be left to run the system.

    """
    lock_admins()
    user = _get_user_for_update(user_id)
    if user.deleted_at is not None:
        raise IllegalTransition(
            "This account was closed by its owner, and stays closed.", status_now="closed"
        )
    loses_admin = roles is not None and "admin" not in roles
    if loses_admin or active is False:
        check_another_admin(user_id)
    if roles is not None:
        _set_roles(admin, user, set(roles))
    if active is not None and active != user.active:
        user.active = active
        user.epoch += 1
        record(
            "user.enabled" if active else "user.disabled",
            "user",
            user_id,
            actor_id=admin.id,
            before={"active": not active},
            after={"active": active},
        )
    if accessible_permit is not None and accessible_permit != user.accessible_permit:
        user.accessible_permit = accessible_permit
        record(
            "user.permit-changed",
            "user",
            user_id,
            actor_id=admin.id,
            before={"accessible_permit": not accessible_permit},
            after={"accessible_permit": accessible_permit},
        )
    # Written now, so that the answer is read from the rows.
    db.session.flush()


def _get_user_for_update(user_id: int) -> User:
    user = db.session.scalar(
        select(User)
        .where(User.id == user_id)
        .options(selectinload(User.roles))
        # Lets pass what only refers to the user, such as a payment.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def _set_roles(admin: Caller, user: User, names: set[str]) -> None:
    before = [role.name for role in user.roles]
    if names == set(before):
        return
    user.roles = list(
        db.session.scalars(select(Role).where(Role.name.in_(names)).order_by(Role.id))
    )
    user.epoch += 1
    if "attendant" not in names:
        # Whoever becomes an attendant again is given lots again.
        db.session.execute(delete(LotStaff).where(LotStaff.user_id == user.id))
    record(
        "user.roles-changed",
        "user",
        user.id,
        actor_id=admin.id,
        before={"roles": before},
        after={"roles": [role.name for role in user.roles]},
    )
