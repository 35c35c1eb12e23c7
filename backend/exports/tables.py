"""Small tables, made at once in the request that asks for them."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from backend.config import settings
from backend.coupons.service import list_all_coupons
from backend.exports.cells import clean_text, guard_formula, major_units
from backend.exports.kinds import KINDS
from backend.extensions import db
from backend.models import Lot

Table = list[list[Any]]


def list_lots() -> Table:
    """Give all lots as rows below their titles."""
    kind = KINDS["lots"]
    zone = ZoneInfo(settings().timezone)
    rows = db.session.execute(kind.select(None, None, {}))
    return [
        [column.title for column in kind.columns],
        *([_cell(value, zone) for value in row] for row in rows),
    ]


def list_coupons() -> Table:
    """Give all coupons as rows below their titles."""
    zone, currency = ZoneInfo(settings().timezone), settings().currency
    titles = [
        *("Coupon", "Code", "Name", "Percent", "Amount", "Currency", "Car park"),
        *("From", "To", "Most uses", "Most uses per driver", "Uses", "Active", "Made"),
    ]
    lots = {row.id: row.name for row in db.session.execute(select(Lot.id, Lot.name))}
    table: Table = [titles]
    for coupon in list_all_coupons():
        amount = coupon.amount_minor
        table.append(
            [
                _cell(value, zone)
                for value in (
                    coupon.id,
                    coupon.code,
                    coupon.name,
                    None if coupon.percent_bp is None else Decimal(coupon.percent_bp) / 100,
                    None if amount is None else major_units(amount, currency),
                    None if amount is None else currency,
                    None if coupon.lot_id is None else lots[coupon.lot_id],
                    coupon.valid_from,
                    coupon.valid_until,
                    coupon.most_uses,
                    coupon.most_uses_per_driver,
                    coupon.uses,
                    "yes" if coupon.active else "no",
                    coupon.created_at,
                )
            ]
        )
    return table


def _cell(value: Any, zone: ZoneInfo) -> Any:
    """Give a value as pyexcel writes it: it takes text that begins like a formula for one, and knows no zones."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guard_formula(clean_text(value))
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "astimezone"):
        return value.astimezone(zone).replace(tzinfo=None)
    return value
