"""Lots and their bays over HTTP."""

from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import flask_excel
from flask import Response

from backend import clock
from backend.config import settings
from backend.errors import (
    FileUnreadable,
    IllegalTransition,
    InvalidInput,
    LabelTaken,
    LotInUse,
    NotFound,
    SpotInUse,
)
from backend.folding import fold
from backend.identity import Caller
from backend.lots import bays, service, staff
from backend.lots.bay_schemas import (
    NewSpotListSchema,
    SpotClosureListSchema,
    SpotCreate,
    SpotQuery,
    SpotSchema,
    SpotStateListSchema,
    SpotUpdate,
)
from backend.lots.distance import Point
from backend.lots.free_hours import choose_hours, count_free_hours
from backend.lots.import_files import MAX_FILE_BYTES, TEMPLATE
from backend.lots.import_lots import ImportReport, import_lots
from backend.lots.import_schemas import ImportReportSchema, LotImport
from backend.lots.schemas import (
    FreeHoursSchema,
    HoursQuery,
    LotCreate,
    LotListSchema,
    LotQuery,
    LotSchema,
    LotUpdate,
    StaffListSchema,
    StaffUpdate,
)
from backend.lots.search import LotSearch, search_lots
from backend.lots.window import check_window, default_window
from backend.models.lot import LOT_STATUSES
from backend.transaction import transaction
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.cache import cached_bytes, invalidate
from backend.web.caller import caller, find_caller
from backend.web.idempotency import remember
from backend.web.operation import MULTIPART, operation
from backend.web.pagination import Page, read_cursor, write_cursor

CACHED = "lots"

_FRESH_SECONDS = 15
_FORM_BYTES = 64 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

blueprint, api = resource_blueprint("lots", __name__)


def forget_lists(_sender: Any, **_facts: Any) -> None:
    """Forget what lists of lots said; ``create_app`` connects it to what changes them."""
    invalidate(CACHED)


@api.resource("/lots")
class LotList(Resource):
    """All lots."""

    @operation(
        public=True,
        query=LotQuery(),
        response=LotListSchema(),
        raises=(InvalidInput,),
        transaction=False,
        shared=CACHED,
    )
    def get(self, query: dict[str, Any]) -> bytes:
        """Find lots, with their true availability and price for a window.

        Without a window it is the next two hours. Text is matched without case and accents; the best
        match's place is the point when none is given, and without a point distances are null. By price
        the 1,000 nearest lots are listed.
        """
        search = _read_search(find_caller(), query)
        key = blake2b(to_json(search), digest_size=16).hexdigest()
        # Everybody who may see the same lots gets the same answer.
        return cached_bytes(CACHED, key, lambda: _search(search), _FRESH_SECONDS)

    @operation(
        roles=("admin",),
        body=LotCreate(),
        response=LotSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Make a lot.

        It is a draft unless told otherwise, has no bays yet, and lies in the time zone of its point.
        """
        made = LotSchema().dump(service.create_lot(caller(), **body))
        remember(made=made)
        return to_json(made)


@api.resource("/lots/availability")
class LotHours(Resource):
    """How many bays are free, hour by hour."""

    @operation(
        public=True,
        query=HoursQuery(),
        response=FreeHoursSchema(),
        raises=(InvalidInput,),
        transaction=False,
        shared=CACHED,
    )
    def get(self, query: dict[str, Any]) -> bytes:
        """Count free bays by hour.

        A bay counts that fits the vehicle and is free in all of the hour, in the open lots that match
        the same filters as in the list of lots; at most in the 1,000 nearest ones. Lots that are too
        low for the vehicle or have no tariff do not count. Up to 48 whole hours can be looked at;
        without a window it is today, in the time zone of the installation.
        """
        now = clock.now()
        lot_id = query.pop("lot_id")
        starts_at, ends_at = choose_hours(
            now, query.pop("starts_at"), query.pop("ends_at"), zone=settings().timezone
        )
        search = _make_search(
            find_caller(), query, starts_at=starts_at, ends_at=ends_at, statuses=("open",)
        )
        key = blake2b(to_json(search), digest_size=16).hexdigest()
        return cached_bytes(
            CACHED, f"hours:{lot_id}:{key}", lambda: _count_hours(search, lot_id), _FRESH_SECONDS
        )


@api.resource("/lots/<id:lot_id>")
class LotDetail(Resource):
    """One lot."""

    @operation(public=True, response=LotSchema(), raises=(NotFound,))
    def get(self, lot_id: int) -> service.LotDetail:
        """Read everything about a lot that does not depend on a window."""
        return service.get_lot_detail(find_caller(), lot_id)

    @operation(
        roles=("admin",),
        body=LotUpdate(),
        response=LotSchema(),
        raises=(NotFound, IllegalTransition, LotInUse),
    )
    def patch(self, lot_id: int, body: dict[str, Any]) -> service.LotDetail:
        """Change facts of a lot, open it, or close it.

        A time zone that is its point's goes along when the point moves. Closing is refused while
        bookings stand in it; they are listed in `reservations`.
        """
        return service.update_lot(caller(), lot_id, **body)

    @operation(roles=("admin",), status=HTTPStatus.NO_CONTENT, raises=(NotFound, LotInUse))
    def delete(self, lot_id: int) -> None:
        """Archive a lot.

        Refused while bookings stand in it; they are listed in `reservations`. Its history stays.
        """
        service.archive_lot(caller(), lot_id)


@api.resource("/lots/<id:lot_id>/spots")
class LotSpotList(Resource):
    """The bays of a lot."""

    @operation(
        public=True,
        query=SpotQuery(),
        response=SpotStateListSchema(),
        raises=(NotFound, InvalidInput),
    )
    def get(self, lot_id: int, query: dict[str, Any]) -> bytes:
        """List the bays of a lot with their state in a window.

        Without a window it is the next two hours. Who holds a bay is told to admins and to the lot's own
        attendants alone.
        """
        return to_json({"items": bays.list_spots(find_caller(), lot_id, **query)})

    @operation(
        roles=("admin",),
        body=SpotCreate(),
        response=NewSpotListSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound, IllegalTransition, InvalidInput, LabelTaken),
        idempotent=True,
    )
    def post(self, lot_id: int, body: dict[str, Any]) -> Page:
        """Add a row of bays to a lot, all or none.

        Their labels are the prefix and the numbers, with at least two digits: A01 to A12.
        """
        added = bays.add_spots(caller(), lot_id, **body)
        remember(ids=[added[0].id, added[-1].id], row=bays.row_of(added[0]), wanted=body)
        return Page(added)

    def replay(self, facts: dict[str, Any], lot_id: int) -> Page:
        """Give the bays as they were added."""
        return Page(bays.list_as_added(lot_id, facts["ids"], row=facts["row"], **facts["wanted"]))


@api.resource("/lots/<id:lot_id>/closures")
class LotClosureList(Resource):
    """The bays of a lot that are out of service."""

    @operation(roles=("admin",), response=SpotClosureListSchema(), raises=(NotFound,))
    def get(self, lot_id: int) -> bytes:
        """List when bays are out of service, now or later.

        What a closing of the whole lot does to its bays is not told here.
        """
        return to_json({"items": bays.list_closures(lot_id)})


@api.resource("/lots/<id:lot_id>/staff")
class LotStaff(Resource):
    """The attendants of a lot."""

    @operation(roles=("admin",), response=StaffListSchema(), raises=(NotFound,))
    def get(self, lot_id: int) -> dict[str, Any]:
        """List the attendants who work at a lot."""
        return {"items": staff.list_staff(lot_id)}

    @operation(
        roles=("admin",),
        body=StaffUpdate(),
        response=StaffListSchema(),
        raises=(NotFound, InvalidInput),
    )
    def put(self, lot_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Say which attendants work at a lot; all of them, and nobody else."""
        return {"items": staff.set_staff(caller(), lot_id, **body)}


@api.resource("/spots/<id:spot_id>")
class SpotDetail(Resource):
    """One bay."""

    @operation(roles=("admin",), response=SpotSchema(), raises=(NotFound,))
    def get(self, spot_id: int) -> bays.SpotDetail:
        """Read a bay, and when it is out of service."""
        return bays.get_spot_detail(spot_id)

    @operation(
        roles=("admin",),
        body=SpotUpdate(),
        response=SpotSchema(),
        raises=(NotFound, InvalidInput, LabelTaken, SpotInUse),
    )
    def patch(self, spot_id: int, body: dict[str, Any]) -> bays.SpotDetail:
        """Change a bay, take it out of service for a time, or put it back.

        Refused while bookings stand in the way; they are listed in `reservations`.
        """
        return bays.update_spot(caller(), spot_id, **body)


@api.resource("/lots/import-template.xlsx")
class LotImportTemplate(Resource):
    """A table to fill in."""

    @operation(roles=("admin",), media_type=_XLSX, transaction=False)
    def get(self) -> Response:
        """Get an empty table of the columns that an import reads, with one lot to show how."""
        answer: Response = flask_excel.make_response_from_array(TEMPLATE, "xlsx", file_name="lots")
        return answer


@api.resource("/lots/import")
class LotImports(Resource):
    """Lots from files."""

    @operation(
        roles=("admin",),
        body=LotImport(),
        body_type=MULTIPART,
        max_body=MAX_FILE_BYTES + _FORM_BYTES,
        response=ImportReportSchema(),
        raises=(FileUnreadable,),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> ImportReport:
        """Import lots from a ParkAPI GeoJSON, CSV or XLSX file, and report row by row.

        New lots are open and have their bays laid out, but no tariff yet. A second import of a file of
        the same name brings its lots up to date. A row that fails costs that row alone.
        """
        file = body["file"]
        return import_lots(
            file.filename or "", file.read(), dry_run=body["dry_run"], admin=caller()
        )


def _read_search(asker: Caller | None, query: dict[str, Any]) -> LotSearch:
    now = clock.now()
    starts_at, ends_at = default_window(now, query.pop("starts_at"), query.pop("ends_at"))
    check_window(now, starts_at, ends_at)
    is_admin = asker is not None and asker.has_role("admin")
    status, cursor = query.pop("status"), query.pop("cursor")
    visible = LOT_STATUSES if is_admin and status else service.PUBLIC_STATUSES
    return _make_search(
        asker,
        query,
        starts_at=starts_at,
        ends_at=ends_at,
        statuses=tuple(each for each in visible if not status or each in status),
        after=_read_position(cursor) if cursor else None,
    )


def _make_search(asker: Caller | None, query: dict[str, Any], **more: Any) -> LotSearch:
    """Make a search of what a query says of lots and vehicle, of who asks, and of what it leads to."""
    text, lat, lng = query.pop("q"), query.pop("lat"), query.pop("lng")
    return LotSearch(
        q=fold(text) if text else None,
        point=None if lat is None else Point(lat, lng),
        amenities=tuple(sorted({each.casefold() for each in query.pop("amenity")})),
        has_permit=asker is not None and asker.has_permit,
        **query,
        **more,
    )


def _read_position(cursor: str) -> tuple[str | int, int]:
    key, lot_id = read_cursor(cursor, (str, int), int)
    return key, lot_id


def _count_hours(search: LotSearch, lot_id: int | None) -> bytes:
    with transaction(read_only=True):
        return to_json(count_free_hours(search, lot_id=lot_id))


def _search(search: LotSearch) -> bytes:
    with transaction(read_only=True):
        page = search_lots(search)
    return to_json(
        {
            "items": page.items,
            "next_cursor": write_cursor(*page.position) if page.position else None,
            "total": page.total,
            "place": page.place,
        }
    )
