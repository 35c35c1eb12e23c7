"""What reports say, in the languages in which the product writes."""

from backend.money import currency_digits, format_money
from backend.notifications.wording import language_of

WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "hi": ("सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"),
}
_WORDS = {
    "en": {
        "report": "Monthly report",
        "page": "Page {number} of {count}",
        "clock": "Times by the clock of {zone}. A stay belongs to the month in which it ended.",
        "spent": "Spent",
        "visits": "Visits",
        "parked": "Parked",
        "tax": "Tax",
        "refunded": "{amount} refunded",
        "and": "and {amount}",
        "nothing refunded": "nothing refunded",
        "car parks": "Car parks: {lots} · vehicles: {plates}",
        "each": "{time} a visit",
        "included": "within what was spent",
        "by week": "Spending by week",
        "by weekday": "Hours by weekday",
        "by lot": "By car park",
        "by vehicle": "By vehicle",
        "taxes": "Taxes",
        "others": "{count} others",
        "no tax": "No tax in this month.",
        "stays": "Stays",
        "in": "In",
        "out": "Out",
        "lot": "Car park and bay",
        "plate": "Vehicle",
        "time": "Time",
        "paid": "Spent",
        "receipt": "Receipt",
        "total": "Total",
        "none": "No stays",
        "none text": "No stay ended in this month.",
        "hour": "h",
        "minute": "m",
    },
    "hi": {
        "report": "मासिक रिपोर्ट",
        "page": "पृष्ठ {number} / {count}",
        "clock": "समय {zone} के अनुसार। पार्किंग उस महीने में गिनी जाती है जिसमें वह समाप्त हुई।",
        "spent": "ख़र्च",
        "visits": "पार्किंग",
        "parked": "कुल समय",
        "tax": "कर",
        "refunded": "{amount} वापस",
        "and": "और {amount}",
        "nothing refunded": "कुछ वापस नहीं हुआ",
        "car parks": "पार्किंग स्थल: {lots} · वाहन: {plates}",
        "each": "औसत {time}",
        "included": "ख़र्च में शामिल",
        "by week": "हर सप्ताह का ख़र्च",
        "by weekday": "सप्ताह के दिन और घंटे",
        "by lot": "पार्किंग स्थल के अनुसार",
        "by vehicle": "वाहन के अनुसार",
        "taxes": "कर",
        "others": "{count} अन्य",
        "no tax": "इस महीने कोई कर नहीं।",
        "stays": "पार्किंग का ब्योरा",
        "in": "प्रवेश",
        "out": "निकास",
        "lot": "पार्किंग स्थल और जगह",
        "plate": "वाहन",
        "time": "समय",
        "paid": "ख़र्च",
        "receipt": "रसीद",
        "total": "कुल",
        "none": "कोई पार्किंग नहीं",
        "none text": "इस महीने कोई पार्किंग समाप्त नहीं हुई।",
        "hour": "घं",
        "minute": "मि",
    },
}


class Words:
    """The words of one language."""

    def __init__(self, locale: str) -> None:
        self.language = language_of(locale)
        self._words = _WORDS[self.language]

    def __call__(self, key: str, **facts: object) -> str:
        """Give some words, with these facts in them."""
        return self._words[key].format(**facts) if facts else self._words[key]

    def time(self, minutes: int) -> str:
        """Write how long: 31 h 20 m."""
        hours, rest = divmod(minutes, 60)
        parts = [f"{hours:,} {self('hour')}"] if hours else []
        parts += [f"{rest} {self('minute')}"] if rest or not hours else []
        return " ".join(parts)

    def weekday(self, number: int) -> str:
        """Name a day of the week, Monday being 0."""
        return WEEKDAYS[self.language][number]


def short_money(minor: int, currency: str) -> str:
    """Write an amount without the zeros of its fraction, as a chart does."""
    return format_money(minor, currency).removesuffix(f".{'0' * currency_digits(currency)}")


def per_cent(share: float | None) -> str:
    """Write a share."""
    return "–" if share is None else f"{share * 100:.1f} %"
