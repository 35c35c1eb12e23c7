"""A driver's month as a workbook: a summary and the stays."""

from typing import Any
from zoneinfo import ZoneInfo

from backend.notifications.wording import month_text
from backend.reports.drawing.words import Words
from backend.reports.drawing.workbook import Workbook, days, major
from backend.reports.figures import DriverMoney, DriverMonth

_DURATION = "[h]:mm"
_MOMENT = "yyyy-mm-dd hh:mm"


def draw(month: DriverMonth) -> bytes:
    """Write it; no text becomes a formula or an address."""
    book = Workbook()
    summary = book.sheet("Summary", (30, 14, 14, 18, 18, 18, 10))
    _summary(book, summary, month)
    _stays(book, book.sheet("Stays", (17, 17, 30, 10, 16, 10, 14, 14, 14, 14, 10, 26, 18)), month)
    return book.bytes()


def _summary(book: Workbook, sheet: Any, month: DriverMonth) -> None:
    say = Words(month.locale)
    book.text(sheet, 0, 0, month.brand, bold=True, font_size=14, font_color="#0c5c4a")
    book.text(sheet, 1, 0, f"{say('report')}: {month_text(month.month, month.locale)}", bold=True)
    book.text(sheet, 2, 0, " · ".join(part for part in (month.name, month.email) if part))
    book.text(sheet, 3, 0, month.timezone)
    last = len(month.stays) + 1
    sheet.write_string(5, 0, say("visits"))
    sheet.write_formula(5, 1, f"=COUNTA(Stays!M2:M{max(last, 2)})", book.look(), month.visits)
    sheet.write_string(6, 0, say("parked"))
    _sum(
        sheet,
        6,
        1,
        f"Stays!F2:F{max(last, 2)}",
        book.look(num_format=_DURATION),
        month.minutes / 1440,
    )
    row = 8
    for money in month.money:
        row = _currency(book, sheet, row, money, say, last)


def _sum(sheet: Any, row: int, column: int, area: str, look: Any, value: float) -> None:
    sheet.write_formula(row, column, f"=SUM({area})", look, value)


def _currency(
    book: Workbook, sheet: Any, row: int, money: DriverMoney, say: Words, last: int
) -> int:
    currency = money.currency
    look = book.money(currency, bold=True)
    book.names(sheet, row, (currency, ""))
    row += 1
    for name, column, amount in (
        (say("spent"), "I", money.spent_minor),
        (say("refunded", amount="").strip().capitalize(), "H", money.refunded_minor),
        (say("tax"), "J", money.tax_minor),
    ):
        sheet.write_string(row, 0, name)
        formula = f'=SUMIF(Stays!K2:K{last},"{currency}",Stays!{column}2:{column}{last})'
        sheet.write_formula(row, 1, formula, look, major(amount, currency))
        row += 1
    for tax in money.taxes:
        book.text(sheet, row, 0, f"{tax.name} {tax.rate_bp / 100:g} %")
        sheet.write_number(row, 1, major(tax.amount_minor, currency), book.money(currency))
        row += 1
    for title, shares in ((say("by lot"), money.by_lot), (say("by vehicle"), money.by_vehicle)):
        row += 1
        book.names(sheet, row, (title, say("visits"), say("time"), say("spent")))
        first = row = row + 1
        for share in shares:
            book.text(sheet, row, 0, share.name)
            sheet.write_number(row, 1, share.visits)
            sheet.write_datetime(row, 2, days(share.minutes), book.look(num_format=_DURATION))
            sheet.write_number(row, 3, major(share.spent_minor, currency), book.money(currency))
            row += 1
        book.text(sheet, row, 0, say("total"), bold=True)
        _sum(sheet, row, 1, f"B{first + 1}:B{row}", book.look(bold=True), len(money.stays))
        minutes = sum(share.minutes for share in shares)
        duration = book.look(num_format=_DURATION, bold=True)
        _sum(sheet, row, 2, f"C{first + 1}:C{row}", duration, minutes / 1440)
        spent = major(money.spent_minor, currency)
        _sum(sheet, row, 3, f"D{first + 1}:D{row}", look, spent)
        row += 1
    row += 1
    book.names(sheet, row, (say("by week"), say("visits"), "", say("spent")))
    for week in money.by_week:
        row += 1
        sheet.write_string(row, 0, f"{week.first.isoformat()} – {week.last.isoformat()}")
        sheet.write_number(row, 1, week.visits)
        sheet.write_number(row, 3, major(week.spent_minor, currency), book.money(currency))
    return row + 2


def _stays(book: Workbook, sheet: Any, month: DriverMonth) -> None:
    names = ("In", "Out", "Car park", "Bay", "Vehicle", "Time")
    money_names = ("Paid", "Refunded", "Spent", "Tax", "Currency", "Receipts", "Booking")
    book.names(sheet, 0, (*names, *money_names), texts=(0, 1, 2, 3, 4, 10, 11, 12))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    zone = ZoneInfo(month.timezone)
    moment = book.look(num_format=_MOMENT, align="left")
    duration = book.look(num_format=_DURATION)
    for row, stay in enumerate(month.stays, 1):
        for column, at in enumerate((stay.entered_at, stay.left_at)):
            sheet.write_datetime(row, column, at.astimezone(zone).replace(tzinfo=None), moment)
        for column, text in ((2, stay.lot), (3, stay.bay), (4, stay.plate)):
            book.text(sheet, row, column, text)
        sheet.write_datetime(row, 5, days(stay.minutes), duration)
        money = book.money(stay.currency)
        sheet.write_number(row, 6, major(stay.paid_minor, stay.currency), money)
        sheet.write_number(row, 7, major(stay.refunded_minor, stay.currency), money)
        sheet.write_formula(
            row, 8, f"=G{row + 1}-H{row + 1}", money, major(stay.spent_minor, stay.currency)
        )
        sheet.write_number(row, 9, major(stay.tax_minor, stay.currency), money)
        book.text(sheet, row, 10, stay.currency, indent=1)
        book.text(sheet, row, 11, ", ".join(stay.receipts))
        book.text(sheet, row, 12, stay.code)
    sheet.autofilter(0, 0, max(len(month.stays), 1), 12)
    # Sums stand in the summary, by currency: here a filter or a sort would meet them.
