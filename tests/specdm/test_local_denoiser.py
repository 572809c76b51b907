"""Pairs by local denoisers from coarse to fine: ``specdm`` and ``ldm_single``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hsiaug.api import DenseSamples, DenseView, PairCounts, PluginError
from hsiaug.data import bounds
from hsiaug.registry.card import build_params
from hsiaug_builtin.nets.views import SYMMETRIES, symmetry
from hsiaug_builtin.specdm.crops import Cropping, crops
from hsiaug_builtin.specdm.local import LocalDenoiser
from hsiaug_builtin.specdm.params import SIZES, levels_of
from hsiaug_builtin.specdm.plugin import LdmSingle, Quilting, SpecDm, SpecDmPaper
from hsiaug_builtin.specdm.streams import PixelStream, TwoPixelStreams
from tests.specdm.conftest import learn

Make = Callable[..., DenseView]
EACH = pytest.mark.parametrize("plugin", [SpecDm, LdmSingle])


def fit(view: DenseView, plugin: Any = SpecDm, seed: int = 0, **settings: Any) -> Any:
    texts = {name: str(value) for name, value in settings.items()}
    return learn(plugin(build_params(plugin.card, "tiny", texts)), view, seed)


def same(one: DenseSamples, two: DenseSamples) -> bool:
    return bool((one.images == two.images).all() and (one.masks == two.masks).all())


def edge_ratio(samples: DenseSamples) -> float:
    """Mean difference of neighbouring pixels whose classes differ, over that of all others."""
    apart = np.abs(np.diff(samples.images[:, 0], axis=-1)).mean(axis=1)
    edges = np.diff(samples.masks, axis=-1) != 0
    return float(apart[edges].mean() / apart[~edges].mean())


@pytest.fixture(scope="module")
def toy(make: Make) -> DenseView:
    return make(40, 16, bands=6)


LEARNT = {"level_steps": 600, "sample_steps": 12}
"""What it takes to learn something."""


@pytest.fixture(scope="module")
def fitted(toy: DenseView) -> Any:
    return fit(toy, **LEARNT)


@EACH
@pytest.mark.parametrize(("dates", "side", "bands"), [(2, 8, 10), (1, 33, 10), (1, 128, 400)])
def test_pairs_of_every_size_and_number_of_dates_are_drawn(
    make: Make, plugin: Any, dates: int, side: int, bands: int
) -> None:
    real = make(2, side, bands, dates=dates, ignored=True)
    fitted = fit(real, plugin, level_steps=1, sample_steps=1)
    made = fitted.sample(PairCounts(1), guidance=0, seed=0)
    assert made.images.shape == (1, dates, bands, side, side)
    assert real.real.images.min() <= made.images.min() <= made.images.max()
    assert made.images.max() <= real.real.images.max()
    assert fitted.facts["levels"] == levels_of(side) and fitted.facts["latents"] <= 6 * dates + 5


@pytest.mark.parametrize(("dates", "share"), [(1, 0.5), (2, 0.2)])
def test_masks_have_half_of_the_loss_and_a_fifth_where_there_are_two_dates(
    dates: int, share: float
) -> None:
    codec = TwoPixelStreams(PixelStream(channels=8, latent=6, width=4), classes=3)
    joint = torch.randn(2, 9, 8, 8, generator=torch.Generator().manual_seed(0))
    weights = codec.weights(joint, dates)
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[-codec.masks :].sum()) == pytest.approx(share)


@pytest.mark.parametrize("masks", ["moved", "sampled"])
def test_the_edges_of_masks_lie_on_those_of_images(fitted: Any, toy: DenseView, masks: str) -> None:
    params = replace(fitted.params, masks=masks)
    made = replace(fitted, params=params).sample(PairCounts(16), guidance=0, seed=0)
    assert made.provenance["masks"] == masks
    shares = [np.bincount(s.masks.ravel(), minlength=5) / s.masks.size for s in (made, toy.real)]
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 0.3
    assert made.images.mean() == pytest.approx(toy.real.images.mean(), rel=0.15)
    assert edge_ratio(made) > 2


def test_masks_that_belong_to_other_images_lose_their_edges(fitted: Any, toy: DenseView) -> None:
    rng = np.random.default_rng(0)
    moved = replace(toy.real, masks=toy.real.masks[rng.permutation(len(toy.real))])
    # A third of the steps of LEARNT teach where the edges of masks that belong lie.
    permuted = fit(replace(toy, real=moved), level_steps=200, sample_steps=8)
    right, wrong = (
        edge_ratio(f.sample(PairCounts(16), guidance=0, seed=0)) for f in (fitted, permuted)
    )
    assert wrong < 1.3 and right > 2 * wrong


def test_a_class_that_is_asked_for_is_shown(fitted: Any) -> None:
    rare = fitted.sample(PairCounts(12, {4: 12}), guidance=0, seed=0).masks == 4
    assert rare.any(axis=(1, 2)).mean() >= 0.9


def test_a_pixel_of_the_finest_level_is_made_from_34_pixels_a_side() -> None:
    torch.manual_seed(0)
    net = LocalDenoiser(3, 1, 2, 8, SIZES["small"].local_depth[1], finer=True)
    torch.nn.init.normal_(net.leave.weight)
    x = torch.randn(1, 3, 48, 48, requires_grad=True)
    coarser = torch.randn(1, 3, 24, 24)
    out = net(x, torch.ones(1, 2), torch.zeros(1, dtype=torch.int64), coarser, torch.zeros(1))
    out[0, :, 24, 24].sum().backward()
    assert x.grad is not None
    rows, columns = x.grad[0].abs().sum(dim=0).nonzero(as_tuple=True)
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == 34


@pytest.mark.parametrize("plugin", [SpecDm, SpecDmPaper, Quilting])
def test_progress_counts_the_steps_of_all_stages_together(make: Make, plugin: Any) -> None:
    seen: list[tuple[int, int]] = []
    params = build_params(plugin.card, "tiny", {"tiles": "split"} if plugin.card.prepares else {})
    plugin(params).fit(
        make(4, 16),
        seed=0,
        device="cpu",
        progress=lambda done, total, note="": seen.append((done, total)),
    )
    assert len({total for _, total in seen}) == 1
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))


def test_too_little_memory_is_said_before_anything_is_learnt(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "free_memory", lambda: 10**5)
    steps: list[int] = []
    plugin = LdmSingle(build_params(LdmSingle.card, "tiny", {}))
    with pytest.raises(PluginError) as caught:
        plugin.fit(
            make(4, 16), seed=0, device="cpu", progress=lambda done, *_, **__: steps.append(done)
        )
    assert str(caught.value).startswith("training on 4 tiles of 16×16 pixels must fit into memory")
    assert "100.0 kB free" in str(caught.value) and "fewer training tiles" in str(caught.value)
    assert not steps


def cut(source: Tensor, **settings: Any) -> tuple[Tensor, Tensor]:
    """Crops of tiles."""
    usual: dict[str, Any] = {"factor": 1, "side": 8, "masks": 1, "turned": True, "rotated": 0.0}
    return crops(source, Cropping(**usual | settings), torch.Generator().manual_seed(0))


def test_straight_crops_are_parts_of_their_tile_in_the_eight_turns() -> None:
    source = torch.randn(1, 2, 12, 12).expand(64, -1, -1, -1)
    found = set()
    for crop in cut(source)[0]:
        views = [
            (turn, row, column)
            for turn in range(SYMMETRIES)
            for row in range(0, 5, 2)
            for column in range(0, 5, 2)
            if torch.allclose(
                symmetry(crop, turn), source[0, :, row : row + 8, column : column + 8], atol=1e-4
            )
        ]
        assert len(views) == 1
        found.add(views[0])
    assert len({turn for turn, *_ in found}) == SYMMETRIES and len(found) > 30
    assert (cut(source)[1] == 1).all()


def test_crops_at_any_angle_keep_the_values_of_masks_and_tell_where_the_tile_ends() -> None:
    source = torch.randint(2, (32, 2, 16, 16)).float()
    crop, inside = cut(source, side=16, rotated=1.0)
    assert set(crop[:, 1].unique().tolist()) == {0.0, 1.0}
    assert len(crop[:, 0].unique()) > 100
    assert 0.5 < inside.mean() < 1 and set(inside.unique().tolist()) == {0.0, 1.0}


@EACH
def test_pairs_come_back_from_their_latents(make: Make, plugin: Any) -> None:
    view = make(6, 16)
    fitted = fit(view, plugin, level_steps=2)
    back = fitted.reconstruct(view.real)
    back.check(view.real.images)
    error = np.abs(back.images - view.real.images).mean()
    assert error < 0.2 * np.abs(view.real.images - view.real.images.mean()).mean()
    assert fitted.facts["reconstruction_accuracy"] > 0.95


def test_little_noise_keeps_the_training_tile(fitted: Any, toy: DenseView) -> None:
    kept = replace(fitted, params=replace(fitted.params, strength=0.1))
    kept = replace(kept, params=replace(kept.params, masks="sampled"))
    made = kept.sample(PairCounts(6), guidance=0, seed=0).masks
    nearest = [max((mask == real).mean() for real in toy.real.masks) for mask in made]
    assert np.mean(nearest) > 0.9


def test_an_image_is_made_for_a_mask_of_any_size(fitted: Any, toy: DenseView) -> None:
    masks = np.tile(toy.real.masks[:2], (1, 1, 2))[:, :13]
    made = fitted.images_for(masks, guidance=None, seed=0)
    assert made.images.shape == (2, 1, 6, 13, 32) and (made.masks == masks).all()
    spectra = [
        toy.real.images[:, 0].transpose(0, 2, 3, 1)[toy.real.masks == c].mean(0) for c in (1, 2)
    ]
    pixels = made.images[:, 0].transpose(0, 2, 3, 1)
    for c in (1, 2):
        away = [np.abs(pixels[masks == c].mean(0) - one).mean() for one in spectra]
        assert away[c - 1] < 0.5 * away[2 - c]
    again = fitted.images_for(masks, guidance=None, seed=0)
    assert same(made, again)


@pytest.mark.parametrize(
    ("masks", "value"),
    [
        (np.full((1, 16, 16), 9), "9"),
        (np.full((1, 16, 16), 2), "id 2 everywhere"),
        (np.where(np.eye(16, dtype=bool)[None], 1, 7), "7"),
    ],
)
def test_masks_that_say_nothing_or_unknown_classes_are_refused(
    fitted: Any, masks: Any, value: str
) -> None:
    with pytest.raises(PluginError) as caught:
        fitted.images_for(masks, guidance=None, seed=0)
    assert caught.value.value == value
