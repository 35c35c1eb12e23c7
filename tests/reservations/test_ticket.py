"""The ticket that a gate reads: checked by the published key alone, as a gate would."""

import base64
import dataclasses
import hashlib
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from backend import config
from backend.config import Settings
from backend.models import Lot
from tests.counter import Arrive, Later
from tests.desk import Desk, between, problem
from tests.factories import Factory, tomorrow_at


def paid(desk: Desk, lot: Lot, **wishes: Any) -> dict[str, Any]:
    held = desk.hold(lot, **wishes)
    assert desk.charge(held)["status"] == "succeeded"
    return desk.look(held)


def published(client: FlaskClient) -> dict[str, Any]:
    (key,) = client.get("/api/v1/tickets/keys").json["keys"]
    found: dict[str, Any] = key
    return found


def read(payload: str, key: dict[str, Any]) -> dict[str, Any]:
    """Check a ticket as a gate does, which has nothing but the key."""
    claims: dict[str, Any] = jwt.decode(
        payload,
        jwt.PyJWK(key).key,
        algorithms=["EdDSA"],
        options={"verify_nbf": False, "verify_exp": False},
    )
    assert jwt.get_unverified_header(payload) == {"alg": "EdDSA", "kid": key["kid"]}
    return claims


class TestTicket:
    def test_it_is_checked_by_the_published_key_alone(self, desk: Desk, lot: Lot) -> None:
        booked = paid(desk, lot, **between(tomorrow_at(9), tomorrow_at(11)))
        ticket = desk.get(f"/reservations/{booked['id']}/ticket")
        claims = read(ticket["payload"], published(desk.client))
        assert claims == {
            "sub": booked["code"],
            "lot": lot.id,
            "plate": desk.vehicle.plate,
            "nbf": int(tomorrow_at(8, 45).timestamp()),
            "exp": int(tomorrow_at(11, 10).timestamp()),
        }
        assert ticket == {
            "reservation_id": booked["id"],
            "code": booked["code"],
            "payload": ticket["payload"],
            "valid_from": f"{tomorrow_at(8, 45):%Y-%m-%dT%H:%M:%SZ}",
            "valid_until": f"{tomorrow_at(11, 10):%Y-%m-%dT%H:%M:%SZ}",
        }
        # A QR code of this size is read from a phone at arm's length.
        assert len(ticket["payload"]) < 300
        assert desk.get(f"/reservations/{booked['id']}/ticket") == ticket

    def test_who_stays_over_a_day_may_come_two_hours_before(self, desk: Desk, lot: Lot) -> None:
        for hours, before in ((24, timedelta(minutes=15)), (25, timedelta(hours=2))):
            start = tomorrow_at(9) + timedelta(days=2 * (hours - 24))
            booked = paid(desk, lot, **between(start, start + timedelta(hours=hours)))
            ticket = desk.get(f"/reservations/{booked['id']}/ticket")
            assert datetime.fromisoformat(ticket["valid_from"]) == start - before

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_a_tampered_one_is_refused(self, desk: Desk, lot: Lot, part: int) -> None:
        booked = paid(desk, lot)
        ticket = desk.get(f"/reservations/{booked['id']}/ticket")
        key = published(desk.client)
        parts = ticket["payload"].split(".")
        raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
        raw[len(raw) // 2] ^= 1
        parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        with pytest.raises(jwt.InvalidTokenError):
            read(".".join(parts), key)

    def test_who_rewrites_it_without_a_signature_is_refused(self, desk: Desk, lot: Lot) -> None:
        forged = jwt.encode({"sub": "VV-0000-0000", "lot": lot.id}, "", algorithm="none")
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(forged, jwt.PyJWK(published(desk.client)).key, algorithms=["EdDSA"])


class TestWhoGetsOne:
    def test_there_is_none_before_the_payment(self, desk: Desk, lot: Lot) -> None:
        held = desk.hold(lot)
        refused = desk.try_get(f"/reservations/{held['id']}/ticket")
        assert problem(refused) == "409 illegal-transition"
        assert refused.json["status_now"] == "held"
        assert "payload" not in refused.json

    def test_there_is_none_after_the_end_of_a_hold(
        self, desk: Desk, lot: Lot, later: Later
    ) -> None:
        gone, stale = desk.hold(lot), desk.hold(lot, **between(tomorrow_at(12), tomorrow_at(13)))
        desk.cancel(gone)
        desk = later(desk, minutes=11)
        for booking, status in ((gone, "cancelled"), (stale, "expired")):
            refused = desk.try_get(f"/reservations/{booking['id']}/ticket")
            assert problem(refused) == "409 illegal-transition"
            assert refused.json["status_now"] == status

    def test_anothers_is_not_found_but_for_admins(
        self, desk: Desk, arrive: Arrive, make: Factory, lot: Lot
    ) -> None:
        path = f"/reservations/{paid(desk, lot)['id']}/ticket"
        assert problem(arrive().try_get(path)) == "404 not-found"
        assert problem(desk.try_get("/reservations/999/ticket")) == "404 not-found"
        assert arrive(user=make.user(roles=("admin",))).get(path) == desk.get(path)
        assert desk.client.get(f"/api/v1{path}").status_code == 401
        assert desk.try_get(path).headers["Cache-Control"] == "no-store"


class TestKeys:
    def test_everybody_may_have_them_and_no_secret_is_in_them(
        self, client: FlaskClient, settings: Settings
    ) -> None:
        key = published(client)
        assert {name: key[name] for name in ("kty", "crv", "use", "alg")} == {
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
        }
        assert set(key) == {"kty", "crv", "use", "alg", "x", "kid"}
        told = client.get("/api/v1/tickets/keys").text
        assert settings.ticket_signing_key not in told
        assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32
        assert base64.urlsafe_b64decode(key["x"] + "=") != settings.ticket_seeds[0]

    def test_a_key_is_named_by_its_thumbprint(self, client: FlaskClient) -> None:
        key = published(client)
        members = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'
        thumbprint = hashlib.sha256(members.encode()).digest()
        assert base64.urlsafe_b64decode(key["kid"] + "=") == thumbprint[:8]

    def test_while_it_is_rotated_tickets_of_both_are_checked(
        self, desk: Desk, lot: Lot, settings: Settings
    ) -> None:
        booked = paid(desk, lot, **between(tomorrow_at(9), tomorrow_at(11)))
        path = f"/reservations/{booked['id']}/ticket"
        before, old = desk.get(path)["payload"], published(desk.client)
        seed = base64.urlsafe_b64encode(bytes(range(32))).decode()
        config.use(
            dataclasses.replace(
                settings,
                ticket_signing_key=seed,
                ticket_signing_key_before=settings.ticket_signing_key,
            )
        )
        try:
            new, kept = desk.get("/tickets/keys")["keys"]
            after = desk.get(path)["payload"]
        finally:
            config.use(settings)
        assert kept == old
        assert read(before, kept)["sub"] == read(after, new)["sub"] == booked["code"]
