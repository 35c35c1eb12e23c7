"""Which days are public holidays where: read from the ``holidays`` package, without any network."""

from datetime import date
from functools import lru_cache

from holidays import country_holidays, list_supported_countries


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    countries = list_supported_countries(include_aliases=False)
    parts = {f"{country}-{part}" for country, found in countries.items() for part in found if part}
    return frozenset(countries) | parts


def is_region(name: str) -> bool:
    """Tell whether the holidays of a region are known: a country such as ``DE``, or a part such as ``DE-BW``."""
    return name in _regions()


def is_holiday(region: str, day: date) -> bool:
    """Tell whether a day is a public holiday of a region."""
    return day in _holidays(region, day.year)


@lru_cache(maxsize=512)
def _holidays(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    # Its own object computes other years when it is asked for them, and is slow to look into.
    return frozenset(country_holidays(country, subdiv=part or None, years=year))
