"""Reading reservations: one statement for a page, and the shape in which the API tells of them.

It goes through Core and plain dictionaries, since a driver's own list is among the busiest pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from orjson import Fragment
from sqlalchemy import Row, TextClause, TextualSelect, bindparam, text

from backend import clock
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.models import UtcDateTime
from backend.models.reservation import STATUSES
from backend.quotes.refund_policy import refund_policy

_INSTANT = UtcDateTime()

# What is JSON in the quote stays the text that it is, and is set into the answer as such.
_FACTS = """
    r.id, r.code, r.status, r.source, r.pinned, r.user_id, r.plate, r.starts_at, r.ends_at,
    r.price_minor, r.currency, r.refund_policy, r.hold_expires_at, r.created_at, r.confirmed_at,
    l.id AS lot_id, l.name AS lot_name, l.address AS lot_address, l.city AS lot_city,
    l.lat AS lot_lat, l.lng AS lot_lng, l.timezone AS lot_timezone,
    s.id AS spot_id, s.label AS spot_label, s.level AS spot_level, s.kind AS spot_kind,
    v.id AS vehicle_id, v.kind AS vehicle_kind, v.label AS vehicle_label, v.electric AS vehicle_electric,
    q.id AS quote_id, CAST(q.lines AS TEXT) AS quote_lines, CAST(q.taxes AS TEXT) AS quote_taxes,
    q.tax_minor AS quote_tax_minor, q.total_minor AS quote_total_minor, q.expires_at AS quote_expires_at,
    (SELECT CAST(sum(p.amount_minor) AS bigint) FROM payments AS p WHERE p.reservation_id = r.id
        AND p.status IN ('succeeded', 'partially_refunded', 'refunded')) AS paid_minor,
    (SELECT CAST(sum(p.refunded_minor) AS bigint) FROM payments AS p WHERE p.reservation_id = r.id
        AND p.status IN ('succeeded', 'partially_refunded', 'refunded')) AS refunded_minor
"""

_WITH_ALL = """
    JOIN lots AS l ON l.id = r.lot_id
    JOIN vehicles AS v ON v.id = r.vehicle_id
    JOIN quotes AS q ON q.id = r.quote_id
    JOIN spot_claims AS c ON c.reservation_id = r.id
    JOIN spots AS s ON s.id = c.spot_id
"""

_MOMENTS = dict.fromkeys(
    ("starts_at", "ends_at", "hold_expires_at", "created_at", "confirmed_at", "quote_expires_at"),
    _INSTANT,
)

_ONE = text(f"SELECT {_FACTS} FROM reservations AS r {_WITH_ALL} WHERE r.id = :id").columns(
    **_MOMENTS
)

# A hold past its deadline is expired for everybody who looks, whether or not its row says so yet.
_FILTERS = {
    "user_id": "r.user_id = :user_id",
    "lot_id": "r.lot_id = :lot_id",
    "plate": "r.plate = :plate",
    "code": "r.code = :code",
    "from": "r.ends_at > :from",
    "to": "r.starts_at < :to",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which reservations a list is of; None stands for any."""

    user_id: int | None = None
    lot_id: int | None = None
    plate: str | None = None
    code: str | None = None
    status: str | None = None
    ends_after: datetime | None = None
    starts_before: datetime | None = None


def get_reservation(reader: Caller, reservation_id: int) -> Row[Any]:
    """Give a reservation of the reader's own; admins read all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    row = db.session.connection().execute(_ONE, {"id": reservation_id}).first()
    if row is None or (row.user_id != reader.id and not reader.has_role("admin")):
        raise NotFound(f"There is no reservation {reservation_id}.")
    return row


def list_reservations(
    filters: Filters, *, limit: int, after: tuple[datetime, int] | None = None
) -> tuple[Sequence[Row[Any]], tuple[datetime, int] | None, int]:
    """Give a page of reservations, the latest start first; where the next page begins; and how many there are."""
    conditions, values = _conditions(filters)
    page, count = _list_statements(conditions, frozenset(values), goes_on=after is not None)
    if after is not None:
        values |= {"after_at": after[0], "after_id": after[1]}
    connection = db.session.connection()
    rows = connection.execute(page, {**values, "most": limit + 1}).all()
    if rows:
        total = rows[0].total
    else:
        total = connection.execute(count, values).scalar_one() if after is not None else 0
    following = (rows[limit - 1].starts_at, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], following, total


def represent(row: Row[Any], *, as_booked: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Tell of a reservation as the API does; ``as_booked`` takes it back to the moment of its booking."""
    now = clock.now()
    status = _status_shown(row, now)
    paid, refunded = row.paid_minor or 0, row.refunded_minor or 0
    deadline = row.hold_expires_at
    if as_booked is not None:
        status, paid, refunded = as_booked["status"], 0, 0
        deadline = (
            datetime.fromisoformat(as_booked["hold_expires_at"])
            if as_booked["hold_expires_at"]
            else None
        )
    is_over = status in {"cancelled", "expired"}
    return {
        "id": row.id,
        "code": row.code,
        "status": status,
        "source": row.source,
        "lot": {
            "id": row.lot_id,
            "name": row.lot_name,
            "address": row.lot_address,
            "city": row.lot_city,
            "lat": row.lot_lat,
            "lng": row.lot_lng,
            "timezone": row.lot_timezone,
        },
        "spot": {
            "id": row.spot_id,
            "label": row.spot_label,
            "level": row.spot_level,
            "kind": row.spot_kind,
            "pinned": bool(row.pinned),
        },
        "vehicle": {
            "id": row.vehicle_id,
            "plate": row.plate,
            "kind": row.vehicle_kind,
            "label": row.vehicle_label,
            "electric": bool(row.vehicle_electric),
        },
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "created_at": row.created_at,
        "confirmed_at": row.confirmed_at if as_booked is None or status == "confirmed" else None,
        "price_minor": row.price_minor,
        "currency": row.currency,
        "paid_minor": paid,
        "refunded_minor": refunded,
        "due_minor": 0 if is_over else max(row.price_minor - paid + refunded, 0),
        "hold_expires_at": deadline if status == "held" else None,
        "quote": {
            "id": row.quote_id,
            "lines": Fragment(row.quote_lines),
            "taxes": Fragment(row.quote_taxes),
            "tax_minor": row.quote_tax_minor,
            "total_minor": row.quote_total_minor,
            "currency": row.currency,
            "expires_at": row.quote_expires_at,
        },
        "stay": None,
        "refund_policy": refund_policy(row.refund_policy),
        "allowed_actions": ["pay", "cancel", "prolong"] if status == "held" else [],
    }


def _status_shown(row: Row[Any], now: datetime) -> str:
    if row.status == "held" and row.hold_expires_at <= now:
        return "expired"
    status: str = row.status
    return status


def _conditions(filters: Filters) -> tuple[tuple[str, ...], dict[str, Any]]:
    values: dict[str, Any] = {
        "user_id": filters.user_id,
        "lot_id": filters.lot_id,
        "plate": filters.plate,
        "code": filters.code,
        "from": filters.ends_after,
        "to": filters.starts_before,
    }
    values = {name: value for name, value in values.items() if value is not None}
    conditions = [_FILTERS[name] for name in values]
    if filters.status in STATUSES:
        # The status stands as a literal, for the sake of the partial indexes.
        condition = f"r.status = '{filters.status}'"
        if filters.status == "held":
            condition += " AND r.hold_expires_at > :now"
        if filters.status == "expired":
            condition = f"({condition} OR (r.status = 'held' AND r.hold_expires_at <= :now))"
        conditions.append(condition)
        if ":now" in condition:
            values["now"] = clock.now()
    return tuple(conditions), values


@cache
def _list_statements(
    conditions: tuple[str, ...], names: frozenset[str], *, goes_on: bool
) -> tuple[TextualSelect, TextClause]:
    """Make the statements of one kind of list, once for each kind: the page with the count in it, and the count."""
    where = " AND ".join(conditions) or "true"
    beyond = "AND (r.starts_at < :after_at OR (r.starts_at = :after_at AND r.id < :after_id))"
    count = f"SELECT count(*) FROM reservations AS r WHERE {where}"
    page = f"""
        WITH page AS (
            SELECT r.id FROM reservations AS r WHERE {where} {beyond if goes_on else ""}
            ORDER BY r.starts_at DESC, r.id DESC LIMIT :most
        )
        SELECT ({count}) AS total, {_FACTS}
        FROM page JOIN reservations AS r ON r.id = page.id {_WITH_ALL}
        ORDER BY r.starts_at DESC, r.id DESC
    """
    moments = names & {"from", "to", "now"}
    counted = text(count).bindparams(*(bindparam(name, type_=_INSTANT) for name in moments))
    if goes_on:
        moments |= {"after_at"}
    listed = text(page).bindparams(*(bindparam(name, type_=_INSTANT) for name in moments))
    return listed.columns(**_MOMENTS), counted
