"""Links to files: one use, one minute, no token, and only for who may fetch the file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from backend import clock, config
from backend.config import Settings
from backend.extensions import db
from backend.models import Report, ReportFile, User
from backend.transaction import transaction
from tests.desk import problem
from tests.exports.conftest import Office
from tests.factories import Factory
from tests.servers import free_port

Headers = dict[str, str]
MakeReport = Callable[..., int]
PATH = "/api/v1/downloads"


@pytest.fixture
def job_id(app: Flask, office: Office) -> int:
    """An export of the admin's that is there."""
    office.fetch("lots")
    listed = office.client.get("/api/v1/exports", headers=office.headers).json
    return int(listed["items"][0]["id"])


@pytest.fixture
def make_report(app: Flask) -> MakeReport:
    """Make a report of a driver, or of the operator, with a file."""

    def make_report(owner: User | None, status: str = "ready") -> int:
        with app.app_context(), transaction():
            moment = clock.now()
            report = Report(
                key=f"tests:{owner and owner.id}",
                audience="operator" if owner is None else "driver",
                user_id=owner and owner.id,
                month=date(2026, 10, 1),
                timezone="Europe/Berlin",
                locale="en",
                status=status,
                created_at=moment,
                next_attempt_at=moment,
            )
            db.session.add(report)
            db.session.flush()  # gives the id that its file refers to
            db.session.add(ReportFile(report_id=report.id, format="pdf", content=b"%PDF-report"))
            return report.id

    return make_report


class TestJobs:
    def test_a_link_gives_the_file_once_and_without_a_token(
        self, client: FlaskClient, office: Office, settings: Settings, job_id: int
    ) -> None:
        link = client.post(PATH, json={"job_id": job_id}, headers=office.headers)
        assert link.status_code == 201, link.text
        ends_at = datetime.fromisoformat(link.json["expires_at"])
        assert ends_at - clock.now() <= timedelta(minutes=1)
        with redis.Redis.from_url(settings.redis_url) as valkey:
            (key,) = valkey.keys("downloads:*")
            assert 0 < int(valkey.ttl(key)) <= 60
            # Whoever reads Valkey fetches nothing by it.
            assert link.json["url"].rpartition("/")[2] not in str(key, "utf-8")
        direct = client.get(f"/api/v1/jobs/{job_id}/result", headers=office.headers)
        answer = client.get(link.json["url"])
        assert answer.data == direct.data
        assert answer.mimetype == "text/csv"
        assert answer.headers["Content-Disposition"] == direct.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert problem(client.get(link.json["url"])) == "404 not-found"

    def test_anothers_file_looks_absent(
        self, client: FlaskClient, make: Factory, job_id: int
    ) -> None:
        another = make.headers(make.user(roles=("admin",)))
        for wanted in (job_id, 999999):
            answer = client.post(PATH, json={"job_id": wanted}, headers=another)
            assert problem(answer) == "404 not-found"

    def test_it_ends_with_the_sign_in(
        self, client: FlaskClient, office: Office, job_id: int
    ) -> None:
        link = client.post(PATH, json={"job_id": job_id}, headers=office.headers).json
        out = client.post("/api/v1/auth/logout", json={}, headers=office.headers)
        assert out.status_code == 204
        assert problem(client.get(link["url"])) == "404 not-found"

    def test_it_ends_with_the_role(
        self, app: Flask, client: FlaskClient, office: Office, admin: User, job_id: int
    ) -> None:
        link = client.post(PATH, json={"job_id": job_id}, headers=office.headers).json
        with app.app_context(), transaction():
            db.session.get_one(User, admin.id).epoch += 1
        assert problem(client.get(link["url"])) == "404 not-found"

    @pytest.mark.parametrize("without", ["", "redis://127.0.0.1:{port}/0"])
    def test_without_valkey_it_says_when_to_come_back(
        self,
        client: FlaskClient,
        office: Office,
        settings: Settings,
        job_id: int,
        monkeypatch: pytest.MonkeyPatch,
        without: str,
    ) -> None:
        link = client.post(PATH, json={"job_id": job_id}, headers=office.headers).json
        changed = replace(settings, redis_url=without.format(port=free_port()))
        monkeypatch.setattr(config, "_current", changed)
        asked = client.post(PATH, json={"job_id": job_id}, headers=office.headers)
        for answer in (asked, client.get(link["url"])):
            assert problem(answer) == "503 service-unavailable"
            assert answer.headers["Retry-After"] == "5"


class TestReports:
    def test_a_driver_gets_their_own(
        self,
        client: FlaskClient,
        make: Factory,
        driver: User,
        as_driver: Headers,
        as_admin: Headers,
        make_report: MakeReport,
    ) -> None:
        wanted = {"report_id": make_report(driver), "format": "pdf"}
        for headers in (as_admin, make.headers(make.user())):
            assert problem(client.post(PATH, json=wanted, headers=headers)) == "404 not-found"
        link = client.post(PATH, json=wanted, headers=as_driver).json
        answer = client.get(link["url"])
        assert (answer.data, answer.mimetype) == (b"%PDF-report", "application/pdf")
        assert 'filename="report-2026-10.pdf"' in answer.headers["Content-Disposition"]

    def test_an_admin_gets_the_operators(
        self,
        client: FlaskClient,
        as_driver: Headers,
        as_admin: Headers,
        make_report: MakeReport,
    ) -> None:
        wanted = {"report_id": make_report(None), "format": "pdf"}
        assert problem(client.post(PATH, json=wanted, headers=as_driver)) == "404 not-found"
        link = client.post(PATH, json=wanted, headers=as_admin).json
        assert client.get(link["url"]).data == b"%PDF-report"

    def test_one_that_is_not_made_yet_is_not_there(
        self, client: FlaskClient, driver: User, as_driver: Headers, make_report: MakeReport
    ) -> None:
        wanted = {"report_id": make_report(driver, status="queued"), "format": "pdf"}
        answer = client.post(PATH, json=wanted, headers=as_driver)
        assert problem(answer) == "409 report-not-ready"


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"job_id": 1, "report_id": 1, "format": "pdf"},
        {"report_id": 1},
        {"job_id": 1, "format": "pdf"},
        {"report_id": 1, "format": "csv"},
    ],
)
def test_what_makes_no_sense_is_refused(
    client: FlaskClient, as_driver: Headers, wanted: dict[str, object]
) -> None:
    assert problem(client.post(PATH, json=wanted, headers=as_driver)) == "422 invalid-input"
