"""The operator's month on paper, for admins."""

from functools import partial
from typing import Any

from backend.money import format_money
from backend.notifications.wording import month_text
from backend.reports.drawing.charts import columns, heat, scale
from backend.reports.drawing.sheet import Column, Sheet
from backend.reports.drawing.words import WEEKDAYS, Words, per_cent, short_money
from backend.reports.figures import LotMonth, OperatorMoney, OperatorMonth


def draw(month: OperatorMonth) -> bytes:
    """Draw it; all text is taken as text, whatever markup it looks like."""
    say = Words("en")
    title = month_text(month.month, "en")
    foot = f"{month.operator or month.brand} · {title} · {month.timezone}"
    sheet = Sheet(title=title, brand=month.brand, foot=foot, page_of=say("page"))
    sheet.head("Operator's monthly report", title, [month.operator, f"Times in {month.timezone}."])
    _tiles(sheet, month, say)
    for money in month.money:
        name = f"Revenue by day, {money.currency}"
        sheet.cards(150, [(1, name, partial(_days, sheet, money))])
    hours = [[_share(load.occupancy) for load in day] for day in month.hours]
    sheet.cards(
        170,
        [(1, "Occupancy by hour", lambda place: heat(sheet.canvas, place, hours, WEEKDAYS["en"]))],
    )
    if month.money:
        _money(sheet, month)
    if month.lots:
        _lots(sheet, month)
    return sheet.bytes()


def _share(part: Any) -> float | None:
    return None if part is None else float(part)


def _tiles(sheet: Sheet, month: OperatorMonth, say: Words) -> None:
    first = month.money[0] if month.money else None
    revenue = format_money(first.revenue_minor, first.currency) if first else "0"
    refunded = format_money(first.refunded_minor, first.currency) if first else "0"
    others = ", ".join(format_money(each.revenue_minor, each.currency) for each in month.money[1:])
    turnover = "–" if month.turnover is None else f"{float(month.turnover):.2f}"
    sheet.tiles(
        [
            ("Revenue, cash basis", revenue, f"and {others}" if others else f"{refunded} refunded"),
            (
                "Stays",
                f"{month.stays:,}",
                f"{month.walk_ins:,} walk-ins",
            ),
            ("Occupancy", per_cent(_share(month.occupancy)), f"{month.bays:,} bays"),
            ("Turnover", turnover, "stays a bay and day"),
        ]
    )
    sheet.tiles(
        [
            ("Bookings", f"{month.bookings:,}", "made in the month"),
            ("Cancelled", f"{month.cancelled:,}", f"{month.overstays:,} overstays"),
            ("No-shows", f"{month.no_shows:,}", "never came"),
            (
                "Average stay",
                say.time(month.average_minutes),
                f"median {say.time(month.median_minutes)}",
            ),
        ]
    )


def _days(sheet: Sheet, money: OperatorMoney, place: Any) -> None:
    taken = [day.received_minor - day.refunded_minor for day in money.days]
    marks = [(mark, short_money(mark, money.currency)) for mark in scale(max(*taken, 1))]
    columns(
        sheet.canvas,
        place,
        [(str(day.day.day), amount, "") for day, amount in zip(money.days, taken, strict=True)],
        marks=marks,
        names=2,
    )


def _money(sheet: Sheet, month: OperatorMonth) -> None:
    sheet.table(
        "Revenue",
        [
            Column("Currency", 75.28),
            Column("Received", 88, right=True),
            Column("Refunded", 88, right=True),
            Column("Cash basis", 88, right=True, bold=True),
            Column("Service date", 88, right=True),
            Column("Tax", 88, right=True),
        ],
        [
            (
                money.currency,
                *(
                    format_money(amount, money.currency)
                    for amount in (
                        money.received_minor,
                        money.refunded_minor,
                        money.revenue_minor,
                        money.service_minor,
                        money.tax_minor,
                    )
                ),
            )
            for money in month.money
        ],
    )


def _lots(sheet: Sheet, month: OperatorMonth) -> None:
    def cells(lot: LotMonth) -> tuple[str, ...]:
        return (
            lot.name,
            f"{lot.bays:,}",
            f"{lot.stays:,}",
            f"{lot.walk_ins:,}",
            per_cent(_share(lot.occupancy)),
            f"{lot.cancelled:,}",
            f"{lot.no_shows:,}",
            format_money(lot.refunded_minor, lot.currency),
            format_money(lot.revenue_minor, lot.currency),
        )

    sheet.table(
        "Car parks, most revenue first",
        [
            Column("Car park", 109.28),
            Column("Bays", 36, right=True),
            Column("Stays", 40, right=True),
            Column("Walk-ins", 46, right=True),
            Column("Occupancy", 54, right=True),
            Column("Cancelled", 50, right=True),
            Column("No-shows", 50, right=True),
            Column("Refunded", 54, right=True),
            Column("Revenue", 76, right=True, bold=True),
        ],
        map(cells, month.top_lots),
    )
