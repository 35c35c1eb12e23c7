"""Let the stays of one driver have been in the middle of the last month, and make that month's report.

``last_month.py EMAIL``; it prints the month, such as 2026-10. The environment is that of the system.
"""

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from backend import clock, create_app
from backend.extensions import db
from backend.models import Reservation, Stay, User
from backend.transaction import transaction


def move_back(email: str) -> str:
    """Move the stays, and give the month in which they are then."""
    with transaction():
        user = db.session.scalars(select(User).where(User.email == email)).one()
        here = clock.now().astimezone(ZoneInfo(user.timezone))
        middle: datetime = here.replace(day=1) - timedelta(days=15)
        by = here - middle
        for booked in db.session.scalars(
            select(Reservation).where(
                Reservation.user_id == user.id, Reservation.status == "completed"
            )
        ):
            booked.ended_at = booked.ended_at and booked.ended_at - by
            for stay in db.session.scalars(select(Stay).where(Stay.reservation_id == booked.id)):
                stay.entered_at -= by
                stay.left_at = stay.left_at and stay.left_at - by
    return f"{middle:%Y-%m}"


if __name__ == "__main__":
    address = sys.argv[1]
    app = create_app()
    with app.app_context():
        month = move_back(address)
    made = app.test_cli_runner().invoke(args=["send-reports", "--month", month, "--user", address])
    sys.stdout.write(month)
    sys.exit(made.exit_code)
