"""Every operation answers well once, and nothing that a fuzzer sends meets a fault or an undocumented answer."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from passlib.totp import TOTP
from sqlalchemy import update

from backend import clock, config
from backend.extensions import db
from backend.jobs.service import run_due_jobs
from backend.models import Job, Payment, Reservation, User
from backend.notifications.service import send_due_mail
from backend.notifications.unsubscribing import unsubscribe_url
from backend.payments.webhooks import sign
from backend.reminders.links import link
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from backend.web.openapi import operations
from tests.e2e.conftest import Served
from tests.e2e.journey import PASSWORD
from tests.factories import Factory, tomorrow_at

# What the fuzzer puts into paths: rows that the road below made, so that it gets past the 404s.
_PATHS = (
    "lot_id",
    "spot_id",
    "tariff_id",
    "coupon_id",
    "vehicle_id",
    "reservation_id",
    "payment_id",
    "refund_id",
    "entry_id",
    "report_id",
)
# Nobody's, or the fuzzer would sooner or later sign itself out and meet nothing but 401.
_HARMLESS = {"user_id": 999_999, "session_id": 999_999}
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance"
)
# Its success ends the sign-in that all other requests use; the road calls it last.
_ENDS_THE_RUN = "/api/v1/auth/logout"


def bearer(tokens: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


class Road:
    """Walks over every operation once, as a driver, an admin and a stranger."""

    def __init__(self, served: Served) -> None:
        self.make = Factory(served.app)
        self.served = served
        self.http = httpx.Client(base_url=served.url, timeout=20)

    def ask(
        self, method: str, path: str, status: int, headers: dict[str, str], **content: Any
    ) -> Any:
        answer = self.http.request(method, path, headers=headers, **content)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content

    def code_for(self, address: str) -> Any:
        return self.newest_mail(address, r"\b([0-9]{6})\b")

    def newest_mail(self, address: str, pattern: str) -> Any:
        """Give what the newest mail to an address says."""
        config.use(self.served.app.extensions["settings"])
        with self.served.app.app_context():
            send_due_mail()
        for mail in self.ask("GET", "/dev/mailbox.json", 200, {})["items"]:
            found = re.findall(pattern, str(mail["text"]))
            if mail["to"] == address and found:
                return found[0]
        raise AssertionError(f"No mail for {address}.")

    def walk(self, driver: dict[str, str], admin: dict[str, str]) -> None:
        v1 = "/api/v1"
        for path in (
            *("/healthz", "/readyz", f"{v1}/openapi.json"),
            *(f"{v1}/installation", f"{v1}/tickets/keys", f"{v1}/lots/availability"),
        ):
            self.ask("GET", path, 200, {})
        for path in ("", "/docs.css", "/docs.js"):
            self.ask("GET", f"{v1}/docs{path}", 200, {})
        self._account(v1, admin)
        lot = self.ask(
            "POST",
            f"{v1}/lots",
            201,
            admin,
            json={
                "name": "Road lot",
                "address": "Road 1",
                "city": "Dresden",
                "lat": 51.05,
                "lng": 13.74,
            },
        )
        here = f"{v1}/lots/{lot['id']}"
        bays = {"prefix": "A", "from": 1, "to": 9, "kind": "standard"}
        spot = self.ask("POST", f"{here}/spots", 201, admin, json=bays)["items"][0]
        tariff = {"name": "T", "increments": [{"minutes": 60, "amount_minor": 200}]}
        draft = self.ask("POST", f"{here}/tariffs", 201, admin, json=tariff)
        trial = {"lot_id": lot["id"], "tariff_id": draft["id"]}
        self.ask("POST", f"{v1}/tariffs/preview", 200, admin, json=trial)
        self.ask("POST", f"{v1}/tariffs/{draft['id']}/publish", 200, admin)
        self._coupons(v1, admin)
        self.ask("PATCH", here, 200, admin, json={"status": "open"})
        for path in ("", "/spots", "/closures", "/tariff", "/tariffs"):
            self.ask("GET", here + path, 200, admin)
        self.ask("GET", f"{v1}/lots?q=road", 200, {})
        self.ask("GET", f"{v1}/spots/{spot['id']}", 200, admin)
        self.ask("PATCH", f"{v1}/spots/{spot['id']}", 200, admin, json={"level": "1"})
        rows = (
            b"place_id,name,city,capacity,address,latitude,longitude\nx,X,Dresden,5,Y 1,51.0,13.7\n"
        )
        self.ask("GET", f"{v1}/lots/import-template.xlsx", 200, admin)
        self.ask("POST", f"{v1}/lots/import", 200, admin, files={"file": ("lots.csv", rows)})
        self._people(v1, here, admin)
        self._bookings(v1, lot["id"], driver)
        self._reviews(v1, lot["id"], driver, admin)
        self._gate(v1, lot["id"], driver, admin)
        self._money(v1, driver, admin)
        self._room(v1, driver, admin)
        empty = self.ask(
            "POST",
            f"{v1}/lots",
            201,
            admin,
            json={"name": "Gone", "address": "A", "city": "B", "lat": 51.0, "lng": 13.0},
        )
        self.ask("DELETE", f"{v1}/lots/{empty['id']}", 204, admin)

    def _coupons(self, v1: str, admin: dict[str, str]) -> None:
        coupon = {"code": "ROAD 10", "name": "Road", "percent_bp": 1000}
        made = self.ask("POST", f"{v1}/coupons", 201, admin, json=coupon)
        self.ask("GET", f"{v1}/coupons", 200, admin)
        self.ask("GET", f"{v1}/coupons/{made['id']}", 200, admin)
        self.ask("PATCH", f"{v1}/coupons/{made['id']}", 200, admin, json={"most_uses": 5})

    def _account(self, v1: str, admin: dict[str, str]) -> None:
        address = "road@example.org"
        body = {"email": address, "name": "Road", "password": PASSWORD}
        challenge = self.ask("POST", f"{v1}/auth/register", 202, {}, json=body)["challenge_id"]
        code = {"challenge_id": challenge, "code": self.code_for(address)}
        self.ask("POST", f"{v1}/auth/verify-otp", 200, {}, json=code)
        self.ask("POST", f"{v1}/auth/resend-otp", 202, {}, json={"challenge_id": "unknown"})
        sign_in = {"email": address, "password": PASSWORD}
        tokens = self.ask("POST", f"{v1}/auth/login", 200, {}, json=sign_in)
        refresh = {"refresh_token": tokens["refresh_token"]}
        tokens = self.ask("POST", f"{v1}/auth/refresh", 200, {}, json=refresh)
        own = {"Authorization": f"Bearer {tokens['access_token']}"}
        self.ask("GET", f"{v1}/me", 200, own)
        self.ask("PATCH", f"{v1}/me", 200, own, json={"name": "Road Runner"})
        self.ask("POST", f"{v1}/events/ticket", 201, own, json={})
        self._archive(v1, own, admin)
        self._exports(v1, admin)
        self.ask("POST", f"{v1}/auth/logout", 204, own, json={})
        own = self._security(v1, address)
        self.ask("DELETE", f"{v1}/me", 204, own)

    def _security(self, v1: str, address: str) -> dict[str, str]:
        """Forget the password, choose and change it, move, and set up a second factor."""
        self.ask("POST", f"{v1}/auth/forgot-password", 202, {}, json={"email": address})
        link = self.newest_mail(address, r"#token=(\S+)")
        chosen = {"token": link, "password": f"{PASSWORD} 2"}
        self.ask("POST", f"{v1}/auth/reset-password", 204, {}, json=chosen)
        sign_in = {"email": address, "password": chosen["password"]}
        own = bearer(self.ask("POST", f"{v1}/auth/login", 200, {}, json=sign_in))
        self.ask("POST", f"{v1}/auth/confirm", 204, own, json={"password": sign_in["password"]})
        change = {"current_password": sign_in["password"], "new_password": f"{PASSWORD} 3"}
        own = bearer(self.ask("POST", f"{v1}/me/password", 200, own, json=change))
        sign_in["password"] = change["new_password"]

        elsewhere = f"new-{address}"
        move = self.ask("POST", f"{v1}/me/email", 202, own, json={"email": elsewhere})
        codes = {"old_code": self.code_for(address), "new_code": self.code_for(elsewhere)}
        proof = {"challenge_id": move["challenge_id"], **codes}
        self.ask("POST", f"{v1}/me/email/confirm", 200, own, json=proof)
        sign_in["email"] = elsewhere

        self.ask("POST", f"{v1}/auth/login", 200, {}, json=sign_in)
        first, *_ = self.ask("GET", f"{v1}/me/sessions", 200, own)["items"]
        self.ask("DELETE", f"{v1}/me/sessions/{first['id']}", 204, own)
        self.ask("DELETE", f"{v1}/me/sessions", 204, own)

        secret = self.ask("POST", f"{v1}/me/totp", 201, own)["secret"]
        code = {"code": TOTP(key=secret).generate().token}
        self.ask("POST", f"{v1}/me/totp/confirm", 200, own, json=code)
        self.ask("GET", f"{v1}/me/totp", 200, own)
        recovery = self.ask("POST", f"{v1}/me/recovery-codes", 201, own)["recovery_codes"]
        due = self.ask("POST", f"{v1}/auth/login", 200, {}, json=sign_in)
        second = {"challenge_id": due["challenge_id"], "code": recovery[0]}
        own = bearer(self.ask("POST", f"{v1}/auth/second-factor", 200, {}, json=second))
        self.ask("DELETE", f"{v1}/me/totp", 204, own)
        return own

    def _people(self, v1: str, here: str, admin: dict[str, str]) -> None:
        attendant = self.make.user(email="road-attendant@example.org", roles=("attendant",))
        self.make.headers(attendant)
        staff = {"user_ids": [attendant.id]}
        self.ask("PUT", f"{here}/staff", 200, admin, json=staff)
        self.ask("GET", f"{here}/staff", 200, admin)
        self.ask("GET", f"{v1}/users?q=road", 200, admin)
        somebody = f"{v1}/users/{attendant.id}"
        self.ask("GET", somebody, 200, admin)
        self.ask("PATCH", somebody, 200, admin, json={"active": False})
        self.ask("GET", f"{somebody}/sessions", 200, admin)
        self.ask("DELETE", f"{somebody}/sessions", 204, admin)
        self.ask("DELETE", f"{somebody}/totp", 204, admin)
        self.ask("GET", f"{v1}/audit-log", 200, admin)
        with self.served.app.app_context():
            check_invariants()
        self.ask("GET", f"{v1}/system/invariants", 200, admin)

    def _background(self, v1: str, admin: dict[str, str], job_id: int) -> None:
        """Look at work in the background, and let a job that failed be done once more."""
        with self.served.app.app_context(), transaction():
            db.session.execute(update(Job).where(Job.id == job_id).values(status="failed"))
        for what in ("jobs", "reports", "mail", "tasks"):
            self.ask("GET", f"{v1}/system/jobs?what={what}", 200, admin)
        self.ask("POST", f"{v1}/system/jobs/jobs/{job_id}/retry", 200, admin)

    def _archive(self, v1: str, own: dict[str, str], admin: dict[str, str]) -> None:
        self._notifications(v1, own)
        self.ask("POST", f"{v1}/me/export", 202, own)
        config.use(self.served.app.extensions["settings"])
        with self.served.app.app_context():
            run_due_jobs()
        job = self.ask("GET", f"{v1}/me/export", 200, own)
        assert self.ask("GET", f"{v1}/jobs/{job['id']}", 200, own) == job
        assert self.ask("GET", job["result_url"], 200, own).startswith(b"PK")
        link = self.ask("POST", f"{v1}/downloads", 201, own, json={"job_id": job["id"]})
        assert self.ask("GET", link["url"], 200, {}).startswith(b"PK")
        self._background(v1, admin, job["id"])

    def _notifications(self, v1: str, own: dict[str, str]) -> None:
        told = self.ask("GET", f"{v1}/notifications", 200, own)
        newest = {"until_id": max([1, *(each["id"] for each in told["items"])])}
        left = self.ask("POST", f"{v1}/notifications/read", 200, own, json=newest)
        assert left == {"unread": 0}
        self.ask("GET", f"{v1}/me/notification-settings", 200, own)
        wish = {"items": [{"kind": "nudge", "mail": True}]}
        self.ask("PATCH", f"{v1}/me/notification-settings", 200, own, json=wish)

    def _exports(self, v1: str, admin: dict[str, str]) -> None:
        """Ask for exports: one is made and fetched, one cancelled, small tables come at once."""
        wishes = {"kind": "users", "format": "xlsx"}
        job = self.ask("POST", f"{v1}/exports", 202, admin, json=wishes)
        self.ask("POST", f"{v1}/jobs/{job['id']}/cancel", 200, admin)
        job = self.ask("POST", f"{v1}/exports", 202, admin, json=wishes)
        with self.served.app.app_context():
            run_due_jobs()
        made, cancelled = self.ask("GET", f"{v1}/exports", 200, admin)["items"]
        assert (made["id"], made["status"], cancelled["status"]) == (job["id"], "done", "cancelled")
        assert self.ask("GET", made["result_url"], 200, admin).startswith(b"PK")
        for table in ("lots.csv", "coupons.csv"):
            assert self.ask("GET", f"{v1}/exports/{table}", 200, admin)

    def _bookings(self, v1: str, lot_id: int, driver: dict[str, str]) -> None:
        cars = [
            self.ask("POST", f"{v1}/vehicles", 201, driver, json={"plate": f"DD RO {n}"})["id"]
            for n in range(3)
        ]
        self.ask("GET", f"{v1}/vehicles", 200, driver)
        self.ask("GET", f"{v1}/vehicles/{cars[0]}", 200, driver)
        self.ask("PATCH", f"{v1}/vehicles/{cars[0]}", 200, driver, json={"label": "Mine"})
        self.ask("DELETE", f"{v1}/vehicles/{cars[2]}", 204, driver)
        window = {"starts_at": tomorrow_at(9).isoformat(), "ends_at": tomorrow_at(11).isoformat()}
        quote = self.ask("POST", f"{v1}/quotes", 201, {}, json={"lot_id": lot_id, **window})["id"]
        held = [
            self.ask(
                "POST",
                f"{v1}/reservations",
                201,
                driver,
                json={"quote_id": quote, "vehicle_id": car},
            )["id"]
            for car in cars[:2]
        ]
        self.ask("GET", f"{v1}/reservations", 200, driver)
        self.ask("GET", f"{v1}/reservations/{held[0]}", 200, driver)
        self.ask("POST", f"{v1}/reservations/{held[0]}/prolong", 200, driver)
        self.ask("POST", f"{v1}/reservations/{held[1]}/cancel", 200, driver)
        card = {"method": "sandbox", "card_number": "4000002500003155"}
        paying = f"{v1}/reservations/{held[0]}/payments"
        payment = self.ask("POST", paying, 201, driver, json=card)["id"]
        answered = f"{v1}/payments/{payment}"
        self.ask("POST", f"{answered}/confirm", 200, driver, json={"code": "123456"})
        self.ask("GET", f"{v1}/reservations/{held[0]}/ticket", 200, driver)
        self._changes(f"{v1}/reservations/{held[0]}", cars[1], driver)
        self.ask("GET", f"{v1}/payments", 200, driver)
        self.ask("GET", answered, 200, driver)
        self.ask("GET", f"{answered}/receipt.pdf", 200, driver)

    def _changes(self, here: str, other_car: int, driver: dict[str, str]) -> None:
        """Change a booking in every way before its car comes."""
        self.ask("PATCH", here, 200, driver, json={"vehicle_id": other_car})
        later = {"ends_at": tomorrow_at(12).isoformat()}
        self.ask("GET", f"{here}/extension?{urlencode(later)}", 200, driver)
        self.ask("POST", f"{here}/extend", 200, driver, json=later)
        elsewhen = {
            "starts_at": tomorrow_at(14).isoformat(),
            "ends_at": tomorrow_at(15).isoformat(),
        }
        self.ask("GET", f"{here}/rescheduling?{urlencode(elsewhen)}", 200, driver)
        self.ask("POST", f"{here}/reschedule", 200, driver, json=elsewhen)
        self.ask("GET", f"{here}/cancellation", 200, driver)
        self.ask("GET", f"{here}/events", 200, driver)
        config.use(self.served.app.extensions["settings"])
        with self.served.app.app_context(), transaction(read_only=True):
            booked = db.session.get_one(Reservation, int(here.rpartition("/")[2]))
            token = link("extend", booked).partition("#token=")[2]
            owner_id = booked.user_id
        for verb in ("look", "act"):
            self.ask("POST", f"/api/v1/links/{verb}", 200, {}, json={"token": token})
        stop = unsubscribe_url(owner_id, "start_day").partition("=")[2]
        self.ask("POST", f"/api/v1/unsubscribe?token={stop}", 204, {})

    def _reviews(self, v1: str, lot_id: int, driver: dict[str, str], admin: dict[str, str]) -> None:
        stood = self._stood(v1, lot_id, driver)
        here = f"{v1}/lots/{lot_id}/reviews"
        review = {"reservation_id": stood, "stars": 5, "text": "Bright and dry."}
        said = f"{v1}/reviews/{self.ask('POST', here, 201, driver, json=review)['id']}"
        self.ask("PATCH", said, 200, driver, json={"stars": 4})
        self.ask("GET", said, 200, driver)
        self.ask("POST", f"{said}/reply", 200, admin, json={"text": "Thank you."})
        self.ask("POST", f"{said}/moderate", 200, admin, json={"hidden": False})
        self.ask("GET", f"{v1}/reviews", 200, admin)
        self.ask("GET", here, 200, {})
        self.ask("DELETE", said, 204, driver)
        self.ask("POST", here, 201, driver, json=review)

    def _gate(self, v1: str, lot_id: int, driver: dict[str, str], admin: dict[str, str]) -> None:
        car = self.ask("POST", f"{v1}/vehicles", 201, driver, json={"plate": "DD GA 1"})["id"]
        starts_at = clock.now() + timedelta(minutes=5)
        body = {
            "lot_id": lot_id,
            "vehicle_id": car,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        booked = self.ask("POST", f"{v1}/reservations", 201, driver, json=body)
        here = f"{v1}/reservations/{booked['id']}"
        card = {"method": "sandbox", "card_number": "4242424242424242"}
        self.ask("POST", f"{here}/payments", 201, driver, json=card)
        for document in ("ticket.pdf", "calendar.ics"):
            self.ask("GET", f"{here}/{document}", 200, driver)
        gate = f"{v1}/gate"
        self.ask("GET", f"{gate}/lots", 200, admin)
        self.ask("GET", f"{gate}/arrivals?lot_id={lot_id}", 200, admin)
        shown = {"lot_id": lot_id, "credential": booked["code"]}
        self.ask("POST", f"{gate}/scan", 200, admin, json=shown)
        self.ask("GET", f"{gate}/present?lot_id={lot_id}", 200, admin)
        self.ask("POST", f"{gate}/scan", 200, admin, json=shown)
        self._in_and_out(v1, body, driver, admin)
        walk_in = {"lot_id": lot_id, "plate": "DD WI 1"}
        self.ask("POST", f"{gate}/walk-ins", 201, admin, json=walk_in)
        for kept in ("scans", "cash-up"):
            self.ask("GET", f"{gate}/{kept}?lot_id={lot_id}", 200, admin)

    def _in_and_out(
        self, v1: str, body: dict[str, Any], driver: dict[str, str], admin: dict[str, str]
    ) -> None:
        """Come in and leave without a scan."""
        booked = self.ask("POST", f"{v1}/reservations", 201, driver, json=body)
        here = f"{v1}/reservations/{booked['id']}"
        card = {"method": "sandbox", "card_number": "4242424242424242"}
        self.ask("POST", f"{here}/payments", 201, driver, json=card)
        self.ask("POST", f"{here}/check-in", 200, admin)
        self.ask("POST", f"{here}/check-out", 200, admin, json={})

    def _money(self, v1: str, driver: dict[str, str], admin: dict[str, str]) -> None:
        paid = self.ask("GET", f"{v1}/payments?status=succeeded", 200, admin)["items"]
        first, second = (f"{v1}/payments/{payment['id']}" for payment in paid[:2])
        part = {"amount_minor": 1, "reason": "The gate was stuck."}
        refund = self.ask("POST", f"{first}/refunds", 201, admin, json=part)
        self.ask("GET", f"{first}/refunds", 200, driver)
        self.ask("GET", f"{v1}/refunds/{refund['id']}/credit-note.pdf", 200, driver)
        with self.served.app.app_context(), transaction():
            db.session.execute(
                update(Payment)
                .where(Payment.id == paid[1]["id"])
                .values(status="review", review_reason="amount_mismatch", received_minor=1)
            )
        self.ask("POST", f"{second}/review", 200, admin, json={"decision": "return"})
        self.ask("GET", f"{v1}/receipts/verify?number=R-2026-000001&word=x", 200, {})
        event = b'{"id": "evt_1", "type": "ping"}'
        signature = sign(config.settings().sandbox_webhook_secret, event, clock.now())
        signed = {"Sandbox-Signature": signature, "Content-Type": "application/json"}
        self.ask("POST", f"{v1}/webhooks/sandbox", 200, signed, content=event)
        self._reports(v1, driver, admin)
        self.ask("GET", f"{v1}/ledger", 200, admin)
        self.ask("GET", f"{v1}/ledger/balances", 200, admin)

    def _reports(self, v1: str, driver: dict[str, str], admin: dict[str, str]) -> None:
        with self.served.app.app_context(), transaction(read_only=True):
            owner = db.session.get_one(User, self.ask("GET", f"{v1}/me", 200, driver)["id"])
        mine = f"{v1}/reports/{self.make.report(owner).id}"
        operators = f"{v1}/reports/{self.make.report(None).id}"
        self.ask("GET", f"{v1}/reports", 200, driver)
        self.ask("GET", f"{v1}/reports?audience=operator", 200, admin)
        for path in (f"{mine}.pdf", f"{mine}.xlsx"):
            self.ask("GET", path, 200, driver)
        self.ask("POST", f"{mine}/send", 200, driver)
        self.ask("POST", f"{operators}/send", 200, admin)

    def _room(self, v1: str, driver: dict[str, str], admin: dict[str, str]) -> None:
        """Fill a lot, wait for it, report its bay, and close it."""
        lot = self.make.lot(spots=1)
        cars = [
            self.ask("POST", f"{v1}/vehicles", 201, driver, json={"plate": f"DD RM {number}"})["id"]
            for number in range(2)
        ]
        starts_at = clock.now() + timedelta(minutes=10)
        window = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        booked, waiting = ({"lot_id": lot.id, "vehicle_id": car, **window} for car in cars)
        held = self.ask("POST", f"{v1}/reservations", 201, driver, json=booked)
        here = f"{v1}/reservations/{held['id']}"
        card = {"method": "sandbox", "card_number": "4242424242424242"}
        self.ask("POST", f"{here}/payments", 201, driver, json=card)
        entry = self.ask("POST", f"{v1}/waitlist", 201, driver, json=waiting)
        self.ask("GET", f"{v1}/waitlist", 200, driver)
        self.ask("GET", f"{v1}/waitlist/{entry['id']}", 200, driver)
        self.ask("DELETE", f"{v1}/waitlist/{entry['id']}", 204, driver)
        self.ask("POST", f"{here}/report-occupied", 200, driver)
        closing = {"spot_ids": None, "reason": "Repairs", "dry_run": True}
        path = f"{v1}/lots/{lot.id}/closings"
        shown = self.ask("POST", path, 200, admin, json=closing)
        closing |= {"dry_run": False, "digest": shown["digest"]}
        self.ask("POST", path, 200, admin, json=closing)

    def _stood(self, v1: str, lot_id: int, driver: dict[str, str]) -> int:
        """Book, pay and leave."""
        car = self.ask("POST", f"{v1}/vehicles", 201, driver, json={"plate": "DD RO 9"})["id"]
        window = {"starts_at": tomorrow_at(12).isoformat(), "ends_at": tomorrow_at(13).isoformat()}
        body = {"lot_id": lot_id, "vehicle_id": car, **window}
        booked = int(self.ask("POST", f"{v1}/reservations", 201, driver, json=body)["id"])
        card = {"method": "sandbox", "card_number": "4242424242424242"}
        self.ask("POST", f"{v1}/reservations/{booked}/payments", 201, driver, json=card)
        self.make.stay(booked)
        return booked


@pytest.fixture(scope="module")
def road(served: Served) -> Iterator[Road]:
    road = Road(served)
    yield road
    road.http.close()


@pytest.fixture(scope="module")
def people(road: Road) -> dict[str, User]:
    return {
        "driver": road.make.user(email="fuzz-driver@example.org"),
        "admin": road.make.user(email="fuzz-admin@example.org", roles=("driver", "admin")),
    }


@pytest.fixture(scope="module")
def walked(road: Road, people: dict[str, User]) -> Road:
    road.walk(road.make.headers(people["driver"]), road.make.headers(people["admin"]))
    return road


def test_every_operation_answers_well_at_least_once(walked: Road) -> None:
    all_of_them = {(method, rule.rule) for method, _, rule, _ in operations(walked.served.app)}

    answered = {
        (line["method"], line["route"])
        for line in _log_of(walked.served.log)
        if 200 <= line["status"] < 300
    }

    assert all_of_them - answered == set()


@pytest.mark.parametrize("role", ["driver", "admin"])
def test_a_fuzzer_meets_no_fault_and_nothing_undocumented(
    walked: Road, people: dict[str, User], role: str, tmp_path: Path
) -> None:
    _fuzz(walked, people[role], examples=5, folder=tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("role", ["driver", "admin"])
def test_a_patient_fuzzer_meets_no_fault_either(
    walked: Road, people: dict[str, User], role: str, tmp_path: Path
) -> None:
    _fuzz(walked, people[role], examples=60, folder=tmp_path)


def _fuzz(road: Road, user: User, *, examples: int, folder: Path) -> None:
    token = road.make.headers(user)["Authorization"]
    settings = folder / "schemathesis.toml"
    paths = dict.fromkeys(_PATHS, 1) | _HARMLESS
    settings.write_text(
        "[parameters]\n" + "".join(f'"path.{name}" = {at}\n' for name, at in paths.items())
    )
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"),
            *(f"{road.served.url}/api/v1/openapi.json", "--header", f"Authorization:{token}"),
            *("--exclude-path", _ENDS_THE_RUN, "--checks", _CHECKS),
            *("--max-examples", str(examples), "--phases", "examples,coverage,fuzzing"),
            *(
                "--continue-on-failure",
                "--no-color",
                "--seed",
                "1",
                "--generation-database",
                "none",
            ),
            *("--request-timeout", "20", "--suppress-health-check", "all"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]


def _log_of(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            if entry.get("message") == "request" and entry.get("route"):
                yield entry
