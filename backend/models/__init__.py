"""Every table, one aggregate a file."""

from backend.models.base import FOREVER, Base, UtcDateTime
from backend.models.claim import SpotClaim
from backend.models.idempotency import IdempotencyKey
from backend.models.lot import Closure, Lot, LotAmenity, Spot
from backend.models.mail import OutboxMail
from backend.models.payment import DocumentCounter, Payment, Receipt, SandboxIntent
from backend.models.reservation import Reservation
from backend.models.tariff import Quote, Tariff, TariffIncrement, TariffTax
from backend.models.user import (
    OtpAddress,
    OtpChallenge,
    OtpIssue,
    Role,
    SignInSession,
    User,
    users_roles,
)
from backend.models.vehicle import Vehicle

__all__ = [
    "FOREVER",
    "Base",
    "Closure",
    "DocumentCounter",
    "IdempotencyKey",
    "Lot",
    "LotAmenity",
    "OtpAddress",
    "OtpChallenge",
    "OtpIssue",
    "OutboxMail",
    "Payment",
    "Quote",
    "Receipt",
    "Reservation",
    "Role",
    "SandboxIntent",
    "SignInSession",
    "Spot",
    "SpotClaim",
    "Tariff",
    "TariffIncrement",
    "TariffTax",
    "User",
    "UtcDateTime",
    "Vehicle",
    "users_roles",
]
