"""The catalogue of everything that this system refuses (RFC 9457), one class each.

Renaming a class renames its ``type`` and is a change of the API.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818 - a Problem says what is wrong: LotFull, not LotFullError
    """A refusal that the caller may read: a status, a title and a full sentence."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        look_up: Callable[[], dict[str, Any]] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or f"{self.title}."
        self.extensions = extensions
        self.look_up = look_up
        """Gives further extensions; asked when the refused transaction is over, so that nobody waits for it."""

    @classmethod
    def slug(cls) -> str:
        """Give the last part of the problem's type: LotFull is ``lot-full``."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


class BadRequest(Problem):
    """The request cannot be read: broken JSON, or nested too deeply."""

    status = HTTPStatus.BAD_REQUEST
    title = "The request cannot be read"


class Unauthenticated(Problem):
    """There is no valid access token in the Authorization header."""

    status = HTTPStatus.UNAUTHORIZED
    title = "Please sign in"


class InvalidCredentials(Problem):
    """The address and the password do not belong together."""

    status = HTTPStatus.UNAUTHORIZED
    title = "The e-mail address or the password is wrong"


class InvalidRefreshToken(Problem):
    """The refresh token is unknown, used before, too old, or its sign-in has ended."""

    status = HTTPStatus.UNAUTHORIZED
    title = "Please sign in again"


class Forbidden(Problem):
    """The caller's roles do not allow this."""

    status = HTTPStatus.FORBIDDEN
    title = "You may not do this"


class FreshSignInRequired(Problem):
    """The act is sensitive, and it is a while since the caller proved who they are: ``POST /auth/confirm``."""

    status = HTTPStatus.FORBIDDEN
    title = "Please confirm that it is you"


class SecondFactorRequired(Problem):
    """An admin must set up an authenticator app before acting as one."""

    status = HTTPStatus.FORBIDDEN
    title = "Admins need a second factor"


class NotFound(Problem):
    """There is no such thing, or it belongs to somebody else."""

    status = HTTPStatus.NOT_FOUND
    title = "This was not found"


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    title = "This method is not allowed here"


class Conflict(Problem):
    """Somebody else changed this at the same moment."""

    status = HTTPStatus.CONFLICT
    title = "This was changed at the same moment"


class PreconditionFailed(Problem):
    """The thing is no longer what If-Match says."""

    status = HTTPStatus.PRECONDITION_FAILED
    title = "This was changed since you read it"


class ContentTooLarge(Problem):
    """The body is over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The request is too large"


class UnsupportedMediaType(Problem):
    """The body is not of a kind that is read here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "This kind of content is not accepted here"


class InvalidInput(Problem):
    """Some fields are missing, unknown or wrong; ``errors`` names each."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Some fields need another look"


class TooManyRequests(Problem):
    """A limit on tries is used up; ``retry_after`` is in seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    title = "Too many tries"


class InternalError(Problem):
    """A fault of ours; the request id finds it in the log."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    title = "Something went wrong on our side"


class ServiceUnavailable(Problem):
    """A part of the system is away; ``retry_after`` is in seconds."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "The service is busy, please try again"


class IdempotencyKeyReused(Problem):
    """The key came before with another body."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This idempotency key was used for another request"


class RequestInProgress(Problem):
    """The same request with the same key is still running; ``retry_after`` is in seconds."""

    status = HTTPStatus.CONFLICT
    title = "The same request is still running"


class InvalidCode(Problem):
    """The one-time code is wrong, used, or too old."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The code is wrong or too old"


class InvalidResetLink(Problem):
    """The link to choose another password is wrong, used, or too old."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This link is wrong or too old"


class SecondFactorSet(Problem):
    """There is an authenticator app already; remove it before setting up another."""

    status = HTTPStatus.CONFLICT
    title = "A second factor is set up already"


class LastAdmin(Problem):
    """It would leave nobody to run the system."""

    status = HTTPStatus.CONFLICT
    title = "The last admin stays"


class AccountInUse(Problem):
    """The account has bookings that are not over; ``reservations`` counts them."""

    status = HTTPStatus.CONFLICT
    title = "This account has bookings that are not over"


class PlateTaken(Problem):
    """The driver has a vehicle with this plate already."""

    status = HTTPStatus.CONFLICT
    title = "You have a vehicle with this plate already"


class VehicleInUse(Problem):
    """A live reservation stands for the vehicle."""

    status = HTTPStatus.CONFLICT
    title = "This vehicle has a booking"


class TooManyVehicles(Problem):
    """The driver has as many vehicles as allowed."""

    status = HTTPStatus.CONFLICT
    title = "You have too many vehicles"


class LabelTaken(Problem):
    """The lot has a bay with this label already."""

    status = HTTPStatus.CONFLICT
    title = "The lot has a bay with this label already"


class LotInUse(Problem):
    """Live reservations stand in the lot; ``reservations`` lists them."""

    status = HTTPStatus.CONFLICT
    title = "This lot has bookings"


class SpotInUse(Problem):
    """Live reservations stand on the bay; ``reservations`` lists them."""

    status = HTTPStatus.CONFLICT
    title = "This bay has bookings"


class IllegalTransition(Problem):
    """The thing is not in a state from which this is possible; ``status_now`` tells which."""

    status = HTTPStatus.CONFLICT
    title = "This is not possible any more"


class FileUnreadable(Problem):
    """The uploaded file is not one of the kinds read here, or is broken from the start."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The file cannot be read"


class TariffNotDraft(Problem):
    """The tariff was published before; a published one is never changed."""

    status = HTTPStatus.CONFLICT
    title = "This tariff is published already"


class LotNotBookable(Problem):
    """The lot cannot be booked for this window or vehicle; ``reason`` tells why."""

    status = HTTPStatus.CONFLICT
    title = "The lot cannot be booked for this time"


class QuoteExpired(Problem):
    """The quote is older than its time; ask for a new one."""

    status = HTTPStatus.CONFLICT
    title = "This price has expired"


class SpotTaken(Problem):
    """The pinned bay is not free for the window; ``alternatives`` lists what is."""

    status = HTTPStatus.CONFLICT
    title = "This bay is taken"


class LotFull(Problem):
    """No bay that fits is free for the window; ``alternatives`` lists what is."""

    status = HTTPStatus.CONFLICT
    title = "The lot has no free bay"


class VehicleDoesNotFit(Problem):
    """The bay is of a kind that the vehicle may not use, or the lot is too low."""

    status = HTTPStatus.CONFLICT
    title = "The vehicle does not fit"


class VehicleAlreadyBooked(Problem):
    """A live reservation of the same plate overlaps the window."""

    status = HTTPStatus.CONFLICT
    title = "This vehicle is booked for that time already"


class TooManyHolds(Problem):
    """The driver has as many unpaid holds as allowed."""

    status = HTTPStatus.CONFLICT
    title = "You have too many unpaid bookings"


class TooManyReservations(Problem):
    """The driver has as many live reservations as allowed."""

    status = HTTPStatus.CONFLICT
    title = "You have too many open bookings"


class HoldExpired(Problem):
    """The hold's deadline is past, and with it the right to pay."""

    status = HTTPStatus.CONFLICT
    title = "The time to pay is over"


class AlreadyPaid(Problem):
    """Nothing is due on the reservation."""

    status = HTTPStatus.CONFLICT
    title = "This booking is paid already"


class PaymentInProgress(Problem):
    """Another payment of the same reservation is not decided yet."""

    status = HTTPStatus.CONFLICT
    title = "A payment is under way"


class PaymentDue(Problem):
    """Something is to be paid before the car may leave; ``due_minor`` and ``currency`` tell how much."""

    status = HTTPStatus.CONFLICT
    title = "There is something to pay first"


class DebtStands(Problem):
    """The driver left without paying all: ``reservations`` lists what is owed, and nothing new is booked before."""

    status = HTTPStatus.CONFLICT
    title = "Please pay what is open first"


class RefundChanged(Problem):
    """What would come back is not what the driver was told; ``refund_minor`` tells what it is now."""

    status = HTTPStatus.CONFLICT
    title = "The refund has changed meanwhile"


class RefundExceedsPayment(Problem):
    """More would go back than is left of the payment; ``refundable_minor`` tells how much is."""

    status = HTTPStatus.CONFLICT
    title = "That is more than was paid"


class ExtensionBlocked(Problem):
    """The bay is taken afterwards; ``longest_ends_at`` and ``alternatives`` tell what can be had."""

    status = HTTPStatus.CONFLICT
    title = "The bay is taken after that"


class EntryRefused(Problem):
    """The gate stays shut; ``reason`` tells why."""

    status = HTTPStatus.CONFLICT
    title = "No entry"


class CouponNotValid(Problem):
    """The coupon is unknown, over, used up, or not for this lot; ``reason`` tells which."""

    status = HTTPStatus.CONFLICT
    title = "This coupon does not count here"


class PreviewOutdated(Problem):
    """What would happen is not what was shown any more; ask again."""

    status = HTTPStatus.CONFLICT
    title = "This has changed since you looked"


class AlreadyWaiting(Problem):
    """The driver waits for this very window already."""

    status = HTTPStatus.CONFLICT
    title = "You are waiting for this already"


class LotHasRoom(Problem):
    """There is nothing to wait for: a bay that fits is free."""

    status = HTTPStatus.CONFLICT
    title = "There is a free bay"


class ReviewNotAllowed(Problem):
    """The stay is not over, was reviewed before, or the time to change the review is past; ``reason`` tells."""

    status = HTTPStatus.CONFLICT
    title = "This stay cannot be reviewed"


class InvalidSignature(Problem):
    """The signature of the event is missing, wrong, or too old."""

    status = HTTPStatus.BAD_REQUEST
    title = "The signature does not hold"


class LinkNotValid(Problem):
    """The link of a mail is none of ours, too old, or about what is over; ``reason`` tells which."""

    status = HTTPStatus.GONE
    title = "This link does not work any more"


class NotRetryable(Problem):
    """What failed cannot be done again: its secret is gone, or it is not over."""

    status = HTTPStatus.CONFLICT
    title = "This cannot be tried again"


class ReportNotReady(Problem):
    """The report is not made yet, or could not be made."""

    status = HTTPStatus.CONFLICT
    title = "This report is not ready"


class SentOften(Problem):
    """It was mailed as often as it may be."""

    status = HTTPStatus.CONFLICT
    title = "This was sent often enough"


class ExportUnderWay(Problem):
    """Another export of this kind is being made for the user; ``job_id`` tells which."""

    status = HTTPStatus.CONFLICT
    title = "An export of this kind is being made"
