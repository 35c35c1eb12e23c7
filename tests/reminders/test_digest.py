"""Yesterday in figures: at seven, once for each admin and day, and by the books."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from backend.extensions import db
from backend.models import InvariantRun, OutboxMail, User
from backend.notifications.telling import notify as send
from backend.payments.tasks import send_refunds
from backend.reminders import digest
from backend.reminders.digest import Day, count_day
from backend.reminders.tasks import send_digest
from backend.reservations.tasks import sweep
from backend.transaction import transaction
from tests.counter import ReadMail
from tests.desk import Desk, between
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Rows, Staff

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def morning() -> datetime:
    """Tell when it is seven in the morning of the day after tomorrow, where the operator is."""
    day = tomorrow_at(12).astimezone(BERLIN) + timedelta(days=1)
    return day.replace(hour=7, minute=0)


@pytest.fixture
def digests(app: Flask) -> Callable[[], list[dict[str, Any]]]:
    """Give what the mails say, the oldest first."""

    def digests() -> list[dict[str, Any]]:
        with app.app_context(), transaction(read_only=True):
            found = db.session.query(OutboxMail).filter_by(template="digest")
            return [mail.context for mail in found.order_by(OutboxMail.id)]

    return digests


@pytest.mark.usefixtures("driver")
class TestTheHour:
    def test_each_admin_is_told_once_a_day(
        self, make: Factory, admin: User, morning: datetime, at: At, rows: Rows
    ) -> None:
        other = make.user(roles=("admin",))
        make.user(roles=("admin",), active=False)
        at(morning - MINUTE)
        assert send_digest() == 0
        for minutes in (0, 5, 600):
            at(morning + minutes * MINUTE)
            send_digest()
        assert rows(
            "SELECT user_id FROM outbox_mails WHERE template = 'digest' ORDER BY user_id"
        ) == [
            (admin.id,),
            (other.id,),
        ]
        at(morning + 24 * HOUR)
        assert send_digest() == 2

    def test_a_morning_that_was_missed_is_made_up_the_same_day(
        self, admin: User, morning: datetime, at: At, digests: Callable[[], list[dict[str, Any]]]
    ) -> None:
        at(morning.replace(hour=23))
        assert send_digest() == 1
        yesterday = morning - timedelta(days=1)
        assert digests()[0]["day"] == f"{yesterday:%a} {yesterday.day} {yesterday:%b %Y}"
        assert admin.locale == "en-IN"

    def test_one_that_cannot_be_told_costs_itself(
        self,
        make: Factory,
        admin: User,
        morning: datetime,
        at: At,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make.user(roles=("admin",))

        def notify(user_id: int, *args: Any, **kwargs: Any) -> None:
            if user_id == admin.id:
                raise ValueError("poison")
            send(user_id, *args, **kwargs)

        monkeypatch.setattr(digest, "notify", notify)
        at(morning)
        assert send_digest() == 1


@pytest.mark.usefixtures("admin")
class TestTheFigures:
    def test_they_are_those_of_the_day(
        self,
        app: Flask,
        desk: Desk,
        arrive: Callable[..., Desk],
        make: Factory,
        staff: Staff,
        at: At,
        digests: Callable[[], list[dict[str, Any]]],
    ) -> None:
        # Where it is Berlin's winter or summer, nine to eleven UTC is within one day of it.
        start = tomorrow_at(9)
        lot = make.lot(spots=4)
        (desk, missing, other) = at(start - 2 * HOUR, desk, arrive(), arrive())
        stayed = desk.own(lot, **between(start, start + 2 * HOUR))
        missing.own(lot, **between(start, start + HOUR))
        given_up = other.own(lot, **between(start + 3 * HOUR, start + 5 * HOUR))
        assert other.cancel(given_up).status_code == 200
        (gate,) = at(start, staff(lot))
        gate.done(stayed, "check-in")
        (gate,) = at(start + 105 * MINUTE, gate)
        gate.done(stayed, "check-out")
        sweep()
        send_refunds()
        with app.app_context(), transaction():
            db.session.get_one(OutboxMail, 1).status = "bounced"
            finding = {"promise": "P7", "violations": 2}
            db.session.add(
                InvariantRun(at=start, took_ms=1, violations=2, findings=[finding, finding])
            )

        day = start.astimezone(BERLIN).date()
        with app.app_context(), transaction(read_only=True):
            found = count_day(day, BERLIN)

        # The car came and left within moments of the full minutes.
        assert found.occupancy is not None
        assert abs(found.occupancy - Fraction(105, 4 * _minutes_of(day))) < Fraction(1, 1000)
        assert found == Day(
            bookings=3,
            stays=1,
            no_shows=1,
            revenue_minor=400 + 200 + 400,
            refunds_minor=400,
            occupancy=found.occupancy,
            failed=[("mail", 1)],
            broken=[("P7", 4)],
        )
        at(datetime.combine(day + timedelta(days=1), datetime.min.time(), BERLIN) + 8 * HOUR)
        send_digest()
        (told,) = digests()
        assert (told["bookings"], told["no_shows"], told["revenue"]) == (3, 1, "€10.00")
        assert told["failed"] == [{"what": "mail", "count": 1}]
        assert (told["broken"], told["occupancy"]) == ("P7 (4)", "2 %")

    def test_a_day_without_anything_is_told_too(
        self,
        morning: datetime,
        at: At,
        digests: Callable[[], list[dict[str, Any]]],
        read_mail: ReadMail,
    ) -> None:
        at(morning)
        assert send_digest() == 1
        (mail,) = read_mail()
        assert "No background work failed." in str(mail.get_body(("plain",)))
        (told,) = digests()
        assert (told["bookings"], told["occupancy"], told["failed"]) == (0, "–", [])


def _minutes_of(day: Any) -> int:
    """Give how long a day of Berlin is: 23 to 25 hours."""
    first, last = (
        datetime.combine(each, datetime.min.time(), BERLIN).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return (last - first) // MINUTE
