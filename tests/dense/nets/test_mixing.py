"""How synthetic tiles are used: one after the other or together, with which of their pixels, in equal steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.api import InputError, Tiles
from hsiaug.core.samples import concatenate
from hsiaug.registry.card import build_params, stated_params
from hsiaug.trial.machine import counted_work
from hsiaug_builtin.dense import mixing
from hsiaug_builtin.dense.change import FcSiamDiff
from hsiaug_builtin.dense.inputs import IGNORED, fit_scale, training_tiles
from hsiaug_builtin.dense.nets.blocks import Padded
from hsiaug_builtin.dense.segmentation import Unet

USES = [{"mix": "pretrain"}, {"keep": "likely"}, {"mix": "pretrain", "keep": "likely"}]


def quiet(done: int, total: int, note: str = "") -> None: ...


def counting(told):
    return lambda done, total, note="": told.append((done, total))


def shares(fitted, view):
    return fitted.predict_proba(Tiles(view.real.images))


def with_copies(view, wrong: bool = False):
    """Real tiles, and as many synthetic ones, in whose right half every pixel is of another class where ``wrong``."""
    masks = view.real.masks.copy()
    if wrong:
        half = masks[:, :, masks.shape[2] // 2 :]
        half[:] = 1 + half % len(view.class_names)
    made = replace(view.real, masks=masks, synthetic=np.ones(len(masks), dtype=bool))
    return concatenate([view.real, made])


@pytest.mark.parametrize("use", USES, ids=lambda use: "-".join(use.values()))
def test_without_synthetic_tiles_every_use_is_the_same_to_the_bit(toy, fit, use):
    view = toy("segmentation", n=5)
    plain, other = (fit(Unet, view, steps=3, **given) for given in ({}, use))
    assert np.array_equal(shares(plain, view), shares(other, view)) and not other.facts


@pytest.mark.parametrize("use", [{}, *USES], ids=lambda use: "-".join(use.values()) or "joint")
def test_every_use_takes_the_same_steps_and_repeats_itself(toy, fit, use):
    view = toy("segmentation", n=5)
    found = []
    for _ in range(2):
        told: list[tuple[int, int]] = []
        with counted_work() as work:
            fitted = fit(Unet, view, with_copies(view), steps=6, progress=counting(told), **use)
        assert work.steps - fitted.facts.get("aside_steps", 0) == 6
        assert told == [(step + 1, work.steps) for step in range(work.steps)]
        found.append(shares(fitted, view))
    assert fitted.facts.get("aside_steps", 0) == (2 if use.get("keep") else 0)
    assert np.array_equal(*found)


def test_pretraining_sees_synthetic_tiles_alone_and_fine_tuning_real_ones_alone(toy, fit, monkeypatch):
    view, seen = toy("change", n=5), {}

    def watched(data, *given):
        draw = batches(data, *given)
        return lambda step: seen.setdefault(step, set(data.synthetic.tolist())) and draw(step)

    batches = mixing.batches
    monkeypatch.setattr(mixing, "batches", watched)
    fit(FcSiamDiff, view, with_copies(view), steps=8, mix="pretrain", pretrain_share=0.75)
    assert [seen[step] for step in range(8)] == [{True}] * 6 + [{False}] * 2


def test_fine_tuning_alone_is_training_without_synthetic_tiles(toy, fit):
    view = toy("segmentation", n=5)
    tuned = fit(Unet, view, with_copies(view, wrong=True), steps=3, mix="pretrain", pretrain_share=0)
    assert np.array_equal(shares(tuned, view), shares(fit(Unet, view, steps=3), view))


def test_the_wrong_half_of_synthetic_masks_is_ignored(toy):
    view = toy("segmentation")
    params = build_params(Unet.card, "tiny", {"steps": "180"})
    data, scale = training_tiles(with_copies(view, wrong=True), 3), fit_scale(view.real.images, False)
    trainer = mixing.Trainer(lambda: Padded(Unet(params).network(8, 3)), scale, params, 0, "cpu")
    found, facts = mixing.likely(data, view.real.images, trainer, quiet)

    assert np.array_equal(found.target[~found.synthetic], data.target[~data.synthetic])
    left, right = np.split(found.target[found.synthetic] == IGNORED, 2, axis=2)
    assert right.mean() > 0.95 and left.mean() < 0.25
    assert facts["ignored_pixels"] == left.sum() + right.sum() and facts["synthetic_pixels"] == 2 * left.size


def test_a_class_that_no_real_tile_shows_is_not_judged(toy, fit):
    view = toy("segmentation")
    hidden = replace(view.real, masks=np.where(view.real.masks == 3, 0, view.real.masks))
    made = replace(view.real, synthetic=np.ones(len(hidden), dtype=bool))
    fitted = fit(Unet, view, concatenate([hidden, made]), steps=60, keep="likely")
    assert (fitted.predict(Tiles(view.real.images)) == 3).any()


def test_defaults_are_left_out_of_the_identity_and_other_values_are_in_it():
    plain = stated_params(build_params(Unet.card))
    assert not {"mix", "keep", "pretrain_share"} & plain.keys()
    used = stated_params(build_params(Unet.card, "cpu", {"mix": "pretrain", "keep": "all"}))
    assert used == {**plain, "mix": "pretrain"}
    with pytest.raises(
        InputError, match=r"mix must be joint or pretrain; found 'pretran'\. Did you mean pretrain"
    ):
        build_params(Unet.card, "cpu", {"mix": "pretran"})
