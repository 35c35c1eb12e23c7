"""P13, P21: a month becomes pages and sheets; what stands in it is text there, and nothing else."""

import re
import socket
from dataclasses import replace
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from backend.reports.drawing import (
    draw_driver_pdf,
    draw_driver_xlsx,
    draw_operator_pdf,
    draw_operator_xlsx,
)
from backend.reports.drawing.charts import scale
from backend.reports.drawing.lettering import Type, clean, runs, wrap
from backend.reports.figures import DriverMonth
from tests.nasty import NASTY
from tests.reports.months import driver_month, operator_month

_SHORT = {kind: text for kind, text in NASTY.items() if 0 < len(clean(text)) <= 40}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("A report opened a socket.")

    monkeypatch.setattr(socket, "socket", refuse)


def _nasty_month(texts: dict[str, str]) -> DriverMonth:
    month = driver_month(len(texts), text="=1+1")
    stays = zip(month.stays, texts.values(), strict=True)
    return replace(month, stays=tuple(replace(stay, lot=text, bay="") for stay, text in stays))


def _pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def _joined(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _sheets(xlsx: bytes, *, values: bool) -> dict[str, Any]:
    book = openpyxl.load_workbook(BytesIO(xlsx), data_only=values)
    return {sheet.title: sheet for sheet in book}


class TestPages:
    @pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (30, 3)])
    def test_a_month_is_as_long_as_it_needs(self, count: int, pages: int) -> None:
        text = _pages(draw_driver_pdf(driver_month(count)))
        assert len(text) == pages
        assert [f"Page {number} of {pages}" in page for number, page in enumerate(text, 1)]
        assert "October 2026" in text[0]
        assert ("No stay ended in this month." in text[0]) == (count == 0)

    def test_a_thousand_stays_name_their_columns_on_each_page(self) -> None:
        text = _pages(draw_driver_pdf(driver_month(1000)))
        assert len(text) > 30
        assert all(f"Page {number} of {len(text)}" in page for number, page in enumerate(text, 1))
        assert all("Car park and bay" in page for page in text)
        numbers = re.findall(r"VV-2026-\d{6}", _joined("".join(text)))
        assert numbers == [f"VV-2026-{number:06d}" for number in range(1, 1001)]

    def test_money_of_two_currencies_is_never_added(self) -> None:
        month = driver_month(12, euros=4)
        rupees, euros = month.money
        text = "".join(_pages(draw_driver_pdf(month)))
        assert f"₹{rupees.spent_minor / 100:,.2f}" in text
        assert f"and €{euros.spent_minor / 100:,.2f}" in text
        assert "By car park (EUR)" in text

    def test_it_is_the_same_file_each_time(self) -> None:
        month = driver_month(5)
        assert draw_driver_pdf(month) == draw_driver_pdf(month)
        assert draw_operator_pdf(operator_month(2)) == draw_operator_pdf(operator_month(2))

    @pytest.mark.parametrize("lots", [0, 1, 40])
    def test_the_operator_sees_all_car_parks(self, lots: int) -> None:
        text = _pages(draw_operator_pdf(operator_month(lots)))
        assert f"Page 1 of {len(text)}" in text[0]
        assert "Occupancy by hour" in text[0]
        if lots == 40:
            assert "Phoenix Mall, P2 38" in "".join(text)

    def test_hindi_is_shaped_and_can_be_copied(self) -> None:
        pdf = draw_driver_pdf(driver_month(2, locale="hi", text="श्री कृष्ण"))
        code = b"".join(page.get_contents().get_data() for page in PdfReader(BytesIO(pdf)).pages)
        for word in ("श्री कृष्ण", "मासिक रिपोर्ट", "अक्तूबर"):
            letters = word.encode("utf-16-be").hex().upper().encode()
            assert letters in code, word
        fonts = {
            str(font.get_object()["/BaseFont"])
            for page in PdfReader(BytesIO(pdf)).pages
            for font in page["/Resources"]["/Font"].values()
        }
        assert any("NotoSansDevanagari" in font for font in fonts)

    def test_nasty_text_is_text(self) -> None:
        pdf = draw_driver_pdf(_nasty_month(_SHORT))
        reader = PdfReader(BytesIO(pdf))
        assert not any("/Annots" in page for page in reader.pages)
        root = reader.root_object
        assert not any(key in root for key in ("/OpenAction", "/AA", "/Names", "/AcroForm"))
        assert b"/JavaScript" not in pdf
        code = b"".join(page.get_contents().get_data() for page in reader.pages)
        shown = _joined("".join(_pages(pdf)))
        for kind, text in _SHORT.items():
            for _, part in runs(clean(text)):
                letters = part.encode("utf-16-be").hex().upper().encode()
                assert _joined(part) in shown or letters in code, kind

    def test_long_and_empty_text_breaks_no_page(self) -> None:
        for text in (NASTY["long"], NASTY["long in bytes"], NASTY["controls"], NASTY["empty"]):
            assert len(_pages(draw_driver_pdf(driver_month(1, text=text)))) <= 2
            assert _pages(draw_operator_pdf(operator_month(1, text=text)))


class TestLines:
    def test_long_words_are_broken_and_cut_with_an_ellipsis(self) -> None:
        look = Type(8)
        assert wrap("Church Street Deck", look, 500) == ("Church Street Deck",)
        assert wrap("Church Street Deck", look, 50) == ("Church", "Street Deck")
        lines = wrap("x" * 10_000, look, 60, 3)
        assert len(lines) == 3
        assert lines[-1].endswith("…")
        assert wrap("", look, 60) == ("",)

    @pytest.mark.parametrize("most", [1, 3, 7, 99, 100, 101, 438_300, 10**15])
    def test_marks_reach_above_what_is_drawn(self, most: int) -> None:
        marks = scale(most)
        assert marks[0] == 0
        assert marks[-1] >= most
        assert 2 <= len(marks) <= 5


class TestSheets:
    def test_cells_have_their_real_types(self) -> None:
        month = driver_month(30)
        sheet = _sheets(draw_driver_xlsx(month), values=False)["Stays"]
        assert sheet.freeze_panes == "A2"
        for row, stay in zip(sheet.iter_rows(min_row=2), month.stays, strict=True):
            assert (row[0].is_date, row[1].is_date, row[5].is_date) == (True, True, True)
            assert row[5].number_format == "[h]:mm"
            assert row[6].value == stay.paid_minor / 100
            assert "₹" in row[6].number_format
            assert row[2].value == stay.lot
            assert row[0].value.minute == (stay.entered_at.minute + 30) % 60

    def test_sums_are_formulas_that_know_their_value(self) -> None:
        month = driver_month(20, euros=7)
        xlsx = draw_driver_xlsx(month)
        written = _sheets(xlsx, values=False)["Summary"]
        known = _sheets(xlsx, values=True)["Summary"]
        formulas = {
            cell.coordinate: cell.value
            for row in written.iter_rows()
            for cell in row
            if cell.data_type == "f"
        }
        assert formulas["B6"] == "=COUNTA(Stays!M2:M21)"
        values = [known[place].value for place in formulas]
        assert values[0] == 20
        for money in month.money:
            assert money.spent_minor / 100 in values
            assert money.tax_minor / 100 in values

    def test_no_text_becomes_a_formula_or_a_link(self) -> None:
        sheets = _sheets(draw_driver_xlsx(_nasty_month(NASTY)), values=False)
        stays = sheets["Stays"]
        formulas = {
            cell.value
            for sheet in sheets.values()
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f"
        }
        ours = re.compile(r"=(SUM|SUMIF|COUNTA)\(|=G(\d+)-H\2$")
        assert all(ours.match(each) for each in formulas)
        assert not any(cell.hyperlink for row in stays.iter_rows() for cell in row)
        for row, (kind, text) in enumerate(NASTY.items(), 2):
            assert (stays.cell(row, 3).value or "") == clean(text), kind

    def test_the_operator_has_days_car_parks_and_hours(self) -> None:
        month = operator_month(3)
        sheets = _sheets(draw_operator_xlsx(month), values=True)
        assert list(sheets) == ["Summary", "Days", "Car parks", "Hours"]
        assert sheets["Days"].max_row == 32
        money = month.money[0]
        last = sheets["Summary"].max_row
        row = [cell.value for cell in sheets["Summary"][last]]
        assert row == [
            "INR",
            money.received_minor / 100,
            money.refunded_minor / 100,
            money.revenue_minor / 100,
            money.service_minor / 100,
            money.tax_minor / 100,
        ]
        assert sheets["Car parks"]["A2"].value == month.top_lots[0].name
        assert sheets["Hours"]["B8"].value is None

    def test_it_is_the_same_file_each_time(self) -> None:
        month = driver_month(3)
        assert draw_driver_xlsx(month) == draw_driver_xlsx(month)
