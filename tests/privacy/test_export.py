"""All that is kept about a person, as one archive."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import clock
from backend.extensions import db
from backend.models import (
    AuditEntry,
    Coupon,
    CouponUse,
    GateScan,
    Lot,
    OutboxMail,
    Review,
    SignInSession,
    WaitlistEntry,
)
from backend.notifications.service import queue_mail
from backend.payments.refunds import promise_refunds
from backend.privacy import archive
from backend.reservations.history import note
from backend.transaction import transaction
from tests.counter import Arrive, ReadMail
from tests.desk import DECLINED, Desk, problem
from tests.factories import Factory
from tests.privacy.conftest import Fetch

LISTS = (
    "vehicles.json",
    "bookings.json",
    "booking-events.json",
    "stays.json",
    "gate-scans.json",
    "waitlist.json",
    "payments.json",
    "refunds.json",
    "coupons.json",
    "reviews.json",
    "sign-ins.json",
    "security-events.json",
    "mails.json",
    "reports.json",
    "notifications.json",
)


def make_stay(
    app: Flask, make: Factory, desk: Desk, lot: Lot, reservation_id: int, *, text: str = "Bright."
) -> dict[str, Any]:
    """Let a paid booking leave something in every list: a stay, a refund, a review, …; give the booking."""
    make.stay(reservation_id)
    make.report(desk.user, date(2026, 1 + reservation_id % 12, 1))
    staff = make.user(roles=("attendant",))
    user_id = desk.user.id
    now = clock.now()
    with app.app_context(), transaction():
        promise_refunds(reservation_id, 150, cause="goodwill", key="goodwill:1")
        note(reservation_id, "entered", actor_id=staff.id, again=False)
        note(reservation_id, "moved", from_spot="A02", to_spot="A01")
        coupon = Coupon(
            code="SPRING", name="Spring", percent_bp=500, created_by=staff.id, created_at=now
        )
        db.session.add(coupon)
        db.session.flush()  # what uses it refers to it
        db.session.add_all(
            [
                Review(
                    lot_id=lot.id,
                    reservation_id=reservation_id,
                    user_id=user_id,
                    stars=4,
                    text=text,
                    created_at=now,
                ),
                GateScan(
                    lot_id=lot.id,
                    at=now,
                    actor_id=staff.id,
                    credential="plate",
                    shown=desk.vehicle.plate,
                    result="entered",
                    reservation_id=reservation_id,
                ),
                WaitlistEntry(
                    user_id=user_id,
                    lot_id=lot.id,
                    vehicle_id=desk.vehicle.id,
                    starts_at=now,
                    ends_at=now + timedelta(hours=1),
                    status="waiting",
                    created_at=now,
                ),
                CouponUse(
                    coupon_id=coupon.id,
                    reservation_id=reservation_id,
                    user_id=user_id,
                    used_at=now,
                ),
            ]
        )
    return desk.look({"id": reservation_id})


class TestAsk:
    def test_it_is_a_job_and_one_at_a_time(self, client: FlaskClient, desk: Desk) -> None:
        none = client.get("/api/v1/me/export", headers=desk.headers)
        assert problem(none) == "404 not-found"
        asked = client.post("/api/v1/me/export", headers=desk.headers)
        assert asked.status_code == 202
        assert (asked.json["kind"], asked.json["status"]) == ("export", "queued")
        again = client.post("/api/v1/me/export", headers=desk.headers)
        assert again.json["id"] == asked.json["id"]
        shown = client.get("/api/v1/me/export", headers=desk.headers)
        assert shown.json["id"] == asked.json["id"]

    def test_it_wants_a_fresh_sign_in(
        self,
        client: FlaskClient,
        desk: Desk,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        move_clock(timedelta(minutes=11))
        answer = client.post("/api/v1/me/export", headers=desk.headers)
        assert problem(answer) == "403 fresh-sign-in-required"

    def test_it_stands_in_the_audit_log(self, app: Flask, client: FlaskClient, desk: Desk) -> None:
        client.post("/api/v1/me/export", headers=desk.headers)
        with app.app_context(), transaction(read_only=True):
            entry = db.session.scalars(
                select(AuditEntry).where(AuditEntry.action == "user.exported")
            ).one()
        assert (entry.subject, entry.subject_id, entry.actor_id) == (
            "user",
            desk.user.id,
            desk.user.id,
        )
        assert (entry.before, entry.after) == (None, None)

    def test_a_mail_says_that_it_is_ready_and_carries_no_secret(
        self, desk: Desk, fetch_archive: Fetch, read_mail: ReadMail
    ) -> None:
        fetch_archive(desk.headers)
        (mail,) = read_mail()
        assert mail["To"] == desk.user.email
        for part in ("plain", "html"):
            body = mail.get_body((part,))
            assert body is not None
            text = body.get_content()
            assert "/profile" in text
            assert "/jobs/" not in text
            assert "token" not in text


class TestArchive:
    def test_it_tells_all(
        self, app: Flask, arrive: Arrive, make: Factory, fetch_archive: Fetch, read_mail: ReadMail
    ) -> None:
        person = make.user(name="Zoë Ünal", phone="+49 351 1", email="zoe@example.org")
        desk = arrive(user=person, plate="DDZ1", label="The blue one", make="Škoda")
        lot = make.lot(name="Altmarkt")
        held = desk.hold(lot)
        desk.charge(held, DECLINED)
        paid = desk.charge(held)
        free = desk.hold(
            lot, starts_at=_later(held["ends_at"], 1), ends_at=_later(held["ends_at"], 2)
        )
        desk.cancel(free)
        read_mail()

        found = fetch_archive(desk.headers)

        number = paid["receipt_number"]
        assert sorted(found.names) == sorted(
            [*LISTS, "profile.json", "README.txt", f"receipts/{number}.pdf"]
        )
        profile = found.json("profile.json")
        assert (profile["name"], profile["email"], profile["phone"], profile["roles"]) == (
            "Zoë Ünal",
            "zoe@example.org",
            "+49 351 1",
            ["driver"],
        )
        assert "Zoë Ünal" in found.text("profile.json")
        (vehicle,) = found.json("vehicles.json")
        assert (vehicle["plate"], vehicle["label"], vehicle["make"]) == (
            "DDZ1",
            "The blue one",
            "Škoda",
        )
        first, second = found.json("bookings.json")
        assert (first["code"], first["status"], first["lot"], first["bay"]) == (
            held["code"],
            "confirmed",
            "Altmarkt",
            held["spot"]["label"],
        )
        assert (first["price_minor"], first["currency"]) == (400, "EUR")
        assert datetime.fromisoformat(first["starts_at"]) == datetime.fromisoformat(
            held["starts_at"]
        )
        assert first["starts_at"].endswith("+00:00")
        assert second["status"] == "cancelled"
        failed, good = found.json("payments.json")
        assert (failed["status"], failed["receipt"]) == ("failed", None)
        assert (good["status"], good["receipt"], good["booking"], good["amount_minor"]) == (
            "succeeded",
            number,
            held["code"],
            400,
        )
        (sign_in,) = found.json("sign-ins.json")
        assert sign_in["user_agent"] == "tests"
        *_, asked = found.json("security-events.json")
        assert (asked["action"], asked["by"]) == ("user.exported", "you")
        assert [(mail["template"], mail["status"]) for mail in found.json("mails.json")] == [
            ("ticket", "sent")
        ]
        assert found.read(f"receipts/{number}.pdf").startswith(b"%PDF")
        readme = found.text("README.txt")
        assert all(name in readme for name in (*LISTS, "profile.json", "receipts/"))

    def test_it_tells_of_a_stay_and_what_came_of_it(
        self,
        app: Flask,
        client: FlaskClient,
        arrive: Arrive,
        make: Factory,
        fetch_archive: Fetch,
    ) -> None:
        desk, lot = arrive(), make.lot(name="Altmarkt", spots=1)
        paid = desk.buy(lot)
        booking = make_stay(app, make, desk, lot, paid["reservation_id"])

        found = fetch_archive(desk.headers)

        code = booking["code"]
        (stay,) = found.json("stays.json")
        assert (stay["booking"], stay["lot"], stay["bay"]) == (code, "Altmarkt", "A01")
        assert datetime.fromisoformat(stay["left_at"]) > datetime.fromisoformat(stay["entered_at"])
        (scan,) = found.json("gate-scans.json")
        assert (scan["booking"], scan["shown"], scan["result"]) == (
            code,
            desk.vehicle.plate,
            "entered",
        )
        (refund,) = found.json("refunds.json")
        assert (refund["booking"], refund["amount_minor"], refund["cause"]) == (
            code,
            150,
            "goodwill",
        )
        number = refund["credit_note"]
        assert number.startswith("C-")
        assert found.read(f"credit-notes/{number}.pdf").startswith(b"%PDF")
        (review,) = found.json("reviews.json")
        assert (review["booking"], review["stars"], review["text"]) == (code, 4, "Bright.")
        (entry,) = found.json("waitlist.json")
        assert (entry["lot"], entry["status"]) == ("Altmarkt", "waiting")
        (use,) = found.json("coupons.json")
        assert (use["coupon"], use["booking"]) == ("SPRING", code)
        events = found.json("booking-events.json")
        assert [(each["booking"], each["kind"], each["by"]) for each in events] == [
            (code, "paid", "you"),
            (code, "entered", "staff"),
            (code, "moved", "system"),
        ]
        assert "your credit notes as PDF (1)" in found.text("README.txt")

    def test_of_somebody_new_it_is_short_and_sound(
        self, make: Factory, fetch_archive: Fetch
    ) -> None:
        found = fetch_archive(make.headers(make.user(roles=())))
        assert found.json("bookings.json") == found.json("vehicles.json") == []
        assert found.json("profile.json")["roles"] == []
        assert "your receipts as PDF (0)" in found.text("README.txt")

    def test_nothing_of_anybody_else_is_in_it(
        self, app: Flask, arrive: Arrive, make: Factory, fetch_archive: Fetch, read_mail: ReadMail
    ) -> None:
        lot = make.lot()
        stranger = make.user(name="Strange Person", email="strange@example.org", phone="555123")
        other = arrive(user=stranger, plate="STRANGE1", label="Strange car")
        admin = make.user(name="Strange Admin", email="strange.admin@example.org")
        paid = other.buy(lot)
        make_stay(app, make, other, lot, paid["reservation_id"], text="Strange lot.")
        me = arrive()
        me.buy(lot)
        with app.app_context(), transaction():
            for subject_id, actor_id, after in (
                (me.user.id, admin.id, {"active": False}),
                (stranger.id, me.user.id, {"roles": ["STRANGE"]}),
                (stranger.id, admin.id, None),
            ):
                db.session.add(
                    AuditEntry(
                        at=clock.now(),
                        actor_id=actor_id,
                        action="user.disabled",
                        subject="user",
                        subject_id=subject_id,
                        after=after,
                        client="198.51.100.7" if actor_id == admin.id else "",
                    )
                )
            queue_mail("otp", stranger.email, key="strange", context={"name": "STRANGE"})
        read_mail()
        found = fetch_archive(me.headers)
        for name, text in found.all_text():
            assert "strange" not in text.lower(), name
            assert "555123" not in text, name
            assert "198.51.100.7" not in text, name
        assert f"receipts/{paid['receipt_number']}.pdf" not in found.names
        events = [
            event
            for event in found.json("security-events.json")
            if event["action"] != "user.signed-in"
        ]
        assert [(event["action"], event["by"]) for event in events] == [
            ("user.disabled", "staff"),
            ("user.disabled", "you"),
            ("user.exported", "you"),
        ]
        assert "subject_id" not in events[1]

    def test_secrets_are_not_in_it(self, app: Flask, make: Factory, fetch_archive: Fetch) -> None:
        person = make.user(password="$2b$secret-hash", totp_secret=b"secret-key")
        found = fetch_archive(make.headers(person))
        for name, text in found.all_text():
            assert "secret-" not in text, name

    def test_long_lists_are_whole(
        self,
        app: Flask,
        make: Factory,
        fetch_archive: Fetch,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(archive, "_AT_ONCE", 3)
        person = make.user()
        headers = make.headers(person)
        with app.app_context(), transaction():
            for number in range(7):
                db.session.add(
                    SignInSession(
                        user_id=person.id,
                        epoch=0,
                        user_agent=f"browser {number}",
                        created_at=clock.now(),
                        refreshed_at=clock.now(),
                    )
                )
        found = fetch_archive(headers).json("sign-ins.json")
        agents = [each["user_agent"] for each in found]
        assert agents == ["tests", *(f"browser {number}" for number in range(7))]

    def test_of_many_receipts_the_newest_are_drawn_and_it_says_so(
        self,
        arrive: Arrive,
        make: Factory,
        fetch_archive: Fetch,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(archive, "MOST_RECEIPTS", 2)
        monkeypatch.setattr(archive, "_DRAWN_AT_ONCE", 1)
        lot = make.lot()
        desk = arrive()
        numbers = [desk.buy(lot, **_window(hour))["receipt_number"] for hour in (6, 9, 12)]
        found = fetch_archive(desk.headers)
        drawn = [name for name in found.names if name.startswith("receipts/")]
        assert drawn == [f"receipts/{number}.pdf" for number in reversed(numbers[1:])]
        assert "newest 2 receipts of 3" in found.text("README.txt")
        assert [each["receipt"] for each in found.json("payments.json")] == numbers

    def test_mail_tells_neither_content_nor_codes(
        self, app: Flask, make: Factory, fetch_archive: Fetch
    ) -> None:
        person = make.user()
        with app.app_context(), transaction():
            queue_mail(
                "otp", person.email, key="k", context={"minutes": 987}, secret={"code": "424242"}
            )
        found = fetch_archive(make.headers(person)).text("mails.json")
        assert "otp" in found
        assert "987" not in found
        assert "424242" not in found
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalars(select(OutboxMail)).first() is not None


def _window(hour: int) -> dict[str, str]:
    start = (clock.now() + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}


def _later(moment: str, hours: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(hours=hours)).isoformat()
