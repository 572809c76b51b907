"""Label reliability of tiles: real ones reach the ceiling, permuted masks the floor."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.calibration import LEVELS, Reliability
from hsiaug.metrics.dense.reliability import dense_reliability, tile_agreement
from hsiaug.report.formatting import MOST_WRONG, wrong_share
from tests.toyworld import ToyWorld, toy_world


@pytest.fixture(scope="module")
def world() -> ToyWorld:
    return toy_world(noise=0.06, side=16)


@pytest.fixture(scope="module")
def sets(world: ToyWorld) -> tuple[DenseSamples, DenseSamples, DenseSamples]:
    return world.draw(30, 0), world.draw(25, 1), world.draw(25, 2)


Sets = tuple[DenseSamples, DenseSamples, DenseSamples]


@pytest.fixture(scope="module")
def real(sets: Sets) -> Reliability:
    """Real tiles in place of made ones."""
    return dense_reliability(*sets, classes=5)


def test_real_tiles_reach_the_ceiling_and_permuted_masks_the_floor(
    sets: Sets, real: Reliability
) -> None:
    train, held, made = sets
    moved = [replace(made, masks=np.roll(made.masks, n, axis=0)) for n in (1, 2, 3)]
    wrong, *others = (dense_reliability(train, held, one, classes=5) for one in moved)

    assert real["pixels"].r == pytest.approx(1, abs=0.1)
    assert np.mean([one["pixels"].r or 0 for one in (wrong, *others)]) == pytest.approx(0, abs=0.1)
    assert real["pixels"].wrong == pytest.approx(0, abs=2)
    assert (wrong["pixels"].wrong or 0) > 50
    assert real.n == 25 and real["pixels"].n == 25 * 16 * 16
    json.dumps(wrong.as_json(), allow_nan=False)


def test_boundaries_of_masks_lie_where_the_spectra_change(sets: Sets, real: Reliability) -> None:
    train, held, made = sets
    blurred = replace(made, masks=np.roll(made.masks, 3, axis=2))
    moved = dense_reliability(train, held, blurred, classes=5)["boundaries"]
    sharp = real["boundaries"]

    assert sharp.ceiling > 65 and sharp.r == pytest.approx(1, abs=0.3)
    assert sharp.floor == pytest.approx(50, abs=10)
    assert (moved.r or 0) < 0.5


def test_boundaries_say_how_many_pixels_masks_of_other_tiles_make_wrong(
    sets: Sets, real: Reliability
) -> None:
    train, held, made = sets
    masks = made.masks.copy()
    masks[:10] = np.roll(masks[:10], 1, axis=0)
    share = 100 * (masks != made.masks).mean()
    worse, all_wrong = (
        dense_reliability(train, held, replace(made, masks=m), classes=5)["boundaries"]
        for m in (masks, np.roll(made.masks, 1, axis=0))
    )

    assert (
        worse.wrong_interval is not None
        and worse.wrong_interval[0] <= share <= worse.wrong_interval[1]
    )
    assert (real["boundaries"].wrong or 0) < (worse.wrong or 0) < (all_wrong.wrong or 0)


def test_boundaries_that_no_spectrum_shows_are_not_calibrated(sets: Sets) -> None:
    train, held, made = sets
    noise = replace(
        held, images=np.random.default_rng(0).random(held.images.shape).astype(np.float32)
    )
    score = dense_reliability(train, noise, made, classes=5)["boundaries"]

    assert score.wrong is score.wrong_interval is score.spearman is None
    assert score.why


def test_tiles_that_agree_with_themselves_more_than_real_ones_leave_their_wrong_pixels_untold(
    sets: Sets,
) -> None:
    train, held, made = sets
    noise = np.random.default_rng(0).normal(0, 0.5, held.images.shape).astype(np.float32)
    score = dense_reliability(train, replace(held, images=held.images + noise), made, classes=5)[
        "pixels"
    ]

    assert score.value > score.ceiling and score.wrong is None and score.why


def test_each_tile_is_judged_by_training_tiles_alone(sets: Sets) -> None:
    train, _, made = sets
    masks = made.masks.copy()
    masks[:5], masks[5] = np.roll(masks[:5], 1, axis=0), 0
    found = tile_agreement(train, replace(made, masks=masks), classes=5)

    assert found.shape == (25,) and np.isnan(found[5])
    assert found[:5].max() < 0.6 < 0.8 < found[6:].min()


def test_ignored_pixels_count_nowhere(sets: Sets) -> None:
    train, held, made = sets
    masks = made.masks.copy()
    masks[:, :8] = np.roll(masks, 1, axis=0)[:, :8]
    partly = np.where(np.arange(16)[:, None] < 8, 0, masks)
    half, whole = (
        dense_reliability(train, held, replace(made, masks=m), classes=5) for m in (partly, masks)
    )

    assert (half["pixels"].wrong or 0) < 3 and (whole["pixels"].wrong or 0) > 20
    assert dense_reliability(train, held, replace(made, masks=0 * masks), classes=5).scores == ()


def test_classes_that_no_real_tile_has_are_named_not_judged(sets: Sets) -> None:
    train, held, made = sets
    fewer = replace(held, masks=np.where(held.masks == 5, 0, held.masks))
    without = replace(made, masks=np.where(made.masks == 4, 0, made.masks))
    report = dense_reliability(train, fewer, without, classes=5)

    assert report.notes[:2] == (
        "not judged, for want of real pixels: class 5",
        "never made: class 4",
    )


def test_the_end_of_the_calibration_is_a_bound() -> None:
    assert LEVELS[-1] == MOST_WRONG
    assert [wrong_share(q) for q in (0.2, 79.0, 80.0)] == ["0", "79", "≥ 80"]


def test_the_same_seed_gives_the_same_report(sets: Sets) -> None:
    few = [part.take(np.arange(12)) for part in sets]
    first, second = (dense_reliability(*few, classes=5, seed=3).as_json() for _ in range(2))
    assert first == second
