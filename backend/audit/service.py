"""What may be done with the audit log: add to it, and search it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from backend.clock import now
from backend.extensions import db
from backend.models import AuditEntry, User
from backend.request_ids import asking


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted; one whose account is closed has no name."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is read."""

    id: int
    at: datetime
    actor: Actor | None
    action: str
    subject: str
    subject_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    client: str


def record(
    action: str,
    subject: str,
    subject_id: int | None = None,
    *,
    actor_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an entry to the open transaction, with which it stands or falls.

    ``before`` and ``after`` hold the changed fields as JSON knows them: never a secret, and never in full
    what must be gone when an account is closed, such as an address or a name.
    """
    request = asking()
    db.session.add(
        AuditEntry(
            at=now(),
            actor_id=actor_id,
            action=action,
            subject=subject,
            subject_id=subject_id,
            before=before,
            after=after,
            request_id=request.request_id,
            client=request.client,
        )
    )


def record_changes(
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    actor_id: int | None,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Record what differs between two states of a thing; nothing, when nothing does."""
    changed = [name for name in after if before.get(name) != after[name]]
    if changed:
        record(
            action,
            subject,
            subject_id,
            actor_id=actor_id,
            before={name: before.get(name) for name in changed},
            after={name: after[name] for name in changed},
        )


def list_entries(
    *,
    limit: int,
    before: int | None = None,
    q: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **exactly: str | int,
) -> list[Entry]:
    """List the entries that match, the newest first, and one more than ``limit``.

    Only those with a number below ``before``; with ``q`` in their action; made from ``since`` on and
    before ``until``; and of ``exactly`` this ``actor_id``, ``action``, ``subject`` or ``subject_id``.
    """
    conditions = matching(q=q, since=since, until=until, **exactly)
    if before is not None:
        conditions.append(AuditEntry.id < before)
    rows = db.session.execute(
        select(AuditEntry, User.name)
        .outerjoin(User, and_(User.id == AuditEntry.actor_id, User.deleted_at.is_(None)))
        .where(*conditions)
        # By number: the clock of one process may be behind that of another.
        .order_by(AuditEntry.id.desc())
        .limit(limit + 1)
    )
    return [_read(entry, name) for entry, name in rows]


def matching(
    *,
    q: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **exactly: str | int,
) -> list[ColumnElement[bool]]:
    """Give the conditions on entries that match, as :func:`list_entries` takes them."""
    conditions = [getattr(AuditEntry, name) == value for name, value in exactly.items()]
    if q is not None:
        # Actions are written in lower case.
        conditions += [
            AuditEntry.action.contains(word, autoescape=True) for word in q.lower().split()
        ]
    if since is not None:
        conditions.append(AuditEntry.at >= since)
    if until is not None:
        conditions.append(AuditEntry.at < until)
    return conditions


def masked(address: str) -> str:
    """Shorten an address to what its owner recognises and nobody else can use."""
    local_part, _, domain = address.partition("@")
    return f"{local_part[:1]}…@{domain[:1]}…"


def _read(entry: AuditEntry, name: str | None) -> Entry:
    return Entry(
        id=entry.id,
        at=entry.at,
        actor=None if entry.actor_id is None else Actor(entry.actor_id, name),
        action=entry.action,
        subject=entry.subject,
        subject_id=entry.subject_id,
        before=entry.before,
        after=entry.after,
        request_id=entry.request_id,
        client=entry.client,
    )
