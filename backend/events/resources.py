"""Tickets for live events over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.errors import ServiceUnavailable
from backend.events import service
from backend.events.schemas import EventTicketCreate, EventTicketSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation

blueprint, api = resource_blueprint("events", __name__)


@api.resource("/events/ticket")
class EventTicketList(Resource):
    """Tickets for live events."""

    @operation(
        body=EventTicketCreate(),
        response=EventTicketSchema(),
        status=HTTPStatus.CREATED,
        transaction=False,
        raises=(ServiceUnavailable,),
    )
    def post(self, body: dict[str, Any]) -> service.EventTicket:
        """Get a ticket for one connection to the live events.

        A browser's EventSource sends no token, so the ticket goes into the address: it is good once
        and for a minute. The stream sends a heartbeat every 15 seconds.
        """
        return service.make_ticket(caller(), lot_id=body["lot_id"])
