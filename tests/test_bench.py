"""The reckoning behind the bench of answers that must not tell known addresses from unknown ones."""

import pytest

from bench.ranks import two_sided_p

ROUND = [200 + number % 20 for number in range(200)]


def test_a_textbook_example_gives_its_result() -> None:
    """Two small samples with no ties: U is 17 of 20."""
    assert two_sided_p([19, 22, 16, 29, 24], [20, 11, 17, 12]) == pytest.approx(0.1113, abs=1e-4)


def test_samples_of_one_source_are_told_alike() -> None:
    assert two_sided_p(ROUND, list(reversed(ROUND))) == 1
    assert two_sided_p([5.0] * 200, [5.0] * 200) == 1


def test_who_is_slower_is_no_matter() -> None:
    slower = [value + 1 for value in ROUND]
    assert two_sided_p(ROUND, slower) == pytest.approx(two_sided_p(slower, ROUND))


@pytest.mark.parametrize(("milliseconds", "is_seen"), [(0.5, False), (2, True), (5, True)])
def test_a_small_difference_is_seen(milliseconds: float, is_seen: bool) -> None:
    slower = [value + milliseconds for value in ROUND]
    assert (two_sided_p(ROUND, slower) < 0.01) is is_seen
