"""A driver's month on paper."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from backend.money import format_money
from backend.notifications.wording import day_text, month_text
from backend.reports.drawing.charts import INK, MUTED, bars, columns, scale
from backend.reports.drawing.lettering import Type, wrap
from backend.reports.drawing.lettering import draw as write
from backend.reports.drawing.sheet import Column, Sheet
from backend.reports.drawing.words import Words, short_money
from backend.reports.figures import DriverMoney, DriverMonth, MonthStay

_MOST_BARS = 4
_PITCH = 30.0


def draw(month: DriverMonth) -> bytes:
    """Draw it; all text is taken as text, whatever markup it looks like."""
    say = Words(month.locale)
    title = month_text(month.month, month.locale)
    who = " · ".join(part for part in (month.name, month.email) if part)
    foot = f"{month.operator or month.brand} · {title} · {month.timezone}"
    sheet = Sheet(title=title, brand=month.brand, foot=foot, page_of=say("page"))
    sheet.head(say("report"), title, [who, say("clock", zone=month.timezone)])
    _tiles(sheet, month, say)
    if not month.stays:
        sheet.words(say("none"), say("none text"))
        return sheet.bytes()
    for index, money in enumerate(month.money):
        weeks = (0.58, _named(say("by week"), money, month), partial(_weeks, sheet, money))
        lots = partial(_lots, sheet, money, say)
        if index == 0:
            hours = partial(_weekdays, sheet, month, say)
            sheet.cards(168, [weeks, (0.42, say("by weekday"), hours)])
            vehicles = partial(_taxes, sheet, money, say)
            sheet.cards(
                max(46 + _PITCH * min(len(money.by_lot), _MOST_BARS), 136),
                [
                    (0.58, _named(say("by lot"), money, month), lots),
                    (0.42, say("taxes"), vehicles),
                ],
            )
        else:
            sheet.cards(168, [weeks, (0.42, _named(say("by lot"), money, month), lots)])
    _stays(sheet, month, say)
    return sheet.bytes()


def _named(title: str, money: DriverMoney, month: DriverMonth) -> str:
    return title if len(month.money) == 1 else f"{title} ({money.currency})"


def _tiles(sheet: Sheet, month: DriverMonth, say: Words) -> None:
    first, others = (month.money[0], month.money[1:]) if month.money else (None, ())
    if first is None:
        spent, tax, note = "0", "0", say("nothing refunded")
    else:
        spent = format_money(first.spent_minor, first.currency)
        tax = format_money(first.tax_minor, first.currency)
        note = (
            say("refunded", amount=format_money(first.refunded_minor, first.currency))
            if first.refunded_minor
            else say("nothing refunded")
        )
        if others:
            more = (format_money(money.spent_minor, money.currency) for money in others)
            note = say("and", amount=", ".join(more))
    each = say("each", time=say.time(month.minutes // month.visits)) if month.visits else ""
    sheet.tiles(
        [
            (say("spent"), spent, note),
            (
                say("visits"),
                f"{month.visits:,}",
                say("car parks", lots=month.lots, plates=month.plates),
            ),
            (say("parked"), say.time(month.minutes), each),
            (say("tax"), tax, say("included")),
        ]
    )


def _weeks(sheet: Sheet, money: DriverMoney, place: Any) -> None:
    most = max(week.spent_minor for week in money.by_week)
    marks = [(mark, short_money(mark, money.currency)) for mark in scale(max(most, 1))]
    columns(
        sheet.canvas,
        place,
        [
            (
                f"{week.first.day}–{week.last.day}",
                week.spent_minor,
                short_money(week.spent_minor, money.currency) if week.spent_minor else "",
            )
            for week in money.by_week
        ],
        marks=marks,
    )


def _weekdays(sheet: Sheet, month: DriverMonth, say: Words, place: Any) -> None:
    minutes = month.minutes_by_weekday
    marks = [(mark, f"{mark} {say('hour')}") for mark in scale(-(-max(*minutes, 1) // 60))]
    columns(
        sheet.canvas,
        place,
        [(say.weekday(day), value / 60, "") for day, value in enumerate(minutes)],
        marks=marks,
    )


def _lots(sheet: Sheet, money: DriverMoney, say: Words, place: Any) -> None:
    shares = money.by_lot
    shown = shares if len(shares) <= _MOST_BARS else shares[: _MOST_BARS - 1]
    look = Type(8, INK)
    room = place[2] - 90
    rows = [
        (wrap(share.name, look, room, 1)[0], float(share.spent_minor), share.spent_minor)
        for share in shown
    ]
    left = shares[len(shown) :]
    if left:
        rest = sum(share.spent_minor for share in left)
        rows.append((say("others", count=len(left)), float(rest), rest))
    bars(
        sheet.canvas,
        place,
        [(name, size, format_money(amount, money.currency)) for name, size, amount in rows],
        pitch=_PITCH,
    )


def _taxes(sheet: Sheet, money: DriverMoney, say: Words, place: Any) -> None:
    x, y, wide, high = place
    top = y + high - 8
    rows = [
        (f"{tax.name} {_rate(tax.rate_bp)}", format_money(tax.amount_minor, money.currency))
        for tax in money.taxes[:3]
    ]
    if not rows:
        write(sheet.canvas, x, top, say("no tax"), Type(8, MUTED))
        top -= 16
    for name, amount in rows:
        write(sheet.canvas, x, top, wrap(name, Type(8, INK), wide - 80, 1)[0], Type(8, INK))
        write(sheet.canvas, x + wide, top, amount, Type(8, INK, bold=True), align="right")
        top -= 15
    top -= 8
    write(sheet.canvas, x, top, say("by vehicle"), Type(10, INK, bold=True))
    top -= 17
    for share in money.by_vehicle[: 2 if len(rows) > 2 else 3]:
        name = f"{share.name} · {say.time(share.minutes)}"
        amount = format_money(share.spent_minor, money.currency)
        write(sheet.canvas, x, top, wrap(name, Type(8, INK), wide - 80, 1)[0], Type(8, INK))
        write(sheet.canvas, x + wide, top, amount, Type(8, INK, bold=True), align="right")
        top -= 15


def _rate(rate_bp: int) -> str:
    return f"{rate_bp // 100}.{rate_bp % 100:02d}".rstrip("0").rstrip(".") + " %"


def _stays(sheet: Sheet, month: DriverMonth, say: Words) -> None:
    zone = ZoneInfo(month.timezone)

    def cells(stay: MonthStay) -> tuple[str, ...]:
        into, out = stay.entered_at.astimezone(zone), stay.left_at.astimezone(zone)
        return (
            f"{_day(into, month.locale)} {into:%H:%M}",
            f"{_day(out, month.locale)} {out:%H:%M}",
            f"{stay.lot}, {stay.bay}" if stay.bay else stay.lot,
            stay.plate,
            say.time(stay.minutes),
            format_money(stay.spent_minor, stay.currency),
            format_money(stay.tax_minor, stay.currency),
            " ".join(stay.receipts),
        )

    sheet.table(
        say("stays"),
        [
            Column(say("in"), 62),
            Column(say("out"), 62),
            Column(say("lot"), 87),
            Column(say("plate"), 64),
            Column(say("time"), 54, right=True),
            Column(say("paid"), 58, right=True),
            Column(say("tax"), 45, right=True),
            Column(say("receipt"), 83.28, right=True),
        ],
        map(cells, month.stays),
        [
            (
                say("total"),
                "",
                "",
                "",
                say.time(sum(stay.minutes for stay in money.stays)),
                format_money(money.spent_minor, money.currency),
                format_money(money.tax_minor, money.currency),
                "",
            )
            for money in month.money
        ],
    )


def _day(moment: Any, locale: str) -> str:
    """Write a day without its year, which stands above."""
    return day_text(moment.date(), locale).rsplit(" ", 1)[0].split(" ", 1)[1]
