"""Plates in their one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.vehicles.plates import normalise_plate


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ka 01 ab 1234", "KA01AB1234"),
        ("KA-01-AB-1234", "KA01AB1234"),
        ("hd·vv 12e", "HDVV12E"),
        ("dd–pa 77", "DDPA77"),
        ("lö-ä 1", "LÖÄ1"),
        ("lo\u0308 1", "LÖ1"),
        ("ＫＡ０１", "KA01"),  # noqa: RUF001 - full-width letters are the same letters
        (" a 1 ", "A1"),
        ("京A12345", "京A12345"),
    ],
)
def test_every_way_to_write_it_is_one_plate(written: str, stored: str) -> None:
    assert normalise_plate(written) == stored


@pytest.mark.parametrize("written", ["", "-", "A", "A" * 13, "AB/12", "AB 12 😀", "=1+1", "a\x00b"])
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="A plate has"):
        normalise_plate(written)


@given(st.text(max_size=20))
def test_a_stored_plate_stays_as_it_is(written: str) -> None:
    try:
        plate = normalise_plate(written)
    except ValueError:
        return
    assert normalise_plate(plate) == plate
