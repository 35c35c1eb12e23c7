"""Reservations over HTTP."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response

from backend.errors import (
    CouponNotValid,
    DebtStands,
    EntryRefused,
    ExtensionBlocked,
    HoldExpired,
    IllegalTransition,
    InvalidInput,
    LotFull,
    LotNotBookable,
    NotFound,
    PaymentDue,
    QuoteExpired,
    RefundChanged,
    SpotTaken,
    TooManyHolds,
    TooManyReservations,
    VehicleAlreadyBooked,
    VehicleDoesNotFit,
)
from backend.lots.staff import works_at
from backend.reservations import (
    booking,
    cancelling,
    changing_vehicle,
    documents,
    entering,
    extending,
    history,
    leaving,
    reading,
    rescheduling,
    service,
)
from backend.reservations.calendar_file import write_calendar
from backend.reservations.codes import read_code
from backend.reservations.schemas import (
    CancellationSchema,
    ExtensionQuery,
    ExtensionSchema,
    ReschedulingQuery,
    ReschedulingSchema,
    ReservationCancel,
    ReservationCheckOut,
    ReservationCreate,
    ReservationEventListSchema,
    ReservationExtend,
    ReservationQuery,
    ReservationReschedule,
    ReservationSchema,
    ReservationUpdate,
    TicketKeySetSchema,
    TicketSchema,
)
from backend.reservations.signed_ticket import SignedTicket, issue_ticket, public_keys
from backend.reservations.ticket_pdf import draw_ticket
from backend.transaction import transaction
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
            DebtStands,
            TooManyHolds,
            TooManyReservations,
            VehicleAlreadyBooked,
            CouponNotValid,
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

    @operation(
        roles=("driver", "attendant", "admin"), response=ReservationSchema(), raises=(NotFound,)
    )
    def get(self, reservation_id: int) -> bytes:
        """Show a reservation. Attendants see those of their lots."""
        return _answer(reservation_id)

    @operation(
        roles=("driver",),
        body=ReservationUpdate(),
        response=ReservationSchema(),
        raises=(NotFound, IllegalTransition, VehicleDoesNotFit, VehicleAlreadyBooked),
    )
    def patch(self, reservation_id: int, body: dict[str, Any]) -> bytes:
        """Come with another vehicle, before check-in. It must fit the bay."""
        changing_vehicle.change_vehicle(caller(), reservation_id, vehicle_id=body["vehicle_id"])
        return _answer(reservation_id)


@api.resource("/reservations/<id:reservation_id>/events")
class ReservationEvents(Resource):
    """What happened to a reservation."""

    @operation(
        roles=("driver", "attendant", "admin"),
        response=ReservationEventListSchema(),
        raises=(NotFound,),
    )
    def get(self, reservation_id: int) -> dict[str, Any]:
        """List what happened to a reservation, the first foremost."""
        return {"items": history.list_events(caller(), reservation_id)}


@api.resource("/reservations/<id:reservation_id>/ticket")
class ReservationTicket(Resource):
    """The ticket of a reservation."""

    @operation(
        roles=("driver", "admin"), response=TicketSchema(), raises=(NotFound, IllegalTransition)
    )
    def get(self, reservation_id: int) -> SignedTicket:
        """Get the ticket of a paid booking, signed for its QR code.

        It opens the entrance from shortly before the start until shortly after the end, as the lot has it:
        15 minutes before unless told otherwise, 2 hours before for stays over 24 hours, 10 minutes after.
        """
        return issue_ticket(caller(), reservation_id)


@api.resource("/reservations/<id:reservation_id>/ticket.pdf")
class ReservationTicketPage(Resource):
    """The ticket of a reservation, to print."""

    @operation(
        roles=("driver", "admin"),
        media_type="application/pdf",
        transaction=False,
        raises=(NotFound, IllegalTransition),
    )
    def get(self, reservation_id: int) -> Response:
        """Get the ticket of a paid booking as PDF, with its QR code."""
        with transaction(read_only=True):
            ticket = documents.describe_ticket(caller(), reservation_id)
        answer = Response(draw_ticket(ticket), mimetype="application/pdf")
        answer.headers["Content-Disposition"] = f'inline; filename="ticket-{ticket.code}.pdf"'
        return answer


@api.resource("/reservations/<id:reservation_id>/calendar.ics")
class ReservationCalendar(Resource):
    """A reservation as an entry for calendars."""

    @operation(
        roles=("driver", "admin"),
        media_type="text/calendar",
        transaction=False,
        raises=(NotFound,),
    )
    def get(self, reservation_id: int) -> Response:
        """Get a booking as an entry for calendars (RFC 5545).

        It is the same entry each time, by its UID: what was changed since replaces it, and a
        cancelled booking takes it away.
        """
        with transaction(read_only=True):
            entry = documents.describe_entry(caller(), reservation_id)
        answer = Response(write_calendar(entry), mimetype="text/calendar")
        answer.headers["Content-Disposition"] = f'attachment; filename="parking-{entry.code}.ics"'
        return answer


@api.resource("/tickets/keys")
class TicketKeys(Resource):
    """The keys of tickets."""

    @operation(public=True, response=TicketKeySetSchema(), transaction=False, shared="ticket-keys")
    def get(self) -> dict[str, Any]:
        """Get the public keys by which tickets are checked, offline too."""
        return {"keys": public_keys()}


@api.resource("/reservations/<id:reservation_id>/cancellation")
class ReservationCancellation(Resource):
    """What comes back of a booking that is cancelled."""

    @operation(
        roles=("driver",), response=CancellationSchema(), raises=(NotFound, IllegalTransition)
    )
    def get(self, reservation_id: int) -> cancelling.Cancellation:
        """Tell what would come back, if the booking were cancelled now."""
        return cancelling.preview_cancellation(caller(), reservation_id)


@api.resource("/reservations/<id:reservation_id>/cancel")
class ReservationCancelled(Resource):
    """Letting a booking go."""

    @operation(
        roles=("driver", "admin"),
        body=ReservationCancel(),
        response=ReservationSchema(),
        idempotent=True,
        raises=(NotFound, IllegalTransition, RefundChanged),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> bytes:
        """Cancel a booking before its car comes.

        Its bay is free at once, and what `/cancellation` tells comes back. When an admin cancels
        the booking of somebody else, all that was paid comes back.
        """
        cancelling.cancel(caller(), reservation_id, **body)
        return _answer_once(reservation_id)


@api.resource("/reservations/<id:reservation_id>/extension")
class ReservationExtension(Resource):
    """What a longer stay costs."""

    @operation(
        roles=("driver",),
        query=ExtensionQuery(),
        response=ExtensionSchema(),
        raises=(NotFound, IllegalTransition, LotNotBookable),
    )
    def get(self, reservation_id: int, query: dict[str, Any]) -> extending.Extension:
        """Tell what it would cost to stay longer, and which bay there would be."""
        return extending.preview_extension(caller(), reservation_id, query["ends_at"])


@api.resource("/reservations/<id:reservation_id>/extend")
class ReservationExtended(Resource):
    """Staying longer."""

    @operation(
        roles=("driver",),
        body=ReservationExtend(),
        response=ReservationSchema(),
        idempotent=True,
        raises=(
            NotFound,
            IllegalTransition,
            LotNotBookable,
            ExtensionBlocked,
            VehicleDoesNotFit,
            VehicleAlreadyBooked,
        ),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> bytes:
        """Stay longer.

        What it costs more is due at the latest before leaving. Where the bay is taken by then,
        `longest_ends_at` and `alternatives` tell what can be had instead.
        """
        extending.extend(caller(), reservation_id, **body)
        return _answer_once(reservation_id)


@api.resource("/reservations/<id:reservation_id>/rescheduling")
class ReservationRescheduling(Resource):
    """What another time costs."""

    @operation(
        roles=("driver",),
        query=ReschedulingQuery(),
        response=ReschedulingSchema(),
        raises=(NotFound, IllegalTransition, LotNotBookable),
    )
    def get(self, reservation_id: int, query: dict[str, Any]) -> rescheduling.Rescheduling:
        """Tell what another time would cost or give back, and whether there is a bay then."""
        return rescheduling.preview_rescheduling(caller(), reservation_id, **query)


@api.resource("/reservations/<id:reservation_id>/reschedule")
class ReservationRescheduled(Resource):
    """Coming at another time."""

    @operation(
        roles=("driver",),
        body=ReservationReschedule(),
        response=ReservationSchema(),
        idempotent=True,
        raises=(
            NotFound,
            IllegalTransition,
            LotNotBookable,
            SpotTaken,
            LotFull,
            VehicleAlreadyBooked,
        ),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> bytes:
        """Come at another time, before check-in.

        What it costs more is due at the latest before leaving; when it costs less, the share of the
        refund policy comes back.
        """
        rescheduling.reschedule(caller(), reservation_id, **body)
        return _answer_once(reservation_id)


@api.resource("/reservations/<id:reservation_id>/check-in")
class ReservationCheckIn(Resource):
    """A car that comes in."""

    @operation(
        roles=("driver", "attendant", "admin"),
        response=ReservationSchema(),
        raises=(NotFound, EntryRefused),
    )
    def post(self, reservation_id: int) -> bytes:
        """Let the car of a booking in; drivers may, where the lot lets them do so themselves."""
        entering.check_in(caller(), reservation_id)
        return _answer(reservation_id)


@api.resource("/reservations/<id:reservation_id>/check-out")
class ReservationCheckedOut(Resource):
    """A car that leaves."""

    @operation(
        roles=("driver", "attendant", "admin"),
        body=ReservationCheckOut(),
        response=ReservationSchema(),
        idempotent=True,
        raises=(NotFound, IllegalTransition, PaymentDue),
    )
    def post(self, reservation_id: int, body: dict[str, Any]) -> bytes:
        """Let the car of a booking out; drivers may, where the lot lets them do so themselves.

        What is due is paid first, or staff let the car out for a reason, and it is a debt then.
        """
        leaving.check_out(caller(), reservation_id, **body)
        return _answer_once(reservation_id)


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
    facts = reading.get_reservation(caller(), reservation_id)
    return to_json(reading.represent(facts, for_staff=works_at(caller(), facts.lot_id)))


def _answer_once(reservation_id: int) -> bytes:
    """Answer, and answer the same request the same when it comes again."""
    answer = _answer(reservation_id)
    remember(made=orjson.loads(answer))
    return answer


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
