"""Closing bays in which bookings stand, and reporting one that is taken, over HTTP."""

from typing import Any

from backend.errors import IllegalTransition, InvalidInput, NotFound, PreviewOutdated
from backend.reservations import closing, reading, reporting
from backend.reservations.closing_schemas import ClosingCreate, ClosingSchema
from backend.reservations.schemas import ReservationSchema
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation

blueprint, api = resource_blueprint("closings", __name__)


@api.resource("/lots/<id:lot_id>/closings")
class LotClosings(Resource):
    """Closing bays of a lot."""

    @operation(
        roles=("admin",),
        body=ClosingCreate(),
        response=ClosingSchema(),
        raises=(NotFound, InvalidInput, IllegalTransition, PreviewOutdated),
        idempotent=True,
    )
    def post(self, lot_id: int, body: dict[str, Any]) -> bytes:
        """Close bays, or a whole lot, in which bookings stand.

        Ask with `dry_run` first: it lists the bookings that are hit, which of them get another bay, and
        which all their money back. Then send its `digest`, and just that is done, in one commit; when it
        has changed meanwhile, nothing is. A car that is in stays until its time is over.
        """
        made = ClosingSchema().dump(closing.close_bays(caller(), lot_id, **body))
        remember(made=made)
        return to_json(made)


@api.resource("/reservations/<id:reservation_id>/report-occupied")
class ReservationReport(Resource):
    """A bay that somebody else stands in."""

    @operation(
        roles=("driver", "attendant", "admin"),
        response=ReservationSchema(),
        raises=(NotFound, IllegalTransition),
    )
    def post(self, reservation_id: int) -> bytes:
        """Report that somebody else stands in the bay of a booking.

        It gets another bay; where none can be had, it is cancelled and all the money goes back. From when
        the entrance opens until the end. The bay is out of service for an hour.
        """
        reporting.report_occupied(caller(), reservation_id)
        return to_json(reading.represent(reading.get_reservation(caller(), reservation_id)))
