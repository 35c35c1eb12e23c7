"""Tariffs over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.errors import IllegalTransition, InvalidInput, NotFound, TariffNotDraft
from backend.models import Tariff
from backend.tariffs import preview, service
from backend.tariffs.schemas import PreviewCreate, PreviewSchema, TariffCreate, TariffSchema
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller, find_caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("tariffs", __name__)


@api.resource("/lots/<id:lot_id>/tariff")
class LotTariff(Resource):
    """The tariff by which a lot charges."""

    @operation(public=True, response=TariffSchema(), raises=(NotFound,))
    def get(self, lot_id: int) -> Tariff:
        """Show the published tariff of a lot."""
        return service.get_public_tariff(find_caller(), lot_id)


@api.resource("/lots/<id:lot_id>/tariffs")
class TariffList(Resource):
    """Every version of a lot's tariff."""

    @operation(
        roles=("admin",),
        query=PageQuery(),
        response=page_schema(TariffSchema),
        raises=(NotFound,),
    )
    def get(self, lot_id: int, query: dict[str, Any]) -> Page:
        """List the versions of a lot's tariff, the newest first."""
        before = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        rows, total = service.list_tariffs(lot_id, limit=query["limit"] + 1, before_version=before)
        return page_of(rows, query["limit"], "version", total=total)

    @operation(
        roles=("admin",),
        body=TariffCreate(),
        response=TariffSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound,),
        idempotent=True,
    )
    def post(self, lot_id: int, body: dict[str, Any]) -> bytes:
        """Draft the next version of a lot's tariff.

        Nothing is charged by it until it is published. Its currency is the installation's.
        """
        made = TariffSchema().dump(service.draft_tariff(caller(), lot_id, **body))
        remember(made=made)
        return to_json(made)


@api.resource("/tariffs/<id:tariff_id>/publish")
class TariffPublish(Resource):
    """The step from a draft to the tariff that counts."""

    @operation(
        roles=("admin",),
        response=TariffSchema(),
        raises=(NotFound, TariffNotDraft, IllegalTransition),
    )
    def post(self, tariff_id: int) -> Tariff:
        """Make a draft the tariff of its lot.

        The former one is superseded; quotes and bookings that stand keep their prices.
        """
        return service.publish_tariff(caller(), tariff_id)


@api.resource("/tariffs/preview")
class TariffPreview(Resource):
    """What past stays would have cost by other prices."""

    @operation(
        roles=("admin",),
        body=PreviewCreate(),
        response=PreviewSchema(),
        raises=(NotFound, InvalidInput),
        transaction=False,
    )
    def post(self, body: dict[str, Any]) -> preview.Preview:
        """Try a draft, or prices that are not written down yet, on stays that are over.

        Each completed stay is priced anew for the time that it was charged for. At most 20,000 stays are
        taken; nothing is stored.
        """
        return preview.preview_tariff(**body)
