"""The taxes of a tariff that names none."""

import pytest

from backend.tariffs.pricing import TaxComponent
from backend.tariffs.service import default_taxes

GST = (TaxComponent("CGST", 900), TaxComponent("SGST", 900))
VAT = (TaxComponent("VAT", 1900),)


@pytest.mark.parametrize(
    ("currency", "zone", "taxes"),
    [
        ("INR", "Asia/Kolkata", GST),
        ("INR", "Asia/Kathmandu", GST),
        ("EUR", "Europe/Berlin", VAT),
        ("EUR", "Europe/Busingen", VAT),
        ("EUR", "Europe/Vienna", ()),
        ("CHF", "Europe/Berlin", ()),
        ("JPY", "Asia/Tokyo", ()),
    ],
)
def test_taxes_follow_the_currency_and_the_place(
    currency: str, zone: str, taxes: tuple[TaxComponent, ...]
) -> None:
    assert default_taxes(currency, zone) == taxes
