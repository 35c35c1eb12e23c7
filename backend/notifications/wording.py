"""Moments, windows, days and months as people read them, in their language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "hi")
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "hi": ("सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"),
}
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "hi": ["जन॰", "फ़र॰", "मार्च", "अप्रैल", "मई", "जून", "जुल॰", "अग॰", "सित॰", "अक्तू॰", "नव॰", "दिस॰"],
}
_WHOLE_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "hi": [
        "जनवरी",
        "फ़रवरी",
        "मार्च",
        "अप्रैल",
        "मई",
        "जून",
        "जुलाई",
        "अगस्त",
        "सितंबर",
        "अक्तूबर",
        "नवंबर",
        "दिसंबर",
    ],
}


def language_of(locale: str) -> str:
    """Give the language in which one with this locale is written to: English where theirs is not spoken."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else "en"


def moment_text(moment: datetime, zone: str, locale: str) -> str:
    """Write a moment in the zone of the place: Mon 23 Nov 2026, 10:00 (CET)."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{_minute(local, locale)} ({local.tzname()})"


def window_text(starts_at: datetime, ends_at: datetime, zone: str, locale: str) -> str:
    """Write a window in the zone of the place: Mon 23 Nov 2026, 10:00–12:00 (CET)."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (starts_at, ends_at))
    last = f"{end:%H:%M}" if start.date() == end.date() else _minute(end, locale)
    return f"{_minute(start, locale)}–{last} ({end.tzname()})"


def day_text(day: date, locale: str) -> str:
    """Write a day: Mon 23 Nov 2026."""
    language = language_of(locale)
    weekday, month = _WEEKDAYS[language][day.weekday()], _MONTHS[language][day.month - 1]
    return f"{weekday} {day.day} {month} {day.year}"


def month_text(month: date, locale: str) -> str:
    """Write a month by any day of it: November 2026."""
    return f"{_WHOLE_MONTHS[language_of(locale)][month.month - 1]} {month.year}"


def _minute(local: datetime, locale: str) -> str:
    return f"{day_text(local, locale)}, {local:%H:%M}"
