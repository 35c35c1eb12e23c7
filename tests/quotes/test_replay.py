"""A stored quote gives its price again, line by line, from the rows of its tariff."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.models import (
    Tariff,
    TariffBand,
    TariffDayRule,
    TariffIncrement,
    TariffKindRule,
    TariffTax,
)
from backend.models.lot import SPOT_KINDS
from backend.tariffs import pricing
from backend.tariffs.versions import as_bits, engine_tariff

ZONES = ("Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns")

increments = st.builds(
    pricing.Increment,
    minutes=st.integers(1, 1440),
    amount_minor=st.integers(0, 1_000_000_000),
)
taxes = st.builds(
    pricing.TaxComponent,
    name=st.sampled_from(("CGST", "SGST", "VAT")),
    rate_bp=st.integers(0, 5_000),
)
weekdays = st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days)))
bands = st.builds(
    pricing.Band,
    st.just("Flat"),
    st.sampled_from(pricing.BAND_KINDS),
    st.integers(0, 1439),
    st.integers(1440, 20_160),
    st.integers(1440, 20_160),
    st.integers(0, 10_000),
    weekdays=weekdays,
    on_holidays=st.booleans(),
    first_day=st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    last_day=st.none() | st.dates(date(2027, 1, 1), date(2027, 12, 31)),
)
kind_rules = st.sets(st.sampled_from(SPOT_KINDS)).map(
    lambda kinds: tuple(pricing.KindRule(kind, 11_111) for kind in sorted(kinds))
)
day_rules = st.builds(
    pricing.DayRule,
    st.just("Day"),
    st.integers(0, 30_000),
    weekdays,
    on_holidays=st.booleans(),
    day_cap_minor=st.none() | st.integers(0, 1_000_000),
)
tariffs = st.builds(
    pricing.Tariff,
    currency=st.sampled_from(("INR", "EUR", "JPY")),
    increments=st.lists(increments, min_size=1, max_size=4).map(tuple),
    billing_step_minutes=st.integers(1, 120),
    free_minutes=st.integers(0, 120),
    day_cap_minor=st.none() | st.integers(0, 1_000_000_000),
    day_start_minutes=st.integers(0, 1439),
    tax_inclusive=st.booleans(),
    taxes=st.lists(taxes, max_size=2).map(tuple),
    week_cap_minor=st.none() | st.integers(0, 1_000_000_000),
    minimum_minor=st.none() | st.integers(0, 1_000_000),
    holiday_region=st.sampled_from((None, "DE-BW", "IN")),
    bands=st.lists(bands, max_size=2).map(tuple),
    kind_rules=kind_rules,
    day_rules=st.lists(day_rules, max_size=2).map(tuple),
)
starts = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.just(UTC),
)
lengths = st.timedeltas(timedelta(minutes=15), timedelta(days=30))


def _rows(tariff: pricing.Tariff) -> Tariff:
    document: dict[str, Any] = tariff.to_dict()
    for name in ("increments", "taxes", "bands", "kind_rules", "day_rules"):
        del document[name]
    return Tariff(
        **document,
        increments=[TariffIncrement(**part.to_dict()) for part in tariff.increments],
        taxes=[TariffTax(**part.to_dict()) for part in tariff.taxes],
        bands=[
            TariffBand(
                **{
                    **part.to_dict(),
                    "weekdays": as_bits(part.weekdays),
                    "first_day": part.first_day,
                    "last_day": part.last_day,
                }
            )
            for part in tariff.bands
        ],
        kind_rules=[TariffKindRule(**part.to_dict()) for part in tariff.kind_rules],
        day_rules=[
            TariffDayRule(**{**part.to_dict(), "weekdays": as_bits(part.weekdays)})
            for part in tariff.day_rules
        ],
    )


@given(
    tariff=tariffs,
    start=starts,
    length=lengths,
    zone=st.sampled_from(ZONES),
    kind=st.sampled_from(SPOT_KINDS),
)
def test_a_price_stored_as_json_is_priced_again_to_the_same_lines(
    tariff: pricing.Tariff, start: datetime, length: timedelta, zone: str, kind: str
) -> None:
    window: dict[str, Any] = {
        "starts_at": start,
        "ends_at": start + length,
        "zone": zone,
        "spot_kind": kind,
    }
    stored = json.loads(json.dumps(pricing.price(tariff, **window).to_dict()))

    replayed = pricing.price(engine_tariff(_rows(tariff)), **window)

    assert replayed.to_dict() == stored
    assert sum(line["amount_minor"] for line in stored["lines"]) == stored["total_minor"]
