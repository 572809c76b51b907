"""Spatial structure of patches: what neighbours share, and where edges are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.damages import blur, shuffle_pixels
from hsiaug.metrics.structure import (
    edge_share,
    edge_threshold,
    neighbour_correlation,
    patch_structure,
)

Maps = NDArray[np.float32]


@pytest.fixture
def maps(rng: np.random.Generator) -> Maps:
    """Ramps along rows, whose columns are equal, each patch at a level of its own."""
    ramp = np.broadcast_to(np.arange(6.0), (40, 2, 6, 6))
    return (ramp + rng.normal(0, 20, (40, 1, 1, 1))).astype(np.float32)


def test_neighbours_of_all_patches_are_correlated_as_one_list_of_pairs(
    rng: np.random.Generator,
) -> None:
    x = rng.normal(size=(5, 2, 4, 3))
    first = np.concatenate([x[:, 1, :, :-1].ravel(), x[:, 1, :-1].ravel()])
    second = np.concatenate([x[:, 1, :, 1:].ravel(), x[:, 1, 1:].ravel()])

    assert neighbour_correlation(x)[1] == pytest.approx(np.corrcoef(first, second)[0, 1])


def test_levels_of_patches_hide_that_pixels_are_shuffled_unless_they_are_taken_out(
    maps: Maps, rng: np.random.Generator
) -> None:
    shuffled = shuffle_pixels(maps, 1.0, rng)

    assert neighbour_correlation(shuffled).min() > 0.95
    assert neighbour_correlation(shuffled, within=True) == pytest.approx([0, 0], abs=0.1)
    assert neighbour_correlation(maps, within=True).min() > 0.8
    assert np.isnan(neighbour_correlation(np.ones((2, 1, 3, 3)))).all()


def test_one_real_pixel_in_ten_is_an_edge(rng: np.random.Generator) -> None:
    real = rng.normal(size=(200, 3, 9, 9))
    threshold = edge_threshold(real)

    assert edge_share(real, threshold) == pytest.approx(0.1, abs=0.001)
    smooth = blur(real, 1.0, rng)
    assert edge_share(smooth, threshold) < 0.01 < 0.3 < edge_share(2 * real, threshold)


def test_shuffled_and_blurred_patches_differ_from_held_out_ones(rng: np.random.Generator) -> None:
    train, held, like = (
        np.cumsum(np.cumsum(rng.normal(size=(200, 4, 7, 7)), -1), -2).astype(np.float32)
        for _ in range(3)
    )
    real = patch_structure(train, held, like)
    shuffled = patch_structure(train, held, shuffle_pixels(like, 1.0, rng))
    blurred = patch_structure(train, held, blur(like, 1.0, rng))

    first = real["within_1"]
    assert first.value == pytest.approx(first.held_out, abs=0.05)
    assert (shuffled["within_1"].value or 0) < (first.held_out or 0) - 0.3
    assert (blurred["within_1"].value or 0) > (first.held_out or 0) + 0.02
    assert (blurred["edges"].value or 0) < 1 < (real["edges"].value or 0)
    assert first.n == 200 and real["edges"].training == pytest.approx(10, abs=0.5)


def test_patches_of_one_pixel_and_empty_sets_are_named(rng: np.random.Generator) -> None:
    x = rng.normal(size=(9, 3, 5, 5)).astype(np.float32)

    assert "one pixel" in patch_structure(*(x[..., :1, :1],) * 3).notes[0]
    assert "to compare" in patch_structure(x, x[:0], x).notes[0]
