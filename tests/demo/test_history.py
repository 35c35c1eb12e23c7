"""The demo with a year before its two weeks."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend.demo.loader import load_demo
from backend.extensions import db
from backend.models import Reservation
from backend.transaction import transaction


@pytest.mark.long
def test_a_year_is_over_300_000_bookings(app: Flask) -> None:
    with app.app_context():
        load_demo(months=12)
        with transaction(read_only=True):
            count = db.session.scalar(select(func.count()).select_from(Reservation)) or 0
    assert count >= 300_000
