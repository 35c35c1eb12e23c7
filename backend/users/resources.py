"""``/me``."""

from typing import Any

from backend.errors import NotFound
from backend.models import User
from backend.users import service
from backend.users.schemas import ProfileUpdate, UserSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation

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
        """Change your name, phone, time zone or language."""
        return service.change_profile(caller(), changes=body)
