"""Which ways to pay an installation offers."""

import dataclasses

from backend import config
from backend.config import Settings
from backend.models import Lot
from tests.desk import Desk, problem


def test_a_gateway_that_is_not_configured_takes_nothing(
    desk: Desk, lot: Lot, settings: Settings
) -> None:
    held = desk.hold(lot)
    config.use(dataclasses.replace(settings, payment_gateways=()))
    refused = desk.pay(held)
    assert problem(refused) == "422 invalid-input"
    assert refused.json is not None
    assert list(refused.json["errors"]) == ["method"]
    assert desk.look(held)["status"] == "held"
    config.use(settings)
    assert desk.charge(held)["status"] == "succeeded"
