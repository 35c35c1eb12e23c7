"""Users as JSON."""

from typing import Any

import marshmallow
from marshmallow import ValidationError, validate

from backend.users.locales import is_locale, is_timezone
from backend.web import fields
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


class RoleSchema(Schema):
    """A role, of which only the name is told."""

    name = fields.Choice("driver", "attendant", "admin")


class UserSchema(Schema):
    """A user."""

    id = fields.Id()
    email = fields.Text(max=254)
    name = fields.Text(max=100)
    phone = fields.Text(max=32, allow_none=True)
    roles = marshmallow.fields.Pluck(RoleSchema, "name", many=True)
    active = fields.Flag()
    created_at = fields.Instant()
    timezone = fields.Text(max=64)
    locale = fields.Text(max=35)


class ProfileUpdate(Schema):
    """What to change of one's own profile."""

    name = PersonName()
    phone = Phone(allow_none=True)
    timezone = TimezoneName()
    locale = LocaleTag()
