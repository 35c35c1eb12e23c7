"""What else the demo shows: prices with bands and rules, a gate that is served, a coupon, somebody who waits."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update

from backend.claims.availability import count_free
from backend.claims.fit import fitting_kinds
from backend.demo.people import DemoDriver
from backend.extensions import db
from backend.models import Coupon, Lot, LotStaff, WaitlistEntry

WATCHED = (
    *("dresden-parken-Altmarkt", "dresden-parken-Frauenkirche-Neumarkt"),
    *("dresden-parken-Terrassenufer", "bengaluru-freedom-park", "bengaluru-ub-city"),
)
"""Where the demo's attendant works."""

_WORKDAYS, _FRIDAY_SATURDAY, _SUNDAY = [0, 1, 2, 3, 4], [4, 5], [6]
# Where people come for the day, the evening and the weekend, each at a price of its own.
SPECIAL_TERMS: Mapping[str, Mapping[str, Any]] = {
    "dresden-parken-Centrum-Galerie": {
        "holiday_region": "DE-SN",
        "week_cap_minor": 6000,
        "bands": [
            {
                "name": "Early bird",
                "kind": "early_bird",
                "weekdays": _WORKDAYS,
                "on_holidays": False,
                "enter_from_minutes": 6 * 60,
                "enter_until_minutes": 9 * 60,
                "leave_until_minutes": 19 * 60,
                "amount_minor": 1000,
            },
            {
                "name": "Evening",
                "kind": "evening",
                "enter_from_minutes": 18 * 60,
                "enter_until_minutes": 23 * 60,
                "leave_until_minutes": 27 * 60,
                "amount_minor": 500,
            },
        ],
        "kind_rules": [{"spot_kind": "electric", "percent_bp": 11000}],
        "day_rules": [
            {
                "name": "Sundays and holidays",
                "weekdays": _SUNDAY,
                "on_holidays": True,
                "percent_bp": 5000,
            }
        ],
    },
    "dresden-parken-Wiesentorstrasse": {
        "free_minutes": 15,
        "bands": [
            {
                "name": "Weekend night",
                "kind": "weekend",
                "weekdays": _FRIDAY_SATURDAY,
                "enter_from_minutes": 19 * 60,
                "enter_until_minutes": 24 * 60,
                "leave_until_minutes": 34 * 60,
                "amount_minor": 800,
            }
        ],
    },
    "bengaluru-garuda-mall": {
        "holiday_region": "IN-KA",
        "minimum_minor": 6000,
        "bands": [
            {
                "name": "Evening",
                "kind": "evening",
                "enter_from_minutes": 18 * 60,
                "enter_until_minutes": 22 * 60,
                "leave_until_minutes": 25 * 60,
                "amount_minor": 10000,
            }
        ],
        "day_rules": [
            {
                "name": "Sundays and holidays",
                "weekdays": _SUNDAY,
                "on_holidays": True,
                "percent_bp": 12000,
            }
        ],
    },
}

_COUPON = "WELCOME10"
_COUPON_DAYS = 365
_HOURS = range(8, 21)
# The busy ones; tomorrow before today, so that the user has time to look at it.
_DAYS_AHEAD = (1, 0, 2, 3, 4, 5, 6)
_SOON = timedelta(hours=1)
_LENGTH = timedelta(hours=1)
_APART = timedelta(hours=1)


def assign_attendant(attendant_id: int, lot_ids: Collection[int]) -> None:
    """Let the attendant work in these lots."""
    if lot_ids:
        db.session.execute(
            insert(LotStaff),
            [{"lot_id": lot_id, "user_id": attendant_id} for lot_id in sorted(lot_ids)],
        )


def let_drivers_in(lot_ids: Collection[int]) -> None:
    """Let drivers check in by themselves, and come again, in lots without a gate."""
    db.session.execute(
        update(Lot)
        .where(Lot.id.in_(lot_ids))
        .values(allows_self_check_in=True, allows_reentry=True)
    )


def add_coupon(admin_id: int, *, opened_at: datetime, now: datetime) -> None:
    """Add a coupon that everybody may use once."""
    db.session.add(
        Coupon(
            code=_COUPON,
            name="10 % off your first booking",
            percent_bp=1000,
            valid_from=opened_at,
            valid_until=now + timedelta(days=_COUPON_DAYS),
            most_uses_per_driver=1,
            created_by=admin_id,
            created_at=opened_at,
        )
    )


def let_one_wait(driver: DemoDriver, lots: Sequence[Lot], *, now: datetime) -> bool:
    """Let a driver wait for the next hour by day in which one of these lots is full; tell whether one is.

    The foremost of them that is full will do.
    """
    vehicle = driver.vehicles[0]
    kinds = fitting_kinds(vehicle.kind, electric=vehicle.electric)
    for starts_at in _hours_ahead(ZoneInfo(lots[0].timezone), now):
        ends_at = starts_at + _LENGTH
        if any(
            stay.starts_at < ends_at + _APART and stay.ends_at > starts_at - _APART
            for stay in driver.busy
        ):
            continue
        counts = count_free([lot.id for lot in lots], starts_at=starts_at, ends_at=ends_at)
        for lot in lots:
            fitting = [counts[lot.id][kind] for kind in kinds if kind in counts[lot.id]]
            if fitting and not any(each.free for each in fitting):
                db.session.add(
                    WaitlistEntry(
                        user_id=driver.id,
                        lot_id=lot.id,
                        vehicle_id=vehicle.id,
                        starts_at=starts_at,
                        ends_at=ends_at,
                        status="waiting",
                        created_at=now,
                    )
                )
                return True
    return False


def _hours_ahead(zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    today = now.astimezone(zone).date()
    for days in _DAYS_AHEAD:
        for hour in _HOURS:
            starts_at = datetime.combine(today + timedelta(days=days), time(hour), zone)
            if starts_at > now + _SOON:
                yield starts_at
