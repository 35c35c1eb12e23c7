"""``/vehicles``."""

from http import HTTPStatus
from typing import Any

from backend.errors import InvalidInput, NotFound, PlateTaken, TooManyVehicles, VehicleInUse
from backend.models import Vehicle
from backend.vehicles import service
from backend.vehicles.schemas import VehicleCreate, VehicleSchema, VehicleUpdate
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("vehicles", __name__)


@api.resource("/vehicles")
class VehicleList(Resource):
    """The caller's vehicles."""

    @operation(roles=("driver",), query=PageQuery(), response=page_schema(VehicleSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List your vehicles."""
        after_id = read_cursor(query["cursor"], int)[0] if query["cursor"] else 0
        limit = query["limit"]
        vehicles = service.list_vehicles(caller(), after_id=after_id, limit=limit + 1)
        return page_of(vehicles, limit, "id", total=service.count_vehicles(caller()))

    @operation(
        roles=("driver",),
        body=VehicleCreate(),
        response=VehicleSchema(),
        status=HTTPStatus.CREATED,
        raises=(PlateTaken, TooManyVehicles),
        idempotent=True,
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Add a vehicle.

        The first one is the default, which is offered when you book.
        """
        made = VehicleSchema().dump(service.add_vehicle(caller(), **body))
        remember(made=made)
        return to_json(made)


@api.resource("/vehicles/<id:vehicle_id>")
class VehicleDetail(Resource):
    """One of the caller's vehicles."""

    @operation(roles=("driver",), response=VehicleSchema(), raises=(NotFound,))
    def get(self, vehicle_id: int) -> Vehicle:
        """Read one of your vehicles."""
        return service.get_vehicle(caller(), vehicle_id)

    @operation(
        roles=("driver",),
        body=VehicleUpdate(),
        response=VehicleSchema(),
        raises=(NotFound, PlateTaken, VehicleInUse, InvalidInput),
    )
    def patch(self, vehicle_id: int, body: dict[str, Any]) -> Vehicle:
        """Change one of your vehicles.

        Its plate stays as it is while a live booking stands for it.
        """
        return service.change_vehicle(caller(), vehicle_id, changes=body)

    @operation(roles=("driver",), status=HTTPStatus.NO_CONTENT, raises=(NotFound, VehicleInUse))
    def delete(self, vehicle_id: int) -> None:
        """Take one of your vehicles away.

        Refused while a live booking stands for it. What it did before stays in your history.
        """
        service.delete_vehicle(caller(), vehicle_id)
