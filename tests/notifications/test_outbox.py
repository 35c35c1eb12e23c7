"""Mail is promised with its cause, sent after it, once, and by whatever worker is there (P12, P14, P15)."""

import dataclasses
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from backend import config
from backend.clock import now
from backend.config import Settings
from backend.extensions import db
from backend.models import OutboxMail
from backend.notifications import service, transport
from backend.notifications.attachments import Attachment, register_attachments
from backend.notifications.tasks import purge_old, send_due, send_mail
from backend.transaction import transaction
from tests.notifications.conftest import Inbox

Promise = Callable[..., int]
LookUp = Callable[[int], OutboxMail]
MoveClock = Callable[[timedelta], None]

TICKET = {
    "name": "Asha Rao",
    "code": "VV-8F3K-29QX",
    "lot": "Altmarkt",
    "address": "Wilsdruffer Straße, Dresden",
    "bay": "A12",
    "level": "-1",
    "window": "Mon 4 May, 10:00 to 12:00",
    "price": "€4.00",
    "receipt": "R-2026-000001",
    "plate": "DDVV2026",
    "reservation_id": "1",
}


class TestQueue:
    def test_a_promise_falls_with_its_transaction(self, app: Flask) -> None:
        def fail() -> None:
            with transaction():
                service.queue_mail("otp", "a@b.co", key="otp:1", context={})
                raise ValueError("no cause")

        with app.app_context():
            with pytest.raises(ValueError, match="no cause"):
                fail()
            with transaction(read_only=True):
                assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0

    def test_the_task_starts_after_the_commit(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[Any] = []
        monkeypatch.setattr(service, "start_task", lambda *args: started.append(args))
        with app.app_context(), transaction():
            service.queue_mail("otp", "a@b.co", key="otp:1", context={})
            assert started == []
        assert [name for name, _ in started] == ["notifications.send_mail"]

    def test_one_key_is_one_mail(self, promise: Promise, app: Flask) -> None:
        assert promise(key="ticket:1") == promise(key="ticket:1")
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 1

    def test_a_secret_is_sealed_until_it_is_sent(
        self, promise: Promise, look_up: LookUp, inbox: Inbox
    ) -> None:
        mail_id = promise()
        sealed = look_up(mail_id).sealed
        assert sealed is not None
        assert b"123456" not in sealed
        send_mail(mail_id)
        assert look_up(mail_id).sealed is None
        assert str(inbox.mails[0]).count("123456") == 2


class TestSend:
    def test_it_arrives_as_text_and_html(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, settings: Settings
    ) -> None:
        mail_id = promise()
        send_mail(mail_id)
        assert look_up(mail_id).status == "sent"
        assert look_up(mail_id).sent_at is not None
        (mail,) = inbox.mails
        assert inbox.recipients == [["asha@example.org"]]
        assert mail["To"] == "asha@example.org"
        assert mail["From"] == settings.mail_from
        assert mail["Subject"] == "Your Vehicle Vault code"
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert text.get_content().count("123456") == 1
        assert html.get_content().count("123456") == 1
        # Nothing else in the whole source of the mail looks like a code.
        assert set(re.findall(r"[0-9]{6}", str(mail))) == {"123456"}

    def test_a_ticket_carries_its_receipt(
        self, promise: Promise, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[dict[str, Any]] = []

        def attach(context: dict[str, Any]) -> list[Attachment]:
            asked.append(context)
            return [Attachment("receipt.pdf", "application/pdf", b"%PDF-1.7 \xff\x00")]

        monkeypatch.setattr("backend.notifications.attachments._builders", {})
        register_attachments("ticket", attach)
        send_mail(promise(template="ticket", key="ticket:1", context=TICKET, secret=None))
        (mail,) = inbox.mails
        assert asked == [TICKET]
        (part,) = (each for each in mail.walk() if each.get_filename() == "receipt.pdf")
        assert part.get_content_type() == "application/pdf"
        assert part.get_content_disposition() == "attachment"
        assert part.get_content() == b"%PDF-1.7 \xff\x00"
        body = mail.get_body(("plain",))
        assert body is not None
        for value in TICKET.values():
            assert value in body.get_content()

    def test_a_mail_is_sent_once_however_often_it_is_asked_for(
        self, app: Flask, promise: Promise, inbox: Inbox
    ) -> None:
        mail_id = promise()
        _send_at_once(mail_id)
        send_mail(mail_id)
        send_due()
        send_mail(mail_id + 1)
        assert len(inbox.mails) == 1

    def test_without_the_claim_it_would_be_sent_more_often(
        self,
        app: Flask,
        promise: Promise,
        inbox: Inbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Show that the race above sees the fault, with the guard taken off."""
        mail_id = promise()
        with app.app_context():
            claimed = service._claim_mail(mail_id)
        monkeypatch.setattr(service, "_claim_mail", lambda _: claimed)
        _send_at_once(mail_id)
        assert len(inbox.mails) == 6

    def test_a_crash_after_the_servers_yes_sends_the_same_mail_once_more(
        self,
        promise: Promise,
        look_up: LookUp,
        inbox: Inbox,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        mail_id = promise()
        with monkeypatch.context() as crash:
            crash.setattr(service, "_mark", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                send_mail(mail_id)
        send_due()
        assert len(inbox.mails) == 1
        move_clock(timedelta(minutes=10, seconds=1))
        send_due()
        send_due()
        assert look_up(mail_id).status == "sent"
        first, second = inbox.mails
        assert first["Message-ID"] == second["Message-ID"]
        assert str(first["Message-ID"]).startswith("<")

    def test_an_expired_mail_is_given_up(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, move_clock: MoveClock
    ) -> None:
        mail_id = promise(expires_at=now() + timedelta(minutes=10))
        move_clock(timedelta(minutes=11))
        send_due()
        assert inbox.mails == []
        mail = look_up(mail_id)
        assert (mail.status, mail.last_error, mail.sealed) == ("failed", "expired", None)


class TestPictures:
    def test_the_logo_is_shown_and_no_attachment(self, promise: Promise, inbox: Inbox) -> None:
        send_mail(promise())
        (mail,) = inbox.mails
        (logo,) = (each for each in mail.walk() if each.get_content_type() == "image/png")
        assert logo["Content-ID"] == "<logo>"
        assert logo.get_content_disposition() == "inline"
        html = mail.get_body(("html",))
        assert html is not None
        assert "cid:logo" in html.get_content()
        assert [each.get_content_type() for each in mail.walk()] == [
            "multipart/related",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "image/png",
        ]


class TestBatch:
    def test_a_sweep_sends_all_that_is_due_by_one_connection(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connected: list[int] = []
        connect = transport._connect

        def count(settings: Settings) -> Any:
            connected.append(1)
            return connect(settings)

        monkeypatch.setattr(transport, "_connect", count)
        monkeypatch.setattr(service, "_BATCH", 3)
        inbox.answer_to["p4@example.org"] = "550 No such user"
        inbox.answer_to["p5@example.org"] = "451 Later"
        mails = [promise(f"p{number}@example.org") for number in range(8)]
        send_due()
        assert [look_up(mail_id).status for mail_id in mails] == [
            *["sent"] * 4,
            "bounced",
            "pending",
            *["sent"] * 2,
        ]
        assert len(connected) == 1

    def test_what_there_is_no_time_for_waits_for_the_next_sweep(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mails = [promise(f"p{number}@example.org") for number in range(3)]
        monkeypatch.setattr(service, "_SWEEP_SECONDS", -1.0)
        send_due()
        assert [look_up(mail_id).status for mail_id in mails] == ["sent", "pending", "pending"]
        assert look_up(mails[1]).attempts == 0

    def test_a_connection_that_died_between_two_mails_is_made_anew(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_server = transport.Post._open_server
        gone: list[int] = []

        def cut(post: transport.Post) -> Any:
            if post._server and not gone:
                gone.append(1)
                assert post._server.sock is not None
                post._server.sock.shutdown(socket.SHUT_RDWR)
            return open_server(post)

        monkeypatch.setattr(transport.Post, "_open_server", cut)
        mails = [promise(f"p{number}@example.org") for number in range(3)]
        send_due()
        assert gone
        assert [look_up(mail_id).status for mail_id in mails] == ["sent"] * 3
        assert [look_up(mail_id).attempts for mail_id in mails] == [1] * 3
        assert len(inbox.mails) == 3


class TestServerFaults:
    def test_while_it_is_away_mail_waits(
        self,
        promise: Promise,
        look_up: LookUp,
        use_server: Callable[[int], None],
        free_port: int,
        move_clock: MoveClock,
    ) -> None:
        use_server(free_port)
        mail_id = promise()
        send_mail(mail_id)
        mail = look_up(mail_id)
        assert (mail.status, mail.attempts) == ("pending", 1)
        assert timedelta(seconds=25) < mail.next_attempt_at - now() <= timedelta(seconds=30)
        assert mail.sealed is not None
        move_clock(timedelta(seconds=31))
        send_due()
        assert look_up(mail_id).attempts == 2
        assert look_up(mail_id).next_attempt_at - now() > timedelta(seconds=55)

    def test_it_goes_out_when_the_server_is_back(
        self,
        promise: Promise,
        look_up: LookUp,
        inbox: Inbox,
        move_clock: MoveClock,
    ) -> None:
        inbox.answer = "451 Try again"
        mail_id = promise()
        send_mail(mail_id)
        assert look_up(mail_id).status == "pending"
        inbox.answer = "250 OK"
        send_due()
        assert inbox.mails == []
        move_clock(timedelta(seconds=31))
        send_due()
        assert look_up(mail_id).status == "sent"
        assert len(inbox.mails) == 1

    @pytest.mark.parametrize("answer", ["421 Closing", "451 Later"])
    @pytest.mark.parametrize("at_recipient", [True, False])
    def test_not_now_is_tried_again(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, answer: str, at_recipient: bool
    ) -> None:
        if at_recipient:
            inbox.answer_to["asha@example.org"] = answer
        else:
            inbox.answer = answer
        mail_id = promise()
        send_mail(mail_id)
        assert look_up(mail_id).status == "pending"

    @pytest.mark.parametrize("at_recipient", [True, False])
    def test_never_is_taken_at_its_word(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, at_recipient: bool
    ) -> None:
        if at_recipient:
            inbox.answer_to["asha@example.org"] = "550 No such user"
        else:
            inbox.answer = "554 Not wanted"
        mail_id = promise()
        send_mail(mail_id)
        mail = look_up(mail_id)
        assert (mail.status, mail.sealed) == ("bounced", None)
        assert mail.last_error is not None
        assert "55" in mail.last_error

    def test_a_frozen_server_costs_its_time_out(
        self,
        promise: Promise,
        look_up: LookUp,
        use_server: Callable[[int], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(transport, "_TIMEOUT_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as frozen:
            use_server(frozen.getsockname()[1])
            mail_id = promise()
            started = time.monotonic()
            send_mail(mail_id)
            assert time.monotonic() - started < 3
        assert look_up(mail_id).status == "pending"

    def test_how_the_server_says_goodbye_does_not_matter(
        self, promise: Promise, look_up: LookUp, inbox: Inbox
    ) -> None:
        inbox.goodbye = "421 Too busy to say goodbye"
        mail_id = promise()
        send_mail(mail_id)
        assert look_up(mail_id).status == "sent"

    def test_wrong_credentials_fail_no_mail_for_good(
        self, promise: Promise, look_up: LookUp, inbox: Inbox
    ) -> None:
        config.use(dataclasses.replace(config.settings(), mail_username="me", mail_password="x"))
        mail_id = promise()
        send_mail(mail_id)
        assert look_up(mail_id).status == "pending"

    def test_one_poisonous_mail_costs_one_mail(
        self, promise: Promise, look_up: LookUp, inbox: Inbox
    ) -> None:
        poisonous = [
            promise(template="no-such-template", key="poison:1"),
            promise(context={}, key="poison:2"),
            promise(to="not an address", key="poison:3"),
        ]
        inbox.answer_to["refused@example.org"] = "550 No such user"
        promise(to="refused@example.org")
        sound = [promise(to=f"p{number}@example.org") for number in range(5)]
        send_due()
        assert [look_up(mail_id).status for mail_id in sound] == ["sent"] * 5
        assert [look_up(mail_id).status for mail_id in poisonous] == ["pending"] * 3

    def test_poison_is_given_up_in_the_end(
        self, promise: Promise, look_up: LookUp, inbox: Inbox, move_clock: MoveClock
    ) -> None:
        mail_id = promise(context={})
        for hours in (0, 12, 23):
            move_clock(timedelta(hours=hours))
            send_due()
            assert look_up(mail_id).status == "pending"
        # The last try is a day after the promise, however long the pause would be.
        assert look_up(mail_id).next_attempt_at <= look_up(mail_id).created_at + timedelta(days=1)
        move_clock(timedelta(days=1, seconds=1))
        send_due()
        mail = look_up(mail_id)
        assert (mail.status, mail.attempts, mail.sealed) == ("failed", 4, None)

    def test_a_sweep_leaves_a_dead_server_alone(
        self,
        promise: Promise,
        look_up: LookUp,
        use_server: Callable[[int], None],
        free_port: int,
    ) -> None:
        use_server(free_port)
        mails = [promise(to=f"p{number}@example.org") for number in range(6)]
        send_due()
        assert [look_up(mail_id).attempts for mail_id in mails] == [1, 1, 1, 0, 0, 0]


def _send_at_once(mail_id: int) -> None:
    threads = [threading.Thread(target=send_mail, args=[mail_id]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestPurge:
    def test_what_was_sent_or_given_up_long_ago_is_deleted(
        self,
        app: Flask,
        promise: Promise,
        settings: Settings,
        move_clock: MoveClock,
    ) -> None:
        sent, given_up, waits = (promise(f"{name}@example.org") for name in ("a", "b", "c"))
        with app.app_context(), transaction():
            db.session.get_one(OutboxMail, sent).status = "sent"
            db.session.get_one(OutboxMail, sent).sent_at = now()
            db.session.get_one(OutboxMail, given_up).status = "failed"
        move_clock(timedelta(days=settings.sent_mail_days - 1))
        assert purge_old() == 0
        move_clock(timedelta(days=settings.sent_mail_days, minutes=1))
        young = promise("d@example.org")
        with app.app_context(), transaction():
            db.session.get_one(OutboxMail, young).status = "sent"
            db.session.get_one(OutboxMail, young).sent_at = now()
        assert purge_old() == 2
        assert _ids(app) == [waits, young]

    def test_it_goes_on_until_nothing_is_left(
        self,
        app: Flask,
        promise: Promise,
        settings: Settings,
        move_clock: MoveClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "_PURGED_AT_ONCE", 2)
        for number in range(5):
            promise(f"asha{number}@example.org")
        with app.app_context(), transaction():
            db.session.execute(update(OutboxMail).values(status="sent", sent_at=now()))
        move_clock(timedelta(days=settings.sent_mail_days, minutes=1))
        assert purge_old() == 5
        assert _ids(app) == []

    def test_what_another_worker_has_in_hand_is_passed_over(
        self,
        app: Flask,
        promise: Promise,
        settings: Settings,
        move_clock: MoveClock,
    ) -> None:
        for number in range(20):
            promise(f"asha{number}@example.org")
        with app.app_context(), transaction():
            db.session.execute(update(OutboxMail).values(status="sent", sent_at=now()))
        move_clock(timedelta(days=settings.sent_mail_days, minutes=1))
        with ThreadPoolExecutor() as pool:
            counts = [each.result(30) for each in [pool.submit(purge_old) for _ in range(2)]]
        assert sum(counts) == 20
        assert _ids(app) == []


def _ids(app: Flask) -> list[int]:
    with app.app_context(), transaction(read_only=True):
        return list(db.session.scalars(select(OutboxMail.id).order_by(OutboxMail.id)))
