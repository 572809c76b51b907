"""Known damage: what it does to masks, and that its share is found again on other tiles."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.dense_calibration import (
    DAMAGES,
    SCENES,
    damage,
    found_again,
    thirds,
    tiles_of,
    wrong_share,
)
from hsiaug.base.errors import InputError
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.reliability import dense_reliability
from tests.toyworld import ToyWorld, toy_world


@pytest.fixture(scope="module")
def world() -> ToyWorld:
    return toy_world(noise=0.06, side=16)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_makes_the_share_asked_for_and_labels_no_pixel_anew(
    kind: str, rng: np.random.Generator
) -> None:
    masks = toy_world(side=16).draw(30, 0).masks
    masks[:, :2] = 0
    before = masks.copy()
    worse = damage(masks, kind, 20, (1, 2, 3, 4, 5), rng)

    assert wrong_share(worse, masks) == pytest.approx(20, abs=2)
    assert ((worse == 0) == (masks == 0)).all()
    assert (masks == before).all()
    assert (damage(masks, kind, 0, (1, 2, 3, 4, 5), rng) == masks).all()


def test_wrong_labels_are_among_the_ids_given(rng: np.random.Generator) -> None:
    masks = np.repeat(np.array([2, 7])[:, None, None], 8, axis=1).repeat(8, axis=2)

    for kind in DAMAGES:
        assert set(np.unique(damage(masks, kind, 50, (2, 7), rng))) <= {2, 7}


def test_damage_that_cannot_be_done_stays_below_the_share(rng: np.random.Generator) -> None:
    of_one_class = np.ones((4, 8, 8), dtype=np.int64)

    assert wrong_share(damage(of_one_class, "shift", 20, (1, 2), rng), of_one_class) == 0
    with pytest.raises(InputError, match="not known"):
        damage(of_one_class, "scratch", 20, (1, 2), rng)


def test_a_known_share_of_wrong_pixels_is_found_again_on_the_toy_world(world: ToyWorld) -> None:
    for found in found_again(world.draw(40, 0), world.draw(30, 1), world.draw(30, 2), (20,)):
        reached = found.true > 0.8 * found.asked
        assert found.estimate == pytest.approx(found.true, abs=4), found
        assert found.low - 1 <= found.true <= found.high + 1, found
        assert reached or found.kind in ("", "shift")


def test_agreement_falls_as_pixels_go_wrong(world: ToyWorld) -> None:
    report = dense_reliability(world.draw(20, 0), world.draw(20, 1), world.draw(20, 2), classes=5)
    assert (report["pixels"].spearman or 0) <= -0.9


def test_change_masks_are_judged_alike(world: ToyWorld) -> None:
    train, held, judged = (world.draw_change(40, seed) for seed in range(3))
    found = [f for f in found_again(train, held, judged, (10,)) if f.kind != "permute"]

    assert np.mean([abs(f.error) for f in found]) < 3
    assert max(abs(f.error) for f in found) < 6


def test_two_classes_of_real_pixels_are_needed(world: ToyWorld) -> None:
    real = world.draw(4, 0)
    alone = DenseSamples.made(real.images, np.ones_like(real.masks))

    with pytest.raises(InputError, match="two classes"):
        dense_reliability(real, alone, real, classes=5)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "bar"), [("jasper_ridge", 3), ("samson", 6)])
def test_a_known_share_is_found_again_on_real_tiles(
    shared_data: Path, name: str, bar: float
) -> None:
    found = found_again(*thirds(tiles_of(*SCENES[name](shared_data)), 0), levels=(5, 20))
    errors = {kind: [abs(f.error) for f in found if f.kind == kind] for kind in DAMAGES}

    assert sum(max(worst) <= bar for worst in errors.values()) >= 2, errors
