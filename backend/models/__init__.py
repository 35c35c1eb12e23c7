"""Every table, one aggregate a file."""

from backend.models.audit import AuditEntry
from backend.models.base import FOREVER, Base, UtcDateTime
from backend.models.claim import SpotClaim
from backend.models.idempotency import IdempotencyKey
from backend.models.job import Job, JobFile
from backend.models.lot import Closure, Lot, LotAmenity, LotStaff, Spot
from backend.models.mail import OutboxMail
from backend.models.payment import DocumentCounter, Payment, Receipt, SandboxIntent
from backend.models.reservation import Reservation
from backend.models.tariff import Quote, Tariff, TariffIncrement, TariffTax
from backend.models.user import (
    EmailChange,
    OtpAddress,
    OtpChallenge,
    OtpIssue,
    PasswordReset,
    RecoveryCode,
    Role,
    SecondFactorChallenge,
    SignInSession,
    User,
    users_roles,
)
from backend.models.vehicle import Vehicle

__all__ = [
    "FOREVER",
    "AuditEntry",
    "Base",
    "Closure",
    "DocumentCounter",
    "EmailChange",
    "IdempotencyKey",
    "Job",
    "JobFile",
    "Lot",
    "LotAmenity",
    "LotStaff",
    "OtpAddress",
    "OtpChallenge",
    "OtpIssue",
    "OutboxMail",
    "PasswordReset",
    "Payment",
    "Quote",
    "Receipt",
    "RecoveryCode",
    "Reservation",
    "Role",
    "SandboxIntent",
    "SecondFactorChallenge",
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
