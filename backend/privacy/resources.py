"""One's own data over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.auth import refresh_cookie
from backend.errors import AccountInUse, LastAdmin, NotFound
from backend.jobs.resources import represent
from backend.jobs.schemas import JobSchema
from backend.privacy import closing, service
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation

blueprint, api = resource_blueprint("privacy", __name__)


@api.resource("/me/export")
class MyExport(Resource):
    """The archive of the caller's own data."""

    @operation(response=JobSchema(), raises=(NotFound,))
    def get(self) -> dict[str, Any]:
        """Show the newest export of your data that you asked for."""
        return represent(service.get_export(caller()))

    @operation(response=JobSchema(), status=HTTPStatus.ACCEPTED, fresh=True)
    def post(self) -> dict[str, Any]:
        """Ask for all of your data as one archive.

        A mail tells when it is ready; the job has a `result_url` then. While one is being made, that one
        is given.
        """
        return represent(service.request_export(caller()))


@api.resource("/me")
class MyAccount(Resource):
    """The caller's own account as a whole."""

    @operation(status=HTTPStatus.NO_CONTENT, fresh=True, raises=(AccountInUse, LastAdmin))
    def delete(self) -> None:
        """Close your account for good.

        Your name, address, telephone number and vehicles are deleted and every sign-in ends. Bookings,
        payments and reviews stay without a name, receipts as they were issued. It is refused while bookings
        are not over, something is owed, or money is on its way.
        """
        closing.close_account(caller())
        refresh_cookie.forget()
