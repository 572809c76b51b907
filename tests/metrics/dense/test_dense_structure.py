"""Spatial structure of tiles and masks: real tiles are like held-out ones, shuffled images, speckled
and foreign masks are not.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.damages import move_masks, shuffle_pixels, speckle, wrong_labels
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.structure import (
    change_contrast,
    dense_structure,
    edge_ranks,
    mask_edges,
    mask_regions,
    measure_pairs,
)
from hsiaug.metrics.measures import Measures
from tests.toyworld import toy_world

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def change() -> tuple[DenseSamples, DenseSamples, DenseSamples]:
    world = replace(toy_world(noise=0.03, side=32), fields=10, mixing=0.7)
    return world.draw_change(40, 0), world.draw_change(40, 1), world.draw_change(40, 2)


def value(structure: Measures, name: str) -> float:
    found = structure[name].value
    assert found is not None, name
    return found


def test_each_damage_is_seen_in_order_of_its_strength(
    change: tuple[DenseSamples, DenseSamples, DenseSamples],
) -> None:
    train, held, made = change
    whole = dense_structure(train, held, made)
    some, shuffled = (
        dense_structure(train, held, replace(made, images=shuffle_pixels(made.images, share, RNG)))
        for share in (0.3, 1.0)
    )
    assert value(whole, "within_1") > value(some, "within_1") > value(shuffled, "within_1")

    for names, damage, strengths in (
        (("mask_edges",), move_masks, (1, 3)),
        (("change",), wrong_labels, (0.3, 1.0)),
        (("components", "tiny"), speckle, (0.05, 0.3)),
    ):
        masks = [damage(made.masks, strength, RNG) for strength in strengths]
        damaged = [dense_structure(train, held, replace(made, masks=m)) for m in masks]
        for name in names:
            found = [value(report, name) for report in (whole, *damaged)]
            assert found == sorted(found, reverse=damage is not speckle), name


def test_real_tiles_are_like_held_out_ones(
    change: tuple[DenseSamples, DenseSamples, DenseSamples],
) -> None:
    real = dense_structure(*change)

    for name in ("components", "mask_edges", "change", "within_1"):
        assert value(real, name) == pytest.approx(real[name].held_out, rel=0.4), name
    assert real["components"].training is not None
    json.dumps(real.as_json(), allow_nan=False)


def test_tiles_of_one_date_have_no_change() -> None:
    world = toy_world(noise=0.05, side=16)
    found = dense_structure(world.draw(24, 0), world.draw(24, 1), world.draw(24, 2))

    assert found.get("change") is None and value(found, "mask_edges") > 55


def test_regions_are_counted_by_class_and_tiny_ones_by_their_pixels() -> None:
    masks = np.array([[[1, 1, 2, 0], [1, 1, 2, 0], [0, 0, 2, 2], [3, 0, 2, 2]]])

    # Regions of 4, 6 and 1 pixels; the last is tiny.
    assert mask_regions(masks) == {"components": 3.0, "tiny": pytest.approx(1 / 11)}
    assert mask_regions(0 * masks) == {"components": 0.0, "tiny": None}


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


def test_a_record_states_where_masks_lie_and_how_pixels_were_shuffled(
    change: tuple[DenseSamples, DenseSamples, DenseSamples],
) -> None:
    train, _, made = change
    moved = replace(made, masks=move_masks(made.masks, 2, RNG))
    mixed = replace(made, images=shuffle_pixels(made.images, 1.0, RNG))

    good, shifted, shuffled = (
        measure_pairs(train, part)["measured"] for part in (made, moved, mixed)
    )
    real = measure_pairs(train, made)["measured_real"]
    assert set(good) == set(real) and good["n"] == 40
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
