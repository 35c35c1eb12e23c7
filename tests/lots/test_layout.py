from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.lots.layout import (
    BAY_LENGTH_M,
    BAY_WIDTH_M,
    BAYS_PER_LEVEL,
    BayPlan,
    lay_out,
    lay_out_row,
    next_free_row,
)


def _overlap(first: BayPlan, second: BayPlan) -> bool:
    widths = (BAY_WIDTH_M[first.kind] + BAY_WIDTH_M[second.kind]) / 2
    return (
        first.level == second.level
        and abs(first.x - second.x) < widths - 0.001
        and abs(first.y - second.y) < BAY_LENGTH_M - 0.001
    )


class TestLayOut:
    @given(
        st.dictionaries(st.sampled_from(sorted(BAY_WIDTH_M)), st.integers(0, 150)), st.booleans()
    )
    @settings(deadline=None, max_examples=40)
    def test_every_bay_is_there_once(self, by_kind: dict[str, int], underground: bool) -> None:
        bays = lay_out(by_kind, underground=underground)
        assert Counter(bay.kind for bay in bays) == Counter(
            {kind: count for kind, count in by_kind.items() if count}
        )
        assert len({bay.label for bay in bays}) == len(bays)
        assert max(Counter(bay.level for bay in bays).values(), default=0) <= BAYS_PER_LEVEL
        assert bays == lay_out(dict(reversed(by_kind.items())), underground=underground)

    def test_bays_lie_apart(self) -> None:
        bays = lay_out(
            {"standard": 80, "accessible": 7, "large": 9, "motorcycle": 20}, underground=False
        )
        assert not [pair for pair in combinations(bays, 2) if _overlap(*pair)]
        assert min(bay.x - BAY_WIDTH_M[bay.kind] / 2 for bay in bays) == 0
        assert min(bay.y for bay in bays) == BAY_LENGTH_M / 2

    def test_accessible_and_electric_bays_are_nearest_to_the_entrance(self) -> None:
        bays = lay_out({"standard": 300, "electric": 6, "accessible": 4}, underground=True)
        farthest = {
            kind: max(bay.entrance_rank for bay in bays if bay.kind == kind)
            for kind in ("accessible", "electric", "standard")
        }
        nearest_standard = min(bay.entrance_rank for bay in bays if bay.kind == "standard")
        assert farthest["accessible"] == 0
        assert farthest["accessible"] <= farthest["electric"] <= nearest_standard
        assert {bay.level for bay in bays if bay.kind != "standard"} == {"B1"}

    def test_levels_go_down_underground_and_up_elsewhere(self) -> None:
        below = lay_out({"standard": 250}, underground=True)
        above = lay_out({"standard": 250}, underground=False)
        assert [bay.level for bay in below][:: len(below) - 1] == ["B1", "B3"]
        assert [bay.level for bay in above][:: len(above) - 1] == ["0", "2"]

    def test_rows_are_lettered_through_the_lot(self) -> None:
        bays = lay_out({"standard": 700}, underground=False)
        assert bays[0].label == "A01"
        assert {"H01", "J01", "Z01", "AA01"} <= {bay.label for bay in bays}
        assert not [bay for bay in bays if bay.label[0] in "IO"]

    def test_rows_face_their_aisle(self) -> None:
        bays = {bay.label: bay for bay in lay_out({"standard": 40}, underground=False)}
        assert (bays["A01"].rotation, bays["B01"].rotation) == (0, 180)
        assert bays["B01"].y - bays["A01"].y == 11

    @pytest.mark.parametrize("by_kind", [{"standard": -1}, {"boat": 3}])
    def test_impossible_numbers_are_refused(self, by_kind: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="A lot cannot have"):
            lay_out(by_kind, underground=False)

    def test_lot_without_bays_has_an_empty_plan(self) -> None:
        assert lay_out({}, underground=False) == []


class TestLayOutRow:
    @pytest.mark.parametrize(
        ("first", "last", "labels"),
        [
            (1, 3, ["A01", "A02", "A03"]),
            (9, 11, ["A09", "A10", "A11"]),
            (99, 101, ["A099", "A100", "A101"]),
            (0, 0, ["A00"]),
        ],
    )
    def test_labels_have_one_width(self, first: int, last: int, labels: list[str]) -> None:
        assert [bay.label for bay in lay_out_row("A", first, last, kind="standard")] == labels

    def test_long_row_goes_on_in_the_next(self) -> None:
        bays = lay_out_row("A", 1, 45, kind="large", level="1")
        assert [bay.y for bay in bays][::20] == [2.5, 13.5, 18.5]
        assert not [pair for pair in combinations(bays, 2) if _overlap(*pair)]
        assert {(bay.level, bay.kind) for bay in bays} == {("1", "large")}

    def test_new_row_starts_below_the_old_ones(self) -> None:
        old = lay_out({"standard": 30, "accessible": 3}, underground=False)
        row = next_free_row(bay.y for bay in old)
        assert row == 2
        new = lay_out_row("N", 1, 30, kind="standard", row=row)
        assert not [pair for pair in combinations([*old, *new], 2) if _overlap(*pair)]
        assert new[0].entrance_rank > old[0].entrance_rank
        assert next_free_row([]) == 0

    @pytest.mark.parametrize(
        ("level", "farther"),
        [("0", False), ("B1", False), ("B2", True), ("3", True), ("Roof", False)],
    )
    def test_other_levels_are_farther(self, level: str, farther: bool) -> None:
        rank = lay_out_row("A", 1, 1, kind="standard", level=level)[0].entrance_rank
        assert (rank > 0) is farther

    @pytest.mark.parametrize(
        ("first", "last", "kind"), [(3, 2, "standard"), (-1, 2, "standard"), (1, 2, "x")]
    )
    def test_impossible_rows_are_refused(self, first: int, last: int, kind: str) -> None:
        with pytest.raises(ValueError, match="bay"):
            lay_out_row("A", first, last, kind=kind)
