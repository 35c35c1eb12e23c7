"""What a booking's documents say: its ticket to print, its entry for calendars."""

from urllib.parse import urlsplit

from sqlalchemy import select

from backend import clock
from backend.config import settings
from backend.extensions import db
from backend.identity import Caller
from backend.models import Reservation
from backend.reservations.calendar_file import CalendarEntry
from backend.reservations.reading import get_reservation, read_moment, represent
from backend.reservations.signed_ticket import issue_ticket
from backend.reservations.ticket_pdf import TicketPage


def describe_ticket(reader: Caller, reservation_id: int) -> TicketPage:
    """Give what stands on the ticket of a reservation of the reader's own; admins get all.

    Raises:
        NotFound: there is none, or it is somebody else's.
        IllegalTransition: it is not paid yet, or over.

    """
    ticket = issue_ticket(reader, reservation_id)
    facts = get_reservation(reader, reservation_id)
    return TicketPage(
        brand=settings().brand_name,
        code=facts.code,
        payload=ticket.payload,
        lot=facts.lot_name,
        address=_address(facts.lot_address, facts.lot_city),
        bay=facts.spot_label,
        level=facts.spot_level,
        plate=facts.plate,
        starts_at=read_moment(facts.starts_at),
        ends_at=read_moment(facts.ends_at),
        opens_at=ticket.valid_from,
        timezone=facts.lot_timezone,
    )


def describe_entry(reader: Caller, reservation_id: int) -> CalendarEntry:
    """Give what a calendar is told of a reservation of the reader's own; admins get all.

    Raises:
        NotFound: there is none, or it is somebody else's.

    """
    facts = get_reservation(reader, reservation_id)
    sequence = db.session.execute(
        select(Reservation.sequence).where(Reservation.id == reservation_id)
    ).scalar_one()
    return CalendarEntry(
        code=facts.code,
        host=urlsplit(settings().public_url).hostname or "localhost",
        brand=settings().brand_name,
        status=represent(facts)["status"],
        sequence=sequence,
        written_at=clock.now(),
        starts_at=read_moment(facts.starts_at),
        ends_at=read_moment(facts.ends_at),
        lot=facts.lot_name,
        address=_address(facts.lot_address, facts.lot_city),
        lat=facts.lot_lat,
        lng=facts.lot_lng,
        bay=facts.spot_label,
        level=facts.spot_level,
        plate=facts.plate,
        url=f"{settings().public_url}/bookings/{facts.id}",
    )


def _address(street: str, city: str) -> str:
    # As `Lot.postal_address` has it.
    if not city or city.casefold() in street.casefold():
        return street
    return f"{street}, {city}" if street else city
