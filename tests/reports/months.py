"""Months as they could be, for the tests and the bench of their drawing."""

from datetime import UTC, date, datetime, timedelta

from backend.reports.figures import (
    DayMoney,
    DriverMonth,
    HourLoad,
    LotMonth,
    MonthStay,
    OperatorMoney,
    OperatorMonth,
    Tax,
    days_of,
)

MONTH = date(2026, 10, 1)
_LOTS = (
    *("Church Street Deck", "MG Road Metro P+R", "Phoenix Mall, P2", "Airport Short Stay"),
    *("Jayanagar 4th Block", "श्री कृष्ण पार्किंग, राष्ट्रीय विद्यालय"),
)


def driver_month(count: int, *, text: str = "", locale: str = "en", euros: int = 0) -> DriverMonth:
    """Make a driver's month of so many stays; ``text`` stands wherever a text can."""
    return DriverMonth(
        brand=text or "Vehicle Vault",
        operator=text or "Vehicle Vault Parking Private Limited",
        name=text or "Asha Rao",
        email="asha@example.net",
        month=MONTH,
        timezone="Asia/Kolkata",
        locale=locale,
        stays=tuple(_stay(number, count, text, euros) for number in range(count)),
    )


def _stay(number: int, count: int, text: str, euros: int) -> MonthStay:
    left_at = datetime(2026, 10, 1, 3, tzinfo=UTC) + timedelta(days=30.5) * number / count
    minutes = 45 + number * 37 % 400
    paid = 6000 + minutes * 40
    refunded = 2500 if number % 11 == 5 else 0
    tax = (paid - refunded) * 9 // 118
    return MonthStay(
        code=f"K{number:07d}",
        lot=text or _LOTS[number * number % len(_LOTS)],
        bay=text or f"B{number % 60:02d}",
        plate=text or ("KA05MJ4321", "KA03EV0907")[number % 3 == 0],
        entered_at=left_at - timedelta(minutes=minutes),
        left_at=left_at,
        minutes=minutes,
        currency="EUR" if number < euros else "INR",
        paid_minor=paid,
        refunded_minor=refunded,
        taxes=(
            Tax(name=text or "CGST", rate_bp=900, amount_minor=tax),
            Tax(name=text or "SGST", rate_bp=900, amount_minor=tax),
        ),
        receipts=(text or f"VV-2026-{number + 1:06d}",),
    )


def operator_month(lots: int, *, text: str = "") -> OperatorMonth:
    """Make the operator's month with so many car parks."""
    days = tuple(
        DayMoney(
            day=day,
            received_minor=lots * (900_000 + day.day * 7919 % 400_000),
            refunded_minor=lots * (day.day * 613 % 9_000),
            service_minor=lots * (880_000 + day.day * 6007 % 300_000),
        )
        for day in days_of(MONTH)
    )
    return OperatorMonth(
        brand=text or "Vehicle Vault",
        operator=text or "Vehicle Vault Parking Private Limited",
        month=MONTH,
        timezone="Asia/Kolkata",
        locale="en",
        bookings=lots * 420,
        median_minutes=95,
        stay_minutes=lots * 380 * 131,
        drivers=lots * 200,
        money=(OperatorMoney(currency="INR", days=days, tax_minor=lots * 4_000_000),)
        if lots
        else (),
        lots=tuple(_lot(number, text) for number in range(lots)),
        hours=tuple(
            tuple(
                HourLoad(
                    occupied_minutes=max(0, 60 - abs(hour - 13 - day % 3) * 6) * lots,
                    open_minutes=0 if day == 6 and hour < 6 else 60 * lots,
                )
                for hour in range(24)
            )
            for day in range(7)
        ),
    )


def _lot(number: int, text: str) -> LotMonth:
    return LotMonth(
        name=text
        or f"{_LOTS[number % len(_LOTS)]}" + (f" {number}" if number >= len(_LOTS) else ""),
        currency="INR",
        bays=60 + number,
        stays=380,
        walk_ins=25,
        cancelled=20,
        no_shows=12,
        overstays=7,
        occupied_minutes=1_500_000 + number * 7_000,
        open_minutes=2_678_400,
        received_minor=31_000_000 - number * 90_000,
        refunded_minor=139_500,
        service_minor=30_000_000,
    )
