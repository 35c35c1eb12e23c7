"""The counter, and drivers who stood in its lot."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.models import Lot
from tests.counter import Arrive, arrive, desk, later, lot
from tests.desk import Desk
from tests.factories import Factory

__all__ = ["arrive", "desk", "later", "lot"]

Stand = Callable[..., int]
Review = Callable[..., dict[str, Any]]


@pytest.fixture
def stand(make: Factory) -> Stand:
    """Let a driver park in a lot and leave; give the booking."""

    def stand(desk: Desk, lot: Lot, **wishes: Any) -> int:
        reservation_id = int(desk.buy(lot, **wishes)["reservation_id"])
        make.stay(reservation_id)
        return reservation_id

    return stand


@pytest.fixture
def review(arrive: Arrive, stand: Stand) -> Review:
    """Let somebody stand in a lot and review it."""

    def review(
        lot: Lot, stars: int = 4, text: str = "Dry and bright.", by: Desk | None = None
    ) -> dict[str, Any]:
        driver = by or arrive()
        answer = write(driver, lot, stand(driver, lot), stars=stars, text=text)
        assert answer.status_code == 201, answer.text
        written: dict[str, Any] = answer.json
        return written

    return review


def write(desk: Desk, lot: Lot, reservation_id: int, **said: Any) -> TestResponse:
    """Try to review a stay."""
    key = said.pop("key", None)
    body = {"reservation_id": reservation_id, "stars": 4, **said}
    headers = desk.headers | ({"Idempotency-Key": key} if key else {})
    return desk.client.post(f"/api/v1/lots/{lot.id}/reviews", json=body, headers=headers)


def read(client: FlaskClient, lot: Lot, **query: Any) -> dict[str, Any]:
    """Read what everybody reads of a lot's reviews."""
    answer = client.get(f"/api/v1/lots/{lot.id}/reviews", query_string=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json
    return page
