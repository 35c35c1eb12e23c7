"""The system over HTTP: for load balancers and supervisors whether it lives, for clients what it is."""

from typing import Any

from backend.errors import NotFound, ServiceUnavailable
from backend.models import InvariantRun
from backend.system import invariants, service
from backend.system.schemas import (
    HealthSchema,
    InstallationSchema,
    InvariantRunSchema,
    ReadinessSchema,
)
from backend.web.api import Resource, resource_blueprint
from backend.web.operation import operation

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
