"""Attendants work at the lots that an admin gave them, and see nothing of others."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.models import Lot, User
from tests.factories import Factory, tomorrow_at

API = "/api/v1"

Headers = dict[str, str]
SetStaff = Callable[..., Any]


@pytest.fixture
def lot(make: Factory) -> Lot:
    return make.lot()


@pytest.fixture
def attendant(make: Factory) -> User:
    return make.user(name="Bela", roles=("attendant",))


@pytest.fixture
def set_staff(client: FlaskClient, as_admin: Headers) -> SetStaff:
    def set_staff(lot: Lot, *users: User) -> Any:
        return client.put(
            f"{API}/lots/{lot.id}/staff",
            json={"user_ids": [user.id for user in users]},
            headers=as_admin,
        )

    return set_staff


class TestAssigning:
    def test_the_list_is_what_was_set(
        self,
        client: FlaskClient,
        as_admin: Headers,
        set_staff: SetStaff,
        make: Factory,
        lot: Lot,
        attendant: User,
    ) -> None:
        other = make.user(name="Asha", roles=("driver", "attendant"))
        people = [
            {"id": user.id, "name": user.name, "email": user.email} for user in (other, attendant)
        ]
        answer = set_staff(lot, attendant, other, attendant)
        assert answer.status_code == 200
        assert answer.json == {"items": people}
        assert set_staff(lot, other).json == {"items": people[:1]}
        read = client.get(f"{API}/lots/{lot.id}/staff", headers=as_admin)
        assert read.json == {"items": people[:1]}
        assert set_staff(lot).json == {"items": []}

    def test_only_active_attendants_are_taken(
        self,
        client: FlaskClient,
        as_admin: Headers,
        set_staff: SetStaff,
        make: Factory,
        lot: Lot,
        attendant: User,
        admin: User,
    ) -> None:
        set_staff(lot, attendant)
        disabled = make.user(roles=("attendant",), active=False)
        for stranger in (make.user(), admin, disabled):
            answer = set_staff(lot, attendant, stranger)
            assert answer.status_code == 422
            assert list(answer.json["errors"]) == ["user_ids"]
        unknown = client.put(
            f"{API}/lots/{lot.id}/staff", json={"user_ids": [999_999]}, headers=as_admin
        )
        assert unknown.status_code == 422
        listed = client.get(f"{API}/lots/{lot.id}/staff", headers=as_admin).json["items"]
        assert [each["id"] for each in listed] == [attendant.id]

    def test_a_lot_that_is_not_there_has_no_staff(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        path = f"{API}/lots/999999/staff"
        assert client.get(path, headers=as_admin).status_code == 404
        assert client.put(path, json={"user_ids": []}, headers=as_admin).status_code == 404

    def test_a_stale_change_is_refused(
        self, client: FlaskClient, as_admin: Headers, set_staff: SetStaff, lot: Lot, attendant: User
    ) -> None:
        path = f"{API}/lots/{lot.id}/staff"
        tag = client.get(path, headers=as_admin).headers["ETag"]
        set_staff(lot, attendant)
        headers = {**as_admin, "If-Match": tag}
        assert client.put(path, json={"user_ids": []}, headers=headers).status_code == 412

    def test_it_is_in_the_audit_log(
        self,
        client: FlaskClient,
        as_admin: Headers,
        set_staff: SetStaff,
        lot: Lot,
        attendant: User,
        admin: User,
    ) -> None:
        set_staff(lot, attendant)
        set_staff(lot, attendant)
        query = {"action": "lot.staff-set"}
        answer = client.get(f"{API}/audit-log", query_string=query, headers=as_admin)
        (entry,) = answer.json["items"]
        assert (entry["actor"]["id"], entry["subject"], entry["subject_id"]) == (
            admin.id,
            "lot",
            lot.id,
        )
        assert entry["before"] == {"user_ids": []}
        assert entry["after"] == {"user_ids": [attendant.id]}

    def test_whoever_is_an_attendant_no_more_works_nowhere(
        self, client: FlaskClient, as_admin: Headers, set_staff: SetStaff, lot: Lot, attendant: User
    ) -> None:
        set_staff(lot, attendant)
        for role in ("driver", "attendant"):
            changed = client.patch(
                f"{API}/users/{attendant.id}", json={"roles": [role]}, headers=as_admin
            )
            assert changed.status_code == 200
        assert client.get(f"{API}/lots/{lot.id}/staff", headers=as_admin).json == {"items": []}


class TestWhatAttendantsSee:
    def test_who_holds_a_bay_is_told_at_their_own_lot_alone(
        self,
        client: FlaskClient,
        as_admin: Headers,
        set_staff: SetStaff,
        make: Factory,
        book: Callable[..., int | None],
        lot: Lot,
        attendant: User,
    ) -> None:
        elsewhere = make.lot()
        set_staff(lot, attendant)
        window = {"starts_at": tomorrow_at(9).isoformat(), "ends_at": tomorrow_at(11).isoformat()}
        for each in (lot, elsewhere):
            book(make.spots(each)[0], tomorrow_at(9), tomorrow_at(11))

        def holders(lot: Lot, headers: Headers) -> int:
            answer = client.get(
                f"{API}/lots/{lot.id}/spots", query_string=window, headers=headers
            ).json["items"]
            assert [each["state"] for each in answer].count("taken") == 1
            return sum(each["reservation"] is not None for each in answer)

        as_attendant = make.headers(attendant)
        assert (holders(lot, as_attendant), holders(elsewhere, as_attendant)) == (1, 0)
        assert (holders(lot, as_admin), holders(elsewhere, as_admin)) == (1, 1)
        assert (holders(lot, make.headers(make.user())), holders(lot, {})) == (0, 0)
        set_staff(lot)
        assert holders(lot, as_attendant) == 0
