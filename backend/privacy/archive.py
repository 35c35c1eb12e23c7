"""All that is kept about a person, as one ZIP that people and programs can read."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.clock import now
from backend.config import ROOT, settings
from backend.extensions import db
from backend.jobs.makers import MadeFile, Report
from backend.models import (
    AuditEntry,
    Lot,
    LotStaff,
    OutboxMail,
    Payment,
    Receipt,
    Reservation,
    Role,
    SignInSession,
    Spot,
    SpotClaim,
    User,
    Vehicle,
    users_roles,
)
from backend.payments.receipt_pdf import draw_receipt
from backend.payments.receipts import receipt_number
from backend.transaction import transaction

MOST_RECEIPTS = 500
"""Drawing a page takes a while; older receipts stand in the list of payments."""
_AT_ONCE = 500
_DRAWN_AT_ONCE = 50
_TEMPLATES = ROOT / "backend" / "templates"

Record = dict[str, Any]


def make_archive(user_id: int, report: Report) -> MadeFile:
    """Put everything about a user into one ZIP: a list a file, and the receipts as PDF.

    It reads in short transactions, so that nobody waits for it; what changes meanwhile may be in or not.
    """
    made_at = now()
    held = BytesIO()
    counts: dict[str, int] = {}
    with ZipFile(held, "w", ZIP_DEFLATED) as archive:
        for name, read in _LISTS.items():
            counts[name] = _write_list(archive, f"{name}.json", read(user_id), made_at)
        _write(archive, "profile.json", _json(_profile(user_id)), made_at)
        receipts = _list_receipts(user_id)
        report(10)
        for done, receipt_ids in enumerate(_batches(receipts[:MOST_RECEIPTS]), 1):
            _write_receipts(archive, receipt_ids, made_at)
            report(10 + min(89, 90 * done * _DRAWN_AT_ONCE // min(len(receipts), MOST_RECEIPTS)))
        readme = _write_readme(counts, receipts=len(receipts), made_at=made_at)
        _write(archive, "README.txt", readme.encode(), made_at)
    return MadeFile(f"my-data-{made_at:%Y-%m-%d}.zip", "application/zip", held.getvalue())


def _profile(user_id: int) -> Record:
    with transaction(read_only=True):
        user = db.session.get_one(User, user_id)
        roles = db.session.scalars(
            select(Role.name)
            .join(users_roles, users_roles.c.role_id == Role.id)
            .where(users_roles.c.user_id == user_id)
            .order_by(Role.id)
        ).all()
        lots = db.session.scalars(
            select(Lot.name)
            .join(LotStaff, LotStaff.lot_id == Lot.id)
            .where(LotStaff.user_id == user_id)
            .order_by(Lot.id)
        ).all()
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "phone": user.phone,
        "timezone": user.timezone,
        "locale": user.locale,
        "created_at": _moment(user.created_at),
        "roles": list(roles),
        "works_at": list(lots),
        "accessible_permit": user.accessible_permit,
        "second_factor_since": _moment(user.totp_since),
    }


def _vehicles(user_id: int) -> Iterator[Record]:
    for (vehicle,) in _pages(select(Vehicle).where(Vehicle.user_id == user_id), Vehicle.id):
        yield {
            "id": vehicle.id,
            "plate": vehicle.plate,
            "kind": vehicle.kind,
            "electric": vehicle.electric,
            "height_cm": vehicle.height_cm,
            "label": vehicle.label,
            "make": vehicle.make,
            "model": vehicle.model,
            "colour": vehicle.colour,
            "is_default": vehicle.is_default,
            "created_at": _moment(vehicle.created_at),
            "deleted_at": _moment(vehicle.deleted_at),
        }


def _bookings(user_id: int) -> Iterator[Record]:
    mine = (
        select(Reservation, Lot, Spot)
        .join(Lot, Lot.id == Reservation.lot_id)
        .outerjoin(SpotClaim, SpotClaim.reservation_id == Reservation.id)
        .outerjoin(Spot, Spot.id == SpotClaim.spot_id)
        .where(Reservation.user_id == user_id)
    )
    for reservation, lot, spot in _pages(mine, Reservation.id):
        yield {
            "id": reservation.id,
            "code": reservation.code,
            "status": reservation.status,
            "lot": lot.name,
            "address": lot.postal_address,
            "timezone": lot.timezone,
            "bay": spot and spot.label,
            "level": spot and spot.level,
            "vehicle_id": reservation.vehicle_id,
            "plate": reservation.plate,
            "starts_at": _moment(reservation.starts_at),
            "ends_at": _moment(reservation.ends_at),
            "price_minor": reservation.price_minor,
            "currency": reservation.currency,
            "refund_policy": reservation.refund_policy,
            "created_at": _moment(reservation.created_at),
            "confirmed_at": _moment(reservation.confirmed_at),
            "ended_at": _moment(reservation.ended_at),
        }


def _payments(user_id: int) -> Iterator[Record]:
    mine = (
        select(Payment, Reservation.code, Receipt)
        .join(Reservation, Reservation.id == Payment.reservation_id)
        .outerjoin(Receipt, Receipt.payment_id == Payment.id)
        .where(Payment.user_id == user_id)
    )
    for payment, code, receipt in _pages(mine, Payment.id):
        yield {
            "id": payment.id,
            "booking": code,
            "purpose": payment.purpose,
            "method": payment.gateway,
            "status": payment.status,
            "failure": payment.failure,
            "amount_minor": payment.amount_minor,
            "refunded_minor": payment.refunded_minor,
            "currency": payment.currency,
            "created_at": _moment(payment.created_at),
            "settled_at": _moment(payment.settled_at),
            "receipt": receipt and receipt_number(receipt),
        }


def _sign_ins(user_id: int) -> Iterator[Record]:
    mine = select(SignInSession).where(SignInSession.user_id == user_id)
    for (session,) in _pages(mine, SignInSession.id):
        yield {
            "id": session.id,
            "client": session.client,
            "user_agent": session.user_agent,
            "created_at": _moment(session.created_at),
            "verified_at": _moment(session.verified_at),
            "refreshed_at": _moment(session.refreshed_at),
            "ended_at": _moment(session.ended_at),
        }


def _security_events(user_id: int) -> Iterator[Record]:
    about_me = and_(AuditEntry.subject == "user", AuditEntry.subject_id == user_id)
    mine = select(AuditEntry).where(or_(about_me, AuditEntry.actor_id == user_id))
    for (entry,) in _pages(mine, AuditEntry.id):
        by_me = entry.actor_id == user_id
        is_about_another = entry.subject == "user" and entry.subject_id != user_id
        record = {
            "at": _moment(entry.at),
            "action": entry.action,
            "by": "you" if by_me else "nobody signed in" if entry.actor_id is None else "staff",
            # Whoever else acted, or is acted upon, has a right to their own data.
            "client": entry.client if by_me or entry.actor_id is None else None,
        }
        if not is_about_another:
            record |= {
                "subject": entry.subject,
                "subject_id": entry.subject_id,
                "before": entry.before,
                "after": entry.after,
            }
        yield record


def _mails(user_id: int) -> Iterator[Record]:
    address = select(User.email).where(User.id == user_id).scalar_subquery()
    mine = select(OutboxMail).where(OutboxMail.to_address == address)
    for (mail,) in _pages(mine, OutboxMail.id):
        yield {
            "template": mail.template,
            "status": mail.status,
            "created_at": _moment(mail.created_at),
            "sent_at": _moment(mail.sent_at),
        }


_LISTS: dict[str, Callable[[int], Iterator[Record]]] = {
    "vehicles": _vehicles,
    "bookings": _bookings,
    "payments": _payments,
    "sign-ins": _sign_ins,
    "security-events": _security_events,
    "mails": _mails,
}


def _pages(statement: Select[*tuple[Any, ...]], key: InstrumentedAttribute[int]) -> Iterator[Any]:
    """Read rows by ascending ``key``, so many at a time, each page in a transaction of its own."""
    after: ColumnElement[bool] = key > 0
    while True:
        with transaction(read_only=True):
            rows = db.session.execute(
                statement.add_columns(key).where(after).order_by(key).limit(_AT_ONCE)
            ).all()
        yield from (row[:-1] for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = key > rows[-1][-1]


def _list_receipts(user_id: int) -> Sequence[int]:
    """List the ids of the user's receipts, newest first."""
    with transaction(read_only=True):
        return db.session.scalars(
            select(Receipt.id)
            .join(Payment, Payment.id == Receipt.payment_id)
            .where(Payment.user_id == user_id)
            .order_by(Receipt.id.desc())
        ).all()


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _DRAWN_AT_ONCE):
        yield ids[first : first + _DRAWN_AT_ONCE]


def _write_receipts(archive: ZipFile, receipt_ids: Sequence[int], made_at: datetime) -> None:
    with transaction(read_only=True):
        receipts = db.session.scalars(
            select(Receipt).where(Receipt.id.in_(receipt_ids)).order_by(Receipt.id.desc())
        ).all()
    for receipt in receipts:
        number = receipt_number(receipt)
        drawn = draw_receipt(receipt.content, number=number, issued_at=receipt.issued_at)
        _write(archive, f"receipts/{number}.pdf", drawn, made_at)


def _write_list(archive: ZipFile, name: str, records: Iterator[Record], made_at: datetime) -> int:
    """Write a list record by record, however long it is; give how many there were."""
    count = 0
    with archive.open(_entry(name, made_at), "w") as file:
        for record in records:
            file.write(b"[\n" if count == 0 else b",\n")
            file.write(_json(record))
            count += 1
        file.write(b"\n]\n" if count else b"[]\n")
    return count


def _write(archive: ZipFile, name: str, content: bytes, made_at: datetime) -> None:
    archive.writestr(_entry(name, made_at), content)


def _entry(name: str, made_at: datetime) -> ZipInfo:
    entry = ZipInfo(name, made_at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    # A file that its owner may read and write, for those who unpack it on Unix.
    entry.external_attr = 0o600 << 16
    return entry


def _json(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, indent=2).encode()


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _write_readme(counts: dict[str, int], *, receipts: int, made_at: datetime) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - it is plain text, and nobody's browser shows it # nosec B701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    current = settings()
    return environment.get_template("export-readme.txt").render(
        brand=current.brand_name,
        operator=current.operator_name,
        made_at=made_at.isoformat(timespec="seconds"),
        counts=counts,
        receipts=receipts,
        most_receipts=MOST_RECEIPTS,
        sent_mail_days=current.sent_mail_days,
    )
