"""The plan of the demo's stays."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from backend.demo import loader
from backend.demo.stays import Curve, Place, Stay, day_visitors, mean_curve, plan_stays
from backend.lots.hours import OpeningHours

FLAT = [[1.0] * 24] * 7


class TestPlan:
    NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)

    def _plan(self, months: int = 0, curve: Curve = FLAT) -> list[Stay]:
        place = Place(
            lot_id=1,
            zone=ZoneInfo("Europe/Berlin"),
            hours=OpeningHours.always,
            height_limit_cm=None,
            curve=curve,
            peak=0.3,
            bays={"standard": range(2000)},
        )
        return plan_stays([place], now=self.NOW, months=months, rng=Random(7))

    def test_the_same_day_gives_the_same_plan(self) -> None:
        assert self._plan() == self._plan()

    def test_a_month_of_history_comes_before_the_two_weeks(self) -> None:
        plan = self._plan(months=1)
        assert self.NOW - timedelta(days=39) < plan[0].starts_at < self.NOW - timedelta(days=36)
        assert len(plan) > 2.5 * len(self._plan())

    def test_stays_follow_the_curve(self) -> None:
        curves = json.loads((loader._DATA / "dresden-week.json").read_text())
        curve = day_visitors(curves["dresden-parken-Altmarkt"], mean_curve(list(curves.values())))
        zone = ZoneInfo("Europe/Berlin")
        full: Counter[int] = Counter()
        for stay in self._plan(curve=curve):
            moment = stay.starts_at
            while moment < min(stay.ends_at, self.NOW):
                full[moment.astimezone(zone).hour] += 1
                moment += timedelta(minutes=15)
        assert min(full[hour] for hour in range(11, 20)) > 1.4 * max(
            full[hour] for hour in range(1, 5)
        )
        assert max(full, key=lambda hour: full[hour]) in range(11, 20)

    def test_a_busy_day_is_as_full_as_it_is_meant_to_be(self) -> None:
        noon = self.NOW + timedelta(days=1)
        taken = sum(stay.starts_at <= noon < stay.ends_at for stay in self._plan())
        # Tomorrow has nine tenths of a busy day's business.
        assert 0.8 < taken / (0.9 * 0.3 * 2000) < 1.2

    def test_who_stands_there_all_night_is_no_visitor(self) -> None:
        by_day = [0.4] * 8 + [0.6] * 12 + [0.4] * 4
        stopped = [0.9] + [0.5] * 23
        visitors = day_visitors([by_day] * 6 + [stopped], [by_day] * 7)
        assert visitors == [[0.0] * 8 + [1.0] * 12 + [0.0] * 4] * 7

    def test_nothing_is_booked_later_than_now_or_after_it_starts(self) -> None:
        for stay in self._plan():
            assert stay.booked_at < stay.paid_at < self.NOW
            assert stay.booked_at <= stay.starts_at
