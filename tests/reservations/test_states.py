"""Every state against every action: allowed, or refused and nothing changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.desk import Desk, between, problem
from tests.factories import Factory, tomorrow_at
from tests.reservations.conftest import HOUR, MINUTE, At, Change, Staff

ILLEGAL, REFUSED, PAID = "409 illegal-transition", "409 entry-refused", "409 already-paid"
LATE = "409 hold-expired"
DONE = "done"

ACTIONS = (
    *("pay", "cancel", "prolong", "extend", "reschedule", "change-vehicle"),
    *("check-in", "check-out"),
)
# What each action comes to in each state, in the order of the actions.
TABLE = {
    "held": (DONE, DONE, DONE, ILLEGAL, ILLEGAL, DONE, REFUSED, ILLEGAL),
    "confirmed": (PAID, DONE, ILLEGAL, DONE, DONE, DONE, DONE, ILLEGAL),
    "checked_in": (PAID, ILLEGAL, ILLEGAL, DONE, ILLEGAL, ILLEGAL, REFUSED, DONE),
    "overstayed": (PAID, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, REFUSED, DONE),
    "completed": (PAID, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, REFUSED, ILLEGAL),
    "cancelled": (ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, REFUSED, ILLEGAL),
    "expired": (LATE, ILLEGAL, LATE, ILLEGAL, ILLEGAL, ILLEGAL, REFUSED, ILLEGAL),
    "no_show": (PAID, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, REFUSED, ILLEGAL),
}
CASES = [
    (state, action, outcome)
    for state, outcomes in TABLE.items()
    for action, outcome in zip(ACTIONS, outcomes, strict=True)
]


@pytest.mark.parametrize(("state", "action", "outcome"), CASES)
def test_each_state_allows_what_it_allows(
    desk: Desk,
    make: Factory,
    staff: Staff,
    at: At,
    change: Change,
    state: str,
    action: str,
    outcome: str,
) -> None:
    lot, start = make.lot(), tomorrow_at(9)
    (desk, gate) = at(start - 2 * MINUTE, desk, staff(lot))
    booked = _bring_to(state, desk, gate, change, desk.hold(lot, **between(start, start + HOUR)))
    assert booked["status"] == state

    answer = _doing(desk, gate, make, start)[action](booked)

    if outcome == DONE:
        assert answer.status_code in {200, 201}, answer.text
        return
    assert problem(answer) == outcome
    assert answer.json is not None
    if outcome == ILLEGAL:
        assert answer.json["status_now"] == state
    assert desk.look(booked) == booked
    # What is shown to be possible is, and what is not shown is not, but for staff alone at the gate.
    assert action not in booked["allowed_actions"]


@pytest.mark.parametrize("state", TABLE)
def test_what_is_offered_is_what_can_be_done(
    desk: Desk, make: Factory, staff: Staff, at: At, change: Change, state: str
) -> None:
    lot, start = make.lot(), tomorrow_at(9)
    (desk, gate) = at(start - 2 * MINUTE, desk, staff(lot))
    booked = _bring_to(state, desk, gate, change, desk.hold(lot, **between(start, start + HOUR)))
    shown = set(gate.look(booked)["allowed_actions"]) & set(ACTIONS)
    assert shown == {
        action for action, outcome in zip(ACTIONS, TABLE[state], strict=True) if outcome == DONE
    }


def _bring_to(
    state: str, desk: Desk, gate: Desk, change: Change, held: dict[str, Any]
) -> dict[str, Any]:
    if state not in {"held", "expired"}:
        desk.charge(held)
    if state == "cancelled":
        desk.done(held, "cancel")
    if state in {"checked_in", "overstayed", "completed"}:
        gate.done(held, "check-in")
    if state == "completed":
        gate.done(held, "check-out")
    if state in {"overstayed", "expired", "no_show"}:
        live = "true" if state == "overstayed" else "false"
        change(f"UPDATE reservations SET status = '{state}', live = {live}")
        change(f"UPDATE spot_claims SET live = {live}")
    return desk.look(held)


def _doing(
    desk: Desk, gate: Desk, make: Factory, start: datetime
) -> dict[str, Callable[[dict[str, Any]], TestResponse]]:
    later = between(start + 5 * HOUR, start + 6 * HOUR)
    return {
        "pay": desk.pay,
        "cancel": desk.cancel,
        "prolong": desk.prolong,
        "extend": lambda booked: desk.act(booked, "extend", ends_at=(start + 2 * HOUR).isoformat()),
        "reschedule": lambda booked: desk.act(booked, "reschedule", **later),
        "change-vehicle": lambda booked: desk.client.patch(
            f"/api/v1/reservations/{booked['id']}",
            json={"vehicle_id": make.vehicle(desk.user).id},
            headers=desk.headers,
        ),
        "check-in": lambda booked: gate.act(booked, "check-in"),
        "check-out": lambda booked: gate.act(booked, "check-out"),
    }
