"""A plain model of a stay and its money: what the system should say, worked out without any of its code.

It knows no bays and no database: only what each booking is, what it costs, and what was paid. Prices are
those of one tariff: so much for each started hour of a local day, by quarter hours, up to a day's cap.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
HOUR_MINOR = 200
DAY_CAP_MINOR = 1200
GRACE = timedelta(minutes=10)
ENTRY = timedelta(minutes=15)
ENTRY_LONG = timedelta(hours=2)

PRESENT = ("checked_in", "overstayed")
LIVE = ("held", "confirmed", *PRESENT)


def price(starts_at: datetime, ends_at: datetime) -> int:
    """Price a stay: each local day by itself, its started hours up to the cap."""
    total, moment = 0, starts_at
    while moment < ends_at:
        local = moment.astimezone(ZONE)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        # The same wall clock a day later, as UTC: days of 23 and 25 hours are days.
        cut = min(midnight.astimezone(moment.tzinfo), ends_at)
        minutes = -((moment - cut) // timedelta(minutes=1))
        quarters = -(-minutes // 15)
        total += min(-(-quarters // 4) * HOUR_MINOR, DAY_CAP_MINOR)
        moment = cut
    return total


@dataclass(slots=True)
class Booking:
    """What the model knows of one booking."""

    id: int
    driver: int
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    deadline: datetime | None
    status: str = "held"
    cost: int = 0
    """What it costs by the price that was last fixed."""
    covered: datetime | None = None
    paid: int = 0
    refunded: int = 0
    gifts: int = 0
    """What of the refunds an admin gave back as a courtesy: it is not asked for again."""
    debt: int = 0
    payments: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cost = price(self.starts_at, self.ends_at)

    @property
    def net(self) -> int:
        """What was paid and not given back."""
        return self.paid - self.refunded

    @property
    def reached(self) -> datetime:
        """Up to when it is priced, grace apart."""
        return max(self.ends_at, self.covered or self.ends_at)

    def is_live(self, now: datetime) -> bool:
        """Whether it keeps its bay."""
        return self.state(now) in LIVE

    def state(self, now: datetime) -> str:
        """What it is: a hold past its deadline is over without any job."""
        if self.status == "held" and self.deadline is not None and self.deadline <= now:
            return "expired"
        return self.status

    def runs(self, now: datetime) -> bool:
        """Whether it costs more by the minute."""
        return self.status in PRESENT and now > self.reached + GRACE

    def cost_at(self, now: datetime) -> int:
        """What it costs at a moment."""
        return price(self.starts_at, now) if self.runs(now) else self.cost

    def due(self, now: datetime) -> int:
        """What is to be paid at a moment."""
        state = self.state(now)
        if state == "completed":
            return self.debt
        if state not in LIVE:
            return 0
        return max(self.cost_at(now) - self.net - self.gifts, 0)

    def fix(self, now: datetime) -> None:
        """Fix the price of a moment."""
        if self.runs(now):
            self.cost, self.covered = price(self.starts_at, now), now

    def refund_percent(self, now: datetime) -> int:
        """What share comes back when it is cancelled at a moment: the standard policy, or just booked."""
        ahead = self.starts_at - now
        if now <= self.created_at + timedelta(minutes=15) and ahead > timedelta(hours=1):
            return 100
        for hours, percent in ((24, 100), (2, 75), (0, 50)):
            if ahead >= timedelta(hours=hours):
                return percent
        return 0

    def refund_of(self, amount: int, now: datetime) -> int:
        """What comes back of an amount, a half rounded up."""
        return (2 * amount * self.refund_percent(now) + 100) // 200

    def opens_at(self) -> datetime:
        """From when it opens the entrance."""
        is_long = self.ends_at - self.starts_at > timedelta(hours=24)
        return self.starts_at - (ENTRY_LONG if is_long else ENTRY)

    def pass_time(self, now: datetime) -> None:
        """Let happen what happens by itself."""
        if self.state(now) == "expired":
            self.status = "expired"
        elif self.status == "confirmed" and self.ends_at <= now:
            self.status = "no_show"
        elif self.status == "checked_in" and now > self.reached + GRACE:
            self.status = "overstayed"


def overlap(one: Booking, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a booking's window and another one have a moment in common."""
    return one.starts_at < ends_at and starts_at < one.ends_at
