"""The counter, where coupons are named."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.counter import arrive, desk, later, lot, read_mail

__all__ = ["arrive", "desk", "later", "lot", "read_mail"]

Make = Callable[..., dict[str, Any]]
Try = Callable[..., TestResponse]


@pytest.fixture
def try_coupon(client: FlaskClient, as_admin: dict[str, str]) -> Try:
    """Try to make a coupon of ten per cent, unless told otherwise."""

    def try_coupon(**terms: Any) -> TestResponse:
        body = {"code": "SPRING", "name": "Spring", "percent_bp": 1000, **terms}
        return client.post("/api/v1/coupons", json=body, headers=as_admin)

    return try_coupon


@pytest.fixture
def coupon(try_coupon: Try) -> Make:
    """Make a coupon."""

    def coupon(**terms: Any) -> dict[str, Any]:
        answer = try_coupon(**terms)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    return coupon
