"""Writing the demo's bookings: each with its price, its money, its documents, and what became of it."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backend.claims.fit import fitting_kinds
from backend.config import settings
from backend.demo.lives import (
    GATEWAY,
    Life,
    in_order_of_refunds,
    is_paid,
    write_books,
    write_history,
    write_refund,
    write_review,
    write_stay,
)
from backend.demo.people import Booked
from backend.demo.rows import Values, insert_rows, stand_in, take_ids, tell_planner
from backend.models import (
    Base,
    CreditNote,
    LedgerEntry,
    LedgerTransaction,
    Lot,
    Payment,
    Quote,
    Receipt,
    Refund,
    Reservation,
    ReservationEvent,
    Review,
    SandboxIntent,
    Spot,
    SpotClaim,
    Stay,
    User,
)
from backend.money import round_half_up
from backend.payments import credit_notes, receipts
from backend.payments.gateways import payment_key
from backend.reservations.codes import new_code
from backend.tariffs import pricing

_CHUNK = 2000
_WITH_IDS = (Quote, Reservation, Payment)
# As their foreign keys want it.
_IN_ORDER: tuple[type[Base], ...] = (
    *(Quote, Reservation, SpotClaim, Payment, SandboxIntent, Receipt, Refund, CreditNote),
    *(LedgerTransaction, LedgerEntry, Stay, ReservationEvent, Review),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rows of bookings are written from."""

    lots: Mapping[int, Lot]
    spots: Mapping[int, Spot]
    users: Mapping[int, User]
    tariffs: Mapping[int, tuple[int, pricing.Tariff]]
    operator_id: int
    """Who answers reviews."""


def _new_codes() -> Iterator[str]:
    """Make codes, each once: among the hundreds of thousands of a year chance alone repeats one now and then."""
    made: set[str] = set()
    while True:
        code = new_code()
        if code not in made:
            made.add(code)
            yield code


_codes = _new_codes()


def add_bookings(bookings: Sequence[Booked], lives: Sequence[Life], ground: Ground) -> None:
    """Write bookings, which come in the order in which they were paid, so that ids and receipts rise with time."""
    paid_at = [each.stay.paid_at for each in bookings if is_paid(each)]
    refunded = in_order_of_refunds(bookings, lives)
    returned_at = [lives[position].ended_at for position in refunded]
    receipt_numbers = _take_numbers(receipts.SERIES, paid_at)
    note_numbers = dict(
        zip(refunded, _take_numbers(credit_notes.SERIES, filter(None, returned_at)), strict=True)
    )
    for first in range(0, len(bookings), _CHUNK):
        chunk = range(first, min(first + _CHUNK, len(bookings)))
        rows: dict[type[Base], list[Values]] = defaultdict(list)
        ids: dict[type[Base], Iterator[int]] = {
            model: iter(take_ids(model, len(chunk))) for model in _WITH_IDS
        }
        ids[Refund] = iter(take_ids(Refund, sum(position in note_numbers for position in chunk)))
        for position in chunk:
            _write_booking(
                bookings[position],
                lives[position],
                ground,
                rows,
                ids,
                receipt_numbers=receipt_numbers,
                note_number=note_numbers.get(position),
            )
        _number_movements(rows)
        for model in _IN_ORDER:
            insert_rows(model, rows[model])
        if not first:
            tell_planner(model for model in _IN_ORDER if rows[model])


def _write_booking(
    booking: Booked,
    life: Life,
    ground: Ground,
    rows: dict[type[Base], list[Values]],
    ids: Mapping[type[Base], Iterator[int]],
    *,
    receipt_numbers: Iterator[Values],
    note_number: Values | None,
) -> None:
    quote = _quote(booking, ground, next(ids[Quote]))
    reservation = _reservation(booking, life, quote, next(ids[Reservation]))
    claim = _claim(booking, reservation)
    rows[Quote].append(quote)
    rows[Reservation].append(reservation)
    rows[SpotClaim].append(claim)
    if life.entered_at is not None:
        rows[Stay].append(write_stay(life, claim))
    refund: Values | None = None
    paid_at = booking.stay.paid_at if is_paid(booking) else None
    if paid_at is not None:
        payment = _payment(booking, reservation, next(ids[Payment]))
        receipt = {
            **next(receipt_numbers),
            "payment_id": payment["id"],
            "content": receipts.write_content(
                stand_in(Payment, payment),
                stand_in(Reservation, reservation),
                user=ground.users[booking.driver.id],
                lot=ground.lots[booking.stay.place.lot_id],
                quote=stand_in(Quote, quote),
                spot=ground.spots[booking.stay.spot_id],
            ),
            "verification": receipts.new_verification(),
            "issued_at": paid_at,
        }
        if note_number is not None and life.ended_at is not None:
            refund = _give_back(payment, next(ids[Refund]), life.refund_percent, life.ended_at)
            rows[Refund].append(refund)
            rows[CreditNote].append(_credit_note(refund, payment, receipt, note_number))
        rows[Payment].append(payment)
        rows[SandboxIntent].append(_intent(payment))
        rows[Receipt].append(receipt)
        for movement, entries in write_books(payment, refund):
            rows[LedgerTransaction].append(movement)
            # The movement's id is known when all of the chunk are counted.
            rows[LedgerEntry] += [
                {"transaction_id": movement, "account": account, "amount_minor": amount}
                for account, amount in entries.items()
            ]
    rows[ReservationEvent] += write_history(
        life,
        reservation,
        paid_at=paid_at,
        refund_minor=refund["amount_minor"] if refund is not None else 0,
    )
    if life.said is not None:
        rows[Review].append(write_review(life.said, reservation, operator_id=ground.operator_id))


def _number_movements(rows: Mapping[type[Base], list[Values]]) -> None:
    """Give movements of the books their ids, and their entries the ids of the movements."""
    movements = rows[LedgerTransaction]
    for movement, movement_id in zip(
        movements, take_ids(LedgerTransaction, len(movements)), strict=True
    ):
        movement["id"] = movement_id
    for entry in rows[LedgerEntry]:
        entry["transaction_id"] = entry["transaction_id"]["id"]


def _take_numbers(series: str, issued_at: Iterable[datetime]) -> Iterator[Values]:
    """Take the numbers that documents of these moments need in each year; give them one by one."""
    zone = ZoneInfo(settings().timezone)
    years = [moment.astimezone(zone).year for moment in issued_at]
    free = {
        year: receipts.take_numbers(year, count, series=series)
        for year, count in sorted(Counter(years).items())
    }
    for year in years:
        yield {"series": series, "year": year, "number": free[year]}
        free[year] += 1


def _quote(booking: Booked, ground: Ground, quote_id: int) -> Values:
    stay, vehicle = booking.stay, booking.vehicle
    lot = ground.lots[stay.place.lot_id]
    tariff_id, tariff = ground.tariffs[lot.id]
    kind = "electric" if stay.kind == "electric" else None
    fitting = fitting_kinds(vehicle.kind, electric=vehicle.electric)
    # Whoever asks for no kind gets the price of the foremost one that the lot has.
    priced_kind = kind or next(each for each in fitting if stay.place.bays.get(each))
    price = pricing.price(
        tariff,
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        zone=lot.timezone,
        spot_kind=priced_kind,
    )
    return {
        "id": quote_id,
        "lot_id": lot.id,
        "tariff_id": tariff_id,
        "vehicle_id": vehicle.id,
        "spot_kind": kind,
        "priced_kind": priced_kind,
        "starts_at": stay.starts_at,
        "ends_at": stay.ends_at,
        "total_minor": price.total_minor,
        "tax_minor": price.tax_minor,
        "currency": price.currency,
        "lines": [line.to_dict() for line in price.lines],
        "taxes": [tax.to_dict() for tax in price.taxes],
        "refund_policy": lot.refund_policy,
        "created_at": stay.booked_at,
        "expires_at": stay.booked_at + timedelta(minutes=settings().quote_minutes),
    }


def _reservation(booking: Booked, life: Life, quote: Values, reservation_id: int) -> Values:
    stay = booking.stay
    return {
        "id": reservation_id,
        "code": next(_codes),
        "user_id": booking.driver.id,
        "vehicle_id": booking.vehicle.id,
        "plate": booking.vehicle.plate,
        "vehicle_kind": booking.vehicle.kind,
        "lot_id": stay.place.lot_id,
        "quote_id": quote["id"],
        "starts_at": stay.starts_at,
        "ends_at": stay.ends_at,
        "status": life.status,
        "live": life.is_live,
        "source": "app",
        "pinned": False,
        "price_minor": quote["total_minor"],
        "currency": quote["currency"],
        "refund_policy": quote["refund_policy"],
        "hold_expires_at": stay.booked_at + timedelta(minutes=settings().hold_minutes),
        "hold_extended_by": 0,
        "created_at": stay.booked_at,
        "confirmed_at": stay.paid_at if is_paid(booking) else None,
        "ended_at": life.ended_at,
    }


def _claim(booking: Booked, reservation: Values) -> Values:
    return {
        "spot_id": booking.stay.spot_id,
        "lot_id": reservation["lot_id"],
        "starts_at": reservation["starts_at"],
        "ends_at": reservation["ends_at"],
        "kind": "reservation",
        "reservation_id": reservation["id"],
        "live": reservation["live"],
    }


def _payment(booking: Booked, reservation: Values, payment_id: int) -> Values:
    return {
        "id": payment_id,
        "reservation_id": reservation["id"],
        "user_id": reservation["user_id"],
        "quote_id": reservation["quote_id"],
        "purpose": "booking",
        "gateway": GATEWAY,
        "gateway_ref": f"sbx_{secrets.token_hex(12)}",
        "amount_minor": reservation["price_minor"],
        "refunded_minor": 0,
        "currency": reservation["currency"],
        "status": "succeeded",
        "created_at": booking.stay.booked_at,
        "settled_at": booking.stay.paid_at,
    }


def _give_back(payment: Values, refund_id: int, percent: int, at: datetime) -> Values:
    """Give a part of a payment back: the payment knows it, and the refund is given."""
    back = round_half_up(payment["amount_minor"] * percent, 100)
    payment["refunded_minor"] = back
    payment["status"] = "refunded" if back == payment["amount_minor"] else "partially_refunded"
    return write_refund(payment, refund_id, amount_minor=back, at=at)


def _credit_note(refund: Values, payment: Values, receipt: Values, number: Values) -> Values:
    return {
        **number,
        "refund_id": refund["id"],
        "content": credit_notes.write_content(
            stand_in(Refund, refund), stand_in(Payment, payment), stand_in(Receipt, receipt)
        ),
        "verification": receipts.new_verification(),
        "issued_at": refund["created_at"],
    }


def _intent(payment: Values) -> Values:
    """Enter a charge in the sandbox bank's books, so that it can be given back."""
    return {
        "id": payment["gateway_ref"],
        "idempotency_key": payment_key(payment["id"]),
        "amount_minor": payment["amount_minor"],
        "refunded_minor": payment["refunded_minor"],
        "currency": payment["currency"],
        "status": "succeeded",
        "created_at": payment["created_at"],
    }
