"""Reading reservations: one statement for a page, and the shape in which the API tells of them.

It goes through Core and plain dictionaries, since a driver's own list is among the busiest pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import TextClause, bindparam, text

from backend import clock
from backend.claims.placing import FINAL_BEFORE
from backend.errors import NotFound
from backend.extensions import db
from backend.identity import Caller
from backend.lots.staff import works_at
from backend.models import Reservation, UtcDateTime
from backend.models.reservation import STATUSES
from backend.quotes.refund_policy import refund_policy
from backend.reservations import dues
from backend.reservations.confirming import WISHED
from backend.reservations.entering import entry_opens_at
from backend.reservations.states import PRESENT

_INSTANT = UtcDateTime()

_PAID = """(
    SELECT CAST(sum(p.{}) AS bigint) FROM payments AS p
    WHERE p.reservation_id = r.id AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
)"""

# What an admin gave back as a courtesy is not asked for again.
_GIFTS = """(
    SELECT CAST(sum(f.amount_minor) AS bigint) FROM refunds AS f
    WHERE f.reservation_id = r.id AND f.cause = 'goodwill'
)"""

# Who was in has a stay, and nobody else: for most rows nothing is looked up. What is joined to it makes it
# text for SQLite too, which else remembers that it is JSON and sets it in as such.
_STAYS = """CASE WHEN r.status IN ('checked_in', 'overstayed', 'completed') THEN (
    SELECT CAST({array}(
        min(y.entered_at), CASE WHEN count(*) = count(y.left_at) THEN max(y.left_at) END, count(*)
    ) AS TEXT) || '' FROM stays AS y WHERE y.reservation_id = r.id
) END"""

_REVIEWED = """CASE WHEN r.status = 'completed' THEN
    EXISTS (SELECT 1 FROM reviews AS w WHERE w.reservation_id = r.id)
END"""

# What the API tells of a reservation, and where it stands. What is JSON in the quote stays the text that
# it is, and is set into the answer as such.
_COLUMNS = {
    **{
        name: f"r.{name}"
        for name in ("id", "code", "status", "source", "pinned", "user_id", "plate")
    },
    **{name: f"r.{name}" for name in ("starts_at", "ends_at", "created_at", "confirmed_at")},
    **{
        name: f"r.{name}"
        for name in (
            *("hold_expires_at", "hold_extended_by"),
            *("price_minor", "currency", "refund_policy"),
            *("covered_until", "debt_minor", "sequence", "vehicle_kind"),
        )
    },
    **{
        f"lot_{name}": f"l.{name}"
        for name in (
            *("id", "name", "address", "city", "lat", "lng", "timezone"),
            *("entry_minutes", "entry_minutes_long", "grace_minutes"),
            *("allows_reentry", "allows_self_check_in"),
        )
    },
    **{f"spot_{name}": f"s.{name}" for name in ("id", "label", "level", "kind")},
    **{f"vehicle_{name}": f"v.{name}" for name in ("id", "label", "electric")},
    **{f"quote_{name}": f"q.{name}" for name in ("id", "tax_minor", "total_minor", "expires_at")},
    **{f"quote_{name}": f"CAST(q.{name} AS TEXT)" for name in ("lines", "taxes")},
    "paid_minor": _PAID.format("amount_minor"),
    "refunded_minor": _PAID.format("refunded_minor"),
    "gifts_minor": _GIFTS,
    "stays": _STAYS,
    "reviewed": _REVIEWED,
}


class Facts(NamedTuple):
    """A reservation with all that the API tells of it; its moments are text, as JSON has them."""

    id: int
    code: str
    status: str
    source: str
    pinned: bool
    user_id: int | None
    plate: str
    starts_at: str
    ends_at: str
    created_at: str
    confirmed_at: str | None
    hold_expires_at: str | None
    hold_extended_by: int
    price_minor: int
    currency: str
    refund_policy: str
    covered_until: str | None
    debt_minor: int
    sequence: int
    vehicle_kind: str
    lot_id: int
    lot_name: str
    lot_address: str
    lot_city: str
    lot_lat: float
    lot_lng: float
    lot_timezone: str
    lot_entry_minutes: int
    lot_entry_minutes_long: int
    lot_grace_minutes: int
    lot_allows_reentry: bool
    lot_allows_self_check_in: bool
    spot_id: int
    spot_label: str
    spot_level: str
    spot_kind: str
    vehicle_id: int | None
    vehicle_label: str | None
    vehicle_electric: bool | None
    quote_id: int
    quote_tax_minor: int
    quote_total_minor: int
    quote_expires_at: str
    quote_lines: str
    quote_taxes: str
    paid_minor: int | None
    refunded_minor: int | None
    gifts_minor: int | None
    stays: str | None
    reviewed: bool | None

    @property
    def entry_opens_at(self) -> datetime:
        """From when it opens the entrance."""
        return entry_opens_at(
            read_moment(self.starts_at),
            read_moment(self.ends_at),
            entry_minutes=self.lot_entry_minutes,
            entry_minutes_long=self.lot_entry_minutes_long,
        )

    @property
    def leaves_by(self) -> datetime:
        """Until when leaving costs nothing more."""
        reaches = max(read_moment(self.ends_at), read_moment(self.covered_until or self.ends_at))
        return reaches + timedelta(minutes=self.lot_grace_minutes)


class StayFacts(NamedTuple):
    """What happened at the gate: when the car first came, when it last left, and how often it came."""

    entered_at: datetime
    left_at: datetime | None
    stays: int


_WITH_ALL = """
    JOIN lots AS l ON l.id = r.lot_id
    LEFT JOIN vehicles AS v ON v.id = r.vehicle_id
    JOIN quotes AS q ON q.id = r.quote_id
    JOIN spot_claims AS c ON c.reservation_id = r.id
    JOIN spots AS s ON s.id = c.spot_id
"""

# A hold past its deadline is expired for everybody who looks, whether or not its row says so yet.
_FILTERS = {
    "user_id": "r.user_id = :user_id",
    "lot_id": "r.lot_id = :lot_id",
    "plate": "r.plate = :plate",
    "code": "r.code = :code",
    "from": "r.ends_at > :from",
    "to": "r.starts_at < :to",
}

# As `still_stands` of the model says it, in this module's own SQL.
_STANDS = """(r.live AND (
    r.status IN ('checked_in', 'overstayed')
    OR (r.status = 'held' AND r.hold_expires_at > :now)
    OR (r.status = 'confirmed' AND r.ends_at > :now)
))"""
_WHEN = {"upcoming": _STANDS, "past": f"NOT {_STANDS}"}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which reservations a list is of; None stands for any."""

    user_id: int | None = None
    lot_id: int | None = None
    plate: str | None = None
    code: str | None = None
    status: str | None = None
    when: str | None = None
    ends_after: datetime | None = None
    starts_before: datetime | None = None

    @property
    def is_soonest_first(self) -> bool:
        """Whether the list begins with what comes next, not with what lies farthest ahead."""
        return self.when == "upcoming"


def get_reservation(reader: Caller, reservation_id: int) -> Facts:
    """Give a reservation of the reader's own; admins read all, and attendants those of their lots.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    found = (
        db.session.connection()
        .execute(_one(db.engine.dialect.name), {"id": reservation_id})
        .scalar_one_or_none()
    )
    facts = None if found is None else _read(found)
    if facts is None or (facts.user_id != reader.id and not works_at(reader, facts.lot_id)):
        raise NotFound(f"There is no reservation {reservation_id}.")
    return facts


def list_facts(reservation_ids: Sequence[int]) -> list[Facts]:
    """Give these reservations in the order in which they are named; who may read them, the caller knows."""
    if not reservation_ids:
        return []
    rows = db.session.connection().execute(
        _several(db.engine.dialect.name), {"ids": list(reservation_ids)}
    )
    found = {facts.id: facts for facts in map(_read, rows.scalars())}
    return [found[each] for each in reservation_ids if each in found]


def list_reservations(
    filters: Filters, *, limit: int, after: tuple[datetime, int] | None = None
) -> tuple[list[Facts], tuple[datetime, int] | None, int]:
    """Give a page of reservations, where the next page begins, and how many there are.

    The latest start comes first; of the upcoming ones alone the soonest.
    """
    conditions, values = _conditions(filters)
    page, count = _list_statements(
        db.engine.dialect.name,
        conditions,
        frozenset(values),
        goes_on=after is not None,
        ascending=filters.is_soonest_first,
    )
    if after is not None:
        values |= {"after_at": after[0], "after_id": after[1]}
    connection = db.session.connection()
    rows = connection.execute(page, {**values, "most": limit + 1}).all()
    if rows:
        total = rows[0][0]
    else:
        total = connection.execute(count, values).scalar_one() if after is not None else 0
    found = [_read(facts) for _, facts in rows]
    following = None
    if len(found) > limit:
        following = (read_moment(found[limit - 1].starts_at), found[limit - 1].id)
    return found[:limit], following, total


def read_moment(written: str) -> datetime:
    """Read a moment of the facts: PostgreSQL writes its offset, SQLite keeps UTC without saying so."""
    moment = datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def represent(
    facts: Facts, *, as_booked: Mapping[str, Any] | None = None, for_staff: bool = False
) -> dict[str, Any]:
    """Tell of a reservation as the API does; ``as_booked`` takes it back to the moment of its booking.

    What may be done with it is told as its driver may, and ``for_staff`` as staff may at the gate.
    """
    now = clock.now()
    paid, refunded = facts.paid_minor or 0, facts.refunded_minor or 0
    deadline = read_moment(facts.hold_expires_at) if facts.hold_expires_at else None
    status: str = facts.status
    if status == "held" and deadline is not None and deadline <= now:
        status = "expired"
    if as_booked is not None:
        status, paid, refunded = as_booked["status"], 0, 0
        deadline = (
            read_moment(as_booked["hold_expires_at"]) if as_booked["hold_expires_at"] else None
        )
    stay = None if as_booked else _read_stay(facts)
    due, overstay = _read_dues(
        facts, status, stay, now=now, settled=paid - refunded + (facts.gifts_minor or 0)
    )
    told = {
        "id": facts.id,
        "code": facts.code,
        "status": status,
        "source": facts.source,
        "user_id": facts.user_id,
        "lot": {
            "id": facts.lot_id,
            "name": facts.lot_name,
            "address": facts.lot_address,
            "city": facts.lot_city,
            "lat": facts.lot_lat,
            "lng": facts.lot_lng,
            "timezone": facts.lot_timezone,
        },
        "spot": {
            "id": facts.spot_id,
            "label": facts.spot_label,
            "level": facts.spot_level,
            "kind": facts.spot_kind,
            "pinned": bool(facts.pinned),
        },
        "vehicle": {
            "id": facts.vehicle_id,
            "plate": facts.plate,
            "kind": facts.vehicle_kind,
            "label": facts.vehicle_label or "",
            "electric": bool(facts.vehicle_electric),
        },
        "starts_at": read_moment(facts.starts_at),
        "ends_at": read_moment(facts.ends_at),
        "created_at": read_moment(facts.created_at),
        "confirmed_at": read_moment(facts.confirmed_at)
        if facts.confirmed_at and (as_booked is None or status == "confirmed")
        else None,
        "price_minor": facts.price_minor,
        "currency": facts.currency,
        "paid_minor": paid,
        "refunded_minor": refunded,
        "due_minor": due,
        "debt_minor": 0 if as_booked else facts.debt_minor,
        "covered_until": read_moment(facts.covered_until)
        if facts.covered_until and as_booked is None
        else None,
        "overstay": overstay,
        "hold_expires_at": deadline if status == "held" else None,
        "quote": {
            "id": facts.quote_id,
            "lines": orjson.Fragment(facts.quote_lines),
            "taxes": orjson.Fragment(facts.quote_taxes),
            "tax_minor": facts.quote_tax_minor,
            "total_minor": facts.quote_total_minor,
            "currency": facts.currency,
            "expires_at": read_moment(facts.quote_expires_at),
        },
        "stay": stay._asdict() if stay else None,
        "bay_final": bool(facts.pinned) or read_moment(facts.starts_at) - now <= FINAL_BEFORE,
        "sequence": 0 if as_booked else facts.sequence,
        "refund_policy": refund_policy(facts.refund_policy),
        "allowed_actions": _allowed_actions(
            facts,
            status,
            extended_by=0 if as_booked else facts.hold_extended_by,
            is_in=stay is not None and stay.left_at is None,
            due=due,
            at_gate=for_staff or bool(facts.lot_allows_self_check_in),
            now=now,
        ),
    }
    if as_booked is not None:
        told |= {name: as_booked[name] for name in ("lot", "spot", "vehicle")}
    return told


def _read_stay(facts: Facts) -> StayFacts | None:
    if facts.stays is None:
        return None
    entered_at, left_at, count = orjson.loads(facts.stays)
    if not count:
        return None
    return StayFacts(read_moment(entered_at), read_moment(left_at) if left_at else None, count)


def _read_dues(
    facts: Facts, status: str, stay: StayFacts | None, *, now: datetime, settled: int
) -> tuple[int, dict[str, Any] | None]:
    """Give what is due, and of a car that is in for too long since when and how much; only that is priced here."""
    if status == "completed":
        return facts.debt_minor, None
    if status in {"cancelled", "expired", "no_show"}:
        return 0, None
    is_in = status in PRESENT and stay is not None and stay.left_at is None
    if not is_in or (facts.source != "walk_in" and now <= facts.leaves_by):
        return max(facts.price_minor - settled, 0), None
    reservation = db.session.get_one(Reservation, facts.id)
    overstay = dues.find_overstay(reservation)
    if overstay is None:
        return dues.due_now(reservation), None
    return overstay.due_minor, {"since": overstay.since, "due_minor": overstay.due_minor}


def _allowed_actions(
    facts: Facts,
    status: str,
    *,
    extended_by: int,
    is_in: bool,
    due: int,
    at_gate: bool,
    now: datetime,
) -> list[str]:
    if status == "held":
        allowed = {
            "pay": True,
            "cancel": True,
            "prolong": not extended_by & WISHED,
            "change-vehicle": True,
        }
    elif status == "confirmed":
        goes_on = now < read_moment(facts.ends_at)
        is_open = goes_on and facts.entry_opens_at <= now
        allowed = {
            "pay": due > 0,
            "cancel": goes_on,
            "extend": goes_on,
            "reschedule": goes_on,
            "change-vehicle": goes_on,
            "check-in": at_gate and is_open,
            "report-occupied": is_open,
        }
    elif status == "checked_in":
        goes_on = now < read_moment(facts.ends_at)
        is_walk_in = facts.source == "walk_in"
        allowed = {
            "pay": due > 0,
            "extend": not is_walk_in and now <= facts.leaves_by,
            "check-in": at_gate
            and not is_in
            and goes_on
            and not is_walk_in
            and bool(facts.lot_allows_reentry),
            "check-out": at_gate and is_in,
            "report-occupied": goes_on,
        }
    elif status == "overstayed":
        allowed = {"pay": due > 0, "check-out": at_gate and is_in}
    elif status == "completed":
        allowed = {"pay": due > 0, "review": facts.user_id is not None and not facts.reviewed}
    else:
        return []
    return [action for action, may in allowed.items() if may]


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
    if filters.when in _WHEN:
        conditions.append(_WHEN[filters.when])
    if any(":now" in condition for condition in conditions):
        values["now"] = clock.now()
    return tuple(conditions), values


def _read(facts: str) -> Facts:
    return Facts._make(orjson.loads(facts))


@cache
def _facts(dialect: str) -> str:
    # One column that holds all: a driver looks at the description of each column of each answer, which
    # for forty of them costs more than reading the rows.
    array = "json_build_array" if dialect == "postgresql" else "json_array"
    columns = ", ".join(_COLUMNS[name] for name in Facts._fields).format(array=array)
    return f"CAST({array}({columns}) AS TEXT)"


@cache
def _one(dialect: str) -> TextClause:
    # The columns are constants.
    # nosemgrep: sql-put-together
    return text(f"SELECT {_facts(dialect)} FROM reservations AS r {_WITH_ALL} WHERE r.id = :id")


@cache
def _several(dialect: str) -> TextClause:
    # The columns are constants.
    # nosemgrep: sql-put-together
    return text(
        f"SELECT {_facts(dialect)} FROM reservations AS r {_WITH_ALL} WHERE r.id IN :ids"
    ).bindparams(bindparam("ids", expanding=True))


@cache
def _list_statements(
    dialect: str,
    conditions: tuple[str, ...],
    names: frozenset[str],
    *,
    goes_on: bool,
    ascending: bool,
) -> tuple[TextClause, TextClause]:
    """Make the statements of one kind of list, once for each kind: the page with the count in it, and the count."""
    where = " AND ".join(conditions) or "true"
    order, beyond_sign = ("ASC", ">") if ascending else ("DESC", "<")
    beyond = (
        f"AND (r.starts_at {beyond_sign} :after_at"
        f" OR (r.starts_at = :after_at AND r.id {beyond_sign} :after_id))"
    )
    count = f"SELECT count(*) FROM reservations AS r WHERE {where}"
    page = f"""
        WITH page AS (
            SELECT r.id FROM reservations AS r WHERE {where} {beyond if goes_on else ""}
            ORDER BY r.starts_at {order}, r.id {order} LIMIT :most
        )
        SELECT ({count}) AS total, {_facts(dialect)}
        FROM page JOIN reservations AS r ON r.id = page.id {_WITH_ALL}
        ORDER BY r.starts_at {order}, r.id {order}
    """
    moments = names & {"from", "to", "now"}
    # Conditions are constants too, chosen by what was asked for.
    # nosemgrep: sql-put-together
    counted = text(count).bindparams(*(bindparam(name, type_=_INSTANT) for name in moments))
    if goes_on:
        moments |= {"after_at"}
    # nosemgrep: sql-put-together
    listed = text(page).bindparams(*(bindparam(name, type_=_INSTANT) for name in moments))
    return listed, counted
