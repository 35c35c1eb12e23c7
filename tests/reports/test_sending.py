"""``flask send-reports`` makes and mails a month that is over, once, and says what it could not."""

from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from backend.extensions import db
from backend.models import OutboxMail, Receipt
from backend.transaction import transaction
from tests.counter import Arrive
from tests.factories import Factory
from tests.reports.conftest import Park, Read, Travel


def send(app: Flask, *more: str) -> Result:
    return app.test_cli_runner().invoke(args=["send-reports", "--month", *more])


def addresses(app: Flask) -> list[str]:
    with app.app_context(), transaction(read_only=True):
        return sorted(
            db.session.scalars(
                select(OutboxMail.to_address).where(OutboxMail.template == "monthly-report")
            )
        )


class TestSendReports:
    def test_all_of_a_month_and_only_once(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel
    ) -> None:
        first, second, lot = arrive(), arrive(), make.lot()
        park(first, lot, "2026-10-14T12:00")
        park(second, lot, "2026-10-14T13:00")
        travel("2026-11-20T12:00")
        ran = send(app, "2026-10")
        assert ran.exit_code == 0, ran.output
        assert ran.output == "3 made and mailed, 0 were there before, 0 wait.\n"
        assert addresses(app) == sorted([first.user.email, second.user.email])
        ran = send(app, "2026-10")
        assert ran.output == "0 made and mailed, 3 were there before, 0 wait.\n"
        assert len(addresses(app)) == 2

    def test_one_driver(
        self,
        app: Flask,
        make: Factory,
        arrive: Arrive,
        park: Park,
        travel: Travel,
        reports: Read,
    ) -> None:
        first, second, lot = arrive(), arrive(), make.lot()
        park(first, lot, "2026-06-14T12:00")
        park(second, lot, "2026-06-14T13:00")
        travel("2026-11-20T12:00")
        # Long past what is made up by itself.
        ran = send(app, "2026-06", "--user", second.user.email.upper())
        assert (ran.exit_code, ran.output) == (
            *(0, "1 made and mailed, 0 were there before, 0 wait.\n"),
        )
        assert [report.key for report in reports()] == [f"driver:{second.user.id}:2026-06"]
        assert send(app, "2026-06", "--user", "nobody@example.org").exit_code == 1

    def test_a_month_that_is_not_over_has_none(
        self,
        app: Flask,
        make: Factory,
        arrive: Arrive,
        park: Park,
        travel: Travel,
        reports: Read,
    ) -> None:
        park(arrive(), make.lot(), "2026-10-14T12:00")
        travel("2026-10-31T22:59")
        ran = send(app, "2026-10")
        assert ran.output == "0 made and mailed, 0 were there before, 0 wait.\n"
        assert reports() == []

    def test_one_that_cannot_be_made_is_named(
        self, app: Flask, make: Factory, arrive: Arrive, park: Park, travel: Travel
    ) -> None:
        spoilt, other, lot = arrive(), arrive(), make.lot()
        park(spoilt, lot, "2026-10-14T12:00")
        park(other, lot, "2026-10-14T13:00")
        with app.app_context(), transaction():
            receipt: Any = db.session.scalars(select(Receipt).order_by(Receipt.id)).first()
            receipt.content = {**receipt.content, "taxes": [{"name": "VAT"}]}
        travel("2026-11-20T12:00")
        ran = send(app, "2026-10")
        assert ran.exit_code == 1
        assert "2 made and mailed" not in ran.output
        assert f"driver:{spoilt.user.id}:2026-10: KeyError in backend.reports" in ran.output
        assert addresses(app) == [other.user.email]
