"""What people are told in the app and by mail, as they wish, through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend import channels, clock
from backend.extensions import db
from backend.models import Notification, OutboxMail, User
from backend.notifications import reading, service, telling
from backend.notifications.kinds import ALL
from backend.notifications.telling import notify
from backend.transaction import transaction
from tests.desk import Desk
from tests.factories import Factory

URL = "/api/v1/notifications"
SETTINGS = "/api/v1/me/notification-settings"
CONTEXT = {"name": "Asha", "days": 31, "find_url": "http://127.0.0.1/"}

Tell = Callable[..., None]


@pytest.fixture
def tell(app: Flask, driver: User) -> Tell:
    """Tell the driver something."""

    def tell(key: str, *, user: User = driver, kind: str = "booking") -> None:
        with app.app_context(), transaction():
            notify(user.id, "nudge", key=key, kind=kind, context=CONTEXT, link="/bookings")

    return tell


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Collect what open streams are told."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr(telling, "publish", lambda *said: found.append(said))
    return found


def mails(app: Flask) -> list[tuple[str, str, str]]:
    with app.app_context(), transaction(read_only=True):
        rows = db.session.execute(
            select(OutboxMail.key, OutboxMail.kind, OutboxMail.locale).order_by(OutboxMail.id)
        )
        return [(row.key, row.kind, row.locale) for row in rows]


def choose(client: FlaskClient, headers: dict[str, str], **wish: Any) -> Any:
    return client.patch(SETTINGS, json={"items": [wish]}, headers=headers)


class TestList:
    def test_the_newest_comes_first_page_by_page(
        self, client: FlaskClient, as_driver: dict[str, str], tell: Tell
    ) -> None:
        for number in range(5):
            tell(f"told:{number}")
        first = client.get(f"{URL}?limit=3", headers=as_driver).json
        assert first["unread"] == 5
        rest = client.get(f"{URL}?limit=3&cursor={first['next_cursor']}", headers=as_driver).json
        ids = [each["id"] for page in (first, rest) for each in page["items"]]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 5
        assert rest["next_cursor"] is None
        told = first["items"][0]
        assert (told["kind"], told["link"], told["read_at"]) == ("booking", "/bookings", None)
        assert told["title"]
        assert told["text"]

    def test_reading_some_and_then_all(
        self, client: FlaskClient, as_driver: dict[str, str], tell: Tell
    ) -> None:
        for number in range(4):
            tell(f"told:{number}")
        ids = [each["id"] for each in client.get(URL, headers=as_driver).json["items"]]
        read = client.post(f"{URL}/read", json={"ids": ids[1:3]}, headers=as_driver)
        assert read.json == {"unread": 2}
        unread = client.get(f"{URL}?unread=true", headers=as_driver).json["items"]
        assert [each["id"] for each in unread] == [ids[0], ids[3]]
        # What comes after the newest that was seen stays unread.
        tell("told:later")
        left = client.post(f"{URL}/read", json={"until_id": ids[0]}, headers=as_driver)
        assert left.json == {"unread": 1}
        again = client.post(f"{URL}/read", json={"until_id": ids[0]}, headers=as_driver)
        assert again.json == {"unread": 1}

    def test_another_reads_none_of_it(
        self, client: FlaskClient, make: Factory, as_driver: dict[str, str], tell: Tell
    ) -> None:
        tell("told:1")
        (mine,) = client.get(URL, headers=as_driver).json["items"]
        stranger = make.headers(make.user())
        assert client.get(URL, headers=stranger).json["items"] == []
        read = client.post(f"{URL}/read", json={"ids": [mine["id"]]}, headers=stranger)
        assert read.json == {"unread": 0}
        assert client.get(URL, headers=as_driver).json["unread"] == 1

    @pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": [1], "until_id": 1}])
    def test_either_these_or_all_up_to_one(
        self, client: FlaskClient, as_driver: dict[str, str], body: dict[str, Any]
    ) -> None:
        answer = client.post(f"{URL}/read", json=body, headers=as_driver)
        assert answer.status_code == 422
        assert "ids" in answer.json["errors"]

    def test_what_is_old_goes(self, app: Flask, tell: Tell, move_clock: Any) -> None:
        tell("old")
        move_clock(timedelta(days=91))
        tell("new")
        with app.app_context():
            assert reading.purge_old() == 1
            with transaction(read_only=True):
                assert db.session.scalars(select(Notification.key)).all() == ["new"]


class TestTelling:
    def test_once_for_a_key(
        self, app: Flask, client: FlaskClient, as_driver: dict[str, str], tell: Tell
    ) -> None:
        tell("told:1")
        tell("told:1")
        assert len(client.get(URL, headers=as_driver).json["items"]) == 1
        assert mails(app) == [("told:1", "booking", "en-IN")]

    def test_what_is_rolled_back_was_never_told(
        self, app: Flask, driver: User, published: list[tuple[Any, ...]]
    ) -> None:
        def tell_and_fail() -> None:
            with transaction():
                notify(driver.id, "nudge", key="told:1", kind="booking", context=CONTEXT)
                raise ZeroDivisionError

        with app.app_context(), pytest.raises(ZeroDivisionError):
            tell_and_fail()
        assert (mails(app), published) == ([], [])

    def test_open_streams_hear_how_much_is_unread(
        self,
        client: FlaskClient,
        driver: User,
        as_driver: dict[str, str],
        tell: Tell,
        published: list[tuple[Any, ...]],
    ) -> None:
        tell("told:1")
        tell("told:2")
        heard = [(driver.id, "notification", {"unread": count}) for count in (1, 2)]
        assert published == heard
        newest = client.get(URL, headers=as_driver).json["items"][0]["id"]
        client.post(f"{URL}/read", json={"until_id": newest}, headers=as_driver)
        assert published[2:] == [(driver.id, "notification", {"unread": 0})]

    def test_without_valkey_it_is_told_all_the_same(
        self,
        client: FlaskClient,
        as_driver: dict[str, str],
        tell: Tell,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def away(_url: str) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(channels, "connect", away)
        tell("told:1")
        assert client.get(URL, headers=as_driver).json["unread"] == 1

    def test_nothing_is_told_to_a_closed_account(
        self, app: Flask, make: Factory, tell: Tell
    ) -> None:
        user = make.user()
        with app.app_context(), transaction():
            db.session.get_one(User, user.id).deleted_at = clock.now()
        tell("told:1", user=user)
        assert mails(app) == []

    def test_nothing_is_told_where_nobody_reads(
        self, app: Flask, client: FlaskClient, make: Factory, tell: Tell
    ) -> None:
        user = make.user(email="driver0001@crowd.invalid")
        tell("told:1", user=user)
        assert mails(app) == []
        assert client.get(URL, headers=make.headers(user)).json["items"] == []

    def test_no_code_waits_behind_mail_in_bulk(
        self, tell: Tell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What comes in bulk is left to the sweep; only the rest has a task each in the queue."""
        started: list[tuple[Any, ...]] = []
        monkeypatch.setattr(service, "start_task", lambda *task: started.append(task))
        for kind in ("start_day", "start_hour", "monthly_report"):
            tell(f"bulk:{kind}", kind=kind)
        assert started == []
        tell("told:1", kind="money")
        assert [name for name, _ in started] == ["notifications.send_mail"]

    def test_who_is_disabled_hears_of_money_alone(
        self, app: Flask, make: Factory, tell: Tell
    ) -> None:
        user = make.user()
        with app.app_context(), transaction():
            db.session.get_one(User, user.id).active = False
        tell("told:1", user=user)
        tell("told:2", user=user, kind="money")
        assert [key for key, *_ in mails(app)] == ["told:2"]

    def test_each_reads_it_in_their_language(
        self, app: Flask, client: FlaskClient, make: Factory, tell: Tell
    ) -> None:
        user = make.user()
        with app.app_context(), transaction():
            db.session.get_one(User, user.id).locale = "hi-IN"
        tell("told:1", user=user)
        (told,) = client.get(URL, headers=make.headers(user)).json["items"]
        assert any("\u0900" <= letter <= "\u097f" for letter in told["title"])

    def test_a_payment_is_told_with_its_ticket(self, client: FlaskClient, make: Factory) -> None:
        user = make.user()
        desk = Desk(client, user, make.headers(user), make.vehicle(user))
        booked = desk.own(make.lot())
        (told,) = client.get(URL, headers=desk.headers).json["items"]
        assert told["link"] == f"/bookings/{booked['id']}"
        assert told["kind"] == "money"


class TestSettings:
    def test_all_that_concern_one_are_listed(
        self, client: FlaskClient, as_driver: dict[str, str], as_admin: dict[str, str]
    ) -> None:
        mine = client.get(SETTINGS, headers=as_driver).json["items"]
        assert [each["kind"] for each in mine] == [k.name for k in ALL if not k.admins_only]
        all_of_them = client.get(SETTINGS, headers=as_admin).json["items"]
        assert [each["kind"] for each in all_of_them] == [kind.name for kind in ALL]

    @pytest.mark.parametrize("way", ["mail", "app"])
    def test_what_is_switched_off_does_not_come(
        self, app: Flask, client: FlaskClient, as_driver: dict[str, str], tell: Tell, way: str
    ) -> None:
        answer = choose(client, as_driver, kind="booking", **{way: False})
        assert answer.status_code == 200, answer.text
        assert answer.json == client.get(SETTINGS, headers=as_driver).json
        tell("told:1")
        assert len(mails(app)) == (way != "mail")
        assert client.get(URL, headers=as_driver).json["unread"] == (way != "app")
        choose(client, as_driver, kind="booking", **{way: True})
        tell("told:2")
        assert mails(app)[-1][0] == "told:2"
        assert client.get(URL, headers=as_driver).json["items"][0]["kind"] == "booking"

    def test_what_is_off_by_default_is_asked_for(
        self, app: Flask, client: FlaskClient, as_driver: dict[str, str], tell: Tell
    ) -> None:
        tell("told:1", kind="nudge")
        assert mails(app) == []
        choose(client, as_driver, kind="nudge", mail=True)
        tell("told:2", kind="nudge")
        assert mails(app) == [("told:2", "nudge", "en-IN")]
        assert client.get(URL, headers=as_driver).json["unread"] == 0

    @pytest.mark.parametrize(
        ("kind", "way", "wish"),
        [
            *(("account", "mail", False), ("account", "app", True)),
            *(("money", "mail", False), ("digest", "mail", False)),
        ],
    )
    def test_what_is_locked_or_concerns_others_stays(
        self,
        app: Flask,
        client: FlaskClient,
        as_driver: dict[str, str],
        kind: str,
        way: str,
        wish: bool,
    ) -> None:
        before = client.get(SETTINGS, headers=as_driver).json
        answer = choose(client, as_driver, kind=kind, **{way: wish})
        assert answer.status_code == 422
        assert client.get(SETTINGS, headers=as_driver).json == before

    def test_of_several_wishes_all_or_none_count(
        self, client: FlaskClient, as_driver: dict[str, str]
    ) -> None:
        before = client.get(SETTINGS, headers=as_driver).json
        wishes = [{"kind": "booking", "mail": False}, {"kind": "money", "mail": False}]
        answer = client.patch(SETTINGS, json={"items": wishes}, headers=as_driver)
        assert answer.status_code == 422
        assert client.get(SETTINGS, headers=as_driver).json == before

    def test_another_keeps_theirs(
        self, client: FlaskClient, make: Factory, as_driver: dict[str, str]
    ) -> None:
        other = make.headers(make.user())
        before = client.get(SETTINGS, headers=other).json
        choose(client, as_driver, kind="booking", mail=False)
        assert client.get(SETTINGS, headers=other).json == before
