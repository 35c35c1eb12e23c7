"""The end of an account."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import JSON, LargeBinary, String, select, text
from werkzeug.test import TestResponse

from backend import clock
from backend.config import Settings
from backend.extensions import db
from backend.jobs import service as jobs
from backend.models import (
    AuditEntry,
    Base,
    EmailChange,
    GateScan,
    Lot,
    LotStaff,
    OtpAddress,
    OtpChallenge,
    OtpIssue,
    OutboxMail,
    PasswordReset,
    Receipt,
    RecoveryCode,
    Review,
    SecondFactorChallenge,
    User,
    WaitlistEntry,
)
from backend.notifications.service import purge_old_mail, queue_mail
from backend.payments.refunds import promise_refunds
from backend.reservations.history import note
from backend.transaction import transaction
from tests.counter import Arrive, Later, ReadMail
from tests.desk import CHALLENGED, TIMES_OUT, Desk, problem
from tests.factories import Factory, tomorrow_at
from tests.privacy.conftest import Fetch

MoveClock = Callable[[timedelta], None]

NEEDLES = (
    *("ortrud", "zweig", "0351998877", "ddor7788", "ddor7799", "rosinante", "lada", "samara"),
    *("mauve", "marsbrowser"),
)
"""What this person alone has, in each field."""


def close(client: FlaskClient, headers: dict[str, str]) -> TestResponse:
    return client.delete("/api/v1/me", headers=headers)


def find(app: Flask, *needles: str) -> set[str]:
    """Name the columns in which one of these stands, whatever their type."""
    found = set()
    with app.app_context(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if not isinstance(column.type, (String, JSON, LargeBinary)):
                    continue
                values = connection.execute(
                    text(f'SELECT "{column.name}" FROM {table.name}')
                ).scalars()
                if any(_holds(value, needle) for value in values for needle in needles):
                    found.add(f"{table.name}.{column.name}")
    return found


def _holds(value: Any, needle: str) -> bool:
    if isinstance(value, bytes):
        return needle.encode() in value.lower()
    return needle in str(value).lower()


@pytest.fixture
def ortrud(
    app: Flask, arrive: Arrive, make: Factory, fetch_archive: Fetch, read_mail: ReadMail
) -> Desk:
    """Somebody who has left something everywhere: bookings over and given up, codes, mail, an archive."""
    user = make.user(
        name="Ortrud Zweig",
        email="ortrud@example.org",
        phone="0351998877",
        roles=("driver", "attendant"),
        accessible_permit=True,
        totp_secret=b"sealed ortrud",
        totp_since=clock.now(),
        totp_step=7,
    )
    desk = arrive(
        user=user, plate="DDOR7788", label="Rosinante", make="Lada", model="Samara", colour="Mauve"
    )
    lot = make.lot()
    paid = desk.hold(lot)
    desk.charge(paid)
    second = make.vehicle(user, plate="DDOR7799", label="Rosinante II", deleted_at=clock.now())
    desk.book_window(lot, key="ortrud-key", starts_at=_at(20), ends_at=_at(21))
    read_mail()
    fetch_archive(desk.headers)
    with app.app_context(), transaction():
        moment = clock.now()
        note(paid["id"], "vehicle-changed", former_plate="DDOR7799", plate="DDOR7788")
        for seen, reservation_id in (("DDOR7788", paid["id"]), ("DDOR7799", None)):
            db.session.add(
                GateScan(
                    lot_id=lot.id,
                    at=moment,
                    credential="plate",
                    shown=seen,
                    result="refused",
                    reason="too-early",
                    reservation_id=reservation_id,
                )
            )
        times = {"created_at": moment, "expires_at": moment + timedelta(minutes=10)}
        for purpose in ("", "reset:", "email:"):
            db.session.add(OtpAddress(email=f"{purpose}{user.email}"))
        db.session.flush()  # what is counted refers to them
        db.session.add(OtpIssue(email=user.email, issued_at=moment))
        db.session.add(
            OtpChallenge(
                **times,
                token="t",
                email=user.email,
                name=user.name,
                phone=user.phone,
                password="$2b$ortrud",
                timezone="Europe/Berlin",
                locale="de",
                address_known=True,
                code_digest="ortrud",
                resend_after=moment,
            )
        )
        db.session.add(PasswordReset(**times, user_id=user.id, digest="ortrud"))
        db.session.add(
            EmailChange(
                **times,
                token="ortrud",
                user_id=user.id,
                email="ortrud.zweig@example.org",
                address_known=False,
                old_digest="ortrud",
                new_digest="ortrud",
            )
        )
        db.session.add(SecondFactorChallenge(**times, token="ortrud", user_id=user.id, epoch=0))
        db.session.add(RecoveryCode(user_id=user.id, digest="ortrud"))
        db.session.add(LotStaff(lot_id=lot.id, user_id=user.id))
        db.session.execute(text("UPDATE sign_in_sessions SET user_agent = 'Marsbrowser 1.0'"))
        queue_mail(
            "otp",
            user.email,
            key="waits",
            context={"minutes": 10, "name": user.name},
            secret={"code": "123456"},
        )
    assert second.id != desk.vehicle.id
    return desk


def _at(hour: int) -> str:
    return tomorrow_at(hour).isoformat()


class TestWhatStays:
    def test_nothing_of_the_person_is_found(
        self,
        app: Flask,
        client: FlaskClient,
        ortrud: Desk,
        later: Later,
        read_mail: ReadMail,
        settings: Settings,
        move_clock: MoveClock,
    ) -> None:
        before = find(app, *NEEDLES)
        assert {
            *("users.name", "users.email", "users.phone", "users.totp_secret"),
            *("vehicles.plate", "vehicles.label", "vehicles.make", "vehicles.model"),
            *("vehicles.colour", "reservations.plate", "sign_in_sessions.user_agent"),
            *("outbox_mails.to_address", "outbox_mails.context", "idempotency_keys.key"),
            *("otp_addresses.email", "otp_issues.email", "otp_challenges.name"),
            *("password_resets.digest", "email_changes.email", "recovery_codes.digest"),
            *("second_factor_challenges.token", "receipts.content"),
            *("gate_scans.shown", "reservation_events.facts"),
        } <= before
        gone = later(ortrud, minutes=3 * 24 * 60)

        assert close(client, gone.headers).status_code == 204

        # Where to say good-bye, until that is said and its mail purged; and what the law wants kept.
        assert find(app, *NEEDLES) == {"outbox_mails.to_address", "receipts.content"}
        *_, farewell = read_mail()
        assert farewell["To"] == "ortrud@example.org"
        assert "account is closed" in farewell["Subject"]
        assert "ortrud" not in farewell.get_body(("plain",)).get_content().lower()
        move_clock(timedelta(days=settings.sent_mail_days + 4))
        with app.app_context():
            purge_old_mail()
        assert find(app, *NEEDLES) == {"receipts.content"}

    def test_the_number_stays_with_what_was_booked_and_paid(
        self, app: Flask, client: FlaskClient, ortrud: Desk, later: Later
    ) -> None:
        def read(table: str, columns: str) -> list[Any]:
            with app.app_context(), db.engine.connect() as connection:
                return list(connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY id")))

        kept = {
            "payments": "*",
            "receipts": "id, number, payment_id, issued_at",
            "reservations": "id, code, user_id, vehicle_id, starts_at, ends_at, price_minor",
            "spot_claims": "id, spot_id, reservation_id, starts_at, ends_at",
            "sandbox_intents": "*",
        }
        gone = later(ortrud, minutes=3 * 24 * 60)
        before = {table: read(table, columns) for table, columns in kept.items()}
        content = _receipt(app)
        assert close(client, gone.headers).status_code == 204
        assert {table: read(table, columns) for table, columns in kept.items()} == before
        assert _receipt(app) == content
        with app.app_context(), transaction(read_only=True):
            user = db.session.get_one(User, ortrud.user.id)
        assert (user.name, user.phone, user.active) == ("Closed account", None, False)
        assert user.email == f"closed-{user.id}@closed.invalid"
        assert user.deleted_at is not None
        assert (user.accessible_permit, user.totp_secret, user.totp_since) == (False, None, None)
        for table in (
            *("users_roles", "lot_staff", "jobs", "job_files", "sign_in_sessions"),
            *("recovery_codes", "idempotency_keys", "email_changes", "password_resets"),
        ):
            assert _count(app, table) == 0, table

    def test_an_admin_still_reads_the_bookings(
        self,
        client: FlaskClient,
        ortrud: Desk,
        later: Later,
        make: Factory,
    ) -> None:
        gone = later(ortrud, minutes=3 * 24 * 60)
        close(client, gone.headers)
        admin = make.headers(make.user(roles=("admin",)))
        answer = client.get("/api/v1/reservations", headers=admin)
        assert answer.status_code == 200
        plates = [item["vehicle"]["plate"] for item in answer.json["items"]]
        assert len(plates) == len(set(plates)) == 2
        assert all(plate.startswith("CLOSED-") for plate in plates)

    def test_two_closed_accounts_with_stays_at_one_time_do_not_exclude_one_another(
        self, client: FlaskClient, arrive: Arrive, make: Factory, later: Later
    ) -> None:
        lot = make.lot()
        both = [arrive(), arrive()]
        for each in both:
            each.buy(lot)
        for each in both:
            gone = later(each, minutes=3 * 24 * 60)
            assert close(client, gone.headers).status_code == 204

    def test_it_stands_in_the_audit_log_without_a_name(
        self, app: Flask, client: FlaskClient, desk: Desk
    ) -> None:
        close(client, desk.headers)
        with app.app_context(), transaction(read_only=True):
            entry = db.session.scalars(
                select(AuditEntry).where(AuditEntry.action == "user.deleted")
            ).one()
        assert (entry.subject_id, entry.actor_id) == (desk.user.id, desk.user.id)
        assert (entry.before, entry.after) == (None, None)

    def test_reviews_stay_without_a_name(
        self, app: Flask, client: FlaskClient, ortrud: Desk, later: Later, make: Factory
    ) -> None:
        with app.app_context(), transaction():
            reservation_id, lot_id = db.session.execute(
                text("SELECT id, lot_id FROM reservations ORDER BY id LIMIT 1")
            ).one()
            db.session.add(
                Review(
                    lot_id=lot_id,
                    reservation_id=reservation_id,
                    user_id=ortrud.user.id,
                    stars=5,
                    text="Very good.",
                    created_at=clock.now(),
                )
            )
        path = f"/api/v1/lots/{lot_id}/reviews"
        assert client.get(path).json["items"][0]["author"] == "Ortrud Z."
        gone = later(ortrud, minutes=3 * 24 * 60)
        assert close(client, gone.headers).status_code == 204
        (kept,) = client.get(path).json["items"]
        assert (kept["author"], kept["text"]) == (None, "Very good.")

    def test_nobody_waits_any_more(
        self, app: Flask, client: FlaskClient, desk: Desk, lot: Lot
    ) -> None:
        with app.app_context(), transaction():
            db.session.add(
                WaitlistEntry(
                    user_id=desk.user.id,
                    lot_id=lot.id,
                    vehicle_id=desk.vehicle.id,
                    starts_at=tomorrow_at(9),
                    ends_at=tomorrow_at(10),
                    status="waiting",
                    created_at=clock.now(),
                )
            )
        assert close(client, desk.headers).status_code == 204
        assert _count(app, "waitlist_entries WHERE status = 'left'") == 1


class TestWhatEnds:
    def test_every_token_is_dead(self, client: FlaskClient, desk: Desk, make: Factory) -> None:
        elsewhere = make.headers(desk.user)
        answer = close(client, desk.headers)
        assert "refresh_token=;" in answer.headers["Set-Cookie"]
        for headers in (desk.headers, elsewhere):
            assert client.get("/api/v1/me", headers=headers).status_code == 401
        assert close(client, desk.headers).status_code == 401

    @pytest.mark.parametrize("password", ["!", "", "password", "."])
    def test_nobody_signs_in_with_what_is_left(
        self, client: FlaskClient, desk: Desk, password: str
    ) -> None:
        close(client, desk.headers)
        for address in (f"closed-{desk.user.id}@closed.invalid", desk.user.email):
            answer = client.post(
                "/api/v1/auth/login", json={"email": address, "password": password or "empty"}
            )
            assert problem(answer) == "401 invalid-credentials"

    def test_mail_that_waits_is_not_sent(
        self, app: Flask, client: FlaskClient, desk: Desk, read_mail: ReadMail
    ) -> None:
        with app.app_context(), transaction():
            queue_mail(
                "otp", desk.user.email, key="k", context={"minutes": 1}, secret={"code": "1"}
            )
        close(client, desk.headers)
        assert [mail["Subject"] for mail in read_mail()] == ["Your Vehicle Vault account is closed"]
        with app.app_context(), transaction(read_only=True):
            dropped = db.session.scalars(select(OutboxMail).where(OutboxMail.key == "k")).one()
        assert (dropped.status, dropped.last_error, dropped.sealed) == ("failed", "closed", None)

    def test_nothing_is_promised_to_a_closed_account(
        self, app: Flask, client: FlaskClient, desk: Desk
    ) -> None:
        close(client, desk.headers)
        with app.app_context(), transaction():
            user = db.session.get_one(User, desk.user.id)
            queue_mail("otp", user.email, key="late", context={"minutes": 1})
        assert find(app, "late") == set()

    def test_an_export_under_way_is_forgotten(
        self, app: Flask, client: FlaskClient, desk: Desk
    ) -> None:
        client.post("/api/v1/me/export", headers=desk.headers)
        close(client, desk.headers)
        with app.app_context():
            jobs.run_due_jobs()
        assert (_count(app, "jobs"), _count(app, "job_files")) == (0, 0)

    def test_the_address_is_free_for_somebody_new(self, client: FlaskClient, make: Factory) -> None:
        first = make.user(email="again@example.org")
        assert close(client, make.headers(first)).status_code == 204
        second = make.user(email="again@example.org")
        assert second.id != first.id
        headers = make.headers(second)
        assert client.get("/api/v1/me", headers=headers).json["name"] == second.name
        assert client.get("/api/v1/reservations", headers=headers).json["items"] == []
        assert close(client, headers).status_code == 204


class TestRefused:
    def test_while_a_booking_stands(self, client: FlaskClient, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        answer = close(client, desk.headers)
        assert problem(answer) == "409 account-in-use"
        assert answer.json["reservations"] == 1
        desk.charge(held)
        assert problem(close(client, desk.headers)) == "409 account-in-use"
        assert client.get("/api/v1/me", headers=desk.headers).json["name"] == desk.user.name

    @pytest.mark.parametrize("status", ["checked_in", "overstayed"])
    def test_while_the_car_is_in_however_long(
        self, app: Flask, client: FlaskClient, desk: Desk, lot: Lot, later: Later, status: str
    ) -> None:
        desk.buy(lot)
        with app.app_context(), transaction():
            db.session.execute(text("UPDATE reservations SET status = :now"), {"now": status})
        staying = later(desk, minutes=3 * 24 * 60)
        assert problem(close(client, staying.headers)) == "409 account-in-use"

    def test_not_for_what_is_over_or_given_up(
        self, app: Flask, client: FlaskClient, desk: Desk, lot: Lot, later: Later
    ) -> None:
        desk.cancel(desk.hold(lot))
        # Nothing looked at this hold since it ran out.
        desk.hold(lot)
        gone = later(desk, minutes=30)
        assert close(client, gone.headers).status_code == 204
        assert _count(app, "spot_claims WHERE live") == 0

    @pytest.mark.parametrize("card", [CHALLENGED, TIMES_OUT])
    def test_while_a_payment_is_not_decided(
        self, client: FlaskClient, desk: Desk, lot: Lot, later: Later, card: str
    ) -> None:
        desk.charge(desk.hold(lot), card)
        gone = later(desk, minutes=60)
        answer = close(client, gone.headers)
        assert problem(answer) == "409 account-in-use"
        assert (answer.json["reservations"], answer.json["payments"]) == (0, 1)

    def test_while_money_is_on_its_way_back(
        self, app: Flask, client: FlaskClient, desk: Desk, lot: Lot, later: Later
    ) -> None:
        reservation_id = desk.buy(lot)["reservation_id"]
        with app.app_context(), transaction():
            promise_refunds(reservation_id, 400, cause="operator", key="operator:1")
        gone = later(desk, minutes=3 * 24 * 60)
        assert problem(close(client, gone.headers)) == "409 account-in-use"

    def test_while_something_is_owed(
        self, app: Flask, client: FlaskClient, make: Factory, desk: Desk, lot: Lot, later: Later
    ) -> None:
        reservation_id = desk.buy(lot)["reservation_id"]
        make.stay(reservation_id)
        with app.app_context(), transaction():
            db.session.execute(text("UPDATE reservations SET debt_minor = 100"))
        gone = later(desk, minutes=3 * 24 * 60)
        answer = close(client, gone.headers)
        assert problem(answer) == "409 account-in-use"
        assert (answer.json["reservations"], answer.json["payments"]) == (1, 0)

    def test_the_last_admin_stays(self, client: FlaskClient, make: Factory) -> None:
        first, second = make.user(roles=("admin",)), make.user(roles=("admin", "driver"))
        make.user(roles=("admin",), active=False)
        assert close(client, make.headers(first)).status_code == 204
        headers = make.headers(second)
        assert problem(close(client, headers)) == "409 last-admin"
        assert client.get("/api/v1/me", headers=headers).status_code == 200

    def test_without_a_fresh_sign_in(
        self, client: FlaskClient, desk: Desk, move_clock: MoveClock
    ) -> None:
        move_clock(timedelta(minutes=11))
        assert problem(close(client, desk.headers)) == "403 fresh-sign-in-required"

    def test_what_is_refused_leaves_all_as_it_was(
        self, app: Flask, client: FlaskClient, ortrud: Desk
    ) -> None:
        before = find(app, *NEEDLES)
        assert problem(close(client, ortrud.headers)) == "409 account-in-use"
        assert find(app, *NEEDLES) == before


def _receipt(app: Flask) -> dict[str, Any]:
    with app.app_context(), transaction(read_only=True):
        return db.session.scalars(select(Receipt)).one().content


def _count(app: Flask, source: str) -> int:
    with app.app_context(), db.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {source}")).scalar_one())
