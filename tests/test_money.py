"""Amounts of money: digits, rounding, writing."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.money import currency_digits, format_money, round_half_up


class TestCurrencyDigits:
    @pytest.mark.parametrize(
        ("code", "digits"),
        [("INR", 2), ("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3)],
    )
    def test_known_currencies_have_their_digits(self, code: str, digits: int) -> None:
        assert currency_digits(code) == digits

    @pytest.mark.parametrize("code", ["", "eur", "EURO", "XYZ", "€", " EUR", "DEM"])
    def test_any_other_code_is_refused(self, code: str) -> None:
        with pytest.raises(ValueError, match="not a currency code"):
            currency_digits(code)


class TestFormatMoney:
    @pytest.mark.parametrize(
        ("minor", "currency", "written"),
        [
            (0, "INR", "₹0.00"),
            (5, "INR", "₹0.05"),
            (4_000, "INR", "₹40.00"),
            (99_999, "INR", "₹999.99"),
            (100_000, "INR", "₹1,000.00"),
            (1_000_500, "INR", "₹10,005.00"),
            (12_345_600, "INR", "₹1,23,456.00"),
            (10_000_000, "INR", "₹1,00,000.00"),
            (1_234_567_890, "INR", "₹1,23,45,678.90"),
            (100_000_000_000, "INR", "₹1,00,00,00,000.00"),
            (-12_345_600, "INR", "-₹1,23,456.00"),
            (1_200, "EUR", "€12.00"),
            (123_456_789, "EUR", "€1,234,567.89"),
            (-1, "EUR", "-€0.01"),
            (1_200, "JPY", "¥1,200"),
            (0, "JPY", "¥0"),
            (1_250, "KWD", "KWD 1.250"),
            (-7, "KWD", "-KWD 0.007"),
            (100, "CHF", "CHF 1.00"),
        ],
    )
    def test_amount_is_written_for_people(self, minor: int, currency: str, written: str) -> None:
        assert format_money(minor, currency) == written

    def test_unknown_currency_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not a currency code"):
            format_money(100, "ABC")

    @given(st.integers(-(10**15), 10**15), st.sampled_from(["INR", "EUR", "JPY", "KWD"]))
    @settings(deadline=None)
    def test_no_digit_is_lost(self, minor: int, currency: str) -> None:
        digits = "".join(sign for sign in format_money(minor, currency) if sign.isdigit())
        assert int(digits) == abs(minor)


class TestRoundHalfUp:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "rounded"),
        [(0, 3, 0), (1, 2, 1), (3, 2, 2), (5, 2, 3), (1, 3, 0), (2, 3, 1), (-1, 2, 0), (-3, 4, -1)],
    )
    def test_half_goes_to_the_greater(
        self,
        numerator: int,
        denominator: int,
        rounded: int,
    ) -> None:
        assert round_half_up(numerator, denominator) == rounded

    @pytest.mark.parametrize("denominator", [0, -1])
    def test_denominator_must_be_positive(self, denominator: int) -> None:
        with pytest.raises(ValueError, match="greater than zero"):
            round_half_up(1, denominator)

    @given(st.integers(), st.integers(min_value=1))
    @settings(deadline=None)
    def test_result_is_within_a_half(self, numerator: int, denominator: int) -> None:
        error = round_half_up(numerator, denominator) - Fraction(numerator, denominator)
        assert Fraction(-1, 2) < error <= Fraction(1, 2)
