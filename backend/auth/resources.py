"""``/auth`` and what of ``/me`` concerns signing in: codes, passwords, tokens, the second factor."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from flask import request

from backend.auth import (
    email_changes,
    limits,
    password_changes,
    refresh_cookie,
    second_factor,
    service,
    sign_ups,
)
from backend.auth.schemas import (
    AddressRequest,
    ChallengeSchema,
    CodeProof,
    CodeRequest,
    Credentials,
    EmailChangeProof,
    IdentityProof,
    LoginSchema,
    PasswordChange,
    PasswordResetSubmit,
    RecoveryCodesSchema,
    RefreshRequest,
    Registration,
    SecondFactorProof,
    SecondFactorSchema,
    SignInSchema,
    SignInSessionSchema,
    SignOut,
    TotpCode,
    TotpSetupSchema,
)
from backend.auth.second_factor import SecondFactorDue
from backend.auth.sign_ins import SignIn
from backend.auth.sign_ups import Challenge
from backend.errors import (
    Forbidden,
    InvalidCode,
    InvalidCredentials,
    InvalidInput,
    InvalidRefreshToken,
    InvalidResetLink,
    NotFound,
    SecondFactorSet,
    ServiceUnavailable,
    TooManyRequests,
)
from backend.models import User
from backend.users.schemas import UserSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.clients import client_name
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("auth", __name__)


@api.resource("/auth/register")
class Register(Resource):
    """A sign-up."""

    @operation(
        public=True,
        body=Registration(),
        response=ChallengeSchema(),
        status=HTTPStatus.ACCEPTED,
        raises=(TooManyRequests, ServiceUnavailable),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> Challenge:
        """Sign up.

        A code of six digits goes to the address. The answer is the same when the address belongs to
        somebody already; the mail then says so.
        """
        limits.count_code_sent(client_name())
        return sign_ups.register(**body)


@api.resource("/auth/resend-otp")
class OtpResend(Resource):
    """Another code."""

    @operation(
        public=True,
        body=CodeRequest(),
        response=ChallengeSchema(),
        status=HTTPStatus.ACCEPTED,
        raises=(TooManyRequests,),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> Challenge:
        """Send a new code; the one before is dead.

        An unknown or dead challenge is answered alike, and nothing is sent.
        """
        limits.count_code_sent(client_name())
        return sign_ups.resend_otp(**body)


@api.resource("/auth/verify-otp")
class OtpVerification(Resource):
    """The proof of an address."""

    @operation(
        public=True,
        body=CodeProof(),
        response=SignInSchema(),
        raises=(InvalidCode, TooManyRequests, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Prove your address by the code, and be signed in.

        A code works once and for ten minutes; five wrong ones end it.
        """
        in_cookie = refresh_cookie.is_wanted()
        limits.count_code_tried(client_name())
        return _signed_in(
            sign_ups.verify_otp(**body, user_agent=request.user_agent.string), in_cookie=in_cookie
        )


@api.resource("/auth/login")
class Login(Resource):
    """A sign-in."""

    @operation(
        public=True,
        body=Credentials(),
        response=LoginSchema(),
        raises=(InvalidCredentials, TooManyRequests, ServiceUnavailable, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign in.

        Who has set up a second factor gets a challenge instead of tokens, for `/auth/second-factor`.
        With `X-Refresh: cookie` the refresh token goes into a cookie of this site that no script can
        read, and is null in the body.
        """
        in_cookie = refresh_cookie.is_wanted()
        email, client = body["email"], client_name()
        limits.check_sign_in(email, client)
        try:
            signed_in = service.sign_in(**body, user_agent=request.user_agent.string)
        except InvalidCredentials:
            limits.count_wrong_sign_in(email, client)
            raise
        # Again, for those who tried many passwords at the same moment.
        limits.check_sign_in(email, client)
        if isinstance(signed_in, SecondFactorDue):
            limits.count_second_factor(email, client)
            return dataclasses.asdict(signed_in)
        return _signed_in(signed_in, in_cookie=in_cookie)


@api.resource("/auth/second-factor")
class SecondFactorCheck(Resource):
    """The second half of a sign-in."""

    @operation(
        public=True,
        body=SecondFactorProof(),
        response=SignInSchema(),
        raises=(InvalidCode, TooManyRequests, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign in by a code of your authenticator app, or by a recovery code.

        A challenge lasts five minutes and allows five tries; each code works once.
        """
        in_cookie = refresh_cookie.is_wanted()
        limits.count_code_tried(client_name())
        return _signed_in(
            second_factor.pass_challenge(**body, user_agent=request.user_agent.string),
            in_cookie=in_cookie,
        )


@api.resource("/auth/forgot-password")
class PasswordForgotten(Resource):
    """A link to choose another password."""

    @operation(
        public=True,
        body=AddressRequest(),
        status=HTTPStatus.ACCEPTED,
        raises=(TooManyRequests,),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> None:
        """Ask for a link to choose another password.

        It goes to the address by mail, and works once and for half an hour. The answer is the same when
        nobody has the address; the mail then says so.
        """
        limits.count_code_sent(client_name())
        password_changes.request_reset(**body)


@api.resource("/auth/reset-password")
class PasswordReset(Resource):
    """Another password, by a link."""

    @operation(
        public=True,
        body=PasswordResetSubmit(),
        status=HTTPStatus.NO_CONTENT,
        raises=(InvalidResetLink, InvalidInput, TooManyRequests, ServiceUnavailable),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> None:
        """Choose another password by the link that came; every sign-in ends."""
        limits.count_code_tried(client_name())
        password_changes.reset_password(**body)


@api.resource("/auth/confirm")
class IdentityConfirmation(Resource):
    """A fresh proof of who the caller is."""

    @operation(
        body=IdentityProof(),
        status=HTTPStatus.NO_CONTENT,
        raises=(InvalidCredentials, InvalidCode, TooManyRequests, ServiceUnavailable),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> None:
        """Prove again who you are; sensitive acts are let through for ten minutes."""
        user = caller()
        with _counting_wrong_tries(user.email):
            service.confirm_identity(user, **body)


@api.resource("/auth/refresh")
class Refresh(Resource):
    """The exchange of a refresh token."""

    @operation(
        public=True,
        body=RefreshRequest(),
        response=SignInSchema(),
        raises=(InvalidRefreshToken, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Exchange a refresh token for a new pair.

        A token works once; for ten seconds after, it gives the same pair again. Used later, it ends
        the sign-in. With `X-Refresh: cookie` it is read from the cookie.
        """
        in_cookie = refresh_cookie.is_wanted()
        token = refresh_cookie.read() if in_cookie else body["refresh_token"]
        try:
            refreshed = service.refresh(refresh_token=token or "")
        except InvalidRefreshToken:
            if in_cookie:
                refresh_cookie.forget()
            raise
        return _signed_in(refreshed, in_cookie=in_cookie)


@api.resource("/auth/logout")
class Logout(Resource):
    """The end of a sign-in."""

    @operation(body=SignOut(), status=HTTPStatus.NO_CONTENT, transaction=False)
    def post(self, body: dict[str, Any]) -> None:
        """Sign out here, or everywhere; the tokens are dead at once."""
        service.sign_out(caller(), everywhere=body["everywhere"])
        if refresh_cookie.read() is not None:
            refresh_cookie.forget()


@api.resource("/me/password")
class OwnPassword(Resource):
    """The caller's password."""

    @operation(
        body=PasswordChange(),
        response=SignInSchema(),
        raises=(InvalidCredentials, InvalidInput, TooManyRequests, ServiceUnavailable, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change your password; every sign-in ends, and you get the tokens of a new one."""
        in_cookie = refresh_cookie.is_wanted()
        user = caller()
        with _counting_wrong_tries(user.email):
            signed_in = password_changes.change_password(
                user, **body, user_agent=request.user_agent.string
            )
        return _signed_in(signed_in, in_cookie=in_cookie)


@api.resource("/me/email")
class OwnEmail(Resource):
    """The caller's address."""

    @operation(
        body=AddressRequest(),
        response=ChallengeSchema(),
        status=HTTPStatus.ACCEPTED,
        raises=(InvalidInput, TooManyRequests),
        transaction=False,
        fresh=True,
    )
    def post(self, body: dict[str, Any]) -> Challenge:
        """Ask to move to another address; a code goes to the old one and another to the new one."""
        limits.count_code_sent(client_name())
        return email_changes.request_email_change(caller(), **body)


@api.resource("/me/email/confirm")
class OwnEmailConfirmation(Resource):
    """The caller's other address."""

    @operation(
        body=EmailChangeProof(),
        response=UserSchema(),
        raises=(InvalidCode, TooManyRequests),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> User:
        """Move to the other address by both codes."""
        limits.count_code_tried(client_name())
        return email_changes.confirm_email_change(caller(), **body)


@api.resource("/me/sessions")
class OwnSignInList(Resource):
    """Where the caller is signed in."""

    @operation(query=PageQuery(), response=page_schema(SignInSessionSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List where you are signed in, the newest first."""
        user = caller()
        return sign_in_page(user.id, query, current_id=user.session_id)

    @operation(status=HTTPStatus.NO_CONTENT)
    def delete(self) -> None:
        """Sign out everywhere else."""
        service.end_other_sign_ins(caller())


@api.resource("/me/sessions/<id:session_id>")
class OwnSignInOne(Resource):
    """One place where the caller is signed in."""

    @operation(status=HTTPStatus.NO_CONTENT, raises=(NotFound,))
    def delete(self, session_id: int) -> None:
        """Sign out there; its tokens are dead at once."""
        service.end_own_sign_in(caller(), session_id)


@api.resource("/me/totp")
class OwnSecondFactor(Resource):
    """The caller's second factor."""

    @operation(response=SecondFactorSchema())
    def get(self) -> second_factor.SecondFactor:
        """Read how your second factor stands."""
        return second_factor.get_second_factor(caller())

    @operation(
        response=TotpSetupSchema(),
        status=HTTPStatus.CREATED,
        raises=(SecondFactorSet, NotFound),
        fresh=True,
    )
    def post(self) -> second_factor.Setup:
        """Get a key for your authenticator app; confirm it by a code."""
        return second_factor.begin_setup(caller())

    @operation(status=HTTPStatus.NO_CONTENT, raises=(NotFound,), fresh=True)
    def delete(self) -> None:
        """Remove your second factor."""
        user = caller()
        second_factor.remove_second_factor(user.id, actor_id=user.id)


@api.resource("/me/totp/confirm")
class OwnSecondFactorConfirmation(Resource):
    """The caller's second factor, coming into force."""

    @operation(
        body=TotpCode(),
        response=RecoveryCodesSchema(),
        raises=(InvalidCode, SecondFactorSet, TooManyRequests, NotFound),
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Show a code of the app; from now on signing in asks for one. The recovery codes come this once."""
        limits.count_code_tried(client_name())
        return {"recovery_codes": second_factor.confirm_setup(caller(), **body)}


@api.resource("/me/recovery-codes")
class OwnRecoveryCodes(Resource):
    """Codes that stand in for the authenticator app."""

    @operation(
        response=RecoveryCodesSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound,),
        fresh=True,
    )
    def post(self) -> dict[str, Any]:
        """Get new recovery codes; the old ones are dead."""
        return {"recovery_codes": second_factor.make_recovery_codes(caller())}


@api.resource("/users/<id:user_id>/sessions")
class UserSignInList(Resource):
    """Where a user is signed in."""

    @operation(
        roles=("admin",),
        query=PageQuery(),
        response=page_schema(SignInSessionSchema),
        raises=(NotFound,),
    )
    def get(self, user_id: int, query: dict[str, Any]) -> Page:
        """List where a user is signed in, the newest first."""
        service.check_user(user_id)
        return sign_in_page(user_id, query, current_id=caller().session_id)

    @operation(roles=("admin",), status=HTTPStatus.NO_CONTENT, raises=(NotFound,))
    def delete(self, user_id: int) -> None:
        """Sign a user out everywhere; the tokens are dead at once."""
        service.end_sign_ins_of(caller(), user_id)


@api.resource("/users/<id:user_id>/totp")
class UserSecondFactor(Resource):
    """A user's second factor."""

    @operation(roles=("admin",), status=HTTPStatus.NO_CONTENT, raises=(NotFound,), fresh=True)
    def delete(self, user_id: int) -> None:
        """Remove the second factor of somebody who lost the app and the recovery codes."""
        second_factor.remove_second_factor(user_id, actor_id=caller().id)


def sign_in_page(user_id: int, query: dict[str, Any], *, current_id: int | None = None) -> Page:
    """Give one page of the sign-ins of a user."""
    before = None if query["cursor"] is None else read_cursor(query["cursor"], int)[0]
    found = service.list_sign_ins(user_id, limit=query["limit"], before=before)
    page = page_of(found, query["limit"], "id", total=service.count_sign_ins(user_id))
    items = [
        {
            "id": each.id,
            "current": each.id == current_id,
            "user_agent": each.user_agent,
            "client": each.client,
            "created_at": each.created_at,
            "refreshed_at": each.refreshed_at,
        }
        for each in page.items
    ]
    return dataclasses.replace(page, items=items)


@contextmanager
def _counting_wrong_tries(email: str) -> Iterator[None]:
    """Let nobody who found a browser open try passwords there without end."""
    client = client_name()
    limits.check_sign_in(email, client)
    try:
        yield
    except InvalidCredentials:
        limits.count_wrong_sign_in(email, client)
        raise
    limits.check_sign_in(email, client)


def _signed_in(sign_in: SignIn, *, in_cookie: bool) -> dict[str, Any]:
    if in_cookie:
        refresh_cookie.write(sign_in.tokens.refresh_token)
    return {
        "access_token": sign_in.tokens.access_token,
        "refresh_token": None if in_cookie else sign_in.tokens.refresh_token,
        "token_type": "Bearer",  # a name # nosec B105
        "expires_in": sign_in.tokens.expires_in,
        "user": sign_in.user,
    }
