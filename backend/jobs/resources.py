"""Jobs over HTTP."""

from typing import Any

from flask import Response, url_for

from backend.errors import NotFound
from backend.jobs import service
from backend.jobs.schemas import JobSchema
from backend.models import Job
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import caller
from backend.web.operation import operation

blueprint, api = resource_blueprint("jobs", __name__)


@api.resource("/jobs/<id:job_id>")
class JobDetail(Resource):
    """One job."""

    @operation(response=JobSchema(), raises=(NotFound,))
    def get(self, job_id: int) -> dict[str, Any]:
        """Show a job that you asked for, and how far it is."""
        return represent(service.get_job(caller(), job_id))


@api.resource("/jobs/<id:job_id>/result")
class JobResult(Resource):
    """What a job made."""

    @operation(media_type="application/zip", raises=(NotFound,))
    def get(self, job_id: int) -> Response:
        """Fetch the file that a job made, once it is done and until it expires."""
        made = service.get_result(caller(), job_id)
        answer = Response(made.content, mimetype=made.media_type)
        answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return answer


def represent(job: Job) -> dict[str, Any]:
    """Give a job as JSON shows it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "progress": job.progress,
        "error": job.error,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "result_url": url_for("jobs.jobresult", job_id=job.id) if service.has_result(job) else None,
    }
