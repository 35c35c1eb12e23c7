"""Jobs over HTTP."""

from typing import Any

from flask import Response, stream_with_context, url_for

from backend.errors import IllegalTransition, NotFound
from backend.jobs import service
from backend.jobs.makers import MEDIA_TYPES
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


@api.resource("/jobs/<id:job_id>/cancel")
class JobCancellation(Resource):
    """Ending a job early."""

    @operation(response=JobSchema(), raises=(NotFound, IllegalTransition))
    def post(self, job_id: int) -> dict[str, Any]:
        """End a job that you asked for before it is done. Cancelled before, it stays so."""
        return represent(service.cancel_job(caller(), job_id))


@api.resource("/jobs/<id:job_id>/result")
class JobResult(Resource):
    """What a job made."""

    @operation(media_type=MEDIA_TYPES, raises=(NotFound,))
    def get(self, job_id: int) -> Response:
        """Fetch the file that a job made, once it is done and until it expires."""
        return send(service.get_result(caller(), job_id))


def send(made: service.KeptFile) -> Response:
    """Answer with a file that a job made, piece by piece."""
    # The pieces are read while the answer goes out, when the request's own transaction is over.
    answer = Response(stream_with_context(made.content), mimetype=made.media_type)
    answer.content_length = made.size
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


def represent(job: Job) -> dict[str, Any]:
    """Give a job as JSON shows it."""
    made = service.find_file(job)
    return {
        "id": job.id,
        "kind": job.kind,
        "params": job.params,
        "status": job.status,
        "progress": job.progress,
        "error": job.error,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "size": made and made.size,
        "result_url": made and url_for("jobs.jobresult", job_id=job.id),
    }
