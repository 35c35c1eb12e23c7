"""The gate over HTTP."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any

from backend.errors import (
    EntryRefused,
    IllegalTransition,
    InvalidInput,
    LotFull,
    LotNotBookable,
    NotFound,
    PaymentDue,
    SpotTaken,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.gate import scanning, service, walk_ins
from backend.gate.schemas import (
    ArrivalQuery,
    CashUpQuery,
    CashUpSchema,
    GateLotQuery,
    GateLotSchema,
    GateQuery,
    PassageSchema,
    ScanCreate,
    ScanQuery,
    ScanSchema,
    WalkInCreate,
)
from backend.reservations import reading
from backend.reservations.schemas import ReservationSchema
from backend.transaction import transaction
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, page_of, page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("gate", __name__)

_STAFF = ("attendant", "admin")


@api.resource("/gate/scan")
class GateScanning(Resource):
    """A scan at a gate."""

    @operation(
        roles=_STAFF,
        body=ScanCreate(),
        response=PassageSchema(),
        transaction=False,
        raises=(NotFound, EntryRefused, PaymentDue, IllegalTransition),
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Open the gate for a ticket, a code or a plate.

        The answer tells what to say to whoever stands there. A refusal tells its `reason`:
        `not-readable`, `unknown`, `wrong-lot`, `too-early`, `not-paid`, `over`, `bay-not-free`,
        `already-in` or `not-in`. Every scan is kept, refused ones too.
        """
        passed = scanning.scan(caller(), **body)
        with transaction(read_only=True):
            (facts,) = reading.list_facts([passed.reservation_id])
            told = reading.represent(facts)
        return to_json({"result": passed.result, "reservation": told, "message": passed.message})


@api.resource("/gate/walk-ins")
class GateWalkIns(Resource):
    """Cars without a booking."""

    @operation(
        roles=_STAFF,
        body=WalkInCreate(),
        response=ReservationSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
        raises=(
            NotFound,
            LotNotBookable,
            VehicleDoesNotFit,
            VehicleAlreadyBooked,
            SpotTaken,
            LotFull,
        ),
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Let a car in that has no booking.

        It gets a bay and a code, and pays for the time that it was in when it leaves.
        """
        reservation_id = walk_ins.admit(caller(), **body)
        remember(id=reservation_id)
        return _tell(reservation_id)

    def replay(self, facts: dict[str, Any]) -> bytes:
        """Answer again with the car that was let in, as it stands now."""
        return _tell(facts["id"])


@api.resource("/gate/lots")
class GateLots(Resource):
    """Where the caller works."""

    @operation(roles=_STAFF, query=GateLotQuery(), response=page_schema(GateLotSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List the lots at whose gates the caller works, by name. Admins work at all."""
        after = None
        if query["cursor"]:
            name, lot_id = read_cursor(query["cursor"], str, int)
            after = (name, lot_id)
        found = service.list_workplaces(
            caller(), limit=query["limit"], after=after, q=query["q"], lot_id=query["lot_id"]
        )
        return page_of(found, query["limit"], "name", "id")


@api.resource("/gate/arrivals")
class GateArrivals(Resource):
    """Who comes next."""

    @operation(
        roles=_STAFF,
        query=ArrivalQuery(),
        response=page_schema(ReservationSchema),
        raises=(NotFound,),
    )
    def get(self, query: dict[str, Any]) -> bytes:
        """List the paid bookings that come within some hours, and those that are late, the soonest first."""
        found = service.list_arrivals(
            caller(),
            query["lot_id"],
            hours=query["hours"],
            limit=query["limit"],
            after=_after(query["cursor"]),
        )
        return _page(found, query["limit"])


@api.resource("/gate/present")
class GatePresent(Resource):
    """Who is in."""

    @operation(
        roles=_STAFF,
        query=GateQuery(),
        response=page_schema(ReservationSchema),
        raises=(NotFound,),
    )
    def get(self, query: dict[str, Any]) -> bytes:
        """List the cars that are in, the first to end foremost; `due_minor` is what each would pay now."""
        found = service.list_present(
            caller(), query["lot_id"], limit=query["limit"], after=_after(query["cursor"])
        )
        return _page(found, query["limit"])


@api.resource("/gate/scans")
class GateScans(Resource):
    """What was shown."""

    @operation(
        roles=_STAFF, query=ScanQuery(), response=page_schema(ScanSchema), raises=(NotFound,)
    )
    def get(self, query: dict[str, Any]) -> Page:
        """List what was shown at the gate of a lot and what became of it, the newest first."""
        before = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        found = service.list_scans(
            caller(),
            query["lot_id"],
            limit=query["limit"],
            before=before,
            result=query["result"],
        )
        return page_of(found, query["limit"], "id")


@api.resource("/gate/cash-up")
class GateCashUp(Resource):
    """The cash of a day."""

    @operation(roles=_STAFF, query=CashUpQuery(), response=CashUpSchema(), raises=(NotFound,))
    def get(self, query: dict[str, Any]) -> bytes:
        """Add up the cash that was taken at a lot on one day of its own zone, by who took it."""
        day = None if query["day"] is None else date.fromisoformat(query["day"])
        cash = service.cash_up(caller(), query["lot_id"], day=day)
        return to_json(
            {
                "day": cash.day.isoformat(),
                "lot_id": cash.lot_id,
                "total_minor": cash.total_minor,
                "currency": cash.currency,
                "items": [
                    {
                        "attendant": item.attendant,
                        "attendant_id": item.attendant_id,
                        "count": item.count,
                        "taken_minor": item.taken_minor,
                        "given_back_minor": item.given_back_minor,
                        "total_minor": item.total_minor,
                    }
                    for item in cash.items
                ],
            }
        )


def _tell(reservation_id: int) -> bytes:
    (facts,) = reading.list_facts([reservation_id])
    return to_json(reading.represent(facts))


def _page(found: list[tuple[int, datetime]], limit: int) -> bytes:
    shown = found[:limit]
    following = None
    if len(found) > limit:
        last_id, last_at = shown[-1]
        following = write_cursor(last_at.isoformat(), last_id)
    facts = reading.list_facts([reservation_id for reservation_id, _ in shown])
    return to_json(
        {
            "items": [reading.represent(each) for each in facts],
            "next_cursor": following,
            "total": None,
        }
    )


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    moment, reservation_id = read_cursor(cursor, str, int)
    try:
        at = datetime.fromisoformat(moment)
        # A moment of the year 1 with an offset has no UTC.
        return at.astimezone(UTC), reservation_id
    except (ValueError, OverflowError) as error:
        raise InvalidInput(errors={"cursor": ["This is not a cursor of this list."]}) from error
