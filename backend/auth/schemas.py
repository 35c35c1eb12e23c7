"""Sign-ups, sign-ins and tokens as JSON."""

from typing import Any

import marshmallow
from marshmallow import ValidationError, validate, validates_schema

from backend.auth.passwords import MAX_LENGTH, MIN_LENGTH, find_weakness
from backend.users.schemas import LocaleTag, PersonName, Phone, TimezoneName, UserSchema
from backend.web import fields
from backend.web.schema import Schema

_CODE = r"^[0-9]{6}$"


class Registration(Schema):
    """A sign-up."""

    email = fields.Email(required=True)
    name = PersonName(required=True)
    # Any characters, blanks at its ends too.
    password = marshmallow.fields.String(
        required=True, validate=validate.Length(min=MIN_LENGTH, max=MAX_LENGTH)
    )
    phone = Phone(allow_none=True, load_default=None)
    timezone = TimezoneName(
        load_default=None,
        metadata={"description": "The browser's, so that mail tells local times."},
    )
    locale = LocaleTag(load_default=None)

    @validates_schema
    def _check_password(self, sign_up: dict[str, Any], **_: Any) -> None:
        weakness = find_weakness(sign_up["password"], name=sign_up["name"], email=sign_up["email"])
        if weakness:
            raise ValidationError(weakness, "password")


class CodeRequest(Schema):
    """Which code to send again."""

    challenge_id = fields.Text(required=True, min=1, max=64)


class CodeProof(Schema):
    """A code that came by mail."""

    challenge_id = fields.Text(required=True, min=1, max=64)
    code = fields.Text(
        required=True,
        max=6,
        validate=validate.Regexp(_CODE, error="A code has six digits."),
        metadata={"pattern": _CODE},
    )


class ChallengeSchema(Schema):
    """A code on its way."""

    challenge_id = fields.Text(max=64)
    expires_at = fields.Instant()
    resend_after = fields.Instant()


class Credentials(Schema):
    """An address and its password."""

    email = fields.Email(required=True)
    password = marshmallow.fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_LENGTH)
    )


class RefreshRequest(Schema):
    """A refresh token, unless a browser sends it as its cookie."""

    refresh_token = fields.Text(min=1, max=255, load_default=None, allow_none=True)


class SignOut(Schema):
    """Which sign-ins to end."""

    everywhere = fields.Flag(load_default=False)


class SignInSchema(Schema):
    """The tokens of a sign-in, and whose it is."""

    access_token = fields.Text(max=2048)
    refresh_token = fields.Text(
        max=255,
        allow_none=True,
        metadata={"description": "Null when it went into the browser's cookie."},
    )
    token_type = fields.Choice("Bearer")
    expires_in = fields.Integer(min=1, metadata={"description": "In seconds."})
    user = fields.Nested(UserSchema)
