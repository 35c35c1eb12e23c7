"""The waitlist over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.errors import (
    AlreadyWaiting,
    IllegalTransition,
    InvalidInput,
    LotHasRoom,
    LotNotBookable,
    NotFound,
    TooManyReservations,
    VehicleDoesNotFit,
)
from backend.waitlist import service
from backend.waitlist.schemas import WaitlistCreate, WaitlistEntrySchema
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("waitlist", __name__)


@api.resource("/waitlist")
class WaitlistEntryList(Resource):
    """What the caller waits for."""

    @operation(roles=("driver",), query=PageQuery(), response=page_schema(WaitlistEntrySchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List what you wait for, the newest first; what is over stays in the list."""
        before_id = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        limit = query["limit"]
        found = service.list_waiting(caller(), limit=limit + 1, before_id=before_id)
        return page_of(found, limit, "id", total=service.count_waiting(caller()))

    @operation(
        roles=("driver",),
        body=WaitlistCreate(),
        response=WaitlistEntrySchema(),
        status=HTTPStatus.CREATED,
        raises=(
            NotFound,
            InvalidInput,
            LotNotBookable,
            VehicleDoesNotFit,
            LotHasRoom,
            AlreadyWaiting,
            TooManyReservations,
        ),
        idempotent=True,
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Wait for a bay of a lot that is full.

        When one becomes free, the first in the queue whose window fits gets a real hold of 15 minutes and
        a mail. While a bay can be had there is nothing to wait for: book it.
        """
        made = WaitlistEntrySchema().dump(service.join(caller(), **body))
        remember(made=made)
        return to_json(made)


@api.resource("/waitlist/<id:entry_id>")
class WaitlistEntryDetail(Resource):
    """One thing that the caller waits for."""

    @operation(roles=("driver",), response=WaitlistEntrySchema(), raises=(NotFound,))
    def get(self, entry_id: int) -> service.Waiting:
        """Read where you stand in a queue, and what was offered."""
        return service.get_waiting(caller(), entry_id)

    @operation(
        roles=("driver",),
        status=HTTPStatus.NO_CONTENT,
        raises=(NotFound, IllegalTransition),
    )
    def delete(self, entry_id: int) -> None:
        """Wait no longer. What was offered is a booking, and is cancelled as one."""
        service.leave(caller(), entry_id)
