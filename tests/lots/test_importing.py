import contextlib
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.lots import import_files
from backend.lots.importing import (
    ImportFile,
    ImportFileUnreadable,
    Note,
    parse_lots,
    zone_at,
)

DATA = Path(__file__).parents[2] / "backend" / "demo" / "data"
HEADER = "place_id,name,city,capacity,address,latitude,longitude"
ALTMARKT = "altmarkt,Altmarkt,Dresden,400,Altmarkt 1 01067 Dresden,51.05067,13.74179"
MITTE = "mitte,Mitte,Dresden,280,Magdeburger Str. 1 01067 Dresden,51.05814,13.72611"


def _demo(name: str) -> ImportFile:
    return parse_lots(name, (DATA / name).read_bytes())


def _feature(number: int = 1, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "uid": str(number),
            "name": f"Lot {number}",
            "address": f"Poststraße {number}, 69115 Heidelberg",
            "capacity": 57,
            "opening_hours": "24/7",
            **properties,
        },
        "geometry": {"type": "Point", "coordinates": [8.69 + number / 1000, 49.41]},
    }


def _geojson(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _parse(*features: object) -> ImportFile:
    return parse_lots("lots.geojson", _geojson(*features))


def _parse_csv(*lines: str) -> ImportFile:
    return parse_lots("lots.csv", "\n".join((HEADER, *lines)).encode())


def _xlsx(*rows: list[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _messages(parsed: ImportFile, level: str | None = None) -> list[str]:
    return [note.message for note in parsed.notes if level in {None, note.level}]


class TestRealFiles:
    @pytest.mark.parametrize(
        ("name", "count", "bays"),
        [
            ("heidelberg.geojson", 20, 5487),
            ("ulm.geojson", 10, 4100),
            ("aalen.geojson", 6, 1322),
            ("dresden-lots.csv", 22, 5443),
            ("bengaluru-lots.csv", 4, 2026),
        ],
    )
    def test_every_lot_is_taken(self, name: str, count: int, bays: int) -> None:
        parsed = _demo(name)
        assert len(parsed.rows) == count
        assert parsed.refused_rows == []
        assert sum(row.capacity for row in parsed.rows) == bays
        for row in parsed.rows:
            assert sum(row.capacity_by_kind.values()) == row.capacity
            assert row.city in {"Heidelberg", "Ulm", "Aalen", "Dresden", "Bengaluru"}
        zone = "Asia/Kolkata" if parsed.source == "bengaluru-lots" else "Europe/Berlin"
        assert {row.timezone for row in parsed.rows} == {zone}

    def test_lot_is_read_in_full(self) -> None:
        rathaus = _demo("aalen.geojson").rows[0]
        assert rathaus.external_id == "P1 Rathaus"
        assert (rathaus.lat, rathaus.lng) == (48.8363099178679, 10.0931956686424)
        assert rathaus.capacity_by_kind == {"standard": 245, "electric": 6}
        assert rathaus.height_limit_cm == 205
        assert rathaus.opening_hours == "24/7"
        assert rathaus.amenities == ("charging", "covered", "lighting", "underground", "video")
        assert rathaus.underground
        assert rathaus.operator_name == "Stadtwerke Aalen GmbH"

    def test_other_spellings_are_named(self) -> None:
        spelt = [note for note in _demo("aalen.geojson").notes if "spelt" in note.message]
        assert spelt == [
            Note(
                2, "note", "name", '"Reichsstädter" in the id is spelt "Reichstädter" in the name.'
            ),
            Note(
                4, "note", "name", '"Spitalstraße" in the id is spelt "Spitalstrasse" in the name.'
            ),
        ]
        ulm = _messages(_demo("ulm.geojson"))
        assert '"frauenstrae" in the id is spelt "Frauenstraße" in the name.' in ulm

    @pytest.mark.parametrize(
        ("name", "row", "twin"),
        [
            ("ulm.geojson", 7, '"Am Rathaus" in row 2'),
            ("dresden-lots.csv", 17, '"Haus am Zwinger" in row 7'),
        ],
    )
    def test_shared_addresses_are_named(self, name: str, row: int, twin: str) -> None:
        shared = [note for note in _demo(name).notes if "the same" in note.message]
        assert shared == [Note(row, "note", "address", f"It has the same address as {twin}.")]

    def test_odd_field_is_named_once_and_the_bays_become_standard(self) -> None:
        parsed = _demo("heidelberg.geojson")
        odd = [note for note in parsed.notes if note.row is None]
        assert odd == [
            Note(
                None,
                "changed",
                "capacity_woman",
                "capacity_woman is read as capacity_women, in 18 rows.",
            )
        ]
        ebert_platz = parsed.rows[1]
        assert ebert_platz.capacity_by_kind == {"standard": 253, "accessible": 3}
        assert Note(2, "note", "capacity_women", "25 bays for women become standard bays.") in (
            parsed.notes
        )

    def test_stray_spaces_are_taken_out(self) -> None:
        parsed = _demo("heidelberg.geojson")
        changed = [note for note in parsed.notes if note.level == "changed" and note.row]
        assert [(note.row, note.field) for note in changed] == [(7, "operator_name")]
        assert parsed.rows[6].operator_name == "PBW Parkraumgesellschaft Baden-Württemberg mbH"

    def test_missing_opening_hours_are_noted_in_each_row(self) -> None:
        for name, missing in (
            ("heidelberg.geojson", 20),
            ("ulm.geojson", 10),
            ("aalen.geojson", 0),
        ):
            fields = Counter(note.field for note in _demo(name).notes)
            assert fields["opening_hours"] == missing


class TestRow:
    @pytest.mark.parametrize(
        ("properties", "message"),
        [
            ({"capacity": None}, "The lot has no capacity."),
            ({"capacity": "many"}, 'The capacity "many" is not a whole number.'),
            ({"capacity": 12.5}, 'The capacity "12.5" is not a whole number.'),
            ({"capacity": True}, 'The capacity "True" is not a whole number.'),
            ({"capacity": 0}, "The capacity 0 is not from 1 to 20000."),
            ({"capacity": -4}, "The capacity -4 is not from 1 to 20000."),
            ({"capacity": 10**9}, "The capacity 1000000000 is not from 1 to 20000."),
            ({"capacity": [5]}, "The capacity a list is not a whole number."),
            ({"uid": None}, "The lot has no id."),
            ({"uid": "x" * 201}, f'The id "{"x" * 57}..." is empty or too long.'),
            ({"purpose": "BIKE"}, 'The place is for "BIKE", not for cars.'),
        ],
    )
    def test_bad_row_is_refused_alone(self, properties: dict[str, Any], message: str) -> None:
        parsed = _parse(_feature(1), _feature(2, **properties), _feature(3))
        assert [row.row for row in parsed.rows] == [1, 3]
        assert parsed.refused_rows == [2]
        assert _messages(parsed, "refused") == [message]

    @pytest.mark.parametrize(
        ("geometry", "message"),
        [
            (None, "The lot has no coordinates."),
            ({"type": "Polygon", "coordinates": []}, "The lot has no coordinates."),
            ("here", "The lot has no coordinates."),
            ({"type": "Point", "coordinates": [8.69]}, "The lot has no coordinates."),
            (
                {"type": "Point", "coordinates": ["east", None]},
                'The coordinates "None", "east" are not two numbers.',
            ),
            (
                {"type": "Point", "coordinates": [float("nan"), 49.4]},
                'The coordinates "49.4", "nan" are not two numbers.',
            ),
            (
                {"type": "Point", "coordinates": [49.4, 98.7]},
                "The point 98.7, 49.4 is not on earth. Its numbers look swapped.",
            ),
            (
                {"type": "Point", "coordinates": [10**30, 10**400]},
                f'The coordinates "1{"0" * 56}...", "1{"0" * 30}" are not two numbers.',
            ),
            ({"type": "Point", "coordinates": [200, 95]}, "The point 95, 200 is not on earth."),
            (
                {"type": "Point", "coordinates": [0, 0]},
                "The point is 0, 0, which stands for an unknown place.",
            ),
            (
                {"type": "Point", "coordinates": [51.05, 13.74]},
                "The point 13.74, 51.05 lies at sea; are its numbers swapped?",
            ),
        ],
    )
    def test_bad_point_is_refused(self, geometry: object, message: str) -> None:
        parsed = _parse(_feature(1), {**_feature(2), "geometry": geometry})
        assert [row.row for row in parsed.rows] == [1]
        assert _messages(parsed, "refused") == [message]

    def test_swapped_point_is_known_by_the_other_lots(self) -> None:
        swapped = {"type": "Point", "coordinates": [49.41, 8.69]}
        # Land in Somalia, where no check of its own would find fault.
        parsed = _parse(
            *map(_feature, range(1, 4)),
            {**_feature(4), "geometry": {"type": "Point", "coordinates": [49.4, 8.695]}},
            {**_feature(5), "geometry": swapped},
        )
        assert [row.row for row in parsed.rows] == [1, 2, 3]
        assert parsed.refused_rows == [4, 5]

    def test_lots_far_apart_are_no_fault(self) -> None:
        far = {"type": "Point", "coordinates": [77.6, 12.97]}
        parsed = _parse(*map(_feature, range(1, 4)), {**_feature(4), "geometry": far})
        assert len(parsed.rows) == 4
        assert parsed.rows[3].timezone == "Asia/Kolkata"

    def test_points_that_disagree_are_told(self) -> None:
        apart = _feature(1, lat=49.42, lon=8.691)
        swapped = _feature(2, lat=8.692, lon=49.41)
        parsed = _parse(apart, swapped, _feature(3, lat=49.41, lon=8.693))
        assert [row.lat for row in parsed.rows] == [49.41, 49.41]
        assert _messages(parsed) == [
            "Its two points lie over 50 m apart; the one drawn is taken.",
            'The city "Heidelberg" is taken from the address.',
            "Latitude and longitude are swapped in one of its two points.",
            'The city "Heidelberg" is taken from the address.',
        ]

    def test_second_lot_of_an_id_is_refused(self) -> None:
        parsed = _parse(_feature(1), _feature(2, uid=1), _feature(3, uid=1.0))
        assert [row.row for row in parsed.rows] == [1]
        assert _messages(parsed, "refused") == ["Row 1 has the same id."] * 2

    @pytest.mark.parametrize(
        ("properties", "expected", "message"),
        [
            (
                {"capacity": "57"},
                {"capacity": 57},
                "The capacity is text; it is read as a number.",
            ),
            (
                {"capacity_disabled": 50, "capacity_charging": 10},
                {"capacity_by_kind": {"accessible": 50, "electric": 7}},
                "10 electric bays are more than the lot has left; 7 are kept.",
            ),
            (
                {"capacity_charging": -1},
                {"capacity_by_kind": {"standard": 57}},
                '"-1" is not a number of bays; it counts as none.',
            ),
            (
                {"capacity_women": 99},
                {"capacity_by_kind": {"standard": 57}},
                "99 bays for women are more than the lot has; none is set apart.",
            ),
            ({"name": "  P1   Post \0"}, {"name": "P1 Post"}, 'taken out: "P1 Post".'),
            ({"name": "\ud800Post\u202e"}, {"name": "Post"}, 'taken out: "Post".'),
            ({"name": "x" * 300}, {"name": "x" * 200}, "It is cut to 200 characters."),
            ({"name": None}, {"name": "2"}, "The lot has no name; its id stands in for it."),
            ({"name": ["P"]}, {"name": "2"}, "a list is not text and is left out."),
            (
                {"max_height": 1.95},
                {"height_limit_cm": 195},
                "The height limit 1.95 is read as metres.",
            ),
            (
                {"max_height": 0},
                {"height_limit_cm": None},
                'The height limit "0" is not from 100 to 1000 cm; it is left out.',
            ),
            (
                {"opening_hours": "Mo-Fr 7:00-19:00"},
                {"opening_hours": "Mo-Fr 07:00-19:00"},
                '"Mo-Fr 7:00-19:00" is written as "Mo-Fr 07:00-19:00".',
            ),
            ({"opening_hours": "mostly"}, {"opening_hours": None}, "counts as always open"),
            (
                {"public_url": "javascript:alert(1)"},
                {"public_url": None},
                '"javascript:alert(1)" is not a web address; it is left out.',
            ),
            ({"lat": "49.41", "lon": "8.692"}, {"lat": 49.41}, "The coordinates are text"),
        ],
    )
    def test_what_can_be_mended_is_changed_and_told(
        self, properties: dict[str, Any], expected: dict[str, Any], message: str
    ) -> None:
        parsed = _parse(_feature(1), _feature(2, **properties))
        assert {name: getattr(parsed.rows[1], name) for name in expected} == expected
        changes = [note for note in parsed.notes if note.level == "changed"]
        assert [note.row for note in changes] == [2] * len(changes)
        assert any(message in note.message for note in changes)

    def test_text_of_coordinates_may_have_a_decimal_comma(self) -> None:
        parsed = _parse_csv('altmarkt,Altmarkt,Dresden,400,Altmarkt 1,"51,05067"," 13,74179 "')
        assert (parsed.rows[0].lat, parsed.rows[0].lng) == (51.05067, 13.74179)
        assert [note.field for note in parsed.notes] == ["opening_hours"]

    @pytest.mark.parametrize(
        ("address", "city"),
        [
            ("Poststraße, 69117 Heidelberg", "Heidelberg"),
            ("Altmarkt 1 01067 Dresden", "Dresden"),
            ("Platz 1, 60311 Frankfurt am Main", "Frankfurt am Main"),
            ("24 Vittal Mallya Road, Bengaluru 560001", "Bengaluru"),
            ("Road 1, New Delhi, 110 001", "New Delhi"),
            ("Am Bahnhof 1234", ""),
            ("", ""),
        ],
    )
    def test_city_is_found_in_the_address(self, address: str, city: str) -> None:
        parsed = _parse(_feature(1, address=address))
        assert parsed.rows[0].city == city
        assert any(note.field == "city" for note in parsed.notes)

    @pytest.mark.parametrize(
        ("properties", "amenities"),
        [
            ({"type": "UNDERGROUND"}, ("covered", "underground")),
            ({"type": "UNDERGROUND", "is_covered": False}, ("underground",)),
            ({"type": "CAR_PARK", "is_covered": "yes", "has_lighting": 1}, ("covered", "lighting")),
            ({"supervision_type": "ATTENDED"}, ("staffed",)),
            ({"supervision_type": "NO", "has_lighting": False}, ()),
            ({"supervision_type": "DOGS", "type": "CAVE", "is_covered": "rather"}, ()),
            ({"capacity_disabled": 1, "capacity_charging": 2}, ("accessible", "charging")),
        ],
    )
    def test_amenities_follow_from_what_the_file_says(
        self, properties: dict[str, Any], amenities: tuple[str, ...]
    ) -> None:
        assert _parse(_feature(1, **properties)).rows[0].amenities == amenities

    def test_unknown_field_is_noted_once_in_a_file(self) -> None:
        parsed = _parse(_feature(1, capcity=3, owner="x"), _feature(2, owner="y"))
        assert _messages(parsed)[:2] == [
            'The field "capcity" is unknown and not read, in 1 rows. Is capacity meant?',
            'The field "owner" is unknown and not read, in 2 rows.',
        ]


class TestBrokenGeojson:
    def test_complete_features_before_the_break_are_kept(self) -> None:
        content = (DATA / "heidelberg.geojson").read_bytes()
        half = parse_lots("heidelberg.geojson", content[: len(content) // 2])
        whole = _demo("heidelberg.geojson")
        assert 8 <= len(half.rows) < 20
        assert half.rows == whole.rows[: len(half.rows)]
        assert half.refused_rows == [len(half.rows) + 1]
        assert "only its complete features are read" in half.notes[0].message

    def test_break_anywhere_keeps_what_is_before(self) -> None:
        content = (DATA / "aalen.geojson").read_bytes()
        whole = _demo("aalen.geojson").rows
        kept = set()
        for length in range(2000, len(content), 97):
            parsed = parse_lots("aalen.geojson", content[:length])
            assert parsed.rows == whole[: len(parsed.rows)]
            kept.add(len(parsed.rows))
        assert kept == {1, 2, 3, 4, 5}

    def test_features_after_a_broken_one_are_kept(self) -> None:
        content = _geojson(*map(_feature, range(1, 5))).replace(
            b'"capacity": 57', b'"capacity" 57', 1
        )
        parsed = parse_lots("lots.geojson", content)
        assert [row.external_id for row in parsed.rows] == ["2", "3", "4"]
        assert parsed.refused_rows == [1]
        assert "starts on line 1: Expecting ':' delimiter" in _messages(parsed, "refused")[0]

    @pytest.mark.parametrize(
        ("capacity", "message"),
        [
            (b"9" * 5000, "it holds a number that is too long"),
            (b"[" * 100_000, "it is nested too deeply"),
        ],
    )
    def test_value_without_end_costs_one_feature(self, capacity: bytes, message: str) -> None:
        content = _geojson(_feature(1), _feature(2)).replace(b"57", capacity, 1)
        parsed = parse_lots("lots.geojson", content)
        assert [row.row for row in parsed.rows] == [2]
        assert message in _messages(parsed, "refused")[0]

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"   ", b"hello", b"[]", b"{}", b"null", b'{"type": "FeatureCollection"'),
            b'{"type": "FeatureCollection", "features": 7}',
            b'{"type": "FeatureCollection", "features": [{"type": "Feature", "prop',
            json.dumps(_feature(1)).encode(),
            b"[" * 100_000,
            b'{"type": "FeatureCollection", "features": [' + b"[" * 100_000,
            b'{"a": ' + b"9" * 5000 + b"}",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b" " * (import_files.MAX_FILE_BYTES) + b"{}",
        ],
    )
    def test_file_without_anything_sound_is_one_clear_sentence(self, content: bytes) -> None:
        with pytest.raises(ImportFileUnreadable, match=r"^[A-Z].*\.$"):
            parse_lots("lots.geojson", content)

    def test_what_is_no_feature_is_refused(self) -> None:
        parsed = _parse(7, None, [], {"type": "Feature"}, {"properties": []}, _feature(6))
        assert [row.row for row in parsed.rows] == [6]
        assert parsed.refused_rows == [1, 2, 3, 4, 5]

    def test_feature_may_carry_its_id_outside(self) -> None:
        feature = _feature(1)
        del feature["properties"]["uid"]
        assert _parse({**feature, "id": "way/12"}).rows[0].external_id == "way/12"

    def test_empty_collection_is_noted(self) -> None:
        parsed = _parse()
        assert parsed.rows == []
        assert _messages(parsed) == ["The file holds no lots."]


class TestCsv:
    def test_broken_rows_cost_only_themselves(self) -> None:
        parsed = _parse_csv(
            ALTMARKT,
            "short,Short,Dresden",
            "long,Long,Dresden,5,Street 1, 01067 Dresden,51.05,13.74",
            'quote,"Quote,Dresden,5,Street 1,51.05,13.74',
            "",
            MITTE,
        )
        assert [row.external_id for row in parsed.rows] == ["altmarkt", "mitte"]
        assert parsed.refused_rows == [3, 4, 5]
        assert parsed.rows[1].row == 7
        assert _messages(parsed, "refused") == [
            "The row has 3 values where 7 are named.",
            "The row has 8 values where 7 are named.",
            "The line is broken: a quote is not closed.",
        ]

    def test_quoted_value_may_run_over_lines(self) -> None:
        parsed = _parse_csv(
            ALTMARKT.replace("Altmarkt 1 ", '"Altmarkt 1\n').replace("en,51", 'en",51')
        )
        assert parsed.rows[0].address == "Altmarkt 1 01067 Dresden"

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_spreadsheets_write_it_in_many_ways(
        self, delimiter: str, encoding: str, line_end: str
    ) -> None:
        lines = [HEADER, ALTMARKT.replace("Altmarkt,", "Straße,"), MITTE, ""]
        text = line_end.join(lines).replace(",", delimiter)
        parsed = parse_lots("Lots.CSV", text.encode(encoding))
        assert [row.name for row in parsed.rows] == ["Straße", "Mitte"]

    def test_latin_1_is_read_and_told(self) -> None:
        text = f"{HEADER}\n{ALTMARKT.replace('Altmarkt,', 'Schießgasse,')}\n"
        parsed = parse_lots("lots.csv", text.encode("latin-1"))
        assert parsed.rows[0].name == "Schießgasse"
        assert _messages(parsed)[0] == "The file is not in UTF-8; it is read as Latin-1."

    def test_file_cut_inside_a_letter_stays_utf_8(self) -> None:
        text = f"{HEADER}\n{ALTMARKT.replace('Altmarkt,', 'Schießgasse,')}\nß".encode()
        parsed = parse_lots("lots.csv", text[:-1])
        assert [row.name for row in parsed.rows] == ["Schießgasse"]

    def test_headers_have_other_names_too(self) -> None:
        parsed = parse_lots(
            "lots.csv",
            b"UID,Name,Capacity,Lat,Lon,Opening hours,capacity_disabled,name\n"
            b"a,A,10,51.05,13.74,Mo-Fr 07:00-20:00,2,B\n",
        )
        assert parsed.rows[0].name == "A"
        assert parsed.rows[0].opening_hours == "Mo-Fr 07:00-20:00"
        assert parsed.rows[0].capacity_by_kind == {"standard": 8, "accessible": 2}
        assert _messages(parsed)[0] == 'The column "name" stands twice; the first one is read.'

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (f"{ALTMARKT}\n{MITTE}\n", "The first line must name the columns"),
            ("place_id,name,latitude\n", "The header lacks: capacity, longitude."),
            ('"' + "x" * 200_000, "The first line of the file is not a header."),
            ("\n\n  \n", "The file is empty."),
            ("\ufeff \n", "The file is empty."),
            ("a\0b", "The file holds binary data where text is expected."),
        ],
    )
    def test_file_without_header_is_refused(self, content: str, message: str) -> None:
        with pytest.raises(ImportFileUnreadable, match=message):
            parse_lots("lots.csv", content.encode())

    def test_header_alone_holds_no_lots(self) -> None:
        assert _messages(_parse_csv()) == ["The file holds no lots."]

    def test_quote_that_is_never_closed_costs_one_line(self) -> None:
        lots = [ALTMARKT.replace("altmarkt", f"lot-{number}") for number in range(40)]
        parsed = _parse_csv('quote,"Quote,Dresden,5,Street 1,51.05,13.74', *lots)
        assert len(parsed.rows) == 40
        assert parsed.refused_rows == [2]

    @pytest.mark.parametrize("name", ["lots.pdf", "lots", "", "lots.xls", "..", "a/b.csv.exe"])
    def test_other_types_are_refused(self, name: str) -> None:
        with pytest.raises(ImportFileUnreadable, match=r"Only \.geojson"):
            parse_lots(name, b"x")

    @pytest.mark.parametrize(
        ("name", "source"),
        [("Dresden Lots.csv", "dresden-lots"), ("a/Köln.csv", "koln"), ("...csv", "file")],
    )
    def test_source_is_the_name_of_the_file(self, name: str, source: str) -> None:
        assert parse_lots(name, f"{HEADER}\n{ALTMARKT}".encode()).source == source


class TestTooManyRows:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("lots.geojson", _geojson(*map(_feature, range(1, 4)))),
            ("lots.geojson", _geojson(*map(_feature, range(1, 4)))[:-1]),
            ("lots.csv", f"{HEADER}\n{ALTMARKT}\n{MITTE}\n".encode()),
            ("lots.xlsx", _xlsx(HEADER.split(","), ALTMARKT.split(","), MITTE.split(","))),
        ],
    )
    def test_rest_is_left_out_and_told(
        self, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
    ) -> None:
        monkeypatch.setattr(import_files, "MAX_ROWS", 1)
        parsed = parse_lots(name, content)
        assert len(parsed.rows) == 1
        assert "The file has more than 1 rows" in _messages(parsed, "refused")[0]


class TestXlsx:
    def test_sheet_is_read_like_a_csv(self) -> None:
        content = _xlsx(
            HEADER.split(","),
            [
                "altmarkt",
                "Altmarkt",
                "Dresden",
                400,
                "Altmarkt 1 01067 Dresden",
                51.05067,
                13.74179,
            ],
            [],
            [7, "Mitte", "Dresden", 280.0, None, "51.05814", 13.72611],
            ["x", "No point", "Dresden", 280],
        )
        parsed = parse_lots("lots.xlsx", content)
        assert parsed.format == "xlsx"
        assert [(row.row, row.external_id, row.capacity) for row in parsed.rows] == [
            (2, "altmarkt", 400),
            (4, "7", 280),
        ]
        assert parsed.refused_rows == [5]
        assert "The coordinates are text; they are read as numbers." in _messages(parsed, "changed")

    def test_sheet_that_claims_to_be_huge_is_read_as_far_as_it_goes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_files, "MAX_ROWS", 500)
        workbook = openpyxl.Workbook()
        workbook.active.append(HEADER.split(","))
        workbook.active.append(["a", "A", "Dresden", 400, "Altmarkt 1", 51.05067, 13.74179])
        workbook.active.cell(row=1_048_576, column=16_384, value="far")
        stream = io.BytesIO()
        workbook.save(stream)
        assert len(parse_lots("lots.xlsx", stream.getvalue()).rows) == 1

    def test_what_is_no_workbook_is_refused(self) -> None:
        whole = _xlsx(HEADER.split(","))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as package:
            package.writestr("hello.txt", "hello")
        for content in (b"x", b"PK\x03\x04", whole[: len(whole) // 2], packed.getvalue(), _xlsx()):
            with pytest.raises(ImportFileUnreadable, match=r"workbook.*\.$"):
                parse_lots("lots.xlsx", content)

    def test_bomb_is_refused_unopened(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("xl/worksheets/sheet1.xml", b"0" * 60 * 1024 * 1024)
        assert len(packed.getvalue()) < 100_000
        with pytest.raises(ImportFileUnreadable, match="larger than 50 MB once unpacked"):
            parse_lots("lots.xlsx", packed.getvalue())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
FIELDS = st.sampled_from(
    [
        *("uid", "name", "address", "city", "lat", "lon", "capacity", "capacity_disabled"),
        *("capacity_woman", "max_height", "opening_hours", "type", "is_covered"),
        *("supervision_type", "public_url", "purpose", "geometry", "external_id", "other"),
    ]
)


class TestWeirdContent:
    @given(st.dictionaries(FIELDS, JSON_VALUES, max_size=6), JSON_VALUES)
    @settings(deadline=None, max_examples=150)
    @example({"capacity": 1e308, "lat": -1e308, "lon": 10**309}, None)
    @example(
        {"opening_hours": "24/7\0", "name": "\ud800"}, {"type": "Point", "coordinates": [1, {}]}
    )
    def test_no_value_stops_the_import(self, properties: dict[str, Any], geometry: Any) -> None:
        for feature in (
            _feature(2, **properties),
            {**_feature(2, **properties), "geometry": geometry},
        ):
            parsed = _parse(_feature(1), feature, _feature(3, uid="third"))
            assert {row.row for row in parsed.rows} >= {1, 3} - set(parsed.refused_rows)
            assert 1 not in parsed.refused_rows
            for row in parsed.rows:
                f"{row.name}{row.address}{row.city}{row.external_id}".encode()
            for note in parsed.notes:
                assert len(note.message) < 500

    @given(
        st.sampled_from(["a.geojson", "a.csv", "a.xlsx"]),
        st.binary(max_size=200),
        st.integers(0, 3000),
    )
    @settings(deadline=None, max_examples=150)
    def test_no_bytes_stop_the_import(self, name: str, noise: bytes, position: int) -> None:
        sound = {
            "a.geojson": (DATA / "aalen.geojson").read_bytes(),
            "a.csv": (DATA / "dresden-lots.csv").read_bytes(),
            "a.xlsx": _xlsx(HEADER.split(","), ALTMARKT.split(",")),
        }[name]
        for content in (noise, sound[:position] + noise + sound[position + len(noise) :]):
            with contextlib.suppress(ImportFileUnreadable):
                parse_lots(name, content)


class TestZoneAt:
    @pytest.mark.parametrize(
        ("lat", "lng", "zone"),
        [
            (51.05, 13.74, "Europe/Berlin"),
            (12.97, 77.59, "Asia/Kolkata"),
            (35.68, 139.77, "Asia/Tokyo"),
            (90.0, 180.0, "Etc/GMT"),
        ],
    )
    def test_zone_follows_from_the_point(self, lat: float, lng: float, zone: str) -> None:
        assert zone_at(lat, lng).startswith(zone)
