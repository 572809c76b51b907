"""Which classes a split leaves test pixels enough for their recall to tell."""

from collections.abc import Iterable, Sequence

MIN_TEST_PIXELS = 25
"""Test pixels of a class below which a split names it, and below which in any draw the main score
leaves it out.
"""


def large_classes(counts: Iterable[Sequence[int]]) -> tuple[tuple[int, ...], int]:
    """Ids of the classes with MIN_TEST_PIXELS test pixels in every draw; and how many classes have
    test pixels in some draw.

    Parameters
    ----------
    counts : iterable of sequence of int
        Counts of each draw, the test pixels of the class ids 1..C.
    """
    by_class = list(zip(*counts, strict=True))
    large = tuple(
        c for c, numbers in enumerate(by_class, start=1) if min(numbers) >= MIN_TEST_PIXELS
    )
    return large, sum(max(numbers) > 0 for numbers in by_class)
