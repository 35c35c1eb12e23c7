"""Importing lots: by upload, and by the command line's own way."""

import io
from pathlib import Path
from typing import Any

import pyexcel
import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend import demo
from backend.lots.import_lots import format_report, import_lots
from backend.models import Lot
from tests.factories import Factory, tomorrow_at
from tests.lots.conftest import Book

Headers = dict[str, str]

DATA = Path(demo.__file__).parent / "data"
HEADER = "place_id,name,city,capacity,address,latitude,longitude,capacity_disabled\n"
ALTMARKT = "a,Altmarkt,Dresden,30,Altmarkt 1,51.0506,13.7417,2\n"
NEUMARKT = "n,Neumarkt,Dresden,10,Neumarkt 1,51.0516,13.7427,0\n"


def upload(
    client: FlaskClient,
    as_admin: Headers,
    content: str | bytes,
    *,
    filename: str = "lots.csv",
    **form: str,
) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post(
        "/api/v1/lots/import",
        data={"file": (io.BytesIO(raw), filename), **form},
        headers=as_admin,
        content_type="multipart/form-data",
    )


def outcomes(report: dict[str, Any]) -> list[str]:
    return [row["outcome"] for row in report["rows"]]


def notes_of(row: dict[str, Any]) -> str:
    return " ".join(note["message"] for note in row["notes"])


class TestUpload:
    def test_new_lots_are_open_with_bays_and_without_a_tariff(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        answer = upload(client, as_admin, HEADER + ALTMARKT)
        assert answer.status_code == 200, answer.text
        assert answer.json["created"] == 1
        assert answer.json["rows"][0]["external_id"] == "a"
        (item,) = client.get("/api/v1/lots?q=altmarkt").json["items"]
        assert item["status"] == "open"
        assert item["timezone"] == "Europe/Berlin"
        assert item["capacity"] == 30
        assert item["available_by_kind"] == {"accessible": 2, "standard": 28}
        assert item["not_bookable_reason"] == "no_tariff"

    def test_a_second_import_changes_nothing(self, client: FlaskClient, as_admin: Headers) -> None:
        upload(client, as_admin, HEADER + ALTMARKT + NEUMARKT)
        again = upload(client, as_admin, HEADER + ALTMARKT + NEUMARKT).json
        assert outcomes(again) == ["unchanged", "unchanged"]
        assert client.get("/api/v1/lots").json["total"] == 2

    def test_a_known_lot_is_brought_up_to_date(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        upload(client, as_admin, HEADER + ALTMARKT)
        changed = ALTMARKT.replace("Altmarkt,Dresden,30", "Altmarkt Tiefgarage,Dresden,33")
        report = upload(client, as_admin, HEADER + changed).json
        assert outcomes(report) == ["changed"]
        assert '"Altmarkt" becomes "Altmarkt Tiefgarage".' in notes_of(report["rows"][0])
        assert "3 bays are added to 30." in notes_of(report["rows"][0])
        (item,) = client.get("/api/v1/lots?q=tiefgarage").json["items"]
        assert item["capacity"] == 33
        assert item["available_by_kind"] == {"accessible": 2, "standard": 31}
        more = changed.replace(",33,", ",35,")
        assert upload(client, as_admin, HEADER + more).json["changed"] == 1
        items = client.get(f"/api/v1/lots/{item['id']}/spots").json["items"]
        added = [each for each in items if each["label"].startswith("N-")]
        assert [each["label"] for each in added] == [f"N-0{n}" for n in range(1, 6)]
        assert len({(each["level"], each["x"], each["y"]) for each in items}) == 35

    def test_bays_are_never_taken_away(self, client: FlaskClient, as_admin: Headers) -> None:
        upload(client, as_admin, HEADER + ALTMARKT)
        report = upload(client, as_admin, HEADER + ALTMARKT.replace(",30,", ",20,")).json
        assert outcomes(report) == ["unchanged"]
        assert "none is taken away" in notes_of(report["rows"][0])

    def test_a_bad_row_costs_that_row_alone(self, client: FlaskClient, as_admin: Headers) -> None:
        bad = "b,Bad,Dresden,many,Street 1,51.05,13.74,0\n"
        report = upload(client, as_admin, HEADER + ALTMARKT + bad + NEUMARKT).json
        assert outcomes(report) == ["created", "refused", "created"]
        assert [row["row"] for row in report["rows"]] == [2, 3, 4]
        assert report["refused"] == 1
        assert '"many" is not a whole number' in notes_of(report["rows"][1])

    def test_a_row_that_the_database_refuses_costs_that_row_alone(
        self, client: FlaskClient, as_admin: Headers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("backend.lots.bays.MOST_BAYS", 20)
        report = upload(client, as_admin, HEADER + ALTMARKT + NEUMARKT).json
        assert outcomes(report) == ["refused", "created"]
        assert client.get("/api/v1/lots").json["total"] == 1

    def test_a_dry_run_tells_all_and_keeps_nothing(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        report = upload(client, as_admin, HEADER + ALTMARKT, dry_run="true").json
        assert report["dry_run"] is True
        assert report["created"] == 1
        assert client.get("/api/v1/lots").json["total"] == 0

    def test_files_of_other_names_do_not_mix_their_ids(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        upload(client, as_admin, HEADER + ALTMARKT)
        other = upload(client, as_admin, HEADER + ALTMARKT, filename="ulm.csv")
        assert other.json["created"] == 1

    def test_what_is_archived_or_booked_stays(
        self, client: FlaskClient, as_admin: Headers, make: Factory, book: Book
    ) -> None:
        upload(client, as_admin, HEADER + ALTMARKT + NEUMARKT)
        items = {each["name"]: each for each in client.get("/api/v1/lots").json["items"]}
        client.delete(f"/api/v1/lots/{items['Altmarkt']['id']}", headers=as_admin)
        neumarkt = items["Neumarkt"]["id"]
        tariff = {"name": "T", "increments": [{"minutes": 60, "amount_minor": 100}]}
        client.post(f"/api/v1/lots/{neumarkt}/tariffs", json=tariff, headers=as_admin)
        book(make.spots(Lot(id=neumarkt))[0], tomorrow_at(10), tomorrow_at(12))
        moved = NEUMARKT.replace("51.0516,13.7427", "12.97,77.59")
        report = upload(client, as_admin, HEADER + ALTMARKT.replace("30", "31") + moved).json
        assert outcomes(report) == ["unchanged", "changed"]
        assert "archived" in notes_of(report["rows"][0])
        assert "time zone stays" in notes_of(report["rows"][1])
        assert client.get(f"/api/v1/lots/{neumarkt}").json["timezone"] == "Europe/Berlin"

    @pytest.mark.parametrize(
        ("filename", "content"),
        [
            ("lots.pdf", b"%PDF-1.7"),
            ("lots.csv", b""),
            ("lots.geojson", b'{"type": "Topology"}'),
            ("lots.xlsx", b"not a sheet"),
        ],
    )
    def test_an_unreadable_file_is_refused_with_the_reason(
        self, client: FlaskClient, as_admin: Headers, filename: str, content: bytes
    ) -> None:
        refused = upload(client, as_admin, content, filename=filename)
        assert refused.status_code == 422
        assert refused.json["type"] == "/problems/file-unreadable"
        assert refused.json["detail"].endswith(".")

    def test_a_broken_file_keeps_what_is_sound(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        whole = (DATA / "ulm.geojson").read_bytes()
        report = upload(client, as_admin, whole[: len(whole) * 2 // 3], filename="ulm.geojson").json
        assert report["created"] > 0
        assert report["refused"] == 1

    def test_the_template_can_be_filled_in_and_sent_back(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        template = client.get("/api/v1/lots/import-template.xlsx", headers=as_admin)
        assert template.status_code == 200
        report = upload(client, as_admin, template.data, filename="lots.xlsx").json
        assert (report["created"], report["refused"]) == (1, 0)
        assert [note["level"] for note in report["notes"]] == []

    def test_a_sheet_is_read_too(self, client: FlaskClient, as_admin: Headers) -> None:
        rows = [line.split(",") for line in (HEADER + ALTMARKT).splitlines()]
        sheet = pyexcel.get_sheet(array=rows).save_to_memory("xlsx")
        report = upload(client, as_admin, sheet.getvalue(), filename="lots.xlsx").json
        assert outcomes(report) == ["created"]

    def test_a_form_without_a_file_is_refused(self, client: FlaskClient, as_admin: Headers) -> None:
        refused = client.post(
            "/api/v1/lots/import",
            data={"file": "text"},
            headers=as_admin,
            content_type="multipart/form-data",
        )
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == ["file"]
        assert client.post("/api/v1/lots/import", json={}, headers=as_admin).status_code == 415

    def test_more_than_ten_megabytes_are_refused(
        self, client: FlaskClient, as_admin: Headers
    ) -> None:
        refused = client.post(
            "/api/v1/lots/import",
            data=b"x" * (10 * 1024 * 1024 + 100_000),
            headers=as_admin,
            content_type="multipart/form-data; boundary=x",
        )
        assert refused.status_code == 413

    def test_only_admins_may(self, client: FlaskClient, as_driver: Headers) -> None:
        assert upload(client, as_driver, HEADER + ALTMARKT).status_code == 403


class TestRealFiles:
    def test_the_lots_of_four_cities_are_imported_once(
        self, app: Flask, client: FlaskClient
    ) -> None:
        created = unchanged = 0
        files = ("heidelberg.geojson", "ulm.geojson", "aalen.geojson", "dresden-lots.csv")
        with app.app_context():
            for name in files:
                content = (DATA / name).read_bytes()
                report = import_lots(name, content)
                assert report.refused == 0
                created += report.created
                unchanged += import_lots(name, content).unchanged
        assert created == unchanged == 58
        found = client.get("/api/v1/lots?q=altmarkt dresden").json["items"]
        assert [each["name"] for each in found] == ["Altmarkt", "Altmarkt - Galerie"]
        assert found[0]["capacity"] == 400


class TestReport:
    def test_it_is_written_row_by_row(self, app: Flask) -> None:
        bad = "b,Bad,Dresden,many,Street 1,51.05,13.74,0\n"
        with app.app_context():
            report = import_lots("lots.csv", (HEADER + ALTMARKT + bad).encode(), dry_run=True)
        lines = format_report(report)
        assert "row 2: created Altmarkt (a)" in lines
        assert "row 3: refused" in lines
        assert lines[-1] == (
            "1 created, 0 changed, 0 unchanged, 1 refused (nothing was kept: dry run)"
        )
