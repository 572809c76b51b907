"""Label reliability of tiles: real ones reach held-out ones, permuted masks what chance reaches."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.reliability import dense_reliability, tile_agreement
from hsiaug.metrics.measures import Measures
from tests.toyworld import ToyWorld

Sets = tuple[DenseSamples, DenseSamples, DenseSamples]


@pytest.fixture(scope="module")
def sets(world: ToyWorld) -> Sets:
    return world.draw(30, 0), world.draw(25, 1), world.draw(25, 2)


@pytest.fixture(scope="module")
def real(sets: Sets) -> Measures:
    """Real tiles in place of synthetic ones."""
    return dense_reliability(*sets, classes=5)


def test_real_tiles_reach_held_out_ones_and_permuted_masks_what_chance_does(
    sets: Sets, real: Measures
) -> None:
    train, held, made = sets
    moved = replace(made, masks=np.roll(made.masks, 1, axis=0))
    wrong = dense_reliability(train, held, moved, classes=5)["agreement"]
    right = real["agreement"]

    assert right.value == pytest.approx(right.held_out, abs=3)
    assert wrong.value == pytest.approx(right.permuted, abs=12)
    assert right.n == 25 * 16 * 16
    low, high = right.interval or (0, 0)
    assert low <= (right.value or 0) <= high
    json.dumps(real.as_json(), allow_nan=False)


def test_change_masks_are_judged_alike(world: ToyWorld) -> None:
    found = dense_reliability(*(world.draw_change(40, seed) for seed in range(3)), classes=2)
    assert found["agreement"].value == pytest.approx(found["agreement"].held_out, abs=5)


def test_agreement_falls_as_pixels_go_wrong(sets: Sets, real: Measures) -> None:
    train, held, made = sets
    shares = [real["agreement"].value or 0]
    for tiles in (8, 25):
        masks = made.masks.copy()
        masks[:tiles] = np.roll(masks[:tiles], 1, axis=0)
        found = dense_reliability(train, held, replace(made, masks=masks), classes=5)
        shares.append(found["agreement"].value or 0)
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1] + 20


def test_boundaries_of_masks_lie_where_the_spectra_change(sets: Sets, real: Measures) -> None:
    train, held, made = sets
    shifted = replace(made, masks=np.roll(made.masks, 3, axis=2))
    moved = dense_reliability(train, held, shifted, classes=5)["boundaries"]
    sharp = real["boundaries"]

    assert (sharp.held_out or 0) > 65 and sharp.value == pytest.approx(sharp.held_out, abs=6)
    assert sharp.permuted == pytest.approx(50, abs=10)
    assert (moved.value or 0) < ((sharp.held_out or 0) + (sharp.permuted or 0)) / 2


def test_each_tile_is_judged_by_training_tiles_alone(sets: Sets) -> None:
    train, _, made = sets
    masks = made.masks.copy()
    masks[:5], masks[5] = np.roll(masks[:5], 1, axis=0), 0
    found = tile_agreement(train, replace(made, masks=masks), classes=5)

    assert found.shape == (25,) and np.isnan(found[5])
    assert found[:5].max() < 0.6 < 0.8 < found[6:].min()


def test_ignored_pixels_count_nowhere(sets: Sets, real: Measures) -> None:
    train, held, made = sets
    masks = made.masks.copy()
    masks[:, :8] = np.roll(masks, 1, axis=0)[:, :8]
    partly = np.where(np.arange(16)[:, None] < 8, 0, masks)
    half, whole = (
        dense_reliability(train, held, replace(made, masks=m), classes=5)["agreement"]
        for m in (partly, masks)
    )

    right = real["agreement"].value or 0
    assert half.value == pytest.approx(right, abs=3) and (whole.value or 0) < right - 15
    nothing = dense_reliability(train, held, replace(made, masks=0 * masks), classes=5)
    assert nothing.measures == ()


def test_classes_that_no_real_tile_has_are_named_not_judged(sets: Sets) -> None:
    train, held, made = sets
    fewer = replace(held, masks=np.where(held.masks == 5, 0, held.masks))
    without = replace(made, masks=np.where(made.masks == 4, 0, made.masks))
    report = dense_reliability(train, fewer, without, classes=5)

    assert report.notes[:2] == (
        "not judged, for want of real pixels: class 5",
        "never made: class 4",
    )


def test_two_classes_of_real_pixels_are_needed(world: ToyWorld) -> None:
    real = world.draw(4, 0)
    alone = DenseSamples.made(real.images, np.ones_like(real.masks))

    with pytest.raises(InputError, match="two classes"):
        dense_reliability(real, alone, real, classes=5)
