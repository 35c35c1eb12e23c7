"""The system's state, and what it tells of itself, as JSON."""

from backend.config import GATEWAYS
from backend.system.background import KINDS, STATES
from backend.web import fields
from backend.web.pagination import PageQuery, PageSchema
from backend.web.schema import Schema


class HealthSchema(Schema):
    """The process answers."""

    status = fields.Choice("ok")


class ReadinessSchema(Schema):
    """Whether the process can serve."""

    status = fields.Choice("ready")
    database = fields.Text()


class InstallationSchema(Schema):
    """What a client needs to know of this installation before it shows anything."""

    brand_name = fields.Text()
    currency = fields.Text(min=3, max=3)
    currency_digits = fields.Integer(
        min=0, max=3, metadata={"description": "How many digits the minor unit has."}
    )
    timezone = fields.Text()
    locale = fields.Text()
    payment_gateways = fields.List(fields.Choice(*GATEWAYS))
    hold_minutes = fields.Integer(min=1)
    quote_minutes = fields.Integer(min=1)
    map_tile_url = fields.Text(
        allow_none=True,
        max=2_000,
        metadata={
            "description": "The address of map tiles, with {z}, {x} and {y}; null: there are none."
        },
    )
    map_attribution = fields.Text(allow_none=True, max=2_000)


class FindingSchema(Schema):
    """One promise, one rule of it, and the rows that break it."""

    promise = fields.Text(metadata={"example": "P1"})
    rule = fields.Text()
    violations = fields.Integer(
        min=0, metadata={"description": "How many rows break it; no more than 1,000 are counted."}
    )
    first = fields.List(fields.Text(max=1_000), metadata={"description": "The first ten of them."})
    error = fields.Text(
        allow_none=True,
        max=1_000,
        multiline=True,
        metadata={"description": "Why this could not be looked at; null where it was."},
    )


class InvariantRunSchema(Schema):
    """What one look over the promises found."""

    at = fields.Instant()
    took_ms = fields.Integer(min=0)
    violations = fields.Integer(min=0)
    findings = fields.List(fields.Nested(FindingSchema))


class WorkQuery(PageQuery):
    """Which work in the background is looked for."""

    what = fields.Choice(*KINDS, load_default="jobs")
    status = fields.Choice(*STATES, load_default=None)


class WorkOwnerSchema(Schema):
    """Whose work it is; one whose account is closed has no name."""

    id = fields.Id()
    name = fields.Text(max=100, allow_none=True)


class WorkSchema(Schema):
    """One piece of work in the background."""

    id = fields.Id()
    what = fields.Choice(*KINDS)
    kind = fields.Text(
        metadata={
            "description": "The kind of job, the audience of a report, the template, the task."
        }
    )
    about = fields.Text(
        allow_none=True,
        max=300,
        metadata={"description": "A month, a shortened address, or what a task was given."},
    )
    who = fields.Nested(
        WorkOwnerSchema, allow_none=True, metadata={"description": "Null: nobody asked for it."}
    )
    status = fields.Choice(*STATES)
    progress = fields.Integer(
        min=0, max=100, allow_none=True, metadata={"description": "In percent, of jobs."}
    )
    attempts = fields.Integer(min=0)
    error = fields.Text(
        allow_none=True,
        max=1_000,
        multiline=True,
        metadata={"description": "What went wrong last."},
    )
    created_at = fields.Instant()
    finished_at = fields.Instant(allow_none=True)
    retryable = fields.Flag()


class FailedWorkSchema(Schema):
    """How much failed, by kind."""

    jobs = fields.Integer(min=0)
    reports = fields.Integer(min=0)
    mail = fields.Integer(min=0)
    tasks = fields.Integer(min=0)


class WorkPageSchema(PageSchema):
    """A page of work in the background, and how much failed of each kind."""

    items = fields.List(fields.Nested(WorkSchema))
    failed = fields.Nested(FailedWorkSchema)
