"""Coupons over HTTP: making, changing and listing them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.coupons.conftest import Make, Try
from tests.factories import Factory

Headers = dict[str, str]
FROM, UNTIL = "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"


def _entries(client: FlaskClient, as_admin: Headers) -> list[tuple[str, Any, Any]]:
    items = client.get("/api/v1/audit-log?subject=coupon", headers=as_admin).get_json()["items"]
    return [(item["action"], item["before"], item["after"]) for item in items]


class TestMaking:
    def test_it_has_its_terms_and_no_uses_yet(self, coupon: Make) -> None:
        made = coupon(code="spring 2030 ", valid_from=FROM, valid_until=UNTIL, most_uses=5)
        assert made.pop("id") > 0
        assert made.pop("created_at").endswith("Z")
        assert made == {
            "code": "SPRING2030",
            "name": "Spring",
            "percent_bp": 1000,
            "amount_minor": None,
            "lot_id": None,
            "valid_from": FROM,
            "valid_until": UNTIL,
            "most_uses": 5,
            "most_uses_per_driver": None,
            "active": True,
            "uses": 0,
        }

    def test_it_may_take_off_an_amount_in_one_lot(self, coupon: Make, make: Factory) -> None:
        lot_id = make.lot().id
        made = coupon(percent_bp=None, amount_minor=150, lot_id=lot_id, active=False)
        assert (made["amount_minor"], made["lot_id"], made["active"]) == (150, lot_id, False)

    def test_it_is_audited(self, client: FlaskClient, as_admin: Headers, coupon: Make) -> None:
        coupon()
        ((action, before, after),) = _entries(client, as_admin)
        assert (action, before) == ("coupon.made", None)
        assert (after["code"], after["percent_bp"]) == ("SPRING", 1000)

    def test_the_same_key_makes_one(self, client: FlaskClient, as_admin: Headers) -> None:
        headers = as_admin | {"Idempotency-Key": "k"}
        body = {"code": "ONCE", "name": "Once", "amount_minor": 5}
        first = client.post("/api/v1/coupons", json=body, headers=headers)
        again = client.post("/api/v1/coupons", json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json == again.json

    def test_a_code_is_one_coupons(self, coupon: Make, try_coupon: Try) -> None:
        coupon()
        answer = try_coupon(code="sPr ing")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["code"])

    def test_there_is_no_coupon_of_a_lot_that_is_not(self, try_coupon: Try) -> None:
        assert try_coupon(lot_id=10**17).status_code == 404

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("code", "AB"),
            ("code", "A" * 41),
            ("code", "no/slash"),
            ("code", "É123"),
            ("name", ""),
            ("percent_bp", 0),
            ("percent_bp", 10_001),
            ("percent_bp", None),
            ("amount_minor", 5),
            ("lot_id", 0),
            ("valid_from", "2030-01-01"),
            ("valid_until", "soon"),
            ("most_uses", 0),
            ("most_uses_per_driver", 1_000_001),
            ("uses", 3),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, try_coupon: Try, field: str, value: object
    ) -> None:
        answer = try_coupon(**{field: value})
        assert answer.status_code == 422
        assert list(answer.json["errors"]) in ([field], ["percent_bp"])

    @pytest.mark.parametrize("until", [FROM, "2029-12-31T23:59:59Z"])
    def test_it_ends_after_it_begins(self, try_coupon: Try, until: str) -> None:
        answer = try_coupon(valid_from=FROM, valid_until=until)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["valid_until"])


class TestChanging:
    def change(self, client: FlaskClient, headers: Headers, coupon_id: int, **changes: Any) -> Any:
        return client.patch(f"/api/v1/coupons/{coupon_id}", json=changes, headers=headers)

    def test_what_may_change_changes_and_is_audited(
        self, client: FlaskClient, as_admin: Headers, coupon: Make
    ) -> None:
        made = coupon()
        changes = {
            "name": "Summer",
            "valid_from": FROM,
            "valid_until": UNTIL,
            "most_uses": 3,
            "most_uses_per_driver": 1,
            "active": False,
        }
        answer = self.change(client, as_admin, made["id"], **changes)
        assert answer.status_code == 200
        assert answer.json == {**made, **changes}
        action, before, after = _entries(client, as_admin)[0]
        assert (action, before["name"], after["name"]) == ("coupon.changed", "Spring", "Summer")
        assert set(after) == set(changes)

    @pytest.mark.parametrize("field", ["code", "percent_bp", "amount_minor", "lot_id"])
    def test_what_makes_prices_stays(
        self, client: FlaskClient, as_admin: Headers, coupon: Make, field: str
    ) -> None:
        made = coupon()
        assert self.change(client, as_admin, made["id"], **{field: 1}).status_code == 422

    def test_it_still_ends_after_it_begins(
        self, client: FlaskClient, as_admin: Headers, coupon: Make
    ) -> None:
        made = coupon(valid_from=FROM)
        answer = self.change(client, as_admin, made["id"], valid_until=FROM)
        assert answer.status_code == 422

    def test_one_that_is_not_is_not_found(self, client: FlaskClient, as_admin: Headers) -> None:
        assert self.change(client, as_admin, 10**17, active=False).status_code == 404
        assert client.get(f"/api/v1/coupons/{10**17}", headers=as_admin).status_code == 404


def test_they_are_listed_page_by_page(client: FlaskClient, as_admin: Headers, coupon: Make) -> None:
    made = [coupon(code=f"CODE{number}") for number in range(3)]
    page = client.get("/api/v1/coupons?limit=2", headers=as_admin).get_json()
    assert (page["items"], page["total"]) == (made[:0:-1], 3)
    rest = client.get(
        f"/api/v1/coupons?limit=2&cursor={page['next_cursor']}", headers=as_admin
    ).get_json()
    assert (rest["items"], rest["next_cursor"]) == (made[:1], None)
    one = client.get(f"/api/v1/coupons/{made[1]['id']}", headers=as_admin)
    assert one.get_json() == made[1]
