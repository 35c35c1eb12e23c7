"""P7, P10, P11: whatever a long history holds, no number is missing, no balance wrong, and each price replays."""

import pytest
from flask import Flask

from tests.life.history import History


def assert_books_are_right(app: Flask, *, bookings: int) -> None:
    found = History(app).run(bookings)
    assert found.bookings >= bookings
    assert found.receipts > bookings // 4
    assert found.credit_notes > 0
    assert found.gaps == 0
    assert found.wrong_balances == 0
    assert found.wrong_replays == 0
    assert found.broken == []


def test_a_history_leaves_books_that_are_right(app: Flask) -> None:
    assert_books_are_right(app, bookings=150)


@pytest.mark.long
def test_a_long_history_leaves_books_that_are_right(app: Flask) -> None:
    assert_books_are_right(app, bookings=10_000)
