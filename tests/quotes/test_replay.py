"""A stored quote gives its price again, line by line, from the rows of its tariff."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.models import Tariff, TariffIncrement, TariffTax
from backend.tariffs import pricing
from backend.tariffs.service import engine_tariff

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
)
starts = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.just(UTC),
)
lengths = st.timedeltas(timedelta(minutes=15), timedelta(days=30))


def _rows(tariff: pricing.Tariff) -> Tariff:
    document: dict[str, Any] = tariff.to_dict()
    parts = {
        "increments": [
            TariffIncrement(position=position, **increment)
            for position, increment in enumerate(document.pop("increments"))
        ],
        "taxes": [
            TariffTax(position=position, **tax)
            for position, tax in enumerate(document.pop("taxes"))
        ],
    }
    return Tariff(**document, **parts)


@given(tariff=tariffs, start=starts, length=lengths, zone=st.sampled_from(ZONES))
def test_a_price_stored_as_json_is_priced_again_to_the_same_lines(
    tariff: pricing.Tariff, start: datetime, length: timedelta, zone: str
) -> None:
    window: dict[str, Any] = {"starts_at": start, "ends_at": start + length, "zone": zone}
    stored = json.loads(json.dumps(pricing.price(tariff, **window).to_dict()))

    replayed = pricing.price(engine_tariff(_rows(tariff)), **window)

    assert replayed.to_dict() == stored
    assert sum(line["amount_minor"] for line in stored["lines"]) == stored["total_minor"]
