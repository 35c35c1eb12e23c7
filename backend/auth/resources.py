"""``/auth``: sign-up by code, sign-in, refresh, sign-out."""

from http import HTTPStatus
from typing import Any

from flask import request

from backend.auth import limits, refresh_cookie, service, sign_ups
from backend.auth.schemas import (
    ChallengeSchema,
    CodeProof,
    CodeRequest,
    Credentials,
    RefreshRequest,
    Registration,
    SignInSchema,
    SignOut,
)
from backend.auth.sign_ins import SignIn
from backend.auth.sign_ups import Challenge
from backend.errors import (
    Forbidden,
    InvalidCode,
    InvalidCredentials,
    InvalidRefreshToken,
    ServiceUnavailable,
    TooManyRequests,
)
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.limits import client_name
from backend.web.operation import operation

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
        response=SignInSchema(),
        raises=(InvalidCredentials, TooManyRequests, ServiceUnavailable, Forbidden),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign in.

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
        return _signed_in(signed_in, in_cookie=in_cookie)


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


def _signed_in(sign_in: SignIn, *, in_cookie: bool) -> dict[str, Any]:
    if in_cookie:
        refresh_cookie.write(sign_in.tokens.refresh_token)
    return {
        "access_token": sign_in.tokens.access_token,
        "refresh_token": None if in_cookie else sign_in.tokens.refresh_token,
        "token_type": "Bearer",
        "expires_in": sign_in.tokens.expires_in,
        "user": sign_in.user,
    }
