"""Fidelity of tiles: fresh real ones lie at the floor, copies are found however they are turned."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.extractor import adjacency, fit_axes, fit_image_space, image_features
from hsiaug.metrics.dense.fidelity import DenseFidelity, dense_fidelity
from hsiaug.metrics.neighbours import turn_maps
from tests.toyworld import ToyWorld

Sets = tuple[DenseSamples, DenseSamples, DenseSamples]


@pytest.fixture(scope="module")
def sets(world: ToyWorld) -> Sets:
    return world.draw(60, 0), world.draw(50, 1), world.draw(50, 2)


@pytest.fixture(scope="module")
def fresh(sets: Sets) -> DenseFidelity:
    """Fresh real tiles in place of made ones."""
    return dense_fidelity(*sets, classes=5)


def test_fresh_real_tiles_lie_near_the_floor_and_others_far_above(
    sets: Sets, world: ToyWorld, fresh: DenseFidelity
) -> None:
    train, held, _ = sets
    coarse = replace(world, fields=9).draw(50, 3)
    blurred = replace(coarse, images=(coarse.images + np.roll(coarse.images, 1, axis=-1)) / 2)
    far = dense_fidelity(train, held, blurred, classes=5)

    for name in ("fd_image", "fd_mask", "msad", "shares"):
        value, floor = fresh[name].value or 0, fresh[name].held_out or 0
        assert value < 2.5 * floor, name
        assert fresh[name].n == 50
    for name in ("fd_image", "fd_mask"):
        assert (far[name].value or 0) > 2.5 * (far[name].held_out or 0), name
    assert fresh.as_json()["extractor"] == "specfd-2"
    shares = fresh.by_class[1]
    assert shares["ratio"] == pytest.approx((shares["made"] or 0) / (shares["train"] or 1))
    json.dumps(fresh.as_json(), allow_nan=False)


def test_copies_are_found_however_they_are_turned(sets: Sets) -> None:
    train, held, _ = sets
    # The eight ways take turns.
    way = np.arange(20) % 8
    images, masks = (
        np.stack(turn_maps(maps[20:40]))[way, np.arange(20)] for maps in (train.images, train.masks)
    )
    copies = DenseSamples.made(images, masks)
    report = dense_fidelity(train, held, copies, classes=5)

    assert report["copies"].value == 100
    assert report["copies"].held_out == 0
    assert all(known == made + 20 and distance < 1e-9 for made, known, distance in report.nearest)
    assert sorted(made for made, _, _ in report.nearest) == list(range(20))


def test_tiles_that_are_put_together_of_training_pieces_are_found(
    sets: Sets, fresh: DenseFidelity
) -> None:
    train, held, _ = sets
    mosaics = train.images.copy()
    mosaics[:, ..., 8:] = np.roll(train.images, 1, axis=0)[:, ..., 8:]
    pieced = dense_fidelity(train, held, replace(train, images=mosaics), classes=5)

    assert pieced["copies"].value == 0
    for name in ("pieces_5", "pieces_9"):
        assert pieced[name].held_out == pytest.approx(5)
        assert (fresh[name].value or 0) < 20 < 25 < (pieced[name].value or 0), name
    # Tiles of 16 pixels hold no piece of 17.
    assert "pieces_17" not in {measure.name for measure in fresh.measures}


def test_noisy_copies_are_no_copies_but_lie_too_near(sets: Sets, fresh: DenseFidelity) -> None:
    train, held, _ = sets
    noise = np.random.default_rng(0).normal(0, 0.02, train.images[:30].shape)
    noisy = dense_fidelity(
        train, held, DenseSamples.made(train.images[:30] + noise, train.masks[:30]), classes=5
    )

    assert noisy["copies"].value == 0
    assert (fresh["nearer"].value or 0) < 80
    assert noisy["nearer"].value == 100


def test_each_date_is_compared_with_that_date_and_changes_no_other_number(
    sets: Sets, fresh: DenseFidelity
) -> None:
    def with_dates(part: DenseSamples, second: float) -> DenseSamples:
        images = np.concatenate([part.images, part.images + np.float32(second)], axis=1)
        return replace(part, images=images)

    train, held, made = (part.take(np.arange(16)) for part in sets)
    alike = [with_dates(part, 0.0) for part in (train, held, made)]
    bright = dense_fidelity(*alike[:2], with_dates(made, 0.2), classes=5)
    same = dense_fidelity(*alike, classes=5)

    assert (bright["fd_image_2"].value or 0) > 5 * (bright["fd_image_2"].held_out or 0)
    assert bright["fd_image_1"].value == same["fd_image_1"].value
    one_date = [measure.name for measure in fresh.measures]
    assert "fd_image" in one_date and "fd_image_1" not in one_date


def test_missing_classes_are_named_and_left_out_of_msad(sets: Sets) -> None:
    train, held, made = sets
    lost = replace(made, masks=np.where(made.masks >= 4, 0, made.masks))
    report = dense_fidelity(train, held, lost, classes=5)

    assert report.notes == (
        "without a pixel in the synthetic tiles, and so not in mSAD: class 4, 5",
    )
    assert report.by_class[5]["made"] == 0
    assert (report["msad"].value or 90) < 3 * (report["msad"].held_out or 0)


def test_msad_is_the_angle_of_class_means_and_ignores_unlabelled_pixels() -> None:
    rng = np.random.default_rng(0)
    masks = np.tile([[1, 2], [1, 0]], (20, 2, 2))
    spectra = np.array([[9.0, 9.0], [1.0, 0.0], [1.0, 1.0]])
    images = np.moveaxis(spectra[masks], -1, 1)[:, None] + rng.normal(0, 1e-6, (20, 1, 2, 4, 4))
    real = DenseSamples.made(images, masks)
    swapped = DenseSamples.made(images, np.array([0, 2, 1])[masks])
    report = dense_fidelity(real, real, swapped, classes=2)

    assert report["msad"].value == pytest.approx(45, abs=0.01)
    assert report["msad"].held_out == pytest.approx(0, abs=0.01)
    assert report["shares"].value == pytest.approx(1 / 3, abs=1e-6)


def test_change_pairs_and_unlike_tiles(world: ToyWorld) -> None:
    pairs = [world.draw_change(20, seed) for seed in range(3)]
    report = dense_fidelity(pairs[0], pairs[1], pairs[2], classes=2)

    assert all(measure.value is not None for measure in report.measures)
    with pytest.raises(InputError, match="one shape"):
        dense_fidelity(pairs[0], pairs[1], world.draw(20, 0), classes=2)


def test_features_are_fixed_by_the_extractor_alone(sets: Sets) -> None:
    space = fit_image_space(sets[0], np.random.default_rng(0))
    first, second = (image_features(sets[1].images[:4], space) for _ in range(2))

    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert [kind.shape for kind in first] == [(4, 12)] * 7 + [(4, space.axes.shape[1])] + [
        (4, width) for width in (16, 16, 32, 32, 32, 32)
    ]


def test_every_kind_of_feature_has_the_same_say_and_a_rare_one_no_more() -> None:
    rng = np.random.default_rng(0)
    large, rare = rng.normal(0, 1000, (400, 1)), np.zeros((400, 2))
    rare[:, 0], rare[7, 1] = rng.normal(0, 0.01, 400), 1e-4
    axes = fit_axes((large, rare))

    before, after = (axes.scores((large, seen)) for seen in (rare, rare + np.array([0, 0.01])))
    assert before.var(axis=0).sum() == pytest.approx(2)
    assert abs(after - before).max() == pytest.approx(1, abs=0.02), (
        "one σ of its kind, and not 2,000 of its own"
    )


def test_masks_by_hand() -> None:
    mask = np.array([[1, 1, 2], [0, 1, 2], [3, 3, 2]])

    # 1–2 meet twice, 1–3 once, 2–3 once.
    assert adjacency(mask, 3)[0, 1] == pytest.approx(2 / 8)
