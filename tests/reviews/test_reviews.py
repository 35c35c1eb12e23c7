"""Reviews: by who stood there, once, editable for a while, moderated and answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from backend import clock
from backend.extensions import db
from backend.models import Lot, Review, User
from backend.transaction import transaction
from tests.conftest import Statements
from tests.counter import Arrive, Later, MoveClock
from tests.desk import Desk, problem, window
from tests.factories import Factory
from tests.nasty import NASTY
from tests.races.crowd import rush
from tests.reviews.conftest import Review as Reviewed
from tests.reviews.conftest import Stand, read, write

V1 = "/api/v1"
TWINS = 8


def change(desk: Desk, review: dict[str, Any], **said: Any) -> Any:
    return desk.client.patch(f"{V1}/reviews/{review['id']}", json=said, headers=desk.headers)


def take_back(desk: Desk, review: dict[str, Any]) -> Any:
    return desk.client.delete(f"{V1}/reviews/{review['id']}", headers=desk.headers)


class TestWriting:
    def test_a_driver_reviews_a_stay(
        self, client: FlaskClient, make: Factory, arrive: Arrive, stand: Stand, lot: Lot
    ) -> None:
        desk = arrive(user=make.user(name="Ada Byron Lovelace"))
        booked = stand(desk, lot)

        answer = write(desk, lot, booked, stars=5, text="  Wide bays.\nNo queue. ")

        assert answer.status_code == 201
        written = answer.json
        assert written == {
            "id": written["id"],
            "author": "Ada Byron Lovelace",
            "stars": 5,
            "text": "Wide bays.\nNo queue.",
            "created_at": written["created_at"],
            "edited_at": None,
            "reply": None,
            "replied_at": None,
            "lot": {"id": lot.id, "name": lot.name},
            "reservation_id": booked,
            "code": desk.get(f"/reservations/{booked}")["code"],
            "status": "published",
            "hidden_reason": None,
            "editable_until": written["editable_until"],
        }
        assert desk.get(f"/reviews/{written['id']}") == written
        assert read(client, lot) == {
            "items": [
                {
                    "id": written["id"],
                    "author": "Ada L.",
                    "stars": 5,
                    "text": "Wide bays.\nNo queue.",
                    "created_at": written["created_at"],
                    "edited_at": None,
                    "reply": None,
                    "replied_at": None,
                }
            ],
            "next_cursor": None,
            "total": 1,
        }

    def test_stars_alone_will_do(self, desk: Desk, stand: Stand, lot: Lot) -> None:
        assert write(desk, lot, stand(desk, lot), stars=1).json["text"] == ""

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"stars": 0}, "stars"),
            ({"stars": 6}, "stars"),
            ({"stars": 4.5}, "stars"),
            ({"stars": None}, "stars"),
            ({"text": "x" * 2001}, "text"),
            ({"text": "x\x07"}, "text"),
            ({"reservation_id": "1"}, "reservation_id"),
            ({"status": "published"}, "status"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, desk: Desk, lot: Lot, said: dict[str, Any], field: str
    ) -> None:
        body = {"reservation_id": 1, "stars": 4, **said}
        path = f"{V1}/lots/{lot.id}/reviews"
        refused = desk.client.post(path, json=body, headers=desk.headers)
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == [field]

    def test_a_stay_that_is_not_over_cannot_be_reviewed(
        self, client: FlaskClient, desk: Desk, lot: Lot
    ) -> None:
        held = desk.hold(lot)
        paid = desk.buy(lot, **window(14, 15))["reservation_id"]
        cancelled = desk.hold(lot, **window(17, 18))
        desk.cancel(cancelled)
        for booked in (held["id"], paid, cancelled["id"]):
            refused = write(desk, lot, booked)
            assert problem(refused) == "409 review-not-allowed"
            assert refused.json["reason"] == "not-completed"
        assert read(client, lot)["total"] == 0

    def test_a_stay_is_reviewed_once(self, desk: Desk, stand: Stand, lot: Lot) -> None:
        booked = stand(desk, lot)
        assert write(desk, lot, booked).status_code == 201
        again = write(desk, lot, booked, stars=1)
        assert problem(again) == "409 review-not-allowed"
        assert again.json["reason"] == "already-reviewed"
        # Another stay is another matter.
        assert write(desk, lot, stand(desk, lot, **window(14, 15))).status_code == 201

    def test_another_s_stay_and_one_elsewhere_look_absent(
        self, make: Factory, arrive: Arrive, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        booked = stand(desk, lot)
        assert problem(write(arrive(), lot, booked)) == "404 not-found"
        assert problem(write(desk, make.lot(), booked)) == "404 not-found"
        assert problem(write(desk, lot, booked + 1)) == "404 not-found"

    def test_the_same_key_has_one_effect_and_one_answer(
        self, client: FlaskClient, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        booked = stand(desk, lot)
        first = write(desk, lot, booked, key="k1")
        change(desk, first.json, stars=1)
        again = write(desk, lot, booked, key="k1")
        assert (again.status_code, again.json) == (201, first.json)
        assert problem(write(desk, lot, booked, key="k1", stars=2)) == "422 idempotency-key-reused"
        assert read(client, lot)["total"] == 1

    def test_hostile_text_stays_literal(
        self, client: FlaskClient, make: Factory, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        written = write(desk, lot, stand(desk, lot)).json
        kept = 0
        for name, said in NASTY.items():
            if name == "lone surrogate":
                continue  # no client can write it as UTF-8
            answer = change(desk, written, text=said)
            if answer.status_code in {400, 422}:
                continue
            assert answer.status_code == 200, said
            kept += 1
            shown = client.get(f"{V1}/lots/{lot.id}/reviews")
            assert shown.mimetype == "application/json"
            assert shown.headers["X-Content-Type-Options"] == "nosniff"
            assert shown.json["items"][0]["text"] == said.strip()
        assert kept > 60


class TestTwoAtOnce:
    def test_one_of_eight_writes_it(
        self, app: Flask, client: FlaskClient, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        told = self.write_at_once(app, desk, lot, stand(desk, lot))
        assert told == ["201"] + ["409 review-not-allowed"] * (TWINS - 1)
        assert read(client, lot)["total"] == 1

    def test_eight_with_one_key_are_one(
        self, app: Flask, client: FlaskClient, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        told = self.write_at_once(app, desk, lot, stand(desk, lot), key="k1")
        assert told == ["201"] * TWINS
        assert read(client, lot)["total"] == 1

    # SQLite cannot take a constraint off a table.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_twin_without_the_constraint_writes_more_than_one(
        self, app: Flask, client: FlaskClient, desk: Desk, stand: Stand, lot: Lot
    ) -> None:
        booked = stand(desk, lot)
        with without_constraint(app):
            self.write_at_once(app, desk, lot, booked)
            assert read(client, lot)["total"] > 1

    def write_at_once(
        self, app: Flask, desk: Desk, lot: Lot, booked: int, *, key: str | None = None
    ) -> list[str]:
        def one() -> str:
            alone = Desk(app.test_client(), desk.user, desk.headers, desk.vehicle)
            answer = write(alone, lot, booked, key=key)
            return "201" if answer.status_code == 201 else problem(answer)

        return sorted(rush([partial(one)] * TWINS))


@contextmanager
def without_constraint(app: Flask) -> Iterator[None]:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE reviews DROP CONSTRAINT uq_reviews_reservation"))
    try:
        yield
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("DELETE FROM reviews"))
            connection.execute(
                text(
                    "ALTER TABLE reviews ADD CONSTRAINT uq_reviews_reservation UNIQUE (reservation_id)"
                )
            )


class TestChanging:
    def test_its_author_changes_it(
        self, client: FlaskClient, desk: Desk, review: Reviewed, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        changed = change(desk, written, stars=2, text="Puddles.").json
        assert (changed["stars"], changed["text"]) == (2, "Puddles.")
        assert changed["edited_at"] is not None
        (shown,) = read(client, lot)["items"]
        assert (shown["stars"], shown["edited_at"]) == (2, changed["edited_at"])

    def test_no_change_is_no_edit(self, desk: Desk, review: Reviewed, lot: Lot) -> None:
        written = review(lot, by=desk)
        assert change(desk, written, stars=written["stars"]).json == written
        assert change(desk, written).json == written

    def test_its_author_takes_it_back_and_may_write_another(
        self, client: FlaskClient, desk: Desk, review: Reviewed, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        assert take_back(desk, written).status_code == 204
        assert read(client, lot)["total"] == 0
        assert problem(desk.try_get(f"/reviews/{written['id']}")) == "404 not-found"
        assert write(desk, lot, written["reservation_id"]).status_code == 201

    def test_after_fourteen_days_it_stays(
        self, desk: Desk, later: Later, review: Reviewed, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        in_time = later(desk, minutes=14 * 24 * 60 - 1)
        assert change(in_time, written, stars=3).status_code == 200
        late = later(desk, minutes=14 * 24 * 60 + 1)
        for refused in (change(late, written, stars=1), take_back(late, written)):
            assert problem(refused) == "409 review-not-allowed"
            assert refused.json["reason"] == "too-late"

    def test_another_s_review_looks_absent(
        self, arrive: Arrive, as_admin: dict[str, str], desk: Desk, review: Reviewed, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        other = arrive()
        assert problem(other.try_get(f"/reviews/{written['id']}")) == "404 not-found"
        assert problem(change(other, written, stars=1)) == "404 not-found"
        assert problem(take_back(other, written)) == "404 not-found"
        # An admin who is a driver too reads it, and changes it no more than others do.
        path = f"{V1}/reviews/{written['id']}"
        assert desk.client.get(path, headers=as_admin).json == written
        refused = desk.client.patch(path, json={"stars": 1}, headers=as_admin)
        assert problem(refused) == "404 not-found"

    def test_a_change_of_an_old_state_is_refused(
        self, desk: Desk, review: Reviewed, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        path = f"{V1}/reviews/{written['id']}"
        tag = desk.client.get(path, headers=desk.headers).headers["ETag"]
        change(desk, written, stars=1)
        headers = desk.headers | {"If-Match": tag}
        refused = desk.client.patch(path, json={"stars": 5}, headers=headers)
        assert problem(refused) == "412 precondition-failed"


class TestReading:
    def test_pages_follow_one_another_newest_first(
        self, client: FlaskClient, review: Reviewed, make: Factory
    ) -> None:
        lot = make.lot(spots=5)
        written = [review(lot)["id"] for _ in range(5)]
        first = read(client, lot, limit=2)
        second = read(client, lot, limit=2, cursor=first["next_cursor"])
        third = read(client, lot, limit=2, cursor=second["next_cursor"])
        seen = [each["id"] for page in (first, second, third) for each in page["items"]]
        assert seen == written[::-1]
        assert (first["total"], third["next_cursor"]) == (5, None)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Ada", "Ada"),
            ("Ada Lovelace", "Ada L."),
            ("Jean-Luc de la Tour", "Jean-Luc T."),
            ("ada  lovelace", "ada L."),
            ("李 小龙", "李 小."),
            ("<script>alert(1)</script> x", "<script>alert(1)</script> X."),
        ],
    )
    def test_a_name_is_shortened(
        self,
        client: FlaskClient,
        make: Factory,
        arrive: Arrive,
        review: Reviewed,
        lot: Lot,
        name: str,
        shown: str,
    ) -> None:
        review(lot, by=arrive(user=make.user(name=name)))
        assert read(client, lot)["items"][0]["author"] == shown

    def test_a_closed_account_leaves_no_name(
        self, app: Flask, client: FlaskClient, desk: Desk, review: Reviewed, lot: Lot
    ) -> None:
        review(lot, by=desk)
        with app.app_context(), transaction():
            db.session.get_one(User, desk.user.id).deleted_at = clock.now()
        assert read(client, lot)["items"][0]["author"] is None

    def test_a_lot_that_is_no_more_public_has_no_list(
        self, client: FlaskClient, make: Factory
    ) -> None:
        lot = make.lot(status="archived")
        assert problem(client.get(f"{V1}/lots/{lot.id}/reviews")) == "404 not-found"
        assert problem(client.get(f"{V1}/lots/999/reviews")) == "404 not-found"

    def test_a_page_is_read_in_few_queries(
        self, client: FlaskClient, review: Reviewed, make: Factory, statements: Statements
    ) -> None:
        lot = make.lot(spots=5)
        counts = []
        for _ in range(2):
            review(lot)
            review(lot)
            with statements() as asked:
                read(client, lot)
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 3

    def test_drivers_list_their_own_and_admins_all(
        self,
        client: FlaskClient,
        as_admin: dict[str, str],
        arrive: Arrive,
        desk: Desk,
        review: Reviewed,
        make: Factory,
    ) -> None:
        lots = [make.lot(), make.lot()]
        mine = review(lots[0], by=desk, stars=2)
        theirs = review(lots[1], by=arrive(), stars=5)

        def find(headers: dict[str, str], **query: Any) -> list[int]:
            answer = client.get(f"{V1}/reviews", query_string=query, headers=headers)
            assert answer.json["total"] == len(answer.json["items"])
            return [each["id"] for each in answer.json["items"]]

        assert find(desk.headers) == [mine["id"]]
        assert find(as_admin) == [theirs["id"], mine["id"]]
        assert find(as_admin, lot_id=lots[0].id) == [mine["id"]]
        assert find(as_admin, stars=5) == [theirs["id"]]
        assert find(as_admin, reservation_id=mine["reservation_id"]) == [mine["id"]]
        path = f"{V1}/reviews/{mine['id']}"
        client.post(f"{path}/reply", json={"text": "Sorry."}, headers=as_admin)
        client.post(
            f"{V1}/reviews/{theirs['id']}/moderate",
            json={"hidden": True, "reason": "Advertisement."},
            headers=as_admin,
        )
        assert find(as_admin, answered="true") == [mine["id"]]
        assert find(as_admin, answered="false") == [theirs["id"]]
        assert find(as_admin, status="hidden") == [theirs["id"]]
        assert find(desk.headers, status="hidden") == []


Act = Callable[..., Any]


@pytest.fixture
def act(client: FlaskClient, as_admin: dict[str, str]) -> Act:
    """Let an admin do something to a review."""

    def act(review: dict[str, Any], verb: str, **body: Any) -> Any:
        path = f"{V1}/reviews/{review['id']}/{verb}"
        return client.post(path, json=body, headers=as_admin)

    return act


class TestModeration:
    def test_a_hidden_one_is_gone_for_everybody_but_its_author(
        self, client: FlaskClient, desk: Desk, review: Reviewed, act: Act, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        hidden = act(written, "moderate", hidden=True, reason="Names a person.").json
        assert (hidden["status"], hidden["hidden_reason"]) == ("hidden", "Names a person.")
        assert read(client, lot) == {"items": [], "next_cursor": None, "total": 0}
        assert desk.get(f"/reviews/{written['id']}") == hidden

        shown = act(written, "moderate", hidden=False).json
        assert shown == written
        assert read(client, lot)["total"] == 1

    def test_its_author_cannot_get_around_it(
        self, desk: Desk, review: Reviewed, act: Act, lot: Lot
    ) -> None:
        written = review(lot, by=desk)
        act(written, "moderate", hidden=True, reason="Rude.")
        for refused in (
            change(desk, written, text="Nice."),
            take_back(desk, written),
        ):
            assert problem(refused) == "409 review-not-allowed"
            assert refused.json["reason"] == "hidden"
        again = write(desk, lot, written["reservation_id"])
        assert again.json["reason"] == "already-reviewed"

    def test_hiding_wants_a_reason(self, review: Reviewed, act: Act, lot: Lot) -> None:
        written = review(lot)
        for body in ({"hidden": True}, {"hidden": True, "reason": None}):
            refused = act(written, "moderate", **body)
            assert refused.status_code == 422
            assert list(refused.json["errors"]) == ["reason"]

    def test_there_must_be_one(self, act: Act) -> None:
        absent = {"id": 999}
        assert problem(act(absent, "moderate", hidden=False)) == "404 not-found"
        assert problem(act(absent, "reply", text="x")) == "404 not-found"


class TestReply:
    def test_the_operator_answers_and_takes_it_back(
        self, client: FlaskClient, review: Reviewed, act: Act, lot: Lot
    ) -> None:
        written = review(lot)
        answered = act(written, "reply", text="We swept it.\nThank you.").json
        assert answered["reply"] == "We swept it.\nThank you."
        (shown,) = read(client, lot)["items"]
        assert (shown["reply"], shown["replied_at"]) == (answered["reply"], answered["replied_at"])
        taken = act(written, "reply", text=None).json
        assert (taken["reply"], taken["replied_at"]) == (None, None)

    def test_an_empty_answer_is_none(self, review: Reviewed, act: Act, lot: Lot) -> None:
        refused = act(review(lot), "reply", text="  ")
        assert refused.status_code == 422


def test_what_admins_do_is_in_the_audit_log(
    client: FlaskClient,
    as_admin: dict[str, str],
    admin: User,
    review: Reviewed,
    act: Act,
    lot: Lot,
) -> None:
    written = review(lot)
    act(written, "moderate", hidden=True, reason="Rude.")
    act(written, "moderate", hidden=True, reason="Rude.")
    act(written, "reply", text="Please stay polite.")
    act(written, "reply", text="Please stay polite.")
    found = client.get(
        f"{V1}/audit-log", query_string={"subject": "review"}, headers=as_admin
    ).json["items"]
    assert {(each["actor"]["id"], each["subject_id"]) for each in found} == {
        (admin.id, written["id"])
    }
    answered, moderated = found
    assert moderated["action"] == "review.moderated"
    assert moderated["before"] == {"status": "published", "hidden_reason": None}
    assert moderated["after"] == {"status": "hidden", "hidden_reason": "Rude."}
    assert answered["action"] == "review.answered"
    assert answered["before"] == {"reply": None}
    assert answered["after"] == {"reply": "Please stay polite."}


class TestRating:
    """P6: the rating shown is a recount of the published rows."""

    def shown(self, client: FlaskClient, lot: Lot) -> tuple[float | None, int]:
        detail = client.get(f"{V1}/lots/{lot.id}").json
        (listed,) = (
            each for each in client.get(f"{V1}/lots").json["items"] if each["id"] == lot.id
        )
        told = (detail["rating"], detail["review_count"])
        assert told == (listed["rating"], listed["review_count"])
        return told

    def test_it_follows_each_change_at_once(
        self, client: FlaskClient, desk: Desk, review: Reviewed, act: Act, make: Factory
    ) -> None:
        lot = make.lot(spots=4)
        assert self.shown(client, lot) == (None, 0)
        first = review(lot, stars=5, by=desk)
        assert self.shown(client, lot) == (5.0, 1)
        second = review(lot, stars=2)
        assert self.shown(client, lot) == (3.5, 2)
        change(desk, first, stars=4)
        assert self.shown(client, lot) == (3.0, 2)
        act(second, "moderate", hidden=True, reason="Rude.")
        assert self.shown(client, lot) == (4.0, 1)
        act(second, "moderate", hidden=False)
        assert self.shown(client, lot) == (3.0, 2)
        take_back(desk, first)
        assert self.shown(client, lot) == (2.0, 1)

    def test_it_equals_the_recount(
        self, app: Flask, client: FlaskClient, review: Reviewed, make: Factory
    ) -> None:
        lot = make.lot(spots=7)
        for stars in (5, 5, 4, 3, 5, 1, 2):
            review(lot, stars=stars)
        with app.app_context(), transaction(read_only=True):
            count, stars = db.session.execute(
                select(func.count(), func.sum(Review.stars)).where(Review.lot_id == lot.id)
            ).one()
        # 25 / 7 = 3.57…
        assert self.shown(client, lot) == (3.6, count) == (round(stars / count, 1), 7)

    def test_lots_are_found_and_ordered_by_it(
        self, client: FlaskClient, review: Reviewed, make: Factory
    ) -> None:
        good, fair, poor, none = (make.lot(name=n) for n in ("Good", "Fair", "Poor", "None"))
        for lot, given in ((poor, (2,)), (good, (5, 5)), (fair, (4, 4, 4))):
            for stars in given:
                review(lot, stars=stars)

        def names(**query: Any) -> list[str]:
            answer = client.get(f"{V1}/lots", query_string=query)
            assert answer.status_code == 200, answer.text
            return [each["name"] for each in answer.json["items"]]

        assert names(sort="rating") == ["Good", "Fair", "Poor", "None"]
        assert names(sort="rating", min_rating=4) == ["Good", "Fair"]
        assert names(min_rating=4.1) == ["Good"]
        assert names(min_rating=1) == ["Fair", "Good", "Poor"]
        assert names(min_rating=2, sort="price") == ["Good", "Fair", "Poor"]
        assert names(q="dresden", min_rating=5) == ["Good"]
        assert none.name in names()
        hours = client.get(f"{V1}/lots/availability", query_string={"min_rating": 4}).json
        assert hours["total_lots"] == 2

    @pytest.mark.parametrize(
        ("given", "least"), [((4, 4, 5), 4.3), ((3, 4), 3.5), ((1, 1, 2), 1.3)]
    )
    def test_a_lot_is_found_by_the_rating_that_is_shown(
        self,
        client: FlaskClient,
        review: Reviewed,
        lot: Lot,
        given: tuple[int, ...],
        least: float,
    ) -> None:
        for stars in given:
            review(lot, stars=stars)
        assert self.shown(client, lot)[0] == least
        for asked, found in ((least, 1), (round(least + 0.1, 1), 0)):
            answer = client.get(f"{V1}/lots", query_string={"min_rating": asked})
            assert answer.json["total"] == found

    # PostgreSQL reads the whole of a table so small.
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_it_is_read_from_the_partial_index(self, app: Flask, statements: Statements) -> None:
        with app.app_context(), transaction(read_only=True):
            plan = db.session.execute(
                text(
                    "EXPLAIN QUERY PLAN SELECT lot_id, count(*), sum(stars) FROM reviews"
                    " WHERE reviews.status = 'published' GROUP BY lot_id"
                )
            ).all()
        assert any("ix_reviews_lot_published" in str(row) for row in plan)


def test_a_review_counts_on_while_the_clock_goes(
    client: FlaskClient, move_clock: MoveClock, review: Reviewed, lot: Lot
) -> None:
    review(lot, stars=3)
    move_clock(timedelta(days=400))
    assert read(client, lot)["total"] == 1
