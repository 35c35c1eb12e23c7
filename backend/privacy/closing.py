"""The end of an account: nothing of the person is left but the number that bookings and receipts refer to."""

import secrets

from sqlalchemy import String, cast, delete, exists, func, literal, or_, select, update

from backend.addresses import closed_address
from backend.audit.service import record
from backend.auth.passwords import unmatched_hash
from backend.claims.service import sweep_stale_holds
from backend.clock import now
from backend.config import settings
from backend.errors import AccountInUse, Unauthenticated
from backend.extensions import db
from backend.identity import Caller
from backend.jobs.service import forget_jobs
from backend.models import (
    EmailChange,
    GateScan,
    IdempotencyKey,
    LotStaff,
    OtpAddress,
    OtpChallenge,
    PasswordReset,
    Payment,
    RecoveryCode,
    Refund,
    Reservation,
    ReservationEvent,
    SecondFactorChallenge,
    SignInSession,
    User,
    Vehicle,
    WaitlistEntry,
    users_roles,
)
from backend.models.reservation import still_stands
from backend.notifications.choosing import forget_notifications
from backend.notifications.service import MailReader, forget_mail, queue_mail
from backend.reports.service import forget_reports
from backend.transaction import TryAgain
from backend.users.last_admin import check_another_admin, lock_admins

_NAME = "Closed account"
# Of what becomes of money under review, or on its way back, its owner must be told.
_UNDECIDED = ("pending", "requires_action", "review")


def close_account(user: Caller) -> None:
    """Close the caller's account for good; what it booked and paid stays, without a name.

    Raises:
        AccountInUse: bookings of it are not over or not paid, or money is on its way.
        LastAdmin: nobody would be left to run the system.
        Unauthenticated: it was closed or disabled a moment ago.
        TryAgain: its address was changed this very moment.

    """
    address = db.session.scalar(select(User.email).where(User.id == user.id, User.active))
    if address is None:
        raise Unauthenticated("This account was closed or disabled a moment ago.")
    # In the order of those who use them: an address or a link comes before its user.
    _forget_codes(user.id, address)
    lock_admins()
    account = _lock_account(user.id)
    if account is None or account.email != address:
        raise TryAgain
    check_another_admin(user.id)
    _stop_waiting(user.id)
    _check_nothing_stands(user.id)
    _anonymise(account)
    _forget_what_was_theirs(user.id)
    forget_jobs(user.id)
    forget_reports(user.id)
    forget_notifications(user.id)
    forget_mail(address, instead=account.email)
    record("user.deleted", "user", user.id, actor_id=user.id)
    queue_mail(
        "account-closed",
        address,
        key=f"account-closed:{user.id}",
        context={},
        reader=MailReader(locale=user.locale),
    )


def _forget_codes(user_id: int, address: str) -> None:
    """Delete the codes and links on their way, and let no more be issued until this transaction ends."""
    names = [address, f"reset:{address}", f"email:{address}"]
    db.session.execute(delete(OtpAddress).where(OtpAddress.email.in_(names)))
    db.session.execute(delete(OtpChallenge).where(OtpChallenge.email == address))
    for model in (PasswordReset, EmailChange, SecondFactorChallenge):
        db.session.execute(delete(model).where(model.user_id == user_id))


def _stop_waiting(user_id: int) -> None:
    """Take the account off every waitlist, so that nothing that becomes free is offered to it any more."""
    db.session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.user_id == user_id, WaitlistEntry.status == "waiting")
        .values(status="left", ended_at=now())
    )


def _lock_account(user_id: int) -> User | None:
    """Lock the user's row, as whoever books or adds a vehicle does.

    A payment merely refers to it and need not wait; it is found undecided instead.
    """
    return db.session.scalar(
        select(User)
        .where(User.id == user_id, User.active)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _check_nothing_stands(user_id: int) -> None:
    sweep_stale_holds(lot_id=None, plate="", user_id=user_id)
    reservations = db.session.scalar(
        select(func.count())
        .select_from(Reservation)
        .where(Reservation.user_id == user_id, still_stands(now()))
    )
    if reservations:
        raise AccountInUse(
            "Cancel your bookings, or wait until they are over.",
            reservations=reservations,
            payments=0,
        )
    debts = db.session.scalar(
        select(func.count())
        .select_from(Reservation)
        .where(Reservation.user_id == user_id, Reservation.debt_minor > 0)
    )
    if debts:
        raise AccountInUse(
            "Pay what is open of earlier stays first.", reservations=debts, payments=0
        )
    payments = db.session.scalar(
        select(func.count())
        .select_from(Payment)
        .where(
            Payment.user_id == user_id,
            or_(
                Payment.status.in_(_UNDECIDED),
                exists().where(Refund.payment_id == Payment.id, Refund.status == "pending"),
            ),
        )
    )
    if payments:
        raise AccountInUse(
            "A payment of yours is not decided yet. Try again in a while.",
            reservations=0,
            payments=payments,
        )


def _anonymise(account: User) -> None:
    current = settings()
    account.name = _NAME
    account.email = closed_address(account.id)
    account.phone = None
    account.tax_id = None
    account.password = unmatched_hash(current.bcrypt_rounds)
    account.active = False
    account.epoch += 1
    account.accessible_permit = False
    account.totp_secret = account.totp_since = account.totp_step = None
    account.fs_uniquifier = secrets.token_hex(16)
    account.timezone, account.locale = current.timezone, current.locale
    account.deleted_at = now()
    # The address is a key: from here on nobody adds a row that refers to the user, and what somebody
    # added a moment ago is there to be found.
    db.session.flush()


def _forget_what_was_theirs(user_id: int) -> None:
    for model in (SignInSession, RecoveryCode, IdempotencyKey, LotStaff):
        db.session.execute(delete(model).where(model.user_id == user_id))
    db.session.execute(delete(users_roles).where(users_roles.c.user_id == user_id))
    _forget_plates(user_id)
    db.session.execute(
        update(Vehicle)
        .where(Vehicle.user_id == user_id)
        .values(
            plate="",
            height_cm=None,
            label="",
            make="",
            model="",
            colour="",
            is_default=False,
            deleted_at=func.coalesce(Vehicle.deleted_at, now()),
        )
    )
    # One of its own for each, which no plate looks like: two of the same would exclude one another. What
    # the law wants kept of a stay stands on its receipt.
    db.session.execute(
        update(Reservation)
        .where(Reservation.user_id == user_id)
        .values(plate=literal("CLOSED-") + cast(Reservation.id, String))
    )


def _forget_plates(user_id: int) -> None:
    """Forget what gates read and what histories tell of the plates, which still stand by the vehicles."""
    mine = select(Reservation.id).where(Reservation.user_id == user_id)
    plates = select(Vehicle.plate).where(Vehicle.user_id == user_id)
    db.session.execute(
        update(GateScan)
        .where(
            GateScan.credential == "plate",
            or_(GateScan.reservation_id.in_(mine), GateScan.shown.in_(plates)),
        )
        .values(shown="")
    )
    db.session.execute(
        update(ReservationEvent)
        .where(
            ReservationEvent.reservation_id.in_(mine), ReservationEvent.kind == "vehicle-changed"
        )
        .values(facts={})
    )
