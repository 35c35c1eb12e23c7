"""Users as JSON."""

import re
from typing import Any

import marshmallow
from marshmallow import ValidationError, validate

from backend.users.locales import is_locale, is_timezone
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema

_PHONE = r"^\+?[0-9][0-9 ()/.-]*$"


def _check_timezone(name: str) -> None:
    if not is_timezone(name):
        raise ValidationError("This is not the IANA name of a time zone, such as Europe/Berlin.")


def _check_locale(tag: str) -> None:
    if not is_locale(tag):
        raise ValidationError("This is not a language tag, such as de-DE.")


class PersonName(fields.Text):
    """What a person is called."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=1, max=100, **kwargs)


class Phone(fields.Text):
    """A telephone number as people write it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min=3,
            max=32,
            validate=validate.Regexp(_PHONE, error="This is not a telephone number."),
            metadata={"pattern": _PHONE},
            **kwargs,
        )


class TimezoneName(fields.Text):
    """The IANA name of a time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=1, max=64, validate=_check_timezone, **kwargs)


class LocaleTag(fields.Text):
    """A language tag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=2, max=35, validate=_check_locale, **kwargs)


class TaxId(fields.Text):
    """A GSTIN or VAT number as people write it; kept in capitals, without what only spaces it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min=4,
            max=40,
            metadata={"description": "Stands on receipts.", "example": "DE 123 456 789"},
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        tax_id = re.sub(r"[ ./-]", "", super()._deserialize(value, attr, data, **kwargs)).upper()
        if not re.fullmatch(r"[A-Z0-9]{4,24}", tax_id):
            raise ValidationError("This is not a GSTIN or VAT number.")
        return tax_id


ROLE_NAMES = ("driver", "attendant", "admin")


class RoleSchema(Schema):
    """A role, of which only the name is told."""

    name = fields.Choice(*ROLE_NAMES)


class UserSchema(Schema):
    """A user."""

    id = fields.Id()
    email = fields.Text(max=254)
    name = fields.Text(max=100)
    phone = fields.Text(max=32, allow_none=True)
    tax_id = fields.Text(max=24, allow_none=True, metadata={"description": "Stands on receipts."})
    roles = marshmallow.fields.Pluck(RoleSchema, "name", many=True)
    active = fields.Flag()
    created_at = fields.Instant()
    timezone = fields.Text(max=64)
    locale = fields.Text(max=35)
    accessible_permit = fields.Flag(
        metadata={"description": "An admin has confirmed the permit for accessible bays."}
    )


class ProfileUpdate(Schema):
    """What to change of one's own profile."""

    name = PersonName()
    phone = Phone(allow_none=True)
    tax_id = TaxId(allow_none=True)
    timezone = TimezoneName()
    locale = LocaleTag()


class UserQuery(PageQuery):
    """Which users are looked for; all that is given must match."""

    q = fields.Text(
        min=1,
        max=100,
        metadata={
            "description": "Words of the name, the address or the telephone number; all must match."
        },
    )
    role = fields.Choice(*ROLE_NAMES)
    active = fields.Flag()


class AccountSchema(Schema):
    """A user as admins see them."""

    id = fields.Id(attribute="user.id")
    email = fields.Text(max=254, attribute="user.email")
    name = fields.Text(max=100, attribute="user.name")
    phone = fields.Text(max=32, attribute="user.phone", allow_none=True)
    roles = marshmallow.fields.Pluck(RoleSchema, "name", many=True, attribute="user.roles")
    active = fields.Flag(attribute="user.active")
    created_at = fields.Instant(attribute="user.created_at")
    timezone = fields.Text(max=64, attribute="user.timezone")
    locale = fields.Text(max=35, attribute="user.locale")
    accessible_permit = fields.Flag(attribute="user.accessible_permit")
    second_factor = fields.Flag()
    last_sign_in_at = fields.Instant(allow_none=True)
    deleted_at = fields.Instant(
        attribute="user.deleted_at",
        allow_none=True,
        metadata={"description": "When the owner closed the account; it cannot be opened again."},
    )


class AccountUpdate(Schema):
    """What a user may do; what is left out stays."""

    roles = fields.List(
        fields.Choice(*ROLE_NAMES),
        min=1,
        max=len(ROLE_NAMES),
        metadata={"description": "All of them: those left out are taken."},
    )
    active = fields.Flag()
    accessible_permit = fields.Flag(
        metadata={"description": "You have seen their permit for accessible bays."}
    )
