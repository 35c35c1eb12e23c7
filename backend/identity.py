"""Who is acting, as services see it: read afresh for each request, never cached."""

from dataclasses import dataclass
from datetime import datetime

from flask_security import UserMixin


class RoleName(str):
    """A role's name that Flask-Principal takes for the role itself."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    def get_permissions(self) -> frozenset[str]:
        """Give what the role may do beyond its name: nothing, here."""
        return frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Caller(UserMixin):
    """A signed-in user with the roles that the database gave for this very request.

    It stands in for Flask-Security's own user, which would be loaded through the ORM each time.
    """

    id: int
    session_id: int
    email: str
    name: str
    roles: tuple[str, ...]  # type: ignore[assignment] # names, where Flask-Security has rows
    timezone: str
    locale: str
    verified_at: datetime | None = None
    """When they last proved who they are, by password and second factor."""
    has_second_factor: bool = False
    is_admin_in_waiting: bool = False
    """An admin who must set up a second factor first, and has the role not before then."""
    has_permit: bool = False
    """An admin has confirmed their permit for accessible bays: lists go by it, whoever books is asked again."""
    active: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(map(RoleName, self.roles)))

    @property
    def fs_uniquifier(self) -> str:  # type: ignore[override] # computed, not kept
        """Flask-Principal's name for the identity."""
        return str(self.id)

    def has_role(self, role: str) -> bool:  # type: ignore[override] # names only
        """Tell whether the caller has the role."""
        return role in self.roles

    @property
    def is_staff(self) -> bool:
        """Whether the caller works here."""
        return "admin" in self.roles or "attendant" in self.roles
