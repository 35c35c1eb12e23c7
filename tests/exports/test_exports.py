"""Exports: what is in them, who may have them, one at a time, and safe to open."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from backend import clock
from backend.audit.service import record
from backend.config import Settings
from backend.exports import cells, making, writing
from backend.exports.kinds import KINDS
from backend.extensions import db
from backend.jobs import service as jobs
from backend.models import AuditEntry, Job, JobFilePart, Lot, User
from backend.transaction import transaction
from tests.counter import Arrive, ReadMail
from tests.desk import Desk, problem
from tests.exports.conftest import Office, read_csv
from tests.factories import Factory
from tests.nasty import NASTY

_BERLIN = ZoneInfo("Europe/Berlin")


class TestAsk:
    def test_it_is_a_job_that_says_what_was_asked_for(self, office: Office) -> None:
        asked = office.ask("users", "xlsx", filters={"role": "driver"})
        assert asked.status_code == 202
        assert (asked.json["kind"], asked.json["status"], asked.json["size"]) == (
            "export-users",
            "queued",
            None,
        )
        assert asked.json["params"] == {
            "format": "xlsx",
            "from": None,
            "to": None,
            "filters": {"role": "driver"},
        }

    def test_of_a_kind_one_is_under_way(self, office: Office) -> None:
        first = office.ask("users").json["id"]
        assert office.ask("users").json["id"] == first
        other = office.ask("users", "xlsx")
        assert problem(other) == "409 export-under-way"
        assert other.json["job_id"] == first
        assert office.ask("lots").status_code == 202
        cancelled = office.client.post(f"/api/v1/jobs/{first}/cancel", headers=office.headers)
        assert cancelled.status_code == 200
        assert office.ask("users", "xlsx").status_code == 202

    def test_each_admin_has_their_own(self, office: Office, make: Factory) -> None:
        another = make.headers(make.user(roles=("admin",)))
        first = office.ask("users").json["id"]
        second = office.client.post(
            "/api/v1/exports", json={"kind": "users", "format": "xlsx"}, headers=another
        )
        assert second.status_code == 202
        listed = office.client.get("/api/v1/exports", headers=office.headers).json
        assert [each["id"] for each in listed["items"]] == [first]

    @pytest.mark.parametrize(
        ("wishes", "where"),
        [
            ({"kind": "tariffs"}, "kind"),
            ({"kind": "users", "format": "pdf"}, "format"),
            ({"kind": "users", "filters": {"status": "held"}}, "filters"),
            ({"kind": "reservations", "filters": {"status": "succeeded"}}, "filters"),
            ({"kind": "ledger", "filters": {"account": "pocket"}}, "filters"),
            ({"kind": "users", "filters": {"colour": "red"}}, "filters"),
            (
                {"kind": "audit", "from": "2026-10-01T00:00:00Z", "to": "2026-09-01T00:00:00Z"},
                "to",
            ),
            ({"kind": "audit", "from": "2026-10-01"}, "from"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, office: Office, wishes: dict[str, Any], where: str
    ) -> None:
        answer = office.client.post(
            "/api/v1/exports", json={"format": "csv", **wishes}, headers=office.headers
        )
        assert problem(answer) == "422 invalid-input"
        assert all(name.startswith(where) for name in answer.json["errors"])

    def test_it_stands_in_the_audit_log_without_names(self, app: Flask, office: Office) -> None:
        job_id = office.ask("users", filters={"q": "Ada", "active": True}).json["id"]
        with app.app_context(), transaction(read_only=True):
            entry = db.session.scalars(
                select(AuditEntry).where(AuditEntry.action == "export.asked")
            ).one()
        assert (entry.subject, entry.subject_id) == ("export", job_id)
        assert entry.after == {
            "kind": "users",
            "format": "csv",
            "from": None,
            "to": None,
            "filters": {"q": "…", "active": True},
        }

    def test_a_mail_says_that_it_is_there(
        self, office: Office, admin: User, read_mail: ReadMail
    ) -> None:
        office.fetch("lots")
        (mail,) = read_mail()
        assert mail["To"] == admin.email
        assert f"lots-{clock.now().astimezone(_BERLIN):%Y-%m-%d}.csv" in mail["Subject"]

    def test_who_is_no_admin_any_more_fetches_nothing(
        self, app: Flask, office: Office, admin: User, make: Factory
    ) -> None:
        office.fetch("users")
        job_id = office.client.get("/api/v1/exports", headers=office.headers).json["items"][0]["id"]
        with app.app_context(), transaction():
            user = db.session.scalars(
                select(User).where(User.id == admin.id).options(selectinload(User.roles))
            ).one()
            user.roles = [role for role in user.roles if role.name != "admin"]
            user.epoch += 1
        headers = make.headers(admin)
        for answer in (
            office.client.get(f"/api/v1/jobs/{job_id}/result", headers=headers),
            office.client.post("/api/v1/downloads", json={"job_id": job_id}, headers=headers),
        ):
            assert problem(answer) == "404 not-found"

    def test_ones_own_are_listed_newest_first(self, office: Office) -> None:
        ids = [office.ask(kind).json["id"] for kind in KINDS]
        pages: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            query = f"?limit=4&cursor={cursor}" if cursor else "?limit=4"
            page = office.client.get(f"/api/v1/exports{query}", headers=office.headers).json
            pages += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert pages == ids[::-1]


class TestRows:
    def test_bookings_with_their_money(self, office: Office, arrive: Arrive, make: Factory) -> None:
        lot = make.lot(name="Altmarkt")
        person = make.user(name="Zoë Ünal")
        desk = arrive(user=person, plate="DDZ1")
        booking = desk.own(lot)
        desk.cancel(booking)
        desk.hold(lot)
        first, second = office.rows("reservations")
        assert (first["Booking"], first["Status"], first["Car park"], first["Bay"]) == (
            booking["code"],
            "cancelled",
            "Altmarkt",
            booking["spot"]["label"],
        )
        assert (first["Plate"], first["Driver"]) == ("DDZ1", "Zoë Ünal")
        assert (first["Price"], first["Paid"], first["Refunded"], first["Currency"]) == (
            "4.00",
            "4.00",
            "4.00",
            "EUR",
        )
        starts_at = datetime.fromisoformat(first["From"])
        assert starts_at == datetime.fromisoformat(booking["starts_at"])
        assert starts_at.utcoffset() == starts_at.astimezone(_BERLIN).utcoffset()
        assert (second["Status"], second["Paid"], second["Ended"]) == ("held", "0.00", "")

    def test_bookings_as_their_list_is_narrowed(
        self,
        office: Office,
        desk: Desk,
        arrive: Arrive,
        make: Factory,
        move_clock: Callable[[timedelta], None],
    ) -> None:
        lot, other = make.lot(), make.lot()
        kept = desk.own(lot)
        elsewhere = arrive().hold(other)

        def codes(**wishes: Any) -> list[str]:
            return [row["Booking"] for row in office.rows("reservations", **wishes)]

        both, mine, theirs = [kept["code"], elsewhere["code"]], [kept["code"]], [elsewhere["code"]]
        assert codes() == both
        assert codes(filters={"lot_id": lot.id}) == mine
        assert codes(filters={"user_id": desk.user.id}) == mine
        assert codes(filters={"plate": desk.vehicle.plate}) == mine
        assert codes(filters={"code": elsewhere["code"]}) == theirs
        assert codes(filters={"status": "held"}) == theirs
        assert codes(filters={"when": "upcoming"}) == both
        assert codes(filters={"when": "past"}) == []
        assert codes(**{"from": kept["ends_at"]}) == []
        assert codes(to=kept["starts_at"]) == []
        assert codes(**{"from": kept["starts_at"], "to": kept["ends_at"]}) == both
        # A hold past its deadline is expired for everybody who looks.
        move_clock(timedelta(minutes=11))
        again = Office(office.app, office.client, make.headers(make.user(roles=("admin",))))
        (row,) = again.rows("reservations", filters={"status": "expired"})
        assert (row["Booking"], row["Status"]) == (elsewhere["code"], "expired")
        assert again.rows("reservations", filters={"status": "held"}) == []

    def test_payments_and_the_books(self, office: Office, desk: Desk, lot: Lot) -> None:
        paid = desk.buy(lot)
        booking = desk.look({"id": paid["reservation_id"]})
        (row,) = office.rows("payments", filters={"status": "succeeded", "method": "sandbox"})
        assert (row["Payment"], row["Booking"], row["Amount"], row["Currency"]) == (
            str(paid["id"]),
            booking["code"],
            "4.00",
            "EUR",
        )
        assert row["Receipt"] == paid["receipt_number"]
        assert office.rows("payments", filters={"method": "cash"}) == []
        entries = office.rows("ledger")
        assert {(entry["Account"], entry["Amount"]) for entry in entries} == {
            ("gateway:sandbox", "4.00"),
            ("reservations", "-4.00"),
        }
        assert {entry["Booking"] for entry in entries} == {booking["code"]}
        (entry,) = office.rows("ledger", filters={"account": "reservations"})
        assert entry["Amount"] == "-4.00"

    def test_users_and_what_they_may(self, office: Office, make: Factory) -> None:
        make.user(name="Ada", email="ada@example.org", roles=("driver", "attendant"), phone="+49 1")
        gone = make.user(name="Gone", deleted_at=clock.now(), active=False)
        rows = {row["User"]: row for row in office.rows("users")}
        (ada,) = [row for row in rows.values() if row["Name"] == "Ada"]
        assert (ada["E-mail"], set(ada["Roles"].split(", ")), ada["Active"]) == (
            "ada@example.org",
            {"driver", "attendant"},
            "yes",
        )
        # What is typed as a number is none, and a spreadsheet would take it for a formula.
        assert ada["Telephone"] == "'+49 1"
        assert (rows[str(gone.id)]["Name"], rows[str(gone.id)]["E-mail"]) == ("", "")
        (found,) = office.rows("users", filters={"q": "ada", "role": "attendant", "active": True})
        assert found["Name"] == "Ada"

    def test_the_audit_log_with_what_changed(self, app: Flask, office: Office, admin: User) -> None:
        with app.app_context(), transaction():
            record(
                "lot.updated",
                "lot",
                7,
                actor_id=admin.id,
                before={"name": "Ä"},
                after={"name": "=B"},
            )
        (row,) = office.rows("audit", filters={"action": "lot.updated", "subject_id": 7})
        assert (row["Actor"], row["Name"], row["Subject"], row["Number"]) == (
            str(admin.id),
            admin.name,
            "lot",
            "7",
        )
        assert (row["Before"], row["After"]) == ('{"name": "Ä"}', '{"name": "=B"}')

    def test_lots_of_a_status(self, office: Office, make: Factory) -> None:
        make.lot(name="Altmarkt", spots=2)
        make.lot(name="Later", status="draft")
        (row,) = office.rows("lots", filters={"status": "open"})
        assert (row["Name"], row["Bays"], row["Latitude"]) == ("Altmarkt", "2", "51.05")
        assert office.rows("lots", to=(clock.now() - timedelta(days=1)).isoformat()) == []

    @pytest.mark.parametrize("kind", list(KINDS))
    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_of_nothing_there_are_titles_alone(
        self, office: Office, kind: str, file_format: str
    ) -> None:
        wishes = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}
        content = office.fetch(kind, file_format, **wishes)
        if file_format == "csv":
            titles = next(csv.reader(StringIO(content.decode("utf-8-sig"))))
            assert titles == [column.title for column in KINDS[kind].columns]
            assert read_csv(content) == []


class TestSpreadsheet:
    def test_each_cell_has_its_type(self, office: Office, desk: Desk, lot: Lot) -> None:
        booking = desk.own(lot)
        sheet = office.book("reservations").active
        assert sheet.title == "Bookings"
        assert sheet.freeze_panes == "A2"
        titles = [cell.value for cell in sheet[1]]
        row = dict(zip(titles, sheet[2], strict=True))
        assert (row["Booking"].data_type, row["Booking"].value) == ("s", booking["code"])
        assert (row["Paid"].data_type, row["Paid"].value) == ("n", 4)
        assert row["Paid"].number_format == "#,##0.00"
        local = datetime.fromisoformat(booking["starts_at"]).astimezone(_BERLIN)
        assert row["From"].is_date
        assert row["From"].value == local.replace(tzinfo=None)
        assert row["Ended"].value is None

    def test_money_without_decimals_has_none(self, tmp_path: Any) -> None:
        kind = KINDS["ledger"]
        at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        rows = [
            (1, 1, at, "payment", "cash", 1200, "JPY", "VV-1", 1, None),
            (2, 1, at, "payment", "cash", -1234567, "KWD", "VV-1", 1, None),
        ]
        path = tmp_path / "books.xlsx"
        writing.write_xlsx(kind, [rows], path, timezone="Europe/Berlin")
        sheet = openpyxl.load_workbook(path).active
        assert [(cell.value, cell.number_format) for cell in sheet["F"][1:]] == [
            (1200, "#,##0"),
            (-1234.567, "#,##0.000"),
        ]
        assert sheet["C2"].value.isoformat() == "2026-10-25T02:30:00"
        content = b"".join(writing.write_csv(kind, [rows], timezone="Europe/Berlin"))
        first, second = read_csv(content)
        assert (first["Amount"], second["Amount"]) == ("1200", "-1234.567")
        assert first["At"] == "2026-10-25T02:30:00+02:00"

    def test_what_is_too_much_for_a_sheet_goes_on_in_the_next(
        self, office: Office, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "MOST_ROWS", 2)
        monkeypatch.setattr(making, "_AT_ONCE", 2)
        names = [f"Lot {number}" for number in range(5)]
        for name in names:
            make.lot(name=name, spots=1)
        book = office.book("lots")
        assert book.sheetnames == ["Car parks", "Car parks 2", "Car parks 3"]
        assert [sheet["C1"].value for sheet in book] == ["Name"] * 3
        assert [cell.value for sheet in book for cell in sheet["C"][1:]] == names


class TestNastyText:
    """Whatever a text says, a cell of it is that text: no formula, no link, no other cell."""

    @pytest.fixture
    def texts(self, app: Flask) -> list[str]:
        texts = [*(text for text in NASTY.values() if "\0" not in text and text.isprintable())]
        texts += ["<r><t>rich</t></r>", "<r>", "=\n1", "a,b;c\t\"d'"]
        with app.app_context(), transaction():
            for number, text in enumerate(texts, 1):
                record("tests.nasty", "tests", number, after={"text": text})
        with app.app_context(), transaction():
            db.session.add_all(
                Lot(
                    name=text,
                    address=text,
                    city="",
                    search_text="",
                    lat=0,
                    lng=0,
                    timezone="Europe/Berlin",
                    created_at=clock.now(),
                )
                for text in texts
            )
        return texts

    def test_a_spreadsheet_has_it_literally(self, office: Office, texts: list[str]) -> None:
        sheet = office.book("lots").active
        found = list(sheet["C"][1:])
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
        assert all(cell.hyperlink is None for cell in found)
        assert [(cell.value or "").rstrip("\u200b") for cell in found] == [
            text[: cells.LONGEST_TEXT] for text in texts
        ]

    def test_a_csv_guards_what_begins_like_a_formula(
        self, office: Office, texts: list[str]
    ) -> None:
        names = [row["Name"] for row in office.rows("lots")]
        assert names == [
            f"'{text}" if text[:1] in set("=+-@\t\r") else text
            for text in (text[: cells.LONGEST_TEXT] for text in texts)
        ]

    def test_what_is_no_sign_says_so(self) -> None:
        kind = KINDS["lots"]
        row: list[Any] = [None] * len(kind.columns)
        row[2] = "a\0b\x1bc\ud800d\ufffee\r\nf"
        content = b"".join(writing.write_csv(kind, [[row]], timezone="UTC"))
        (read,) = read_csv(content)
        assert read["Name"] == "a\ufffdb\ufffdc\ufffdd\ufffde\r\nf"
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.endswith(b"\r\n")

    def test_every_nasty_text_can_be_written(self, tmp_path: Any) -> None:
        kind = KINDS["lots"]
        rows = []
        for text in NASTY.values():
            row: list[Any] = [None] * len(kind.columns)
            row[2] = text
            rows.append(row)
        path = tmp_path / "nasty.xlsx"
        writing.write_xlsx(kind, [rows], path, timezone="UTC")
        found = openpyxl.load_workbook(path).active["C"][1:]
        # A spreadsheet writes a lone return so, and reads it back; openpyxl shows it as written.
        read = [(cell.value or "").replace("_x000D_", "\r") for cell in found]
        assert read == [cells.clean_text(text) for text in NASTY.values()]


class TestOnTheWay:
    def test_it_says_how_far_it_is_and_is_cancelled_between_two_pages(
        self,
        app: Flask,
        office: Office,
        make: Factory,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(making, "_AT_ONCE", 1)
        monkeypatch.setattr(making, "_REPORT_SECONDS", 0)
        for _ in range(4):
            make.lot(spots=1)
        job_id = office.ask("lots", "xlsx").json["id"]
        seen: list[int] = []

        def look(text: str) -> str:
            shown = office.client.get(f"/api/v1/jobs/{job_id}", headers=office.headers).json
            if shown["progress"] not in seen:
                seen.append(shown["progress"])
            if shown["progress"] > 40:
                office.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=office.headers)
            return cells.clean_text(text)

        monkeypatch.setattr("backend.exports.writing.clean_text", look)
        with app.app_context():
            jobs.run_job(job_id)
            assert db.session.scalar(select(Job.status).where(Job.id == job_id)) == "cancelled"
            assert db.session.scalars(select(JobFilePart)).all() == []
        assert seen == [0, 21, 42]
        assert list((settings.instance / "work").iterdir()) == []

    def test_a_csv_reads_and_is_kept_at_once(
        self, app: Flask, office: Office, make: Factory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rows that come meanwhile are not in it, and nothing waits for anything."""
        monkeypatch.setattr(making, "_AT_ONCE", 1)
        monkeypatch.setattr(making, "_REPORT_SECONDS", 0)
        monkeypatch.setattr(jobs, "_PART_BYTES", 8)
        for _ in range(3):
            make.lot(spots=1)
        made: list[Lot] = []

        def add_another(text: str) -> str:
            if not made:
                made.append(make.lot(name="Too late", spots=1))
            return cells.guard_formula(text)

        monkeypatch.setattr("backend.exports.writing.guard_formula", add_another)
        names = [row["Name"] for row in office.rows("lots")]
        assert len(names) == 3
        assert "Too late" not in names


class TestSmallTables:
    def test_lots_at_once(self, office: Office, make: Factory) -> None:
        make.lot(name="=1+1", spots=2)
        content = office.client.get("/api/v1/exports/lots.csv", headers=office.headers)
        assert content.status_code == 200
        (row,) = read_csv(content.data)
        assert (row["Name"], row["Bays"]) == ("'=1+1", "2")
        table = office.client.get("/api/v1/exports/lots.xlsx", headers=office.headers)
        sheet = openpyxl.load_workbook(BytesIO(table.data)).active
        assert (sheet["C2"].data_type, sheet["C2"].value) == ("s", "'=1+1")
        assert sheet["N2"].is_date

    def test_coupons_with_their_uses(self, office: Office, make: Factory) -> None:
        lot = make.lot(name="Altmarkt")
        for body in (
            {"code": "SPRING", "name": "Spring", "percent_bp": 1250},
            {"code": "FIVE", "name": "@Five", "amount_minor": 500, "lot_id": lot.id},
        ):
            made = office.client.post("/api/v1/coupons", json=body, headers=office.headers)
            assert made.status_code == 201, made.text
        answer = office.client.get("/api/v1/exports/coupons.csv", headers=office.headers)
        first, second = read_csv(answer.data)
        assert (first["Code"], first["Percent"], first["Amount"], first["Uses"]) == (
            "SPRING",
            "12.5",
            "",
            "0",
        )
        assert (second["Name"], second["Amount"], second["Currency"], second["Car park"]) == (
            "'@Five",
            "5.0",
            "EUR",
            "Altmarkt",
        )

    def test_others_formats_are_not_there(self, office: Office) -> None:
        for path in ("lots.pdf", "coupons.ods"):
            answer = office.client.get(f"/api/v1/exports/{path}", headers=office.headers)
            assert problem(answer) == "404 not-found"
