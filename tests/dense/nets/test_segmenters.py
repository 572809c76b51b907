"""Every segmenter and change detector: learns, ignores label 0, is deterministic, and bears any
tile of 16 px or more.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch

from hsiaug.api import PluginError, Tiles
from hsiaug.core.samples import concatenate
from hsiaug_builtin.dense import hsiaug_plugins
from hsiaug_builtin.dense.pixels import spectra_of

PLUGINS = {
    entry.name: getattr(import_module(t[0]), t[1])
    for entry in hsiaug_plugins()
    if (t := entry.target.split(":"))
}
NETS = [plugin for plugin in PLUGINS.values() if plugin.card.uses_device]
each = pytest.mark.parametrize("plugin", NETS, ids=lambda plugin: plugin.card.name)
UNET, FC_SIAM = PLUGINS["unet"], PLUGINS["fc-siam-diff"]


def task(plugin) -> str:
    return plugin.card.tasks[0]


def unlabelled(view) -> Tiles:
    return Tiles(view.real.images)


def hidden(view, hide):
    """The real samples of a view, with the pixels in ``hide`` without a label."""
    return replace(view.real, masks=np.where(hide, 0, view.real.masks))


def intersection_over_union(found, truth) -> float:
    classes = np.unique(truth)
    return float(
        np.mean(
            [
                ((found == c) & (truth == c)).sum() / ((found == c) | (truth == c)).sum()
                for c in classes
            ]
        )
    )


@each
def test_odd_sides_bands_and_no_tiles_at_all_are_borne(toy, fit, plugin):
    side = 33
    view = toy(task(plugin), n=3, side=side, bands=40)
    fitted = fit(plugin, view, steps=1)
    assert set(np.unique(fitted.predict(unlabelled(view)))) <= set(view.counts)
    oblong = Tiles(view.real.images[:2, :, :, :16])
    shares = fitted.predict_proba(oblong)
    assert shares.shape == (2, len(view.class_names), 16, side) and shares.dtype == np.float32
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert fitted.predict(Tiles(view.real.images[:0])).shape == (0, side, side)
    assert fitted.predict_proba(Tiles(view.real.images[:0])).shape == (
        0,
        len(view.class_names),
        side,
        side,
    )


@each
def test_what_a_pixel_without_a_label_shows_as_a_class_is_never_learnt(toy, fit, plugin):
    view = toy(task(plugin))
    last = len(view.class_names)
    fitted = fit(plugin, view, hidden(view, view.real.masks == last), steps=5)
    assert last not in fitted.predict(unlabelled(view))
    assert (fitted.predict_proba(unlabelled(view))[:, last - 1] == 0).all()


@pytest.mark.parametrize("plugin", [UNET, FC_SIAM], ids=lambda plugin: plugin.card.name)
def test_labels_from_a_third_of_the_pixels_are_enough(toy, fit, plugin):
    view = toy(task(plugin))
    unseen = np.random.default_rng(0).random(view.real.masks.shape) > 1 / 3
    fitted = fit(plugin, view, hidden(view, unseen), steps=60)
    assert (
        intersection_over_union(fitted.predict(unlabelled(view))[unseen], view.real.masks[unseen])
        > 0.75
    )


@pytest.mark.parametrize("plugin", [UNET, FC_SIAM], ids=lambda plugin: plugin.card.name)
def test_samples_of_no_weight_or_no_label_leave_no_trace(toy, fit, plugin):
    view = toy(task(plugin), n=6)
    real = view.real
    poison = replace(real, images=real.images * np.float32(np.nan))
    weightless = replace(poison, weight=np.zeros(6, dtype=np.float32))
    labelless = replace(poison, masks=np.zeros_like(real.masks))
    fields = ("images", "masks", "synthetic", "weight")
    mixed = replace(
        real,
        **{
            f: np.concatenate([getattr(part, f) for part in (weightless, real, labelless)])
            for f in fields
        },
    )
    alone, among = (
        fit(plugin, view, given, steps=4).predict_proba(unlabelled(view)) for given in (real, mixed)
    )
    assert np.array_equal(alone, among)


def test_batch_normalisation_ends_up_with_the_statistics_of_real_tiles(toy, fit):
    view = toy("segmentation", n=9)
    far = replace(view.real, images=view.real.images * 3 + 5, synthetic=np.ones(9, dtype=bool))
    fitted = fit(UNET, view, concatenate([view.real, far]), steps=3)
    first, norm, _ = fitted.net.net.bands
    z = torch.from_numpy(fitted.read(view.real.images))[:, 0]
    with torch.no_grad():
        seen = first(z).movedim(1, 0).flatten(1)
    assert torch.allclose(norm.running_mean, seen.mean(dim=1), atol=1e-4)
    assert torch.allclose(norm.running_var, seen.var(dim=1), rtol=1e-3)


def test_the_first_date_is_told_from_the_second(toy, fit):
    view = toy("change", n=4)
    fitted = fit(FC_SIAM, view, steps=3)
    swapped = Tiles(np.ascontiguousarray(view.real.images[:, ::-1]))
    assert not np.array_equal(fitted.predict_proba(unlabelled(view)), fitted.predict_proba(swapped))


def test_nothing_to_learn_from_is_said_so(toy, fit):
    view = toy("segmentation", n=2)
    with pytest.raises(PluginError, match="labelled pixel; found 2 tiles without"):
        fit(UNET, view, hidden(view, True))
    with pytest.raises(PluginError, match=r"class ids 1\.\.3, or 0 for no label; found ids 1\.\.9"):
        fit(UNET, view, replace(view.real, masks=np.where(view.real.masks == 2, 9, 1)))


def test_tiles_of_other_bands_or_too_small_are_refused(toy, fit):
    with pytest.raises(PluginError, match="at least 16 pixels a side; found images of shape"):
        fit(UNET, toy("segmentation", n=3, side=15), steps=1)
    fitted = fit(UNET, toy("segmentation", n=2), steps=1)
    for images in (np.zeros((1, 1, 7, 16, 16)), np.zeros((1, 1, 8, 16, 15))):
        with pytest.raises(PluginError, match="must have 8 bands and at least 16 pixels a side"):
            fitted.predict(Tiles(images.astype(np.float32)))


def test_majority_names_the_most_frequent_real_class_whatever_is_added(toy, fit):
    view = toy("segmentation", n=3)
    masks = np.where(view.real.masks == 3, 2, 0)  # nearly all pixels without a label
    masks[0, 0, 0] = 1
    rare = replace(view, real=replace(view.real, masks=masks))
    added = replace(view.real, masks=np.ones_like(masks), synthetic=np.ones(3, dtype=bool))
    fitted = fit(PLUGINS["majority"], rare, added)
    assert (fitted.predict(unlabelled(view)) == 2).all()
    shares = fitted.predict_proba(unlabelled(view))
    assert (shares[:, 1] == 1).all() and shares.sum() == masks.size
    with pytest.raises(PluginError, match="majority needs a labelled training pixel"):
        fit(PLUGINS["majority"], replace(view, real=hidden(view, True)))


@pytest.mark.parametrize(
    "plugin", [p for p in NETS if task(p) == "change"], ids=lambda plugin: plugin.card.name
)
def test_change_is_told_alike_whatever_the_haze_or_season_of_a_date(toy, fit, plugin):
    view = toy("change", n=4)
    other = view.real.images.copy()
    other[:, 1] += np.linspace(0.05, 0.3, view.bands, dtype=np.float32)[:, None, None]

    shares = [
        fit(plugin, view, steps=3).predict_proba(Tiles(images))
        for images in (view.real.images, other)
    ]
    assert np.allclose(*shares, atol=1e-3)


def test_synthetic_pixels_neither_push_out_real_ones_nor_weigh_more_than_in_the_tiles(
    toy, fit, monkeypatch
):
    real, plugin, learnt = toy("segmentation", n=2).real, PLUGINS["pixel-svm"], []
    made = replace(
        toy("segmentation", n=30, seed=5).real,
        synthetic=np.ones(30, dtype=bool),
        weight=np.full(30, 0.1, dtype=np.float32),
    )

    class Machine:
        def fit(self, x, y, sample_weight):
            learnt.append((x, y, sample_weight))
            return self

    monkeypatch.setattr(plugin, "model", lambda self, seed: Machine())
    shown = {row.tobytes() for row in spectra_of(real.images)}
    fit(plugin, toy("segmentation"), samples=concatenate([real, made]), most=200)
    x, y, weight = learnt.pop()
    own = np.array([row.tobytes() in shown for row in x])
    assert weight[~own].sum() == pytest.approx(weight[own].sum() * (30 * 0.1) / 2, rel=1e-4)
    for c in np.unique(real.masks):
        assert own[y == c].sum() == min(200, (real.masks == c).sum())
