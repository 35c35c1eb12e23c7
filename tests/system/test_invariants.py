"""``flask check-invariants`` finds each promise that is broken, and names the rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from backend import clock
from backend.claims import availability
from backend.extensions import db
from backend.lots import ratings
from backend.models import (
    AuditEntry,
    InvariantRun,
    Lot,
    OutboxMail,
    Quote,
    Reservation,
    ReservationEvent,
    Review,
    SpotClaim,
)
from backend.notifications.service import queue_mail
from backend.payments.refunds import promise_refunds
from backend.schedule import SCHEDULE
from backend.system import invariants, recounts
from backend.system.breaches import BREACHES
from backend.system.invariants import Finding, check_invariants
from backend.system.tasks import check_invariants as check_by_beat
from backend.transaction import transaction
from tests.counter import Arrive, arrive
from tests.desk import window
from tests.factories import Factory

__all__ = ["arrive"]

Broken = Callable[[], dict[str, list[str]]]


@pytest.fixture
def rows(app: Flask, make: Factory, arrive: Arrive) -> Any:
    """One of each thing that the promises are about, all in order."""
    lot = make.lot(spots=9)
    desk, other = arrive(), arrive()
    held = desk.hold(lot)
    paid = other.buy(lot, **window(13, 14))
    done = desk.buy(lot, **window(16, 17))
    make.stay(done["reservation_id"])
    report = make.report(desk.user, visits=0)
    returned = desk.buy(lot, **window(19, 20))
    with app.app_context(), transaction():
        promise_refunds(returned["reservation_id"], 50, cause="goodwill", key="goodwill:1")
        refund_id = db.session.execute(text("SELECT id FROM refunds")).scalar_one()
        db.session.add(
            Review(
                lot_id=lot.id,
                reservation_id=done["reservation_id"],
                user_id=desk.user.id,
                stars=4,
                created_at=clock.now(),
            )
        )
    return SimpleNamespace(
        lot=lot.id,
        held=held["id"],
        confirmed=paid["reservation_id"],
        completed=done["reservation_id"],
        payment=paid["id"],
        partly=returned["id"],
        refund=refund_id,
        report=report.id,
    )


@pytest.fixture
def broken(app: Flask) -> Broken:
    """Look over all promises; give the rules that are not kept, each with the rows that were named."""

    def broken() -> dict[str, list[str]]:
        with app.app_context():
            found = check_invariants()
        assert [each.error for each in found if each.error] == []
        return {each.rule: each.first for each in found if each.violations}

    return broken


@contextmanager
def unguarded(app: Flask, *tables: str) -> Iterator[None]:
    """Put tables aside for a while, and copies without any constraint, index and trigger in their places."""
    with app.app_context(), ExitStack() as stack:
        for table in tables:
            stack.enter_context(_unguarded(table))
        yield


@contextmanager
def _unguarded(table: str) -> Iterator[None]:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_kept"))
        connection.execute(text(f"CREATE TABLE {table} AS SELECT * FROM {table}_kept"))
    try:
        yield
    finally:
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {table}"))
            connection.execute(text(f"ALTER TABLE {table}_kept RENAME TO {table}"))


def test_nothing_is_found_where_all_is_in_order(broken: Broken, rows: Any) -> None:
    assert broken() == {}


def test_nothing_is_found_in_an_empty_database(broken: Broken) -> None:
    assert broken() == {}


# The rule, the tables whose guards are taken away, what is done to their rows, and what is told.
BROKEN: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    (
        "No two live claims of a bay overlap",
        ("spot_claims",),
        (
            (
                "UPDATE spot_claims SET spot_id = (SELECT min(id) FROM spots), starts_at ="
                " (SELECT starts_at FROM spot_claims WHERE reservation_id = :held) WHERE live"
            ),
        ),
        "claims ",
    ),
    (
        "No two live reservations of a plate overlap",
        ("reservations",),
        (
            (
                "UPDATE reservations SET plate = 'DDXX1', starts_at ="
                " (SELECT starts_at FROM reservations WHERE id = :held) WHERE id IN (:held, :confirmed)"
            ),
        ),
        "reservations {held} and {confirmed} of DDXX1",
    ),
    (
        "Every live reservation has a live claim",
        (),
        ("UPDATE spot_claims SET live = false WHERE reservation_id = :confirmed",),
        "reservation {confirmed}, confirmed",
    ),
    (
        "No claim lives on after its reservation",
        (),
        ("UPDATE spot_claims SET live = true WHERE reservation_id = :completed",),
        " of reservation {completed}, completed",
    ),
    (
        "A live claim covers its reservation's window",
        ("spot_claims",),
        (
            (
                "UPDATE spot_claims SET starts_at = (SELECT starts_at FROM reservations WHERE id = :held),"
                " ends_at = (SELECT ends_at FROM reservations WHERE id = :held)"
                " WHERE reservation_id = :confirmed"
            ),
        ),
        " of reservation {confirmed}",
    ),
    (
        "A claim, its bay and its reservation are of one lot",
        ("spot_claims",),
        ("UPDATE spot_claims SET lot_id = 999 WHERE reservation_id = :held",),
        "claim ",
    ),
    (
        "A reservation is live in the live states alone",
        ("reservations",),
        ("UPDATE reservations SET live = false WHERE id = :confirmed",),
        "reservation {confirmed}, confirmed",
    ),
    (
        "A reservation has an end when it is over, and none before",
        (),
        ("UPDATE reservations SET ended_at = NULL WHERE id = :completed",),
        "reservation {completed}, completed",
    ),
    (
        "A car is in once at most",
        ("stays",),
        (
            "UPDATE stays SET left_at = NULL",
            (
                "INSERT INTO stays (id, reservation_id, lot_id, spot_id, entered_at)"
                " SELECT 999, reservation_id, lot_id, spot_id, entered_at FROM stays"
            ),
        ),
        "reservation {completed}, 2 times",
    ),
    (
        "Whose car is in is checked in",
        (),
        ("UPDATE stays SET left_at = NULL",),
        "reservation {completed}, completed",
    ),
    (
        "Who was checked in has a stay, and nobody else has one",
        (),
        ("UPDATE stays SET reservation_id = :confirmed",),
        "reservation {confirmed}, confirmed",
    ),
    (
        "A booking is confirmed once it is paid",
        (),
        (
            "UPDATE payments SET status = 'failed', refunded_minor = 0 WHERE reservation_id = :confirmed",
        ),
        "reservation {confirmed}, confirmed",
    ),
    (
        "A completed stay was paid, or left a debt",
        (),
        ("UPDATE payments SET amount_minor = 1 WHERE reservation_id = :completed",),
        "reservation {completed}: 1 paid of 200, debt 0",
    ),
    (
        "Only a completed stay leaves a debt",
        (),
        ("UPDATE reservations SET debt_minor = 5 WHERE id = :confirmed",),
        "reservation {confirmed}, confirmed",
    ),
    (
        "No hold that was paid stays one, or expires with the money kept",
        (),
        (
            "UPDATE reservations SET status = 'held' WHERE id = :confirmed",
            "UPDATE reservations SET hold_expires_at = ends_at WHERE id = :confirmed",
        ),
        "reservation {confirmed}, held",
    ),
    (
        "Every movement of the books sums to zero",
        ("ledger_entries",),
        (
            (
                "UPDATE ledger_entries SET amount_minor = amount_minor + 1"
                " WHERE account = 'gateway:sandbox' AND amount_minor > 0"
            ),
        ),
        ": 1",
    ),
    (
        "Every movement of the books has two sides",
        ("ledger_entries",),
        ("DELETE FROM ledger_entries WHERE account = 'gateway:sandbox'",),
        "movement ",
    ),
    (
        "Payments less refunds are the balance of the books",
        ("ledger_entries", "ledger_transactions"),
        (
            (
                "DELETE FROM ledger_entries WHERE transaction_id IN"
                " (SELECT id FROM ledger_transactions WHERE reservation_id = :confirmed)"
            ),
            "DELETE FROM ledger_transactions WHERE reservation_id = :confirmed",
        ),
        "reservation {confirmed}: 200 paid, 0 back, 0 booked",
    ),
    (
        "What the books owe to drivers is what was promised and not sent",
        ("ledger_entries",),
        (
            (
                "UPDATE ledger_entries SET amount_minor = amount_minor - 7"
                " WHERE account = 'refunds_payable'"
            ),
        ),
        "57 booked, 50 promised",
    ),
    (
        "A payment knows its refunds, and they are no more than it",
        (),
        ("UPDATE payments SET refunded_minor = 60 WHERE id = :partly",),
        "payment {partly}, partially_refunded: 60 of 200, 50 back",
    ),
    (
        "A payment knows its refunds, and they are no more than it",
        (),
        ("UPDATE payments SET status = 'refunded' WHERE id = :partly",),
        "payment {partly}, refunded: 50 of 200, 50 back",
    ),
    (
        "A payment knows its refunds, and they are no more than it",
        ("payments",),
        (
            "UPDATE payments SET refunded_minor = 300 WHERE id = :partly",
            "UPDATE refunds SET amount_minor = 300",
        ),
        "payment {partly}, partially_refunded: 300 of 200, 300 back",
    ),
    (
        "What was paid, promised back or sent back stands in the books",
        ("ledger_transactions",),
        ("UPDATE ledger_transactions SET key = 'x' WHERE key = 'payment:' || :payment",),
        "payment {payment}",
    ),
    (
        "What was paid, promised back or sent back stands in the books",
        (),
        ("UPDATE refunds SET status = 'succeeded'",),
        "sending of refund {refund}",
    ),
    (
        "What was paid, promised back or sent back stands in the books",
        ("ledger_transactions",),
        ("UPDATE ledger_transactions SET key = 'x' WHERE kind = 'refund_promised'",),
        "promise of refund {refund}",
    ),
    (
        "Every payment that had a use has a receipt",
        (),
        ("DELETE FROM receipts WHERE payment_id = :payment",),
        "payment {payment}",
    ),
    (
        "Every refund of a payment with a receipt has a credit note",
        (),
        ("DELETE FROM credit_notes",),
        "refund {refund}",
    ),
    (
        "Receipts and credit notes are numbered without gaps",
        (),
        ("DELETE FROM receipts WHERE payment_id = :payment",),
        "2 documents, the last is 3, 3 were counted",
    ),
    (
        "Receipts and credit notes are numbered without gaps",
        (),
        ("UPDATE document_counters SET last_number = 4 WHERE series = 'C'",),
        "1 documents, the last is 1, 4 were counted",
    ),
    (
        "Receipts and credit notes are numbered without gaps",
        (),
        ("UPDATE receipts SET number = 7 WHERE payment_id = :payment",),
        "3 documents, the last is 7, 3 were counted",
    ),
    (
        "A reservation costs what its quote says",
        (),
        ("UPDATE reservations SET price_minor = 1 WHERE id = :confirmed",),
        "reservation {confirmed}: 1, quoted 200",
    ),
    (
        "Prices replay to the same lines",
        (),
        (
            "UPDATE tariff_increments SET amount_minor = 900",
            "UPDATE tariffs SET created_at = published_at",
        ),
        "reservation {confirmed}, quote ",
    ),
    (
        "One mail at most for each key",
        ("outbox_mails",),
        ("UPDATE outbox_mails SET key = 'ticket:1'",),
        "mails ticket:1",
    ),
    (
        "Mail that was sent says when; what is over keeps no secret",
        (),
        ("UPDATE outbox_mails SET status = 'sent', sent_at = NULL",),
        ", sent",
    ),
    (
        "One report at most for each person and month, and one of the operator's for each month",
        ("reports",),
        (
            (
                "INSERT INTO reports (id, key, audience, user_id, month)"
                " SELECT 999, 'again', audience, user_id, month FROM reports"
            ),
        ),
        "2 reports of ",
    ),
    (
        (
            "A report has its summary and both files when it is ready, and no file before;"
            " one that failed says why"
        ),
        (),
        ("DELETE FROM report_files WHERE format = 'pdf'",),
        "report {report}, ready, 1 files",
    ),
    (
        "Reports say what gathering the month again gives",
        (),
        ("""UPDATE reports SET facts = '{"visits": 7, "minutes": 0, "money": []}'""",),
        "report {report}: [7, 0], recounted [0, 0]",
    ),
    (
        "Nobody is reminded of a booking that is over",
        (),
        (
            (
                "INSERT INTO reminders (key, kind, user_id, reservation_id, moment, at)"
                " SELECT 'end_soon:late', 'end_soon', user_id, id, ends_at, '2099-01-01 00:00:00+00:00'"
                " FROM reservations WHERE id = :completed"
            ),
        ),
        "reminder end_soon:late",
    ),
]


@pytest.mark.parametrize(
    ("rule", "tables", "acts", "told"),
    BROKEN,
    ids=[f"{n}: {each[0]}" for n, each in enumerate(BROKEN)],
)
def test_what_is_broken_on_purpose_is_found(
    app: Flask,
    broken: Broken,
    rows: Any,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    tables: tuple[str, ...],
    acts: tuple[str, ...],
    told: str,
) -> None:
    # Versions of tariffs are read once in a process, since none is ever changed.
    monkeypatch.setattr("backend.tariffs.versions._remembered", {})
    with unguarded(app, *tables):
        with db.engine.begin() as connection:
            for act in acts:
                names = {name for name in vars(rows) if f":{name}" in act}
                connection.execute(text(act), {name: getattr(rows, name) for name in names})
        found = broken()
    assert rule in found
    assert any(told.format(**vars(rows)) in row for row in found[rule]), found[rule]


def test_every_rule_is_broken_on_purpose_here() -> None:
    all_of_them = {each.rule for each in BREACHES} | {each.rule for each in recounts.RECOUNTS}
    elsewhere = {
        "Counts of bays are what counting them gives",
        "Ratings are what adding up the reviews gives",
    }
    assert {rule for rule, *_ in BROKEN} | elsewhere == all_of_them


class TestCounts:
    """P6: what is shown is compared with another way of counting."""

    def test_a_wrong_count_of_bays_is_found(
        self, broken: Broken, rows: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted = availability.count_free

        def miscount(lot_ids: Any, **window: Any) -> Any:
            window["ends_at"] += timedelta(days=3)
            return counted(lot_ids, **window)

        monkeypatch.setattr(recounts, "count_free", miscount)
        (told,) = broken()["Counts of bays are what counting them gives"]
        assert told == (f"lot {rows.lot}: {{'standard': (9, 8)}}, recounted {{'standard': (9, 9)}}")

    def test_a_wrong_rating_is_found(
        self, broken: Broken, rows: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recounts, "read_ratings", lambda _ids: {rows.lot: ratings.Rating(2, 9)})
        assert broken() == {
            "Ratings are what adding up the reviews gives": [
                f"lot {rows.lot}: (2, 9), recounted (1, 4)"
            ]
        }

    def test_what_changes_between_two_looks_is_no_mistake(
        self, broken: Broken, rows: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([{rows.lot: ratings.Rating(2, 9)}])
        read = ratings.read_ratings
        monkeypatch.setattr(recounts, "read_ratings", lambda ids: next(answers, None) or read(ids))
        assert broken() == {}

    def test_other_rows_are_sampled_each_hour(
        self,
        app: Flask,
        make: Factory,
        monkeypatch: pytest.MonkeyPatch,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        lots = [make.lot(spots=1).id for _ in range(5)]
        seen: set[int] = set()
        for hour in range(10):
            move_clock(timedelta(hours=hour))
            with app.app_context(), transaction(read_only=True):
                sample = recounts._sample(Lot.id, 2)
            assert len(set(sample)) == 2
            seen |= set(sample)
        assert seen == set(lots)


class TestPrices:
    def test_those_from_before_a_lot_got_another_zone_are_left_out(
        self, app: Flask, broken: Broken, rows: Any, make: Factory
    ) -> None:
        with app.app_context(), transaction():
            db.session.execute(update(Quote).values(lines=[{"kind": "parking", "amount_minor": 1}]))
        assert "Prices replay to the same lines" in broken()
        with app.app_context(), transaction():
            db.session.add(
                AuditEntry(
                    at=clock.now(),
                    action="lot.updated",
                    subject="lot",
                    subject_id=rows.lot,
                    after={"timezone": "Asia/Kolkata"},
                )
            )
        assert broken() == {}


class TestOneThatFails:
    @pytest.fixture
    def poisoned(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Let one look meet a fault."""

        def fail() -> Iterator[str]:
            raise RuntimeError("poison")

        first, *others = recounts.RECOUNTS
        monkeypatch.setattr(
            invariants,
            "RECOUNTS",
            (recounts.Recount(first.promise, first.rule, fail), *others),
        )
        return first.rule

    def test_costs_itself_alone(self, app: Flask, rows: Any, poisoned: str) -> None:
        with app.app_context(), transaction():
            db.session.execute(
                update(Reservation).where(Reservation.id == rows.confirmed).values(debt_minor=5)
            )
        with app.app_context():
            found = {each.rule: each for each in check_invariants()}
        assert found[poisoned].error == "RuntimeError: poison"
        assert not found[poisoned].is_clean
        assert found["Only a completed stay leaves a debt"].violations == 1
        assert len(found) == len(BREACHES) + len(recounts.RECOUNTS)

    def test_is_told_and_fails_the_command(self, app: Flask, poisoned: str) -> None:
        ran = app.test_cli_runner().invoke(args=["check-invariants"])
        assert ran.exit_code == 1
        assert "P6   unknown    " + poisoned in ran.output
        assert "     RuntimeError: poison" in ran.output


class TestMany:
    def test_ten_are_named_and_all_are_counted(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with app.app_context(), transaction():
            for number in range(12):
                queue_mail("ticket", "x@example.org", key=f"k{number}", context={})
            db.session.execute(update(OutboxMail).values(status="sent"))
        found = self.look(app)
        assert (found.violations, len(found.first)) == (12, 10)
        monkeypatch.setattr(invariants, "MOST_COUNTED", 11)
        assert self.look(app).violations == 11

    def look(self, app: Flask) -> Finding:
        with app.app_context():
            (found,) = (each for each in check_invariants() if each.violations)
        return found


class TestCommand:
    def test_it_succeeds_where_all_is_kept(self, app: Flask, rows: Any) -> None:
        ran = app.test_cli_runner().invoke(args=["check-invariants"])
        assert ran.exit_code == 0, ran.output
        *table, last = ran.output.splitlines()
        count = len(BREACHES) + len(recounts.RECOUNTS)
        assert last == f"{count} rules looked at, 0 not kept."
        assert len(table) == count
        promises = [line.split()[0] for line in table]
        assert sorted(set(promises), key=promises.index) == [
            *("P1", "P2", "P6", "P7", "P12", "P13")
        ]
        assert table[0] == "P1   kept       No two live claims of a bay overlap"

    def test_it_fails_where_one_is_broken_and_names_the_rows(self, app: Flask, rows: Any) -> None:
        with app.app_context(), transaction():
            db.session.execute(
                update(Reservation).where(Reservation.id == rows.confirmed).values(debt_minor=5)
            )
        ran = app.test_cli_runner().invoke(args=["check-invariants"])
        assert ran.exit_code == 1
        lines = ran.output.splitlines()
        at = lines.index("P2   1 broken   Only a completed stay leaves a debt")
        assert lines[at + 1] == f"     reservation {rows.confirmed}, confirmed"
        assert lines[-1].endswith("1 not kept.")


def test_a_booking_that_was_moved_in_the_midst_of_its_window_stands_from_then_on(
    app: Flask, rows: Any
) -> None:
    with app.app_context(), transaction():
        moved_at = db.session.get_one(Reservation, rows.confirmed).starts_at + timedelta(minutes=9)
        db.session.execute(
            update(SpotClaim)
            .where(SpotClaim.reservation_id == rows.confirmed)
            .values(starts_at=moved_at)
        )
    with app.app_context():
        assert _broken() == {"A live claim covers its reservation's window"}
    with app.app_context(), transaction():
        db.session.add(
            ReservationEvent(
                reservation_id=rows.confirmed, at=moved_at, kind="moved", facts={}, actor_id=None
            )
        )
    with app.app_context():
        assert _broken() == set()


def _broken() -> set[str]:
    return {each.rule for each in check_invariants() if each.violations}


class TestResult:
    def test_it_is_shown_to_admins(
        self, app: Flask, client: FlaskClient, as_admin: dict[str, str], rows: Any
    ) -> None:
        path = "/api/v1/system/invariants"
        assert client.get(path, headers=as_admin).status_code == 404
        with app.app_context():
            check_by_beat()
        shown = client.get(path, headers=as_admin).json
        assert shown["violations"] == 0
        assert len(shown["findings"]) == len(BREACHES) + len(recounts.RECOUNTS)
        with app.app_context(), transaction():
            db.session.execute(
                update(Reservation).where(Reservation.id == rows.confirmed).values(debt_minor=5)
            )
        with app.app_context():
            check_by_beat()
        shown = client.get(path, headers=as_admin).json
        assert shown["violations"] == 1
        (finding,) = (each for each in shown["findings"] if each["violations"])
        assert finding == {
            "promise": "P2",
            "rule": "Only a completed stay leaves a debt",
            "violations": 1,
            "first": [f"reservation {rows.confirmed}, confirmed"],
            "error": None,
        }

    def test_it_is_kept_for_thirty_days(
        self, app: Flask, move_clock: Callable[[timedelta], None]
    ) -> None:
        for days in (0, 29, 31):
            move_clock(timedelta(days=days))
            with app.app_context():
                check_invariants()
        with app.app_context(), transaction(read_only=True):
            assert db.session.scalar(select(func.count()).select_from(InvariantRun)) == 2

    def test_beat_looks_every_hour(self) -> None:
        (entry,) = (each for each in SCHEDULE.values() if each["task"] == check_by_beat.name)
        assert (entry["schedule"].minute, len(entry["schedule"].hour)) == ({3}, 24)


def test_a_look_takes_no_lock_and_writes_nothing_but_its_result(
    app: Flask, rows: Any, statements: Any
) -> None:
    with statements() as asked, app.app_context():
        check_invariants()
    writing = [each for each in asked if not each.lstrip().startswith(("SELECT", "WITH"))]
    assert [each.split()[:3] for each in writing] == [
        ["DELETE", "FROM", "invariant_runs"],
        ["INSERT", "INTO", "invariant_runs"],
    ]
    assert not any("FOR UPDATE" in each or "FOR SHARE" in each for each in asked)
