"""Whoever got a mail can say that no more of its kind should come: by one click, without a sign-in."""

import dataclasses
from collections.abc import Callable
from urllib.parse import urlsplit

import jwt
import pytest
from flask import Flask
from sqlalchemy import select

from backend import config
from backend.clock import now
from backend.extensions import db
from backend.models import NotificationSetting, User
from backend.notifications import unsubscribing
from backend.notifications.service import MailReader
from backend.notifications.tasks import send_mail
from backend.transaction import transaction
from tests.factories import Factory
from tests.notifications.conftest import Inbox

NUDGE = {"name": "Asha", "days": 34, "find_url": "https://park.example/"}


def _post(app: Flask, token: str, **options: str) -> int:
    url = f"/api/v1/unsubscribe?token={token}"
    return app.test_client().post(url, **options).status_code


def _settings(app: Flask) -> list[tuple[int, str, bool, bool]]:
    with app.app_context(), transaction(read_only=True):
        found = db.session.scalars(select(NotificationSetting)).all()
        return [(each.user_id, each.kind, each.mail, each.app) for each in found]


def _token(user_id: int, kind: str = "nudge") -> str:
    return unsubscribing.unsubscribe_url(user_id, kind).partition("#token=")[2]


def test_a_mail_program_unsubscribes_by_what_the_mail_says(
    app: Flask, make: Factory, promise: Callable[..., int], inbox: Inbox
) -> None:
    user = make.user()
    reader = MailReader(user.id, "en", "nudge")
    send_mail(promise(template="nudge", key="nudge:1", context=NUDGE, secret=None, reader=reader))
    (mail,) = inbox.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(str(mail["List-Unsubscribe"]).strip("<>"))
    assert address.path == "/api/v1/unsubscribe"
    form = {"data": "List-Unsubscribe=One-Click"}
    kind = {"content_type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        assert _post(app, address.query.removeprefix("token="), **form, **kind) == 204
    assert _settings(app) == [(user.id, "nudge", False, False)]
    text = mail.get_body(("plain",))
    assert text is not None
    assert f"/unsubscribe#token={_token(user.id)}" in text.get_content()


def test_what_is_always_sent_has_no_such_link(
    app: Flask, make: Factory, promise: Callable[..., int], inbox: Inbox
) -> None:
    user = make.user()
    send_mail(promise(reader=MailReader(user.id, "en", "account")))
    send_mail(promise("nobody@example.org"))
    assert [mail["List-Unsubscribe"] for mail in inbox.mails] == [None, None]
    for kind in ("account", "money", "none of ours"):
        assert _post(app, _token(user.id, kind)) == 410
    assert _settings(app) == []


def test_the_app_goes_on_as_it_was_set(app: Flask, make: Factory) -> None:
    user, other = make.user(), make.user()
    with app.app_context(), transaction():
        for each in (user, other):
            db.session.add(NotificationSetting(user_id=each.id, kind="nudge", mail=True, app=False))
    assert _post(app, _token(user.id)) == 204
    assert sorted(_settings(app)) == [
        (user.id, "nudge", False, False),
        (other.id, "nudge", True, False),
    ]


@pytest.mark.parametrize("token", ["x", "a.b.c", "é"])
def test_what_we_did_not_write_does_nothing(app: Flask, token: str) -> None:
    assert _post(app, token) in {410, 422}
    assert _settings(app) == []


def test_a_token_signed_otherwise_or_of_a_closed_account_does_nothing(
    app: Flask, make: Factory
) -> None:
    user = make.user()
    forged = jwt.encode({"usr": user.id, "kind": "nudge"}, "x" * 32, algorithm="HS256")
    unsigned = jwt.encode({"usr": user.id, "kind": "nudge"}, None, algorithm="none")
    assert [_post(app, token) for token in (forged, unsigned)] == [410, 410]
    sound = _token(user.id)
    with app.app_context(), transaction():
        db.session.get_one(User, user.id).deleted_at = now()
    assert _post(app, sound) == 410
    assert _settings(app) == []


def test_a_link_outlives_a_change_of_the_key(app: Flask, make: Factory) -> None:
    user = make.user()
    sound, current = _token(user.id), config.settings()
    changed = dataclasses.replace(
        current, secret_key="another key " * 4, secret_key_before=current.secret_key
    )
    config.use(changed)
    try:
        assert unsubscribing.read_unsubscription(sound) == (user.id, "nudge")
    finally:
        config.use(current)
