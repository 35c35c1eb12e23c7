"""The one-tap links of reminders over HTTP. A GET never acts: programs that read mail open what they find."""

from typing import Any

from backend.errors import (
    ExtensionBlocked,
    IllegalTransition,
    LinkNotValid,
    LotNotBookable,
    RefundChanged,
    TooManyRequests,
    VehicleAlreadyBooked,
)
from backend.reminders import acting, limits
from backend.reminders.schemas import LinkAct, LinkLook, LookSchema
from backend.transaction import transaction
from backend.web.api import Resource, resource_blueprint
from backend.web.clients import client_name
from backend.web.operation import operation

blueprint, api = resource_blueprint("reminders", __name__)


@api.resource("/links/look")
class LinkLooked(Resource):
    """What a link would do."""

    @operation(
        public=True,
        body=LinkLook(),
        response=LookSchema(),
        transaction=False,
        raises=(LinkNotValid, TooManyRequests),
    )
    def post(self, body: dict[str, Any]) -> acting.Look:
        """Tell what the link of a reminder would do, or did: nothing is changed.

        The link itself is the right to this, to nothing else, and for as long as its booking has the time
        that it was made for, until its end and the grace of the lot.
        """
        limits.count_look(client_name())
        with transaction(read_only=True):
            return acting.look_at_link(body["token"])


@api.resource("/links/act")
class LinkActed(Resource):
    """What a link does."""

    @operation(
        public=True,
        body=LinkAct(),
        response=LookSchema(),
        raises=(
            LinkNotValid,
            IllegalTransition,
            RefundChanged,
            LotNotBookable,
            ExtensionBlocked,
            VehicleAlreadyBooked,
            TooManyRequests,
        ),
    )
    def post(self, body: dict[str, Any]) -> acting.Look:
        """Do what the link of a reminder says: extend its booking by half an hour, or cancel it.

        A second time does nothing and is answered alike. Money that comes back goes the way that it came;
        what a longer stay costs is due before leaving.
        """
        limits.count_act(client_name())
        return acting.act_on_link(**body)
