"""The database itself makes overlap impossible, whatever the code above it does."""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.claims import availability
from backend.database import violates
from backend.extensions import db
from backend.models import Closure, Lot, Quote, Reservation, Spot, SpotClaim, Tariff, Vehicle
from backend.models.claim import OVERLAP
from backend.models.guards import install_guards, missing_guards
from backend.models.reservation import PLATE_OVERLAP
from backend.transaction import transaction
from tests.factories import Factory

EIGHT = datetime(2027, 3, 1, 8, tzinfo=UTC)


def _hour(hours: float) -> datetime:
    return EIGHT + timedelta(hours=hours)


class Ledger:
    """Writes rows straight into the tables, as no code of ours would."""

    def __init__(self, connection: Connection, vehicle: Vehicle, lot: Lot) -> None:
        self.connection = connection
        self.vehicle = vehicle
        self.lot = lot
        self.count = 0

    def reserve(
        self, first: float, last: float, *, plate: str | None = None, live: bool = True
    ) -> int:
        """Write a reservation without a claim."""
        self.count += 1
        quote_id = self._quote(first, last)
        return self._insert(
            Reservation,
            code=f"VV-{self.count:04}",
            user_id=self.vehicle.user_id,
            vehicle_id=self.vehicle.id,
            plate=plate or f"P{self.count}",
            lot_id=self.lot.id,
            quote_id=quote_id,
            starts_at=_hour(first),
            ends_at=_hour(last),
            status="confirmed" if live else "cancelled",
            live=live,
            source="app",
            pinned=False,
            price_minor=0,
            currency="EUR",
            refund_policy="standard",
            hold_extended_by=0,
            created_at=clock.now(),
        )

    def claim(
        self,
        spot: Spot,
        first: float,
        last: float,
        *,
        live: bool = True,
        expires_at: datetime | None = None,
    ) -> int:
        """Write a claim of a reservation of its own."""
        return self._insert(
            SpotClaim,
            spot_id=spot.id,
            lot_id=spot.lot_id,
            starts_at=_hour(first),
            ends_at=_hour(last),
            kind="reservation",
            reservation_id=self.reserve(first, last),
            live=live,
            expires_at=expires_at,
        )

    def close(self, spot: Spot, first: float, last: float) -> int:
        """Write a closure and its claim."""
        closure_id = self._insert(
            Closure,
            lot_id=spot.lot_id,
            spot_id=spot.id,
            reason="Works",
            starts_at=_hour(first),
            ends_at=_hour(last),
            created_by=self.vehicle.user_id,
            created_at=clock.now(),
        )
        return self._insert(
            SpotClaim,
            spot_id=spot.id,
            lot_id=spot.lot_id,
            starts_at=_hour(first),
            ends_at=_hour(last),
            kind="closure",
            closure_id=closure_id,
            live=True,
        )

    def change(self, model: Any, row_id: int, **values: Any) -> None:
        """Change a row."""
        self.connection.execute(update(model).where(model.id == row_id).values(**values))

    @contextmanager
    def refusing(self, name: str) -> Iterator[None]:
        """Insist that the database refuses what the block does, by the rule of this name."""
        savepoint = self.connection.begin_nested()
        with pytest.raises(IntegrityError) as caught:
            yield
        savepoint.rollback()
        assert violates(caught.value, name)

    def _quote(self, first: float, last: float) -> int:
        tariff_id = self.connection.execute(select(Tariff.id)).scalars().first()
        return self._insert(
            Quote,
            lot_id=self.lot.id,
            tariff_id=tariff_id,
            starts_at=_hour(first),
            ends_at=_hour(last),
            total_minor=0,
            tax_minor=0,
            currency="EUR",
            lines=[],
            taxes=[],
            refund_policy="standard",
            created_at=clock.now(),
            expires_at=clock.now(),
        )

    def _insert(self, model: Any, **values: Any) -> int:
        row_id: int = self.connection.execute(
            insert(model).values(**values).returning(model.id)
        ).scalar_one()
        return row_id


@pytest.fixture
def lot(make: Factory) -> Lot:
    return make.lot(spots=4)


@pytest.fixture
def spots(make: Factory, lot: Lot) -> list[Spot]:
    return make.spots(lot)


@pytest.fixture
def ledger(app: Flask, make: Factory, lot: Lot) -> Iterator[Ledger]:
    vehicle = make.vehicle(make.user())
    with app.app_context(), db.engine.begin() as connection:
        yield Ledger(connection, vehicle, lot)


class TestTheGuardOfBays:
    def test_it_stands(self, ledger: Ledger) -> None:
        assert missing_guards(ledger.connection) == set()

    def test_it_is_put_back_beside_one_that_stands(self, ledger: Ledger) -> None:
        connection = ledger.connection
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"ALTER TABLE spot_claims DROP CONSTRAINT {OVERLAP}"))
        else:
            connection.execute(text(f"DROP TRIGGER {OVERLAP}_insert"))
        assert len(missing_guards(connection)) == 1
        install_guards(connection)
        assert missing_guards(connection) == set()

    @pytest.mark.parametrize(
        ("first", "last"), [(9, 11), (8, 10), (10, 12), (9.5, 10.5), (8, 12), (10.99, 12)]
    )
    def test_two_live_claims_of_a_bay_never_overlap(
        self, ledger: Ledger, spots: list[Spot], first: float, last: float
    ) -> None:
        ledger.claim(spots[0], 9, 11)
        with ledger.refusing(OVERLAP):
            ledger.claim(spots[0], first, last)
        ledger.claim(spots[1], first, last)

    def test_windows_that_touch_do_not_overlap(self, ledger: Ledger, spots: list[Spot]) -> None:
        for first, last in ((9, 10), (11, 12), (10, 11)):
            ledger.claim(spots[0], first, last)

    def test_a_claim_that_ended_is_in_nobodys_way(self, ledger: Ledger, spots: list[Spot]) -> None:
        over = ledger.claim(spots[0], 9, 11, live=False)
        ledger.claim(spots[0], 9, 11)
        with ledger.refusing(OVERLAP):
            ledger.change(SpotClaim, over, live=True)

    def test_no_change_of_a_claim_gets_round_it(self, ledger: Ledger, spots: list[Spot]) -> None:
        ledger.claim(spots[0], 9, 11)
        later, beside = ledger.claim(spots[0], 11, 12), ledger.claim(spots[1], 9, 11)
        for row_id, change in (
            (later, {"starts_at": _hour(10)}),
            (later, {"starts_at": _hour(8), "ends_at": _hour(13)}),
            (beside, {"spot_id": spots[0].id}),
        ):
            with ledger.refusing(OVERLAP):
                ledger.change(SpotClaim, row_id, **change)
        ledger.change(SpotClaim, later, ends_at=_hour(13))

    def test_closures_and_bookings_keep_each_other_out(
        self, ledger: Ledger, spots: list[Spot]
    ) -> None:
        ledger.close(spots[0], 9, 11)
        with ledger.refusing(OVERLAP):
            ledger.claim(spots[0], 10, 12)
        ledger.claim(spots[1], 9, 11)
        with ledger.refusing(OVERLAP):
            ledger.close(spots[1], 8, 10)

    def test_closures_may_overlap_one_another(self, ledger: Ledger, spots: list[Spot]) -> None:
        ledger.close(spots[0], 9, 11)
        ledger.close(spots[0], 10, 12)

    def test_a_window_has_a_length(self, ledger: Ledger, spots: list[Spot]) -> None:
        row_id = ledger.claim(spots[0], 9, 10)
        with ledger.refusing("ck_spot_claims_starts_before_end"):
            ledger.change(SpotClaim, row_id, ends_at=_hour(9))


class TestTheGuardOfPlates:
    def test_one_plate_is_never_in_two_places(self, ledger: Ledger) -> None:
        ledger.reserve(9, 11, plate="DD1")
        with ledger.refusing(PLATE_OVERLAP):
            ledger.reserve(10, 12, plate="DD1")
        ledger.reserve(11, 12, plate="DD1")
        ledger.reserve(10, 12, plate="DD2")

    def test_what_is_over_is_in_nobodys_way(self, ledger: Ledger) -> None:
        over = ledger.reserve(9, 11, plate="DD1", live=False)
        ledger.reserve(9, 11, plate="DD1")
        with ledger.refusing(PLATE_OVERLAP):
            ledger.change(Reservation, over, live=True, status="confirmed")

    def test_no_change_gets_round_it(self, ledger: Ledger) -> None:
        ledger.reserve(9, 11, plate="DD1")
        later, other = ledger.reserve(11, 12, plate="DD1"), ledger.reserve(9, 11, plate="DD2")
        for row_id, change in ((later, {"starts_at": _hour(10)}), (other, {"plate": "DD1"})):
            with ledger.refusing(PLATE_OVERLAP):
                ledger.change(Reservation, row_id, **change)

    def test_live_follows_the_status(self, ledger: Ledger) -> None:
        row_id = ledger.reserve(9, 11)
        with ledger.refusing("ck_reservations_live_follows_status"):
            ledger.change(Reservation, row_id, live=False)


class TestAvailability:
    @pytest.mark.parametrize("seed", range(4))
    def test_every_count_equals_a_recount(
        self, app: Flask, make: Factory, seed: int, write: Callable[[Lot, random.Random], None]
    ) -> None:
        chance = random.Random(seed)
        lots = [make.lot(spots=3), make.lot(spots=2, kind="large"), make.lot(spots=0)]
        write(lots[0], chance)
        write(lots[1], chance)
        spots = {lot.id: make.spots(lot) for lot in lots}
        with app.app_context(), transaction(read_only=True):
            claims = [row for row in db.session.scalars(select(SpotClaim)) if _counts(row)]
            for _ in range(25):
                first = chance.randrange(0, 40) / 4
                window = (_hour(first), _hour(first + chance.randrange(1, 12) / 4))
                counted = availability.count_free(
                    [lot.id for lot in lots], starts_at=window[0], ends_at=window[1]
                )
                for lot_id, bays in spots.items():
                    taken = {row.spot_id for row in claims if _overlaps(row, window)}
                    free = [bay for bay in bays if bay.id not in taken]
                    got = counted.get(lot_id, {})
                    assert sum(kind.capacity for kind in got.values()) == len(bays)
                    assert sum(kind.free for kind in got.values()) == len(free)

    @pytest.mark.parametrize("seed", range(4))
    def test_the_next_free_window_is_the_first_one(
        self, app: Flask, make: Factory, seed: int, write: Callable[[Lot, random.Random], None]
    ) -> None:
        chance = random.Random(seed)
        lot = make.lot(spots=2)
        write(lot, chance)
        bays = make.spots(lot)
        with app.app_context(), transaction(read_only=True):
            claims = [row for row in db.session.scalars(select(SpotClaim)) if _counts(row)]
            for _ in range(10):
                start = _hour(chance.randrange(0, 24) / 4)
                length = timedelta(minutes=15 * chance.randrange(1, 9))
                found = availability.next_free_windows(
                    [lot.id],
                    kinds=["standard"],
                    starts_at=start,
                    length=length,
                    latest=start + timedelta(days=1),
                ).get(lot.id)
                starts = (start + timedelta(minutes=15 * step) for step in range(97))
                first = next(
                    at
                    for at in starts
                    if any(
                        not any(
                            row.spot_id == bay.id and _overlaps(row, (at, at + length))
                            for row in claims
                        )
                        for bay in bays
                    )
                )
                assert found == first

    def test_it_reads_the_index_of_live_claims_alone(
        self, ledger: Ledger, lot: Lot, spots: list[Spot]
    ) -> None:
        for hours in range(100):
            ledger.claim(spots[0], hours, hours + 1, live=hours % 2 == 0)
        on_sqlite = ledger.connection.dialect.name == "sqlite"
        if not on_sqlite:
            # So few rows are read faster in any order; what counts is that the index can serve.
            ledger.connection.execute(text("SET LOCAL enable_seqscan = off"))
            ledger.connection.execute(text("ANALYZE spot_claims, spots"))
        explain = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
        statement = text(f"{explain} {availability._OCCUPIED.text}").bindparams(
            bindparam("lot_ids", expanding=True), *availability._INSTANTS
        )
        rows = ledger.connection.execute(
            statement,
            {
                "lot_ids": [lot.id],
                "starts_at": _hour(96),
                "ends_at": _hour(97),
                "now": clock.now(),
            },
        )
        plan = "\n".join(str(row) for row in rows)
        assert re.search("ix_spot_claims_(lot|spot)_ends_live", plan), plan


@pytest.fixture
def write(app: Flask, make: Factory) -> Callable[[Lot, random.Random], None]:
    """Fill a lot by chance: bookings, fresh and stale holds, closures, and what is over."""

    def write(lot: Lot, chance: random.Random) -> None:
        vehicle = make.vehicle(make.user())
        bays = make.spots(lot)
        with app.app_context(), db.engine.begin() as connection:
            ledger = Ledger(connection, vehicle, lot)
            ledger.count = 1000 * lot.id
            for _ in range(30):
                bay, first = chance.choice(bays), chance.randrange(0, 40) / 4
                last = first + chance.randrange(1, 8) / 4
                savepoint = connection.begin_nested()
                try:
                    match chance.randrange(5):
                        case 0:
                            ledger.close(bay, first, last)
                        case 1:
                            ledger.claim(bay, first, last, live=False)
                        case 2:
                            stale = clock.now() - timedelta(minutes=1)
                            ledger.claim(bay, first, last, expires_at=stale)
                        case 3:
                            fresh = clock.now() + timedelta(minutes=9)
                            ledger.claim(bay, first, last, expires_at=fresh)
                        case _:
                            ledger.claim(bay, first, last)
                    savepoint.commit()
                except IntegrityError:
                    savepoint.rollback()

    return write


def _counts(row: SpotClaim) -> bool:
    return row.live and (row.expires_at is None or row.expires_at > clock.now())


def _overlaps(row: SpotClaim, window: tuple[datetime, datetime]) -> bool:
    return row.starts_at < window[1] and row.ends_at > window[0]
