"""Draws that hardly differ are named before a run, since intervals count each of them."""

from __future__ import annotations

import numpy as np
import pytest

from hsiaug.protocol.split import MOST_PIXELS, MOST_PLACES, group_alike


def _draw(columns, side=40):
    """One place of which some columns are trained on, and all others tested."""
    labels = np.ones((side, side), np.int16)
    trained = np.zeros((side, side), bool)
    trained[:, list(columns)] = True
    return [(labels, ~trained, trained)]


@pytest.mark.parametrize(
    ("starts", "width", "groups"),
    [
        ((0, 1, 20), 20, [[0, 1], [2]]),
        ((0, 2, 4), 2, [[0], [1], [2]]),  # a common test side alone
        ((0, 2, 4, 6), 20, [[0, 1, 2, 3]]),  # a chain
    ],
)
def test_draws_that_share_most_of_both_sides_are_one_group(starts, width, groups):
    draws = [_draw(range(start, start + width)) for start in starts]
    assert group_alike(draws) == groups


def test_unlabelled_pixels_do_not_count():
    draws = [_draw(range(20)), _draw(range(20, 40))]
    labels = np.zeros((40, 40), np.int16)
    labels[:, 19:21] = 1
    for draw in draws:
        draw[0] = (labels, *draw[0][1:])

    assert group_alike(draws) == [[0], [1]]


def test_large_sets_are_estimated_from_a_part_of_their_pixels():
    side = int((4 * MOST_PIXELS) ** 0.5)
    halves = [range(side // 2), range(5, side // 2 + 5), range(side // 2, side)]

    assert group_alike([_draw(columns, side) for columns in halves]) == [[0, 1], [2]]


def test_of_a_set_of_many_files_only_some_are_opened():
    class Files(list):
        opened = 0

        def __getitem__(self, place):
            Files.opened += 1
            return super().__getitem__(place)

    halves = [Files(_draw(columns, 20) * 39_000) for columns in (range(10), range(10, 20))]

    assert group_alike(halves) == [[0], [1]]
    assert Files.opened == 2 * MOST_PLACES
