"""Whatever arrangement there is within the bound, the search finds it, with as few moves as can be."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from backend.claims.rearranging import (
    MOST_MOVES,
    Arrangement,
    Picture,
    Standing,
    Wish,
    find_arrangement,
)

MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
KINDS = ("standard", "large")


def at(hour: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def stands(spot_id: int, first: float, last: float, reservation_id: int | None = None) -> Standing:
    """A booking that may be moved; without a number something that may not."""
    return Standing(
        spot_id, at(first), at(last), reservation_id, movable=reservation_id is not None
    )


def wish(first: float, last: float, *kinds: str) -> Wish:
    return Wish(kinds or KINDS[:1], at(first), at(last))


def lot(bays: int, *standing: Standing, kind: str = "standard") -> Picture:
    return Picture(dict.fromkeys(range(1, bays + 1), kind), standing)


def fewest_moves(picture: Picture, wanted: Wish) -> int | None:
    """Count the fewest moves of all arrangements whatever, by trying each: the judge of the search.

    It knows nothing of chains. Everybody is given a bay in the order in which they begin, each bay in turn;
    of how the bays are taken at a moment only the cheapest way to get there is kept.
    """
    counts = [
        count
        for kind in set(wanted.kinds)
        if (count := _fewest_in_kind(picture, wanted, kind)) is not None
    ]
    return min(counts, default=None)


def _fewest_in_kind(picture: Picture, wanted: Wish, kind: str) -> int | None:
    bays = [spot_id for spot_id, each in picture.kinds.items() if each == kind]
    if not bays:
        return None
    newcomer = Standing(0, wanted.starts_at, wanted.ends_at)
    everybody = sorted(
        [*(one for one in picture.standing if one.spot_id in bays), newcomer],
        key=lambda one: one.starts_at,
    )
    reached: dict[tuple[datetime, ...], int] = {(MIDNIGHT,) * len(bays): 0}
    for one in everybody:
        onward: dict[tuple[datetime, ...], int] = {}
        for until, moves in reached.items():
            for place, spot_id in enumerate(bays):
                is_elsewhere = spot_id != one.spot_id
                if until[place] > one.starts_at or (
                    is_elsewhere and not one.movable and one is not newcomer
                ):
                    continue
                cost = moves + (is_elsewhere and one is not newcomer)
                taken = tuple(
                    one.ends_at if each == place else max(end, one.starts_at)
                    for each, end in enumerate(until)
                )
                if cost <= MOST_MOVES:
                    onward[taken] = min(cost, onward.get(taken, cost))
        reached = onward
    return min(reached.values(), default=None)


def check(picture: Picture, wanted: Wish, found: Arrangement) -> None:
    """Insist that an arrangement is one: only who may is moved, within the kind, and nobody overlaps."""
    assert picture.kinds[found.spot_id] in wanted.kinds
    assert len(found.moves) <= MOST_MOVES
    moved = {move.reservation_id: move for move in found.moves}
    assert len(moved) == len(found.moves)
    spans: dict[int, list[tuple[datetime, datetime]]] = {
        found.spot_id: [(wanted.starts_at, wanted.ends_at)]
    }
    for one in picture.standing:
        spot_id = one.spot_id
        if one.reservation_id in moved:
            move = moved.pop(one.reservation_id)
            assert one.movable
            assert move.from_spot_id == spot_id != move.to_spot_id
            assert picture.kinds[move.to_spot_id] == picture.kinds[spot_id]
            spot_id = move.to_spot_id
        spans.setdefault(spot_id, []).append((one.starts_at, one.ends_at))
    assert not moved
    for taken in spans.values():
        taken.sort()
        for (_, end), (start, _) in pairwise(taken):
            assert end <= start


def random_lot(chance: random.Random) -> tuple[Picture, Wish]:
    """Make a lot of 2 to 8 bays, more or less full, in which some may not be moved, and a wish."""
    bays, hours = chance.randint(2, 8), chance.choice((6, 8, 12, 16))
    gaps, stays = chance.choice(((0.2, 4), (0.4, 6), (0.6, 4), (0.35, 10)))
    kinds = {spot_id: chance.choice(KINDS) for spot_id in range(1, bays + 1)}
    if chance.random() < 0.7:
        kinds = dict.fromkeys(kinds, "standard")
    free_to_move = chance.choice((0.6, 0.85, 1.0))
    standing: list[Standing] = []
    for spot_id in kinds:
        hour = 0.0
        while hour < hours:
            if chance.random() < gaps:
                hour += chance.choice((0.5, 1, 2))
            length = chance.randint(1, stays) / 2
            movable = chance.random() < free_to_move
            standing.append(
                Standing(spot_id, at(hour), at(hour + length), len(standing) + 1, movable=movable)
            )
            hour += length
    chance.shuffle(standing)
    start = chance.randrange(2 * hours) / 2
    wanted = wish(start, start + chance.randint(1, 8) / 2, *chance.choice((KINDS[:1], KINDS)))
    return Picture(kinds, standing), wanted


def scrambled_lot(chance: random.Random) -> tuple[Picture, Wish]:
    """Make a lot in which the wish has its place, and put everybody but the wish elsewhere by chance."""
    bays, hours = chance.randint(3, 8), chance.choice((8, 12))
    start = chance.randrange(hours)
    wanted = wish(start, start + chance.randint(2, 6))
    windows = []
    for spot_id in range(bays):
        hour = 0.0
        while hour < hours:
            length, gap = chance.randint(2, 6) / 2, chance.choice((0, 0, 0, 0.5))
            is_wish = (
                spot_id == 0 and at(hour) < wanted.ends_at and at(hour + length) > wanted.starts_at
            )
            if not is_wish:
                windows.append((hour, hour + length))
            hour += length + gap
    chance.shuffle(windows)
    standing: list[Standing] = []
    for first, last in windows:
        free = [
            spot_id
            for spot_id in range(1, bays + 1)
            if not any(
                one.spot_id == spot_id and one.starts_at < at(last) and one.ends_at > at(first)
                for one in standing
            )
        ]
        if free:
            standing.append(stands(chance.choice(free), first, last, len(standing) + 1))
    return lot(bays, *standing), wanted


def make_lot(seed: int) -> tuple[Picture, Wish]:
    return (scrambled_lot if seed % 2 else random_lot)(random.Random(seed))


def compare(seeds: Sequence[int]) -> list[int | None]:
    """Hold the search against the judge; give what the judge said."""
    said = []
    for seed in seeds:
        picture, wanted = make_lot(seed)
        fewest = fewest_moves(picture, wanted)
        found = find_arrangement(picture, wanted)
        assert (None if found is None else len(found.moves)) == fewest, f"seed {seed}"
        if found is not None:
            check(picture, wanted, found)
        said.append(fewest)
    return said


class TestCompleteness:
    def test_no_window_is_missed(self) -> None:
        said = compare(range(100))
        # Of each sort enough, or the comparison would prove little.
        assert said.count(None) > 20
        assert said.count(0) > 20
        assert sum(count is not None and count >= 2 for count in said) > 10

    @pytest.mark.long
    def test_no_window_is_missed_by_any_of_a_thousand_seeds(self) -> None:
        said = compare(range(1000))
        assert sum(count is not None and count >= 3 for count in said) > 20

    def test_twin_that_makes_no_chains_misses_some(self) -> None:
        """With one move at the most it is first-fit with a nudge, and the judge sees what that misses."""
        missed = 0
        for seed in range(60):
            picture, wanted = make_lot(seed)
            fewest = fewest_moves(picture, wanted)
            found = find_arrangement(picture, wanted, most_moves=1)
            missed += fewest is not None and found is None
        assert missed > 5


class TestMoves:
    def test_a_free_bay_needs_none(self) -> None:
        found = find_arrangement(lot(2, stands(1, 9, 12, 1)), wish(9, 12))
        assert found == Arrangement(2, ())

    def test_the_bay_that_is_preferred_comes_first(self) -> None:
        assert find_arrangement(lot(3), wish(9, 12)) == Arrangement(1, ())

    def test_two_who_each_block_a_bay_share_one(self) -> None:
        picture = lot(2, stands(1, 9, 10, 1), stands(2, 10, 11, 2))
        found = find_arrangement(picture, wish(9, 11))
        assert found is not None
        assert len(found.moves) == 1
        check(picture, wish(9, 11), found)

    def test_bookings_may_change_places_in_a_circle(self) -> None:
        # Bay 1 is free from 9 to 10 and bay 2 from 12 to 13 when the two of them change places.
        picture = lot(
            2, stands(1, 9, 11, 1), stands(1, 11, 13, 2), stands(2, 8, 9, 3), stands(2, 10, 12, 4)
        )
        wanted = wish(8, 9)
        found = find_arrangement(picture, wanted)
        assert found is not None
        check(picture, wanted, found)

    def test_who_may_not_be_moved_stays(self) -> None:
        picture = lot(2, stands(1, 9, 10), stands(2, 10, 11))
        assert find_arrangement(picture, wish(9, 11)) is None

    def test_none_helps_a_lot_that_is_full_at_some_moment(self) -> None:
        picture = lot(2, stands(1, 9, 11, 1), stands(2, 10, 12, 2))
        assert not picture.has_load_for(wish(8, 13))
        assert find_arrangement(picture, wish(8, 13)) is None

    def test_nobody_moves_to_a_bay_of_another_kind(self) -> None:
        picture = Picture(
            {1: "standard", 2: "standard", 3: "large"},
            [stands(1, 9, 10, 1), stands(2, 9, 10), stands(2, 10, 11)],
        )
        assert find_arrangement(picture, wish(9, 11)) is None
        assert find_arrangement(picture, wish(9, 11, *KINDS)) == Arrangement(3, ())

    def test_closures_may_overlap_one_another(self) -> None:
        picture = lot(2, stands(1, 8, 20), stands(1, 9, 10), stands(1, 10, 22), stands(2, 9, 10, 1))
        assert find_arrangement(picture, wish(21, 23)) == Arrangement(2, ())
        assert find_arrangement(picture, wish(9, 11)) is None
        assert find_arrangement(picture, wish(22, 23)) == Arrangement(1, ())

    def test_no_more_are_moved_than_the_bound_has_it(self) -> None:
        short = [stands(1, hour, hour + 1, hour) for hour in range(1, 10)]
        picture = lot(2, *short)
        assert find_arrangement(picture, wish(1, 10)) == Arrangement(2, ())
        blocked = lot(2, *short, stands(2, 10, 11))
        assert find_arrangement(blocked, wish(1, 11)) is None
        found = find_arrangement(blocked, wish(2, 11), most_moves=9)
        assert found is not None
        assert len(found.moves) == 8


class TestWishes:
    def test_for_one_bay_only_that_one_is_cleared(self) -> None:
        picture = lot(3, stands(1, 9, 11, 1))
        wanted = Wish(KINDS[:1], at(9), at(11), spot_id=1)
        found = find_arrangement(picture, wanted)
        assert found is not None
        assert found.spot_id == 1
        check(picture, wanted, found)

    def test_for_any_but_one_that_one_is_not_given(self) -> None:
        wanted = Wish(KINDS[:1], at(9), at(11), but=1)
        assert find_arrangement(lot(2), wanted) == Arrangement(2, ())
        assert find_arrangement(lot(1), wanted) is None

    def test_who_wants_to_stay_longer_is_not_in_their_own_way_and_stays(self) -> None:
        picture = lot(2, stands(1, 9, 11, 1), stands(1, 11, 12, 2), stands(2, 9, 11, 3))
        wanted = Wish(KINDS[:1], at(9), at(12), spot_id=1, reservation_id=1)
        found = find_arrangement(picture, wanted)
        assert found is not None
        assert [(move.reservation_id, move.to_spot_id) for move in found.moves] == [(2, 2)]

    def test_nobody_is_moved_to_where_they_stand(self) -> None:
        # The one in the way fits only where the asker stands until eleven.
        picture = lot(
            2, stands(1, 9, 11, 1), stands(2, 10, 12, 2), stands(2, 9, 10), stands(2, 12, 13)
        )
        wanted = Wish(KINDS[:1], at(10), at(12), spot_id=2, reservation_id=1)
        assert find_arrangement(picture, wanted) is None


def test_the_budget_ends_a_search_in_a_large_lot() -> None:
    standing = [
        stands(bay, hour, hour + 2, 100 * bay + hour)
        for bay in range(1, 41)
        for hour in range(bay % 2, 20, 2)
    ]
    picture = lot(41, *standing, stands(41, 5, 6), stands(41, 8, 9))
    assert find_arrangement(picture, wish(5, 9), budget=10) is None
