"""Encoders that a user names, with weights of a file, or random ones."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hsiaug.base.errors import InputError, PluginError
from hsiaug.registry.card import build_params, identity_params
from hsiaug_builtin.dense.encoders import make_encoder
from hsiaug_builtin.dense.inputs import fit_scale, training_tiles
from hsiaug_builtin.dense.nets import ContextAndPixel, SiameseRecurrent
from hsiaug_builtin.dense.networks import Segformer, SiamCrnn, Smp
from hsiaug_builtin.dense.training import single_pixels

Toy = Callable[..., Any]
TILES = torch.rand(2, 1, 8, 32, 32)
"""Two tiles of one date, of four bands and as many of unit norm."""


def saved(folder: Path) -> tuple[Path, torch.Tensor]:
    """A file with weights of a ResNet-18 for three bands, and those of its second layer."""
    encoder = make_encoder("resnet18", 3, 5, "random")
    path = folder / "resnet18.pt"
    torch.save(encoder.state_dict(), path)
    return path, encoder.state_dict()["layer1.0.conv1.weight"]


def test_encoders_begin_with_the_weights_of_a_file(tmp_path: Path) -> None:
    path, weights = saved(tmp_path)
    context = ContextAndPixel(8, 6, 3, "upernet", "resnet18", str(path), single=False).eval()
    change = SiameseRecurrent(4, 4, 4, 2, "resnet18", str(path)).eval()
    for encoder in (context.context.encoder, change.encoder):
        assert torch.equal(encoder.state_dict()["layer1.0.conv1.weight"], weights)
    assert context.single is None and context(TILES).shape == (2, 3, 32, 32)
    assert change(torch.rand(2, 2, 4, 32, 32)).shape == (2, 2, 32, 32)


def test_files_that_are_not_there_or_do_not_fit_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that is there"):
        build_params(Segformer.card, overrides={"weights": "mit.pt"})
    with pytest.raises(InputError, match="needs an encoder"):
        build_params(SiamCrnn.card, overrides={"weights": "imagenet"})
    path, _ = saved(tmp_path)
    with pytest.raises(PluginError, match="weights of encoder resnet34"):
        make_encoder("resnet34", 3, 5, str(path))
    path.write_bytes(b"no weights")
    with pytest.raises(PluginError, match="weights of encoder resnet18"):
        make_encoder("resnet18", 3, 5, str(path))
    with pytest.raises(PluginError, match="must be one of segmentation-models-pytorch"):
        make_encoder("resnet19", 3, 5, "random")


def test_other_weights_in_a_file_are_other_parameters_and_so_other_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path, weights = saved(tmp_path)

    def parameters(stated: str = "~/resnet18.pt") -> Any:
        return build_params(Smp.card, overrides={"weights": stated})

    first = parameters()
    assert re.fullmatch(r"~/resnet18\.pt#[0-9a-f]{12}", first.weights)
    assert identity_params(first)["weights"] == first.weights
    assert parameters(first.weights) == first
    net = Smp(first).network(8, 3)
    assert isinstance(net, ContextAndPixel)
    assert torch.equal(net.context.encoder.state_dict()["layer1.0.conv1.weight"], weights)

    path.write_bytes(path.read_bytes() + b"\0")
    assert parameters().weights != first.weights
    with pytest.raises(InputError, match=r"must hold the weights of checksum .*write weights=~/"):
        parameters(first.weights)


def test_weights_that_cannot_be_downloaded_are_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("segmentation_models_pytorch.encoders.hf_hub_download", refuse)
    with pytest.raises(PluginError, match=r"must be downloaded.*no network.*weights=FILE"):
        make_encoder("resnet18", 3, 5, "imagenet")


def test_what_was_added_later_leaves_older_records_valid() -> None:
    usual = identity_params(build_params(Segformer.card))
    assert not {"weights", "single", "size"} & set(usual)
    larger = identity_params(build_params(Segformer.card, overrides={"size": "b5"}))
    assert larger == {**usual, "size": "b5"}


@pytest.mark.parametrize("synthetic", [False, True])
def test_the_path_for_single_pixels_learns_synthetic_ones_where_that_is_asked_for(
    toy: Toy, *, synthetic: bool
) -> None:
    real = toy("segmentation", n=4).real
    images, masks = real.images.copy(), real.masks.copy()
    images[2:] = 1  # flat spectra, which no real tile shows
    masks[2:] = masks[0, 0, 0]
    samples = replace(real, images=images, masks=masks, synthetic=np.arange(4) >= 2)
    scale = fit_scale(real.images, centre=False, unit=True)
    next_batch = single_pixels(training_tiles(samples, 3), scale, 0, "cpu", synthetic=synthetic)
    flat = (8**-0.5 - scale.mean[8:]) / scale.std[8:]
    shown = torch.cat([next_batch(step)[0].flatten(2) for step in range(20)], dim=2)[0].T
    assert bool(((shown - torch.from_numpy(flat)).abs() < 1e-3).all(dim=1).any()) == synthetic
