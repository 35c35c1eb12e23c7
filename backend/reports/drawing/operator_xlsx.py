"""The operator's month as a workbook: summary, days, car parks, hours."""

from typing import Any

from backend.notifications.wording import month_text
from backend.reports.drawing.words import WEEKDAYS
from backend.reports.drawing.workbook import Workbook, days, major
from backend.reports.figures import OperatorMonth

_DURATION = "[h]:mm"


def draw(month: OperatorMonth) -> bytes:
    """Write it; no text becomes a formula or an address."""
    book = Workbook()
    _summary(book, book.sheet("Summary", (28, 18, 18, 20, 18, 18)), month)
    _days(book, book.sheet("Days", (14, 10, 16, 16, 16, 16)), month)
    _lots(book, book.sheet("Car parks", (32, 10, *[12] * 7, 12, 16, 16, 16, 16)), month)
    _hours(book, book.sheet("Hours", (8, *[7] * 24)), month)
    return book.bytes()


def _summary(book: Workbook, sheet: Any, month: OperatorMonth) -> None:
    book.text(sheet, 0, 0, month.brand, bold=True, font_size=14, font_color="#0c5c4a")
    book.text(sheet, 1, 0, f"Operator's monthly report: {month_text(month.month, 'en')}", bold=True)
    book.text(sheet, 2, 0, month.operator)
    book.text(sheet, 3, 0, month.timezone)
    counts = (
        ("Bookings", month.bookings),
        ("Stays", month.stays),
        ("Walk-ins", month.walk_ins),
        ("Drivers", month.drivers),
        ("Cancelled", month.cancelled),
        ("No-shows", month.no_shows),
        ("Overstays", month.overstays),
        ("Bays", month.bays),
    )
    row = 5
    for name, count in counts:
        sheet.write_string(row, 0, name)
        sheet.write_number(row, 1, count, book.look(num_format="#,##0"))
        row += 1
    for name, minutes in (
        ("Average stay", month.average_minutes),
        ("Median stay", month.median_minutes),
    ):
        sheet.write_string(row, 0, name)
        sheet.write_datetime(row, 1, days(minutes), book.look(num_format=_DURATION))
        row += 1
    for name, share, how in (
        ("Occupancy", month.occupancy, "0.0%"),
        ("Turnover, stays a bay and day", month.turnover, "0.00"),
    ):
        sheet.write_string(row, 0, name)
        if share is not None:
            sheet.write_number(row, 1, float(share), book.look(num_format=how))
        row += 1
    row += 1
    names = ("Currency", "Received", "Refunded", "Revenue, cash basis", "Service date", "Tax")
    book.names(sheet, row, names)
    last = sum(len(money.days) for money in month.money) + 1
    for money in month.money:
        row += 1
        look = book.money(money.currency)
        book.text(sheet, row, 0, money.currency)
        for column, letter, amount in (
            (1, "C", money.received_minor),
            (2, "D", money.refunded_minor),
            (3, "E", money.revenue_minor),
            (4, "F", money.service_minor),
        ):
            formula = f"=SUMIF(Days!B2:B{last},A{row + 1},Days!{letter}2:{letter}{last})"
            sheet.write_formula(row, column, formula, look, major(amount, money.currency))
        sheet.write_number(row, 5, major(money.tax_minor, money.currency), look)


def _days(book: Workbook, sheet: Any, month: OperatorMonth) -> None:
    names = ("Day", "Currency", "Received", "Refunded", "Cash basis", "Service date")
    book.names(sheet, 0, names, texts=(0, 1))
    sheet.freeze_panes(1, 0)
    row = 0
    for money in month.money:
        look = book.money(money.currency)
        for day in money.days:
            row += 1
            sheet.write_datetime(row, 0, day.day, book.look(num_format="yyyy-mm-dd", align="left"))
            book.text(sheet, row, 1, money.currency)
            sheet.write_number(row, 2, major(day.received_minor, money.currency), look)
            sheet.write_number(row, 3, major(day.refunded_minor, money.currency), look)
            revenue = major(day.received_minor - day.refunded_minor, money.currency)
            sheet.write_formula(row, 4, f"=C{row + 1}-D{row + 1}", look, revenue)
            sheet.write_number(row, 5, major(day.service_minor, money.currency), look)


def _lots(book: Workbook, sheet: Any, month: OperatorMonth) -> None:
    names = ("Car park", "Bays", "Stays", "Walk-ins", "Cancelled", "No-shows", "Overstays")
    money_names = (
        "Occupied",
        "Open",
        "Occupancy",
        "Received",
        "Refunded",
        "Revenue",
        "Service date",
    )
    book.names(sheet, 0, (*names, *money_names))
    sheet.freeze_panes(1, 1)
    duration = book.look(num_format=_DURATION)
    for row, lot in enumerate(month.top_lots, 1):
        book.text(sheet, row, 0, lot.name)
        counts = (lot.bays, lot.stays, lot.walk_ins, lot.cancelled, lot.no_shows, lot.overstays)
        for column, count in enumerate(counts, 1):
            sheet.write_number(row, column, count)
        sheet.write_datetime(row, 7, days(lot.occupied_minutes), duration)
        sheet.write_datetime(row, 8, days(lot.open_minutes), duration)
        share = lot.occupancy
        formula = f'=IF(I{row + 1}=0,"",H{row + 1}/I{row + 1})'
        value = "" if share is None else float(share)
        sheet.write_formula(row, 9, formula, book.look(num_format="0.0%"), value)
        look = book.money(lot.currency)
        sheet.write_number(row, 10, major(lot.received_minor, lot.currency), look)
        sheet.write_number(row, 11, major(lot.refunded_minor, lot.currency), look)
        revenue = major(lot.revenue_minor, lot.currency)
        sheet.write_formula(row, 12, f"=K{row + 1}-L{row + 1}", look, revenue)
        sheet.write_number(row, 13, major(lot.service_minor, lot.currency), look)


def _hours(book: Workbook, sheet: Any, month: OperatorMonth) -> None:
    book.names(sheet, 0, ("", *(f"{hour:02d}:00" for hour in range(24))))
    sheet.freeze_panes(1, 1)
    look = book.look(num_format="0%")
    for row, hours in enumerate(month.hours, 1):
        sheet.write_string(row, 0, WEEKDAYS["en"][row - 1])
        for column, load in enumerate(hours, 1):
            if load.occupancy is not None:
                sheet.write_number(row, column, float(load.occupancy), look)
