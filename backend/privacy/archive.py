"""All that is kept about a person, as one ZIP that people and programs can read."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.clock import now
from backend.config import ROOT, settings
from backend.extensions import db
from backend.jobs.makers import Assignment, MadeFile
from backend.models import (
    AuditEntry,
    Coupon,
    CouponUse,
    CreditNote,
    GateScan,
    Lot,
    LotStaff,
    Notification,
    NotificationSetting,
    OutboxMail,
    Payment,
    Receipt,
    Refund,
    Report,
    Reservation,
    ReservationEvent,
    Review,
    Role,
    SignInSession,
    Spot,
    SpotClaim,
    Stay,
    User,
    Vehicle,
    WaitlistEntry,
    users_roles,
)
from backend.payments.receipts import document_number, draw, receipt_number
from backend.transaction import transaction

MOST_RECEIPTS = 500
"""Drawing a page takes a while; older receipts stand in the list of payments, older credit notes in that of refunds."""
_AT_ONCE = 500
_DRAWN_AT_ONCE = 50
_TEMPLATES = ROOT / "backend" / "templates"

Record = dict[str, Any]
_Documents: TypeAlias = type[Receipt] | type[CreditNote]


def make_archive(assignment: Assignment) -> MadeFile:
    """Put everything about a user into one ZIP: a list a file, and receipts and credit notes as PDF.

    It reads in short transactions, so that nobody waits for it; what changes meanwhile may be in or not.
    """
    made_at, user_id, report = now(), assignment.user_id, assignment.report
    path = assignment.folder / "archive.zip"
    counts: dict[str, int] = {}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, read in _LISTS.items():
            counts[name] = _write_list(archive, f"{name}.json", read(user_id), made_at)
        _write(archive, "profile.json", _json(_profile(user_id)), made_at)
        receipts, notes = _list_documents(user_id, Receipt), _list_documents(user_id, CreditNote)
        drawn: list[tuple[_Documents, str, Sequence[int]]] = [
            *((Receipt, "receipts", ids) for ids in _batches(receipts[:MOST_RECEIPTS])),
            *((CreditNote, "credit-notes", ids) for ids in _batches(notes[:MOST_RECEIPTS])),
        ]
        report(10)
        for done, (model, folder, ids) in enumerate(drawn, 1):
            _write_documents(archive, model, folder, ids, made_at)
            report(10 + 89 * done // len(drawn))
        readme = _write_readme(counts, receipts=len(receipts), notes=len(notes), made_at=made_at)
        _write(archive, "README.txt", readme.encode(), made_at)
    return MadeFile(f"my-data-{made_at:%Y-%m-%d}.zip", "application/zip", path)


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
        choices = db.session.scalars(
            select(NotificationSetting)
            .where(NotificationSetting.user_id == user_id)
            .order_by(NotificationSetting.kind)
        ).all()
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "phone": user.phone,
        "tax_id": user.tax_id,
        "timezone": user.timezone,
        "locale": user.locale,
        "created_at": _moment(user.created_at),
        "roles": list(roles),
        "works_at": list(lots),
        "accessible_permit": user.accessible_permit,
        "second_factor_since": _moment(user.totp_since),
        "notification_settings": {
            choice.kind: {"mail": choice.mail, "app": choice.app} for choice in choices
        },
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
            "source": reservation.source,
            "price_minor": reservation.price_minor,
            "debt_minor": reservation.debt_minor,
            "currency": reservation.currency,
            "covered_until": _moment(reservation.covered_until),
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


def _refunds(user_id: int) -> Iterator[Record]:
    mine = (
        select(Refund, Reservation.code, CreditNote)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Reservation, Reservation.id == Refund.reservation_id)
        .outerjoin(CreditNote, CreditNote.refund_id == Refund.id)
        .where(Payment.user_id == user_id)
    )
    for refund, code, credit_note in _pages(mine, Refund.id):
        yield {
            "id": refund.id,
            "payment_id": refund.payment_id,
            "booking": code,
            "status": refund.status,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "cause": refund.cause,
            "reason": refund.reason,
            "created_at": _moment(refund.created_at),
            "settled_at": _moment(refund.settled_at),
            "credit_note": credit_note and document_number(credit_note),
        }


def _stays(user_id: int) -> Iterator[Record]:
    mine = (
        select(Stay, Reservation.code, Lot.name, Spot.label)
        .join(Reservation, Reservation.id == Stay.reservation_id)
        .join(Lot, Lot.id == Stay.lot_id)
        .join(Spot, Spot.id == Stay.spot_id)
        .where(Reservation.user_id == user_id)
    )
    for stay, code, lot, bay in _pages(mine, Stay.id):
        yield {
            "booking": code,
            "lot": lot,
            "bay": bay,
            "entered_at": _moment(stay.entered_at),
            "left_at": _moment(stay.left_at),
        }


def _booking_events(user_id: int) -> Iterator[Record]:
    mine = (
        select(ReservationEvent, Reservation.code)
        .join(Reservation, Reservation.id == ReservationEvent.reservation_id)
        .where(Reservation.user_id == user_id)
    )
    for event, code in _pages(mine, ReservationEvent.id):
        yield {
            "booking": code,
            "at": _moment(event.at),
            "kind": event.kind,
            "facts": event.facts,
            # Whoever else acted has a right to their own data.
            "by": "system"
            if event.actor_id is None
            else "you"
            if event.actor_id == user_id
            else "staff",
        }


def _gate_scans(user_id: int) -> Iterator[Record]:
    mine = (
        select(GateScan, Reservation.code, Lot.name)
        .join(Reservation, Reservation.id == GateScan.reservation_id)
        .join(Lot, Lot.id == GateScan.lot_id)
        .where(Reservation.user_id == user_id)
    )
    for scan, code, lot in _pages(mine, GateScan.id):
        yield {
            "at": _moment(scan.at),
            "booking": code,
            "lot": lot,
            "credential": scan.credential,
            "shown": scan.shown,
            "result": scan.result,
            "reason": scan.reason,
        }


def _waitlist(user_id: int) -> Iterator[Record]:
    mine = (
        select(WaitlistEntry, Lot.name, Reservation.code)
        .join(Lot, Lot.id == WaitlistEntry.lot_id)
        .outerjoin(Reservation, Reservation.id == WaitlistEntry.reservation_id)
        .where(WaitlistEntry.user_id == user_id)
    )
    for entry, lot, code in _pages(mine, WaitlistEntry.id):
        yield {
            "lot": lot,
            "vehicle_id": entry.vehicle_id,
            "spot_kind": entry.spot_kind,
            "starts_at": _moment(entry.starts_at),
            "ends_at": _moment(entry.ends_at),
            "status": entry.status,
            "booking": code,
            "created_at": _moment(entry.created_at),
            "offered_at": _moment(entry.offered_at),
            "ended_at": _moment(entry.ended_at),
        }


def _reviews(user_id: int) -> Iterator[Record]:
    mine = (
        select(Review, Reservation.code, Lot.name)
        .join(Reservation, Reservation.id == Review.reservation_id)
        .join(Lot, Lot.id == Review.lot_id)
        .where(Review.user_id == user_id)
    )
    for review, code, lot in _pages(mine, Review.id):
        yield {
            "lot": lot,
            "booking": code,
            "stars": review.stars,
            "text": review.text,
            "status": review.status,
            "hidden_reason": review.hidden_reason,
            "reply": review.reply,
            "created_at": _moment(review.created_at),
            "edited_at": _moment(review.edited_at),
        }


def _coupons(user_id: int) -> Iterator[Record]:
    mine = (
        select(CouponUse, Coupon.code, Reservation.code)
        .join(Coupon, Coupon.id == CouponUse.coupon_id)
        .join(Reservation, Reservation.id == CouponUse.reservation_id)
        .where(CouponUse.user_id == user_id)
    )
    for use, coupon, code in _pages(mine, CouponUse.id):
        yield {"coupon": coupon, "booking": code, "used_at": _moment(use.used_at)}


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


def _reports(user_id: int) -> Iterator[Record]:
    mine = select(Report).where(Report.user_id == user_id)
    for (report,) in _pages(mine, Report.id):
        yield {
            "month": f"{report.month:%Y-%m}",
            "timezone": report.timezone,
            "status": report.status,
            "summary": report.facts,
            "created_at": _moment(report.created_at),
        }


def _notifications(user_id: int) -> Iterator[Record]:
    mine = select(Notification).where(Notification.user_id == user_id)
    for (told,) in _pages(mine, Notification.id):
        yield {
            "kind": told.kind,
            "title": told.title,
            "text": told.text,
            "at": _moment(told.created_at),
            "read_at": _moment(told.read_at),
        }


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
    "booking-events": _booking_events,
    "stays": _stays,
    "gate-scans": _gate_scans,
    "waitlist": _waitlist,
    "payments": _payments,
    "refunds": _refunds,
    "coupons": _coupons,
    "reviews": _reviews,
    "sign-ins": _sign_ins,
    "security-events": _security_events,
    "mails": _mails,
    "reports": _reports,
    "notifications": _notifications,
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


def _list_documents(user_id: int, model: _Documents) -> Sequence[int]:
    """List the ids of the user's receipts or credit notes, newest first."""
    mine = select(model.id)
    if model is CreditNote:
        mine = mine.join(Refund, Refund.id == CreditNote.refund_id).join(
            Payment, Payment.id == Refund.payment_id
        )
    else:
        mine = mine.join(Payment, Payment.id == Receipt.payment_id)
    with transaction(read_only=True):
        return db.session.scalars(
            mine.where(Payment.user_id == user_id).order_by(model.id.desc())
        ).all()


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _DRAWN_AT_ONCE):
        yield ids[first : first + _DRAWN_AT_ONCE]


def _write_documents(
    archive: ZipFile,
    model: _Documents,
    folder: str,
    ids: Sequence[int],
    made_at: datetime,
) -> None:
    with transaction(read_only=True):
        documents: Sequence[Any] = db.session.scalars(
            select(model).where(model.id.in_(ids)).order_by(model.id.desc())
        ).all()
    for document in documents:
        _write(archive, f"{folder}/{document_number(document)}.pdf", draw(document), made_at)


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


def _write_readme(counts: dict[str, int], *, receipts: int, notes: int, made_at: datetime) -> str:
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
        notes=notes,
        most_receipts=MOST_RECEIPTS,
        sent_mail_days=current.sent_mail_days,
        notification_days=current.notification_days,
    )
