"""The parts of ``hsiaug_builtin.dense``: losses, draws, padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsiaug_builtin.dense.inputs import IGNORED, BandScale, DenseRecipe, fit_scale, training_tiles
from hsiaug_builtin.dense.nets import CONTEXT, ContextAndPixel
from hsiaug_builtin.dense.networks import FcSiamParams
from hsiaug_builtin.dense.training import GRID, batches, criterion, dice_loss, single_pixels


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain(bands: int) -> BandScale:
    return BandScale(np.zeros(bands, dtype=np.float32), np.ones(bands, dtype=np.float32))


@pytest.mark.parametrize("recipe", [DenseRecipe(), FcSiamParams()])
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
    found = criterion(lesson, FcSiamParams(dice=0.0), "cpu")(scores, target).item()
    assert found == pytest.approx((one * weights[0] + two * weights[1]) / weights.sum(), rel=1e-5)
    unweighted = criterion(lesson, DenseRecipe(), "cpu")(scores, target).item()
    assert unweighted == pytest.approx((one + two) / 2, rel=1e-5)


def test_dice_is_0_for_the_truth_1_for_its_opposite_and_leaves_out_classes_not_shown():
    target = torch.tensor([[[0, 0], [1, 1]]])
    sure = 50 * torch.nn.functional.one_hot(target, 3).movedim(-1, 1).float()
    assert dice_loss(sure, target).item() == pytest.approx(0, abs=1e-6)
    assert dice_loss(sure.roll(1, dims=1), target).item() == pytest.approx(1, abs=1e-6)
    half = torch.tensor(
        [[[0, 0], [0, 0]]]
    )  # 4 pixels of class 0, 2 of them found: Dice = 2·2 / (2 + 4)
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


def test_surroundings_are_learnt_first_and_weigh_less_than_the_spectrum_of_a_pixel():
    torch.manual_seed(0)
    net = ContextAndPixel(6, 8, 3, "fpn", "resnet18")
    x = torch.randn((2, 1, 6, 32, 32), generator=draw())
    context = net(x)
    assert context.shape == (2, 3, 32, 32)
    context.sum().backward()
    assert all(weight.grad is None for weight in net.single.parameters())

    net.eval()
    one, other = (
        path.softmax(dim=1) for path in (net.context(net.bands(x[:, 0])), net.single(x[:, 0, 3:]))
    )
    product = one**CONTEXT * other
    assert CONTEXT < 1
    assert torch.allclose(
        net(x).softmax(dim=1), product / product.sum(dim=1, keepdim=True), atol=1e-5
    )


def test_single_pixels_are_labelled_and_synthetic_ones_only_of_classes_without_real_ones(toy):
    real = toy("segmentation", n=4).real
    masks = np.where(real.masks == 3, 0, real.masks)
    masks[3, :8], masks[3, 8:] = 3, 1
    images = real.images.copy()
    images[3, :, :, 8:] = 1
    samples = replace(real, images=images, masks=masks, synthetic=np.arange(4) == 3)
    scale = fit_scale(images, centre=False, unit=True)
    x, target = single_pixels(training_tiles(samples, 3), scale, 0, "cpu")(0)
    assert x.shape == (1, 8, *GRID) and target.shape == (1, *GRID)
    flat = torch.from_numpy((8**-0.5 - scale.mean[8:]) / scale.std[8:])
    made = ((x[0].movedim(0, -1) - flat).abs() < 1e-3).all(dim=-1)
    assert set(target.unique().tolist()) == {0, 1, 2} and not made.any()


def test_spectra_of_unit_norm_follow_as_bands_that_light_does_not_change():
    images = np.random.default_rng(0).uniform(0.1, 1, (3, 2, 4, 16, 16)).astype(np.float32)
    scale = fit_scale(images, centre=False, unit=True)
    plain, bright = scale(images), scale(2 * images)
    assert plain.shape == (3, 2, 8, 16, 16) and plain.dtype == np.float32
    assert np.allclose(plain[:, :, 4:], bright[:, :, 4:], atol=1e-4)
    assert not np.allclose(plain[:, :, :4], bright[:, :, :4], atol=0.1)
    assert np.allclose(plain.mean(axis=(0, 1, 3, 4)), 0, atol=1e-3)
