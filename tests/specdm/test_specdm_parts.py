"""Formats, losses, autoencoders and the denoiser, each by itself."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hsiaug.api import DenseView, PluginError
from hsiaug.registry.card import build_params
from hsiaug_builtin.diffusion.angles import mean_angle
from hsiaug_builtin.specdm.classwise import ClassUnits
from hsiaug_builtin.specdm.codec import OneStream, TwoStream, fit_codec
from hsiaug_builtin.specdm.codec_losses import accuracy
from hsiaug_builtin.specdm.params import SIZES
from hsiaug_builtin.specdm.patch_components import PatchComponents
from hsiaug_builtin.specdm.plugin import SpecDmPaper
from hsiaug_builtin.specdm.prepare import PreparedImages
from hsiaug_builtin.specdm.sampler import SCHEDULE
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import PairRun, draw_weights
from hsiaug_builtin.specdm.vae import StreamVae
from tests.specdm.conftest import nothing, without_labels

Make = Callable[..., DenseView]


def run_of(view: DenseView, plugin: Any = SpecDmPaper, **settings: Any) -> PairRun:
    params = build_params(
        plugin.card, "tiny", {name: str(value) for name, value in settings.items()}
    )
    return PairRun.of(
        view,
        params,
        plugin(params).losses(),
        seed=0,
        device="cpu",
        progress=nothing,
        checkpoint=None,
    )


def two_streams(view: DenseView, **settings: Any) -> tuple[TwoStream, PairRun]:
    """A codec of two streams, its VAE of images prepared from the same tiles."""
    run = run_of(view, **settings)
    plugin = SpecDmPaper(run.params)  # type: ignore[arg-type]
    ready = plugin.prepare(without_labels(view), seed=0, device="cpu", progress=nothing)
    assert isinstance(ready, PreparedImages)
    codec = fit_codec(TwoStream, run, ready.stream)
    assert isinstance(codec, TwoStream)
    return codec, run


def few(view: DenseView, n: int) -> DenseView:
    return replace(view, real=view.real.take(np.arange(n)))


def test_the_noise_schedule_is_the_paper_s_as_latent_diffusion_reads_it() -> None:
    alpha_bar = SCHEDULE.alpha_bar

    assert len(alpha_bar) == 1000
    assert alpha_bar[0].item() == pytest.approx(1 - 0.0015)
    assert alpha_bar[-1].item() == pytest.approx(6.69e-4, rel=0.01)


# Formats


def test_tiles_come_back_from_tensors(make: Make) -> None:
    view = make(5, 30, dates=2, ignored=True)
    form = TileFormat.of(view.real, 2, 8)
    x, y = form.images(view.real.images), form.masks(view.real.masks)

    assert form.ids == (0, 1, 2) and form.padded == 32
    assert x.shape == (5, 20, 32, 32) and y.shape == (5, 32, 32)
    np.testing.assert_allclose(form.images_back(x), view.real.images, rtol=1e-5)
    masks, sure = form.masks_back(form.one_hot(y))
    assert (masks == view.real.masks).all() and (sure == 1).all()
    assert TileFormat(**asdict(form)) == form


def test_one_scale_serves_all_bands_and_keeps_reflectance_in_proportion(view: DenseView) -> None:
    form = TileFormat.of(view.real, 4, 4)
    x = form.images(view.real.images)

    assert form.shift == 0 and form.scale == pytest.approx(np.percentile(view.real.images, 99.9))
    np.testing.assert_allclose(
        x[0, :, 3, 3] * form.scale, view.real.images[0, 0, :, 3, 3], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda real: {"masks": real.masks + 1}, "1..4"),
        (lambda real: {"masks": np.ones_like(real.masks)}, "differ"),
        (lambda real: {"images": real.images * np.nan}, "finite"),
        (lambda real: {"images": real.images * 0}, "more than one value"),
    ],
)
def test_tiles_that_cannot_be_learnt_from_are_named(
    view: DenseView, change: Any, words: str
) -> None:
    with pytest.raises(PluginError, match=words):
        TileFormat.of(replace(view.real, **change(view.real)), 4, 4)


def test_tiles_with_a_rare_class_are_drawn_more_often() -> None:
    # Columns: ignored, a common class, a rare class.
    shares = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.9, 0.1], [1.0, 0.0, 0.0], [0.1, 0.9, 0.0]])
    weight = draw_weights(shares, (0, 1, 2))

    assert weight[1] == weight.max() and weight[1] == pytest.approx(24**0.5)
    assert weight[0] == weight[2] == weight[3] == weight.min()


# Losses


def test_the_spectral_angle_is_the_angle() -> None:
    x, y = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 2.0], [3.0, 3.0]])

    assert mean_angle(x, y, dim=1).item() == pytest.approx(np.pi / 4)
    assert mean_angle(x, 5 * x, dim=1).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("x", [[0.3, 0.4], [0.0, 0.0]])
@pytest.mark.parametrize("y", [[0.3, 0.4], [0.0, 0.0], [-1.0, -1.0]])
def test_its_gradient_is_finite_at_equality_and_at_zero(x: list[float], y: list[float]) -> None:
    made = torch.tensor([y], requires_grad=True)
    mean_angle(torch.tensor([x]), made, dim=1).backward()  # type: ignore[no-untyped-call]

    assert made.grad is not None and made.grad.isfinite().all()


# Autoencoders


def test_many_bands_pass_a_stem_that_starts_as_principal_components() -> None:
    basis = torch.randn(3, 80, generator=torch.Generator().manual_seed(0))
    x = torch.einsum("nkhw,kb->nbhw", torch.randn(8, 3, 8, 8), basis) + 1
    vae = StreamVae(80, 4, 2, SIZES["tiny"], width=8)
    vae.fit_input(x)
    assert vae.stem is not None and vae.crown is not None
    scaled = (x - vae.mean[:, None, None]) / vae.std[:, None, None]

    assert vae.stem(scaled).shape[1] == 32
    assert torch.allclose(vae.crown(vae.stem(scaled)), scaled, atol=1e-4)
    assert StreamVae(32, 4, 2, SIZES["tiny"], width=8).stem is None


def test_images_come_back_from_the_principal_components_of_their_patches() -> None:
    draw = torch.Generator().manual_seed(0)
    basis = torch.randn(3, 5, 2, 2, generator=draw)
    amounts = torch.randn(8, 3, 4, 4, generator=draw)
    amounts -= amounts.mean(dim=(0, 2, 3), keepdim=True)
    x = torch.einsum("nkhw,kbij->nbhiwj", amounts, basis).reshape(8, 5, 8, 8) + 1
    codec = PatchComponents(5, 4, 2)
    codec.fit_input(x)
    z = codec.encode(x)

    assert torch.allclose(codec.decode(z), x, atol=1e-4)
    own = z.transpose(0, 1).flatten(1)
    assert torch.allclose(own[:3].std(dim=1), torch.ones(3), atol=0.02)
    assert (own[3] == 0).all()  # of no more directions is there anything to tell
    assert not list(codec.parameters())


def test_a_vae_of_images_starts_as_the_principal_components_of_their_patches(
    view: DenseView,
) -> None:
    x = run_of(few(view, 8)).pairs.x
    vae, known = (
        StreamVae(10, 12, 2, SIZES["tiny"], width=8, linear=True),
        PatchComponents(10, 12, 2),
    )
    vae.fit_input(x)
    known.fit_input(x)

    assert torch.allclose(vae.encode(x), known.encode(x))
    assert vae.encode(x).std().item() == pytest.approx(1, abs=0.1)
    assert torch.allclose(vae.decode(vae.encode(x)), known.decode(known.encode(x)), atol=1e-5)
    assert all(weight.requires_grad for weight in vae.parameters())


def test_the_spectral_angle_counts_as_its_weight_says(view: DenseView) -> None:
    with_it, without = (
        two_streams(few(view, 8), image_steps=3, vae_steps=1, sad=sad)[0] for sad in (0.1, 0)
    )

    assert not all(map(torch.equal, with_it.image.parameters(), without.image.parameters()))
    assert all(map(torch.equal, with_it.mask.parameters(), without.mask.parameters()))


def test_the_streams_share_nothing(view: DenseView) -> None:
    run = run_of(few(view, 8))
    codec = TwoStream(run.format, run.params)
    image, _ = codec.decode(codec.encode(run.pairs.x, run.format.one_hot(run.pairs.y)))
    image.sum().backward()  # type: ignore[no-untyped-call]

    def moved(stream: torch.nn.Module) -> list[bool]:
        return [
            weight.grad is not None and bool(weight.grad.any()) for weight in stream.parameters()
        ]

    assert any(moved(codec.image)) and not any(moved(codec.mask))


def test_a_few_tiles_can_be_learnt_by_heart(make: Make) -> None:
    codec, run = two_streams(make(8, 16), vae_steps=300, image_steps=150)
    images, _ = codec.decode(codec.encode(run.pairs.x, run.format.one_hot(run.pairs.y)))

    assert accuracy(codec, run) > 0.98
    assert float(mean_angle(run.pairs.x, images, dim=1)) < 0.08
    assert float((images - run.pairs.x).square().mean()) ** 0.5 < 0.08


def test_two_streams_keep_masks_better_than_one_of_the_same_latents(make: Make) -> None:
    view = make(12, 16, 40)
    codec, two = two_streams(view, vae_steps=160)
    one = run_of(view, streams="one", vae_steps=160)
    single = fit_codec(OneStream, one)

    channels = [
        c.encode(two.pairs.x, two.format.one_hot(two.pairs.y)).shape[1] for c in (codec, single)
    ]
    assert channels[0] == channels[1]
    assert accuracy(codec, two) > accuracy(single, one)


@pytest.mark.parametrize("build", [TwoStream, OneStream])
def test_decoded_shares_of_classes_sum_to_one(view: DenseView, build: Any) -> None:
    run = run_of(few(view, 4))
    _, shares = build(run.format, run.params).decode(torch.randn(2, 8, 16, 16))

    assert shares.shape == (2, 4, 32, 32) and (shares >= 0).all()
    assert torch.allclose(shares.sum(dim=1), torch.ones(2, 32, 32), atol=1e-5)


# Denoiser and settings


def mixed_latents(rows: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    """Latents (n, 3, 8, 8) whose mean and covariance depend on the class of their 2×2 pixels, masks
    (n, 16, 16) of three indices, and these one-hot (n, 3, 16, 16); the last class fills no latent
    pixel alone.
    """
    draw = torch.Generator().manual_seed(0)
    cells = torch.randint(2, (rows, 8, 8), generator=draw)
    spread = torch.tensor(
        [[[1.0, 0, 0], [2, 0.5, 0], [0, 0, 3]], [[0.5, 0, 0], [0, 0.7, 0], [0.3, 0.3, 0.6]]]
    )
    means = torch.tensor([[5.0, 0, 0], [0, -5, 2]])
    noise = torch.randn((rows, 8, 8, 3), generator=draw)
    z = means[cells] + torch.einsum("nhwij,nhwj->nhwi", spread[cells], noise)
    y = cells.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    y[:, 1::4, 1::4] = 2
    return z.movedim(-1, 1), y, torch.nn.functional.one_hot(y, 3).movedim(-1, 1).float()


def test_what_a_mask_tells_of_an_image_is_no_longer_in_its_latents() -> None:
    z, y, shown = mixed_latents()
    units = ClassUnits(3, 3, 2)
    units.fit_input([(z[:15], y[:15]), (z[15:], y[15:])], torch.tensor([True, True, True]), views=1)
    e = units(z, shown)

    assert torch.allclose(units.back(e, shown), z, atol=1e-4)
    cells = shown[:, :, ::2, ::2].argmax(dim=1)
    whole = (y.unfold(1, 2, 2).unfold(2, 2, 2).flatten(3) == cells[..., None]).all(dim=-1)
    for k in (0, 1):
        own = e.movedim(1, -1)[whole & (cells == k)]
        assert own.mean(dim=0).abs().max() < 0.1
        assert torch.allclose(torch.cov(own.T), torch.eye(3), atol=0.15)
    assert units.covariance[2].diagonal().min() > 0
