"""P1, P2, P4, P6, P7, P8, P10: any history of stays, faults and all, agrees with a plain model after every step."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, bindparam, event, text, update
from werkzeug.test import TestResponse

from backend import clock
from backend.extensions import db
from backend.models import Spot, UtcDateTime
from backend.payments.webhooks import secret_of, sign
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from tests.conftest import empty
from tests.contract import ContractBroken
from tests.desk import CHALLENGED, DECLINED, GOOD, problem
from tests.factories import Factory
from tests.life.minute import pass_a_minute
from tests.life.model import DAY_CAP_MINOR, HOUR_MINOR, LIVE, PRESENT, Booking, overlap, price

V1 = "/api/v1"
# The Friday before Europe's clocks go forward.
START = datetime(2027, 3, 26, 8, 7, tzinfo=UTC)
BAYS = 2
DRIVERS = 3
QUARTER = timedelta(minutes=15)


_STANDING = text(
    "SELECT count(*) FROM spot_claims WHERE live AND starts_at < :ends_at AND ends_at > :starts_at"
).bindparams(bindparam("starts_at", type_=UtcDateTime()), bindparam("ends_at", type_=UtcDateTime()))

bookings = st.integers(0, 30)
quarters = st.integers(1, 20)
# Mostly soon, so that stays begin and end within a life.
soon = st.sampled_from([0, 0, 0, 1, 2, 3, 5, 9, 30])


class Dropped(Exception):  # noqa: N818 - it says what happened
    """The process died just before a commit."""


class Life(RuleBasedStateMachine):
    """One lot, three drivers, staff, a clock; and whatever they do."""

    app: Flask
    seen: Counter[str]
    """How often each act had an effect."""

    def __init__(self) -> None:
        super().__init__()
        clock.move(START - datetime.now(UTC))
        self.client = self.app.test_client()
        self.make = Factory(self.app)
        self.bookings: dict[int, Booking] = {}
        self.closed = False
        self.waiting: dict[int, tuple[int, datetime, datetime]] = {}

    # The ground.

    @initialize()
    def open_the_lot(self) -> None:
        self.lot = self.make.lot(spots=BAYS, hourly_minor=HOUR_MINOR, day_cap_minor=DAY_CAP_MINOR)
        self.drivers = [self.make.user() for _ in range(DRIVERS)]
        self.vehicles = [self.make.vehicle(driver) for driver in self.drivers]
        self.admin = self.make.user(roles=("admin",))
        self.spots = self.make.spots(self.lot)
        # Of equally good bays chance chooses, and no life could be lived twice.
        with self.app.app_context(), transaction():
            db.session.execute(update(Spot).values(entrance_rank=Spot.id))
        self.sign_in()

    def sign_in(self) -> None:
        """Sign everybody in anew: tokens do not outlive a leap of the clock."""
        self.headers = [self.make.headers(driver) for driver in self.drivers]
        self.as_admin = self.make.headers(self.admin)

    # What drivers do.

    @rule(
        driver=st.integers(0, DRIVERS - 1),
        ahead=soon,
        length=quarters,
        pinned=st.booleans(),
    )
    def book(self, driver: int, ahead: int, length: int, *, pinned: bool) -> None:
        starts_at, ends_at = self.window(ahead, length)
        body = {
            "lot_id": self.lot.id,
            "vehicle_id": self.vehicles[driver].id,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
        }
        if pinned:
            body["spot_id"] = self.spots[0].id
        answer = self.post("/reservations", body, self.headers[driver])
        now = clock.now()
        mine = [each for each in self.bookings.values() if each.driver == driver]
        standing = [
            each
            for each in mine
            if each.state(now) in ("held", *PRESENT)
            or (each.state(now) == "confirmed" and each.ends_at > now)
        ]
        if any(each.debt for each in mine):
            expected = {"409 debt-stands"}
        elif len(standing) >= 5:
            expected = {"409 too-many-reservations"}
        elif sum(each.state(now) == "held" for each in mine) >= 2:
            expected = {"409 too-many-holds"}
        elif any(overlap(each, starts_at, ends_at) for each in mine if each.is_live(now)):
            expected = {"409 vehicle-already-booked"}
        else:
            expected = {"201", "409 spot-taken" if pinned else "409 lot-full"}
        told = self.told(answer)
        assert told in expected, (told, expected)
        if told == "201":
            self.did("book")
            self.take_up(driver, answer.json)
        elif told in {"409 lot-full", "409 spot-taken"}:
            assert self.load(starts_at, ends_at) > 0

    @rule(driver=st.integers(0, DRIVERS - 1), ahead=soon, length=quarters)
    def buy(self, driver: int, ahead: int, length: int) -> None:
        before = set(self.bookings)
        self.book(driver=driver, ahead=ahead, length=length, pinned=False)
        for made in set(self.bookings) - before:
            booking = self.bookings[made]
            answer = self.send_payment(booking, GOOD)
            self.expect_payment(booking, answer, card=GOOD, right=True)

    @precondition(lambda self: self.bookings)
    @rule(which=bookings, card=st.sampled_from([GOOD, DECLINED, CHALLENGED]), right=st.booleans())
    def pay(self, which: int, card: str, *, right: bool) -> None:
        booking = self.pick(which)
        self.expect_payment(booking, self.send_payment(booking, card), card=card, right=right)

    @precondition(lambda self: self.bookings)
    @rule(which=bookings)
    def cancel(self, which: int) -> None:
        booking = self.pick(which)
        path = f"/reservations/{booking.id}"
        told = self.get(f"{path}/cancellation", booking)
        answer = self.post(f"{path}/cancel", {}, self.headers[booking.driver])
        if booking.state(clock.now()) not in {"held", "confirmed"}:
            assert self.told(told) == self.told(answer) == "409 illegal-transition"
            return
        refund = booking.refund_of(booking.net, clock.now())
        assert told.json["refund_minor"] == refund
        assert told.json["kept_minor"] == booking.net - refund
        assert self.told(answer) == "200", answer.text
        self.did("cancel with a refund" if refund else "cancel")
        booking.status = "cancelled"
        booking.refunded += refund

    @precondition(lambda self: self.bookings)
    @rule(which=bookings, more=st.integers(-2, 12))
    def extend(self, which: int, more: int) -> None:
        booking = self.pick(which)
        now = clock.now()
        ends_at = booking.ends_at + more * QUARTER
        answer = self.post(
            f"/reservations/{booking.id}/extend",
            {"ends_at": ends_at.isoformat()},
            self.headers[booking.driver],
        )
        state = booking.state(now)
        told = self.told(answer)
        is_late = now > booking.reached + timedelta(minutes=10) or (
            state == "confirmed" and now >= booking.ends_at
        )
        if state not in {"confirmed", "checked_in"} or is_late:
            assert told == "409 illegal-transition", told
        elif ends_at <= max(booking.reached, now):
            assert told == "422 invalid-input", told
        elif self.is_booked_elsewhere(booking, booking.starts_at, ends_at):
            assert told in {"409 vehicle-already-booked", "409 extension-blocked"}, told
        else:
            assert told in {"200", "409 extension-blocked"}, answer.text
        if told == "200":
            self.did("extend")
            booking.ends_at = ends_at
            booking.cost = price(booking.starts_at, ends_at)

    @precondition(lambda self: self.bookings)
    @rule(which=bookings, ahead=soon, length=quarters)
    def reschedule(self, which: int, ahead: int, length: int) -> None:
        booking = self.pick(which)
        now = clock.now()
        starts_at, ends_at = self.window(ahead, length)
        answer = self.post(
            f"/reservations/{booking.id}/reschedule",
            {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
            self.headers[booking.driver],
        )
        told = self.told(answer)
        if booking.state(now) != "confirmed" or booking.ends_at <= now:
            assert told == "409 illegal-transition", told
        elif self.is_booked_elsewhere(booking, starts_at, ends_at):
            assert told in {"409 vehicle-already-booked", "409 lot-full", "409 spot-taken"}, told
        else:
            assert told in {"200", "409 lot-full", "409 spot-taken"}, answer.text
        if told == "200":
            self.did("reschedule")
            cost = price(starts_at, ends_at)
            saved = min(booking.cost, booking.net) - cost
            if saved > 0:
                self.did("reschedule with a refund")
                booking.refunded += booking.refund_of(saved, now)
            booking.starts_at, booking.ends_at, booking.cost = starts_at, ends_at, cost

    # What happens at the gate.

    @precondition(lambda self: self.bookings)
    @rule(which=bookings)
    def check_in(self, which: int) -> None:
        self.check_in_of(self.pick(which))

    def check_in_of(self, booking: Booking) -> None:
        now = clock.now()
        state = booking.state(now)
        answer = self.post(f"/reservations/{booking.id}/check-in", None, self.as_admin)
        told = self.told(answer)
        if state != "confirmed" or booking.ends_at <= now or now < booking.opens_at():
            assert told == "409 entry-refused", told
            return
        early = now < booking.starts_at
        assert told == "200" or (early and answer.json["reason"] == "bay-not-free"), answer.text
        if told == "200":
            self.did("check in")
            booking.status = "checked_in"

    @precondition(lambda self: self.cars_in())
    @rule(which=bookings, let_out=st.booleans())
    def check_out(self, which: int, *, let_out: bool) -> None:
        inside = self.cars_in()
        booking = inside[which % len(inside)]
        now = clock.now()
        body = {"let_out_reason": "The barrier is broken."} if let_out else {}
        answer = self.post(f"/reservations/{booking.id}/check-out", body, self.as_admin)
        due = booking.due(now)
        if due and not let_out:
            assert self.told(answer) == "409 payment-due", answer.text
            assert answer.json["due_minor"] == due
            self.did("leave unpaid")
            return
        assert self.told(answer) == "200", answer.text
        self.did("let out" if due else "check out")
        booking.fix(now)
        booking.status, booking.debt = "completed", due

    @precondition(lambda self: any(each.status == "confirmed" for each in self.bookings.values()))
    @rule(which=bookings)
    def come(self, which: int) -> None:
        paid = [each for each in self.bookings.values() if each.status == "confirmed"]
        booking = paid[which % len(paid)]
        until_then = booking.starts_at - timedelta(minutes=4) - clock.now()
        if timedelta() < until_then:
            self.time_passes_by(until_then)
        if booking.status == "confirmed":
            self.find_displaced(booking)
            self.check_in_of(booking)

    @precondition(lambda self: any(each.status in PRESENT for each in self.bookings.values()))
    @rule(which=bookings, minutes=st.sampled_from([2, 12, 25, 70, 200]))
    def stay_too_long(self, which: int, minutes: int) -> None:
        inside = [each for each in self.bookings.values() if each.status in PRESENT]
        booking = inside[which % len(inside)]
        self.time_passes_by(
            max(booking.reached - clock.now(), timedelta()) + timedelta(minutes=minutes)
        )

    # What staff do.

    @precondition(lambda self: any(each.payments for each in self.bookings.values()))
    @rule(which=bookings, amount=st.integers(1, 900))
    def refund(self, which: int, amount: int) -> None:
        paid = [each for each in self.bookings.values() if each.payments]
        booking = paid[which % len(paid)]
        payment_id = booking.payments[which % len(booking.payments)]
        before = self.client.get(f"{V1}/payments/{payment_id}", headers=self.as_admin).json
        left = before["amount_minor"] - before["refunded_minor"]
        answer = self.post(
            f"/payments/{payment_id}/refunds",
            {"amount_minor": amount, "reason": "As a courtesy."},
            self.as_admin,
        )
        if amount > left:
            assert self.told(answer) == "409 refund-exceeds-payment", answer.text
        else:
            assert self.told(answer) == "201", answer.text
            self.did("refund")
            booking.refunded += amount
            booking.gifts += amount

    @rule(ahead=soon, length=quarters, which=st.integers(0, BAYS - 1))
    def close_a_bay(self, ahead: int, length: int, which: int) -> None:
        starts_at, ends_at = self.window(ahead, length)
        body = {
            "spot_ids": [self.spots[which].id],
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "reason": "Works.",
        }
        path = f"/lots/{self.lot.id}/closings"
        shown = self.post(path, body | {"dry_run": True}, self.as_admin)
        assert shown.status_code == 200, shown.text
        answer = self.post(
            path, body | {"dry_run": False, "digest": shown.json["digest"]}, self.as_admin
        )
        hit = {each["reservation_id"]: each for each in shown.json["affected"]}
        if any(each["action"] == "stays" for each in hit.values()):
            assert answer.status_code in {200, 409}, answer.text
        else:
            assert answer.status_code == 200, answer.text
        if answer.status_code != 200:
            return
        self.closed = True
        self.did("close a bay")
        for each in hit.values():
            if each["action"] == "refund":
                booking = self.bookings[each["reservation_id"]]
                assert each["refund_minor"] == booking.net
                self.did("close a bay that is booked")
                booking.status, booking.refunded = "cancelled", booking.paid

    @precondition(lambda self: self.closed)
    @rule()
    def open_all_bays(self) -> None:
        self.closed = False
        for spot in self.spots:
            self.client.patch(
                f"{V1}/spots/{spot.id}", json={"in_service": True}, headers=self.as_admin
            )

    # The queue.

    @rule(driver=st.integers(0, DRIVERS - 1), ahead=soon, length=quarters)
    def wait(self, driver: int, ahead: int, length: int) -> None:
        starts_at, ends_at = self.window(ahead, length)
        body = {
            "lot_id": self.lot.id,
            "vehicle_id": self.vehicles[driver].id,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
        }
        answer = self.post("/waitlist", body, self.headers[driver])
        assert answer.status_code in {201, 409}, answer.text
        if answer.status_code == 201:
            assert self.load(starts_at, ends_at) > 0
            self.did("wait")
            self.waiting[answer.json["id"]] = (driver, starts_at, ends_at)

    @precondition(lambda self: self.waiting)
    @rule(which=bookings)
    def leave_the_queue(self, which: int) -> None:
        entry_id = sorted(self.waiting)[which % len(self.waiting)]
        driver, _, _ = self.waiting.pop(entry_id)
        answer = self.client.delete(f"{V1}/waitlist/{entry_id}", headers=self.headers[driver])
        assert answer.status_code in {204, 409}, answer.text

    # Time, and what goes wrong.

    @rule(minutes=st.sampled_from([3, 11, 26, 70, 310, 1450]))
    def time_passes(self, minutes: int) -> None:
        self.time_passes_by(timedelta(minutes=minutes))

    def time_passes_by(self, span: timedelta) -> None:
        clock.move(clock.now() + span - datetime.now(UTC))
        self.sign_in()
        self.sweep()

    @precondition(lambda self: any(each.payments for each in self.bookings.values()))
    @rule(which=bookings, times=st.integers(1, 4), old=st.booleans())
    def tell_of_a_payment_again(self, which: int, times: int, *, old: bool) -> None:
        paid = [each for each in self.bookings.values() if each.payments]
        booking = paid[which % len(paid)]
        with self.app.app_context():
            reference = self.reference_of(booking.payments[-1])
            secret = secret_of("sandbox")
        body = json.dumps(
            {
                "id": f"evt_{booking.id}",
                "type": "payment_intent.succeeded",
                "data": {"object": {"id": reference, "object": "payment_intent"}},
            }
        ).encode()
        moment = clock.now() - timedelta(seconds=301 if old else 0)
        for _ in range(times):
            answer = self.client.post(
                f"{V1}/webhooks/sandbox",
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "Sandbox-Signature": sign(secret, body, moment),
                },
            )
            assert answer.status_code == (400 if old else 200), answer.text
            self.did("event too old" if old else "event again")

    @precondition(lambda self: self.bookings)
    @rule(
        which=bookings,
        act=st.sampled_from(["pay", "cancel", "check_in", "check_out", "extend"]),
        commits=st.sampled_from([0, 0, 0, 1, 2, 3]),
    )
    def die_before_a_commit(self, which: int, act: str, commits: int) -> None:
        self.die(self.pick(which), act, commits)

    @precondition(lambda self: self.cars_in())
    @rule(which=bookings, commits=st.sampled_from([0, 0, 1]))
    def die_on_the_way_out(self, which: int, commits: int) -> None:
        inside = self.cars_in()
        self.die(inside[which % len(inside)], "check_out", commits)

    @precondition(lambda self: self.cars_at_the_gate())
    @rule(which=bookings, commits=st.sampled_from([0, 0, 1]))
    def die_on_the_way_in(self, which: int, commits: int) -> None:
        waiting = self.cars_at_the_gate()
        self.die(waiting[which % len(waiting)], "check_in", commits)

    def die(self, booking: Booking, act: str, commits: int) -> None:
        before, at = deepcopy(booking), clock.now()
        with self.dropping(commits) as dropped:
            answer = self.try_to(act, booking)
        self.did(f"die in {act}" if dropped else f"{act} undisturbed")
        if not dropped:
            # It was over before: as if nothing had happened.
            self.learn(booking, answer, act)
            return
        # A payment that nobody heard of again is looked up, or given back.
        clock.move(clock.now() + timedelta(minutes=5) - datetime.now(UTC))
        self.sign_in()
        self.sweep()
        self.learn_after_fault(booking, before, act, at)

    # What always holds.

    @invariant()
    def every_booking_is_as_the_model_says(self) -> None:
        if not hasattr(self, "headers"):
            return
        self.find_offers()
        for booking in self.bookings.values():
            told = self.get(f"/reservations/{booking.id}", booking).json
            now = clock.now()
            self.find_displaced(booking, told)
            found = (
                told["status"],
                told["price_minor"],
                told["paid_minor"] - told["refunded_minor"],
                told["due_minor"],
                told["debt_minor"],
            )
            expected = (
                booking.state(now),
                booking.cost,
                booking.net,
                booking.due(now),
                booking.debt,
            )
            assert found == expected, (booking, found, expected)

    @invariant()
    def nothing_promised_is_broken(self) -> None:
        with self.app.app_context():
            found = check_invariants()
        broken = [each for each in found if not each.is_clean]
        assert not broken, broken

    def teardown(self) -> None:
        clock.move(timedelta())
        empty(self.app)

    # How it is done.

    def window(self, ahead: int, length: int) -> tuple[datetime, datetime]:
        now = clock.now()
        quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        starts_at = quarter + (ahead + 1) * QUARTER
        return starts_at, starts_at + length * QUARTER

    def did(self, act: str) -> None:
        self.seen[act] += 1

    def pick(self, which: int) -> Booking:
        # The newest first, so that small examples speak of what was just made.
        found = sorted(self.bookings)
        return self.bookings[found[-1 - which % len(found)]]

    def cars_at_the_gate(self) -> list[Booking]:
        now = clock.now()
        return [
            each
            for each in self.bookings.values()
            if each.status == "confirmed" and each.opens_at() <= now < each.ends_at
        ]

    def cars_in(self) -> list[Booking]:
        return [each for each in self.bookings.values() if each.status in PRESENT]

    def post(self, path: str, body: Any, headers: dict[str, str]) -> TestResponse:
        return self.client.post(f"{V1}{path}", json=body, headers=headers)

    def get(self, path: str, booking: Booking) -> TestResponse:
        return self.client.get(f"{V1}{path}", headers=self.headers[booking.driver])

    def told(self, answer: TestResponse) -> str:
        return str(answer.status_code) if answer.status_code < 400 else problem(answer)

    def take_up(self, driver: int, told: dict[str, Any]) -> Booking:
        booking = Booking(
            id=told["id"],
            driver=driver,
            starts_at=datetime.fromisoformat(told["starts_at"]),
            ends_at=datetime.fromisoformat(told["ends_at"]),
            created_at=datetime.fromisoformat(told["created_at"]),
            deadline=datetime.fromisoformat(told["hold_expires_at"]),
        )
        assert told["status"] == "held"
        assert told["price_minor"] == booking.cost, (told, booking)
        self.bookings[booking.id] = booking
        return booking

    def is_booked_elsewhere(self, booking: Booking, starts_at: datetime, ends_at: datetime) -> bool:
        now = clock.now()
        return any(
            overlap(each, starts_at, ends_at)
            for each in self.bookings.values()
            if each is not booking and each.driver == booking.driver and each.is_live(now)
        )

    def load(self, starts_at: datetime, ends_at: datetime) -> int:
        """Count what stands in the lot in a window, closures too, by the rows themselves."""
        with self.app.app_context(), db.engine.connect() as connection:
            return int(
                connection.execute(
                    _STANDING, {"starts_at": starts_at, "ends_at": ends_at}
                ).scalar_one()
            )

    def send_payment(self, booking: Booking, card: str) -> TestResponse:
        return self.post(
            f"/reservations/{booking.id}/payments",
            {"method": "sandbox", "card_number": card},
            self.headers[booking.driver],
        )

    def expect_payment(
        self, booking: Booking, answer: TestResponse, *, card: str, right: bool
    ) -> None:
        now = clock.now()
        state, due = booking.state(now), booking.due(now)
        told = self.told(answer)
        if state == "expired":
            assert told == "409 hold-expired", told
            return
        if state == "cancelled":
            assert told == "409 illegal-transition", told
            return
        if not due:
            assert told == "409 already-paid", told
            return
        assert told == "201", answer.text
        booking.fix(now)
        payment = answer.json
        assert payment["amount_minor"] == due
        if payment["status"] == "requires_action":
            code = "123456" if right else "000000"
            answer = self.post(
                f"/payments/{payment['id']}/confirm",
                {"code": code},
                self.headers[booking.driver],
            )
            assert answer.status_code == 200, answer.text
            payment = answer.json
        succeeds = card == GOOD or (card == CHALLENGED and right)
        assert payment["status"] == ("succeeded" if succeeds else "failed")
        if succeeds:
            self.enter(booking, payment)
        elif state == "held":
            self.did("decline")
            self.read_deadline(booking)

    def enter(self, booking: Booking, payment: dict[str, Any]) -> None:
        self.did("pay late" if booking.status != "held" else "pay")
        booking.paid += payment["amount_minor"]
        booking.payments.append(payment["id"])
        if booking.status == "held":
            booking.status = "confirmed"
        booking.debt = 0

    def read_deadline(self, booking: Booking) -> None:
        told = self.get(f"/reservations/{booking.id}", booking).json
        if told["hold_expires_at"] is not None:
            deadline = datetime.fromisoformat(told["hold_expires_at"])
            assert booking.deadline is not None
            assert booking.deadline <= deadline <= booking.created_at + timedelta(minutes=25)
            booking.deadline = deadline

    def sweep(self) -> None:
        pass_a_minute(self.app)
        now = clock.now()
        for booking in self.bookings.values():
            before = booking.status
            booking.pass_time(now)
            if booking.status != before:
                self.did(booking.status)

    def find_offers(self) -> None:
        """Take up the holds that the waitlist gave by itself."""
        for driver, headers in enumerate(self.headers):
            listed = self.client.get(
                f"{V1}/reservations?status=held&limit=100", headers=headers
            ).json["items"]
            for told in listed:
                if told["id"] not in self.bookings:
                    assert told["source"] == "waitlist", told
                    self.did("offer")
                    self.take_up(driver, told)

    def find_displaced(self, booking: Booking, told: Any = None) -> None:
        told = told or self.get(f"/reservations/{booking.id}", booking).json
        if told["status"] == "cancelled" and booking.status in {"held", "confirmed", "no_show"}:
            self.accept_displacement(booking, told)

    def accept_displacement(self, booking: Booking, told: dict[str, Any]) -> None:
        """A booking whose bay a car keeps past its end, and that fits nowhere else, is refunded in full."""
        events = self.get(f"/reservations/{booking.id}/events", booking).json["items"]
        cancelled = [each for each in events if each["kind"] == "cancelled"]
        assert [each["facts"]["cause"] for each in cancelled] == ["no_bay"], events
        assert told["paid_minor"] == told["refunded_minor"]
        assert any(
            each.status in LIVE or each.status == "completed"
            for each in self.bookings.values()
            if each is not booking
        )
        self.did("displace")
        booking.status, booking.refunded = "cancelled", booking.paid

    def reference_of(self, payment_id: int) -> str:
        with db.engine.connect() as connection:
            return str(
                connection.execute(
                    text("SELECT gateway_ref FROM payments WHERE id = :id"), {"id": payment_id}
                ).scalar_one()
            )

    @contextmanager
    def dropping(self, commits: int) -> Iterator[list[int]]:
        """Let the process die before the commit after so many; tell whether it came to that."""
        dropped: list[int] = []
        left = [commits]

        def die(connection: Connection) -> None:
            if connection.get_execution_options().get("read_only"):
                return
            if left[0] == 0:
                dropped.append(1)
            if left[0] <= 0:
                raise Dropped
            left[0] -= 1

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "commit", die)
        try:
            yield dropped
        finally:
            event.remove(engine, "commit", die)

    def try_to(self, act: str, booking: Booking) -> TestResponse | None:
        path, headers = f"/reservations/{booking.id}", self.headers[booking.driver]
        acts: dict[str, Callable[[], TestResponse]] = {
            "pay": lambda: self.send_payment(booking, GOOD),
            "cancel": lambda: self.post(f"{path}/cancel", {}, headers),
            "check_in": lambda: self.post(f"{path}/check-in", None, self.as_admin),
            "check_out": lambda: self.post(f"{path}/check-out", {}, self.as_admin),
            "extend": lambda: self.post(
                f"{path}/extend", {"ends_at": (booking.ends_at + QUARTER).isoformat()}, headers
            ),
        }
        try:
            return acts[act]()
        except (Dropped, ContractBroken):
            # Nobody is told anything; the contract knows no answer of a process that died.
            return None

    def learn(self, booking: Booking, answer: TestResponse | None, act: str) -> None:
        """Take over what an act that nothing disturbed has done."""
        assert answer is not None
        if answer.status_code >= 400:
            # A payment that is refused fixes nothing; a refused act leaves nothing at all.
            return
        self.take_over(booking, act, clock.now())

    def take_over(self, booking: Booking, act: str, at: datetime) -> None:
        told = self.get(f"/reservations/{booking.id}", booking).json
        payments = self.client.get(
            f"{V1}/payments?reservation_id={booking.id}&limit=100",
            headers=self.headers[booking.driver],
        ).json["items"]
        if act in {"pay", "check_out"}:
            # The price that was fixed as the payment began, or as the car left.
            booking.cost = told["price_minor"]
            if told["covered_until"] is not None:
                booking.covered = datetime.fromisoformat(told["covered_until"])
        for payment in payments:
            if payment["id"] not in booking.payments and payment["status"] == "succeeded":
                self.enter(booking, payment)
        if act == "cancel" and told["status"] == "cancelled":
            booking.refunded += booking.refund_of(booking.net, at)
        if act == "extend" and told["ends_at"] != booking.ends_at.isoformat():
            booking.ends_at = datetime.fromisoformat(told["ends_at"])
            booking.cost = price(booking.starts_at, booking.ends_at)
        if act == "check_in" and told["status"] == "checked_in":
            booking.status = "checked_in"
        if act in {"cancel", "check_out"}:
            booking.status = told["status"]

    def learn_after_fault(self, booking: Booking, before: Booking, act: str, at: datetime) -> None:
        """Learn which of the two it became: as if nothing had happened, or as if nothing had gone wrong."""
        told = self.get(f"/reservations/{booking.id}", booking).json
        successors = {
            "pay": {"held": "confirmed"},
            "cancel": {"held": "cancelled", "confirmed": "cancelled"},
            "check_in": {"confirmed": "checked_in"},
            "check_out": {"checked_in": "completed", "overstayed": "completed"},
            "extend": {},
        }
        now = clock.now()
        idle = deepcopy(before)
        idle.pass_time(now)
        assert told["status"] in {
            idle.status,
            successors[act].get(before.status, idle.status),
            "overstayed" if before.status == "confirmed" and act == "check_in" else idle.status,
            # A payment that was begun keeps the hold for longer, though nobody hears of it again.
            before.status if act == "pay" else idle.status,
        }, (told, before)
        if act == "pay" and told["status"] in {"held", "confirmed"}:
            booking.status = before.status
        self.take_over(booking, act, at)
        self.read_deadline(booking)
        booking.pass_time(now)


def live(app: Flask, *, examples: int, steps: int) -> Counter[str]:
    """Let so many lives of so many steps agree with the model; count what was done in them."""
    seen: Counter[str] = Counter()
    machine = type("LifeOf", (Life,), {"app": app, "seen": seen})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return seen


def test_lives_agree_with_the_model(app: Flask) -> None:
    seen = live(app, examples=20, steps=30)
    # So few lives do not meet everything; the many below do.
    assert {"book", "pay"} <= seen.keys()
    assert len(seen) >= len(_EFFECTS) / 2, sorted(seen)


@pytest.mark.long
def test_many_long_lives_agree_with_the_model(app: Flask) -> None:
    seen = live(app, examples=200, steps=50)
    report = ", ".join(f"{act} {count}" for act, count in sorted(seen.items()))
    assert seen.keys() >= _EFFECTS, f"Never met: {sorted(_EFFECTS - seen.keys())}. Met: {report}"
    sys.stdout.write(f"{report}\n")


# What must have been met for the machine to have shown anything.
_EFFECTS = {
    *("book", "pay", "pay late", "decline", "cancel", "cancel with a refund"),
    *("extend", "reschedule", "reschedule with a refund", "check in", "check out", "let out"),
    *("leave unpaid", "overstayed", "no_show", "expired", "refund", "wait", "offer"),
    *("close a bay", "close a bay that is booked", "event again", "event too old"),
    *("die in pay", "die in cancel", "die in check_in", "die in check_out", "die in extend"),
}
