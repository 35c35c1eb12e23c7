"""Reports are made once, kept with their files, told of, and one that cannot be made costs itself alone."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from backend import clock
from backend.extensions import db
from backend.models import (
    Notification,
    OutboxMail,
    Receipt,
    Report,
    ReportFile,
    Reservation,
    Stay,
    User,
)
from backend.payments.refunds import promise_refunds, send_due_refunds
from backend.reports import making
from backend.reports.attachments import attach_report
from backend.reports.gathering import gather_driver, gather_operator
from backend.reports.making import make_report, run_due
from backend.reports.planning import plan
from backend.reports.retrying import retry_report
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from tests.counter import Arrive
from tests.factories import Factory
from tests.nasty import NASTY
from tests.reports.conftest import Park, Read, Repeat, Travel

OCTOBER = "2026-10"


def mails(template: str) -> list[OutboxMail]:
    with transaction(read_only=True):
        return list(
            db.session.scalars(
                select(OutboxMail).where(OutboxMail.template == template).order_by(OutboxMail.id)
            )
        )


def count(model: Any) -> int:
    with transaction(read_only=True):
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def broken() -> list[Any]:
    return [each for each in check_invariants() if each.promise == "P13" and not each.is_clean]


@pytest.fixture
def october(
    app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, admin: User
) -> dict[str, Any]:
    """A driver with two stays in two car parks, one of them partly paid back; it is the first of November."""
    travel("2026-10-10T00:00")
    desk = arrive(user=make.user(name="Asha Rao", locale="hi-IN"))
    north, south = make.lot(name="North"), make.lot(name="South", hourly_minor=300)
    first = park(desk, north, "2026-10-14T12:00", hours=2)
    second = park(desk, south, "2026-10-20T18:00")
    with app.app_context():
        with transaction():
            promise_refunds(second, 100, cause="goodwill", key="goodwill:1")
        send_due_refunds()
    travel("2026-11-01T05:00")
    return {"desk": desk, "north": north, "south": south, "first": first, "second": second}


class TestGathering:
    def test_a_driver_month(self, app: Flask, october: dict[str, Any]) -> None:
        user_id = october["desk"].user.id
        with app.app_context(), transaction(read_only=True):
            month = gather_driver(user_id, date(2026, 10, 1), "Europe/Berlin", "hi-IN")
        assert (month.visits, month.minutes, month.name) == (2, 180, "Asha Rao")
        (money,) = month.money
        assert (money.paid_minor, money.refunded_minor, money.spent_minor) == (700, 100, 600)
        # 19 % within 400 and within 200.
        assert money.tax_minor == 64 + 32
        assert [(lot.name, lot.visits, lot.spent_minor) for lot in money.by_lot] == [
            *(("North", 1, 400), ("South", 1, 200))
        ]
        assert sum(week.spent_minor for week in money.by_week) == 600
        assert [len(stay.receipts) for stay in month.stays] == [1, 1]
        assert sum(month.minutes_by_weekday) == 180

    def test_the_operator_month(self, app: Flask, october: dict[str, Any]) -> None:
        with app.app_context(), transaction(read_only=True):
            month = gather_operator(date(2026, 10, 1), "Europe/Berlin", "en")
        assert (month.stays, month.walk_ins, month.drivers, month.bookings) == (2, 0, 1, 2)
        (money,) = month.money
        assert (money.received_minor, money.refunded_minor, money.service_minor) == (700, 100, 600)
        assert [(lot.name, lot.revenue_minor) for lot in month.top_lots] == [
            *(("North", 400), ("South", 200))
        ]
        assert sum(lot.occupied_minutes for lot in month.lots) == 180
        # Both have three bays, from just after midnight of the 10th, UTC, to the end of the month.
        assert sum(lot.open_minutes for lot in month.lots) == 6 * ((22 * 24 - 1) * 60 - 1)
        hours = sum(hour.occupied_minutes for day in month.hours for hour in day)
        opened = sum(hour.open_minutes for day in month.hours for hour in day)
        assert (hours, opened) == (180, sum(lot.open_minutes for lot in month.lots))


class TestMaking:
    def test_each_is_made_once_and_told_of_once(
        self, app: Flask, october: dict[str, Any], reports: Read
    ) -> None:
        with app.app_context():
            plan()
            for _ in range(3):  # a task is delivered as often as it likes
                for report in reports():
                    make_report(report.id)
            run_due()
            assert count(ReportFile) == 4
            (mine,) = mails("monthly-report")
            (operators,) = mails("operator-report")
            assert count(Notification) >= 2
            assert broken() == []
        driver, operator = reports()
        assert [driver.status, operator.status] == ["ready", "ready"]
        assert driver.facts is not None
        assert driver.facts["visits"] == 2
        assert driver.facts["money"][0]["spent_minor"] == 600
        assert mine.context["month"] == "अक्तूबर 2026"
        assert (mine.context["visits"], mine.context["hours"], mine.context["spent"]) == (
            *(2, "3:00"),
            "€6.00",
        )
        assert (operators.context["revenue"], operators.context["refunds"]) == ("€6.00", "€1.00")
        assert mine.kind == "monthly_report"
        with app.app_context():
            files = attach_report(mine.context)
        assert [each.filename for each in files] == ["report-2026-10.pdf", "report-2026-10.xlsx"]
        assert files[0].content.startswith(b"%PDF")

    def test_of_two_workers_one_makes_it(
        self, app: Flask, october: dict[str, Any], monkeypatch: pytest.MonkeyPatch, reports: Read
    ) -> None:
        drawn: list[int] = []
        real = making._draw

        def draw(report: Any) -> Any:
            drawn.append(report.id)
            make_report(report.id)  # the other worker comes while the first is at it
            return real(report)

        monkeypatch.setattr(making, "_draw", draw)
        with app.app_context():
            plan()
            run_due()
            assert len(drawn) == 2
            assert len(mails("monthly-report")) == 1

    def test_a_worker_that_died_is_made_up_for(
        self, app: Flask, october: dict[str, Any], monkeypatch: pytest.MonkeyPatch, reports: Read
    ) -> None:
        class Killed(BaseException):
            """What no code catches."""

        def die(_report: Any) -> Any:
            raise Killed

        with app.app_context():
            plan()
            first = reports()[0].id
            with monkeypatch.context() as patched:
                patched.setattr(making, "_draw", die)
                with pytest.raises(Killed):
                    make_report(first)
            make_report(first)  # its lease is not over
            assert reports()[0].status == "running"
            clock.move(clock._offset + timedelta(minutes=12))
            run_due()
        assert [report.status for report in reports()] == ["ready", "ready"]
        assert reports()[0].attempts == 2

    def test_one_that_kills_its_worker_is_given_up(
        self, app: Flask, october: dict[str, Any], reports: Read
    ) -> None:
        with app.app_context():
            plan()
            first = reports()[0].id
            with transaction():
                db.session.execute(
                    update(Report).where(Report.id == first).values(status="running", attempts=3)
                )
            run_due()
        assert reports()[0].status == "failed"
        assert reports()[0].error == "Whoever was at it was stopped each time."

    def test_the_account_was_closed_meanwhile(
        self, app: Flask, october: dict[str, Any], monkeypatch: pytest.MonkeyPatch, reports: Read
    ) -> None:
        real = making._draw

        def draw(report: Any) -> Any:
            drawn = real(report)
            with transaction():
                db.session.execute(delete(Report).where(Report.id == report.id))
            return drawn

        with app.app_context():
            plan()
            first = reports()[0].id
            with monkeypatch.context() as patched:
                patched.setattr(making, "_draw", draw)
                make_report(first)
            assert mails("monthly-report") == []
            assert count(ReportFile) == 0


def poison(
    app: Flask,
    make: Factory,
    repeat: Repeat,
    october: dict[str, Any],
    drivers: int,
) -> User:
    """Give many drivers a stay, each with a name of the nasty corpus, and spoil one of them."""
    # Half a character no database takes, nor any operation of ours.
    names = [name.encode(errors="ignore").decode() for name in NASTY.values()]
    people = [
        make.user(name=names[number % len(names)].replace("\0", "")[:100])
        for number in range(drivers - 1)
    ]
    # Numbers that nobody ever parked for.
    absurd = people[0]
    repeat(october["first"], people)
    with app.app_context(), transaction():
        db.session.execute(
            update(Stay)
            .where(
                Stay.reservation_id.in_(
                    select(Reservation.id).where(Reservation.user_id == absurd.id)
                )
            )
            .values(entered_at=clock.now() - timedelta(days=365 * 50))
        )
        receipt = db.session.scalars(select(Receipt).order_by(Receipt.id)).first()
        assert receipt is not None
        receipt.content = {**receipt.content, "taxes": [{"name": "<b>VAT"}]}
    spoilt: User = october["desk"].user
    return spoilt


def check_poison(app: Flask, reports: Read, poisonous: User, drivers: int) -> None:
    with app.app_context():
        plan()
        # Each try waits a while longer; whatever a sweep leaves is the next one's.
        for _ in range(10 + drivers // 100):
            run_due()
            clock.move(clock._offset + timedelta(minutes=3))
        told = len(mails("monthly-report"))
        assert broken() == []
    found = {report.key: report for report in reports() if report.audience == "driver"}
    assert len(found) == drivers
    spoilt = found.pop(f"driver:{poisonous.id}:{OCTOBER}")
    assert spoilt.status == "failed"
    assert str(spoilt.error).startswith("KeyError in backend.reports.gathering")
    assert {report.status for report in found.values()} == {"ready"}
    assert told == drivers - 1
    # Once it is mended, it is made.
    with app.app_context():
        with transaction():
            receipt = db.session.scalars(select(Receipt).order_by(Receipt.id)).first()
            assert receipt is not None
            receipt.content = {**receipt.content, "taxes": []}
            retry_report(spoilt.id)
        run_due()
        assert len(mails("monthly-report")) == drivers


class TestPoison:
    def test_one_costs_one(
        self, app: Flask, make: Factory, repeat: Repeat, october: dict[str, Any], reports: Read
    ) -> None:
        check_poison(app, reports, poison(app, make, repeat, october, 50), 50)

    @pytest.mark.long
    def test_one_in_a_thousand_costs_one(
        self, app: Flask, make: Factory, repeat: Repeat, october: dict[str, Any], reports: Read
    ) -> None:
        check_poison(app, reports, poison(app, make, repeat, october, 1000), 1000)
