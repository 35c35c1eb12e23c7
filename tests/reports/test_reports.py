"""Reports over HTTP: whose they are, fetching them, and having them mailed again."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend.extensions import db
from backend.models import OutboxMail, Report, ReportFile, User
from backend.transaction import transaction
from tests.factories import Factory

Headers = dict[str, str]


def ask(client: FlaskClient, headers: Headers, query: str = "") -> Any:
    answer = client.get(f"/api/v1/reports{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


class TestListing:
    def test_nobody_has_any_at_first(self, client: FlaskClient, as_driver: Headers) -> None:
        assert ask(client, as_driver)["items"] == []

    def test_ones_own_the_newest_first(
        self, client: FlaskClient, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        for month in (2, 1, 3):
            make.report(driver, date(2026, month, 1))
        make.report(make.user())
        make.report(None)
        first = ask(client, as_driver, "?limit=2")
        assert [each["month"] for each in first["items"]] == ["2026-03", "2026-02"]
        rest = ask(client, as_driver, f"?limit=2&cursor={first['next_cursor']}")
        assert [each["month"] for each in rest["items"]] == ["2026-01"]
        assert rest["next_cursor"] is None
        (last,) = rest["items"]
        assert last["facts"]["visits"] == 1
        assert last["facts"]["money"][0]["spent_minor"] == 200
        assert last["files"] == ["pdf", "xlsx"]

    def test_the_operators_are_for_admins(
        self, client: FlaskClient, make: Factory, as_driver: Headers, as_admin: Headers
    ) -> None:
        make.report(None)
        found = ask(client, as_admin, "?audience=operator")["items"]
        assert [each["audience"] for each in found] == ["operator"]
        refused = client.get("/api/v1/reports?audience=operator", headers=as_driver)
        assert refused.status_code == 403

    @pytest.mark.parametrize("cursor", ["x", "WyJ4IiwxXQ"])
    def test_a_strange_cursor_is_refused(
        self, client: FlaskClient, as_driver: Headers, cursor: str
    ) -> None:
        answer = client.get(f"/api/v1/reports?cursor={cursor}", headers=as_driver)
        assert answer.status_code == 422


class TestFiles:
    def test_both_files(
        self, client: FlaskClient, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        report = make.report(driver)
        pdf = client.get(f"/api/v1/reports/{report.id}.pdf", headers=as_driver)
        assert (pdf.status_code, pdf.mimetype, pdf.data) == (200, "application/pdf", b"%PDF-1.7")
        assert "report-2026-01.pdf" in pdf.headers["Content-Disposition"]
        xlsx = client.get(f"/api/v1/reports/{report.id}.xlsx", headers=as_driver)
        assert (xlsx.status_code, xlsx.data) == (200, b"PK")

    def test_anothers_looks_absent(
        self,
        client: FlaskClient,
        make: Factory,
        as_driver: Headers,
        as_admin: Headers,
    ) -> None:
        theirs, operators = make.report(make.user()), make.report(None)
        for headers, report in (
            (as_driver, theirs),
            (as_driver, operators),
            # What a driver spent where is not the operator's to read here.
            (as_admin, theirs),
        ):
            answer = client.get(f"/api/v1/reports/{report.id}.pdf", headers=headers)
            assert answer.status_code == 404
        mine = client.get(f"/api/v1/reports/{operators.id}.xlsx", headers=as_admin)
        assert "operator-report-2026-01.xlsx" in mine.headers["Content-Disposition"]

    @pytest.mark.parametrize("status", ["queued", "running", "failed"])
    def test_one_that_is_not_ready(
        self,
        app: Flask,
        client: FlaskClient,
        make: Factory,
        driver: User,
        as_driver: Headers,
        status: str,
    ) -> None:
        report = make.report(driver)
        with app.app_context(), transaction():
            db.session.execute(update(Report).values(status=status))
        (listed,) = ask(client, as_driver)["items"]
        assert (listed["status"], listed["facts"], listed["files"]) == (status, None, [])
        for method, path in (("GET", ".pdf"), ("GET", ".xlsx"), ("POST", "/send")):
            answer = client.open(
                f"/api/v1/reports/{report.id}{path}", method=method, headers=as_driver
            )
            assert answer.status_code == 409
            assert answer.json["type"] == "/problems/report-not-ready"


class TestSendingAgain:
    def test_it_is_mailed_and_not_without_end(
        self, app: Flask, client: FlaskClient, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        report = make.report(driver)
        path = f"/api/v1/reports/{report.id}/send"
        for number in range(1, 6):
            answer = client.post(path, headers=as_driver)
            assert (answer.status_code, answer.json["sent_count"]) == (200, number)
        answer = client.post(path, headers=as_driver)
        assert (answer.status_code, answer.json["type"]) == (409, "/problems/sent-often")
        with app.app_context(), transaction(read_only=True):
            mails = db.session.scalars(select(OutboxMail)).all()
        assert [mail.to_address for mail in mails] == [driver.email] * 5
        assert {mail.template for mail in mails} == {"monthly-report"}
        assert mails[0].context["month"] == "January 2026"

    def test_an_admin_gets_the_operators(
        self, app: Flask, client: FlaskClient, make: Factory, admin: User, as_admin: Headers
    ) -> None:
        report = make.report(None)
        answer = client.post(f"/api/v1/reports/{report.id}/send", headers=as_admin)
        assert answer.status_code == 200
        with app.app_context(), transaction(read_only=True):
            (mail,) = db.session.scalars(select(OutboxMail)).all()
        assert (mail.to_address, mail.template) == (admin.email, "operator-report")


class TestClosedAccounts:
    def test_reports_go_with_the_account(
        self, app: Flask, client: FlaskClient, make: Factory, driver: User, as_driver: Headers
    ) -> None:
        make.report(driver)
        kept = make.report(make.user())
        assert client.delete("/api/v1/me", headers=as_driver).status_code == 204
        with app.app_context(), transaction(read_only=True):
            assert list(db.session.scalars(select(Report.id))) == [kept.id]
            assert set(db.session.scalars(select(ReportFile.report_id))) == {kept.id}
