"""Links by which whoever got a mail says that no more of its kind should come, and nothing else."""

from typing import NamedTuple

from sqlalchemy.dialects import postgresql, sqlite

from backend.config import settings
from backend.errors import LinkNotValid
from backend.extensions import db
from backend.models import NotificationSetting, User
from backend.notifications.kinds import BY_NAME
from backend.signed_links import read_signed, sign

_PURPOSE = b"links that unsubscribe"


class Unsubscription(NamedTuple):
    """Whose mail of which kind a link stops."""

    user_id: int
    kind: str


def unsubscribe_url(user_id: int, kind: str) -> str:
    """Write the address of the page on which one asks for no more mail of a kind.

    What follows the ``#`` no browser tells a server.
    """
    return f"{settings().public_url}/unsubscribe#token={_write(user_id, kind)}"


def one_click_url(user_id: int, kind: str) -> str:
    """Write the address to which a mail program posts when its reader wants no more of these."""
    return f"{settings().public_url}/api/v1/unsubscribe?token={_write(user_id, kind)}"


def read_unsubscription(token: str) -> Unsubscription | None:
    """Read the token of a link; None unless we signed it. It never gets too old: the wish does not either."""
    said = read_signed(_PURPOSE, token, ("usr", "kind"))
    try:
        return Unsubscription(int(said["usr"]), str(said["kind"])) if said else None
    except (ValueError, TypeError):
        return None


def may_stop(kind: str) -> bool:
    """Tell whether mail of this kind is sent only to who wants it."""
    return kind in BY_NAME and not BY_NAME[kind].mail_locked


def unsubscribe(token: str) -> None:
    """Send no more mail of the kind that a link names; a second time changes nothing.

    Raises:
        LinkNotValid: we did not write it, or its account is gone.

    """
    said = read_unsubscription(token)
    user = db.session.get(User, said.user_id) if said else None
    if said is None or user is None or user.deleted_at is not None or not may_stop(said.kind):
        raise LinkNotValid("This link is none of ours, or its account is closed.")
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    db.session.execute(
        dialect.insert(NotificationSetting)
        .values(user_id=said.user_id, kind=said.kind, mail=False, app=BY_NAME[said.kind].app)
        .on_conflict_do_update(index_elements=["user_id", "kind"], set_={"mail": False})
    )


def _write(user_id: int, kind: str) -> str:
    return sign(_PURPOSE, {"usr": user_id, "kind": kind})
