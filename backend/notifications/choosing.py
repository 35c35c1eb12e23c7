"""What a user chose to be told, and by which way."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.errors import InvalidInput
from backend.extensions import db
from backend.identity import Caller
from backend.models import Notification, NotificationSetting, Reminder
from backend.notifications.kinds import ALL, BY_NAME, Kind


class Choice(NamedTuple):
    """How one kind comes."""

    kind: str
    mail: bool
    app: bool
    mail_locked: bool
    app_locked: bool


def list_choices(user: Caller) -> list[Choice]:
    """List how each kind that concerns the user comes: as they chose, or else by default."""
    chosen = {
        row.kind: row
        for row in db.session.scalars(
            select(NotificationSetting).where(NotificationSetting.user_id == user.id)
        )
    }
    return [_choice(kind, chosen.get(kind.name)) for kind in ALL if _concerns(kind, user)]


def choose(user: Caller, wishes: Sequence[dict[str, Any]]) -> list[Choice]:
    """Keep how kinds should come; what a wish does not name stays as it is.

    Raises:
        InvalidInput: a kind does not concern the user, or is told in any case.

    """
    now = {choice.kind: choice for choice in list_choices(user)}
    for number, wish in enumerate(wishes):
        standing = now.get(wish["kind"])
        if standing is None:
            raise _refused(number, "kind", "There is no such kind.")
        wanted = standing._replace(**{way: wish[way] for way in ("mail", "app") if way in wish})
        for way, locked in (("mail", standing.mail_locked), ("app", standing.app_locked)):
            if locked and getattr(wanted, way) != getattr(standing, way):
                raise _refused(number, way, "This cannot be changed.")
        now[wanted.kind] = wanted
        _keep(user.id, wanted)
    return list(now.values())


def forget_notifications(user_id: int) -> None:
    """Delete what a user was told in the app, what they chose, and what they were reminded of."""
    for table in (Notification, NotificationSetting, Reminder):
        db.session.execute(delete(table).where(table.user_id == user_id))


def _concerns(kind: Kind, user: Caller) -> bool:
    return not kind.admins_only or "admin" in user.roles


def _choice(kind: Kind, chosen: NotificationSetting | None) -> Choice:
    return Choice(
        kind.name,
        mail=chosen.mail if chosen is not None and not kind.mail_locked else kind.mail,
        app=chosen.app if chosen is not None and not kind.app_locked else kind.app,
        mail_locked=kind.mail_locked,
        app_locked=kind.app_locked,
    )


def _keep(user_id: int, choice: Choice) -> None:
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"mail": choice.mail, "app": choice.app}
    db.session.execute(
        dialect.insert(NotificationSetting)
        .values(user_id=user_id, kind=BY_NAME[choice.kind].name, **values)
        .on_conflict_do_update(index_elements=["user_id", "kind"], set_=values)
    )


def _refused(number: int, field: str, why: str) -> InvalidInput:
    return InvalidInput(errors={f"items.{number}.{field}": [why]})
