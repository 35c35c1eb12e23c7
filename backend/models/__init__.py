"""Every table, one aggregate a file."""

from backend.models.audit import AuditEntry
from backend.models.base import FOREVER, Base, UtcDateTime
from backend.models.claim import SpotClaim
from backend.models.idempotency import IdempotencyKey
from backend.models.invariants import InvariantRun
from backend.models.job import Job, JobFile, JobFilePart
from backend.models.lot import Closure, Lot, LotAmenity, LotStaff, Spot
from backend.models.mail import OutboxMail
from backend.models.notification import Notification, NotificationSetting, Reminder
from backend.models.payment import (
    CreditNote,
    DocumentCounter,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Receipt,
    Refund,
    SandboxIntent,
    WebhookEvent,
)
from backend.models.report import Report, ReportFile
from backend.models.reservation import Reservation
from backend.models.review import Review
from backend.models.stay import GateScan, ReservationEvent, Stay
from backend.models.tariff import (
    Coupon,
    CouponUse,
    Quote,
    Tariff,
    TariffBand,
    TariffDayRule,
    TariffIncrement,
    TariffKindRule,
    TariffTax,
)
from backend.models.task import TaskFailure
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
from backend.models.waitlist import WaitlistEntry

__all__ = [
    "FOREVER",
    "AuditEntry",
    "Base",
    "Closure",
    "Coupon",
    "CouponUse",
    "CreditNote",
    "DocumentCounter",
    "EmailChange",
    "GateScan",
    "IdempotencyKey",
    "InvariantRun",
    "Job",
    "JobFile",
    "JobFilePart",
    "LedgerEntry",
    "LedgerTransaction",
    "Lot",
    "LotAmenity",
    "LotStaff",
    "Notification",
    "NotificationSetting",
    "OtpAddress",
    "OtpChallenge",
    "OtpIssue",
    "OutboxMail",
    "PasswordReset",
    "Payment",
    "Quote",
    "Receipt",
    "RecoveryCode",
    "Refund",
    "Reminder",
    "Report",
    "ReportFile",
    "Reservation",
    "ReservationEvent",
    "Review",
    "Role",
    "SandboxIntent",
    "SecondFactorChallenge",
    "SignInSession",
    "Spot",
    "SpotClaim",
    "Stay",
    "Tariff",
    "TariffBand",
    "TariffDayRule",
    "TariffIncrement",
    "TariffKindRule",
    "TariffTax",
    "TaskFailure",
    "User",
    "UtcDateTime",
    "Vehicle",
    "WaitlistEntry",
    "WebhookEvent",
    "users_roles",
]
