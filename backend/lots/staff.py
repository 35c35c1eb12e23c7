"""Which attendants work at a lot: they see and do there what drivers may not, and nowhere else."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, insert, select

from backend.audit.service import record_changes
from backend.database import get_row
from backend.errors import InvalidInput
from backend.extensions import db
from backend.identity import Caller
from backend.models import Lot, LotStaff, Role, User, users_roles

_IS_ATTENDANT = exists().where(
    users_roles.c.user_id == User.id,
    users_roles.c.role_id == Role.id,
    Role.name == "attendant",
)


def works_at(caller: Caller | None, lot_id: int) -> bool:
    """Tell whether the caller is an admin, or an attendant of this very lot."""
    if caller is None or not caller.is_staff:
        return False
    if caller.has_role("admin"):
        return True
    row = select(LotStaff.user_id).where(LotStaff.lot_id == lot_id, LotStaff.user_id == caller.id)
    return db.session.scalar(row) is not None


def list_staff(lot_id: int) -> list[User]:
    """List the attendants of a lot by name.

    Raises:
        NotFound: there is no such lot.

    """
    get_row(Lot, lot_id)
    return list(
        db.session.scalars(
            select(User)
            .join(LotStaff, LotStaff.user_id == User.id)
            .where(LotStaff.lot_id == lot_id)
            .order_by(User.name, User.id)
        )
    )


def set_staff(admin: Caller, lot_id: int, *, user_ids: Sequence[int]) -> list[User]:
    """Let these attendants work at a lot, and no others.

    Raises:
        NotFound: there is no such lot.
        InvalidInput: one of them is no active attendant.

    """
    wanted = set(user_ids)
    get_row(Lot, lot_id)
    # Nobody takes the role from one of them meanwhile.
    attendants = db.session.scalars(
        select(User.id)
        .where(User.id.in_(wanted), User.active, _IS_ATTENDANT)
        .order_by(User.id)
        .with_for_update(read=True)
    )
    strangers = wanted - set(attendants)
    if strangers:
        listed = ", ".join(map(str, sorted(strangers)))
        raise InvalidInput(
            errors={"user_ids": [f"These are not active users with the role attendant: {listed}."]}
        )
    # Of two at once, one comes after the other; bookings, which refer to the lot, need not wait.
    db.session.execute(select(Lot.id).where(Lot.id == lot_id).with_for_update(key_share=True))
    before = set(db.session.scalars(select(LotStaff.user_id).where(LotStaff.lot_id == lot_id)))
    db.session.execute(
        delete(LotStaff).where(LotStaff.lot_id == lot_id, LotStaff.user_id.in_(before - wanted))
    )
    if wanted - before:
        db.session.execute(
            insert(LotStaff),
            [{"lot_id": lot_id, "user_id": user_id} for user_id in sorted(wanted - before)],
        )
    record_changes(
        "lot.staff-set",
        "lot",
        lot_id,
        actor_id=admin.id,
        before={"user_ids": sorted(before)},
        after={"user_ids": sorted(wanted)},
    )
    return list_staff(lot_id)
