"""The system over HTTP: for load balancers and supervisors whether it lives, for clients what it is."""

from typing import Any

from backend.errors import NotFound, NotRetryable, ServiceUnavailable
from backend.models import InvariantRun
from backend.system import background, invariants, service
from backend.system.schemas import (
    HealthSchema,
    InstallationSchema,
    InvariantRunSchema,
    ReadinessSchema,
    WorkPageSchema,
    WorkQuery,
    WorkSchema,
)
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation
from backend.web.pagination import page_of, read_cursor

blueprint, api = resource_blueprint("system", __name__)
probes_blueprint, probes = resource_blueprint("probes", __name__)


@api.resource("/installation")
class InstallationDetail(Resource):
    """The installation."""

    @operation(public=True, response=InstallationSchema(), transaction=False, shared="installation")
    def get(self) -> service.Installation:
        """Tell what this installation is called, and in what it counts money and time."""
        return service.describe_installation()


@api.resource("/system/invariants")
class Invariants(Resource):
    """Whether what the system promises holds for the rows of its database."""

    @operation(roles=("admin",), response=InvariantRunSchema(), raises=(NotFound,))
    def get(self) -> InvariantRun:
        """Tell what the last look over the promises found.

        It is taken each hour, and by `flask check-invariants`; nothing is there before the first one.
        """
        return invariants.get_last_run()


@api.resource("/system/jobs")
class WorkList(Resource):
    """Work in the background."""

    @operation(roles=("admin",), query=WorkQuery(), response=WorkPageSchema())
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List work in the background, the newest first: jobs, reports, mail, or tasks that failed.

        `failed` counts what failed of each kind and was not tried again.
        """
        limit, cursor, what = query["limit"], query["cursor"], query["what"]
        before = None if cursor is None else read_cursor(cursor, int)[0]
        found = background.list_work(what, status=query["status"], before=before, limit=limit)
        page = page_of(found, limit, "id")
        return {
            "items": page.items,
            "next_cursor": page.next_cursor,
            "total": None,
            "failed": background.count_failed(),
        }


@api.resource("/system/jobs/<what>/<id:work_id>/retry")
class WorkRetry(Resource):
    """Another try."""

    @operation(roles=("admin",), response=WorkSchema(), raises=(NotFound, NotRetryable))
    def post(self, what: str, work_id: int) -> background.Work:
        """Let work that failed be done once more.

        Mail that held a code cannot be sent again, since the code is wiped: whoever waits for it asks
        for another one.
        """
        return background.retry(caller(), what, work_id)


@probes.resource("/healthz")
class Health(Resource):
    """Whether the process answers."""

    @operation(public=True, response=HealthSchema(), transaction=False)
    def get(self) -> dict[str, Any]:
        """Tell that this process answers; it asks nothing else."""
        return {"status": "ok"}


@probes.resource("/readyz")
class Readiness(Resource):
    """Whether the process can serve."""

    @operation(public=True, response=ReadinessSchema(), raises=(ServiceUnavailable,))
    def get(self) -> service.Readiness:
        """Tell whether this process can serve: its database answers, with the newest guards."""
        return service.check_readiness()
