"""Time zones and languages that a person may choose."""

import re
from functools import cache
from zoneinfo import available_timezones

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def is_timezone(name: str) -> bool:
    """Tell whether this is the IANA name of a time zone."""
    return name in _timezones()


def is_locale(tag: str) -> bool:
    """Tell whether this has the shape of a language tag, such as ``en-IN``."""
    return _LOCALE.fullmatch(tag) is not None


@cache
def _timezones() -> frozenset[str]:
    # Reading them all takes a while, and they change with a release only.
    return frozenset(available_timezones() - {"localtime"})
