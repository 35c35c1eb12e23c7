"""``/me`` and ``/users``."""

from typing import Any

from backend.errors import IllegalTransition, LastAdmin, NotFound
from backend.models import User
from backend.users import administering, searching, service
from backend.users.schemas import (
    AccountSchema,
    AccountUpdate,
    ProfileUpdate,
    UserQuery,
    UserSchema,
)
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation
from backend.web.pagination import Page, page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("users", __name__)


@api.resource("/me")
class Me(Resource):
    """The caller's own profile."""

    @operation(response=UserSchema(), raises=(NotFound,))
    def get(self) -> User:
        """Read your profile."""
        return service.get_profile(caller())

    @operation(body=ProfileUpdate(), response=UserSchema(), raises=(NotFound,))
    def patch(self, body: dict[str, Any]) -> User:
        """Change your name, phone, tax id, time zone or language."""
        return service.change_profile(caller(), changes=body)


@api.resource("/users")
class UserList(Resource):
    """All users."""

    @operation(roles=("admin",), query=UserQuery(), response=page_schema(AccountSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """Find users, the newest first."""
        limit, cursor = query.pop("limit"), query.pop("cursor")
        before = None if cursor is None else read_cursor(cursor, int)[0]
        found, total = searching.list_users(limit=limit, before=before, **query)
        items = found[:limit]
        more = write_cursor(items[-1].user.id) if len(found) > limit else None
        return Page(items, more, total)


@api.resource("/users/<id:user_id>")
class UserDetail(Resource):
    """One user."""

    @operation(roles=("admin",), response=AccountSchema(), raises=(NotFound,))
    def get(self, user_id: int) -> searching.Account:
        """Read a user."""
        return searching.get_account(user_id)

    @operation(
        roles=("admin",),
        body=AccountUpdate(),
        response=AccountSchema(),
        raises=(NotFound, IllegalTransition, LastAdmin),
        fresh=True,
    )
    def patch(self, user_id: int, body: dict[str, Any]) -> searching.Account:
        """Give or take roles, disable or enable a user, or confirm a permit.

        With roles or `active` changed, every sign-in of theirs is over at once, and stays so. The last
        active admin cannot be lost. An account that its owner closed stays closed.
        """
        administering.change_user(caller(), user_id, **body)
        return searching.get_account(user_id)
