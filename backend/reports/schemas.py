"""Reports as JSON."""

from backend.reports.service import FORMATS, MOST_SENT
from backend.web import fields
from backend.web.pagination import PageQuery
from backend.web.schema import Schema


class ReportQuery(PageQuery):
    """Whose reports are looked for."""

    audience = fields.Choice(
        "driver",
        "operator",
        load_default="driver",
        metadata={
            "description": "`driver`: your own. `operator`: those of the installation, for admins."
        },
    )


class ReportMoneySchema(Schema):
    """What a month was about in one currency."""

    currency = fields.Text(min=3, max=3)
    spent_minor = fields.Money(
        allow_none=True, metadata={"description": "Of drivers: paid, and not given back."}
    )
    tax_minor = fields.Money(
        allow_none=True, metadata={"description": "Of drivers: the tax within that."}
    )
    revenue_minor = fields.Money(
        allow_none=True,
        metadata={
            "description": "Of the operator: received in the month, less what was sent back."
        },
    )
    received_minor = fields.Money(allow_none=True)
    refunded_minor = fields.Money(metadata={"description": "What was given back."})
    service_minor = fields.Money(
        allow_none=True,
        metadata={
            "description": "Of the operator: what the stays that ended in the month cost, whenever"
            " that was paid."
        },
    )


class ReportLotSchema(Schema):
    """One of the car parks of a month with most money."""

    name = fields.Text()
    visits = fields.Integer(min=0)
    currency = fields.Text(min=3, max=3)
    amount_minor = fields.Money(metadata={"description": "Spent there, or earned."})


class ReportFactsSchema(Schema):
    """The summary of a report, as it stands in its files."""

    visits = fields.Integer(min=0, metadata={"description": "Stays that ended in the month."})
    minutes = fields.Integer(
        min=0, allow_none=True, metadata={"description": "Of drivers: how long in all."}
    )
    bookings = fields.Integer(
        min=0, allow_none=True, metadata={"description": "Of the operator, as all that follow."}
    )
    walk_ins = fields.Integer(min=0, allow_none=True)
    cancelled = fields.Integer(min=0, allow_none=True)
    no_shows = fields.Integer(min=0, allow_none=True)
    occupancy_percent = fields.Integer(
        min=0,
        allow_none=True,
        metadata={"description": "Occupied bay-minutes by open ones; null where nothing was open."},
    )
    money = fields.List(fields.Nested(ReportMoneySchema))
    lots = fields.List(fields.Nested(ReportLotSchema), metadata={"description": "At most three."})


class ReportSchema(Schema):
    """A monthly report."""

    id = fields.Id()
    audience = fields.Choice("driver", "operator")
    month = fields.Text(metadata={"example": "2026-10"})
    timezone = fields.Text(metadata={"description": "By whose clock the month is meant."})
    status = fields.Choice("queued", "running", "ready", "failed")
    facts = fields.Nested(
        ReportFactsSchema, allow_none=True, metadata={"description": "Null until it is ready."}
    )
    files = fields.List(
        fields.Choice(*FORMATS), metadata={"description": "Which can be fetched now."}
    )
    sent_count = fields.Integer(
        min=0,
        max=MOST_SENT,
        metadata={"description": f"How often it was mailed again; {MOST_SENT} times at most."},
    )
    created_at = fields.Instant()
    finished_at = fields.Instant(allow_none=True)
