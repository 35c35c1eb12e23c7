"""An example of what each mail is told, for its preview and its tests."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from backend.notifications.rendering import TEMPLATES
from backend.notifications.wording import LANGUAGES, day_text, moment_text, month_text, window_text

_SITE = "https://park.example"
_START = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
_END = _START + timedelta(hours=2)
_ZONE = "Asia/Kolkata"
_MONTH = date(2026, 10, 1)

_CODE = {"minutes": 10, "code": "482913"}
_BOOKINGS: dict[str, dict[str, Any]] = {
    "ticket": {"receipt": "R-2026-000042"},
    "cancelled": {"refund": "₹60.00", "kept": "₹20.00", "by_operator": False, "reason": ""},
    "completed": {"debt": "₹15.00"},
    "displaced": {"refund": "₹80.00", "kept": "", "by_operator": True, "reason": "Bay blocked"},
    "extended": {"due": "₹40.00", "old_bay": "A12"},
    "moved": {"old_bay": "A12", "reason": "overstay"},
    "no-show": {},
    "overstay": {"due": "₹35.00"},
    "rescheduled": {"due": "", "refund": "₹10.00"},
    "vehicle-changed": {"former_plate": "DL8CAF5030"},
    "waitlist-offer": {},
}
_ACCOUNT: dict[str, dict[str, Any]] = {
    "account-closed": {},
    "address-known": {},
    "email-change-new": _CODE,
    "email-change-old": _CODE,
    "email-changed": {},
    "otp": _CODE,
    "password-changed": {},
    "password-reset": {"minutes": 30, "token": "Xb2mQnVw7uLk0aPz"},  # opens nothing # nosec B105
    "password-reset-unknown": {},
    "second-factor-removed": {},
    "second-factor-set": {},
    "export-made": {"file": "reservations-2026-11-23.xlsx", "days": 7},
    "export-ready": {"days": 7},
}
_MONEY: dict[str, dict[str, Any]] = {
    "payment-returned": {},
    "receipt": {"receipt": "R-2026-000042", "payment_id": 1},
    "refund": {"reason": "Cancelled in time", "note": "C-2026-000007"},
}
_LINKS = {
    "extend_url": f"{_SITE}/act#token=extend",
    "cancel_url": f"{_SITE}/act#token=cancel",
    "directions_url": f"{_SITE}/act#token=directions",
    "booking_url": f"{_SITE}/bookings/1",
}
_MINUTES_LEFT = {
    "reminder-start-day": 1440,
    "reminder-start-hour": 60,
    "reminder-end-half-hour": 30,
    "reminder-end-soon": 10,
    "reminder-hold-ending": 3,
}
_TOLD_OF_ITSELF: dict[str, dict[str, Any]] = {
    "nudge": {"days": 34, "find_url": f"{_SITE}/"},
    "monthly-report": {
        "visits": 12,
        "hours": "31:45",
        "spent": "₹1,240.00",
        "lots": [
            {"name": "Connaught Place Underground", "visits": 11, "spent": "₹1,160.00"},
            {"name": "Altmarkt", "visits": 1, "spent": "₹80.00"},
        ],
        "reports_url": f"{_SITE}/reports",
    },
    "operator-report": {
        "revenue": "₹4,12,300.00",
        "stays": 5_312,
        "occupancy": "64 %",
        "refunds": "₹9,800.00",
        "reports_url": f"{_SITE}/admin/reports",
    },
    "digest": {
        "bookings": 184,
        "revenue": "₹14,720.00",
        "stays": 171,
        "occupancy": "61 %",
        "refunds": "₹320.00",
        "no_shows": 4,
        "failed": [{"what": "mail", "count": 2}, {"what": "reports", "count": 1}],
        "broken": "",
        "url": f"{_SITE}/admin/jobs",
    },
}
# Each falls under a setting that can be switched off, so its foot has the link that does it.
_CAN_BE_STOPPED = {*_MINUTES_LEFT, *_TOLD_OF_ITSELF, "moved", "no-show", "vehicle-changed"}


def list_templates() -> list[str]:
    """Name every mail there is."""
    return sorted(
        path.stem for path in (TEMPLATES / LANGUAGES[0]).glob("*.txt") if path.stem != "foot"
    )


def sample_context(template: str, locale: str) -> dict[str, Any]:
    """Give one example of all that a mail knows when it is written."""
    return {
        "brand": "Vehicle Vault",
        "public_url": _SITE,
        "unsubscribe_url": f"{_SITE}/unsubscribe#token=stop" if template in _CAN_BE_STOPPED else "",
        **_own_context(template, locale),
    }


def _own_context(template: str, locale: str) -> dict[str, Any]:
    name = {"name": "आशा राव" if locale == "hi" else "Asha Rao"}
    if template in _ACCOUNT:
        return name | _ACCOUNT[template]
    if template in _MONEY:
        told = {"code": "VV-8F3K-29QX", "lot": "Connaught Place Underground", "amount": "₹80.00"}
        return name | told | _MONEY[template]
    if template in _TOLD_OF_ITSELF:
        days = {"month": month_text(_MONTH, locale), "day": day_text(_START, locale)}
        return name | days | _TOLD_OF_ITSELF[template]
    booking = name | {
        "reservation_id": 1,
        "code": "VV-8F3K-29QX",
        "lot": "Connaught Place Underground",
        "address": "12 Radial Road, New Delhi 110001",
        "bay": "B07",
        "level": "-1",
        "plate": "DL3CBA4021",
        "window": window_text(_START, _END, _ZONE, locale),
        "starts": moment_text(_START, _ZONE, locale),
        "ends": moment_text(_END, _ZONE, locale),
        "since": moment_text(_END, _ZONE, locale),
        "until": moment_text(_START, _ZONE, locale),
        "price": "₹80.00",
    }
    if template in _MINUTES_LEFT:
        return booking | _LINKS | {"minutes_left": _MINUTES_LEFT[template]}
    return booking | _BOOKINGS[template]
