"""Layout of tiles and masks: real tiles lie at held-out ones, shuffled blocks and foreign masks far
from them.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.layout_damages import move_masks
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.layout import dense_layout
from hsiaug.metrics.dense.layout_extractor import layout_blocks
from hsiaug.metrics.dense.mask_layout import change_contrast, edge_ranks, mask_edges
from hsiaug.metrics.dense.measured import measure_pairs
from hsiaug.metrics.image_damages import shuffle_blocks
from hsiaug.metrics.layout_measures import JUDGES
from hsiaug.metrics.measures import Measures
from tests.toyworld import toy_world

FOREST = {"told_by_forest": JUDGES["told_by_forest"]}


def compare(train: DenseSamples, held: DenseSamples, made: DenseSamples, classes: int) -> Measures:
    """Each held-out tile is a place of its own."""
    places = np.column_stack([np.arange(len(held)), np.zeros((len(held), 2), dtype=int)])
    return dense_layout(train, held, made, places, classes=classes, judges=FOREST)


@pytest.fixture(scope="module")
def change() -> dict[str, Measures]:
    world = replace(toy_world(noise=0.03, side=32), fields=10, mixing=0.7)
    train, held, made = world.draw_change(40, 0), world.draw_change(40, 1), world.draw_change(40, 2)
    rng = np.random.default_rng(0)
    sets = {
        "real": made,
        "blocks": replace(made, images=shuffle_blocks(made.images, 4, 1.0, rng)),
        "moved": replace(made, masks=move_masks(made.masks, 2)),
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hsiaug.metrics.two_sample.TREES", 20)
        return {name: compare(train, held, part, 2) for name, part in sets.items()}


def value(layout: Measures, name: str) -> float:
    found = layout[name].value
    assert found is not None, name
    return found


def test_shuffled_blocks_lie_far_from_real_tiles_in_layout(change: dict[str, Measures]) -> None:
    real, blocks = change["real"], change["blocks"]

    for name in ("fd_layout_1", "fd_layout_2"):
        assert value(blocks, name) > 2 * max(value(real, name), real[name].beside["held_out"] or 0)
        assert (real[name].beside["shuffled"] or 0) > 2 * value(real, name)
    assert value(blocks, "within_1") < value(real, "within_1") - 0.1
    assert value(blocks, "told_by_forest") > value(real, "told_by_forest") + 15
    json.dumps(real.as_json(), allow_nan=False)


def test_moved_masks_leave_the_changes_and_the_edges_of_their_images(
    change: dict[str, Measures],
) -> None:
    real, moved = change["real"], change["moved"]

    for name in ("change", "change_rank", "mask_edges"):
        assert value(real, name) > value(moved, name)
        held, shuffled = real[name].beside["held_out"], real[name].beside["shuffled"]
        assert held is not None and shuffled is not None
        assert value(real, name) == pytest.approx(held, rel=0.4) and shuffled < value(real, name)
    assert real["change"].beside["shuffled"] == pytest.approx(1, abs=0.15)


def test_tiles_of_one_date_have_one_distance_and_no_change() -> None:
    world = replace(toy_world(noise=0.05, side=16))
    layout = compare(world.draw(24, 0), world.draw(24, 1), world.draw(24, 2), 5)

    assert layout.get("change") is None and layout.get("fd_layout_1") is None
    assert value(layout, "fd_layout") >= 0 and value(layout, "mask_edges") > 55
    assert (layout["fd_layout_mask"].beside["shuffled"] or 0) > value(layout, "fd_layout_mask")


def test_few_tiles_are_compared_without_classifiers() -> None:
    world = replace(toy_world(noise=0.05, side=16))
    layout = compare(world.draw(6, 0), world.draw(5, 1), world.draw(6, 2), 5)

    assert layout.get("told_by_forest") is None and "too few separate blocks" in layout.notes[0]


def test_light_and_contrast_do_not_change_layout() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 2, 16, 16))
    for plain, scaled in zip(
        layout_blocks(maps, "image"), layout_blocks(5 * maps + 7, "image"), strict=True
    ):
        np.testing.assert_allclose(plain, scaled, atol=1e-4)


def test_change_is_the_difference_inside_the_mask_over_that_outside() -> None:
    images = np.zeros((1, 2, 3, 8, 8), dtype=np.float32)
    rng = np.random.default_rng(0)
    images[0, 1] = rng.choice([-1, 1], size=(3, 8, 8)) + 5
    masks = np.ones((1, 8, 8), dtype=np.int64)
    masks[0, :3] = 2
    images[0, 1, :, :3] = 3 * (images[0, 1, :, :3] - 5) + 5
    contrast = change_contrast(images, masks, np.ones(3))

    assert contrast is not None and contrast[0] == pytest.approx(3, rel=0.25) and contrast[1] > 0.95
    assert change_contrast(images, np.ones_like(masks), np.ones(3)) is None


def test_edges_of_a_mask_rank_high_where_the_image_has_one() -> None:
    mask = np.ones((1, 12, 12), dtype=np.int64)
    mask[0, :, 6:] = 2
    image = np.random.default_rng(0).normal(0, 0.1, (1, 1, 12, 12)) + mask[:, None]
    on, off = edge_ranks(image, mask) or (0.0, 0.0)

    assert on > 0.9 and off < 0.5
    assert edge_ranks(image, np.ones_like(mask)) is None
    assert mask_edges(np.where(mask == 2, 0, mask)[0])[0].sum() == 0


def test_a_record_states_where_masks_lie_and_how_blocks_were_shuffled() -> None:
    world = replace(toy_world(noise=0.03, side=32), fields=10, mixing=0.7)
    train, made = world.draw_change(30, 0), world.draw_change(30, 2)
    moved = replace(made, masks=move_masks(made.masks, 2))
    blocks = replace(made, images=shuffle_blocks(made.images, 4, 1.0, np.random.default_rng(0)))

    good, shifted, shuffled = (
        measure_pairs(train, part)["measured"] for part in (made, moved, blocks)
    )
    real = measure_pairs(train, made)["measured_real"]
    assert set(good) == set(real) and good["n"] == 30
    assert shifted["mask_edges"] < good["mask_edges"] - 0.05
    assert shifted["change"] < good["change"] and shifted["change_rank"] < good["change_rank"]
    assert shuffled["within_1"] < good["within_1"] - 0.1
    assert abs(good["within_1"] - real["within_1"]) < 0.1


def test_a_record_states_how_many_pieces_are_all_but_copies() -> None:
    # Pieces are vectors of a side squared, times the bands: few of them.
    world = replace(toy_world(noise=0.03, side=24, bands=3), fields=10)
    train, held_out, fresh = (world.draw(12, seed) for seed in (0, 1, 2))
    turned = replace(train, images=np.rot90(train.images, axes=(-2, -1)).copy())

    copied, new = (
        measure_pairs(train, made, held_out.images)["measured"] for made in (turned, fresh)
    )
    sides = [f"pieces_{side}" for side in (5, 9, 17)]
    assert all(copied[side] == 1 and new[side] < 0.5 for side in sides)
    assert not set(sides) & set(measure_pairs(train, fresh)["measured"])
