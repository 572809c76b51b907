"""What a generator of pairs is asked for: a total, and classes that some of the pairs shall
show.
"""

import pytest

from hsiaug.api import PairCounts, PluginError


def test_pairs_of_any_class_come_first_and_parts_of_none_are_left_out() -> None:
    assert list(PairCounts(8, {1: 0, 3: 2, 2: 1}).parts()) == [(None, 5), (3, 2), (2, 1)]
    assert list(PairCounts(2, {4: 2}).parts()) == [(4, 2)]
    assert list(PairCounts(0).parts()) == []


@pytest.mark.parametrize("by_class", [{1: 3}, {1: 2, 2: 1}, {1: -1}])
def test_classes_can_be_asked_of_no_more_pairs_than_there_are(by_class: dict[int, int]) -> None:
    with pytest.raises(PluginError, match="part of all"):
        PairCounts(2, by_class)
