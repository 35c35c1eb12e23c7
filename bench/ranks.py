"""The Mann–Whitney U test: whether two samples could come from one source."""

import itertools
import math
from collections.abc import Sequence


def two_sided_p(ones: Sequence[float], others: Sequence[float]) -> float:
    """Tell how likely two samples of one source differ as much, by the normal approximation.

    Ties share their rank and narrow the spread; half a rank is taken off for continuity. Good for samples
    of some dozens and more.
    """
    count, other_count = len(ones), len(others)
    together = count + other_count
    ranked = sorted([(value, 1) for value in ones] + [(value, 0) for value in others])
    rank_sum, ties, before = 0.0, 0, 0
    for _, group in itertools.groupby(ranked, key=lambda pair: pair[0]):
        marks = [mark for _, mark in group]
        rank_sum += sum(marks) * (before + (len(marks) + 1) / 2)
        ties += len(marks) ** 3 - len(marks)
        before += len(marks)
    distance = abs(rank_sum - count * (count + 1) / 2 - count * other_count / 2)
    variance = count * other_count / 12 * (together + 1 - ties / (together * (together - 1)))
    if variance == 0:
        return 1.0
    return math.erfc(max(0.0, distance - 0.5) / math.sqrt(2 * variance))
