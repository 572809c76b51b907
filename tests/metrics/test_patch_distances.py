"""Distances of whole patches, against hand-made ones."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hsiaug.metrics.neighbours import nearest_turned
from hsiaug.metrics.patch_distances import (
    PatchReference,
    PatchSpace,
    block_means,
    nearest_apart,
    overlap,
    share_copies,
    share_nearer,
)
from hsiaug.protocol.view import patches_at

SIDE = 9
WAYS = [(flip, turn) for flip in (False, True) for turn in range(4)]


@pytest.fixture
def field(rng: np.random.Generator) -> np.ndarray:
    """(60, 60, 3): smooth, as scenes are, so that neighbouring patches are alike."""
    return np.stack(
        [gaussian_filter(rng.normal(size=(60, 60)), 3) for _ in range(3)], axis=2
    ).astype(np.float32)


def reduced(field: np.ndarray, at: np.ndarray) -> np.ndarray:
    return block_means(patches_at(field, at, SIDE))


def every(height: int, width: int) -> np.ndarray:
    return np.argwhere(np.ones((height, width), dtype=bool))


@pytest.mark.parametrize(
    ("side", "block"), [(1, 1), (3, 3), (5, 5), (7, 7), (9, 3), (15, 3), (25, 5)]
)
def test_a_patch_is_parted_into_the_smallest_blocks_above_a_pixel(side: int, block: int) -> None:
    blocks = side // block
    assert block_means(np.zeros((1, 2, side, side))).shape == (1, 2, blocks, blocks)


def test_patches_are_reduced_to_means_of_blocks_of_components(rng: np.random.Generator) -> None:
    spectra = rng.normal(size=(200, 20)) * np.arange(1, 21) + 5
    space = PatchSpace.fit(spectra)
    x = (
        spectra[rng.integers(200, size=4 * 81)]
        .reshape(4, 81, 20)
        .swapaxes(1, 2)
        .reshape(4, 20, 9, 9)
    )
    found = space.reduce(x)

    assert found.shape == (4, 12, 3, 3)
    by_pixel = space.scores(x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found[2, :, 0, 1], by_pixel[2, :3, 3:6].mean(axis=(0, 1)), atol=1e-4)
    # Not whitened: the leading component has the largest spread.
    assert space.scores(spectra).std(axis=0).argmax() == 0


def test_the_nearest_is_the_nearest(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, to = (rng.normal(size=(n, 2, 3, 3)).astype(np.float32) for n in (7, 40))
    by_hand = [
        min(
            np.linalg.norm(np.rot90(p[..., ::-1] if flip else p, turn, (1, 2)) - t)
            for flip, turn in WAYS
            for t in to
        )
        for p in x
    ]

    np.testing.assert_allclose(nearest_turned(x, to)[0], by_hand, rtol=1e-5)
    monkeypatch.setattr("hsiaug.metrics.neighbours.BYTES", 1)
    np.testing.assert_allclose(nearest_turned(x, to)[0], by_hand, rtol=1e-5)
    assert np.isinf(nearest_turned(x, to[:0])[0]).all()


def test_patches_that_overlap_are_no_neighbours(field: np.ndarray) -> None:
    at, pool_at = np.array([[30, 20], [5, 50]]), every(60, 60)
    x, pool = reduced(field, at), reduced(field, pool_at)
    apart = nearest_apart(x, at, pool, pool_at, SIDE)

    assert (nearest_turned(x, pool)[0] < 1e-6).all() and (apart > 0.1).all()
    # A patch one pixel further shares most of its pixels.
    shifted = nearest_apart(x, at, pool, pool_at, 1)
    assert (shifted > 1e-3).all() and (shifted < apart).all()
    by_hand = [np.abs(pool_at - own).max(axis=1) < SIDE for own in at]
    assert (overlap(at, pool_at, SIDE) == by_hand).all()
    near = pool_at[by_hand[0]]
    assert np.isinf(nearest_apart(x[:1], at[:1], reduced(field, near), near, SIDE)).all()


def test_shares_compare_within_a_class_and_leave_out_what_has_no_neighbour() -> None:
    made, made_y = np.array([1.0, 2.0, 30.0, 5.0]), np.array([1, 1, 2, 3])
    real, real_y = np.array([1.5, np.inf, 40.0, 20.0]), np.array([1, 1, 2, 2])

    # Class 1: one of two is nearer; class 2: 30 < 40 and not < 20; class 3 has no real one.
    assert share_nearer(made, made_y, real, real_y) == pytest.approx((1 + 0.5) / 3)
    assert share_copies(
        np.array([0.1, 2.0, 4.0]), np.array([1, 1, 2]), real, real_y
    ) == pytest.approx(1 / 3)
    assert share_nearer(made, made_y, real[:2], np.array([7, 7])) is None


def test_copies_of_pool_and_training_are_told_from_fresh_patches(field, rng):
    everything = rng.permutation(every(60, 60))
    training_at = everything[np.abs(everything - [10, 10]).max(axis=1) < 2]
    left_at = everything[:200]
    y = np.ones(len(left_at), dtype=np.int64)
    training, pool, left = ((reduced(field, at), at) for at in (training_at, everything, left_at))
    reference = PatchReference.of(training, pool, left, y, SIDE)

    by_training = overlap(left_at, training_at, SIDE).any(axis=1)
    assert by_training.any() and (np.isinf(reference.to_training) == by_training).all()
    values, real = reference.measure(np.rot90(pool[0][:50], 1, (2, 3)), y[:50])
    assert values["nearer_pool"] == values["copies_pool"] == 1 and values["copies_training"] < 0.1
    assert real["copies_pool"] == real["copies_training"] == 0 and real["nearer_training"] == 0.5
    assert real["nearer_pool"] == pytest.approx(0.5, abs=0.1)
    values, _ = reference.measure(training[0], y[: len(training_at)])
    assert values["nearer_training"] == values["copies_training"] == 1
    # Another field of the same kind holds no copy.
    fresh = np.stack([gaussian_filter(rng.normal(size=(60, 60)), 3) for _ in range(3)], axis=2)
    values, _ = reference.measure(reduced(fresh.astype(np.float32), left_at), y)
    assert values["copies_pool"] == 0 and 0.2 < values["nearer_pool"] < 0.65


def test_without_a_pool_nothing_is_told_of_it(field: np.ndarray) -> None:
    at, none = np.array([[10, 10], [40, 40]]), np.empty((0, 2), dtype=int)
    parts = [(reduced(field, rows), rows) for rows in (at[:1], none, at[1:])]
    values, real = PatchReference.of(*parts, np.array([1]), SIDE).measure(
        parts[2][0], np.array([1])
    )

    assert set(values) == set(real) == {"nearer_training", "copies_training"}
