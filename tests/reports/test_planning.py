"""P13: one report for each person and month, whatever the clock and however many beats."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from backend.extensions import db
from backend.models import User
from backend.reports import planning
from backend.reports.months import bounds_of, due_months
from backend.reports.planning import plan
from backend.transaction import transaction
from tests.counter import Arrive
from tests.factories import Factory
from tests.reports.conftest import Park, Read, Repeat, Travel

BERLIN = "Europe/Berlin"


def keys(read: Read) -> list[str]:
    return [report.key for report in read()]


class TestMonths:
    def test_a_month_is_what_the_wall_clock_says(self) -> None:
        start, end = bounds_of(date(2026, 10, 1), BERLIN)
        assert start.isoformat() == "2026-09-30T22:00:00+00:00"
        assert end.isoformat() == "2026-10-31T23:00:00+00:00"

    def test_it_is_due_on_the_first_at_six(self, travel: Travel) -> None:
        before, after = travel("2026-11-01T04:59"), travel("2026-11-01T05:00")
        assert next(due_months(BERLIN, before)) == date(2026, 9, 1)
        assert next(due_months(BERLIN, after)) == date(2026, 10, 1)
        assert list(due_months(BERLIN, after)) == [
            *(date(2026, 10, 1), date(2026, 9, 1), date(2026, 8, 1))
        ]

    def test_a_year_ends(self, travel: Travel) -> None:
        assert next(due_months("UTC", travel("2027-01-05T00:00"))) == date(2026, 12, 1)


class TestPlan:
    def test_who_parked_gets_one_and_the_operator(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        desk, idle = arrive(), arrive()
        park(desk, make.lot(), "2026-10-14T12:00")
        assert idle.user.id
        travel("2026-11-01T05:00")
        with app.app_context():
            assert plan() == 2
            assert plan() == 0
        assert keys(reports) == [f"driver:{desk.user.id}:2026-10", "operator:2026-10"]
        assert {report.status for report in reports()} == {"queued"}

    def test_nothing_is_due_before_six(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        park(arrive(), make.lot(), "2026-10-14T12:00")
        travel("2026-11-01T04:59")
        with app.app_context():
            assert plan() == 0
        assert keys(reports) == []

    def test_a_driver_elsewhere_has_a_month_of_their_own(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        # In Berlin the stay ended at half past eleven on the 31st, in Kolkata at four on the 1st.
        here = arrive(user=make.user(timezone=BERLIN))
        there = arrive(user=make.user(timezone="Asia/Kolkata"))
        lot = make.lot()
        park(here, lot, "2026-10-31T22:30")
        park(there, lot, "2026-10-31T22:30")
        travel("2026-11-01T05:00")
        with app.app_context():
            plan()
        assert keys(reports) == [f"driver:{here.user.id}:2026-10", "operator:2026-10"]
        travel("2026-12-01T00:30")  # six in Kolkata
        with app.app_context():
            plan()
        assert f"driver:{there.user.id}:2026-11" in keys(reports)
        assert f"driver:{there.user.id}:2026-10" not in keys(reports)

    @pytest.mark.parametrize(
        ("until", "month"), [("2026-10-31T22:59", "2026-10"), ("2026-10-31T23:00", "2026-11")]
    )
    def test_the_last_hour_of_a_month(
        self,
        app: Flask,
        make: Factory,
        arrive: Arrive,
        park: Park,
        travel: Travel,
        reports: Read,
        until: str,
        month: str,
    ) -> None:
        desk = arrive()
        park(desk, make.lot(), until)
        travel("2026-12-02T12:00")
        with app.app_context():
            plan()
        mine = [key for key in keys(reports) if key.startswith("driver")]
        assert mine == [f"driver:{desk.user.id}:{month}"]

    def test_clocks_that_jump_make_no_second_one(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        desk, lot = arrive(), make.lot()
        park(desk, lot, "2026-09-20T12:00")
        park(desk, lot, "2026-10-14T12:00")
        with app.app_context():
            for moment in (
                "2026-10-31T22:00",
                "2026-11-01T05:01",  # over a month's end
                "2026-10-31T05:01",  # back a day
                "2026-11-01T05:01",
                "2026-12-11T05:01",  # forward forty days
                "2026-11-02T05:01",
            ):
                travel(moment)
                plan()
        mine = [key for key in keys(reports) if key.startswith("driver")]
        assert mine == [f"driver:{desk.user.id}:2026-09", f"driver:{desk.user.id}:2026-10"]
        assert len(keys(reports)) == len(set(keys(reports)))

    def test_months_that_were_missed_are_made_up(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        desk, lot = arrive(), make.lot()
        for until in ("2026-06-14T12:00", "2026-08-14T12:00", "2026-10-14T12:00"):
            park(desk, lot, until)
        travel("2026-11-20T12:00")
        with app.app_context():
            plan()
        mine = [key for key in keys(reports) if key.startswith("driver")]
        # Nobody wants to hear of June any more.
        assert mine == [f"driver:{desk.user.id}:2026-08", f"driver:{desk.user.id}:2026-10"]

    def test_closed_and_disabled_accounts_get_none(
        self,
        app: Flask,
        make: Factory,
        arrive: Arrive,
        park: Park,
        repeat: Repeat,
        travel: Travel,
        reports: Read,
    ) -> None:
        desk = arrive()
        booked = park(desk, make.lot(), "2026-10-14T12:00")
        gone = make.user(active=False, deleted_at=travel("2026-10-20T12:00"))
        repeat(booked, [gone, make.user(active=False)])
        travel("2026-11-01T05:00")
        with app.app_context():
            plan()
        assert keys(reports) == [f"driver:{desk.user.id}:2026-10", "operator:2026-10"]

    def test_a_zone_that_is_none_costs_only_those_in_it(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel, reports: Read
    ) -> None:
        desk, lot = arrive(), make.lot()
        park(desk, lot, "2026-10-14T12:00")
        lost = make.user()
        with app.app_context(), transaction():
            db.session.get_one(User, lost.id).timezone = "Atlantis/Harbour"
        travel("2026-11-01T05:00")
        with app.app_context():
            plan()
        assert f"driver:{desk.user.id}:2026-10" in keys(reports)

    def test_ten_thousand_are_shared_in_parts(
        self,
        app: Flask,
        make: Factory,
        arrive: Arrive,
        park: Park,
        repeat: Repeat,
        travel: Travel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        desk = arrive()
        booked = park(desk, make.lot(), "2026-10-14T12:00")
        repeat(booked, [make.user() for _ in range(7)])
        started: list[list[int]] = []
        monkeypatch.setattr(planning, "_AT_ONCE", 4)
        monkeypatch.setattr(planning, "_TASK", 3)
        monkeypatch.setattr(planning, "start_task", lambda _name, ids: started.append(ids))
        travel("2026-11-01T05:00")
        with app.app_context():
            plan()
        assert [len(each) for each in started] == [3, 1, 3, 1, 1]
        assert len({each for part in started for each in part}) == 9

    def test_zones_are_read_as_they_are(self) -> None:
        # A month that begins in summer time and ends in winter time has an hour more.
        start, end = bounds_of(date(2026, 10, 1), BERLIN)
        assert (end - start).total_seconds() == 31 * 86400 + 3600
        assert start.astimezone(ZoneInfo(BERLIN)).hour == 0
