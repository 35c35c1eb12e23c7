"""The system over HTTP: for load balancers and supervisors whether it lives, for clients what it is."""

from typing import Any

from backend.errors import ServiceUnavailable
from backend.system import service
from backend.system.schemas import HealthSchema, InstallationSchema, ReadinessSchema
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
