"""Reservations over HTTP."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from backend.errors import (
    HoldExpired,
    IllegalTransition,
    InvalidInput,
    LotFull,
    LotNotBookable,
    NotFound,
    QuoteExpired,
    SpotTaken,
    TooManyHolds,
    TooManyReservations,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.reservations import booking, reading, service
from backend.reservations.codes import read_code
from backend.reservations.schemas import (
    ReservationCreate,
    ReservationQuery,
    ReservationSchema,
    TicketKeySetSchema,
    TicketSchema,
)
from backend.reservations.signed_ticket import SignedTicket, issue_ticket, public_keys
from backend.vehicles.plates import normalise_plate
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import page_schema, read_cursor, write_cursor

blueprint, api = resource_blueprint("reservations", __name__)


@api.resource("/reservations")
class ReservationList(Resource):
    """Reservations."""

    @operation(
        roles=("driver", "admin"),
        query=ReservationQuery(),
        response=page_schema(ReservationSchema),
    )
    def get(self, query: dict[str, Any]) -> bytes:
        """List reservations, the latest start first, or the soonest when only upcoming ones are asked for.

        Drivers see their own; admins see all, and may ask for a driver, a plate or a code.
        """
        found, following, total = reading.list_reservations(
            _filters(query), limit=query["limit"], after=_after(query["cursor"])
        )
        return to_json(
            {
                "items": [reading.represent(each) for each in found],
                "next_cursor": write_cursor(following[0].isoformat(), following[1])
                if following
                else None,
                "total": total,
            }
        )

    @operation(
        roles=("driver",),
        body=ReservationCreate(),
        response=ReservationSchema(),
        status=HTTPStatus.CREATED,
        idempotent=True,
        raises=(
            NotFound,
            QuoteExpired,
            LotNotBookable,
            VehicleDoesNotFit,
            TooManyHolds,
            TooManyReservations,
            VehicleAlreadyBooked,
            SpotTaken,
            LotFull,
        ),
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Book a bay.

        It is held until `hold_expires_at`; pay before then. When no bay can be had, `alternatives`
        tells what is free instead: other bays, other lots, or a later time.
        """
        if "quote_id" in body:
            reservation_id = booking.book_quote(caller(), **body)
        else:
            reservation_id = booking.book_window(caller(), **body)
        held = reading.get_reservation(caller(), reservation_id)
        answer = reading.represent(held)
        remember(
            id=reservation_id,
            status=held.status,
            hold_expires_at=held.hold_expires_at,
            # A lot may be renamed before the same request comes again, and be answered as the first.
            **{name: answer[name] for name in ("lot", "spot", "vehicle")},
        )
        return to_json(answer)

    def replay(self, facts: dict[str, Any]) -> bytes:
        """Answer again as the booking was answered."""
        booked = reading.get_reservation(caller(), facts["id"])
        return to_json(reading.represent(booked, as_booked=facts))


@api.resource("/reservations/<id:reservation_id>")
class ReservationDetail(Resource):
    """One reservation."""

    @operation(roles=("driver", "admin"), response=ReservationSchema(), raises=(NotFound,))
    def get(self, reservation_id: int) -> bytes:
        """Show a reservation."""
        return _answer(reservation_id)


@api.resource("/reservations/<id:reservation_id>/ticket")
class ReservationTicket(Resource):
    """The ticket of a reservation."""

    @operation(
        roles=("driver", "admin"), response=TicketSchema(), raises=(NotFound, IllegalTransition)
    )
    def get(self, reservation_id: int) -> SignedTicket:
        """Get the ticket of a paid booking, signed for its QR code.

        It opens the entrance from 15 minutes before the start, from 2 hours before for stays over 24
        hours, until 10 minutes after the end.
        """
        return issue_ticket(caller(), reservation_id)


@api.resource("/tickets/keys")
class TicketKeys(Resource):
    """The keys of tickets."""

    @operation(public=True, response=TicketKeySetSchema(), transaction=False, shared="ticket-keys")
    def get(self) -> dict[str, Any]:
        """Get the public keys by which tickets are checked, offline too."""
        return {"keys": public_keys()}


@api.resource("/reservations/<id:reservation_id>/cancel")
class ReservationCancel(Resource):
    """Letting a hold go."""

    @operation(
        roles=("driver",), response=ReservationSchema(), raises=(NotFound, IllegalTransition)
    )
    def post(self, reservation_id: int) -> bytes:
        """Cancel an unpaid booking. Its bay is free at once."""
        service.cancel_hold(caller(), reservation_id)
        return _answer(reservation_id)


@api.resource("/reservations/<id:reservation_id>/prolong")
class ReservationProlong(Resource):
    """More time to pay."""

    @operation(
        roles=("driver",),
        response=ReservationSchema(),
        raises=(NotFound, IllegalTransition, HoldExpired),
    )
    def post(self, reservation_id: int) -> bytes:
        """Get five minutes more to pay, once."""
        service.prolong_hold(caller(), reservation_id)
        return _answer(reservation_id)


def _answer(reservation_id: int) -> bytes:
    return to_json(reading.represent(reading.get_reservation(caller(), reservation_id)))


def _filters(query: dict[str, Any]) -> reading.Filters:
    wanted = {
        name: query.get(name)
        for name in (
            *("user_id", "lot_id", "plate", "code", "status", "when"),
            *("ends_after", "starts_before"),
        )
    }
    if caller().has_role("admin"):
        if wanted["plate"]:
            try:
                wanted["plate"] = normalise_plate(wanted["plate"])
            except ValueError as error:
                raise InvalidInput(errors={"plate": [str(error)]}) from error
        if wanted["code"]:
            wanted["code"] = read_code(wanted["code"])
        return reading.Filters(**wanted)
    refused = [name for name in ("user_id", "plate", "code") if wanted[name] is not None]
    if refused:
        raise InvalidInput(errors={name: ["Only admins may ask for this."] for name in refused})
    return reading.Filters(**wanted | {"user_id": caller().id})


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    moment, reservation_id = read_cursor(cursor, str, int)
    starts_at: datetime | None
    try:
        starts_at = datetime.fromisoformat(moment)
        # A moment of the year 1 with an offset has no UTC.
        starts_at = starts_at.astimezone(UTC) if starts_at.tzinfo else None
    except (ValueError, OverflowError):
        starts_at = None
    if starts_at is None:
        raise InvalidInput(errors={"cursor": ["This is not a cursor of this list."]})
    return starts_at, reservation_id
