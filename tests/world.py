"""One of each thing that an operation can name, all of one owner, and the people around it who ask for it."""

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from sqlalchemy import update

from backend import clock, config
from backend.auth.passwords import hash_password
from backend.auth.sign_ins import start_sign_in
from backend.auth.tokens import SignInFacts, write_tokens
from backend.config import Settings
from backend.extensions import db
from backend.jobs.service import run_due_jobs
from backend.models import Job, Lot, LotStaff, Payment, Reservation, SignInSession, User
from backend.notifications.service import send_due_mail
from backend.notifications.unsubscribing import unsubscribe_url
from backend.payments.webhooks import sign
from backend.reminders.links import link
from backend.system.invariants import check_invariants
from backend.transaction import transaction
from tests.desk import CHALLENGED, GOOD, Desk, between, window
from tests.factories import Factory, tomorrow_at

PASSWORD = "a quiet place to park"
V1 = "/api/v1"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks."""

    user: User
    headers: dict[str, str]


class World:
    """Makes each thing when it is first asked for; nothing in one world refers to another."""

    def __init__(self, app: Flask, client: FlaskClient, make: Factory) -> None:
        self.app, self.client, self.make = app, client, make
        self._keys: dict[int, str] = {}
        self.lot = make.lot(spots=4)
        self.owner = self._person("driver", name="Ottoline Owner", phone="+49 351 4881234")
        self.desk = Desk(client, self.owner.user, self.owner.headers, make.vehicle(self.owner.user))
        self.other = self._person("driver")
        self.attendant = self._person("attendant")
        self.attendant_elsewhere = self._person("attendant")
        # Two, so that the one who asks is not the last.
        self.admin, self.second_admin = self._person("admin"), self._person("admin")
        elsewhere = make.lot(spots=1)
        with app.app_context(), transaction():
            db.session.add(LotStaff(lot_id=self.lot.id, user_id=self.attendant.user.id))
            db.session.add(LotStaff(lot_id=elsewhere.id, user_id=self.attendant_elsewhere.user.id))

    def person(self, column: str, *, may: str) -> Person:
        """Give who asks in a column of the matrix; whose request it is, where nobody asks."""
        if column == "stale" and may.startswith("admin"):
            return self.admin
        others = {
            "other driver": self.other,
            "attendant": self.attendant,
            "attendant elsewhere": self.attendant_elsewhere,
            "admin": self.admin,
        }
        return others.get(column, self.owner)

    def headers(self, column: str, *, may: str) -> dict[str, str]:
        """Bring about what a column of the matrix says, and give the headers that its request has."""
        if column == "anonymous":
            return {}
        if column == "expired":
            return self._expired()
        person = self.person(column, may=may)
        if column == "disabled":
            self._update(User, User.id == person.user.id, active=False)
        if column == "stale":
            an_hour_ago = clock.now() - timedelta(hours=1)
            mine = SignInSession.user_id == person.user.id
            self._update(SignInSession, mine, verified_at=an_hour_ago)
        return person.headers

    def view_of_owner(self) -> list[Any]:
        """Read what the owner has, to see whether somebody else touched it."""
        return [
            self.client.get(f"{V1}{path}", headers=self.owner.headers).json
            for path in ("/me", "/vehicles", "/reservations", "/payments", "/reviews")
        ]

    @property
    def marks(self) -> list[str]:
        """What tells that an answer speaks of the owner."""
        user = self.owner.user
        codes = [vars(self)[name]["code"] for name in ("held", "payment") if name in vars(self)]
        return [user.email, user.name, str(user.phone), self.desk.vehicle.plate, *codes]

    # Things, by the names that paths give them.

    @property
    def lot_id(self) -> int:
        return self.lot.id

    @cached_property
    def spot_id(self) -> int:
        return self.make.spots(self.lot)[0].id

    @cached_property
    def tariff_id(self) -> int:
        return int(self._made("POST", f"/lots/{self.lot_id}/tariffs", self.admin, TARIFF)["id"])

    @cached_property
    def coupon_id(self) -> int:
        return int(self._made("POST", "/coupons", self.admin, _coupon(self))["id"])

    @cached_property
    def report_id(self) -> int:
        return self.make.report(self.owner.user).id

    @cached_property
    def vehicle_id(self) -> int:
        return self.make.vehicle(self.owner.user).id

    @cached_property
    def held(self) -> dict[str, Any]:
        return self.desk.hold(self.lot)

    @cached_property
    def payment(self) -> dict[str, Any]:
        """A payment that went through, of a reservation that is confirmed."""
        return self.desk.buy(self.lot, **window(13, 14))

    @cached_property
    def arriving(self) -> int:
        """A paid booking for which the entrance is open."""
        now = clock.now()
        soon = between(now + timedelta(minutes=5), now + timedelta(hours=1))
        return int(self.desk.buy(self.lot, **soon)["reservation_id"])

    @cached_property
    def present(self) -> int:
        """A booking whose car is in."""
        scan = {"lot_id": self.lot_id, "credential": self.desk.vehicle.plate}
        reservation_id = self.arriving
        self._made("POST", "/gate/scan", self.second_admin, scan)
        return reservation_id

    @cached_property
    def refund_id(self) -> int:
        """A part of the payment, on its way back."""
        path = f"/payments/{self.payment['id']}/refunds"
        return int(self._made("POST", path, self.second_admin, REFUND)["id"])

    @cached_property
    def reviewed(self) -> dict[str, Any]:
        """A payment of another amount than was asked for."""
        payment = self.desk.charge(self.desk.hold(self.lot, **window(7, 8)), CHALLENGED)
        self._update(
            Payment,
            Payment.id == payment["id"],
            status="review",
            review_reason="amount_mismatch",
            received_minor=payment["amount_minor"] + 1,
        )
        return payment

    @cached_property
    def challenged(self) -> dict[str, Any]:
        """A payment whose bank asks for a code."""
        return self.desk.charge(self.desk.hold(self.lot, **window(16, 17)), CHALLENGED)

    @cached_property
    def linked(self) -> str:
        """The token of a link that cancels a booking of the owner's."""
        booked = self.desk.own(self.lot, **window(18, 19))
        with self.app.app_context(), transaction(read_only=True):
            address = link("cancel", db.session.get_one(Reservation, booked["id"]))
        return address.partition("#token=")[2]

    @cached_property
    def waiting_job_id(self) -> int:
        """A job that nobody has begun."""
        return int(self._made("POST", "/me/export", self.owner)["id"])

    def download_token(self) -> str:
        """A link to what somebody's job made, which is good once; the owner may be disabled by now."""
        job = self._made("POST", "/exports", self.second_admin, {"kind": "lots", "format": "csv"})
        with self.app.app_context():
            run_due_jobs()
        made = self._made("POST", "/downloads", self.second_admin, {"job_id": job["id"]})
        return str(made["url"]).rpartition("/")[2]

    @cached_property
    def session_id(self) -> int:
        with self.app.app_context(), transaction():
            start_sign_in(db.session.get_one(User, self.owner.user.id), user_agent="elsewhere")
            return max(
                db.session.query(SignInSession.id)
                .filter(SignInSession.user_id == self.owner.user.id)
                .all()
            )[0]

    @cached_property
    def job_id(self) -> int:
        job = self._made("POST", "/me/export", self.owner)
        with self.app.app_context():
            run_due_jobs()
        return int(job["id"])

    @cached_property
    def work_id(self) -> int:
        """A job that could not be done."""
        job = self._made("POST", "/me/export", self.owner)
        self._update(Job, Job.id == job["id"], status="failed", finished_at=clock.now())
        return int(job["id"])

    @cached_property
    def completed(self) -> int:
        """A booking that is over, its car gone."""
        reservation_id = int(self.desk.buy(self.lot, **window(19, 20))["reservation_id"])
        self.make.stay(reservation_id)
        return reservation_id

    @cached_property
    def review_id(self) -> int:
        path = f"/lots/{self.lot_id}/reviews"
        return int(self._made("POST", path, self.owner, _review(self))["id"])

    @cached_property
    def full(self) -> Lot:
        """A lot in which somebody else has the only bay."""
        lot, person = self.make.lot(spots=1), self._person("driver")
        vehicle = self.make.vehicle(person.user)
        Desk(self.client, person.user, person.headers, vehicle).buy(lot)
        return lot

    @cached_property
    def entry_id(self) -> int:
        return int(self._made("POST", "/waitlist", self.owner, _wait(self))["id"])

    @property
    def user_id(self) -> int:
        return self.owner.user.id

    # What must have happened before.

    def look_over(self) -> None:
        """Look over the promises."""
        with self.app.app_context():
            check_invariants()

    def totp_key(self, person: Person) -> str:
        """Begin to set up a second factor."""
        return str(self._made("POST", "/me/totp", person)["secret"])

    def set_second_factor(self, person: Person) -> str:
        """Set up a second factor, unless it is there, and give its key."""
        if person.user.id not in self._keys:
            key = self._keys[person.user.id] = self.totp_key(person)
            self._made("POST", "/me/totp/confirm", person, {"code": code_of(key, steps=-1)})
        return self._keys[person.user.id]

    def mail_to(self, address: str) -> str:
        """Send what is due, and give the text of the newest mail to an address."""
        settings: Settings = self.app.extensions["settings"]
        with self.app.app_context():
            send_due_mail()
        for path in sorted((settings.instance / "mail").glob("*.eml"), reverse=True):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            if mail["To"] == address and body is not None:
                return str(body.get_content())
        raise AssertionError(f"No mail went to {address}.")

    def code_to(self, address: str) -> str:
        """Give the newest code that came to an address."""
        return str(re.findall(r"\b[0-9]{6}\b", self.mail_to(address))[-1])

    def stranger(self) -> str:
        """Give an address that nobody has."""
        return f"stranger-of-{self.lot.id}@example.org"

    def tokens(self, person: Person) -> dict[str, Any]:
        """Sign in by password."""
        tokens: dict[str, Any] = self._made("POST", "/auth/login", None, sign_in(person))
        return tokens

    def sign_up(self) -> dict[str, Any]:
        """Begin a sign-up."""
        body = {"email": self.stranger(), "name": "Stranger", "password": PASSWORD}
        challenge: dict[str, Any] = self._made("POST", "/auth/register", None, body)
        return challenge

    def made(self, method: str, path: str, person: Person | None, body: Any = None) -> Any:
        """Do something that must go well, and give its answer."""
        return self._made(method, path, person, body)

    def _made(self, method: str, path: str, person: Person | None, body: Any = None) -> Any:
        answer = self.client.open(
            V1 + path, method=method, json=body, headers=person.headers if person else {}
        )
        assert answer.status_code < 300, f"{method} {path}: {answer.text}"
        return answer.json if answer.data else None

    def _person(self, role: str, **values: Any) -> Person:
        with self.app.app_context():
            password = hash_password(PASSWORD)
        user = self.make.user(roles=(role,), password=password, **values)
        return Person(user, self.make.headers(user))

    def _expired(self) -> dict[str, str]:
        user = self.owner.user
        long_ago = clock.now() - timedelta(hours=1)
        with self.app.app_context(), transaction(read_only=True):
            session = (
                db.session.query(SignInSession).filter(SignInSession.user_id == user.id).first()
            )
            assert session is not None
            facts = SignInFacts(session.id, user.id, session.epoch, 0, session.created_at, long_ago)
            token = write_tokens(facts).access_token
        return {"Authorization": f"Bearer {token}"}

    def _update(self, model: type[Any], which: Any, **values: Any) -> None:
        with self.app.app_context(), transaction():
            db.session.execute(update(model).where(which).values(**values))


def sign_in(person: Person) -> dict[str, str]:
    """Give what somebody signs in with."""
    return {"email": person.user.email, "password": PASSWORD}


def code_of(key: str, *, steps: int = 0) -> str:
    """Give what an authenticator app shows now, or some steps later."""
    token = TOTP(key=key).generate(time=int(clock.now().timestamp()) + 30 * steps)
    return str(token.token)


LOT = {"name": "New", "address": "A 1", "city": "Dresden", "lat": 51.0, "lng": 13.7}
REFUND = {"amount_minor": 1, "reason": "The gate was stuck."}
EVENT = {"id": "evt_1", "type": "ping"}
TARIFF = {"name": "Next", "increments": [{"minutes": 60, "amount_minor": 300}]}
ROWS = b"place_id,name,city,capacity,address,latitude,longitude\nx,X,Dresden,5,Y 1,51.0,13.7\n"

Body = Callable[[World, Person], Any]


def _wait(world: World) -> dict[str, Any]:
    return {"lot_id": world.full.id, "vehicle_id": world.desk.vehicle.id, **window()}


def _coupon(world: World) -> dict[str, Any]:
    return {"code": f"SPRING-{world.lot_id}", "name": "Spring", "percent_bp": 1000}


def _review(world: World) -> dict[str, Any]:
    return {"reservation_id": world.completed, "stars": 4, "text": "Wide bays."}


def _email_change(world: World, person: Person) -> dict[str, Any]:
    address = world.stranger()
    asked = world.made("POST", "/me/email", person, {"email": address})
    return {
        "challenge_id": asked["challenge_id"],
        "old_code": world.code_to(person.user.email),
        "new_code": world.code_to(address),
    }


def _second_factor(world: World, _person: Person) -> dict[str, Any]:
    key = world.set_second_factor(world.owner)
    due = world.made("POST", "/auth/login", None, sign_in(world.owner))
    return {"challenge_id": due["challenge_id"], "code": code_of(key)}


def _reset(world: World, _person: Person) -> dict[str, Any]:
    address = world.owner.user.email
    world.made("POST", "/auth/forgot-password", None, {"email": address})
    (token,) = re.findall(r"#token=(\S+)", world.mail_to(address))
    return {"token": token, "password": "another quiet place"}


def _resend(world: World, _person: Person) -> dict[str, Any]:
    clock.move(timedelta())
    challenge = world.sign_up()
    clock.move(timedelta(minutes=2))
    return {"challenge_id": challenge["challenge_id"]}


def _verify(world: World, _person: Person) -> dict[str, Any]:
    challenge = world.sign_up()
    code = world.code_to(world.stranger())
    return {"challenge_id": challenge["challenge_id"], "code": code}


# The body with which an operation goes well when the owner, or who may, asks; where there is one.
BODIES: dict[str, Body] = {
    "POST /auth/confirm": lambda _w, _p: {"password": PASSWORD},
    "POST /auth/forgot-password": lambda w, _p: {"email": w.owner.user.email},
    "POST /auth/login": lambda w, _p: sign_in(w.owner),
    "POST /auth/logout": lambda _w, _p: {},
    "POST /auth/refresh": lambda w, _p: {"refresh_token": w.tokens(w.owner)["refresh_token"]},
    "POST /auth/register": lambda w, _p: {
        "email": w.stranger(),
        "name": "Stranger",
        "password": PASSWORD,
    },
    "POST /auth/resend-otp": _resend,
    "POST /auth/reset-password": _reset,
    "POST /auth/second-factor": _second_factor,
    "POST /auth/verify-otp": _verify,
    "POST /downloads": lambda w, _p: {"job_id": w.job_id},
    "POST /events/ticket": lambda _w, _p: {},
    "POST /exports": lambda _w, _p: {"kind": "lots", "format": "csv"},
    "POST /gate/scan": lambda w, _p: {
        "lot_id": w.lot_id,
        "credential": w.desk.look({"id": w.arriving})["code"],
    },
    "POST /gate/walk-ins": lambda w, p: {"lot_id": w.lot_id, "plate": f"DD WI {p.user.id}"},
    "POST /links/act": lambda w, _p: {"token": w.linked},
    "POST /links/look": lambda w, _p: {"token": w.linked},
    "POST /lots": lambda _w, _p: LOT,
    "PATCH /lots/{lot_id}": lambda _w, _p: {"name": "Renamed"},
    "POST /lots/{lot_id}/closings": lambda w, _p: {
        "spot_ids": [w.spot_id],
        "reason": "Repairs",
        "dry_run": True,
    },
    "POST /lots/{lot_id}/spots": lambda _w, _p: {
        "prefix": "Z",
        "from": 1,
        "to": 2,
        "kind": "standard",
    },
    "PUT /lots/{lot_id}/staff": lambda w, _p: {"user_ids": [w.attendant.user.id]},
    "POST /lots/{lot_id}/tariffs": lambda _w, _p: TARIFF,
    "POST /tariffs/preview": lambda w, _p: {"lot_id": w.lot_id, "tariff": TARIFF},
    "POST /coupons": lambda w, _p: _coupon(w),
    "PATCH /coupons/{coupon_id}": lambda _w, _p: {"active": False},
    "POST /lots/{lot_id}/reviews": lambda w, _p: _review(w),
    "PATCH /reviews/{review_id}": lambda _w, _p: {"stars": 2},
    "POST /reviews/{review_id}/moderate": lambda _w, _p: {"hidden": True, "reason": "Rude."},
    "POST /reviews/{review_id}/reply": lambda _w, _p: {"text": "Thank you."},
    "PATCH /me": lambda _w, _p: {"name": "Somebody Else"},
    "POST /me/email": lambda w, _p: {"email": w.stranger()},
    "POST /me/email/confirm": _email_change,
    "PATCH /me/notification-settings": lambda _w, _p: {
        "items": [{"kind": "booking", "mail": False}]
    },
    "POST /notifications/read": lambda _w, _p: {"until_id": 1_000_000},
    "POST /me/password": lambda _w, _p: {
        "current_password": PASSWORD,
        "new_password": "another quiet place",
    },
    "POST /me/totp/confirm": lambda w, p: {"code": code_of(w.totp_key(p))},
    "POST /payments/{payment_id}/confirm": lambda _w, _p: {"code": "123456"},
    "POST /payments/{payment_id}/refunds": lambda _w, _p: REFUND,
    "POST /payments/{payment_id}/review": lambda _w, _p: {"decision": "accept"},
    "POST /quotes": lambda w, _p: {"lot_id": w.lot_id, **window()},
    "POST /quotes for a vehicle": lambda w, _p: {
        "lot_id": w.lot_id,
        "vehicle_id": w.vehicle_id,
        **window(),
    },
    "POST /reservations": lambda w, _p: {
        "lot_id": w.lot_id,
        "vehicle_id": w.vehicle_id,
        **window(),
    },
    "POST /reservations/{reservation_id}/check-out": lambda _w, _p: {},
    "PATCH /reservations/{reservation_id}": lambda w, _p: {"vehicle_id": w.vehicle_id},
    "POST /reservations/{reservation_id}/extend": lambda _w, _p: {
        "ends_at": tomorrow_at(15).isoformat()
    },
    "POST /reservations/{reservation_id}/reschedule": lambda _w, _p: window(17, 18),
    "POST /reservations/{reservation_id}/payments": lambda _w, _p: {
        "method": "sandbox",
        "card_number": GOOD,
    },
    "POST /reservations/{reservation_id}/payments in cash": lambda _w, _p: {"method": "cash"},
    "POST /webhooks/{gateway}": lambda _w, _p: EVENT,
    "PATCH /spots/{spot_id}": lambda _w, _p: {"level": "1"},
    "PATCH /users/{user_id}": lambda _w, _p: {"accessible_permit": True},
    "POST /waitlist": lambda w, _p: _wait(w),
    "POST /vehicles": lambda _w, _p: {"plate": "DD NEW 1"},
    "PATCH /vehicles/{vehicle_id}": lambda _w, _p: {"label": "Renamed"},
}

# What stands in the query, where something must.
QUERIES: dict[str, Callable[[World], dict[str, Any]]] = {
    "GET /reports of the operator": lambda _w: {"audience": "operator"},
    "POST /unsubscribe": lambda w: {
        "token": unsubscribe_url(w.owner.user.id, "start_day").partition("=")[2]
    },
    "GET /gate/arrivals": lambda w: {"lot_id": w.lot_id},
    "GET /gate/cash-up": lambda w: {"lot_id": w.lot_id},
    "GET /gate/present": lambda w: {"lot_id": w.lot_id},
    "GET /gate/scans": lambda w: {"lot_id": w.lot_id},
    "GET /reservations/{reservation_id}/extension": lambda _w: {
        "ends_at": tomorrow_at(15).isoformat()
    },
    "GET /reservations/{reservation_id}/rescheduling": lambda _w: window(17, 18),
    "GET /receipts/verify": lambda _w: {"number": "R-2026-000001", "word": "word"},
}

# What stands in the head, beside the token.
HEADERS: dict[str, Callable[[World], dict[str, str]]] = {
    "POST /webhooks/{gateway}": lambda w: {
        "Sandbox-Signature": sign(
            config.settings().sandbox_webhook_secret, w.app.json.dumps(EVENT).encode(), clock.now()
        )
    },
}

# What must have happened before, where nothing is sent.
BEFORE: dict[str, Callable[[World, Person], object]] = {
    "DELETE /me/totp": lambda w, p: w.set_second_factor(p),
    "POST /me/recovery-codes": lambda w, p: w.set_second_factor(p),
    "DELETE /users/{user_id}/totp": lambda w, _p: w.set_second_factor(w.owner),
    "GET /me/export": lambda w, p: w.made("POST", "/me/export", p),
    "GET /users/{user_id}/sessions": lambda w, _p: w.session_id,
    "DELETE /users/{user_id}/sessions": lambda w, _p: w.session_id,
    "DELETE /me/sessions": lambda w, _p: w.session_id,
    "GET /gate/arrivals": lambda w, _p: w.arriving,
    "GET /gate/present": lambda w, _p: w.present,
    "GET /gate/scans": lambda w, _p: w.present,
    "GET /payments": lambda w, _p: w.payment,
    "GET /reports": lambda w, _p: w.report_id,
    "GET /reservations": lambda w, _p: w.held,
    "GET /waitlist": lambda w, _p: w.entry_id,
    "GET /reviews": lambda w, _p: w.review_id,
    "GET /system/invariants": lambda w, _p: w.look_over(),
    "GET /lots/{lot_id}/reviews": lambda w, _p: w.review_id,
}


def path_of(world: World, row: str) -> str:
    """Fill a path of the API with the owner's things."""
    path = row.partition(" ")[2].partition(" ")[0]
    for name in re.findall(r"{([^}]+)}", path):
        path = path.replace(f"{{{name}}}", str(_id_of(world, row, name)))
    return path if path in {"/healthz", "/readyz"} else V1 + path


_WORDS = {"format": "csv", "gateway": "sandbox", "what": "jobs"}
_AT_THE_GATE = {"check-in": "arriving", "check-out": "present", "report-occupied": "arriving"}
_OF_PAID_ONES = {"extend", "extension", "reschedule", "rescheduling"}


def _id_of(world: World, row: str, name: str) -> int | str:
    if name in _WORDS:
        return _WORDS[name]
    if name == "reservation_id":
        return _reservation_of(world, row)
    if name == "job_id" and row.endswith("/cancel"):
        return world.waiting_job_id
    if name == "payment_id":
        payments = {"confirm": "challenged", "review": "reviewed"}
        return int(getattr(world, payments.get(row.rpartition("/")[2], "payment"))["id"])
    if name == "token":
        return world.download_token()
    return int(getattr(world, name))


def _reservation_of(world: World, row: str) -> int:
    verb = row.rpartition("/")[2]
    if verb in _AT_THE_GATE:
        return int(getattr(world, _AT_THE_GATE[verb]))
    if "/ticket" in row or verb in _OF_PAID_ONES:
        return int(world.payment["reservation_id"])
    return int(world.held["id"])


def upload() -> dict[str, Any]:
    """Give a file of lots to import."""
    return {"file": (BytesIO(ROWS), "lots.csv")}
