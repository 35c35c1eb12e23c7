"""Making a bay free by moving others: the search alone, which knows no database.

``docs/allocation.md`` tells how it works and what it is worth.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST_MOVES = 8
"""So many bookings are moved for one, at the most."""
SMALL_LOT = 8
"""Up to so many bays of a kind every arrangement is looked at; beyond, as many as the budget allows."""
_BUDGET = 300
_BREADTH = 12
"""In a large lot the easiest bays alone are tried for each booking that needs one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a bay for a time: a booking that may be moved, or something that may not."""

    spot_id: int
    starts_at: datetime
    ends_at: datetime
    reservation_id: int | None = None
    movable: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A window for which a bay is wanted.

    ``kinds`` are those that will do, the foremost first; with a ``spot_id`` it is this very bay, and any
    ``but`` one. ``reservation_id`` is the booking that wants it, which stays where it stands and is
    in its own way nowhere.
    """

    kinds: Sequence[str]
    starts_at: datetime
    ends_at: datetime
    spot_id: int | None = None
    but: int | None = None
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A booking that gets another bay of the same kind."""

    reservation_id: int
    from_spot_id: int
    to_spot_id: int


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The bay for the wish, and what is moved for it."""

    spot_id: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The bays of a lot with their kinds, in the order in which they are preferred, and what stands on them."""

    kinds: Mapping[int, str]
    standing: Sequence[Standing]

    def has_load_for(self, wish: Wish) -> bool:
        """Tell whether at each moment of a window some kind that will do has more bays than are taken."""
        return any(search.has_load_for_one_more() for search in _searches(self, wish, 0))


def find_arrangement(
    picture: Picture, wish: Wish, *, most_moves: int = MOST_MOVES, budget: int = _BUDGET
) -> Arrangement | None:
    """Find the fewest moves that leave a bay for the wish; None when there are none within the bound.

    Where a kind has few bays that is a proof; where it has many, the search gives up after ``budget`` steps.
    """
    searches = [each for each in _searches(picture, wish, budget) if each.has_load_for_one_more()]
    for bound in range(most_moves + 1):
        for search in searches:
            found = search.look(bound)
            if found is not None:
                return found
    return None


def _searches(picture: Picture, wish: Wish, budget: int) -> "list[_Search]":
    """Make a search among the bays of each kind that will do: moves stay within the kind."""
    return [
        _Search(
            [spot_id for spot_id, each in picture.kinds.items() if each == kind],
            picture.standing,
            wish,
            budget,
        )
        for kind in dict.fromkeys(wish.kinds)
    ]


@dataclass(slots=True)
class _Bay:
    """What stands on a bay when the search begins; each list is in order, and apart."""

    fixed_starts: list[datetime] = field(default_factory=list)
    fixed_ends: list[datetime] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)
    items: list[Standing] = field(default_factory=list)

    def in_the_way(self, starts_at: datetime, ends_at: datetime) -> tuple[Standing, ...] | None:
        """Give the movable ones that overlap a window; None when something that stays does."""
        first = bisect_right(self.fixed_ends, starts_at)
        if first < len(self.fixed_starts) and self.fixed_starts[first] < ends_at:
            return None
        return tuple(
            self.items[bisect_right(self.ends, starts_at) : bisect_left(self.starts, ends_at)]
        )


_Option = tuple[tuple[Standing, ...], int]
"""Who has to leave a bay for somebody to stand there, and the bay."""


class _Search:
    """Chains of those who take a bay and those who must leave it, among the bays of one kind.

    Who left for another that now stands there need not come back: it would only push that one out. So
    each booking gets a new place once, and a bay for it is looked for among all others.
    """

    def __init__(
        self, bays: Sequence[int], standing: Sequence[Standing], wish: Wish, budget: int
    ) -> None:
        self.wish = wish
        is_small = len(bays) <= SMALL_LOT
        self.budget = None if is_small else budget
        self.breadth = len(bays) if is_small else _BREADTH
        self.is_over = False
        self.bays = {spot_id: _Bay() for spot_id in bays}
        # Bookings that have their place: those moved, and from the beginning the one that asks.
        self.placed: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.out: set[int | None] = set()
        self.moves: list[Move] = []
        self.ways: dict[int | None, list[_Option]] = {}
        self.failed: set[tuple[int, frozenset[Move]]] = set()
        self.chosen = 0
        for each in sorted(standing, key=lambda one: one.starts_at):
            bay = self.bays.get(each.spot_id)
            if bay is None:
                continue
            if wish.reservation_id is not None and each.reservation_id == wish.reservation_id:
                self.placed[each.spot_id].append((each.starts_at, each.ends_at))
            elif each.movable:
                bay.starts.append(each.starts_at)
                bay.ends.append(each.ends_at)
                bay.items.append(each)
            elif bay.fixed_ends and each.starts_at <= bay.fixed_ends[-1]:
                # Closures may overlap one another.
                bay.fixed_ends[-1] = max(bay.fixed_ends[-1], each.ends_at)
            else:
                bay.fixed_starts.append(each.starts_at)
                bay.fixed_ends.append(each.ends_at)

    def has_load_for_one_more(self) -> bool:
        """Tell whether at each moment of the window fewer bays are taken than there are.

        Moves stay within the kind, so they change nothing about this: where it fails, no move helps.
        """
        start, end = self.wish.starts_at, self.wish.ends_at
        changes: dict[datetime, int] = defaultdict(int)
        for bay in self.bays.values():
            for starts, ends in ((bay.starts, bay.ends), (bay.fixed_starts, bay.fixed_ends)):
                for each in range(bisect_right(ends, start), bisect_left(starts, end)):
                    changes[max(starts[each], start)] += 1
                    changes[ends[each]] -= 1
        load, most = 0, 0
        for moment in sorted(changes):
            load += changes[moment]
            most = max(most, load)
        return most < len(self.bays)

    def look(self, bound: int) -> Arrangement | None:
        """Find an arrangement of at most so many moves."""
        if self.is_over:
            return None
        self.failed.clear()
        wish = self.wish
        bays = self.bays if wish.spot_id is None else {wish.spot_id} & self.bays.keys()
        options: list[_Option] = []
        for spot_id in bays:
            leaving = self.bays[spot_id].in_the_way(wish.starts_at, wish.ends_at)
            if spot_id != wish.but and leaving is not None and len(leaving) <= bound:
                options.append((leaving, spot_id))
        for leaving, spot_id in sorted(options, key=_count_leaving):
            self.chosen = spot_id
            if self._take(wish.starts_at, wish.ends_at, spot_id, leaving, (), bound):
                return Arrangement(spot_id, tuple(self.moves))
        return None

    def _take(
        self,
        starts_at: datetime,
        ends_at: datetime,
        spot_id: int,
        leaving: tuple[Standing, ...],
        waiting: tuple[Standing, ...],
        bound: int,
    ) -> bool:
        """Give somebody a bay, and find places for who leaves it and who waits for one; undo it where there are none."""
        self.placed[spot_id].append((starts_at, ends_at))
        self.out.update(each.reservation_id for each in leaving)
        if self._settle((*waiting, *leaving), bound):
            return True
        self.out.difference_update(each.reservation_id for each in leaving)
        self.placed[spot_id].pop()
        return False

    def _settle(self, waiting: tuple[Standing, ...], bound: int) -> bool:
        """Find a bay for each of those who have none; those out of their own may be ``bound`` at the most."""
        if not waiting:
            return True
        if self.budget is not None:
            if self.budget == 0:
                self.is_over = True
                return False
            self.budget -= 1
        # The bay of the wish and where everybody went tell who waits, too.
        state = (self.chosen, frozenset(self.moves))
        if state in self.failed:
            return False
        hardest, options = self._hardest(waiting, bound - len(self.out))
        rest = tuple(each for each in waiting if each is not hardest)
        for leaving, spot_id in options:
            assert hardest.reservation_id is not None  # noqa: S101 - only bookings are movable # nosec B101
            self.moves.append(Move(hardest.reservation_id, hardest.spot_id, spot_id))
            if self._take(hardest.starts_at, hardest.ends_at, spot_id, leaving, rest, bound):
                return True
            self.moves.pop()
            if self.is_over:
                return False
        self.failed.add(state)
        return False

    def _hardest(self, waiting: tuple[Standing, ...], left: int) -> tuple[Standing, list[_Option]]:
        """Choose who gets a place next: all must find one in the end, so the one with the least choice."""
        hardest, fewest = waiting[0], self._options(waiting[0], left)
        for each in waiting[1:]:
            if not fewest:
                break
            options = self._options(each, left)
            if len(options) < len(fewest):
                hardest, fewest = each, options
        return hardest, fewest

    def _options(self, item: Standing, left: int) -> list[_Option]:
        """List the bays that a booking may take while at most ``left`` more leave theirs, the easiest first."""
        options: list[_Option] = []
        for known, spot_id in self._ways(item):
            if len(known) > left + len(self.out):
                break
            if any(
                starts_at < item.ends_at and item.starts_at < ends_at
                for starts_at, ends_at in self.placed[spot_id]
            ):
                continue
            leaving = tuple(each for each in known if each.reservation_id not in self.out)
            if len(leaving) <= left:
                options.append((leaving, spot_id))
                if len(options) == self.breadth:
                    break
        return options

    def _ways(self, item: Standing) -> list[_Option]:
        """List who is in the way of a booking on each other bay, as all stand in the beginning, the fewest first."""
        found = self.ways.get(item.reservation_id)
        if found is None:
            found = []
            for spot_id in self.bays:
                known = self.bays[spot_id].in_the_way(item.starts_at, item.ends_at)
                if spot_id != item.spot_id and known is not None and len(known) <= MOST_MOVES:
                    found.append((known, spot_id))
            found.sort(key=_count_leaving)
            self.ways[item.reservation_id] = found
        return found


def _count_leaving(option: _Option) -> int:
    return len(option[0])
