"""The links that unsubscribe over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.errors import LinkNotValid, TooManyRequests
from backend.notifications import limits, unsubscribing
from backend.notifications.unsubscribing_schemas import UnsubscribeQuery
from backend.web.api import Resource, resource_blueprint
from backend.web.clients import client_name
from backend.web.operation import operation

blueprint, api = resource_blueprint("unsubscribing", __name__)


@api.resource("/unsubscribe")
class Unsubscribed(Resource):
    """An end to mail of one kind."""

    @operation(
        public=True,
        query=UnsubscribeQuery(),
        status=HTTPStatus.NO_CONTENT,
        raises=(LinkNotValid, TooManyRequests),
        any_body=True,
    )
    def post(self, query: dict[str, Any]) -> None:
        """Send no more mail of the kind that a link of a mail names.

        Mail programs post here by themselves when their reader says so (RFC 8058), with a form as the
        body; whatever the body is, only the token counts. What is on in the app stays on.
        """
        limits.count_unsubscription(client_name())
        unsubscribing.unsubscribe(query["token"])
