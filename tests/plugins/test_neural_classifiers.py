"""Every network classifier: learns, is deterministic, honours weights, and bears small and odd
scenes.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from timm.models import adapt_input_conv

from hsiaug.api import InputError, Patches, PluginError
from hsiaug.registry.card import build_params, identity_params
from hsiaug_builtin.classifiers.backbone import SENSIBLE, Timm
from hsiaug_builtin.classifiers.nets import HybridNet, build_backbone
from hsiaug_builtin.classifiers.networks import Cnn1d, Cnn2d, Cnn3d, HybridSn, SpectralFormer, Ssrn
from hsiaug_builtin.nets.blocks import Residual, crop

NETS = [Cnn1d, Cnn2d, Cnn3d, HybridSn, Ssrn, SpectralFormer, Timm]
each = pytest.mark.parametrize("plugin", NETS, ids=lambda plugin: plugin.card.name)


def seen_by(plugin, samples):
    """As the trial runner hands patches to a classifier of that card."""
    return (
        replace(samples, x=samples.centres[:, :, None, None])
        if plugin.card.input == "spectrum"
        else samples
    )


def tiny(fit, plugin, view, samples=None, **params):
    return fit(plugin, view, samples=seen_by(plugin, samples or view.real), preset="tiny", **params)


def unlabelled(plugin, samples) -> Patches:
    return Patches(seen_by(plugin, samples).x, np.full((len(samples), 2), -1, dtype=np.int32))


@each
def test_it_learns_classes_that_differ_far_better_than_chance(view, fit, plugin):
    toy = view((30, 20, 10), patch=5, bands=12)
    fitted = tiny(fit, plugin, toy)
    assert (fitted.predict(unlabelled(plugin, toy.real)) == toy.y).mean() > 0.8


@each
@pytest.mark.parametrize(
    ("sizes", "patch", "bands"), [((5, 0, 3), 9, 6), ((4, 0), 3, 2), ((1, 0), 1, 30)]
)
def test_it_bears_missing_classes_a_constant_band_few_bands_and_any_patch(
    view, fit, plugin, sizes, patch, bands
):
    toy = view(sizes, patch=patch, bands=bands)  # the last band is constant
    fitted = tiny(fit, plugin, toy, steps="2")
    patches = unlabelled(plugin, toy.real)
    shares = fitted.predict_proba(patches)
    assert np.isfinite(shares).all() and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert set(fitted.predict(patches)) <= set(toy.counts) and shares.shape == (
        len(toy.y),
        len(sizes),
    )
    assert fitted.predict(Patches(patches.x[:0], patches.coords[:0])).shape == (0,)


@pytest.mark.parametrize("option", [{"balanced": "true"}, {"adjust": "1"}])
def test_balance_and_adjustment_favour_the_rare_class_where_classes_overlap(view, fit, option):
    toy = view((100, 5), spread=6.0)
    rare = {
        name: (
            tiny(fit, Cnn1d, toy, **given)
            .predict_proba(unlabelled(Cnn1d, toy.real))[toy.y == 1, 1]
            .mean()
        )
        for name, given in (("plain", {}), ("option", option))
    }
    assert rare["option"] > 1.5 * rare["plain"]


def test_a_backbone_reads_the_patch_as_it_is_and_is_up_sampled_only_where_it_refuses():
    sides = {
        name: build_backbone(name, 4, 9, 3).side
        for name in ("test_resnet", "test_vit", "test_convnext")
    }
    assert sides == {"test_resnet": 9, "test_vit": 32, "test_convnext": 32}


@pytest.mark.parametrize("name", SENSIBLE)
def test_the_backbones_that_the_card_recommends_read_small_patches_as_they_are(name):
    assert name in Timm.card.summary
    assert build_backbone(name, 4, 9, 3).side == 9


@pytest.mark.parametrize("name", ["resnet10", "resnet10t.c3_in1k"])
def test_an_unknown_backbone_is_met_with_near_names_before_any_trial(name):
    with pytest.raises(InputError, match=f"'{name}'. Did you mean .*resnet10t"):
        build_params(Timm.card, overrides={"backbone": name})


def test_a_backbone_begins_with_the_weights_of_a_file_for_three_bands(tmp_path):
    published = timm.create_model("test_resnet", num_classes=7).state_dict()
    torch.save(published, tmp_path / "w.pt")
    net = build_backbone("test_resnet", 4, 9, 3, tmp_path / "w.pt").body.state_dict()
    expected = adapt_input_conv(4, published["conv1.0.weight"])
    assert torch.equal(net.pop("conv1.0.weight"), expected)
    assert net.pop("fc.weight").shape == (3, published["fc.weight"].shape[1])
    del net["fc.bias"]
    assert all(torch.equal(value, published[key]) for key, value in net.items())


def test_a_file_of_weights_is_there_fits_and_is_named_with_its_checksum(tmp_path):
    file = tmp_path / "w.pt"
    with pytest.raises(InputError, match="random, or a file that is there"):
        build_params(Timm.card, overrides={"weights": str(file)})
    torch.save(timm.create_model("test_vit").state_dict(), file)
    params = build_params(Timm.card, overrides={"weights": str(file)})
    assert re.fullmatch(rf"{file}#[0-9a-f]{{12}}", params.weights)
    assert "weights" not in identity_params(build_params(Timm.card))
    with pytest.raises(PluginError, match=r"weights of the timm model test_resnet .*no fitting"):
        build_backbone("test_resnet", 4, 9, 3, file)


def test_cropping_keeps_the_centre_and_leaves_small_patches_alone():
    x = torch.arange(81.0).reshape(1, 1, 9, 9)
    assert torch.equal(crop(x, 5), x[..., 2:7, 2:7])
    assert crop(x, 9) is x and crop(x[..., :3, :3], 5).shape == (1, 1, 3, 3)


def test_hybridsn_has_the_convolutions_of_the_papers_table():
    net = HybridNet(30, 25, 64, 16)
    kernels = [
        tuple(m.weight.shape)
        for m in net.modules()
        if isinstance(m, (torch.nn.Conv3d, torch.nn.Conv2d))
    ]
    assert kernels == [(8, 1, 7, 3, 3), (16, 8, 5, 3, 3), (32, 16, 3, 3, 3), (64, 576, 3, 3)]


def test_a_residual_block_whose_convolutions_are_zero_passes_on_what_it_was_given():
    block = Residual(4, 4, (7, 1)).eval()
    for layer in block.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.zeros_(layer.weight)
    x = torch.rand(2, 4, 10, 9)
    assert torch.equal(block(x), x)
