"""Sign-ups, sign-ins and tokens as JSON."""

from typing import Any

import marshmallow
from marshmallow import ValidationError, validate, validates_schema

from backend.auth.passwords import MAX_LENGTH, MIN_LENGTH, find_weakness
from backend.auth.second_factor import METHODS
from backend.users.schemas import LocaleTag, PersonName, Phone, TimezoneName, UserSchema
from backend.web import fields
from backend.web.schema import Schema

_CODE = r"^[0-9]{6}$"


class OtpCode(fields.Text):
    """Six digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max=6,
            validate=validate.Regexp(_CODE, error="A code has six digits."),
            metadata={"pattern": _CODE},
            **kwargs,
        )


class SecondFactorCode(fields.Text):
    """Six digits of the authenticator app, or a recovery code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=6, max=32, **kwargs)


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
    code = OtpCode(required=True)


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


class AddressRequest(Schema):
    """An address."""

    email = fields.Email(required=True)


class NewPassword(marshmallow.fields.String):
    """A password to be: any characters, blanks at its ends too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=MIN_LENGTH, max=MAX_LENGTH), **kwargs)


class PasswordResetSubmit(Schema):
    """Another password, and what the link in the mail carried."""

    token = fields.Text(required=True, min=1, max=128)
    password = NewPassword(required=True)


class SecondFactorProof(Schema):
    """The second half of a sign-in."""

    challenge_id = fields.Text(required=True, min=1, max=64)
    code = SecondFactorCode(required=True)


class IdentityProof(Schema):
    """The password, and the second factor where there is one."""

    password = marshmallow.fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_LENGTH)
    )
    code = SecondFactorCode(allow_none=True, load_default=None)


class PasswordChange(Schema):
    """The password as it is, and as it shall be."""

    current_password = marshmallow.fields.String(
        required=True, validate=validate.Length(min=1, max=MAX_LENGTH)
    )
    new_password = NewPassword(required=True)


class EmailChangeProof(Schema):
    """The codes that came to the old and to the new address."""

    challenge_id = fields.Text(required=True, min=1, max=64)
    old_code = OtpCode(required=True)
    new_code = OtpCode(required=True)


class SignInSessionSchema(Schema):
    """Where somebody is signed in."""

    id = fields.Id()
    current = fields.Flag(metadata={"description": "Whether this very request belongs to it."})
    user_agent = fields.Text(max=255)
    client = fields.Text(max=64, metadata={"description": "The network address it began from."})
    created_at = fields.Instant()
    refreshed_at = fields.Instant(metadata={"description": "When it was last carried on."})


class SecondFactorSchema(Schema):
    """How the second factor stands."""

    enabled = fields.Flag()
    since = fields.Instant(allow_none=True)
    recovery_codes_left = fields.Integer(min=0)
    required = fields.Flag(metadata={"description": "Whether the role asks for one."})


class TotpSetupSchema(Schema):
    """The key for an authenticator app."""

    secret = fields.Text(metadata={"description": "In base32, to be typed in."})
    uri = fields.Text(
        metadata={"description": "The same as `otpauth://`, to be drawn as a QR code."}
    )


class TotpCode(Schema):
    """A code of the authenticator app."""

    code = OtpCode(required=True)


class RecoveryCodesSchema(Schema):
    """Codes that each stand in once for the authenticator app; they are told this once."""

    recovery_codes = fields.List(fields.Text(max=16))


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


class LoginSchema(SignInSchema):
    """The tokens of a sign-in; or, when a second factor is due, the challenge that waits for it."""

    access_token = fields.Text(max=2048, metadata={"optional": True})
    refresh_token = fields.Text(
        max=255,
        allow_none=True,
        metadata={"description": "Null when it went into the browser's cookie.", "optional": True},
    )
    token_type = fields.Choice("Bearer", metadata={"optional": True})
    expires_in = fields.Integer(min=1, metadata={"description": "In seconds.", "optional": True})
    user = fields.Nested(UserSchema, metadata={"optional": True})
    challenge_id = fields.Text(max=64, metadata={"optional": True})
    expires_at = fields.Instant(metadata={"optional": True})
    methods = fields.List(fields.Choice(*METHODS), metadata={"optional": True})
