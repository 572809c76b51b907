"""The parts of ``hsiaug_builtin.dense``: losses, draws, padding, published weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hsiaug.api import DataUnavailableError, InputError, PluginError
from hsiaug.registry.card import build_params
from hsiaug_builtin.dense.inputs import IGNORED, BandScale, training_tiles
from hsiaug_builtin.dense.nets.blocks import Padded, band_map, dates_as_tiles
from hsiaug_builtin.dense.nets.siamcrnn import OverDates
from hsiaug_builtin.dense.recipe import ChangeRecipe, DenseRecipe
from hsiaug_builtin.dense.segmentation import Segformer
from hsiaug_builtin.dense.training import batches, criterion, dice_loss
from tests.effort import Waited


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain(bands: int) -> BandScale:
    return BandScale(np.zeros(bands, dtype=np.float32), np.ones(bands, dtype=np.float32))


@pytest.mark.parametrize("recipe", [DenseRecipe(), ChangeRecipe()])
def test_a_pixel_without_a_label_has_no_part_in_the_loss(toy, recipe):
    error = criterion(training_tiles(toy("change", n=2).real, 2), recipe, "cpu")
    scores = torch.randn((2, 2, 4, 4), generator=draw()).requires_grad_()
    target = torch.randint(0, 2, (2, 4, 4), generator=draw())
    target[:, :2] = IGNORED
    error(scores, target).backward()
    assert (scores.grad[:, :, :2] == 0).all() and (scores.grad[:, :, 2:] != 0).all()


def test_class_weights_are_one_over_the_root_of_the_shares(toy):
    lesson = replace(training_tiles(toy("change", n=2).real, 2), share=np.array([0.96, 0.04]))
    scores = torch.randn((1, 2, 1, 2), generator=draw())
    target = torch.tensor([[[0, 1]]])
    own = -scores.log_softmax(dim=1)
    one, two = own[0, 0, 0, 0].item(), own[0, 1, 0, 1].item()
    weights = 1 / np.sqrt([0.96, 0.04])
    found = criterion(lesson, ChangeRecipe(dice=0.0), "cpu")(scores, target).item()
    assert found == pytest.approx((one * weights[0] + two * weights[1]) / weights.sum(), rel=1e-5)
    unweighted = criterion(lesson, DenseRecipe(), "cpu")(scores, target).item()
    assert unweighted == pytest.approx((one + two) / 2, rel=1e-5)


def test_dice_is_0_for_the_truth_1_for_its_opposite_and_leaves_out_classes_not_shown():
    target = torch.tensor([[[0, 0], [1, 1]]])
    sure = 50 * torch.nn.functional.one_hot(target, 3).movedim(-1, 1).float()
    assert dice_loss(sure, target).item() == pytest.approx(0, abs=1e-6)
    assert dice_loss(sure.roll(1, dims=1), target).item() == pytest.approx(1, abs=1e-6)
    half = torch.tensor([[[0, 0], [0, 0]]])  # 4 pixels of class 0, 2 of them found: Dice = 2·2 / (2 + 4)
    assert dice_loss(sure, half).item() == pytest.approx(1 - 2 / 3, abs=1e-6)


def test_a_mask_is_turned_with_its_image_and_all_symmetries_occur(toy):
    view = toy("change", n=1)
    marked = view.real.images.copy()
    marked[:, 1, 2] = view.real.masks  # a band that shows the mask
    lesson = training_tiles(replace(view.real, images=marked), 2)
    x, target = batches(lesson, plain(8), 16, 0, "cpu")(3)
    assert torch.equal(x[:, 1, 2].long(), lesson.classes[0] + target)
    assert len(torch.unique(target.flatten(1), dim=0)) == 8


def test_tiles_are_drawn_in_proportion_to_their_weight(toy):
    real = toy("segmentation", n=4).real
    images = real.images * 0 + np.arange(4, dtype=np.float32)[:, None, None, None, None]
    weight = np.array([1, 0, 2, 0.5], dtype=np.float32)
    lesson = training_tiles(replace(real, images=images, weight=weight), 3)
    x, _ = batches(lesson, plain(8), 2000, 0, "cpu")(0)
    drawn = np.bincount(x[:, 0, 0, 0, 0].long().numpy(), minlength=4) / 2000
    assert np.allclose(drawn, weight / weight.sum(), atol=0.04) and drawn[1] == 0


def test_shares_of_classes_count_a_tile_by_its_weight(toy):
    real = toy("change", n=2).real
    masks = np.stack([np.ones((16, 16)), np.full((16, 16), 2)]).astype(np.int64)
    lesson = training_tiles(replace(real, masks=masks, weight=np.array([1, 0.25], dtype=np.float32)), 2)
    assert np.allclose(lesson.share, [0.8, 0.2]) and list(lesson.classes) == [1, 2]


class Recorder(torch.nn.Module):
    multiple = 8

    def forward(self, x):
        assert x.shape[3] % 8 == x.shape[4] % 8 == 0
        return x[:, 0]


@pytest.mark.parametrize("side", [(16, 16), (17, 23), (33, 16)])
def test_what_is_padded_is_cropped_again_at_the_same_place(side):
    x = torch.randn((2, 2, 3, *side), generator=draw())
    assert torch.equal(Padded(Recorder())(x), x[:, 0])


def test_dates_are_taken_apart_and_bands_mapped_only_where_they_are_many():
    x = torch.randn((3, 2, 4, 5, 5), generator=draw())
    one, two = dates_as_tiles(x).chunk(2)
    assert torch.equal(one, x[:, 0]) and torch.equal(two, x[:, 1])
    assert (
        torch.equal(band_map(4, 4)(one), one)
        and band_map(5, 4)(x[:, :, 0].repeat(1, 3, 1, 1)[:, :5]).shape[1] == 4
    )


def test_the_recurrence_is_that_of_torch_where_nothing_is_around_a_pixel():
    over = OverDates(3, 4)
    cell = torch.nn.LSTMCell(3, 4)
    order = [0, 4, 12, 8]  # ours: input, forget, output, new; torch's: input, forget, new, output
    with torch.no_grad():
        for mine, theirs in ((over.see, cell.weight_ih), (over.recall, cell.weight_hh)):
            mine.weight[:, :, 1, 1] = torch.cat([theirs[start : start + 4] for start in order])
        bias = cell.bias_ih + cell.bias_hh
        over.see.bias.copy_(torch.cat([bias[start : start + 4] for start in order]))
    x = torch.randn((2, 3, 1, 1), generator=draw())
    state = cell(x[1:, :, 0, 0], cell(x[:1, :, 0, 0]))[0]
    assert torch.allclose(over(x)[:, :, 0, 0], state, atol=1e-6)


def fit_segformer(view, name: str):
    plugin = Segformer(build_params(Segformer.card, "tiny", {"pretrained": name, "steps": "1"}))
    return plugin.fit(view.real, view, seed=0, device="cpu", progress=lambda done, total, note="": None)


def test_published_weights_that_cannot_be_had_are_an_error_at_once(toy, monkeypatch):
    view = toy("segmentation", n=2)
    waited = Waited(monkeypatch)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        DataUnavailableError, match=r"weights of nobody/mit-none .*HF_HUB_OFFLINE is set.*hf download"
    ):
        fit_segformer(view, "nobody/mit-none")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "hsiaug_builtin.nets.hub.PROBE_SECONDS", 60.0
    )  # a busy machine takes long to find a closed port
    with pytest.raises(DataUnavailableError, match=r"no connection \(ConnectionError\)"):
        fit_segformer(view, "nobody/mit-none")
    assert waited.seconds == 0


def test_names_that_no_repository_can_have_and_other_networks_are_refused(toy, tmp_path):
    view = toy("segmentation", n=2)
    with pytest.raises(InputError, match=r"OWNER/NAME on Hugging Face, or a folder; found 'a/b/c'"):
        fit_segformer(view, "a/b/c")
    with pytest.raises(DataUnavailableError, match=r"must hold config\.json and model\.safetensors"):
        fit_segformer(view, str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"must name a SegFormer.*found model_type 'vit'"):
        fit_segformer(view, str(tmp_path))


def test_a_folder_brings_its_own_weights_size_and_three_channels_and_must_be_whole(toy, tmp_path):
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    torch_state = torch.get_rng_state()
    sizes = {"hidden_sizes": [8, 8, 16, 16], "depths": [1] * 4, "num_attention_heads": [1] * 4}
    theirs = SegformerForSemanticSegmentation(SegformerConfig(**sizes, decoder_hidden_size=8, num_labels=11))
    theirs.save_pretrained(tmp_path)
    torch.set_rng_state(torch_state)
    view = toy("segmentation", n=2, side=18)
    plugin = Segformer(
        build_params(Segformer.card, "tiny", {"pretrained": str(tmp_path), "steps": "1", "rate": "0"})
    )
    fitted = plugin.fit(view.real, view, seed=0, device="cpu", progress=lambda done, total, note="": None)
    ours = fitted.net.net
    assert ours.map.out_channels == 3 and ours.former.config.num_labels == 3 and ours.multiple == 32
    old, new = theirs.segformer.state_dict(), ours.former.segformer.state_dict()
    assert old.keys() == new.keys() and all(torch.equal(old[key], new[key]) for key in old)
    assert fitted.predict(view.real).shape == (2, 18, 18)

    weights = tmp_path / "model.safetensors"
    save_file({key: value for key, value in load_file(weights).items() if "patch_embeddings" not in key}, weights)
    with pytest.raises(PluginError, match=r"must hold the whole encoder.*patch_embeddings.*Download"):
        fit_segformer(view, str(tmp_path))
    weights.write_bytes(b"torn")
    with pytest.raises(PluginError, match=r"must hold the whole encoder.*Download"):
        fit_segformer(view, str(tmp_path))
